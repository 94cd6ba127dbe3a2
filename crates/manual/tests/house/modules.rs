//! Which modules of a crate use which, and circles among them. A module and its child that use each other are a circle too; the
//! root of the crate is left out, as it names all.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

type Module = Vec<String>;
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

/// The circles, each told as `a, b, c`.
pub fn circles(sources: &[Source]) -> Vec<String> {
    let arrows = arrows(sources);
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        arrows.keys().map(|module| (module, reached_from(module, &arrows))).collect();
    let circle_of = |module| -> BTreeSet<&Module> {
        reached[module].iter().copied().filter(|other| reached[*other].contains(module)).collect()
    };
    let circles: BTreeSet<BTreeSet<&Module>> =
        arrows.keys().map(circle_of).filter(|circle| !circle.is_empty()).collect();
    let told =
        |circle: &BTreeSet<&Module>| circle.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(", ");
    circles.iter().map(told).collect()
}

fn reached_from<'a>(module: &Module, arrows: &'a Arrows) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&Module> = arrows[module].iter().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(&arrows[next]);
        }
    }
    reached
}

fn arrows(sources: &[Source]) -> Arrows {
    let modules: BTreeSet<Module> = sources.iter().map(|source| source.module.clone()).collect();
    let inner = sources.iter().filter(|source| !source.module.is_empty() && source.module != ["main"]);
    inner
        .map(|source| {
            let mut to = used(source, &modules);
            to.remove(&source.module);
            to.retain(|module| !module.is_empty());
            (source.module.clone(), to)
        })
        .collect()
}

/// The modules that are named by `crate::…`, `super::…` or as a child.
fn used(source: &Source, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let code: String = source.text.lines().map(|line| format!("{}\n", line.split("//").next().unwrap())).collect();
    let code = code.replace("self::", "");
    let parent = &source.module[..source.module.len() - 1];
    let from_root = paths(&code, "crate::").map(|path| found(&[], &path, modules));
    let from_parent = paths(&code, "super::").map(|path| found(parent, &path, modules));
    let children = modules.iter().filter(|module| {
        module.len() == source.module.len() + 1
            && module.starts_with(&source.module)
            && paths(&code, &format!("{}::", module.last().unwrap())).next().is_some()
    });
    from_root.chain(from_parent).chain(children.cloned()).collect()
}

/// The paths that follow a start that is no part of a longer word or path; those in brackets one by one.
fn paths<'a>(code: &'a str, start: &'a str) -> impl Iterator<Item = Vec<String>> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let begins = move |at: usize| !code[..at].ends_with(|c: char| is_word(c) || c == ':');
    code.match_indices(start).filter(move |(at, _)| begins(*at)).flat_map(move |(at, _)| {
        let rest = &code[at + start.len()..];
        match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').map(|one| words(one.trim())).collect(),
            None => vec![words(rest)],
        }
    })
}

fn words(path: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = path.find(|c| !is_path(c)).unwrap_or(path.len());
    path[..end].split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The module that a path leads into: the longest one that there is.
fn found(from: &[String], path: &[String], modules: &BTreeSet<Module>) -> Module {
    let whole = [from, path].concat();
    let longest = (from.len()..=whole.len()).rev().map(|length| whole[..length].to_vec());
    longest.into_iter().find(|module| modules.contains(module)).unwrap_or_default()
}

#[test]
fn a_circle_is_found_through_a_parent_and_over_three() {
    let source = |module: &str, text: &str| Source {
        path: module.to_owned(),
        module: module.split("::").filter(|word| !word.is_empty()).map(str::to_owned).collect(),
        text: text.to_owned(),
    };
    let apart =
        [source("", "mod a; mod b;"), source("a", "use crate::b::B;"), source("b", "// crate::a\nuse crate::C;")];
    assert!(circles(&apart).is_empty());
    let three = [
        source("a", "use crate::b::B;"),
        source("b", "use crate::{c::C, D};"),
        source("c", "fn f() { crate::a::f() }"),
    ];
    assert_eq!(circles(&three), ["a, b, c"]);
    let family = [source("a", "mod b;\nuse b::B;"), source("a::b", "use super::A;")];
    assert_eq!(circles(&family), ["a, a::b"]);
}
