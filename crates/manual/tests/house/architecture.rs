//! `docs/architecture.md` says what the code is: which crate depends on which, what the traits of operators require.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use manual::{for_all, root, tools};

type Names = BTreeSet<String>;

/// A tool that is others under another name: it has their flags and their words from them.
const STANDS_IN_FOR: [(&str, [&str; 3]); 1] = [("pipetest", ["kafka-cat-in", "kafka-cat-out", "crash-test"])];

#[test]
fn the_table_of_crates_is_that_of_the_manifests() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let rows: BTreeMap<String, Names> = rows(&page, "| crate |")
        .into_iter()
        .map(|cells| (quoted(&cells[0]).swap_remove(0), names(&cells[2])))
        .collect();
    let tools: Names = tools().iter().map(|tool| tool.get_name().to_owned()).collect();
    for_all(dependencies(), |(name, depends_on)| {
        let is_described_in_words = ["simulation", "manual", "pipelines", "thin"].contains(&name.as_str());
        let stands_in =
            |other: &str| STANDS_IN_FOR.iter().any(|(tool, others)| *tool == name && others.contains(&other));
        let other_tool = depends_on.iter().find(|other| tools.contains(*other) && !stands_in(other));
        match (rows.get(&name), other_tool) {
            (_, Some(other)) if tools.contains(&name) => Err(format!("{name} depends on the tool {other}")),
            (Some(_), _) if is_described_in_words => Ok(()),
            (Some(row), _) if *row == depends_on => Ok(()),
            (Some(row), _) => Err(format!("architecture.md: {name}: the page says {row:?}, Cargo {depends_on:?}")),
            (None, _) if tools.contains(&name) => Ok(()),
            (None, _) => Err(format!("architecture.md: no row for {name}")),
        }
    });
    let known: Names = dependencies().into_keys().collect();
    for_all(rows.into_keys().filter(|name| name != "main.rs"), |name| {
        if known.contains(&name) { Ok(()) } else { Err(format!("architecture.md: there is no crate {name}")) }
    });
}

#[test]
fn the_tables_of_traits_are_those_of_the_code() {
    let page = fs::read_to_string(root().join("docs/architecture.md")).unwrap();
    let code: String = ["stage.rs", "source.rs", "sink.rs", "fan/merging.rs", "fan/fan_out.rs"]
        .map(|file| fs::read_to_string(root().join("crates/protocol/src").join(file)).unwrap())
        .concat();
    let rows = rows(&page, "| trait |");
    assert_eq!(rows.len(), 9, "nine traits");
    for_all(rows, |cells| {
        let name = quoted(&cells[0]).swap_remove(0);
        let required = required_methods(&code, &name);
        let told = names(&cells[2]);
        if told == required { Ok(()) } else { Err(format!("{name}: the page says {told:?}, the code {required:?}")) }
    });
}

/// The cells of all rows under a heading row that begins so.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut is_inside = false;
    for line in page.lines() {
        is_inside = line.starts_with(heading) || (is_inside && line.starts_with('|'));
        if is_inside && !line.starts_with(heading) && !line.starts_with("| ---") && !line.starts_with("|---") {
            rows.push(line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect());
        }
    }
    rows.retain(|cells: &Vec<String>| !quoted(&cells[0]).is_empty());
    rows
}

fn names(cell: &str) -> Names {
    quoted(cell).into_iter().collect()
}

/// What stands between back quotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The dependencies of each package on others of the workspace, those of its tests left out.
fn dependencies() -> BTreeMap<String, Names> {
    let told = Command::new(env!("CARGO"))
        .current_dir(root())
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let of_package = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().unwrap();
        let ours = all.iter().filter(|dependency| dependency["path"].is_string() && dependency["kind"].is_null());
        (text(&package["name"]), ours.map(|dependency| text(&dependency["name"])).collect())
    };
    metadata["packages"].as_array().unwrap().iter().map(of_package).collect()
}

/// The methods of a trait that have no default.
fn required_methods(code: &str, name: &str) -> Names {
    let start = code.lines().position(|line| line.starts_with(&format!("pub trait {name}"))).expect(name);
    let body: Vec<&str> = code.lines().skip(start + 1).take_while(|line| *line != "}").collect();
    let text = body.join("\n");
    let signatures = text.split("    fn ").skip(1);
    let required = signatures.filter(|rest| rest.find(';') < rest.find('{').or(Some(usize::MAX)) && rest.contains(';'));
    required.map(|rest| rest.split(['(', '<']).next().unwrap().to_owned()).collect()
}
