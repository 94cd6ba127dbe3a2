use std::time::{Duration, Instant};

use testkit::run;

const THROTTLE: &str = env!("CARGO_BIN_EXE_throttle");

fn lines(count: usize) -> String {
    (0..count).map(|n| format!("{n}\n")).collect()
}

#[test]
fn wrong_flags_teach_the_right_ones() {
    let ran = run(THROTTLE, &[], "");
    ran.fails_with(2, "throttle: how fast? neither --rate nor --bytes is given\nthrottle: hint: --rate 1000/s");
    run(THROTTLE, &["--rate", "10"], "").fails_with(2, "rate \"10\" has no unit: say 10/s");
    run(THROTTLE, &["--bytes", "10/s"], "").fails_with(2, "size \"10\" has no unit: say 10B, 10KiB or 10MiB");
    run(THROTTLE, &["--rate", "9/s", "--burst", "3", "--batch", "4"], "")
        .fails_with(2, "--burst 3 lets no --batch of 4 go");
    run(THROTTLE, &["--rate", "9/s", "--queue", "3", "--batch", "4"], "")
        .fails_with(2, "--queue 3 holds no --batch of 4");
    run(THROTTLE, &["--rate", "9/s", "--buffer", "0B"], "").fails_with(2, "--buffer 0B holds no line");
    run(THROTTLE, &["--rate", "9/s", "--overflow", "spill:"], "")
        .fails_with(2, "say block, drop-oldest, drop-newest, spill:FILE or fail");
    let ran = run(THROTTLE, &["--rate", "9/s", "--overflow", "spill:/nowhere/at/all"], "");
    ran.fails_with(1, "throttle: /nowhere/at/all: No such file or directory");
}

#[test]
fn no_line_goes_before_its_time() {
    let started = Instant::now();
    let ran = run(THROTTLE, &["--rate", "1000/s", "--burst", "100", "-v"], &lines(600));
    assert!(started.elapsed() >= Duration::from_millis(499), "{:?}", started.elapsed());
    assert!(ran.stderr.contains("throttle: 600 lines in "), "{}", ran.stderr);
    assert_eq!(ran.ok(), lines(600));
}

#[test]
fn dropped_lines_are_counted_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects");
    let args = ["--rate", "1/h", "--burst", "7", "--queue", "1", "--overflow", "drop-newest", "-v", "--rejects"];
    // The line that waits would take an hour: a broken end stops it.
    let input = format!("{}no json\n", lines(20));
    let ran = run(THROTTLE, &[&args[..], &[rejects.to_str().unwrap()]].concat(), &input);
    ran.fails_with(1, "throttle: line 21, byte 50: ");
    assert!(ran.stderr.contains("in 21 = out 7 + late 0 + rejected 13 + held 1"), "{}", ran.stderr);
    assert_eq!(ran.stdout, lines(7));
    let kept = std::fs::read_to_string(rejects).unwrap();
    assert_eq!(kept.lines().count(), 12);
    assert!(kept.ends_with("\"at\":\"line 20\",\"line\":\"19\"}\n"), "{kept}");
}

#[test]
fn lines_of_other_kinds_are_not_slowed_down() {
    let input = format!("{}\"other\"\n\"other\"\n-\n", lines(3));
    let ran = run(THROTTLE, &["--rate", "1/h", "--where", "type == \"number\""], &input);
    ran.fails_with(1, "line 6, byte 22: ");
    assert_eq!(ran.stdout, "0\n\"other\"\n\"other\"\n");
}

/// What a run that was killed has spilled.
const LEFT: &str = "1\n2\n";

#[test]
fn a_start_that_gets_no_line_leaves_what_was_spilled_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spill");
    std::fs::write(&file, LEFT).unwrap();
    let spill = format!("spill:{}", file.display());
    let args = ["--rate", "9/s", "--overflow", &spill];
    for nothing in ["", "{\"$\":\"watermark\",\"time\":null}\n"] {
        let ran = run(THROTTLE, &args, nothing);
        assert_eq!(ran.stderr, "");
        assert_eq!(ran.ok(), nothing, "marks pass");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), LEFT);
    }
    run(THROTTLE, &args, "3\n").fails_with(1, "spill: 4 bytes of a run that did not come to its end");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), LEFT);
}

#[test]
fn a_file_that_another_process_spills_into_is_free_again_when_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spill");
    let held = std::fs::File::create(&file).unwrap();
    held.lock().unwrap();
    let spill = format!("spill:{}", file.display());
    run(THROTTLE, &["--rate", "9/s", "--overflow", &spill], "1\n")
        .fails_with(75, "spill: another process spills into it");
    // Closing it is not enough: a process that another test starts now has a copy of it until its program is loaded.
    held.unlock().unwrap();
    assert_eq!(run(THROTTLE, &["--rate", "9/s", "--overflow", &spill], "1\n").ok(), "1\n");
}
