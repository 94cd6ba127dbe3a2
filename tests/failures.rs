//! What a supervisor sees of a pipeline that has failed: whether to start it again.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::bash;

const TOOLS: [&str; 6] = ["generate", "window", "aggregate", "parallel-map", "shard", "file-cat-out"];

/// The exit code under pipefail, that of the last stage that failed, and what was said.
fn ended(pipeline: &str) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("cd {}; set -o pipefail; ({pipeline}) && echo 0 || echo $?", folder.path().display());
    let ran = bash(&TOOLS, &script);
    folder.close().unwrap();
    (ran.stdout.trim().to_owned(), ran.stderr)
}

#[test]
fn a_stage_that_fails_for_good_makes_all_behind_it_end_with_1() {
    let source = "generate --lines 2000 --exactly-once --state state";
    let fails = "aggregate --by key count --max-keys 3";
    for pipeline in [
        format!("{source} | {fails} | file-cat-out out"),
        format!("{source} | {fails} | window --size 1s | parallel-map -j 1 . | file-cat-out out"),
        format!(
            "{source} | shard --by key -n 2 -- '{fails} | parallel-map -j 1 .' | window --size 1s | file-cat-out out"
        ),
        format!("{source} | {fails} | shard --by key -n 2 -- 'parallel-map -j 1 .' | file-cat-out out"),
        format!("{source} | parallel-map -j 1 'error(\"no\")' --on-error stop | file-cat-out out"),
        format!(
            "{source} --no-drain | aggregate --by key count | file-cat-out out; {source} | aggregate --by status count | file-cat-out out"
        ),
    ] {
        let (code, said) = ended(&pipeline);
        assert_eq!(code, "1", "{pipeline}\n{said}");
        assert!(
            said.contains("hint: what it says is the reason; started again, the pipeline would fail again"),
            "{said}"
        );
    }
}

#[test]
fn a_sink_that_cannot_commit_hears_whether_a_stage_has_failed_for_good() {
    let lost =
        "generate --lines 2000 --exactly-once --state state | tee stream | file-cat-out first; rm -r state/1-generate
        lost() { sed '/^{\"$\":\"barrier\"/q' stream; echo '{}'; }";
    let failed = r#"echo '{"$":"failed","by":"aggregate"}'"#;
    let (code, said) = ended(&format!("{lost}; (lost; {failed}) | file-cat-out out"));
    assert_eq!(code, "1", "{said}");
    assert!(said.contains("cut short: aggregate, before this stage, has failed"), "{said}");
    let (code, said) = ended(&format!("{lost}; lost | file-cat-out out"));
    assert_eq!(code, "75", "{said}");
    assert!(said.contains("file-cat-out: no snapshot"), "{said}");
}

#[test]
fn a_stage_that_dies_makes_all_behind_it_end_with_75() {
    let (code, said) = ended(
        "generate --lines 1000000 --exactly-once --state state | (head -n 9000; kill -9 $BASHPID) | window --size 1s \\
            | aggregate --by key count | file-cat-out out",
    );
    assert_eq!(code, "75", "{said}");
    for stage in ["window", "aggregate", "file-cat-out"] {
        let names_it = format!(
            "{stage}: the stream was cut short without an end mark: generate, or a program after it, has ended"
        );
        assert!(said.contains(&names_it), "{said}");
    }
}

#[test]
fn a_stage_that_was_killed_is_named_by_all_after_it() {
    let (code, said) = ended(
        "generate --lines 100000000 --exactly-once --state state | window --size 1s \\
            | (echo $BASHPID > pid; exec aggregate --by key count) | parallel-map -j 1 . | file-cat-out out & sleep 0.3
        kill -9 $(cat pid); wait $!",
    );
    assert_eq!(code, "75", "{said}");
    for stage in ["parallel-map", "file-cat-out"] {
        let names_it =
            format!("{stage}: the stream was cut short without an end mark: aggregate, or a program after it");
        assert!(said.contains(&names_it), "{said}");
    }
}

#[test]
fn a_source_that_cannot_start_alone_says_why_and_gives_the_exit_code() {
    for flag in ["", "--exactly-once"] {
        let stages =
            format!("window --size 1s {flag} | aggregate --by key count {flag} | shard --by key -n 2 {flag} -- cat");
        let job = format!("generate --lines 20 --exactly-once --state state | {stages} | file-cat-out out {flag}");
        let (code, said) =
            ended(&format!("mkdir state; flock state/lock bash -o pipefail -c '{job}'; code=$?; ls; exit $code"));
        assert!(code.ends_with("75") && !code.contains("out"), "{code}");
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.len() == 2 && lines.iter().all(|line| line.starts_with("generate: ")), "{said}");
    }
}

#[test]
fn a_program_that_takes_marks_out_is_found_by_the_sink_at_its_first_line() {
    let (code, said) = ended(
        "generate --lines 1000 --exactly-once --state state | grep --line-buffered user | file-cat-out out --exactly-once",
    );
    assert_eq!(code, "1", "{said}");
    let hint = "file-cat-out: hint: a program before this one that takes marks out (grep, jq 'select(…)')?";
    assert!(said.contains("file-cat-out: line 1: lines come without the hello mark") && said.contains(hint), "{said}");
}
