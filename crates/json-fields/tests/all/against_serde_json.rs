//! The scanner against serde_json, an independent reader, on lines from a seed of which many are broken.
//!
//! `MILLPIPE_FUZZ_LINES` sets how many lines each test takes.

use crate::generator;

use generator::Lines;
use json_fields::{Field, FieldPath, Kind, Scanner, compact, decode_string, validate, without_members, write_string};
use serde_json::Value;

const PATHS: &[&str] =
    &[".a", ".b", "user.id", "a.b", "b[1]", ".b[0].a", "\"odd key\"", ".a", ".é", "[\"\"]", "c.a.b.c"];

fn lines_to_take(default: usize) -> usize {
    std::env::var("MILLPIPE_FUZZ_LINES").map_or(default, |lines| lines.parse().unwrap())
}

/// What serde_json makes of a line; none where its own limits (depth, range of numbers) come first.
fn read(line: &[u8]) -> Option<Result<Value, String>> {
    let value = serde_json::from_slice::<Value>(line).map_err(|error| error.to_string());
    match &value {
        Err(error) if error.contains("number out of range") || error.contains("recursion limit") => None,
        _ => Some(value),
    }
}

/// By the path, else the member that is named like it; a path of one member is that name already.
fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let name = path.strip_prefix('.').unwrap_or(path);
    follow(value, path)
        .or_else(|| value.as_object()?.get(name).filter(|_| name.contains(['.', '[']) && !name.starts_with('[')))
}

fn follow<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let pointer = match path {
        ".a" => "/a",
        ".b" => "/b",
        "user.id" => "/user/id",
        "a.b" => "/a/b",
        "b[1]" => "/b/1",
        ".b[0].a" => "/b/0/a",
        "\"odd key\"" => "/odd key",
        ".é" => "/é",
        "[\"\"]" => "/",
        "c.a.b.c" => "/c/a/b/c",
        _ => panic!("no pointer for {path}"),
    };
    // A pointer takes "0" for a key too; a path takes an index for an array only.
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    let indexed = last.parse::<usize>().is_ok() || pointer.contains("/0/");
    let holder = if pointer.contains("/0/") { value.pointer("/b") } else { value.pointer(parent) };
    match indexed && !holder.is_some_and(Value::is_array) {
        true => None,
        false => value.pointer(pointer),
    }
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(true) => Kind::True,
        Value::Bool(false) => Kind::False,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    }
}

fn assert_same(line: &[u8], path: &str, found: Option<Field>, value: &Value) {
    let shown = String::from_utf8_lossy(line);
    let want = lookup(value, path);
    assert_eq!(found.is_some(), want.is_some(), "{path} in {shown}");
    let (Some(found), Some(want)) = (found, want) else { return };
    assert_eq!(found.kind, kind(want), "{path} in {shown}");
    let text = found.text(line);
    assert_eq!(serde_json::from_slice::<Value>(text).unwrap(), *want, "{path} in {shown}");
    assert_eq!(text.trim_ascii(), text, "{path} in {shown}");
    if let Value::String(want) = want {
        assert_eq!(decode_string(text), *want, "{path} in {shown}");
        assert_eq!(found.escaped, text.contains(&b'\\'), "{path} in {shown}");
    }
}

/// Lines that come in runs of a few templates, some of them broken, so that shapes are learned, hit and missed.
fn for_each_line(seed: u64, count: usize, mut take: impl FnMut(&[u8])) {
    let mut lines = Lines::new(seed);
    let mut templates = Vec::new();
    for number in 0..count {
        if number % 100 == 0 {
            templates = (0..1 + number / 100 % 6).map(|_| lines.template()).collect();
        }
        let mut line = lines.fill(&templates[number % templates.len()]);
        if number % 3 == 0 {
            lines.mutate(&mut line);
        }
        take(&line);
    }
}

#[test]
fn a_line_is_taken_when_serde_json_takes_it_and_has_the_same_values() {
    let paths: Vec<FieldPath> = PATHS.iter().map(|path| path.parse().unwrap()).collect();
    let mut with_shapes = Scanner::new(&paths);
    let mut full = Scanner::new(&paths).without_shapes();
    let (mut taken, mut refused) = (0, 0);
    for_each_line(1, lines_to_take(1_000_000), |line| {
        let shown = String::from_utf8_lossy(line);
        let found = full.scan(line).map(|fields| (fields.as_slice(), fields.object(), fields.is_empty_object()));
        let again = with_shapes.scan(line).map(|fields| (fields.as_slice(), fields.object(), fields.is_empty_object()));
        assert_eq!(found, again, "{shown}");
        let Some(value) = read(line) else { return };
        match (&found, &value) {
            (Ok((fields, object, empty)), Ok(value)) => {
                taken += 1;
                for (path, field) in PATHS.iter().zip(*fields) {
                    assert_same(line, path, *field, value);
                }
                assert_eq!(object.is_some(), value.is_object(), "{shown}");
                assert_eq!(*empty, value.as_object().is_some_and(|object| object.is_empty()), "{shown}");
            }
            (Err(_), Err(_)) => refused += 1,
            (ours, theirs) => panic!("{shown:?} is {ours:?} here and {theirs:?} there"),
        }
    });
    assert!(taken > refused && refused * 8 > taken, "{taken} taken, {refused} refused: no test");
}

#[test]
fn a_compacted_text_is_one_line_of_the_same_value() {
    let mut out = Vec::new();
    for_each_line(2, lines_to_take(200_000), |json| {
        let shown = String::from_utf8_lossy(json);
        out.clear();
        let compacted = compact(json, &mut out);
        assert_eq!(compacted, validate(json), "{shown}");
        if compacted.is_err() {
            assert!(out.is_empty());
            return;
        }
        assert!(!out.contains(&b'\n'), "{shown}");
        let Some(value) = read(json) else { return };
        assert_eq!(read(&out), Some(value), "{shown}");
        let mut twice = Vec::new();
        compact(&out, &mut twice).unwrap();
        assert_eq!(out, twice, "{shown}");
    });
}

#[test]
fn a_line_without_members_has_all_its_other_members() {
    for_each_line(3, lines_to_take(200_000), |line| {
        let shown = String::from_utf8_lossy(line);
        let mut out = Vec::new();
        let dropped = without_members(line, &["a", "user", "é"], &mut out);
        let Some(Ok(mut value)) = read(line) else {
            assert!(!dropped || validate(line).is_ok());
            return;
        };
        let mut had = false;
        if let Some(object) = value.as_object_mut() {
            for name in ["a", "user", "é"] {
                had |= object.shift_remove(name).is_some();
            }
        }
        assert_eq!(dropped, had, "{shown}");
        assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), value, "{shown}");
        if !dropped {
            assert_eq!(out, line);
        }
    });
}

#[test]
fn strings_are_written_as_serde_json_writes_them() {
    for_each_line(4, lines_to_take(100_000), |line| {
        let text = String::from_utf8_lossy(line);
        let mut out = Vec::new();
        write_string(&text, &mut out);
        assert_eq!(String::from_utf8(out.clone()).unwrap(), serde_json::to_string(&text).unwrap());
        assert_eq!(decode_string(&out), text);
    });
}
