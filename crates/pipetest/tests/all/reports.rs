//! Reports for programs, and new expectations.

use crate::scene::Scene;

const TESTS: &str = "# Two tests.\n[[test]]\nname = 'good # one'\nrun = 'echo 1'\nstdout = '1'\n\n\
                     [[test]]\nname = 'bad'\nrun = 'echo 2'\n# What must come:\nstdout = '1' # one\n";

#[test]
fn tap_has_a_line_for_each_test_and_why_one_failed() {
    let ran = Scene::new(TESTS).run(&[".", "--tap", "-j", "1"]);
    assert_eq!(ran.code, Some(1));
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.contains("duration_ms")).collect();
    let expected = [
        "TAP version 14",
        "1..2",
        "ok 1 - good \\# one",
        "  ---",
        "  at: \"./t.pipetest.toml:2\"",
        "  ...",
        "not ok 2 - bad",
        "  ---",
        "  at: \"./t.pipetest.toml:7\"",
        "  way: \"as it is\"",
        "  problems: [{\"what\":\"stdout: 1 line missing, 1 line not expected\",\"stage\":null,\"shown\":[\"  11 - 1\",\"     + 2\"]}]",
        "  ...",
    ];
    assert_eq!(lines, expected);
    assert_eq!(ran.stderr, "pipetest: 1 of 2 tests failed\n");
}

#[test]
fn json_has_an_object_for_each_test() {
    let ran = Scene::new(TESTS).run(&[".", "--json"]);
    let objects: Vec<serde_json::Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!((&objects[0]["ok"], &objects[1]["ok"]), (&true.into(), &false.into()));
    assert_eq!((&objects[1]["test"], &objects[1]["line"]), (&"bad".into(), &7.into()));
    assert_eq!(objects[1]["problems"][0]["shown"][1], "     + 2");
}

#[test]
fn a_ci_server_gets_its_report() {
    let scene = Scene::new(TESTS);
    assert_eq!(scene.run(&[".", "--junit", "report.xml"]).code, Some(1));
    let report = scene.read("report.xml");
    assert!(report.contains("name=\"pipetest\" tests=\"2\"") && report.contains("failures=\"1\""), "{report}");
    assert!(report.contains("<testcase name=\"bad\"") && report.contains("stdout: 1 line missing"), "{report}");
}

#[test]
fn new_expectations_stand_in_the_file_and_comments_stay() {
    let scene = Scene::new(TESTS);
    let ran = scene.run(&[".", "--update"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("  11 - 1") && ran.stdout.contains("     + 2"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "pipetest: 1 expectation is new: look at what changed before you keep it\n");
    assert_eq!(scene.read("t.pipetest.toml"), TESTS.replace("'1' # one", "'''\n2\n''' # one"));
    scene.passes();
}

#[test]
fn what_is_no_expectation_of_lines_is_not_updated_away() {
    let scene = Scene::new("[[test]]\nname = 'x'\nrun = 'echo 2; exit 3'\nstdout = '1'\n");
    let ran = scene.run(&[".", "--update"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stdout);
    assert!(scene.read("t.pipetest.toml").contains("'''\n2\n'''"));
}

#[test]
fn a_word_chooses_tests_by_name_or_file() {
    let scene = Scene::new(TESTS);
    assert!(scene.run(&[".", "--filter", "good"]).ok().ends_with("1 passed\n"));
    assert_eq!(scene.run(&[".", "--filter", "/^bad$/"]).code, Some(1));
}
