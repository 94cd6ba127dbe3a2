//! Field paths, written as in jq.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::advice::advice;
use crate::key_spelling::KeySpelling;
use crate::text::decode_string;
use crate::token;

/// More steps than this are refused: no line is nested that deep for a purpose.
const STEPS_MAX: usize = 128;

/// Where a field stands in a line: `.user.id`, `user.id`, `."odd key"`, `.items[0]`, `.["k"]`, or `.` for the
/// whole line.
///
/// Two spellings of the same path are equal, and [`fmt::Display`] gives the one spelling that jq takes too.
/// Bare keys may hold letters, digits and `_ - $ @`; anything else goes in quotes.
///
/// A path that finds nothing takes the member of the line that has its whole text as its name: `user.id` may be
/// `{"user.id":7}`, as results of `aggregate --by user.id` and lines of Zeek have it.
///
/// ```
/// use json_fields::FieldPath;
///
/// let path: FieldPath = r#"user["first-name"]"#.parse()?;
/// assert_eq!(path.to_string(), r#".user."first-name""#);
/// assert_eq!(path.name(), "user.first-name");
/// # Ok::<(), json_fields::PathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    steps: Vec<Step>,
}

/// One step down from a value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Why a text is no field path.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PathError {
    /// Nothing there at all.
    #[error("empty field path")]
    Empty,
    /// Two dots, or a dot at the end.
    #[error("field path \"{path}\": no key at byte {at}")]
    NoKey { path: String, at: usize },
    /// A character that needs quotes, or has no place here.
    #[error("field path \"{path}\": unexpected '{found}' at byte {at}{}", advice(.path))]
    Unexpected { path: String, at: usize, found: char },
    /// A quoted key without its closing quote, or with a wrong escape.
    #[error("field path \"{path}\": the quoted key at byte {at} is no JSON string")]
    BadQuotes { path: String, at: usize },
    /// Not `[0]`, `[17]` or `["key"]`.
    #[error("field path \"{path}\": expected an index or a quoted key in brackets at byte {at}{}", advice(.path))]
    BadIndex { path: String, at: usize },
    /// Longer than any line is deep.
    #[error("field path with more than {STEPS_MAX} steps")]
    TooLong,
}

impl FieldPath {
    /// The path of the top-level member `key`, whatever characters it has.
    #[must_use]
    pub fn key(key: &str) -> FieldPath {
        FieldPath { steps: vec![Step::Key(key.to_owned())] }
    }

    /// Paths with commas between them, as flags take them: `a,b.c,."odd, key"`.
    ///
    /// # Errors
    /// When one of them is no path, or is empty.
    pub fn parse_list(list: &str) -> Result<Vec<FieldPath>, PathError> {
        let mut quoted = false;
        let mut escaped = false;
        list.split(|c: char| {
            let splits = c == ',' && !quoted;
            quoted ^= c == '"' && !escaped;
            escaped = c == '\\' && quoted && !escaped;
            splits
        })
        .map(str::parse)
        .collect()
    }

    /// The field's name in output: its keys with dots between them, without quotes (`user.id`, `items[0]`).
    /// Different paths may have the same name, `.a.b` and `."a.b"` have; who writes several checks for that.
    #[must_use]
    pub fn name(&self) -> String {
        let mut name = String::new();
        for step in &self.steps {
            match step {
                Step::Key(key) => {
                    if !name.is_empty() {
                        name.push('.');
                    }
                    name.push_str(key);
                }
                Step::Index(index) => name.push_str(&format!("[{index}]")),
            }
        }
        if self.steps.is_empty() {
            name.push('.');
        }
        name
    }

    /// The key of the top-level member in which the field stands; none for `.` and for `.[0]`.
    #[must_use]
    pub fn top_level_key(&self) -> Option<&str> {
        match self.steps.first() {
            Some(Step::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// The field is a member of the line itself, not of something inside it.
    #[must_use]
    pub fn is_top_level(&self) -> bool {
        matches!(self.steps.as_slice(), [Step::Key(_)])
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<FieldPath, PathError> {
        Parser { text, at: 0 }.path()
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
}

impl Parser<'_> {
    fn path(mut self) -> Result<FieldPath, PathError> {
        let mut steps = Vec::new();
        match self.text {
            "" => return Err(PathError::Empty),
            "." => return Ok(FieldPath { steps }),
            _ => (),
        }
        while self.at < self.text.len() {
            if steps.len() == STEPS_MAX {
                return Err(PathError::TooLong);
            }
            let dotted = self.peek() == Some('.');
            self.at += usize::from(dotted);
            steps.push(match self.peek() {
                Some('[') => self.bracket()?,
                _ if !dotted && !steps.is_empty() => return Err(self.unexpected()),
                Some('"') => Step::Key(self.quoted()?),
                _ => self.bare()?,
            });
        }
        Ok(FieldPath { steps })
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bare(&mut self) -> Result<Step, PathError> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c| !is_bare(c)).unwrap_or(rest.len());
        if len == 0 {
            return Err(match self.peek() {
                None | Some('.') => PathError::NoKey { path: self.text.to_owned(), at: self.at },
                Some(_) => self.unexpected(),
            });
        }
        self.at += len;
        Ok(Step::Key(rest[..len].to_owned()))
    }

    fn quoted(&mut self) -> Result<String, PathError> {
        let text = self.text.as_bytes();
        let Ok(end) = token::string_end(text, self.at) else {
            return Err(PathError::BadQuotes { path: self.text.to_owned(), at: self.at });
        };
        let key = decode_string(&text[self.at..end]).into_owned();
        self.at = end;
        Ok(key)
    }

    fn bracket(&mut self) -> Result<Step, PathError> {
        let open = self.at;
        self.at += 1;
        let step = if self.peek() == Some('"') {
            Step::Key(self.quoted()?)
        } else {
            let rest = &self.text[self.at..];
            let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            self.at += len;
            Step::Index(rest[..len].parse().map_err(|_| self.bad_index(open))?)
        };
        if self.peek() != Some(']') {
            return Err(self.bad_index(open));
        }
        self.at += 1;
        Ok(step)
    }

    fn bad_index(&self, at: usize) -> PathError {
        PathError::BadIndex { path: self.text.to_owned(), at }
    }

    fn unexpected(&self) -> PathError {
        PathError::Unexpected { path: self.text.to_owned(), at: self.at, found: self.peek().unwrap_or_default() }
    }
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@')
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self.steps.first(), Some(Step::Key(_))) {
            f.write_str(".")?;
        }
        for step in &self.steps {
            match step {
                Step::Key(key) => write!(f, "{}", KeySpelling(key))?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// `.a-.b` and `.a-1` are field paths, but who writes a dot in front thinks of jq, where they are differences. Whether jq takes a
/// text at all (`.first-name`, which it does not) only jq can say.
#[must_use]
pub fn may_be_difference(text: &str) -> bool {
    let is_of_jq = text.starts_with('.') || text.starts_with("-.");
    is_of_jq && text.split('"').step_by(2).any(|unquoted| unquoted.contains('-'))
}
