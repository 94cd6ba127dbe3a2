//! Hopping, cumulating, session and count windows, late lines included, against naive models in Python.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::bash;

const TOOLS: [&str; 2] = ["window", "aggregate"];
const SPECS: &str = "--by key count sum:v min:v max:v first:v last:v";

/// Runs the pipeline and the model on the same lines; both their rows and the number of late lines must agree.
fn agrees_with_the_model(window: &str, model: &str, lines: usize) {
    for seed in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "cd {dir}; m={root}/models/windows.py
             python3 $m make {seed} {lines} > in
             python3 $m {model} < in > expected 2> late
             window {window} -v < in 2> said | aggregate {SPECS} > got
             cmp expected got >&2 || {{ diff expected got | head -20 >&2; exit 1; }}
             ! grep -q . late || grep -q \"+ late $(cat late) +\" said || {{ cat late said >&2; exit 1; }}
             cat late; wc -l < got",
            dir = folder.path().display(),
            root = env!("CARGO_MANIFEST_DIR"),
        );
        let out = bash(&TOOLS, &script).ok();
        let rows: usize = out.lines().last().unwrap().trim().parse().unwrap();
        assert!(rows > 100, "only {rows} rows: {window} was hardly tried");
    }
}

#[test]
fn tumbling_windows_agree_with_the_model() {
    agrees_with_the_model("--size 2s --lateness 1s", "hop 2 2 1", 5000);
}

#[test]
fn hopping_windows_agree_with_the_model() {
    agrees_with_the_model("--size 10s --slide 2s --lateness 2s", "hop 10 2 2", 5000);
}

#[test]
fn hopping_windows_without_lateness_lose_lines_to_single_windows() {
    agrees_with_the_model("--size 5s --slide 2s --lateness 0s", "hop 5 2 0", 5000);
}

#[test]
fn expanded_hopping_windows_agree_with_the_model() {
    agrees_with_the_model("--size 10s --slide 2s --lateness 2s --expand", "hop 10 2 2", 5000);
}

#[test]
fn cumulating_windows_agree_with_the_model() {
    agrees_with_the_model("--size 10s --cumulate 2s --lateness 1s", "cumulate 10 2 1", 5000);
}

#[test]
fn sessions_agree_with_the_model() {
    agrees_with_the_model("--session 1s --by key --lateness 2s", "session 1 2", 5000);
    agrees_with_the_model("--session 1s --by key --lateness 0s", "session 1 0", 5000);
}

#[test]
fn expanded_sessions_agree_with_the_model() {
    agrees_with_the_model("--session 1s --by key --lateness 2s --expand", "session 1 2", 5000);
}

#[test]
fn count_windows_agree_with_the_model() {
    agrees_with_the_model("--count 10 --by key", "count 10 10", 5000);
    agrees_with_the_model("--count 10 --slide-count 4 --by key", "count 10 4", 5000);
}
