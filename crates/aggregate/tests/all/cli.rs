//! The binary: flags, messages, exit codes.

use testkit::{Ran, bash, bin, run};

fn aggregate(args: &[&str], input: &str) -> Ran {
    run(env!("CARGO_BIN_EXE_aggregate"), args, input)
}

#[test]
fn flags_that_make_no_sense_are_usage_errors_with_a_way_out() {
    for (args, message, hint) in [
        (&["summ:v"][..], "unknown function \"summ\"", "count sum avg"),
        (&["sum(v)"][..], "unknown function \"sum(v)\"", "say sum:v"),
        (&["sum"], "sum needs a field, as in sum:FIELD", ""),
        (&["p101:v"], "percentile \"p101\" is not between p0 and p100", ""),
        (&["top:0:v"], "the bound is a whole number from 1 to 1000", ""),
        (&["sum:a..b"], "expected nothing, but found \"..\"", "fields begin with a dot there"),
        (&["sum:a", "sum:b"], "two results are named \"sum\"", "name one of them: NAME=sum:FIELD"),
        (&["count", "--by", "count"], "two members of a result line would be named \"count\"", "NAME=FUNCTION:FIELD"),
        (
            &["count", "--by", "window_start"],
            "two members of a result line would be named \"window_start\"",
            "windows are part",
        ),
        (&["count", "--value", "v"], "cannot be used with", ""),
        (&["--percentiles", "kll"], "unknown kind of percentiles \"kll\"", "ddsketch:0.01"),
        (&["--emit", "every:10"], "duration \"10\" has no unit", ""),
        (&["--emit", "often"], "say end, update or every:10s", ""),
        (&["--late", "keep"], "say reject or drop", ""),
        (&["--late", "pass"], "a late line cannot pass", "--keep-lines"),
        (&["--distinct", "hll"], "unknown way of counting different values \"hll\"", "hyperloglog, exact"),
        (&["sum:a?"], "there is no filter behind the question mark", "in brackets, (.a?)"),
        (&["count?a >"], "fields begin with a dot there", ""),
        (&["max_by:a"], "max_by needs two fields, as in max_by:price:bidder", ""),
        (&["count", "--by", "a,.b[:2]"], "the key \".b[:2]\" has no name", "day=.b[:2]"),
        (&["count", "--last", "0"], "say a number of lines (11) or a time (10m)", ""),
        (&["count", "--last", "3", "--emit", "update"], "cannot be used with", ""),
        (&["count", "--buffer", "1MiB"], "--last", ""),
        (&["p50:v", "--last", "3"], "cannot be of lines that leave again", "count, sum, avg"),
        (&["count", "--changes"], "written more than once", "--emit update"),
        (&["count", "--changes", "--emit", "update", "--ttl", "1h"], "cannot be used with", ""),
        (&["max:v", "--of-changes"], "cannot be of lines that leave again", "count, sum, avg, geomean"),
        (&["--max-keys", "0"], "invalid value '0'", ""),
        (&["--memory", "1MiB"], "1MiB is too little: at least 16MiB", ""),
        (&["--memory", "lots"], "lots", ""),
        (&["--memory", "1GiB", "--max-keys", "5"], "cannot be used with", ""),
        (&["--memory", "1GiB", "--overflow", "evict-oldest"], "cannot be used with", ""),
        (&["--memory", "1GiB", "--emit", "update"], "--memory is for windows and for --emit end", "--max-keys N"),
        (&["--memory", "1GiB", "--ttl", "1h"], "--memory is for windows and for --emit end", "--max-keys N"),
        (&["--spill-dir", "."], "--memory", ""),
        (&["--ttl", "5"], "duration \"5\" has no unit", ""),
        (&["--time-unit", "ms"], "--time", ""),
    ] {
        let ran = aggregate(args, "");
        ran.fails_with(2, message);
        assert!(ran.stderr.starts_with("aggregate: ") && ran.stderr.contains(hint), "{args:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty());
    }
}

#[test]
fn many_keys_are_sorted_as_few_are() {
    let lines: String = (0..70_000u64).map(|n| format!("{{\"k\":{}}}\n", n * 40_009 % 70_000)).collect();
    let sorted: String = (0..70_000).map(|k| format!("{{\"k\":{k},\"count\":1}}\n")).collect();
    assert!(aggregate(&["--by", "k", "count"], &lines).ok() == sorted);
}

#[test]
fn keys_beyond_memory_go_to_disk_and_leave_nothing_there() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    let lines: String = (0..400_000u64).map(|n| format!("{{\"k\":{},\"v\":{n}}}\n", n * 40_009 % 300_000)).collect();
    let args = ["--by", "k", "count", "sum:v", "max:v"];
    let ran = aggregate(&[&args[..], &["--memory", "16MiB", "--spill-dir", dir, "-v"]].concat(), &lines);
    assert!(ran.stderr.starts_with("aggregate: spilled "), "{}", ran.stderr);
    assert!(ran.ok() == aggregate(&args, &lines).ok());
    assert_eq!(std::fs::read_dir(dir).unwrap().count(), 0);
    let small = aggregate(&["--memory", "16MiB", "-v", "count"], "{}\n");
    assert!(!small.stderr.contains("spilled"), "{}", small.stderr);
}

#[test]
fn a_folder_for_spilling_that_is_not_there_is_told_at_once() {
    let ran = aggregate(&["--memory", "16MiB", "--spill-dir", "nowhere", "count"], "{}\n");
    ran.fails_with(1, "aggregate: keys beyond --memory cannot go to nowhere: No such file or directory\n");
    assert!(ran.stderr.contains("aggregate: hint: --spill-dir DIR takes another folder"), "{}", ran.stderr);
}

#[test]
fn a_bad_line_is_named_by_its_place() {
    let ran = aggregate(&["sum:v"], "{\"v\":1}\n{\"v\":\"x\"}\n");
    ran.fails_with(1, "aggregate: line 2, byte 8: field \"v\" is not a number: \"x\"\n");
    aggregate(&["sum:v"], "{\"v\":1e999}\n").fails_with(1, "field \"v\": number out of range: 1e999");
    aggregate(&["count", "--time", "t", "--emit", "every:1s"], "{}\n").fails_with(1, "no field \"t\"");
    aggregate(&["count", "--time", "t", "--emit", "every:1s"], "{\"t\":\"soon\"}\n").fails_with(1, "neither RFC 3339");
}

#[test]
fn rate_without_windows_says_what_to_do() {
    let ran = aggregate(&["rate"], "{}\n");
    ran.fails_with(2, "aggregate: rate is per second of a window, and the stream has lines without windows\n");
    assert!(ran.stderr.contains("aggregate: hint: put window --size 10s in front"), "{}", ran.stderr);
}

#[test]
fn late_lines_are_counted_and_warned_of() {
    let line = r#"{"window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z"}"#;
    let mark = r#"{"$":"watermark","time":"2026-11-22T10:01:00Z"}"#;
    let ran = aggregate(&["count", "-v"], &format!("{line}\n{mark}\n{line}\n"));
    assert!(
        ran.stderr.contains("line 3: late: the window [2026-11-22T10:00:00Z, 2026-11-22T10:00:10Z) was closed"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("in 2 = out 1 + late 1 + rejected 0 + held 0;"), "{}", ran.stderr);
    ran.ok();
}

#[test]
fn missing_and_null_fields_are_counted_with_verbose() {
    let input = "{\"v\":1}\n{\"v\":null}\n{}\n";
    let ran = aggregate(&["sum:v", "-v"], input);
    assert!(ran.stderr.contains("aggregate: field \"v\" was missing or null in 2 of 3 lines\n"), "{}", ran.stderr);
    assert!(aggregate(&["sum:v"], input).stderr.is_empty());
}

#[test]
fn a_field_that_is_in_no_line_is_told_in_any_case() {
    let ran = aggregate(&["sum:valeu", "max:v"], "{\"v\":1}\n{\"v\":2}\n{}\n");
    let said = "aggregate: field \"valeu\" was missing or null in 3 of 3 lines; the lines have: v\n";
    assert_eq!(ran.stderr, said);
    let swapped = aggregate(&["sum:valeu"], "{\"value\":1}\n").stderr;
    assert!(swapped.ends_with("the lines have: value\naggregate: hint: did you mean \"value\"?\n"), "{swapped}");
    ran.ok();
}

#[test]
fn a_full_table_of_keys_stops_with_what_to_do() {
    let ran = aggregate(&["--by", "k", "count", "--max-keys", "1"], "{\"k\":1}\n{\"k\":2}\n");
    ran.fails_with(1, "more than 1 keys");
    assert!(ran.stderr.contains("--max-keys N allows more"), "{}", ran.stderr);
}

#[test]
fn percentiles_by_every_method_are_close() {
    let input: String = (0..20_000).map(|n| format!("{{\"v\":{}}}\n", (n * 7_919) % 20_000 + 1)).collect();
    for (how, tolerance) in [("ddsketch:0.01", 0.01), ("tdigest", 0.01), ("exact", 0.000_01), ("reservoir:2000", 0.1)] {
        let out = aggregate(&["p50:v", "p99:v", "--percentiles", how, "--seed", "5"], &input).ok();
        for (name, exact) in [("\"p50\":", 10_000.5), ("\"p99\":", 19_800.0)] {
            let text = out.split(name).nth(1).unwrap().split([',', '}']).next().unwrap();
            let value: f64 = text.parse().unwrap();
            assert!((value / exact - 1.0).abs() <= tolerance, "{how} {name}{value}");
        }
        assert_eq!(out, aggregate(&["p50:v", "p99:v", "--percentiles", how, "--seed", "5"], &input).ok());
    }
}

#[test]
fn the_examples_of_the_help_run() {
    let help = aggregate(&["--help"], "").ok();
    let clicks = r#"{"timestamp":1700000000,"user":"a","site":"s","path":"/","page":"p","price":1.5,"latency":3,"status":200,"value":1,"sensor":"x","at":"2026-01-01T00:00:00Z"}"#;
    let examples: Vec<&str> =
        help.split("Examples:").nth(1).unwrap().lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    assert!(examples.len() >= 5);
    for example in examples {
        let example = if example.contains('<') { example.to_owned() } else { format!("{example} < x.ndjson") };
        let (command, _) = example.split_once('<').unwrap();
        // The input is that of the first program.
        let (first, rest) = command.split_once('|').unwrap_or((command, "cat"));
        let script = format!("printf '%s\\n' '{clicks}' | {first} | {rest}");
        let out = bash(&["aggregate", "window"], &script).ok();
        assert!(out.starts_with('{'), "{example}: {out}");
    }
}

#[test]
fn the_standard_job_is_exact() {
    let Some(gen_py) = testkit::shared("job/gen.py") else { return };
    let window = bin("window");
    let job = gen_py.parent().unwrap().display();
    let script = format!(
        "dir=$(mktemp -d); trap 'rm -r $dir' EXIT
         python3 {job}/gen.py 60000 $dir/ev; python3 {job}/oracle.py $dir/ev $dir/or
         {} --size 10s --time timestamp --lateness 2s < $dir/ev \
         | aggregate --by key count sum:value avg:value min:value max:value p50:value p90:value p95:value p99:value \
         | python3 {job}/check.py $dir/or -",
        window.display()
    );
    let verdict = bash(&["aggregate"], &script).ok();
    assert!(verdict.contains("\"verdict\": \"exact\""), "{verdict}");
}

#[test]
fn a_member_called_dollar_makes_no_mark() {
    let input = "{ \"$\":\"end\",\"v\":2}\n{ \"$\":\"hello\",\"v\":3}\n";
    for args in [&["--by", "$", "count"][..], &["--by", "$", "count", "--emit", "update"]] {
        let out = aggregate(args, input).ok();
        assert_eq!(out, "{ \"$\":\"end\",\"count\":1}\n{ \"$\":\"hello\",\"count\":1}\n");
    }
    assert_eq!(aggregate(&["$=count", "sum:v"], input).ok(), "{ \"$\":2,\"sum\":5}\n");
    let out = aggregate(&["--by", "$", "count", "--emit", "update", "--changes"], input).ok();
    assert!(out.starts_with("{\"op\":\"insert\",\"$\":\"end\",\"count\":1}\n"), "{out}");
}

#[test]
fn a_key_that_no_line_had_is_told_with_what_the_lines_have() {
    let input = "{\"path\":\"/a\",\"ms\":1}\n{\"path\":\"/b\",\"ms\":2}\n";
    for threads in ["1", "3"] {
        let ran = aggregate(&["--by", "path,pathh", "count", "--threads", threads], input);
        let said = "aggregate: 2 lines, none had \"pathh\"; the lines have: path, ms\naggregate: hint: did you mean \"path\"?\n";
        assert_eq!(ran.stderr, said);
    }
    assert_eq!(aggregate(&["--by", "path", "count"], input).stderr, "");
    assert_eq!(aggregate(&["--by", "pathh", "count"], "").stderr, "");
}
