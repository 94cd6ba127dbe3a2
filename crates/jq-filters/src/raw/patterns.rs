//! Regular expressions on raw texts.
//!
//! A pattern is one of `regexes`, run on bytes: without Unicode on texts of ASCII, with it on others.

use std::borrow::Cow;

use memchr::{memchr_iter, memmem};
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::evaluate::{Context, No, Scope};
use super::expression::Expression;
use super::value::Value;
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

/// What is done with a pattern on an input.
#[derive(Debug)]
pub enum Search {
    Test,
    /// The named groups of the first match.
    Capture,
    /// One group of it, by its number.
    Group(usize),
    /// How many matches there are.
    Count,
    /// The input with matches replaced: what stands in their place is worked out on the named groups.
    Replace(Box<Expression>),
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

    fn count(&self, text: &[u8]) -> Result<usize, No> {
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

    /// The named groups of a match, as an object; null for one that took no part in it.
    fn named(&self, captures: &Captures<'_>) -> Vec<u8> {
        let mut json = vec![b'{'];
        for (name, group) in self.unicode.capture_names().zip(captures.iter()) {
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
    fn certain(self, found: std::ops::Range<usize>) -> Result<(), No> {
        if self.may_split && found.is_empty() { Err(No::Idea) } else { Ok(()) }
    }

    #[inline]
    fn is_match(self, text: &[u8]) -> Result<bool, No> {
        match self.may_split {
            false => Ok(self.regex.is_match(text)),
            true => self.regex.find(text).map_or(Ok(false), |found| self.certain(found.range()).map(|()| true)),
        }
    }

    #[inline]
    fn captures<'t>(self, text: &'t [u8]) -> Result<Captures<'t>, No> {
        let captures = self.regex.captures(text).ok_or(No::Result)?;
        self.certain(captures.get_match().range())?;
        Ok(captures)
    }
}

impl<'a> Context<'a> {
    /// What the search gives on the input.
    pub fn search(
        self,
        search: &'a Search,
        input: Value<'a>,
        pattern: usize,
        scope: Scope<'_, 'a>,
    ) -> Result<Value<'a>, No> {
        let pattern = &self.patterns[pattern];
        let text = input.text()?;
        Ok(match search {
            Search::Test => Value::Bool(pattern.on(text).is_match(text)?),
            Search::Count => Value::Integer(i64::try_from(pattern.count(text)?).map_err(|_| No::Idea)?),
            Search::Capture => Value::Object(Cow::Owned(pattern.named(&pattern.on(text).captures(text)?))),
            Search::Group(group) => {
                let captures = pattern.on(text).captures(text)?;
                let Some(found) = captures.get(*group).map(|group| group.range()) else { return Ok(Value::Null) };
                match input.into_text()? {
                    Cow::Borrowed(text) => Value::Text(Cow::Borrowed(&text[found])),
                    Cow::Owned(text) => Value::Text(Cow::Owned(text[found].to_vec())),
                }
            }
            Search::Replace(by) => {
                let mut all = Vec::with_capacity(text.len() + 16);
                let mut last = 0;
                let searcher = pattern.on(text);
                for captures in searcher.regex.captures_iter(text) {
                    let found = captures.get_match().range();
                    searcher.certain(found.clone())?;
                    all.extend_from_slice(&text[last..found.start]);
                    last = found.end;
                    self.replacement(by, pattern, &captures, scope, &mut all)?;
                    if !pattern.global {
                        break;
                    }
                }
                all.extend_from_slice(&text[last..]);
                Value::Text(Cow::Owned(all))
            }
        })
    }

    fn replacement(
        self,
        by: &'a Expression,
        pattern: &Pattern,
        captures: &Captures<'_>,
        scope: Scope<'_, 'a>,
        to: &mut Vec<u8>,
    ) -> Result<(), No> {
        let groups = match by {
            Expression::Constant(..) => Value::Null,
            _ => Value::Object(Cow::Owned(pattern.named(captures))),
        };
        match self.value(by, scope.with_input(&groups)) {
            Ok(by) => to.extend_from_slice(by.text()?),
            // Without a replacement jq gives nothing, or worse.
            Err(No::Result) => return Err(No::Idea),
            Err(no) => return Err(no),
        }
        Ok(())
    }

    /// Calls `each` with every match of a pattern without groups.
    pub fn scan(
        self,
        input: Value<'a>,
        pattern: usize,
        mut each: impl FnMut(Value<'a>) -> Result<(), No>,
    ) -> Result<(), No> {
        let pattern = &self.patterns[pattern];
        match input.into_text()? {
            Cow::Borrowed(text) => {
                let searcher = pattern.on(text);
                searcher.regex.find_iter(text).try_for_each(|found| {
                    searcher.certain(found.range())?;
                    each(Value::Text(Cow::Borrowed(&text[found.range()])))
                })
            }
            Cow::Owned(text) => {
                let searcher = pattern.on(&text);
                searcher.regex.find_iter(&text).try_for_each(|found| {
                    searcher.certain(found.range())?;
                    each(Value::Text(Cow::Owned(found.as_bytes().to_vec())))
                })
            }
        }
    }
}
