//! Regular expressions on raw texts.
//!
//! A pattern is one of `regexes`, run on bytes: without Unicode on texts of ASCII, with it on others.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr_iter, memmem};
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::no_value::NoValue;
use crate::pattern_text::for_regex;
use crate::regexes;
use crate::write::write_text;

/// A pattern with its flags, compiled.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// For texts of ASCII, if the pattern means something on bytes.
    ascii: Option<Regex>,
    unicode: Regex,
    global: bool,
    /// Text that it is, if it is nothing more.
    literal: Option<Vec<u8>>,
}

impl Pattern {
    /// None for what is no pattern, and for flags that only the other way knows.
    pub fn new(pattern: &str, flags: &str) -> Option<Pattern> {
        let flags = regexes::flags(flags).ok()?;
        if flags.skips_empty {
            return None;
        }
        // Bytes may be searched for what a text cannot have: only what is a pattern of texts is one.
        regexes::compiled(pattern, flags).ok()?;
        let text = for_regex(pattern, flags.extended);
        let build = |unicode: bool| {
            let mut builder = RegexBuilder::new(&text);
            builder
                .unicode(unicode)
                .case_insensitive(flags.case_insensitive)
                .dot_matches_new_line(flags.dot_is_any)
                .ignore_whitespace(flags.extended);
            builder.build().ok()
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'=' | b'_' | b',' | b':' | b'@');
        let literal = !flags.case_insensitive && !pattern.is_empty() && pattern.bytes().all(plain);
        let literal = literal.then(|| pattern.as_bytes().to_vec());
        let ascii = if pattern.is_ascii() { build(false) } else { None };
        Some(Pattern { ascii, unicode: build(true)?, global: flags.global, literal })
    }

    /// What searches this text.
    #[inline]
    fn on(&self, text: &[u8]) -> Searcher<'_> {
        match &self.ascii {
            Some(regex) if text.is_ascii() => Searcher { regex, may_split: false },
            _ => Searcher { regex: &self.unicode, may_split: true },
        }
    }

    pub fn is_global(&self) -> bool {
        self.global
    }

    pub fn has_groups(&self) -> bool {
        self.unicode.captures_len() > 1
    }

    /// The number of a named group.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.unicode.capture_names().position(|other| other == Some(name))
    }

    /// Tells whether the text has a match.
    pub fn is_match(&self, text: &[u8]) -> Result<bool, NoValue> {
        self.on(text).is_match(text)
    }

    /// Returns how many matches there are.
    pub fn count(&self, text: &[u8]) -> Result<usize, NoValue> {
        match self.literal.as_deref() {
            Some([byte]) => Ok(memchr_iter(*byte, text).count()),
            Some(literal) => Ok(memmem::find_iter(text, literal).count()),
            None => {
                let searcher = self.on(text);
                searcher.regex.find_iter(text).try_fold(0, |count, found| {
                    searcher.certain(found.range())?;
                    Ok(count + 1)
                })
            }
        }
    }

    /// Returns the first match.
    ///
    /// # Errors
    /// Empty, where there is none.
    pub fn first<'p, 't>(&'p self, text: &'t [u8]) -> Result<Match<'p, 't>, NoValue> {
        let searcher = self.on(text);
        let captures = searcher.regex.captures(text).ok_or(NoValue::Empty)?;
        searcher.certain(captures.get_match().range())?;
        Ok(Match { pattern: self, captures })
    }

    /// Returns the text with its matches replaced, or the first one if the pattern is not global: `by` appends what stands in the place
    /// of one.
    pub fn replace(
        &self,
        text: &[u8],
        by: impl Fn(&Match<'_, '_>, &mut Vec<u8>) -> Result<(), NoValue>,
    ) -> Result<Vec<u8>, NoValue> {
        let mut all = Vec::with_capacity(text.len() + 16);
        let mut last = 0;
        let searcher = self.on(text);
        for captures in searcher.regex.captures_iter(text) {
            let found = captures.get_match().range();
            searcher.certain(found.clone())?;
            all.extend_from_slice(&text[last..found.start]);
            last = found.end;
            by(&Match { pattern: self, captures }, &mut all)?;
            if !self.global {
                break;
            }
        }
        all.extend_from_slice(&text[last..]);
        Ok(all)
    }

    /// Calls `each` with every match of a pattern without groups.
    pub fn scan<'a>(
        &self,
        text: Cow<'a, [u8]>,
        mut each: impl FnMut(Cow<'a, [u8]>) -> Result<(), NoValue>,
    ) -> Result<(), NoValue> {
        match text {
            Cow::Borrowed(text) => {
                let searcher = self.on(text);
                searcher.regex.find_iter(text).try_for_each(|found| {
                    searcher.certain(found.range())?;
                    each(Cow::Borrowed(&text[found.range()]))
                })
            }
            Cow::Owned(text) => {
                let searcher = self.on(&text);
                searcher.regex.find_iter(&text).try_for_each(|found| {
                    searcher.certain(found.range())?;
                    each(Cow::Owned(found.as_bytes().to_vec()))
                })
            }
        }
    }
}

/// A match of a pattern in a text.
pub struct Match<'p, 't> {
    pattern: &'p Pattern,
    captures: Captures<'t>,
}

impl Match<'_, '_> {
    /// Returns where a group is, by its number; none for one that took no part in the match.
    pub fn group(&self, number: usize) -> Option<Range<usize>> {
        self.captures.get(number).map(|group| group.range())
    }

    /// Returns the named groups as an object; null for one that took no part in the match.
    pub fn named(&self) -> Vec<u8> {
        let mut json = vec![b'{'];
        for (name, group) in self.pattern.unicode.capture_names().zip(self.captures.iter()) {
            let Some(name) = name else { continue };
            if json.len() > 1 {
                json.push(b',');
            }
            write_text(name.as_bytes(), &mut json);
            json.push(b':');
            match group {
                Some(group) => write_text(group.as_bytes(), &mut json),
                None => json.extend_from_slice(b"null"),
            }
        }
        json.push(b'}');
        json
    }
}

/// The regex for one text.
#[derive(Clone, Copy)]
struct Searcher<'p> {
    regex: &'p Regex,
    /// On bytes that are not ASCII, an empty match may be in the middle of a character.
    may_split: bool,
}

impl Searcher<'_> {
    #[inline]
    fn certain(self, found: Range<usize>) -> Result<(), NoValue> {
        if self.may_split && found.is_empty() { Err(NoValue::LeftToJaq) } else { Ok(()) }
    }

    #[inline]
    fn is_match(self, text: &[u8]) -> Result<bool, NoValue> {
        match self.may_split {
            false => Ok(self.regex.is_match(text)),
            true => self.regex.find(text).map_or(Ok(false), |found| self.certain(found.range()).map(|()| true)),
        }
    }
}
