//! `window` against an independent computation, `model.py`: which line ends up in which window, and which are late.
//!
//! The windows are put together from what `window` writes as `aggregate` does it, so a mark that is missing,
//! or in the wrong place, is found too.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use testkit::{Ran, run};

const LINES: u32 = 2_000;
const KEYS: u32 = 5;

/// Disordered lines of some keys, with gaps; with partitions, each at a speed of its own.
fn lines(seed: u64, partitions: u32) -> String {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut text: String = (0..partitions).map(from).collect();
    let mut now_ms = 1_700_000_000_000i64;
    for id in 0..LINES {
        if partitions > 0 {
            text.push_str(&from(rng.random_range(0..partitions)));
        }
        now_ms += if rng.random_ratio(1, 200) { 40_000 } else { rng.random_range(0..400) };
        let behind_ms = if rng.random_ratio(1, 20) { rng.random_range(0..30_000) } else { rng.random_range(0..900) };
        let key = rng.random_range(0..KEYS);
        text.push_str(&format!("{{\"t\":{},\"k\":\"k{key}\",\"id\":{id}}}\n", now_ms - behind_ms));
    }
    text
}

fn from(part: u32) -> String {
    format!("{{\"$\":\"from\",\"part\":\"t/{part}\"}}\n")
}

fn model(what: &str, settings: &str, input: &str) -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/all/model.py");
    run("python3", &[script, what, settings], input).ok()
}

/// Compares every form of output with the model; `at_least_late` says that the case is worth something.
fn check(flags: &str, settings: &str, seed: u64, partitions: u32, late_min: usize) {
    let input = lines(seed, partitions);
    let expected = model("expect", settings, &input);
    let (windows, late) = expected.trim_end().rsplit_once('\n').unwrap();
    assert!(late.matches(',').count() >= late_min, "too few late lines to tell: {late}");
    for form in ["", " --expand", " --plain"] {
        let ran = window(&format!("{flags}{form}"), &input);
        let late_seen = rejected(&ran.stderr);
        let seen = model("read", settings, &ran.ok());
        let order = |text: &str| {
            // Without watermarks nothing says in which order windows close.
            let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
            if form == " --plain" {
                rows.sort();
            }
            rows
        };
        assert_eq!(order(&seen), order(windows), "the windows of {flags}{form}, seed {seed}");
        assert_eq!(format!("{{\"late\": {late_seen}}}"), late, "the late lines of {flags}{form}, seed {seed}");
    }
}

fn window(flags: &str, input: &str) -> Ran {
    let count = flags.contains("--count");
    let late = if count { "" } else { " --time t --late reject" };
    // The model's lateness is 0 where it is not said.
    let lateness = if count || flags.contains("--lateness") { "" } else { " --lateness 0s" };
    let args: Vec<String> = format!("{flags}{late}{lateness}").split_whitespace().map(str::to_owned).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    run(env!("CARGO_BIN_EXE_window"), &args, input)
}

/// The ids of the rejected lines on stderr.
fn rejected(stderr: &str) -> String {
    let ids: Vec<String> = stderr
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .map(|reject| {
            let line: serde_json::Value = serde_json::from_str(reject["line"].as_str().unwrap()).unwrap();
            line["id"].to_string()
        })
        .collect();
    format!("[{}]", ids.join(", "))
}

#[test]
fn tumbling_windows_agree_with_the_model() {
    check("--size 10s --lateness 2s", r#"{"kind":"size","size":10000,"lateness":2000}"#, 1, 0, 20);
    check("--size 7s --offset -3s", r#"{"kind":"size","size":7000,"offset":-3000}"#, 2, 0, 20);
    check("--size 10s --lateness 1s", r#"{"kind":"size","size":10000,"lateness":1000}"#, 3, 3, 20);
}

#[test]
fn hopping_windows_agree_with_the_model() {
    for seed in 0..3 {
        check(
            "--size 10s --slide 2s --lateness 1s",
            r#"{"kind":"size","size":10000,"slide":2000,"lateness":1000}"#,
            seed,
            0,
            20,
        );
    }
    check("--size 10s --slide 4s", r#"{"kind":"size","size":10000,"slide":4000}"#, 7, 0, 20);
    check("--size 10s --slide 3s --offset 1s", r#"{"kind":"size","size":10000,"slide":3000,"offset":1000}"#, 8, 2, 10);
}

#[test]
fn cumulating_windows_agree_with_the_model() {
    check(
        "--size 1m --cumulate 10s --lateness 1s",
        r#"{"kind":"size","size":60000,"step":10000,"lateness":1000}"#,
        4,
        0,
        5,
    );
    check("--size 20s --cumulate 5s", r#"{"kind":"size","size":20000,"step":5000}"#, 5, 3, 5);
}

#[test]
fn sessions_agree_with_the_model() {
    for seed in 0..3 {
        check(
            "--session 3s --by k --lateness 2s",
            r#"{"kind":"session","gap":3000,"lateness":2000,"by":true}"#,
            seed,
            0,
            20,
        );
    }
    check("--session 700ms --by k", r#"{"kind":"session","gap":700,"by":true}"#, 9, 0, 20);
    check("--session 500ms", r#"{"kind":"session","gap":500,"by":false}"#, 10, 0, 20);
    check("--session 2s --by k", r#"{"kind":"session","gap":2000,"by":true}"#, 11, 3, 20);
}

#[test]
fn count_windows_agree_with_the_model() {
    check("--count 10 --by k", r#"{"kind":"count","size":10,"slide":10,"by":true}"#, 12, 0, 0);
    check("--count 10 --slide-count 4 --by k", r#"{"kind":"count","size":10,"slide":4,"by":true}"#, 13, 0, 0);
    check("--count 7 --slide-count 3", r#"{"kind":"count","size":7,"slide":3,"by":false}"#, 14, 0, 0);
}
