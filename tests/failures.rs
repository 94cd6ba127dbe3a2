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
    assert!(said.contains("file-cat-out: hint: a stage before this one died"), "{said}");
}
