use jq_filters::Arguments;
use millpipe::{Config, Counts, Rejects};
use proptest::prelude::*;

use super::*;

fn filter(code: &str, keeps: Keeps) -> Filter {
    Filter::new(&Program::new(code, Arguments::default()).unwrap(), keeps)
}

fn map(filter: &Filter, line: &str) -> (Result<(), Fault>, String, Counts) {
    let mut out = Out::new(&Config::new("filter").policy, Rejects::in_memory("filter"));
    let result = filter.map(line.as_bytes(), &mut out);
    (result, String::from_utf8(out.take()).unwrap(), out.counts())
}

/// What comes out of a line that is not bad: it, or nothing, and it is left out.
fn out(code: &str, keeps: Keeps, line: &str) -> String {
    let (result, out, counts) = map(&filter(code, keeps), line);
    assert_eq!((result, counts.settled + counts.left_out), (Ok(()), 1), "{code} on {line}");
    let lines = out.lines().count() as u64;
    assert_eq!((counts.lines_out, counts.settled), (lines, lines));
    out
}

#[test]
fn a_line_passes_untouched_when_a_result_is_true() {
    let line = r#" { "z":1.50, "a" : "\u0041", "z":2e0 } "#;
    for code in
        [".z == 2", "0", "\"\"", ".", "false, true", "true, false", "[]", ".a | test(\"^A$\")", ".. | select(. == 2)"]
    {
        assert_eq!(out(code, Keeps::True, line), format!("{line}\n"), "{code}");
        assert_eq!(out(code, Keeps::Others, line), "", "{code}");
    }
}

#[test]
fn false_null_and_nothing_drop_a_line() {
    for code in ["false", "null", "empty", ".nothing", "false, null", ".a > .b", ".[] | select(. > 9)", "first(empty)"]
    {
        assert_eq!(out(code, Keeps::True, r#"{"a":1,"b":2}"#), "", "{code}");
        assert_eq!(out(code, Keeps::Others, r#"{"a":1,"b":2}"#), "{\"a\":1,\"b\":2}\n", "{code}");
    }
}

#[test]
fn a_line_need_not_be_an_object() {
    for (line, passes) in [("7", true), ("\"x\"", true), ("null", false), ("[1]", true), ("false", false)] {
        assert_eq!(!out(".", Keeps::True, line).is_empty(), passes, "{line}");
    }
}

#[test]
fn a_line_on_which_the_filter_fails_is_bad_whether_others_are_kept_or_not() {
    for keeps in [Keeps::True, Keeps::Others] {
        for (code, line, why) in [
            (".a + 1", r#"{"a":"x"}"#, "cannot calculate \"x\" + 1"),
            ("true, error(\"late\")", "{}", "late"),
            (".a.b", r#"{"a":1}"#, "cannot index 1 with \"b\""),
        ] {
            let (result, out, counts) = map(&filter(code, keeps), line);
            assert_eq!(result, Err(Fault::Bad(why.to_owned())), "{code}");
            assert_eq!((out.as_str(), counts), ("", Counts::default()), "a bad line leaves no trace");
        }
        for line in ["", "{\"a\":1", "{} {}", "{\"a\":01}", "\"\u{1}\""] {
            assert!(matches!(map(&filter("true", keeps), line).0, Err(Fault::Bad(_))), "{line}");
        }
    }
}

#[test]
fn halt_ends_the_run() {
    let (result, ..) = map(&filter("halt(3)", Keeps::True), "1");
    assert_eq!(result, Err(Error::data("the filter halted with status 3").into()));
}

#[test]
fn a_line_does_not_see_the_one_before() {
    let filter = filter(".a", Keeps::True);
    assert!(map(&filter, "5").0.is_err());
    assert_eq!(map(&filter, r#"{"a":1}"#).1, "{\"a\":1}\n");
    assert_eq!(map(&filter, "{}").1, "");
}

/// What a condition on `a` and `b` means, written once more.
fn model(operator: &str, a: i64, b: i64) -> bool {
    match operator {
        "==" => a == b,
        "!=" => a != b,
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        ">=" => a >= b,
        other => panic!("{other}"),
    }
}

proptest! {
    #[test]
    fn conditions_choose_what_a_model_chooses(
        first in proptest::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]),
        second in proptest::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]),
        both: bool,
        constant in -3_i64..3,
        lines in proptest::collection::vec((-3_i64..3, -3_i64..3), 1..20),
    ) {
        let code = format!(".a {first} .b {} .b {second} ({constant})", if both { "and" } else { "or" });
        for (a, b) in lines {
            let (x, y) = (model(first, a, b), model(second, b, constant));
            let expected = if both { x && y } else { x || y };
            let line = format!("{{\"b\":{b},\"a\":{a}}}");
            prop_assert_eq!(!out(&code, Keeps::True, &line).is_empty(), expected, "{} on {}", &code, &line);
            prop_assert_eq!(out(&code, Keeps::Others, &line).is_empty(), expected, "not {} on {}", &code, &line);
        }
    }
}
