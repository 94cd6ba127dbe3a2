//! Tests that pass, and what in them would not.

use crate::scene::Scene;

const COUNTS: &str = r#"
run = "job.sh"
env = { BROKERS = "kafka:9092" }

[[test]]
name = "requests are counted by key"
in.requests = '''
{"timestamp":"2026-01-01T00:00:01Z","key":"a"}
{"timestamp":"2026-01-01T00:00:02Z","key":"b"}
{"timestamp":"2026-01-01T00:00:03Z","key":"a"}
{"timestamp":"2026-01-01T00:00:14Z","key":"a"}
'''
[test.out.counts]
lines = '''
{"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:00:10Z","key":"a","n":2}
{"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:00:10Z","key":"b","n":1}
{"window_start":"2026-01-01T00:00:10Z","window_end":"2026-01-01T00:00:20Z","key":"a","n":1}
'''
"#;

const JOB: &str = "set -euo pipefail\nkafka-cat-in -b \"$BROKERS\" -t requests | window --size 10s \\\n  \
                   | aggregate --by key n=count | kafka-cat-out -b \"$BROKERS\" -t counts\n";

fn counts() -> Scene {
    let scene = Scene::new(COUNTS);
    scene.write("job.sh", JOB);
    scene
}

#[test]
fn a_script_is_run_as_it_is_shipped() {
    let ran = counts().passes();
    assert!(ran.stdout.starts_with("pass  ./t.pipetest.toml:5  requests are counted by key  ("), "{}", ran.stdout);
    assert!(ran.stdout.ends_with("\n1 passed\n"), "{}", ran.stdout);
}

#[test]
fn another_line_is_told_with_its_number_and_what_came_in_its_place() {
    let scene = counts();
    scene.write("t.pipetest.toml", &COUNTS.replace("\"key\":\"b\",\"n\":1", "\"key\":\"b\",\"n\":7"));
    let words = [
        "topic counts: 1 line missing, 1 line not expected",
        "  16 - {",
        "\"n\":7}",
        "     + {",
        "2 window: in 4, out 4",
    ];
    scene.fails(&words);
}

#[test]
fn what_nobody_spoke_of_is_a_difference() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'echo 1'\nexpect.exit = 0\n");
    scene.fails(&["stdout: 1 line, and the test does not speak of it"]);
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'echo 1 | kafka-cat-out -t t --create 1'\nexpect.exit = 0\n");
    scene.fails(&["topic t: 1 line, and the test does not speak of it", "[test.out.t]"]);
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'echo 1'\nstdout.ignore = true\n");
    scene.passes();
}

const LATE: &str = r#"
[[test]]
name = "late"
run = "window --size 10s | aggregate n=count"
stdin = '''
{"timestamp":"2026-01-01T00:00:01Z"}
{"timestamp":"2026-01-01T00:00:25Z"}
{"timestamp":"2026-01-01T00:00:02Z"}
'''
stdout = { where = ".n", lines = "1\n1" }
"#;

#[test]
fn late_lines_must_be_told() {
    Scene::new(LATE).fails(&["1 late line (1 window 1), expected 0; if that is right: expect.late = 1"]);
    Scene::new(&format!("{LATE}expect.late = 1\n")).passes();
    Scene::new(&format!("{LATE}stage.window = {{ late = 1, in = 3, out = 2, messages = ['/late/'] }}\n")).passes();
    let wrong = format!("{LATE}stage.window = {{ late = 1, in = 4, messages = ['early'] }}\nstage.top-n.late = 0\n");
    Scene::new(&wrong).fails(&[
        "1 window: in 3, expected 4",
        "1 window: it did not say \"early\"",
        "there was no stage top-n",
    ]);
}

#[test]
fn exit_codes_and_messages_are_expected() {
    let test = "[[test]]\nname = 'x'\nrun = 'filter .a'\nstdin = 'nonsense'\n";
    Scene::new(&format!("{test}stdout = ''\n"))
        .fails(&["exit code 1, expected 0", "| filter: line 1, byte 0: not JSON"]);
    Scene::new(&format!("{test}expect = {{ exit = 1, rejected = 1, messages = ['filter: line 1'] }}\n")).passes();
    Scene::new(&format!("{test}expect = {{ exit = 1, rejected = 1, messages = ['line 2'] }}\n"))
        .fails(&["nobody said \"line 2\""]);
}

#[test]
fn a_script_that_hides_a_failure_is_told_of_pipefail() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'job.sh'\nstdout = ''\n");
    scene.write("job.sh", "echo nonsense | filter .a | cat\n");
    scene.fails(&["1 filter: it ended with exit code 1, and the script with 0: the script has no \"set -o pipefail\""]);
}

#[test]
fn files_are_there_and_files_are_compared() {
    let scene = Scene::new(
        "run = 'filter .ok < in/events.ndjson | tee out.ndjson > /dev/null; cat rules.txt'\nfiles = ['rules.txt']\n\
         [[test]]\nname = 'x'\nfiles = { \"in/events.ndjson\" = { command = \"printf '{\\\"ok\\\":%s}\\\\n' true false\" } }\n\
         stdout = { file = 'rules.txt' }\nfile.\"out.ndjson\" = '{\"ok\": true}'\n",
    );
    scene.write("rules.txt", "one rule\n");
    scene.passes();
}

#[test]
fn an_invariant_is_held_against_all_lines() {
    let test = |rule: &str| {
        format!(
            "[[test]]\nname = 'x'\nrun = 'generate --lines 50 | window --size 10s | aggregate --by key n=count'\nstdout.check = ['{rule}']\n"
        )
    };
    Scene::new(&test("all(.n >= 1) and (map(.n) | add) == 50")).passes();
    Scene::new(&test("all(.n > 1000)")).fails(&["stdout: check 'all(.n > 1000)' is not true of"]);
}

#[test]
fn a_test_that_takes_too_long_is_killed_and_says_who_was_there() {
    let scene =
        Scene::new("[[test]]\nname = 'x'\nrun = 'generate --rate 5/s | filter .nothing'\ntime = '2s'\nstdout = ''\n");
    scene.fails(&["not over after 2s, and killed; still there: 1 generate ("]);
}

#[test]
fn what_a_script_leaves_running_is_killed_and_told() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'sleep 300 & echo 1'\nstdout = '1'\n");
    scene.fails(&["processes of the script were still there when it had ended"]);
}
