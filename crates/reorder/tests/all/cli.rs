use std::fmt::Write as _;
use testkit::run;

const REORDER: &str = env!("CARGO_BIN_EXE_reorder");

#[test]
fn a_bad_line_stops_with_its_place_and_what_is_held_stays_unwritten() {
    let ran = run(REORDER, &["--time", "at", "--lateness", "9s"], "{\"at\":1}\n{\"timestamp\":1}\n");
    ran.fails_with(
        1,
        "reorder: line 2, byte 9: no field \"at\"; the line has \"timestamp\"\nreorder: hint: --time FIELD",
    );
    assert!(ran.stderr.contains("\nreorder: hint: --on-error reject"), "{}", ran.stderr);
    assert!(!ran.stdout.contains("\"at\""), "{}", ran.stdout);
}

#[test]
fn wrong_flags_teach_the_right_ones() {
    run(REORDER, &["--lateness", "10"], "").fails_with(2, "duration \"10\" has no unit: say 10s or 10ms");
    run(REORDER, &["--memory", "1MiB"], "").fails_with(2, "1MiB is too little: at least 16MiB");
    run(REORDER, &["--late", "never"], "").fails_with(2, "invalid value 'never'");
    let ran = run(REORDER, &["--spill-dir", "/nowhere/at/all"], "");
    ran.fails_with(1, "reorder: lines beyond --memory cannot go to /nowhere/at/all: No such file or directory");
    assert!(ran.stderr.contains("reorder: hint: --spill-dir DIR takes another folder"), "{}", ran.stderr);
}

#[test]
fn lines_of_other_kinds_pass() {
    let input = "{\"timestamp\":2,\"k\":1}\n{\"k\":2}\n{\"timestamp\":1,\"k\":1}\n";
    let out = run(REORDER, &["--lateness", "9s", "--where", ".k == 1"], input).ok();
    let data: Vec<&str> = out.lines().filter(|line| !line.starts_with("{\"$\"")).collect();
    assert_eq!(data, ["{\"k\":2}", "{\"timestamp\":1,\"k\":1}", "{\"timestamp\":2,\"k\":1}"]);
    run(REORDER, &["--where", ".k =="], "").fails_with(2, "invalid value '.k =='");
}

#[test]
fn late_lines_are_counted_and_kept_where_it_is_asked() {
    let input = "{\"timestamp\":9}\n{\"timestamp\":5}\n";
    let ran = run(REORDER, &["-v"], input);
    assert!(ran.stderr.contains("reorder: line 2: time 1970-01-01T00:00:05Z is late"), "{}", ran.stderr);
    assert!(ran.stderr.contains("in 2 = out 1 + late 1 + rejected 0 + held 0"), "{}", ran.stderr);
    let ran = run(REORDER, &["--late", "reject"], input);
    assert!(
        ran.stderr.starts_with("{\"by\":\"reorder\",\"why\":\"time 1970-01-01T00:00:05Z is late"),
        "{}",
        ran.stderr
    );
    let out = run(REORDER, &["--late", "pass"], input).ok();
    assert!(out.ends_with("{\"timestamp\":5}\n"), "{out}");
}

#[test]
fn more_lines_than_memory_holds_are_sorted_on_disk() {
    let mut input = String::new();
    let padding = "x".repeat(1000);
    for i in 0..40_000u64 {
        let _ = writeln!(input, "{{\"timestamp\":{},\"pad\":\"{padding}\"}}", 1_000_000 + i * 7919 % 40_000);
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let ran = run(REORDER, &["--lateness", "40000s", "--memory", "16MiB", "--spill-dir", dir, "-v"], &input);
    assert!(ran.stderr.contains("reorder: spilled 3"), "{}", ran.stderr);
    let out = ran.ok();
    let times: Vec<&str> = out.lines().filter(|l| !l.starts_with("{\"$\"")).map(|l| &l[..22]).collect();
    assert!(times.is_sorted() && times.len() == 40_000, "{} lines", times.len());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_lateness_that_is_not_used_is_told() {
    let input = "{\"$\":\"watermark\",\"time\":null}\n{\"timestamp\":\"2026-01-01T00:00:00Z\"}\n";
    let ran = run(REORDER, &["--lateness", "5s"], &format!("{input}{input}"));
    let said = "reorder: --lateness 5s is not used: the stream has watermarks already\n\
                reorder: hint: give it to the stage that makes them\n";
    assert_eq!(ran.stderr, said);
    assert_eq!(run(REORDER, &[], input).stderr, "");
}
