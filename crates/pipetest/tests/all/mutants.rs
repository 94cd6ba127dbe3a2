//! The tester tested: a stage that is broken in one way or another is caught, and named.

use crate::scene::Scene;

const TEST: &str = r#"
path = ["bin"]
run = "first | stage | last"
[[test]]
name = "numbers"
time = "20s"
stdout = '''
{"n":2}
{"n":4}
{"n":6}
{"n":8}
'''
"#;

const GOOD: &str = "while read -r n; do echo \"{\\\"n\\\":$((n * 2))}\"; done";

fn scene() -> Scene {
    scene_of(TEST)
}

fn scene_of(test: &str) -> Scene {
    let scene = Scene::new(test);
    scene.program("bin/first", "seq 4");
    scene.program("bin/stage", GOOD);
    scene.program("bin/last", "exec cat");
    scene
}

/// A program in its place passes first, so that what its stages write is known; then it is this one.
fn caught(name: &str, program: &str, words: &[&str]) {
    caught_in(&scene(), name, program, words);
}

fn caught_in(scene: &Scene, name: &str, program: &str, words: &[&str]) {
    let passes = scene.run(&["--keep", "kept", "."]);
    assert_eq!(passes.code, Some(0), "{}{}", passes.stdout, passes.stderr);
    scene.program(&format!("bin/{name}"), program);
    let ran = scene.run(&["--keep", "kept", "."]);
    assert_eq!(ran.code, Some(1), "{program} was not caught:\n{}{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(ran.stdout.contains(word), "{program}: no {word:?} in:\n{}", ran.stdout);
    }
}

const STAGE: &str = "the first stage that wrote something else than in the last run that passed: 2 stage";

#[test]
fn a_stage_that_drops_a_line_is_caught() {
    caught("stage", &format!("({GOOD}) | sed 2d"), &["stdout: 1 line missing", STAGE, "   2 - {\"n\":4}"]);
}

#[test]
fn a_stage_that_doubles_a_line_is_caught() {
    caught("stage", &format!("({GOOD}) | sed 3p"), &["stdout: 1 line not expected", STAGE]);
}

#[test]
fn a_stage_that_swaps_lines_is_caught() {
    caught("stage", &format!("({GOOD}) | sed -n '2{{h;n;G}};p'"), &["the order is another from line 9 on", STAGE]);
}

#[test]
fn a_stage_that_changes_a_number_is_caught() {
    caught(
        "stage",
        &format!("({GOOD}) | sed 's/4/5/'"),
        &["1 line missing, 1 line not expected", STAGE, "   2 + {\"n\":5}"],
    );
}

#[test]
fn a_stage_that_is_late_is_caught() {
    let hasty = scene_of(&TEST.replace("20s", "5s"));
    caught_in(&hasty, "stage", &format!("{GOOD}; sleep 60"), &["not over after 5s, and killed"]);
}

#[test]
fn a_stage_that_ends_with_a_wrong_code_is_caught() {
    let words = ["exit code 3, expected 0", "the first program that ended with another code than 0: 2 stage, with 3"];
    caught("stage", &format!("{GOOD}; exit 3"), &words);
}

#[test]
fn a_stage_that_is_killed_is_caught() {
    caught("stage", "head -n 2; kill -9 $$", &["exit code 137, expected 0", STAGE, "2 stage, with 137"]);
}

#[test]
fn the_stage_that_is_to_blame_is_named_and_not_those_after_it() {
    caught(
        "first",
        "seq 2 5",
        &["the first stage that wrote something else than in the last run that passed: 1 first"],
    );
    caught("last", "sed 1d", &["the first stage that wrote something else than in the last run that passed: 3 last"]);
}

#[test]
fn a_correct_pipeline_passes_each_time() {
    let scene = scene();
    for _ in 0..20 {
        scene.passes();
    }
}
