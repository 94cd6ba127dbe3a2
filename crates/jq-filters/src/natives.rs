//! Functions of jq's library that jaq defines in jq, or works out anew on every call, once more in Rust: they give the
//! same and are several times as fast.

use jaq_core::box_iter::box_once;
use jaq_core::load::parse::Def;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::ops::{Cmp, Math};
use jaq_core::{Bind, Cv, Error, Exn, Native, RunPtr, ValR, ValT, ValX, ValXs};
use jaq_json::{Map, Val};
use jaq_std::ValT as _;

use crate::data::Data;
use crate::delete::delpaths;
use crate::{base32, function_names, limits, products, read, regexes, times, updates};

/// What stays in jq of a function for which there is a fast way, and functions that mean something else in jaq.
const DEFINITIONS: &str = include_str!("definitions.jq");

/// Functions of jq that jaq does not have.
const ADDITIONS: &str = include_str!("additions.jq");

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
    // Those of `additions` come after all of the library.
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
    let all: [Filter<RunPtr<Data>>; 31] = [
        ("has", v(1), |cv| unary(cv, has)),
        ("null", v(0), |_| bome(Ok(Val::Null))),
        ("true", v(0), |_| bome(Ok(Val::Bool(true)))),
        ("false", v(0), |_| bome(Ok(Val::Bool(false)))),
        ("not", v(0), |cv| bome(Ok(Val::Bool(!cv.1.as_bool())))),
        ("isboolean", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Bool(_)))))),
        ("isnumber", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Num(_)))))),
        ("isstring", v(0), |cv| bome(Ok(Val::Bool(is_string(&cv.1))))),
        ("isarray", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Arr(_)))))),
        ("isobject", v(0), |cv| bome(Ok(Val::Bool(matches!(cv.1, Val::Obj(_)))))),
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
        ("sub", [Bind::Var(()), Bind::Fun(()), Bind::Var(())].into(), |cv| match replaced(cv) {
            Ok(texts) => Box::new(texts.into_iter().map(|text| Ok(Val::utf8_str(text)))),
            Err(error) => box_once(Err(error)),
        }),
        ("range", v(3), |mut cv| {
            let (by, to, from) = (cv.0.pop_var(), cv.0.pop_var(), cv.0.pop_var());
            numbers(from, to, by)
        }),
        ("fromjson", v(0), |cv| read::parsed(&cv.1)),
        ("strptime", v(1), |cv| unary(cv, |text, format| times::strptime(&text, &format))),
        ("todateiso8601", v(0), |cv| bome(times::todate(&cv.1))),
        ("time_ms", v(0), |cv| bome(times::time_ms(&cv.1))),
        (function_names::PRODUCT, v(2), |cv| bome(products::product(cv))),
        (function_names::SUM, v(2), |cv| bome(products::sum(cv))),
        ("add", v(0), |cv| bome(products::add(cv.1))),
    ];
    let mut all: Vec<Fun<Data>> = all.into_iter().map(run::<Data>).collect();
    all.extend(of_paths());
    all.extend(updates::functions());
    all.extend(comparisons());
    all.extend(texts());
    all
}

/// Functions that let paths through.
fn of_paths() -> Vec<Fun<Data>> {
    let mut all: Vec<Fun<Data>> = Vec::new();
    let empty = Native::new(|_| Box::new(std::iter::empty()));
    let empty = empty.with_paths(|_| Box::new(std::iter::empty()));
    all.push(("empty", v(0), empty));
    all.push((
        function_names::STEP,
        v(0),
        Native::new(|cv| box_once(limits::step(cv))).with_paths(|cv| {
            let (value, path) = cv.1;
            box_once(limits::step((cv.0, value)).map(|value| (value, path)))
        }),
    ));
    all.push((
        function_names::ROUND,
        v(0),
        Native::new(|cv| box_once(limits::round(cv))).with_paths(|cv| {
            let (value, path) = cv.1;
            box_once(limits::round((cv.0, value)).map(|value| (value, path)))
        }),
    ));
    all
}

/// Functions that make texts.
fn texts() -> impl Iterator<Item = Fun<Data>> {
    let all: [Filter<RunPtr<Data>>; 5] = [
        ("tostring", v(0), |cv| box_once(text_of(cv.1))),
        (function_names::TEXT, v(0), |cv| box_once(text_of(cv.1))),
        ("tojson", v(0), |cv| box_once(json_of(cv.1))),
        ("encode_base32", v(0), |cv| bome(base32::encoded(&cv.1))),
        ("decode_base32", v(0), |cv| bome(base32::decoded(&cv.1))),
    ];
    all.into_iter().map(run::<Data>)
}

/// `==` and its like in a filter that may make values too large to be compared.
fn comparisons() -> impl Iterator<Item = Fun<Data>> {
    let all: [Filter<RunPtr<Data>>; 6] = [
        (function_names::of_comparison(Cmp::Lt), v(2), |cv| box_once(compare(cv, Cmp::Lt))),
        (function_names::of_comparison(Cmp::Le), v(2), |cv| box_once(compare(cv, Cmp::Le))),
        (function_names::of_comparison(Cmp::Gt), v(2), |cv| box_once(compare(cv, Cmp::Gt))),
        (function_names::of_comparison(Cmp::Ge), v(2), |cv| box_once(compare(cv, Cmp::Ge))),
        (function_names::of_comparison(Cmp::Eq), v(2), |cv| box_once(compare(cv, Cmp::Eq))),
        (function_names::of_comparison(Cmp::Ne), v(2), |cv| box_once(compare(cv, Cmp::Ne))),
    ];
    all.into_iter().map(run::<Data>)
}

fn compare(mut cv: Cv<'_, Data>, cmp: Cmp) -> ValX<'_, Val> {
    let (right, left) = (cv.0.pop_var(), cv.0.pop_var());
    limits::compared(&left, &right)?;
    Ok(Val::Bool(cmp.run(&left, &right)))
}

fn text_of<'a>(value: Val) -> ValX<'a, Val> {
    if let Val::Arr(_) | Val::Obj(_) = value {
        limits::looked_through(&value)?;
    }
    Ok(value.into_string())
}

fn json_of<'a>(value: Val) -> ValX<'a, Val> {
    limits::looked_through(&value)?;
    match value {
        // In quotes.
        text @ (Val::TStr(_) | Val::BStr(_)) => {
            let json = std::iter::once(text).collect::<Val>().into_string();
            let json = json.try_as_bytes()?;
            Ok(Val::utf8_str(json[1..json.len() - 1].to_vec()))
        }
        value => Ok(value.into_string()),
    }
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

/// jq takes a key by several names, and a value by two.
fn from_entries(entries: Val) -> ValR<Val> {
    let (keys, values) = (["key", "k", "name", "Name", "K", "Key"], ["value", "v", "Value", "V"]);
    let (keys, values) = (keys.map(Val::utf8_str), values.map(Val::utf8_str));
    let mut members = Map::default();
    for entry in entries.values() {
        let entry = entry?;
        let mut key = Val::Null;
        for name in &keys {
            key = entry.clone().index(name)?;
            if key.as_bool() {
                break;
            }
        }
        let Val::Obj(entry) = &entry else { continue };
        let value = values.iter().find_map(|name| entry.get(name)).cloned().unwrap_or_default();
        let key = if is_string(&key) { key } else { key.into_string() };
        members.insert(key, value);
    }
    Ok(Val::obj(members))
}

/// `range`, each number of which is a step.
fn numbers<'a>(from: Val, to: Val, by: Val) -> ValXs<'a, Val> {
    let up = match by.cmp(&Val::from(0_usize)) {
        std::cmp::Ordering::Equal => return Box::new(std::iter::empty()),
        order => order.is_gt(),
    };
    let mut next = Some(from);
    Box::new(std::iter::from_fn(move || {
        let number = next.take().filter(|number| if up { *number < to } else { *number > to })?;
        if let Err(limit) = limits::number() {
            return Some(Err(limit));
        }
        match number.clone() + by.clone() {
            Ok(sum) => next = Some(sum),
            Err(error) => return Some(Err(error.into())),
        }
        Some(Ok(number))
    }))
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

/// As jq has it, null is no text between two separators.
fn joined(array: Val, by: Val) -> ValR<Val> {
    let mut text = Vec::new();
    for (index, item) in array.values().enumerate() {
        if index > 0 {
            text.extend_from_slice(by.try_as_bytes()?);
        }
        match item? {
            Val::Null => (),
            item @ (Val::Arr(_) | Val::Obj(_)) => return Err(Error::math(Val::utf8_str(text), Math::Add, item)),
            item => text.extend_from_slice(item.into_string().try_as_bytes()?),
        }
    }
    Ok(Val::utf8_str(text))
}

/// Whether an object has such a member, or an array such an element: none is at a negative index.
fn has(value: Val, key: Val) -> ValR<Val> {
    let found = match (&value, &key) {
        (Val::Null, _) => false,
        (Val::Obj(members), Val::TStr(_)) => members.contains_key(&key),
        (Val::Arr(items), Val::Num(_)) => key.as_f64().is_some_and(|at| at > -1.0 && at < items.len() as f64),
        _ => return Err(Error::str(format_args!("cannot check whether {value} has a member {key}"))),
    };
    Ok(Val::Bool(found))
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
    regexes::apply(&cv.1, &regexes::Asked::new(&pattern, &flags)?, mismatches, matches)
}

/// `sub`: the input with matches replaced by what the filter gives of their named groups; as many texts as it gives results.
fn replaced(mut cv: Cv<'_, Data>) -> ValX<'_, Vec<Vec<u8>>, Val> {
    let flags = cv.0.pop_var();
    let (by, context) = cv.0.pop_fun();
    let pattern = cv.0.pop_var();
    let parts = regexes::apply(&cv.1, &regexes::Asked::new(&pattern, &flags)?, true, true)?;
    let mut texts: Vec<Vec<u8>> = Vec::new();
    let (mut between, mut any) = (Vec::new(), false);
    for part in parts.values() {
        let part = part?;
        if let Some(text) = part.as_bytes() {
            between = text.to_vec();
            continue;
        }
        any = true;
        let new = by.run((context.clone(), captured(part)?)).collect::<Result<Vec<Val>, _>>()?;
        for (number, new) in new.into_iter().enumerate() {
            if number == texts.len() {
                texts.push(Vec::new());
            }
            let text =
                new.as_bytes().ok_or_else(|| Error::math(Val::utf8_str(between.clone()), Math::Add, new.clone()))?;
            texts[number].extend_from_slice(&between);
            texts[number].extend_from_slice(text);
        }
    }
    if !any || texts.is_empty() {
        return Ok(vec![cv.1.try_as_bytes()?.to_vec()]);
    }
    texts.iter_mut().for_each(|text| text.extend_from_slice(&between));
    Ok(texts)
}
