//! The structure of the code, counted: narrow traits, no circles of modules, objects in one place, short files and functions.
//!
//! Test code is left out. Each figure is a limit that only goes down.

use std::collections::{BTreeMap, BTreeSet};

use manual::for_all;

use crate::functions::{Function, functions};
use crate::modules::circles;
use crate::source::{Source, crates};

const LINES_OF_A_FUNCTION: usize = 70;
const LINES_OF_HALF_OF_ALL_FUNCTIONS: usize = 6;
const METHODS_OF_STAGE: usize = 12;
const FILES_OF_A_TYPE: usize = 2;
const LINES_OF_GLUE: usize = 60;

#[test]
fn functions_are_short() {
    let all: Vec<(String, Function)> = all_sources()
        .into_iter()
        .flat_map(|source| functions(&source.text).into_iter().map(move |function| (source.path.clone(), function)))
        .collect();
    let mut lengths: Vec<usize> = all.iter().map(|(_, function)| function.lines).collect();
    lengths.sort_unstable();
    let median = lengths[lengths.len() / 2];
    assert!(lengths.len() > 4000, "{} functions", lengths.len());
    assert!(median <= LINES_OF_HALF_OF_ALL_FUNCTIONS, "the median function has {median} lines");
    for_all(all, |(path, function)| {
        if function.lines <= LINES_OF_A_FUNCTION {
            return Ok(());
        }
        Err(format!("{path}: {} has {} lines", function.name, function.lines))
    });
}

#[test]
fn an_operator_is_a_narrow_trait() {
    let stage = crates()["protocol"].iter().find(|source| source.module == ["stage"]).unwrap().text.clone();
    let body = stage.split("pub trait Stage {").nth(1).unwrap().split("\n}\n").next().unwrap();
    let methods = body.matches("\n    fn ").count();
    assert!(methods > 2 && methods <= METHODS_OF_STAGE, "Stage has {methods} methods");
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    for_all(crates(), |(name, sources)| match circles(&sources).as_slice() {
        [] => Ok(()),
        circles => Err(format!("{name}: {}", circles.join("\n"))),
    });
}

/// A type that is cut over many files has short files, and is long all the same.
#[test]
fn the_methods_of_a_type_are_in_one_place() {
    for_all(crates(), |(name, sources)| {
        let mut files: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for source in &sources {
            for of_type in source.text.lines().filter_map(inherent) {
                files.entry(of_type).or_default().insert(&source.path);
            }
        }
        match files.iter().find(|(_, files)| files.len() > FILES_OF_A_TYPE) {
            Some((of_type, files)) => Err(format!("{name}: methods of {of_type} in {files:?}")),
            None => Ok(()),
        }
    });
}

/// The type of a line `impl Type {`.
fn inherent(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    let rest = if rest.starts_with('<') { after_generics(rest)? } else { rest };
    let name = rest.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (!rest.contains(" for ") && !name.is_empty()).then_some(name)
}

/// Returns the text after `<…>`, with brackets inside it counted.
fn after_generics(text: &str) -> Option<&str> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '<') - i32::from(c == '>' && !text[..at].ends_with('-'));
        if depth == 0 {
            return Some(&text[at + 1..]);
        }
    }
    None
}

/// The lines of a keyed tool that are not its work: where its state goes, which flags it depends on, what it passes on.
#[test]
fn a_keyed_tool_has_little_glue() {
    for_all(["dedup", "top-n"], |tool| {
        let crates = crates();
        let of_module = |module: &str| crates[tool].iter().find(|source| source.module.join("::") == module).unwrap();
        let is_work = |function: &Function| ["line", "mark", "end"].contains(&function.name.as_str());
        let is_glue = |function: &Function| match function.of.split(" for ").next().unwrap() {
            "Stateful" => true,
            "Stage" => !is_work(function),
            _ => false,
        };
        let says = |function: &Function| ["config", "flags"].contains(&function.name.as_str());
        let lines = |module: &str, counts: &dyn Fn(&Function) -> bool| -> usize {
            let all = functions(&of_module(module).text);
            all.iter().filter(|function| counts(function)).map(|function| function.lines).sum()
        };
        let glue = lines("", &is_glue) + lines("cli", &says);
        assert!(glue > 10, "{tool}: the glue is not found: {glue}");
        if glue > LINES_OF_GLUE { Err(format!("{tool}: {glue} lines of glue")) } else { Ok(()) }
    });
}

fn all_sources() -> Vec<Source> {
    crates().into_values().flatten().collect()
}
