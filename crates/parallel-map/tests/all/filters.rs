//! FILTER, from the command line, and against the real jq.

use std::path::Path;
use std::process::Command;

use testkit::{Ran, bash, run, run_bytes};

const BIN: &str = env!("CARGO_BIN_EXE_parallel-map");

fn generated(lines: usize) -> String {
    bash(&["generate"], &format!("generate --lines {lines} --out-of-order 2s")).ok()
}

fn jq(filter: &str, input: &str) -> Ran {
    let ran = run("jq", &["-c", filter], input);
    assert!(Command::new("jq").arg("--version").output().is_ok(), "this test needs jq");
    ran
}

/// Filters on which the dialects agree, on lines like those of `generate`.
const FILTERS: &[&str] = &[
    ".",
    ".key",
    ".value * 2",
    "{key, path}",
    "{key, v: (.value * 100 | floor), ok: (.status == 200)}",
    "select(.status >= 400)",
    "select(.path | startswith(\"/api/v1/users\")) | .key",
    "del(.host, .path)",
    ". + {seen: true}",
    "to_entries | map(.key)",
    "with_entries(select(.key != \"host\"))",
    "[.timestamp, .key] | join(\" \")",
    ".path | split(\"/\")[3:]",
    ".key |= ltrimstr(\"user-\") | .key |= tonumber",
    ".value |= (. + 1 | floor)",
    "if .status == 500 then \"bad\" elif .status == 404 then \"gone\" else empty end",
    ".status, .key",
    "[paths]",
    "keys",
    "length",
    ".key | @json",
    "[.path | test(\"cart\"), test(\"list/[0-4]$\")]",
    ".host | sub(\"web-(?<n>[0-9]+).*\"; \"\\(.n)\")",
    "[limit(3; range(10))]",
    "reduce range(5) as $i (0; . + $i)",
    ".timestamp[:19] | . + \"Z\" | fromdateiso8601",
    "[.. | numbers]",
    ".missing // \"none\"",
    "try error(\"x\") catch .",
    "def f(n): if n == 0 then 0 else n + f(n - 1) end; f(10)",
    "[.status, 301, 200] | sort | unique | map(. + 1) | add",
    "ascii_downcase? // (.key | ascii_upcase)",
    "{(.key): .status}",
    "\"\\(.key) \\(.status)\"",
    "[.path | scan(\"[a-z]+\")]",
    "group_by(1)? // [.key]",
    "{a: [1, 2, {b: null}], \"c d\": .status} | .a[2].b, .[\"c d\"], .a[-1:], (.a | index(2))",
];

#[test]
fn filters_give_what_jq_gives_with_any_number_of_jobs() {
    let input = generated(300);
    for filter in FILTERS {
        let expected = jq(filter, &input).ok();
        for jobs in ["1", "2", "4"] {
            for batch in ["64KiB", "1kB"] {
                let seen = run(BIN, &["-j", jobs, "--batch", batch, filter], &input).ok();
                // jq 1.6 writes 15.00 as 15: compare as values where numbers pass through.
                let first = (seen.lines().next(), expected.lines().next());
                assert!(values(&seen) == values(&expected), "{filter} with -j {jobs}: {first:?}");
            }
        }
    }
}

fn values(text: &str) -> Vec<serde_json::Value> {
    let value = |line| serde_json::from_str::<serde_json::Value>(line).unwrap();
    text.lines().map(value).map(|value| numbers_as_floats(&value)).collect()
}

fn numbers_as_floats(value: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Number(n) => Value::from(n.as_f64().unwrap()),
        Value::Array(items) => items.iter().map(numbers_as_floats).collect(),
        Value::Object(members) => members.iter().map(|(k, v)| (k.clone(), numbers_as_floats(v))).collect(),
        other => other.clone(),
    }
}

#[test]
fn the_same_lines_go_through_with_any_number_of_jobs() {
    let input = generated(20_000);
    let one = run(BIN, &["-j", "1", "{key, v: (.value + 1)}"], &input).ok();
    assert_eq!(one.lines().count(), 20_000);
    for args in [["-j", "2", "--batch", "64KiB"], ["-j", "7", "--batch", "1B"], ["-j", "3", "--chunk", "999B"]] {
        let args = [&args[..], &["{key, v: (.value + 1)}"]].concat();
        assert!(run(BIN, &args, &input).ok() == one, "{args:?}");
    }
    let unordered = run(BIN, &["-j", "4", "--unordered", "--batch", "1kB", "{key, v: (.value + 1)}"], &input).ok();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert!(sorted(&unordered) == sorted(&one));
}

#[test]
fn a_bad_line_is_named_and_the_lines_before_it_come_out() {
    for jobs in ["1", "2", "4"] {
        let ran =
            run(BIN, &["-j", jobs, "--batch", "1B", ".a + 1"], "{\"a\":1}\n\n{\"a\":2}\n{\"a\":\"x\"}\n{\"a\":3}\n");
        ran.fails_with(1, "parallel-map: line 4, byte 17: cannot calculate \"x\" + 1\nparallel-map: hint: --on-error");
        assert_eq!(ran.stdout, "2\n3\n");
        let ran = run(BIN, &["-j", jobs, "-v", "--on-error", "reject", ".a + 1"], "{\"a\":\"x\"}\n{\"a\":3}\n");
        assert!(ran.stderr.contains(
            r#"{"by":"parallel-map","why":"cannot calculate \"x\" + 1","at":"line 1","line":"{\"a\":\"x\"}"}"#
        ));
        assert!(ran.stderr.contains("in 2 = out 1 + late 0 + rejected 1 + held 0"), "{}", ran.stderr);
        assert_eq!(ran.ok(), "4\n");
    }
}

#[test]
fn a_filter_comes_from_a_file_and_arguments_from_flags() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("f.jq");
    std::fs::write(&file, "# adds\n.a + $x[0],\n\"\\(.a)\\($y)\"\n").unwrap();
    let args = ["-f", file.to_str().unwrap(), "--argjson", "x", "[7]", "--arg", "y", "é\""];
    assert_eq!(run(BIN, &args, "{\"a\":1}").ok(), "8\n\"1é\\\"\"\n");
    let missing = run(BIN, &["-f", "/nowhere/f.jq"], "");
    missing.fails_with(1, "parallel-map: /nowhere/f.jq: No such file or directory");
}

#[test]
fn usage_errors_exit_with_2_and_show_the_place() {
    run(BIN, &[], "").fails_with(2, "parallel-map: no FILTER and no -- CMD\nparallel-map: hint: say");
    run(BIN, &[".a |"], "").fails_with(2, "parallel-map: the filter, line 1, column 5: expected term");
    run(BIN, &[".a", "--", "cat"], "").fails_with(2, "cannot be used with");
    run(BIN, &["--retries", "2", "."], "").fails_with(2, "--retries is for a program behind --, not for a FILTER");
    run(BIN, &["--arg", "x", "1", "--", "cat"], "").fails_with(2, "cannot be used with");
    run(BIN, &["--argjson", "x", "{", "."], "").fails_with(2, "--argjson x: \"{\" is not JSON");
    run(BIN, &["-j", "0", "."], "").fails_with(2, "0 is not in 1..=1024");
    run(BIN, &["--batch", "64", "."], "").fails_with(2, "size \"64\" has no unit");
}

#[test]
fn halt_ends_the_run_behind_the_lines_before() {
    let ran = run(BIN, &["-j", "2", "if . == 3 then halt else . end"], "1\n2\n3\n4\n");
    ran.fails_with(1, "parallel-map: the filter halted with status 0");
    assert_eq!(ran.stdout, "1\n2\n");
}

#[test]
fn deep_recursion_has_the_same_room_with_any_number_of_jobs() {
    for jobs in ["1", "2"] {
        let code = "def f: if . == 0 then 0 else (. - 1 | f) + 1 end; f";
        assert_eq!(run(BIN, &["-j", jobs, code], "20000\n").ok(), "20000\n");
    }
}

#[test]
fn a_trickle_passes_at_once() {
    // Each line is written when the result of the one before has come.
    let script = "coproc parallel-map -j 2 '. * 10'; for i in 1 2 3; do \
                  echo $i >&${COPROC[1]}; read -t 20 -r line <&${COPROC[0]} && echo $line; done";
    assert_eq!(bash(&["parallel-map"], script).ok(), "10\n20\n30\n");
}

#[test]
fn invalid_utf8_does_not_reach_the_filter() {
    let ran = run_bytes(Path::new(BIN), &["-j", "2", "--on-error", "skip", "-v", "."], b"\"\xff\"\n1\n");
    assert!(ran.stderr.contains("rejected 1"));
    assert_eq!(ran.ok(), "1\n");
}

#[test]
fn with_where_other_lines_pass_as_they_came() {
    let input = "{\"kind\":\"a\",\"n\":1}\n{ \"kind\":\"b\", \"n\":1.0 }\n{\"kind\":\"a\",\"n\":2}\n7\n";
    for jobs in ["1", "2"] {
        let args = ["-v", "-j", jobs, "--where", ".kind? == \"a\"", ".n, .n + 1"];
        let ran = run(BIN, &args, input);
        assert!(ran.stderr.contains("in 4 = out 4 + late 0 + rejected 0 + held 0; wrote 6 lines"), "{}", ran.stderr);
        assert_eq!(ran.ok(), "1\n2\n{ \"kind\":\"b\", \"n\":1.0 }\n2\n3\n7\n");
        let ran = run(BIN, &["-j", jobs, "--where", ".kind == \"a\"", "."], input);
        ran.fails_with(1, "parallel-map: line 4, byte 62: cannot index 7 with \"kind\"");
    }
    run(BIN, &["--where", ".", "--", "cat"], "")
        .fails_with(2, "parallel-map: --where is for a FILTER: CMD gets all lines\n");
}
