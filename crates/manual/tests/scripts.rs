//! The scripts do what their first lines say. Their everyday use is in README and docs, which are run too.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use manual::shell::{Folder, Ran};

fn run(script: &str) -> Ran {
    Folder::new(None).run(script)
}

#[test]
fn the_demo_runs_through_a_broker_of_its_own_and_stops_it() {
    let ran = run("MILLPIPE_DEMO_LINES=20000 scripts/demo --kafka");
    assert!(ran.is_good(), "{}", ran.shown);
    assert!(ran.shown.contains("1000 results from 20000 lines"), "{}", ran.shown);
    assert!(ran.shown.contains("\nwindow_start          window_end            key "), "{}", ran.shown);
    let pid = ran.shown.split(" pid ").nth(1).unwrap().split_whitespace().next().unwrap();
    // A process that has ended and that nobody has waited for yet has an empty command line.
    let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert_eq!(command, "", "the broker is gone");
}

#[test]
fn the_demo_of_analytics_finds_anomalies_and_forecasts() {
    let ran = run("MILLPIPE_DEMO_LINES=60480 scripts/demo --analytics");
    assert!(ran.is_good(), "{}", ran.shown);
    assert!(ran.shown.contains("\nkind "), "{}", ran.shown);
    assert!(ran.shown.contains(" and 72 forecasts from 60480 lines"), "{}", ran.shown);
}

#[test]
fn the_live_demo_says_where_its_page_is_and_what_its_stages_do() {
    let ran = run("MILLPIPE_DEMO_SECONDS=3 scripts/demo --live");
    assert!(ran.is_good(), "{}", ran.shown);
    assert!(ran.shown.contains("the page is at http://127.0.0.1:"), "{}", ran.shown);
    assert!(ran.shown.contains("pipes: 1 pipeline, 5 stages"), "{}", ran.shown);
    assert!(ran.shown.contains(" results. Next: "), "{}", ran.shown);
}

/// The pictures of docs/analytics.md and of the guide are what the tools give.
#[test]
fn pictures_are_as_they_would_be_drawn() {
    for script in ["scripts/plots", "scripts/window-pictures"] {
        let ran = run(&format!("{script} --check"));
        assert!(ran.is_good(), "{}", ran.shown);
        let wrong = run(&format!("{script} --frobnicate"));
        assert_eq!(wrong.status.code(), Some(2), "{}", wrong.shown);
    }
}

/// A picture of nothing is much smaller.
#[test]
fn screenshots_show_something_and_are_small() {
    let ran = run("MILLPIPE_SCREENSHOT_SECONDS=4 scripts/screenshots made");
    assert!(ran.is_good(), "{}", ran.shown);
    for name in ["page-light", "page-dark", "terminal", "top"] {
        let said = ran.shown.split_once(&format!("{name}.png: ")).map(|(_, rest)| rest.split(' ').next().unwrap());
        let bytes: u64 = said.expect(name).parse().unwrap();
        assert!((5_000..=102_400).contains(&bytes), "{}", ran.shown);
        let kept = std::fs::metadata(manual::root().join(format!("docs/pictures/{name}.png"))).unwrap().len();
        assert!((5_000..=102_400).contains(&kept), "docs/pictures/{name}.png has {kept} bytes");
    }
}

#[test]
fn a_script_says_what_it_takes() {
    for script in ["demo", "bench", "screenshots"] {
        let ran = run(&format!("scripts/{script} --help"));
        assert!(ran.is_good() && ran.shown.contains(&format!("scripts/{script}")), "{}", ran.shown);
        let wrong = run(&format!("scripts/{script} --frobnicate"));
        assert_eq!(wrong.status.code(), Some(2), "{}", wrong.shown);
    }
    let ran = run("scripts/demo --help");
    assert!(ran.shown.ends_with("when --live ends by itself.\n"), "all of it: {}", ran.shown);
    let ran = run("scripts/install --help");
    assert_eq!(ran.status.code(), Some(2), "{}", ran.shown);
    assert!(ran.shown.contains("scripts/install [PREFIX]"), "{}", ran.shown);
}

#[test]
fn a_stage_that_needs_more_instructions_than_are_kept_fails_the_check() {
    let checked = |libc: &str, own: u32, libraries: u32| {
        let told = |libc, own, libraries| {
            format!("dict(libc=\"{libc}\", stages=dict(window=dict(own={own}, libraries={libraries})))")
        };
        let (here, kept) = (told(libc, own, libraries), told("glibc 1", 1000, 100));
        run(&format!(
            "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=bench python3 -c '
import instructions
raise SystemExit(instructions.check({here}, {kept}))'"
        ))
    };
    for (libc, own, libraries, code, words) in [
        ("glibc 1", 1029, 109, 0, ""),
        ("glibc 1", 1040, 100, 1, "1040 instructions for a line, 1000 are kept: too many"),
        ("glibc 1", 1000, 140, 1, "140 instructions for a line in libraries, 100 are kept: too many"),
        ("glibc 2", 1000, 140, 0, ""),
        ("glibc 1", 900, 100, 0, "900 instructions for a line, 1000 are kept: better"),
    ] {
        let ran = checked(libc, own, libraries);
        assert_eq!(ran.status.code(), Some(code), "{libc}, {own}, {libraries}: {}", ran.shown);
        assert!(ran.shown.contains(words) && ran.shown.is_empty() == words.is_empty(), "{}", ran.shown);
    }
}

/// A contest of two commands on a file: ours copies it, the other does what the test says.
const CONTEST: &str = r#"
import argparse, contest, report, same_rows
from contest import Contestant
args = argparse.Namespace(systems=None, missing=missing, rounds=1, work=".")
command = lambda script, peer="": Contestant([["sh", "-c", script]], "rows", peer=peer, read=same_rows.groups)
rows = contest.contest(args, "a job", {"ours": command("cat"), "theirs": command(theirs, "them")}, "ours")
print(*(row["system"] for row in rows))
"#;

fn contested(theirs: &str, missing: &str) -> Ran {
    let rows = r#"'{"key":"a","count":3,"sum":0.3}' '{"key":"b","count":1,"sum":29.0}'"#;
    run(&format!(
        "printf '%s\\n' {rows} > rows
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=bench python3 2> said - << 'END' || {{ tail -n 1 said; exit 1; }}
missing, theirs = {missing}, {theirs:?}{CONTEST}END"
    ))
}

#[test]
fn rows_are_compared_however_they_are_spelt_and_ordered() {
    let theirs =
        r#"echo '{"key":"b","sum":29,"count":1} {"sum":0.30000000000000004,"count":3,"key":"a"}' | tr ' ' '\n'"#;
    assert_eq!(contested(theirs, "[]").shown, "ours theirs\n");
    assert_eq!(contested(theirs, "['them']").shown, "ours\n", "what could not be fetched is left out");
    for theirs in ["sed s/29/28/", "head -n 1", "sed s/:3/:4/", "sed s/b/c/"] {
        let ran = contested(theirs, "[]");
        assert_eq!(ran.status.code(), Some(1), "{theirs}: {}", ran.shown);
        assert!(ran.shown.starts_with("bench: a job: theirs: "), "{theirs}: {}", ran.shown);
    }
}

#[test]
fn another_program_that_is_better_is_bold() {
    let cell = |row: &str| {
        let python = format!("import report; print(report.cell({row}, \"ratio_cpu_s\"))");
        run(&format!("PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=bench python3 -c '{python}'")).shown
    };
    assert_eq!(cell(r#"dict(ratio_cpu_s=0.99, peer="them")"#), "**0.99**\n");
    assert_eq!(cell(r#"dict(ratio_cpu_s=1.00, peer="them")"#), "1.00\n");
    assert_eq!(cell("dict(ratio_cpu_s=0.5)"), "0.50\n", "ours in another way");
}

/// A machine without the program `frobnicate`, on which apt-get is a script that notes how it was called.
const MACHINE: &str = r#"
mkdir fake
printf '#!/bin/sh\necho %s\n' "$user" > fake/id
printf '#!/bin/sh\nexit %s\n' "$sudo" > fake/sudo
printf '#!/bin/sh\necho "$@" >> calls; cp fake/id fake/frobnicate\n' > fake/apt-get
chmod +x fake/*
PATH=$PWD/fake:$PATH
source scripts/needs
package_of[frobnicate]=frob-tools
needs_programs cc frobnicate
cat calls
"#;

#[test]
fn what_is_missing_is_installed_by_root() {
    let ran = run(&format!("user=0 sudo=1\n{MACHINE}"));
    assert!(ran.is_good(), "{}", ran.shown);
    assert!(ran.shown.ends_with("update\ninstall -y --no-install-recommends frob-tools\n"), "{}", ran.shown);
}

#[test]
fn what_may_not_be_installed_is_named_exactly() {
    let ran = run(&format!("user=1000 sudo=1\n{MACHINE}"));
    assert_eq!(ran.status.code(), Some(1));
    let said =
        "bash: missing: frobnicate; install them with: sudo apt-get install -y --no-install-recommends frob-tools\n";
    assert_eq!(ran.shown, said);
}
