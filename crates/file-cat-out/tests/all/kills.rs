//! Pipelines into files of every kind, killed at random.

use testkit::bash;

/// Kills stages of `generate | window | file-cat-out FLAGS` and compares what is visible with the plain output.
fn survives(flags: &str, more: &str) {
    let dir = tempfile::tempdir().unwrap();
    let script = format!(
        "cd {}
        generate -n 60000 --keys 5 | window --size 10s --plain > right
        cat > job << 'END'
        cd \"$CRASH_TEST_DIR\"
        set -o pipefail
        # Slow enough for all kills on a busy machine; when they are done nothing slows it down.
        rate=$((CRASH_TEST_KILLS_LEFT > 0 ? 3000 : 1000000))
        generate -n 60000 --keys 5 --rate $rate/s --event-rate 10000/s --exactly-once --state state --interval 20ms \\
          | window --size 10s --plain | file-cat-out {flags}
END
        crash-test --kills 6 --what any=2,all=1 --between 20ms..150ms --expect right {more} -- job",
        dir.path().display()
    );
    bash(&["generate", "window", "file-cat-out", "crash-test"], &script).ok();
}

#[test]
fn a_single_file_survives_kills() {
    survives("--single output", "--ordered --seed 1");
}

#[test]
fn open_parts_survive_kills() {
    survives("output --part-size 1MB --part-age 300ms", "--ordered --seed 2");
}

#[test]
fn compressed_folders_survive_kills() {
    let all = "--output-command 'find \"$CRASH_TEST_DIR/output\" -name \"*.gz\" | xargs zcat'";
    survives(
        "output --partition-by key,status --part-size 20kB --compress gz --buffer 64KiB",
        &format!("{all} --seed 3"),
    );
}
