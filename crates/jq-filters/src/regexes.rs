//! Regular expressions, compiled once.

use std::cell::RefCell;
use std::rc::Rc;

use jaq_core::{Error, ValR};
use jaq_json::{Map, Val};
use jaq_std::ValT as _;
use regex_bites::bytes::{Captures, Match, Regex, RegexBuilder};

/// A filter can make any number of regular expressions from its input: only the last few are kept.
const KEPT_MAX: usize = 16;

struct Compiled {
    pattern: String,
    flags: String,
    regex: Rc<Regex>,
}

thread_local! {
    static KEPT: RefCell<Vec<Compiled>> = const { RefCell::new(Vec::new()) };
}

/// What jq's flags say.
#[derive(Default)]
pub struct Flags {
    pub global: bool,
    pub skips_empty: bool,
    pub case_insensitive: bool,
    pub multi_line: bool,
    pub single_line: bool,
    pub swap_greed: bool,
    pub extended: bool,
}

/// # Errors
/// A flag that there is not.
pub fn flags(text: &str) -> Result<Flags, char> {
    let mut flags = Flags::default();
    for flag in text.chars() {
        match flag {
            'g' => flags.global = true,
            'n' => flags.skips_empty = true,
            'i' => flags.case_insensitive = true,
            'm' => flags.multi_line = true,
            's' => flags.single_line = true,
            'l' => flags.swap_greed = true,
            'x' => flags.extended = true,
            'p' => (flags.multi_line, flags.single_line) = (true, true),
            other => return Err(other),
        }
    }
    Ok(flags)
}

/// # Errors
/// What is wrong with the pattern.
pub fn compile(pattern: &str, flags: &Flags) -> Result<Regex, regex_bites::Error> {
    let mut builder = RegexBuilder::new(pattern);
    builder
        .case_insensitive(flags.case_insensitive)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.single_line)
        .swap_greed(flags.swap_greed)
        .ignore_whitespace(flags.extended);
    builder.build()
}

fn regex(pattern: &str, text: &str, flags: &Flags) -> Result<Rc<Regex>, Error<Val>> {
    KEPT.with_borrow_mut(|kept| {
        if let Some(at) = kept.iter().position(|known| known.pattern == pattern && known.flags == text) {
            return Ok(Rc::clone(&kept[at].regex));
        }
        let regex = compile(pattern, flags).map_err(|why| Error::str(format_args!("invalid regex: {why}")))?;
        let regex = Rc::new(regex);
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Compiled { pattern: pattern.to_owned(), flags: text.to_owned(), regex: Rc::clone(&regex) });
        Ok(regex)
    })
}

/// The pieces of a text between the matches, the matches as arrays of objects, or both in turn.
///
/// # Errors
/// A wrong pattern, or an input that is no text.
pub fn apply(input: &Val, pattern: &str, flags_text: &str, mismatches: bool, matches: bool) -> ValR<Val> {
    let flags = flags(flags_text).map_err(|flag| Error::str(format_args!("invalid regex flag: {flag}")))?;
    let regex = regex(pattern, flags_text, &flags)?;
    let text = input.try_as_utf8_bytes()?;
    let names: Vec<Option<&str>> = regex.capture_names().collect();
    let mut place = Place::default();
    let mut last = 0;
    let mut out = Vec::new();
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        if flags.skips_empty && whole.as_bytes().is_empty() {
            continue;
        }
        if mismatches {
            out.push(input.as_sub_str(&text[last..whole.start()]));
            last = whole.end();
        }
        if matches {
            out.push(groups(input, text, &captures, &names, &mut place));
        }
        if !flags.global {
            break;
        }
    }
    if mismatches {
        out.push(input.as_sub_str(&text[last..]));
    }
    Ok(out.into_iter().collect())
}

fn groups(input: &Val, text: &[u8], captures: &Captures<'_>, names: &[Option<&str>], place: &mut Place) -> Val {
    let groups = captures.iter().zip(names);
    groups.filter_map(|(group, name)| Some(group_object(input, text, group?, *name, place))).collect()
}

fn group_object(input: &Val, text: &[u8], group: Match<'_>, name: Option<&str>, place: &mut Place) -> Val {
    let mut object = Map::with_capacity_and_hasher(4, Default::default());
    object.insert(Val::utf8_str("offset"), Val::from(place.characters(text, group.start())));
    object.insert(Val::utf8_str("length"), Val::from(characters(group.as_bytes())));
    object.insert(Val::utf8_str("string"), input.as_sub_str(group.as_bytes()));
    if let Some(name) = name {
        object.insert(Val::utf8_str("name"), Val::from(name.to_owned()));
    }
    Val::obj(object)
}

/// A place in a text that mostly moves forward.
#[derive(Default)]
struct Place {
    byte: usize,
    character: usize,
}

impl Place {
    /// How many characters are in front of a byte.
    fn characters(&mut self, text: &[u8], byte: usize) -> usize {
        if byte < self.byte {
            *self = Place::default();
        }
        self.character += characters(&text[self.byte..byte]);
        self.byte = byte;
        self.character
    }
}

/// Bytes that go on with a character are none of their own; what is not UTF-8 is counted as jaq does.
fn characters(text: &[u8]) -> usize {
    match std::str::from_utf8(text) {
        Ok(text) => text.chars().count(),
        Err(_) => String::from_utf8_lossy(text).chars().count(),
    }
}
