//! Lines of JSON from a seed, good ones and ones that somebody has stepped on.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Keys that the wanted paths use, so that duplicates and near misses are frequent.
const KEYS: &[&str] =
    &["a", "b", "c", "a", "b", "user", "id", "odd key", "\\u0061", "us\\u0065r", "é", "", "aa", "a.b", "user.id"];

const STRINGS: &[&str] = &[
    "",
    "x",
    "plain text",
    "a longer text that takes more than one block of sixteen bytes",
    "sixteen bytes ok",
    "\\\"",
    "\\\\",
    "tab\\tand\\nnewline",
    "\\u0041\\u00e9",
    "\\ud83d\\ude00",
    "é",
    "漢字",
    "😀",
    "\u{7f}",
    "2026-11-22T10:00:00.123Z",
];

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "7",
    "-12",
    "200",
    "20.31",
    "0.5",
    "-0.25",
    "1e3",
    "1E-7",
    "2.5e+2",
    "123456789012345",
    "1234567890123456",
    "12345678901234567",
    "0.1234567890123456789",
    "123456789.123456",
    "123456789.1234567",
];

/// What mutations put in.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "true",
    "false",
    "nul",
    "tru",
    "0",
    "00",
    "01",
    "1.",
    ".5",
    "-",
    "+1",
    "1e",
    "e5",
    "E",
    "1e999",
    " ",
    "\t",
    "\n",
    "\r",
    "\u{b}",
    "\u{a0}",
    "\u{feff}",
    "\\u",
    "\\u12",
    "\\ud800",
    "\\udc00",
    "\\ud800\\u0041",
    "\\x",
    "\\u00zz",
    "\"a\":1,",
    ",\"a\":{\"b\":2}",
    "\"b\":[1,{}],",
    "{}",
    "[]",
    "\0",
    "/**/",
    "'",
    "NaN",
    "é",
];

pub struct Lines {
    pub rng: ChaCha8Rng,
}

impl Lines {
    pub fn new(seed: u64) -> Lines {
        Lines { rng: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from.choose(&mut self.rng).unwrap()
    }

    fn chance(&mut self, one_in: u32) -> bool {
        self.rng.random_range(0..one_in) == 0
    }

    /// A line as a list of pieces, so that its values can be made anew; a piece that starts with `S`, `N` or
    /// `K` stands for a string, a number, a keyword.
    pub fn template(&mut self) -> Vec<String> {
        let mut pieces = Vec::new();
        if self.chance(20) {
            self.value(&mut pieces, 0);
        } else {
            self.object(&mut pieces, 0);
        }
        if self.chance(20) {
            pieces.push(" \r".to_owned());
        }
        pieces
    }

    /// A line of the template: the same keys, other values.
    pub fn fill(&mut self, template: &[String]) -> Vec<u8> {
        let mut line = String::new();
        for piece in template {
            match piece.as_str() {
                "S" => {
                    line.push('"');
                    line.push_str(self.pick(STRINGS));
                    line.push('"');
                }
                "N" => line.push_str(self.pick(NUMBERS)),
                "K" => line.push_str(self.pick(&["true", "false", "null"])),
                text => line.push_str(text),
            }
        }
        line.into_bytes()
    }

    /// A line with a few changes that may or may not leave it JSON.
    pub fn mutate(&mut self, line: &mut Vec<u8>) {
        for _ in 0..self.rng.random_range(1..4) {
            let at = self.rng.random_range(0..=line.len());
            let end = (at + self.rng.random_range(0..12)).min(line.len());
            match self.rng.random_range(0..7) {
                0 if at < line.len() => line[at] = self.rng.random(),
                1 if at < line.len() => line[at] ^= 1 << self.rng.random_range(0..8),
                2 => drop(line.drain(at..end)),
                3 => line.truncate(at),
                4 => {
                    let copy = line[at..end].to_vec();
                    let to = self.rng.random_range(0..=line.len());
                    line.splice(to..to, copy);
                }
                5 => {
                    let byte = self.rng.next_u32() as u8;
                    line.insert(at, byte);
                }
                _ => {
                    let token = self.pick(TOKENS);
                    line.splice(at..at, token.bytes());
                }
            }
        }
    }

    fn value(&mut self, pieces: &mut Vec<String>, depth: usize) {
        match self.rng.random_range(0..10) {
            0 | 1 if depth < 4 => self.object(pieces, depth),
            2 if depth < 4 => self.array(pieces, depth),
            3..=5 => pieces.push("N".to_owned()),
            6 => pieces.push("K".to_owned()),
            _ => pieces.push("S".to_owned()),
        }
    }

    fn object(&mut self, pieces: &mut Vec<String>, depth: usize) {
        pieces.push("{".to_owned());
        for member in 0..self.rng.random_range(0..7) {
            let comma = if member > 0 { "," } else { "" };
            let (before, after) = (self.space(), self.space());
            let key = self.pick(KEYS);
            pieces.push(format!("{comma}{before}\"{key}\":{after}"));
            self.value(pieces, depth + 1);
            pieces.push(self.space().to_owned());
        }
        pieces.push("}".to_owned());
    }

    fn array(&mut self, pieces: &mut Vec<String>, depth: usize) {
        pieces.push("[".to_owned());
        for element in 0..self.rng.random_range(0..5) {
            let comma = if element > 0 { "," } else { "" };
            pieces.push(format!("{}{comma}{}", self.space(), self.space()));
            self.value(pieces, depth + 1);
        }
        pieces.push("]".to_owned());
    }

    fn space(&mut self) -> &'static str {
        match self.chance(15) {
            true => self.pick(&[" ", "  ", "\t", "\r", "\n", " \t "]),
            false => "",
        }
    }
}
