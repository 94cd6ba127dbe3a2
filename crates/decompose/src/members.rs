//! Writes the parts of numbers as members.

use json_fields::write_string;
use values::write_f64;

use crate::parts::{Parts, SEASONS_MAX};

/// The members of a line, and how they are written.
#[derive(Clone, Debug)]
pub struct Members {
    /// For each number the texts before its values (`"trend":`, `,"season":`), in the order of [`Members::write`].
    texts: Vec<Vec<Vec<u8>>>,
    /// How many seasons have a member of their own.
    seasons: usize,
    /// The lengths of the seasons are a member.
    has_lengths: bool,
    text: Vec<u8>,
}

/// Which members there are of a number, beside those that always are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// What seasons with a member of their own are called, the shortest first.
    pub seasons: Vec<String>,
    /// The lengths of the seasons are a member.
    pub has_lengths: bool,
}

impl Layout {
    /// Returns the names of the members, for each number in a list of its own. `values` are the names of the numbers.
    #[must_use]
    pub fn names(&self, values: &[String]) -> Vec<Vec<String>> {
        let seasons = self.seasons.iter().map(|season| format!("season_{season}"));
        let length = self.has_lengths.then(|| "season_length".to_owned());
        let names: Vec<String> = ["trend".to_owned(), "season".to_owned()]
            .into_iter()
            .chain(seasons)
            .chain(["remainder".to_owned(), "season_strength".to_owned()])
            .chain(length)
            .collect();
        match values {
            [_] => vec![names],
            _ => values.iter().map(|value| names.iter().map(|name| format!("{value}_{name}")).collect()).collect(),
        }
    }
}

impl Members {
    /// Makes the texts for members of these names.
    pub fn new(names: &[Vec<String>], layout: &Layout) -> Self {
        let text = |name: &String| {
            let mut text = vec![b','];
            write_string(name, &mut text);
            text.push(b':');
            text
        };
        let mut texts: Vec<Vec<Vec<u8>>> = names.iter().map(|names| names.iter().map(text).collect()).collect();
        // There is no comma before the first of all.
        if let Some(first) = texts.first_mut().and_then(|texts| texts.first_mut()) {
            first.remove(0);
        }
        Self { texts, seasons: layout.seasons.len(), has_lengths: layout.has_lengths, text: Vec::new() }
    }

    /// Returns how many numbers a line has.
    pub fn numbers(&self) -> usize {
        self.texts.len()
    }

    /// Returns the members for the parts of each number; none: they are null.
    pub fn of(&mut self, parts: &[Option<Parts>]) -> &[u8] {
        self.text.clear();
        for (texts, parts) in self.texts.iter().zip(parts) {
            let out = &mut self.text;
            match parts {
                Some(parts) => write(parts, texts, self.seasons, self.has_lengths, out),
                None => texts.iter().for_each(|text| {
                    out.extend_from_slice(text);
                    out.extend_from_slice(b"null");
                }),
            }
        }
        &self.text
    }
}

/// A part that is not there, as its season is not known yet, is null.
fn write(parts: &Parts, texts: &[Vec<u8>], seasons: usize, has_lengths: bool, out: &mut Vec<u8>) {
    let own = parts.seasons.iter().zip(&parts.lengths).take(seasons);
    let own = own.map(|(season, length)| Some(*season).filter(|_| *length > 0));
    let values = [Some(parts.trend), Some(parts.season)].into_iter().chain(own);
    let values = values.chain([Some(parts.remainder), Some(parts.strength)]);
    for (text, value) in texts.iter().zip(values) {
        out.extend_from_slice(text);
        match value {
            Some(value) => write_f64(value, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    if let Some(text) = texts.last().filter(|_| has_lengths) {
        out.extend_from_slice(text);
        write_lengths(&parts.lengths, out);
    }
}

fn write_lengths(lengths: &[u32; SEASONS_MAX], out: &mut Vec<u8>) {
    out.push(b'[');
    for (number, length) in lengths.iter().filter(|length| **length > 0).enumerate() {
        out.extend_from_slice(if number > 0 { b"," } else { b"" });
        values::state_text::write_number(u64::from(*length), out);
    }
    out.push(b']');
}
