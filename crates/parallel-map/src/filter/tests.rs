use millpipe::{Config, Counts, Rejects};
use proptest::prelude::*;

use super::*;
use jq_filters::{Arguments, Program};

fn filter(code: &str) -> Filter {
    Filter::new(&Program::new(code, Arguments::default()).unwrap(), 1 << 20)
}

fn map(filter: &Filter, line: &str) -> (Result<(), Fault>, String, Counts) {
    let mut out = Out::new(&Config::new("parallel-map").policy, Rejects::in_memory("parallel-map"));
    let result = filter.map(line.as_bytes(), &mut out);
    (result, String::from_utf8(out.take()).unwrap(), out.counts())
}

fn results(code: &str, line: &str) -> String {
    let (result, out, counts) = map(&filter(code), line);
    assert_eq!((result, counts.settled + counts.left_out), (Ok(()), 1), "{code} on {line}");
    assert_eq!(counts.left_out == 1, out.is_empty(), "{code} on {line}");
    assert_eq!(counts.lines_out, out.lines().count() as u64);
    out
}

fn why_bad(code: &str, line: &str) -> String {
    let (result, out, counts) = map(&filter(code), line);
    assert_eq!((out.as_str(), counts), ("", Counts::default()), "a bad line leaves no trace");
    match result {
        Err(Fault::Bad(why)) => why,
        other => panic!("{code} on {line}: {other:?}"),
    }
}

fn why_wrong(code: &str) -> (String, String) {
    let wrong = Program::new(code, Arguments::default()).err().unwrap();
    (wrong.message, wrong.hint.unwrap())
}

#[test]
fn a_line_gives_none_one_or_many() {
    assert_eq!(results("empty", "1"), "");
    assert_eq!(results(".a", r#"{"a":{"b":[1,2]}}"#), "{\"b\":[1,2]}\n");
    assert_eq!(results(".[]", "[1,\"x\",null]"), "1\n\"x\"\nnull\n");
}

#[test]
fn numbers_that_nobody_computes_with_keep_their_digits() {
    let line = "[1.50,1e2,-0.0,123456789012345678901234567890,0.1000000000000000055511151231257827]";
    assert_eq!(results(".", line), format!("{line}\n"));
}

#[test]
fn computed_numbers_are_written_as_jq_does() {
    assert_eq!(results("[3/2, 1.5+1.5, 1e3*1, 0.1+0.2, 1e300*10, nan, infinite, -infinite]", "0"), {
        "[1.5,3,1000,0.30000000000000004,1e+301,null,1.7976931348623157e+308,-1.7976931348623157e+308]\n"
    });
    assert_eq!(
        results("9007199254740993 + 0, 9223372036854775807 + 1", "0"),
        "9007199254740993\n9223372036854775808\n"
    );
    assert_eq!(results("\"+1.50\" | tonumber", "0"), "1.5\n");
}

#[test]
fn keys_keep_their_order_and_the_last_of_duplicates_wins() {
    assert_eq!(results(".", r#"{"z":1,"a":2,"z":3}"#), "{\"z\":3,\"a\":2}\n");
}

#[test]
fn data_never_becomes_a_mark() {
    assert_eq!(results(".", r#"{ "$":"end"}"#), "{ \"$\":\"end\"}\n");
    assert_eq!(results(r#"1, {"$": .}, {"a":{"$":1}}"#, "2"), "1\n{ \"$\":2}\n{\"a\":{\"$\":1}}\n");
}

#[test]
fn a_failure_is_a_bad_line_without_its_earlier_results() {
    assert_eq!(why_bad("1, 2, .a", "5"), "cannot index 5 with \"a\"");
    assert_eq!(why_bad("error(\"no \\(.)\")", "5"), "no 5");
    assert_eq!(why_bad("error", &format!("\"{}\"", "x".repeat(1000))).chars().count(), 300 + 2);
}

#[test]
fn what_is_not_json_is_a_bad_line_though_jaq_would_read_it() {
    for line in ["+1", "NaN", "[1] # comment", "{1:2}", "b\"x\"", "01", "1.", "Infinity", "'x'", "1 2"] {
        why_bad(".", line);
    }
}

#[test]
fn what_cannot_be_json_is_a_bad_line() {
    assert_eq!(why_bad("\"x\" | tobytes", "0"), "a result contains bytes, which JSON cannot");
    assert_eq!(why_bad("{(\"a\", 1): 2}", "0"), "a result has the key 1, and keys must be strings");
    assert_eq!(why_bad("nth(600; recurse([.]))", "0"), "a result is nested deeper than 512 levels");
    assert_eq!(results("nth(512; recurse([.]))", "0").len(), 2 * 512 + 2);
}

#[test]
fn endless_results_end_at_the_limit() {
    assert_eq!(why_bad("repeat(.)", "\"abc\""), "its results are longer than 1048576 bytes (--max-output)");
}

#[test]
fn halt_ends_the_run() {
    let (result, ..) = map(&filter("halt(3)"), "1");
    assert_eq!(result, Err(Error::data("the filter halted with status 3").into()));
}

#[test]
fn a_line_does_not_see_the_one_before() {
    let filter = filter(".a");
    assert!(map(&filter, "5").0.is_err());
    assert_eq!(map(&filter, r#"{"a":1}"#).1, "1\n");
}

#[test]
fn arguments_are_strings_or_json() {
    let mut arguments = Arguments::default();
    arguments.push_text("s", "a\"b");
    arguments.push_json("j", "[1,{\"x\":2}]").unwrap();
    let program = Program::new("$s, $j[1].x, .", arguments).unwrap();
    assert_eq!(map(&Filter::new(&program, 1 << 20), "0").1, "\"a\\\"b\"\n2\n0\n");
    let error = Arguments::default().push_json("j", "{x}").unwrap_err();
    assert!(error.message.starts_with("--argjson j: \"{x}\" is not JSON: "), "{error}");
}

#[test]
fn a_wrong_filter_is_shown_with_its_place() {
    for (code, message, hint) in [
        (".a | | .b", "line 1, column 6: expected term, but found \"|\"", ".a | | .b\n     ^"),
        ("1 +\n  foo(1; 2)", "line 2, column 3: there is no filter foo/2", "  foo(1; 2)\n  ^"),
        (". + $x", "line 1, column 5: there is no variable $x", ". + $x\n    ^"),
        ("[1, 2", "line 1, column 6: expected closing bracket, but the filter ends", "[1, 2\n     ^"),
        ("\"é\" | .a +", "line 1, column 11: expected term, but the filter ends", "\"é\" | .a +\n          ^"),
        ("", "line 1, column 1: expected term, but the filter ends", "\n^"),
    ] {
        let (seen, shown) = why_wrong(code);
        assert!(seen.starts_with(&format!("the filter, {message}")), "{code}: {seen}");
        assert_eq!(shown, hint, "{code}");
    }
}

/// Any JSON value as text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("JSON has no others", |f| f.is_finite()).prop_map(|f| format!("{f:?}")),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let member = (any::<String>(), inner.clone())
            .prop_map(|(key, value)| format!("{}:{value}", serde_json::to_string(&key).unwrap()));
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            proptest::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

proptest! {
    #[test]
    fn the_identity_changes_no_value(line in json()) {
        let out = results(".", &line);
        let before: serde_json::Value = serde_json::from_str(&line).unwrap();
        let after: serde_json::Value = serde_json::from_str(&out).unwrap();
        prop_assert_eq!(before, after);
    }
}
