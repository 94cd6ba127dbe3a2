use testkit::{run, run_bytes};

const REPORT: &str = env!("CARGO_BIN_EXE_report");
const LINE: &str = "{\"time\":\"2026-01-01T00:00:00Z\",\"host\":\"a\",\"v\":1.50}\n";

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &[&str], words: &str| run(REPORT, flags, "").fails_with(2, words);
    fails(&[], "report: nothing to draw\nreport: hint: say for example --line value --by host");
    fails(&["--line", "v", "--band", "lower"], "--band takes two values\nreport: hint: say --band lower,upper");
    fails(&["--table", "--line", "v", "--span", "0s"], "--span must be more than 0\nreport: hint: say --span 15m");
    fails(&["--table=v", "--band", "a,b"], "--band is around a line\nreport: hint: say --line value");
    fails(&["--table=v", "--anomaly", "a"], "--anomaly marks points of a line\nreport: hint: say --line value");
    fails(&["--line", "v", "--listen", "everywhere"], "say 8080, 127.0.0.1:8080");
    fails(&["--line", "v", "--listen", "0.0.0.0:0"], "others can reach this address\nreport: hint: --token");
    fails(&["--line", "v", "--renew", "10s"], "--renew writes files again\nreport: hint: say which: --svg FILE");
    fails(&["--line", "v", "--top", "0"], "0 is not in 1..=200");
}

#[test]
fn panels_of_a_file_stand_before_those_of_flags() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("panels.toml");
    std::fs::write(
        &file,
        "title = \"T\"\nby = \"host\"\n[[panel]]\ntable = \"\"\n[[panel]]\ntitle = \"Now\"\nnumber = \"v\"\n",
    )
    .unwrap();
    let flags = ["--panels", file.to_str().unwrap()];
    let rows = "last line of each host\ntime                  host     v\n2026-01-01T00:00:00Z  a     1.50\n";
    let ran = run(REPORT, &flags, LINE);
    assert_eq!(ran.stderr, format!("T\n{rows}Now\na\n1.5  ▅\n1 line\n"));
    assert_eq!(ran.ok(), LINE);
    let ran = run(REPORT, &[&flags[..], &["--title", "U", "--bar", "w=.v * 2"]].concat(), LINE);
    assert!(
        ran.stderr.starts_with("U\nlast line of each host\ntime                  host     v  w\n"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("Now\na\n1.5  ▅\nw\na ") && ran.stderr.contains("█ 3\n"), "{}", ran.stderr);
}

#[test]
fn a_wrong_file_of_panels_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("panels.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "by = \"host\"\n[[panel]]\nlnie = \"v\"\n").unwrap();
    let words = format!("report: {path}: line 3: unknown field \"lnie\"");
    let ran = run(REPORT, &["--panels", path], LINE);
    assert!(
        ran.stderr.lines().count() == 2 && ran.stderr.contains("\nreport: hint: a panel is [[panel]] and"),
        "{}",
        ran.stderr
    );
    ran.fails_with(2, &words);
    std::fs::write(&file, "title = \"T\"\n").unwrap();
    run(REPORT, &["--panels", path], LINE).fails_with(2, "report: nothing to draw");
    run(REPORT, &["--panels", "/nowhere.toml"], LINE).fails_with(1, "report: /nowhere.toml: No such file or directory");
}

#[test]
fn without_a_terminal_the_panels_are_text_on_stderr_at_the_end() {
    let ran = run(REPORT, &["--number", "v", "--title", "T"], LINE);
    assert_eq!(ran.stderr, "T\nv\nv\n1.5  ▅\n1 line\n");
    assert_eq!(ran.ok(), LINE);
}

#[test]
fn with_files_there_is_no_text_unless_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.svg");
    let flags = ["--number", "v", "--svg", file.to_str().unwrap()];
    assert_eq!(run(REPORT, &flags, LINE).stderr, "");
    assert!(run(REPORT, &[&flags[..], &["--terminal"]].concat(), LINE).stderr.starts_with("report\nv\n"));
}

#[test]
fn on_a_terminal_the_panels_are_drawn_there_and_no_lines() {
    let command = format!("printf '%s' '{LINE}' | TERM=xterm {REPORT} --number v --by host");
    let shown = run("script", &["-qec", &command, "/dev/null"], "").stdout;
    assert!(shown.contains("\x1b[?2026h") && shown.contains("1.5"), "{shown}");
    assert!(!shown.contains("\"host\""), "no line is written over the panels: {shown}");
}

#[test]
fn a_field_that_no_line_had_is_told() {
    let ran = run(REPORT, &["--line", "vlaue"], LINE);
    assert!(ran.stderr.contains("1 line, none had \"vlaue\""), "{}", ran.stderr);
    assert!(ran.stderr.contains("no numbers yet"), "{}", ran.stderr);
}

#[test]
fn a_file_that_cannot_be_written_stops_it_before_the_first_line() {
    let ran = run(REPORT, &["--line", "v", "--svg", "/nowhere/a.svg"], LINE);
    ran.fails_with(1, "report: /nowhere/a.svg: No such file or directory");
    assert_eq!(ran.stdout, "");
    run(REPORT, &["--line", "v", "--png", "/"], LINE).fails_with(1, "report: /: is a directory");
}

#[test]
fn numbers_of_any_size_end_well() {
    let numbers = ["1e308", "-1e308", "5e-324", "0", "-0.0", "null", "1e999", "123456789012345678901234567890"];
    for x in ["1e308", "-1e308", "0", "1", "1e999"] {
        let line = |y: &&str| format!("{{\"x\":{x},\"v\":{y}}}\n{{\"x\":1,\"v\":{y}}}\n");
        let input: String = numbers.iter().map(line).collect();
        for panel in ["--line", "--bar", "--heat", "--number"] {
            let file = tempfile::tempdir().unwrap();
            let png = file.path().join("a.png");
            let flags = ["--x", "x", panel, "v", "--terminal", "--png", png.to_str().unwrap()];
            assert_eq!(run_bytes(REPORT, &flags, input.as_bytes()).ok(), input);
        }
    }
}
