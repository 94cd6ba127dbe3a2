//! Functions of jq's library that jaq defines in jq, or works out anew on every call, once more in Rust: they give the
//! same and are several times as fast.

use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Bind, Cv, Error, Exn, Native, RunPtr, ValR, ValT};
use jaq_json::{Map, Val};
use jaq_std::ValT as _;

use crate::delete::delpaths;
use crate::program::Data;
use crate::regexes;

/// What stays in jq of a function for which there is a fast way.
const DEFINITIONS: &str = "def join($s): if joins($s) then joined($s) \
    else .[] |= tostring | .[:-1][] += $s | reduce .[] as $x (\"\"; . + $x) end;
    def del(f): delpaths([path(f)]);";

/// Functions of jq that jaq does not have.
const ADDITIONS: &str = "def IN(s): any(s == .; .); def IN(src; s): any(src == s; .);";

/// Definitions of functions that jaq does not have.
pub fn additions() -> Vec<Def<&'static str>> {
    jaq_core::load::parse(ADDITIONS, |parser| parser.defs()).unwrap_or_default()
}

/// The definitions that are still needed.
pub fn definitions(all: impl Iterator<Item = Def<&'static str>>) -> Vec<Def<&'static str>> {
    let ours = functions();
    let is_ours =
        |def: &Def<&str>| ours.iter().any(|(name, args, _)| *name == def.name && args.len() == def.args.len());
    let mut kept: Vec<_> = all.filter(|def| !is_ours(def)).collect();
    let instead = jaq_core::load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    for def in instead {
        // In its old place, for those behind it that call it.
        if let Some(old) = kept.iter_mut().find(|old| old.name == def.name && old.args.len() == def.args.len()) {
            *old = def;
        }
    }
    kept
}

/// The functions, which are to stand in front of others of the same name.
pub fn functions() -> Vec<Fun<Data>> {
    let regex = || [Bind::Var(()), Bind::Var(())].into();
    let all: [Filter<RunPtr<Data>>; 21] = [
        ("true", v(0), |_| bome(Ok(Val::Bool(true)))),
        ("false", v(0), |_| bome(Ok(Val::Bool(false)))),
        ("not", v(0), |cv| bome(Ok(Val::Bool(!cv.1.as_bool())))),
        ("isboolean", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Bool(_)))))),
        ("isnumber", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Num(_)))))),
        ("isstring", v(0), |cv| bome(Ok(Val::Bool(is_string(&cv.1))))),
        ("isarray", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Arr(_)))))),
        ("isobject", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Obj(_)))))),
        ("tostring", v(0), |cv| bome(Ok(cv.1.into_string()))),
        ("to_entries", v(0), |cv| bome(to_entries(cv.1))),
        ("from_entries", v(0), |cv| bome(from_entries(cv.1))),
        ("delpaths", v(1), |cv| unary(cv, |value, paths| delpaths(value, &paths))),
        ("split", v(1), |cv| unary(cv, split)),
        ("joins", v(1), |cv| unary(cv, |array, by| Ok(Val::Bool(joins(&array, &by))))),
        ("joined", v(1), |cv| unary(cv, joined)),
        ("matches", regex(), |cv| bome(by_regex(cv, false, true))),
        ("split_matches", regex(), |cv| bome(by_regex(cv, true, true))),
        ("split_", regex(), |cv| bome(by_regex(cv, true, false))),
        ("test", regex(), |cv| bome(by_regex(cv, false, true).map(|matches| Val::Bool(!is_empty(&matches))))),
        ("scan_", regex(), |cv| match by_regex(cv, false, true) {
            Ok(Val::Arr(matches)) => {
                Box::new((0..matches.len()).map(move |at| scanned(&matches[at]).map_err(Exn::from)))
            }
            other => bome(other),
        }),
        ("capture_of_match", v(0), |cv| bome(captured(cv.1))),
    ];
    let mut all: Vec<Fun<Data>> = all.into_iter().map(run::<Data>).collect();
    let empty = Native::new(|_| Box::new(std::iter::empty()));
    let empty = empty.with_paths(|_| Box::new(std::iter::empty()));
    // Nothing is at no path: the value stays.
    all.push(("empty", v(0), empty.with_update(|cv, _| Box::new(std::iter::once(Ok::<_, Exn<'_, Val>>(cv.1))))));
    all
}

fn is_string(value: &Val) -> bool {
    matches!(value, Val::TStr(_) | Val::BStr(_))
}

fn to_entries(value: Val) -> ValR<Val> {
    let (key_name, value_name) = (Val::utf8_str("key"), Val::utf8_str("value"));
    value
        .key_values()
        .map(|entry| {
            let (key, value) = entry?;
            Val::from_map([(key_name.clone(), key), (value_name.clone(), value)])
        })
        .collect()
}

fn from_entries(entries: Val) -> ValR<Val> {
    let (key_name, value_name) = (Val::utf8_str("key"), Val::utf8_str("value"));
    let mut members = Map::default();
    for entry in entries.values() {
        let entry = entry?;
        let key = entry.clone().index(&key_name)?;
        members.insert(key, entry.index(&value_name)?);
    }
    Ok(Val::obj(members))
}

fn split(text: Val, by: Val) -> ValR<Val> {
    match is_string(&text) && is_string(&by) {
        true => text / by,
        false => Err(Error::str("split input and separator must be strings")),
    }
}

fn joins(array: &Val, by: &Val) -> bool {
    matches!((array, by), (Val::Arr(_), Val::TStr(_)))
}

fn joined(array: Val, by: Val) -> ValR<Val> {
    let mut text = Vec::new();
    for (index, item) in array.values().enumerate() {
        if index > 0 {
            text.extend_from_slice(by.try_as_bytes()?);
        }
        text.extend_from_slice(item?.into_string().try_as_bytes()?);
    }
    Ok(Val::utf8_str(text))
}

fn is_empty(array: &Val) -> bool {
    matches!(array, Val::Arr(items) if items.is_empty())
}

/// The texts of a match's groups; where there are none, its own.
fn scanned(found: &Val) -> ValR<Val> {
    let string = Val::utf8_str("string");
    let texts = found.clone().values().map(|group| group?.index(&string));
    let mut texts = texts.collect::<Result<Vec<_>, _>>()?;
    Ok(match texts.len() {
        0 | 1 => texts.pop().unwrap_or_default(),
        _ => texts.drain(1..).collect(),
    })
}

/// The texts of a match's named groups, by their names.
fn captured(found: Val) -> ValR<Val> {
    let (name, string) = (Val::utf8_str("name"), Val::utf8_str("string"));
    let mut members = Map::default();
    for group in found.values() {
        let group = group?;
        let key = group.clone().index(&name)?;
        if key.as_bool() {
            members.insert(key, group.index(&string)?);
        }
    }
    Ok(Val::obj(members))
}

fn by_regex(mut cv: Cv<'_, Data>, mismatches: bool, matches: bool) -> ValR<Val> {
    let (flags, pattern) = (cv.0.pop_var(), cv.0.pop_var());
    let text = |value: &Val| -> Result<String, Error<Val>> {
        let bytes = value.try_as_utf8_bytes()?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(Error::str)
    };
    let flags = text(&flags)?;
    regexes::flags(&flags).map_err(|flag| Error::str(format_args!("invalid regex flag: {flag}")))?;
    regexes::apply(&cv.1, &text(&pattern)?, &flags, mismatches, matches)
}
