use testkit::{Ran, run, run_until_it_says};

fn window(flags: &str, input: &str) -> Ran {
    let args: Vec<&str> = flags.split_whitespace().collect();
    run(env!("CARGO_BIN_EXE_window"), &args, input)
}

#[test]
fn flags_that_do_not_go_together_say_what_does() {
    for (flags, message, hint) in [
        ("", "no windows", "say --size 10s, --session 30s --by FIELD or --count 100"),
        ("--size 10s --count 5", "more than one kind of windows", "take one of --size, --session and --count"),
        ("--slide 2s --session 5s", "--slide without --size", "say --size 10s --slide 2s"),
        ("--count 5 --slide 2s", "--slide is a duration", "say --slide-count 10 with --count"),
        ("--size 10s --slide-count 2", "--slide-count without --count", "say --count 100 --slide-count 10"),
        ("--session 5s --cumulate 1s", "--cumulate without --size", "say --size 1d --cumulate 1h"),
        ("--size 1h --cumulate 1m --slide 1m", "--cumulate and --slide", "windows either share their start or slide"),
        ("--size 10s --by k", "--by is for --session and --count", "aggregate --by makes groups in them"),
        ("--count 5 --timezone UTC", "--timezone without --size", "say --size 1d --timezone Asia/Taipei"),
        ("--session 5s --offset 1s", "--offset without --size", "say --size 1d --offset 6h"),
        ("--size 1d --slide 1h --timezone UTC", "--timezone and --slide", "hopping windows have one length"),
        ("--count 5 --late drop", "--late with --count", "no line is late"),
        ("--session 5s --buffer 1MiB", "--buffer without --session --expand", "only such sessions keep lines"),
        ("--size 10s --max-keys 5", "--max-keys with --size", "keep no keys"),
        ("--size 10s --slide 2s --late pass", "--late pass with windows of slices", "say --expand"),
        ("--session 5s --processing-time", "--processing-time without --size", "say --size 10s --processing-time"),
        ("--size 5s --processing-time --lateness 1s", "--processing-time with a flag", "either those of the clock"),
        ("--size 5s --processing-time --late drop", "--late with --processing-time", "no line is late"),
        ("--count 5 --lateness 1s", "--lateness with --count", "windows of a count know no time"),
        ("--count 5 --slide-count 9", "--slide-count 9 is more than --count 5", "would be in none"),
        ("--count 99999999 --slide-count 1 --plain", "--slide-count 1 is too fine", "10000 windows"),
        ("--session 0s", "--session 0s is not between", "say --session 30s"),
        ("--size 10s --slide 20s", "slide 20s is longer than size 10s", "would be in none"),
        ("--size 7h --timezone UTC", "size 7h does not divide a day", "a timezone needs"),
    ] {
        let ran = window(flags, "");
        ran.fails_with(2, &format!("window: {message}"));
        assert!(ran.stderr.contains("window: hint: ") && ran.stderr.contains(hint), "{flags}: {}", ran.stderr);
    }
}

#[test]
fn values_that_are_wrong_are_quoted() {
    for (flags, words) in [
        ("--size 10", "duration \"10\" has no unit: say 10s or 10ms"),
        ("--size 0s", "size \"0s\" is zero"),
        ("--size 1d --timezone Taipei", "unknown timezone \"Taipei\": say a name like Asia/Taipei"),
        ("--count 0", "invalid value '0'"),
        ("--session 5s --by a..b", "field path \"a..b\""),
        ("--size 5s --max-ahead 5", "duration \"5\" has no unit"),
        ("--session 5s --plain --buffer 5", "size \"5\" has no unit"),
    ] {
        window(flags, "").fails_with(2, words);
    }
}

#[test]
fn a_line_without_its_time_stops_with_its_place() {
    let ran = window("--size 10s", "{\"timestamp\":1}\n{\"time\":1}\n");
    let expected = "window: line 2, byte 16: no field \"timestamp\"; the line has \"time\"\nwindow: hint: --time FIELD says where the \
                    time is\nwindow: hint: --on-error reject";
    ran.fails_with(1, expected);
    assert!(ran.stdout.contains("\"window_start\":\"1970-01-01T00:00:00Z\""), "what was good is written");
}

#[test]
fn late_lines_are_warned_of_and_counted_at_the_end() {
    let input = "{\"timestamp\":50}\n{\"timestamp\":1}\n{\"timestamp\":2}\n";
    let ran = window("--size 10s -v", input);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        lines[0],
        "window: line 2: time 1970-01-01T00:00:01Z is late: its window up to 1970-01-01T00:00:10Z closed at watermark \
         1970-01-01T00:00:49.999Z; late lines are dropped and counted"
    );
    assert!(lines[1].starts_with("window: hint: a longer --lateness waits"), "{}", ran.stderr);
    assert_eq!(lines[2], "window: 2 late lines dropped");
    assert!(lines[3].contains("--marks"), "many late lines of no partition: {}", ran.stderr);
    assert!(lines[4].starts_with("window: in 3 = out 1 + late 2 + rejected 0 + held 0"), "{}", ran.stderr);
}

#[test]
fn lines_in_order_are_never_late() {
    let input = "{\"timestamp\":9.999}\n{\"timestamp\":9.999}\n{\"timestamp\":10}\n{\"timestamp\":10}\n";
    let ran = window("--size 10s -v", input);
    assert!(ran.stderr.starts_with("window: in 4 = out 4 + late 0"), "{}", ran.stderr);
    let (closed, open) = ran.stdout.split_once("\"time\":\"1970-01-01T00:00:09.999Z\"").unwrap();
    assert_eq!((closed.matches("9.999}").count(), open.matches(":10}").count()), (2, 1), "{}", ran.stdout);
}

#[test]
fn late_lines_can_be_kept_in_a_file() {
    let folder = std::env::temp_dir().join(format!("window-late-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("rejects");
    let input = "{\"timestamp\":50}\n{\"timestamp\":1}\n";
    window(&format!("--size 10s --late reject --rejects {}", file.display()), input).ok();
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.contains("\"line\":\"{\\\"timestamp\\\":1}\""), "{kept}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn the_examples_of_the_help_have_flags_that_exist() {
    let help = window("--help", "").ok();
    let examples = help.split("Examples:").nth(1).unwrap();
    let mut tried = 0;
    for example in examples.lines().filter(|line| line.trim_start().starts_with("window ")) {
        let flags = example.trim_start().trim_start_matches("window ").split(['<', '|']).next().unwrap();
        run("bash", &["-c", &format!("\"$0\" {flags}"), env!("CARGO_BIN_EXE_window")], "").ok();
        tried += 1;
    }
    assert!(tried >= 6, "{examples}");
}

#[test]
fn a_partition_with_nothing_to_read_closes_windows_after_the_idle_time() {
    let input = concat!(
        "{\"$\":\"from\",\"part\":\"a\"}\n{\"$\":\"from\",\"part\":\"b\"}\n{\"timestamp\":9.999}\n",
        "{\"$\":\"idle\",\"part\":\"a\",\"final\":false}\n"
    );
    let bin = env!("CARGO_BIN_EXE_window");
    let out =
        run_until_it_says(bin, &["--size", "10s", "--lateness", "0s", "--idle", "200ms"], input, "\"time\":\"").ok();
    assert!(out.ends_with("{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:09.999Z\"}\n"), "{out}");
}

#[test]
fn a_line_without_its_time_is_told_which_members_it_has() {
    let line = "{\"time\":\"2026-06-10 06:13:20\",\"host\":\"a\"}\n";
    let ran = window("--size 10s", line);
    ran.fails_with(1, "no field \"timestamp\"; the line has \"time\", \"host\"\nwindow: hint: --time time\n");
    let ran = window("--size 10s --time time", line);
    ran.fails_with(
        1,
        "time \"2026-06-10 06:13:20\" does not say its zone\nwindow: hint: --zone UTC, or --zone Europe/Berlin",
    );
    let ran = window("--size 10s --time time --zone Europe/Berlin --plain", line);
    assert!(ran.stdout.starts_with("{\"window_start\":\"2026-06-10T04:13:20Z\""), "{}{}", ran.stdout, ran.stderr);
    let ran = window("--size 10s --on-error reject", line);
    assert!(ran.stderr.contains("\"why\":\"no field \\\"timestamp\\\"; the line has"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("--time time"), "what is kept has no hint: {}", ran.stderr);
}

#[test]
fn seconds_that_are_read_as_milliseconds_are_doubted_aloud() {
    let ran = window("--size 10s --time-unit ms", "{\"timestamp\":1781064800}\n{\"timestamp\":1781064801}\n");
    let expected =
        "window: the number 1781064800 is taken for the time 1970-01-21T14:44:24.800Z (--time-unit ms)\nwindow: hint: ";
    assert_eq!(ran.stderr.matches(expected).count(), 1, "{}", ran.stderr);
    assert_eq!(
        window("--size 10s", "{\"timestamp\":1781064800}\n{\"timestamp\":5}\n").stderr.matches("taken for").count(),
        0
    );
}

#[test]
fn a_late_line_ends_no_checked_stream() {
    let hello = "{\"$\":\"hello\",\"v\":1,\"run\":\"r\",\"hop\":1}\n";
    let lines = "{\"timestamp\":50}\n{\"timestamp\":1}\nno JSON\n";
    let input = format!("{hello}{lines}{{\"$\":\"end\",\"lines\":3,\"drain\":true}}\n");
    let dropped = window("--size 10s -v", &input);
    assert!(dropped.stderr.contains("late lines are dropped and counted"), "{}", dropped.stderr);
    assert!(dropped.stderr.contains("window: 1 late line dropped\n"), "{}", dropped.stderr);
    assert!(dropped.stderr.contains("in 3 = out 1 + late 1 + rejected 1 + held 0"), "{}", dropped.stderr);
    let out = dropped.ok();
    assert_eq!(out.matches("{\"$\":\"reject\"").count(), 1, "the bad line goes to the sink: {out}");
    let kept = window("--size 10s --late reject", &input).ok();
    assert_eq!(kept.matches("{\"$\":\"reject\"").count(), 2, "{kept}");
}

#[test]
fn a_field_of_the_key_that_no_line_had_is_told_at_the_end() {
    let lines =
        "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"user\":1}\n{\"timestamp\":\"2026-01-01T00:00:01Z\",\"user\":2}\n";
    for flags in ["--session 30s --by usr", "--count 2 --by usr"] {
        let ran = window(flags, lines);
        let said = "window: 2 lines, none had \"usr\"; the lines have: timestamp, user\nwindow: hint: did you mean \"user\"?\n";
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), said), "{flags}");
        assert_eq!(window(&flags.replace("usr", "user"), lines).stderr, "", "{flags}");
    }
    let again = window("--count 2 --by user", lines).ok();
    assert_eq!(window("--count 2 --by user", &again).stderr, "", "lines with an annotation in front");
    let absent = window("--count 2 --by usr", &again).stderr;
    assert!(absent.starts_with("window: 2 lines, none had \"usr\""), "{absent}");
}
