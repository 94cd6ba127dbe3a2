//! Filters against jq: a list with what jq 1.8 gives, the page of differences that is made of it, and the jq of this machine.
//!
//! `MANUAL=write cargo test --release -p jq-filters against_jq` writes docs/jq.md anew.

use std::fmt::Write as _;
use std::process::Command;

use jq_filters::{Arguments, Program};
use serde_json::Value;

const LIST: &str = include_str!("jq/programs.tsv");
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/jq.md");
const ABOUT: &str = include_str!("jq/about.md");

/// One line of the list.
struct Row {
    section: &'static str,
    filter: &'static str,
    input: &'static str,
    jq: &'static str,
    /// jq 1.6 gives something else, or does not have it.
    is_newer: bool,
    /// What it gives here, if that differs, and why.
    here: Option<(&'static str, &'static str)>,
}

fn rows() -> Vec<Row> {
    let mut section = "";
    let mut rows = Vec::new();
    for line in LIST.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("# ") {
            section = title;
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let [filter, input, jq, newer, here @ ..] = &cells[..] else { panic!("{line}") };
        let here = match here {
            [] => None,
            [here, why] => Some((*here, *why)),
            _ => panic!("{line}"),
        };
        rows.push(Row { section, filter, input, jq, is_newer: *newer == "1.7", here });
    }
    rows
}

/// The results as JSON texts with a blank between them; `!` where there is an error, and what is wrong where there is no filter.
fn here(filter: &str, input: &str) -> String {
    let program = match Program::new(filter, Arguments::default()) {
        Ok(program) => program,
        Err(wrong) => return format!("no filter: {}", wrong.message.rsplit(": ").next().unwrap()),
    };
    let run = |program: &Program| {
        let mut filter = program.filter(1 << 20);
        let results = filter.run(input.as_bytes()).map_err(|failure| failure.to_string())?;
        Ok::<_, String>(results.iter().map(|result| String::from_utf8_lossy(result).into_owned()).collect::<Vec<_>>())
    };
    // A line on which a filter fails gives nothing: `try` shows what came before.
    run(&program).map_or_else(
        |_| {
            let caught = Program::new(&format!("try ({filter}) catch \"!\""), Arguments::default()).unwrap();
            run(&caught).map_or_else(|why| format!("! {why}"), |results| results.join(" ").replace("\"!\"", "!"))
        },
        |results| results.join(" "),
    )
}

/// Equal as texts, or as JSON values.
fn same(a: &str, b: &str) -> bool {
    let values = |text: &str| {
        let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_str(text).into_iter().collect();
        values.map(|values| values.iter().map(normal).collect::<Vec<_>>())
    };
    a == b || matches!((values(&a.replace('!', "\"!\"")), values(&b.replace('!', "\"!\""))), (Ok(a), Ok(b)) if a == b)
}

/// 1 and 1.0 are one number, and the order of members is none.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().map_or(value.clone(), Value::from),
        Value::Array(items) => items.iter().map(normal).collect(),
        Value::Object(members) => {
            let mut members: Vec<(String, Value)> = members.iter().map(|(k, v)| (k.clone(), normal(v))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(members.into_iter().collect())
        }
        other => other.clone(),
    }
}

#[test]
fn filters_give_what_jq_gives_but_for_what_the_page_says() {
    let mut wrong = String::new();
    for Row { filter, input, jq, here: different, .. } in rows() {
        let got = here(filter, input);
        let expected = different.map_or(jq, |(here, _)| here);
        if !same(&got, expected) {
            let _ = writeln!(wrong, "{filter} on {input}: {got}, expected {expected}");
        }
        if different.is_some() && same(&got, jq) {
            let _ = writeln!(wrong, "{filter} on {input} is as in jq now: it is no difference");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn page() -> String {
    let mut page = ABOUT.to_owned();
    let mut section = "";
    for row in rows() {
        let Some((here, why)) = row.here else { continue };
        if section != row.section {
            section = row.section;
            let _ = write!(page, "\n## {section}\n\n| filter | input | jq 1.8 | here | |\n|---|---|---|---|---|\n");
        }
        let cell =
            |text: &str| if text.is_empty() { "nothing".to_owned() } else { format!("`{}`", text.replace('|', "\\|")) };
        let jq = if row.jq == "!" { "an error".to_owned() } else { cell(row.jq) };
        let here = if here == "!" { "an error".to_owned() } else { cell(here) };
        let _ = writeln!(page, "| {} | {} | {jq} | {here} | {why} |", cell(row.filter), cell(row.input));
    }
    page
}

#[test]
fn the_page_of_differences_is_that_of_the_list() {
    if std::env::var_os("MANUAL").is_some() {
        std::fs::write(PAGE, page()).unwrap();
    }
    assert!(std::fs::read_to_string(PAGE).unwrap_or_default() == page(), "MANUAL=write writes docs/jq.md anew");
}

/// What the jq of this machine gives of many filters, each on its input. One of its functions cannot be of any length.
fn of_jq(filters: &[(String, String)]) -> Vec<String> {
    filters.chunks(100).flat_map(in_one_run).collect()
}

fn in_one_run(filters: &[(String, String)]) -> Vec<String> {
    let each = |(filter, input): &(String, String)| {
        format!(
            "({input} | [(try ({filter}) catch \"!\") | tojson | if . == \"\\\"!\\\"\" then \"!\" else . end] | join(\" \"))"
        )
    };
    let all: Vec<String> = filters.iter().map(each).collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), all.join(",\n")).unwrap();
    let ran = Command::new("jq").args(["-n", "-r", "-f"]).arg(file.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_list_says_what_the_jq_of_this_machine_gives() {
    let old: Vec<Row> = rows().into_iter().filter(|row| !row.is_newer && !row.jq.starts_with("no ")).collect();
    let filters: Vec<_> = old.iter().map(|row| (row.filter.to_owned(), row.input.to_owned())).collect();
    let given = of_jq(&filters);
    assert_eq!(given.len(), old.len());
    let mut wrong = String::new();
    for (row, given) in old.iter().zip(given) {
        if !same(row.jq, &given) {
            let _ = writeln!(wrong, "{} on {}: {given}, the list has {}", row.filter, row.input, row.jq);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_way_of_setting_any_place_of_any_value_gives_what_jq_gives() {
    let places = [
        ".a",
        ".a.b",
        ".a[0]",
        ".[0]",
        ".[1]",
        ".[3]",
        ".[-1]",
        ".[1:2]",
        ".a[1:]",
        ".a[:1]",
        ".[\"k\"]",
        ".[]",
        ".[]?",
        ".a[]?",
        ".a.b?",
        "first",
        "last",
        "(.a, .b)",
        "(.a // .b)",
        "(.a | .c)",
        "getpath([\"a\", 0])",
        "(.[]? | .b?)",
        "(.. | numbers)",
        "(if . == null then .x else .y end)",
        ".a[\"b\", \"c\"]",
        ".[.k? // \"a\"]",
        "(.a as $x | .b)",
        "empty",
    ];
    let changes = ["@ = 1", "@ |= [.]", "@ += 1", "@ //= 2", "@ |= (3, 4)", "path(@)"];
    let inputs = [
        "null",
        "{}",
        "{\"a\":1}",
        "{\"a\":{\"b\":2}}",
        "{\"a\":[1,2],\"b\":null}",
        "[]",
        "[1,[2],3]",
        "\"xyz\"",
        "5",
        "true",
    ];
    let mut filters = Vec::new();
    for place in places {
        for change in changes {
            filters.extend(inputs.map(|input| (change.replace('@', place), input.to_owned())));
        }
    }
    let mut wrong = String::new();
    for ((filter, input), jq) in filters.iter().zip(of_jq(&filters)) {
        let here = here(filter, input);
        if !same(&here, &jq) {
            let _ = writeln!(wrong, "{filter} on {input}: {here}, jq gives {jq}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
