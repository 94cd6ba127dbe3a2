//! Patterns, compiled once: those of jq's engine in the crate `regex`, with Unicode.

use std::cell::RefCell;
use std::rc::Rc;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::Term;
use jaq_core::{Error, ValR};
use jaq_json::{Map, Val};
use jaq_std::ValT as _;
use regex::{Captures, Match, Regex, RegexBuilder};

use crate::pattern_text::for_regex;
use crate::rewrite;
use crate::syntax::constant_text;

/// A filter can make any number of regular expressions from its input: only the last few are kept.
const KEPT_MAX: usize = 16;

/// The functions that take a pattern, with how many arguments, and which of them are the flags.
const WITH_PATTERN: [(&str, usize, Option<usize>); 15] = [
    ("test", 1, None),
    ("test", 2, Some(1)),
    ("match", 1, None),
    ("match", 2, Some(1)),
    ("capture", 1, None),
    ("capture", 2, Some(1)),
    ("scan", 1, None),
    ("scan", 2, Some(1)),
    ("split", 2, Some(1)),
    ("splits", 1, None),
    ("splits", 2, Some(1)),
    ("sub", 2, None),
    ("sub", 3, Some(2)),
    ("gsub", 2, None),
    ("gsub", 3, Some(2)),
];

struct Compiled {
    pattern: String,
    flags: Flags,
    regex: Rc<Regex>,
}

thread_local! {
    static KEPT: RefCell<Vec<Compiled>> = const { RefCell::new(Vec::new()) };
}

/// What jq's flags say.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    pub global: bool,
    pub skips_empty: bool,
    pub case_insensitive: bool,
    pub dot_is_any: bool,
    pub extended: bool,
}

/// # Errors
/// Why a flag is none.
pub fn flags(text: &str) -> Result<Flags, String> {
    let mut flags = Flags::default();
    for flag in text.chars() {
        match flag {
            'g' => flags.global = true,
            'n' => flags.skips_empty = true,
            'i' => flags.case_insensitive = true,
            'm' | 'p' => flags.dot_is_any = true,
            // `^` and `$` are the text's begin and end in any case.
            's' => (),
            'x' => flags.extended = true,
            'l' => return Err("the flag l, the longest match, is not known here".to_owned()),
            other => return Err(format!("{other:?} is no flag of a pattern: g, i, x, n, s and p are")),
        }
    }
    Ok(flags)
}

/// The pattern for texts of Unicode, compiled once in a thread as long as few others are asked for.
///
/// # Errors
/// What is wrong with it.
pub fn compiled(pattern: &str, flags: Flags) -> Result<Rc<Regex>, String> {
    // Of no account for what is compiled.
    let flags = Flags { global: false, skips_empty: false, ..flags };
    KEPT.with_borrow_mut(|kept| {
        if let Some(known) = kept.iter().find(|known| known.pattern == pattern && known.flags == flags) {
            return Ok(Rc::clone(&known.regex));
        }
        let regex = Rc::new(compile(pattern, flags)?);
        if kept.len() == KEPT_MAX {
            kept.remove(0);
        }
        kept.push(Compiled { pattern: pattern.to_owned(), flags, regex: Rc::clone(&regex) });
        Ok(regex)
    })
}

fn compile(pattern: &str, flags: Flags) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(&for_regex(pattern, flags.extended));
    builder
        .case_insensitive(flags.case_insensitive)
        .dot_matches_new_line(flags.dot_is_any)
        .ignore_whitespace(flags.extended);
    builder.build().map_err(|why| format!("the pattern {pattern:?} is wrong: {}", in_one_line(&why.to_string())))
}

/// Without the picture of the place, which takes several lines.
fn in_one_line(why: &str) -> String {
    match why.rsplit_once("error: ") {
        Some((_, what)) => what.trim().to_owned(),
        None => why.replace('\n', " "),
    }
}

/// A pattern and its flags, as a filter gives them.
pub struct Asked {
    pattern: String,
    flags: String,
}

impl Asked {
    /// The pattern may be an array of itself and the flags.
    ///
    /// # Errors
    /// When they are no texts.
    pub fn new(pattern: &Val, flags: &Val) -> Result<Asked, Error<Val>> {
        let text = |value: &Val| match value {
            Val::Null => Ok(String::new()),
            value => Ok(String::from_utf8_lossy(value.try_as_utf8_bytes()?).into_owned()),
        };
        let (pattern, flags) = match pattern {
            Val::Arr(both) => match &both[..] {
                [pattern] => (pattern, text(flags)?),
                [pattern, more, ..] => (pattern, text(flags)? + &text(more)?),
                [] => return Err(Error::str("an array with a pattern is empty")),
            },
            pattern => (pattern, text(flags)?),
        };
        let pattern = String::from_utf8_lossy(pattern.try_as_utf8_bytes()?).into_owned();
        Ok(Asked { pattern, flags })
    }
}

/// The pieces of a text between the matches, the matches as arrays of objects, or both in turn.
///
/// # Errors
/// A wrong pattern, or an input that is no text.
pub fn apply(input: &Val, asked: &Asked, mismatches: bool, matches: bool) -> ValR<Val> {
    let flags = flags(&asked.flags).map_err(Error::str)?;
    let regex = compiled(&asked.pattern, flags).map_err(Error::str)?;
    let bytes = input.try_as_utf8_bytes()?;
    // What is no UTF-8 can only come from `@base64d`.
    let replaced;
    let (input, text) = match std::str::from_utf8(bytes) {
        Ok(text) => (input, text),
        Err(_) => {
            replaced = Val::from(String::from_utf8_lossy(bytes).into_owned());
            let text = replaced.as_utf8_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok());
            (&replaced, text.unwrap_or_default())
        }
    };
    let names: Vec<Option<&str>> = regex.capture_names().collect();
    let mut place = Place::default();
    let mut last = 0;
    let mut out = Vec::new();
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        if flags.skips_empty && whole.is_empty() {
            continue;
        }
        if mismatches {
            out.push(input.as_sub_str(&text.as_bytes()[last..whole.start()]));
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
        out.push(input.as_sub_str(&text.as_bytes()[last..]));
    }
    Ok(out.into_iter().collect())
}

/// The match, and after it its groups: one that took no part in it has no text.
fn groups(input: &Val, text: &str, captures: &Captures<'_>, names: &[Option<&str>], place: &mut Place) -> Val {
    let groups = captures.iter().zip(names).enumerate();
    groups
        .map(|(number, (group, name))| group_object(input, text, group, (number > 0).then_some(*name), place))
        .collect()
}

fn group_object(
    input: &Val,
    text: &str,
    group: Option<Match<'_>>,
    name: Option<Option<&str>>,
    place: &mut Place,
) -> Val {
    let mut object = Map::with_capacity_and_hasher(4, Default::default());
    let offset = group.map_or(Val::from(-1_isize), |group| Val::from(place.characters(text, group.start())));
    object.insert(Val::utf8_str("offset"), offset);
    let length = group.map_or(0, |group| group.as_str().chars().count());
    object.insert(Val::utf8_str("length"), Val::from(length));
    let string = group.map_or(Val::Null, |group| input.as_sub_str(group.as_str().as_bytes()));
    object.insert(Val::utf8_str("string"), string);
    if let Some(name) = name {
        object.insert(Val::utf8_str("name"), name.map_or(Val::Null, |name| Val::from(name.to_owned())));
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
    /// How many characters are before a byte.
    fn characters(&mut self, text: &str, byte: usize) -> usize {
        if byte < self.byte {
            *self = Place::default();
        }
        self.character += text[self.byte..byte].chars().count();
        self.byte = byte;
        self.character
    }
}

/// Looks at the patterns and flags that a filter has as constants, or that are values of arguments.
///
/// # Errors
/// What is wrong with the first that is wrong, and where it stands.
pub fn check<'t>(term: &Term<&'t str>, value: impl Fn(&str) -> Option<String>) -> Result<(), (String, &'t str)> {
    let constant = |term: &Term<&'t str>| match term {
        Term::Var(name) => value(name).map(|text| (text, Some(*name))),
        Term::Str(None, parts) => constant_text(term).map(|text| (text, start_of(parts))),
        _ => None,
    };
    let mut own = Vec::new();
    rewrite::any(term, &mut |term| {
        if let Term::Def(defs, _) = term {
            own.extend(defs.iter().map(|def| (def.name, def.args.len())));
        }
        false
    });
    let mut failed = None;
    rewrite::any(term, &mut |term| {
        let Term::Call(name, arguments) = term else { return false };
        let known = WITH_PATTERN.iter().find(|(other, count, _)| other == name && *count == arguments.len());
        let Some((_, _, flags_at)) = known.filter(|_| !own.contains(&(*name, arguments.len()))) else { return false };
        let (text, at) = flags_at.and_then(|at| constant(&arguments[at])).unwrap_or_default();
        failed = match flags(&text) {
            Err(why) => Some((why, at.unwrap_or(*name))),
            Ok(flags) => constant(&arguments[0])
                .and_then(|(text, at)| Some((compiled(&text, flags).err()?, at.unwrap_or(*name)))),
        };
        failed.is_some()
    });
    failed.map_or(Ok(()), Err)
}

/// Where the text of a string begins in the filter; nowhere if it is all escapes.
fn start_of<'t>(parts: &[StrPart<&'t str, Term<&'t str>>]) -> Option<&'t str> {
    parts.iter().find_map(|part| match part {
        StrPart::Str(part) => Some(*part),
        StrPart::Char(_) | StrPart::Term(_) => None,
    })
}
