//! Files of tests that are wrong, and paths that lead nowhere: exit code 2, and what to write.

use crate::scene::Scene;

#[test]
fn a_file_that_is_wrong_is_told_with_its_line_before_anything_runs() {
    let scene = Scene::new(
        "[[test]]\nname = 'x'\nrun = 'touch ran'\nstdout = ''\n\n[[test]]\nname = 'y'\nrun = 'true'\nstdot = ''\n",
    );
    let ran = scene.run(&["."]);
    ran.fails_with(2, "pipetest: ./t.pipetest.toml:9: unknown field `stdot`, expected one of `name`, `run`");
    assert!(!scene.path().join("ran").exists());
}

#[test]
fn a_word_of_an_input_that_is_none_is_told_with_its_test() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'true'\nin.t = '@slep 5s'\nstdout = ''\n");
    scene.run(&["."]).fails_with(2, "./t.pipetest.toml:1: test \"x\": \"@slep 5s\" is no word of an input");
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'true'\nstdin = { file = 'none.ndjson' }\nstdout = ''\n");
    scene.run(&["."]).fails_with(2, "none.ndjson: No such file");
}

#[test]
fn a_script_that_is_not_there_is_told() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'no-job.sh'\nstdout = ''\n");
    scene.run(&["."]).fails_with(2, "./t.pipetest.toml:1: there is no script ");
}

#[test]
fn paths_and_filters_that_find_nothing_are_told() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'true'\nstdout = ''\n");
    scene.run(&["none"]).fails_with(2, "none: no such file or folder");
    std::fs::create_dir(scene.path().join("empty")).unwrap();
    scene.run(&["empty"]).fails_with(2, "no file there is called *.pipetest.toml");
    scene.run(&[".", "--filter", "y"]).fails_with(2, "no test has \"y\" in its name");
}

#[test]
fn a_file_cannot_be_put_outside_the_tests_folder() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'true'\nfiles = ['../secret']\nstdout = ''\n");
    scene.run(&["."]).fails_with(2, "file \"../secret\" would be outside the test's folder");
}
