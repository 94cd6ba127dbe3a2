//! What filters give on lines where jaq gave something else, or ended the process.

use jq_filters::{Arguments, Failure, Program};

/// The results, and the same on bytes and on values.
fn run(code: &str, line: &str) -> Result<String, String> {
    let program = Program::new(code, Arguments::default()).map_err(|wrong| wrong.message)?;
    let one = |program: &Program| {
        let mut filter = program.filter(1 << 20);
        let results = filter.run(line.as_bytes()).map_err(|failure| match failure {
            Failure::Line(why) => why,
            Failure::Halt(code) => format!("halt {code}"),
        })?;
        Ok(results.iter().map(|result| String::from_utf8_lossy(result).into_owned()).collect::<Vec<_>>().join(" "))
    };
    let result = one(&program);
    if program.is_raw() {
        assert_eq!(result, one(&program.without_raw()), "{code} on {line}");
    }
    result
}

fn gives(code: &str, line: &str, results: &str) {
    assert_eq!(run(code, line).as_deref(), Ok(results), "{code} on {line}");
}

fn fails(code: &str, line: &str, why: &str) {
    let failure = run(code, line).unwrap_err();
    assert!(failure.contains(why), "{code} on {line}: {failure}");
}

#[test]
fn what_is_missing_on_the_way_to_a_member_is_made() {
    gives(".meta.host = \"x\"", "{}", r#"{"meta":{"host":"x"}}"#);
    gives(".c[\"k\"] += 1", "{}", r#"{"c":{"k":1}}"#);
    gives(".tags[0] = 1", "{}", r#"{"tags":[1]}"#);
    gives("reduce (\"a\", \"b\") as $k (.; .[$k].n += 1)", "{}", r#"{"a":{"n":1},"b":{"n":1}}"#);
    gives(".a[:10]", "{}", "null");
    fails(".[0]", "{}", "cannot index {} with 0");
    fails(".a[0]", "{\"a\":{\"0\":1}}", "cannot index");
    gives(".a.b, .\"a.b\", .\"\".a", r#"{"a.b":1,"a":null,".a":2}"#, "null 1 null");
    gives(".a |= empty | keys_unsorted", r#"{"a":1,"b":2,"c":3}"#, r#"["b","c"]"#);
}

#[test]
fn a_group_that_took_no_part_in_a_match_is_null() {
    let line = r#"{"t":"GET /a?x=1 5"}"#;
    let pattern = r#""(?<m>[A-Z]+) (?<u>\\S+)( (?<v>HTTP\\S*))? (?<n>[0-9]+)$""#;
    gives(&format!(".t | capture({pattern})"), line, r#"{"m":"GET","u":"/a?x=1","v":null,"n":"5"}"#);
    gives(&format!("[.t | capture({pattern}) | .m, .v]"), line, r#"["GET",null]"#);
    gives(&format!(".t | [match({pattern}).captures[].string]"), line, r#"["GET","/a?x=1",null,null,"5"]"#);
    gives(&format!(".t | [match({pattern}).captures[2] | .offset, .length, .name]"), line, "[-1,0,null]");
    gives(".t | [scan(\"([A-Z])?(5)\")]", line, r#"[[null,"5"]]"#);
    gives(".t | gsub(\"(?<a>Z)?(?<b>G)\"; \"<\\(.a)\\(.b)>\")", line, r#""<nullG>ET /a?x=1 5""#);
}

#[test]
fn patterns_know_letters_digits_and_blanks_of_all_languages() {
    let line = r#"{"t":"MÜLLER é\u00a0٣ _x","u":"é"}"#;
    for (code, results) in [
        (".t | test(\"müller\"; \"i\")", "true"),
        (".t | test(\"(?i)müller\")", "true"),
        ("[.t | scan(\"\\\\w+\")]", r#"["MÜLLER","é","٣","_x"]"#),
        ("[.t | scan(\"\\\\W\")] | length", "3"),
        ("[.t | scan(\"\\\\s\")] | length", "3"),
        ("[.t | scan(\"\\\\d\")]", r#"["٣"]"#),
        ("[.t | match(\"\\\\b\\\\w\"; \"g\").offset]", "[0,7,9,11]"),
        ("[.t | scan(\"[[:alpha:]]+\")]", r#"["MÜLLER","é","x"]"#),
        ("[.t | scan(\"[[:upper:]]+\")]", r#"["MÜLLER"]"#),
        ("[.t | scan(\"[[:digit:][:space:]]\")] | length", "4"),
        ("[.u | test(\"^.$\"), test(\"^[^a]$\"), test(\"^\\\\w$\"), test(\"^\\\\W$\")]", "[true,true,true,false]"),
        (".u | gsub(\"\"; \"-\")", "\"-é-\""),
        ("[.u | scan(\"\")] | length", "2"),
        (".u | sub(\"(?<x>\\\\p{L})\"; .x + .x)", "\"éé\""),
        (".t | [match([\"É\", \"i\"]).offset]", "[7]"),
    ] {
        gives(code, line, results);
    }
    for line in [r#"{"t":"ab"}"#, r#"{"t":"äb"}"#] {
        for (code, results) in [
            ("(.t + \"\\nc\") | test(\"^c\")", "false"),
            ("(.t + \"\\nc\") | [test(\"b.c\"), test(\"b.c\"; \"p\")]", "[false,true]"),
        ] {
            gives(code, line, results);
        }
    }
}

#[test]
fn a_pattern_that_is_known_is_checked_before_the_first_line() {
    for (code, what) in [
        (".a | test(\"(\")", "line 1, column 12: the pattern \"(\" is wrong: unclosed group"),
        (
            "if false then sub(\"[\"; \"\") else . end",
            "column 20: the pattern \"[\" is wrong: unclosed character class",
        ),
        (".a |= gsub(\"(?=x)\"; \"\")", "look-around"),
        (".a | test(\"a\"; \"q\")", "'q' is no flag of a pattern"),
        ("[.a | splits(\"*\")]", "repetition operator missing expression"),
        (".a | test($p)", "the pattern \"[\" is wrong"),
    ] {
        let mut arguments = Arguments::default();
        arguments.push_text("p", "[");
        let wrong = Program::new(code, arguments).err().unwrap_or_else(|| panic!("{code}"));
        assert!(wrong.message.contains(what), "{code}: {}", wrong.message);
    }
    // A function of one's own is no pattern, and what is computed is known with the line.
    gives("def test(x): x; test(\"(\")", "{}", "\"(\"");
    fails(".a | test(.)", r#"{"a":"("}"#, "the pattern \"(\" is wrong");
}

#[test]
fn the_zone_of_a_time_counts() {
    for (text, format, seconds) in [
        ("10/Jun/2026:06:13:20 +0200", "%d/%b/%Y:%H:%M:%S %z", 1_781_064_800_i64),
        ("10/Jun/2026:06:13:20 +0000", "%d/%b/%Y:%H:%M:%S %z", 1_781_072_000),
        ("10/Jun/2026:06:13:20 -0330", "%d/%b/%Y:%H:%M:%S %z", 1_781_084_600),
        ("2026-06-10T06:13:20+02:00", "%Y-%m-%dT%H:%M:%S%z", 1_781_064_800),
        ("2026-06-10T06:13:20Z", "%Y-%m-%dT%H:%M:%S%z", 1_781_072_000),
        ("2026-06-10 06:13:20 Europe/Berlin", "%F %T %Q", 1_781_064_800),
        ("2026-06-10 06:13:20", "%F %T", 1_781_072_000),
        ("Wed, 10 Jun 2026 06:13:20 GMT", "%a, %d %b %Y %H:%M:%S %Z", 1_781_072_000),
        ("Wed Jun 10 06:13:20 UTC 2026", "%a %b %e %H:%M:%S %Z %Y", 1_781_072_000),
        ("1781064800", "%s", 1_781_064_800),
        ("2026-161", "%Y-%j", 1_781_049_600),
        ("26-06-10", "%y-%m-%d", 1_781_049_600),
        ("69-06-10", "%y-%m-%d", -17_712_000),
        ("68-06-10", "%y-%m-%d", 3_106_512_000),
        // Python: datetime.strptime(…, "%G-W%V-%u"), "%Y %U %w", "%Y %W %u".
        ("2026-W24-3", "%G-W%V-%u", 1_781_049_600),
        ("2026 23 3", "%Y %U %w", 1_781_049_600),
        ("2026 23 3", "%Y %W %u", 1_781_049_600),
        ("06:13:20 PM 2026-06-10", "%I:%M:%S %p %F", 1_781_115_200),
    ] {
        let code = format!("strptime(\"{format}\") | mktime");
        gives(&code, &format!("\"{text}\""), &seconds.to_string());
        let written = run(&format!("strptime(\"{format}\") | todate | fromdate"), &format!("\"{text}\""));
        assert_eq!(written, Ok(seconds.to_string()), "{text}");
    }
    fails("strptime(\"%F %Z\")", "\"2026-06-10 CST\"", "%Z takes UTC, GMT, UT or Z; %z takes an offset");
    gives("strptime(\"%d/%b/%Y:%H:%M:%S %z\")", "\"10/Jun/2026:00:13:20 +0200\"", "[2026,5,9,22,13,20,2,159]");
}

#[test]
fn times_of_any_form_are_compared_by_time_ms() {
    let line = r#"{"a":"2026-01-01T00:00:00.5Z","b":"2026-01-01T00:00:00Z","c":"2026-01-01T01:00:00+01:00","d":1767225600.25}"#;
    gives("[.a, .b, .c, .d | time_ms]", line, "[1767225600500,1767225600000,1767225600000,1767225600250]");
    gives("(.a | time_ms) > (.b | time_ms)", line, "true");
    gives("[.[]] | sort_by(time_ms) | .[0], .[-1]", line, "\"2026-01-01T00:00:00Z\" \"2026-01-01T00:00:00.5Z\"");
    for (time, ms) in [
        ("\"1700000000\"", "1700000000000"),
        ("\"1700000000.123\"", "1700000000123"),
        ("1700000000.123", "1700000000123"),
        ("\"1700000000123\"", "1700000000123"),
        ("\"1700000000123456\"", "1700000000123"),
        ("1700000000123456789", "1700000000123"),
        ("\"1.7e9\"", "1700000000000"),
        ("-1.5", "-1500"),
    ] {
        gives("time_ms", time, ms);
    }
    gives("(. + 0) | time_ms", "1700000000.123", "1700000000123");
    fails("time_ms", "\"01\"", "is neither RFC 3339 nor an epoch number");
    fails("time_ms", "1e300", "is neither RFC 3339 nor an epoch number");
    fails(".a | time_ms", r#"{"a":"yesterday"}"#, "is neither RFC 3339 nor an epoch number");
    fails(".a | time_ms", "{}", "null is no time");
}

#[test]
fn what_would_end_the_process_or_fill_the_memory_is_a_bad_line() {
    // As much stack as the tools have at least.
    let thread = std::thread::Builder::new().stack_size(8 << 20).spawn(limits_hold).unwrap();
    thread.join().unwrap();
}

fn limits_hold() {
    for (code, line, why) in [
        ("def f(n): if n > 0 then f(n - 1) + 1 else 0 end; f(.)", "100000", "call each other too deep"),
        ("def f: if . > 0 then (. - 1 | f) + 1 else . end; f", "100000", "call each other too deep"),
        ("def f: try f catch ., f; f", "1", "call each other too deep"),
        ("[range(.)] | length", "1e12", "more than 10000000 steps"),
        ("try repeat(1) catch 2", "1", "more than 10000000 steps"),
        ("reduce range(.) as $i (0; [.])", "1000000", "nested too deep"),
        ("reduce range(.) as $i (0; {a: .})", "1000000", "nested too deep"),
        ("[limit(.; recurse([.]))] | length", "1000000", "nested too deep"),
        (
            // The numbers of the range are steps too, between the calls that look at the value.
            "def f($n): if $n == 0 then . else ([range(630)] | length) as $x | [.] | f($n - 1) end; f(9000) | length",
            "1",
            "nested too deep",
        ),
        ("reduce range(60) as $i (.; [., .])", "1", "longer than 1048576 bytes"),
        ("\"x\" * .", "1e18", "longer than 67108864 bytes"),
        ("reduce range(40) as $i (.s; . + .)", r#"{"s":"xxxxxxxx"}"#, "a text would be longer than 67108864 bytes"),
        ("reduce range(60) as $i (.; \"\\(.)\\(.)\")", "1", "a text would be longer than 67108864 bytes"),
        ("reduce range(40) as $i ([.]; . + .)", "1", "an array would have more than 4194304 elements"),
        ("reduce range(40) as $i (\"x\"; [., .] | add)", "1", "a text would be longer than 67108864 bytes"),
        ("def f(n): if n > 0 then (. += . | f(n - 1)) else . end; f(40)", "\"xx\"", "a text would be longer than"),
        ("reduce range(40) as $i (.; [., .]) | tojson", "1", "a text would be longer than 67108864 bytes"),
        ("reduce range(40) as $i (.; [., .]) | tostring", "1", "a text would be longer than 67108864 bytes"),
        ("reduce range(40) as $i (.; {a: ., b: .}) | @json", "1", "a text would be longer than 67108864 bytes"),
        ("reduce range(40) as $i (.; [., .]) | @text \"\\(.)\"", "1", "a text would be longer than 67108864 bytes"),
        (
            "[range(2) as $_ | reduce range(40) as $i (.; [., .])] | .[0] == .[1]",
            "1",
            "compares values that are too large",
        ),
        (
            "[range(2) as $_ | reduce range(40) as $i (.; [., .])] | .[0] < .[1]",
            "1",
            "compares values that are too large",
        ),
        ("reduce range(40) as $i (.; [., .]) | .a", "1", "cannot index [[[["),
        ("\"[\" * . | fromjson", "100000", "nested deeper than 512"),
        ("\"[\" * . | tonumber", "100000", "nested deeper than 512"),
        (".[.[0]] = 1", "[1000000000]", "beyond the longest array"),
        ("setpath([range(.)]; 1)", "100000", "more than 1000 keys"),
    ] {
        fails(code, line, why);
    }
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    for code in
        ["walk(.) == .", "fromstream(tostream) == .", "(.. |= .) == .", "(tojson | fromjson) == .", "flatten == [1]"]
    {
        gives(code, &deep, "true");
    }
    gives("def f: if . > 0 then (. - 1 | f) + 1 else . end; f", "300", "300");
    gives("last(range(.))", "100000", "99999");
}

#[test]
fn a_text_that_grows_slowly_or_is_added_up_is_as_long_as_it_is() {
    gives("reduce range(20) as $i (.s; . + .) | length", r#"{"s":"xx"}"#, "2097152");
    gives("[range(100000) | tojson] | add | length", "1", "488890");
    gives("[.[] | tojson] | join(\",\")", "[1,[2,{\"a\":3}]]", r#""1,[2,{\"a\":3}]""#);
    gives(
        "def f: [., .]; f == f, (f | tostring), \"<\\(f)>\", @json \"<\\(f)>\"",
        "1",
        r#"true "[1,1]" "<[1,1]>" "<[1,1]>""#,
    );
    gives("add, ([] | add), ({\"a\": [1], \"b\": [2]} | add)", "[1,2.5]", "3.5 null [1,2]");
}

#[test]
fn a_number_in_quotes_is_named_where_it_stops_a_computation() {
    let advice = |text: &str| format!("{text} is a text: tonumber makes a number of it, as does validate --coerce");
    fails(".ms + 1", r#"{"ms":"0.25"}"#, &advice("\"0.25\""));
    fails("1 - .ms", r#"{"ms":"3"}"#, &advice("\"3\""));
    assert!(!run(".ms + 1", r#"{"ms":"fast"}"#).unwrap_err().contains("tonumber"));
}
