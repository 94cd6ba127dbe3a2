//! The standard job on a million lines, against an oracle that is not ours: exact, and the same bytes in every
//! way of running.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;

use testkit::{bash, shared};

const TOOLS: [&str; 2] = ["window", "aggregate"];
const WINDOW: &str = "window --size 10s --time timestamp --lateness 2s";
const AGGREGATE: &str =
    "aggregate --by key count sum:value avg:value min:value max:value p50:value p90:value p95:value p99:value";

/// `MILLPIPE_JOB_LINES` makes it larger.
fn lines() -> u64 {
    std::env::var("MILLPIPE_JOB_LINES").ok().map_or(1_000_000, |n| n.parse().unwrap())
}

#[test]
fn the_standard_job_is_exact_and_the_same_in_every_way_of_running() {
    let Some(job) = shared("job/gen.py") else {
        return;
    };
    let job = job.parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let run = |script: &str| bash(&TOOLS, &format!("cd {}\n{script}", dir.display())).ok();
    run(&format!(
        "python3 {job}/gen.py {lines} in; python3 {job}/oracle.py in oracle",
        job = job.display(),
        lines = lines()
    ));
    run(&format!("{WINDOW} < in | {AGGREGATE} > one"));
    let verdict = run(&format!("python3 {}/check.py oracle one", job.display()));
    assert!(verdict.contains("\"verdict\": \"exact\""), "{verdict}");

    for threads in [2, 4] {
        run(&format!("{WINDOW} --threads {threads} < in | {AGGREGATE} --threads {threads} > other; cmp one other"));
    }
    run(&format!("{WINDOW} --chunk 1000B < in | {AGGREGATE} --chunk 777B > other; cmp one other"));
    a_byte_at_a_time(dir);
    a_reader_that_pauses(dir);
}

/// A read per byte is slow: on the first lines only.
fn a_byte_at_a_time(dir: &Path) {
    let script = format!(
        "cd {}; head -n 4000 in > few; {WINDOW} < few | {AGGREGATE} > one_few
         {WINDOW} --chunk 1B < few | {AGGREGATE} --chunk 1B > other; cmp one_few other
         {WINDOW} --chunk 1B --threads 4 < few | {AGGREGATE} --chunk 3B --threads 2 > other; cmp one_few other",
        dir.display()
    );
    bash(&TOOLS, &script).ok();
}

fn a_reader_that_pauses(dir: &Path) {
    let script = format!(
        "cd {}; {WINDOW} < in | {AGGREGATE} | (sleep 0.5; head -c 100000; sleep 0.5; cat) > other; cmp one other
         {WINDOW} < in | (sleep 0.3; head -c 1000000; sleep 0.3; cat) | {AGGREGATE} > other; cmp one other",
        dir.display()
    );
    bash(&TOOLS, &script).ok();
}
