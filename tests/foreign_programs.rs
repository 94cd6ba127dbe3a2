//! Programs that know nothing of millpipe in a stream with checkpoints: those that keep marks work, and those that lose or
//! double lines are found before anything of it is committed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;

use testkit::{Ran, bash};

const TOOLS: [&str; 4] = ["generate", "window", "parallel-map", "file-cat-out"];

/// 20,000 lines through this program; where the output is, and how it went.
fn through(program: &str) -> (tempfile::TempDir, Ran) {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "cd {}
        generate -n 20000 --keys 3 --exactly-once --state state --interval 10ms \\
          | {program} \\
          | window --size 1s --lateness 1ms --plain | file-cat-out result",
        dir.path().display()
    );
    let ran = bash(&TOOLS, &script);
    (dir, ran)
}

fn committed_lines(dir: &tempfile::TempDir) -> usize {
    let Ok(folder) = fs::read_dir(dir.path().join("result")) else { return 0 };
    let parts = folder.map(|part| part.unwrap().path()).filter(|path| path.extension().is_some());
    parts.map(|part| fs::read_to_string(part).unwrap().lines().count()).sum()
}

#[test]
fn jq_passes_marks_through() {
    let (dir, ran) = through("jq -c --unbuffered .");
    ran.ok();
    assert_eq!(committed_lines(&dir), 20_000);
}

#[test]
fn a_program_inside_parallel_map_may_drop_lines() {
    let (dir, ran) = through("parallel-map -- grep user-1");
    ran.ok();
    let lines = committed_lines(&dir);
    assert!((6_000..7_500).contains(&lines), "{lines} lines of one key of three");
}

#[test]
fn a_filter_that_drops_lines_is_found_with_its_neighbours() {
    let (dir, ran) = through("grep --line-buffered -v '\"status\":500'");
    assert_ne!(ran.code, Some(0));
    let told = "a program between generate and window dropped";
    assert!(ran.stderr.contains(told) && ran.stderr.contains("parallel-map -- CMD"), "{}", ran.stderr);
    assert_eq!(committed_lines(&dir), 0, "nothing of a wrong epoch is committed");
}

#[test]
fn a_filter_that_doubles_lines_is_found_with_its_neighbours() {
    let (dir, ran) = through("sed -u '100p'");
    assert_ne!(ran.code, Some(0));
    assert!(ran.stderr.contains("a program between generate and window added 1"), "{}", ran.stderr);
    assert_eq!(committed_lines(&dir) % 20_000, committed_lines(&dir), "{}", ran.stderr);
}

#[test]
fn a_head_in_the_pipe_cuts_the_stream_short() {
    let (dir, ran) = through("head -n 5000");
    assert_ne!(ran.code, Some(0));
    let cut_short = ran.stderr.contains("window: the stream was cut short") && ran.stderr.contains("head");
    // Or SIGPIPE ends generate before it has saved its state, and the sink is first to tell.
    let unsaved = ran.stderr.contains("file-cat-out: no snapshot ") && ran.stderr.contains("state/1-generate\n");
    assert!(cut_short || unsaved, "{}", ran.stderr);
    assert!(committed_lines(&dir) < 5_000);
}
