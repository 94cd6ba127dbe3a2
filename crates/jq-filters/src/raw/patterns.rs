//! Regular expressions on raw texts.
//!
//! jaq's engine decides what a pattern is; another one, which is many times as fast, runs it, on texts of ASCII alone,
//! where both mean the same by a character, a word and a digit.

use std::borrow::Cow;

use memchr::{memchr_iter, memmem};
use regex::bytes::{Captures, Regex, RegexBuilder};

use super::evaluate::{Context, No, Scope};
use super::expression::Expression;
use super::value::Value;
use crate::regexes;
use crate::write::write_text;

/// Ways of saying that the two engines could read differently.
const AMBIGUOUS: [&str; 4] = ["&&", "--", "~~", "[["];

/// A pattern with its flags, compiled.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
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
    /// None for what is no pattern, or not certain to be the same for both engines.
    pub fn new(pattern: &str, flags: &str) -> Option<Pattern> {
        if !pattern.is_ascii() || AMBIGUOUS.iter().any(|text| pattern.contains(text)) {
            return None;
        }
        let flags = regexes::flags(flags).ok()?;
        regexes::compile(pattern, &flags).ok()?;
        let mut builder = RegexBuilder::new(pattern);
        builder
            .unicode(false)
            .case_insensitive(flags.case_insensitive)
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.single_line)
            .swap_greed(flags.swap_greed)
            .ignore_whitespace(flags.extended);
        if flags.skips_empty {
            return None;
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'=' | b'_' | b',' | b':' | b'@');
        let literal = !flags.case_insensitive && !pattern.is_empty() && pattern.bytes().all(plain);
        let literal = literal.then(|| pattern.as_bytes().to_vec());
        Some(Pattern { regex: builder.build().ok()?, global: flags.global, literal })
    }

    pub fn is_global(&self) -> bool {
        self.global
    }

    pub fn has_groups(&self) -> bool {
        self.regex.captures_len() > 1
    }

    /// The number of a named group.
    pub fn group(&self, name: &str) -> Option<usize> {
        self.regex.capture_names().position(|other| other == Some(name))
    }

    fn count(&self, text: &[u8]) -> usize {
        match self.literal.as_deref() {
            Some([byte]) => memchr_iter(*byte, text).count(),
            Some(literal) => memmem::find_iter(text, literal).count(),
            None => self.regex.find_iter(text).count(),
        }
    }

    /// The named groups of a match that took part in it, as an object.
    fn named(&self, captures: &Captures<'_>) -> Vec<u8> {
        let mut json = vec![b'{'];
        for (name, group) in self.regex.capture_names().zip(captures.iter()) {
            let (Some(name), Some(group)) = (name, group) else { continue };
            if json.len() > 1 {
                json.push(b',');
            }
            write_text(name.as_bytes(), &mut json);
            json.push(b':');
            write_text(group.as_bytes(), &mut json);
        }
        json.push(b'}');
        json
    }
}

/// A text on which both engines agree.
pub fn searchable<'v>(value: &'v Value<'_>) -> Result<&'v [u8], No> {
    let text = value.text()?;
    if text.is_ascii() { Ok(text) } else { Err(No::Idea) }
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
        let text = searchable(&input)?;
        Ok(match search {
            Search::Test => Value::Bool(pattern.regex.is_match(text)),
            Search::Count => Value::Integer(i64::try_from(pattern.count(text)).map_err(|_| No::Idea)?),
            Search::Capture => {
                let captures = pattern.regex.captures(text).ok_or(No::Result)?;
                Value::Object(Cow::Owned(pattern.named(&captures)))
            }
            Search::Group(group) => {
                let captures = pattern.regex.captures(text).ok_or(No::Result)?;
                let Some(found) = captures.get(*group).map(|group| group.range()) else { return Ok(Value::Null) };
                match input.into_text()? {
                    Cow::Borrowed(text) => Value::Text(Cow::Borrowed(&text[found])),
                    Cow::Owned(text) => Value::Text(Cow::Owned(text[found].to_vec())),
                }
            }
            Search::Replace(by) => {
                let mut all = Vec::with_capacity(text.len() + 16);
                let mut last = 0;
                for captures in pattern.regex.captures_iter(text) {
                    let Some(found) = captures.get(0) else { continue };
                    all.extend_from_slice(&text[last..found.start()]);
                    last = found.end();
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
            Ok(by) => to.extend_from_slice(searchable(&by)?),
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
        searchable(&input)?;
        match input.into_text()? {
            Cow::Borrowed(text) => pattern
                .regex
                .find_iter(text)
                .try_for_each(|found| each(Value::Text(Cow::Borrowed(&text[found.range()])))),
            Cow::Owned(text) => pattern
                .regex
                .find_iter(&text)
                .try_for_each(|found| each(Value::Text(Cow::Owned(found.as_bytes().to_vec())))),
        }
    }
}
