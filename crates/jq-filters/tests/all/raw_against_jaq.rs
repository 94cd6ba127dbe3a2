//! The raw way gives what jaq alone gives: results, messages and truth, byte for byte, for generated filters and lines.

use crate::both;

use both::{assert_same, assert_same_decimals};
use proptest::prelude::*;
use proptest::sample::select;

const KEYS: &[&str] = &["a", "b", "c", "key", "x y", "é", "", "$", "\\u0061", "a\\n"];
const STRINGS: &[&str] = &[
    "",
    "a",
    "b",
    "user-1",
    "/api/v1/x",
    "A\u{7f}z",
    "é漢😀",
    "tab\\t\\\"q\\\"",
    "\\u0041\\/\\ud83d\\ude00",
    "12",
    " 1.50 ",
    "1e3",
    "-0",
    "+1",
    "nan",
    "0x1",
    "1.50",
    "12345678901234567890",
    "2026-01-01T00:00:00Z",
    "08",
    "007",
    "a/b//c",
    "é/1/a",
];
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-0.0",
    "0.0",
    "1",
    "2",
    "-1",
    "3",
    "13.07",
    "1.0",
    "1.50",
    "0.1",
    "0.2",
    "1e3",
    "1E-7",
    "1e308",
    "1e999",
    "-1e999",
    "100000000000000000000",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "123456789012345678",
    "0.1000000000000000055511151231257827",
    "123456789.123456789",
    "200",
    "500",
];

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        1 => Just("null".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
        4 => select(NUMBERS).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => any::<f64>().prop_filter("JSON has no others", |f| f.is_finite()).prop_map(|f| format!("{f:?}")),
        1 => (-10_000_i64..10_000).prop_map(|n| format!("{}.{:02}", n / 100, n.abs() % 100)),
        4 => select(STRINGS).prop_map(|text| format!("\"{text}\"")),
        1 => any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = String> {
    let member = (select(KEYS), value, select(&["", "", "", " "][..]))
        .prop_map(|(key, value, space)| format!("\"{key}\":{space}{value}{space}"));
    proptest::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// Mostly objects, some with space around, some that are something else, some broken.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        16 => object(json().boxed()),
        2 => json(),
        1 => object(json().boxed()).prop_map(|line| format!(" {line}\r")),
        1 => (object(json().boxed()), any::<prop::sample::Index>()).prop_map(|(line, at)| {
            let at = at.index(line.len());
            line.char_indices().filter(|(index, _)| *index != at).map(|(_, c)| c).collect()
        }),
    ]
}

const LEAVES: &[&str] = &[
    ".",
    ".a",
    ".b",
    ".c",
    ".key",
    ".\"x y\"",
    ".[\"é\"]",
    ".a.b",
    ".a[0]",
    ".a[-1]",
    ".b.a?",
    ".a[0].b",
    ".\"\"",
    "1",
    "2.50",
    "-1",
    "0",
    "1e3",
    "100000000000000000000",
    "\"a\"",
    "\"user-\"",
    "\"\\u00e9\\n\"",
    "null",
    "true",
    "false",
    "$s",
    "$n",
    "$o",
    "[]",
    "{}",
    "empty",
    ".a[1:]",
    ".a[:2]",
    ".key[-2:]",
    ".b[1:-1]",
    "error",
    "first",
    "last",
    "nan",
    "infinite",
    ".[]",
    ".a[]",
    ".a[]?",
    ".[0]",
    ".[\"a\", \"b\"]",
    "$o.b[1]",
];
const UNARY: &[&str] = &[
    "(@)",
    "(@ | not)",
    "(@ | length)",
    "(@ | type)",
    "(@ | ascii_downcase)",
    "(@ | ascii_upcase)",
    "(@ | tostring)",
    "(@ | tonumber)",
    "(@ | floor)",
    "(@ | round)",
    "(@ | ceil)",
    "(@ | abs)",
    "(@ | utf8bytelength)",
    "(@ | isnumber)",
    "(@ | isstring)",
    "(@ | isarray)",
    "(@ | has(\"a\"))",
    "(@ | has(0))",
    "-(@)",
    "[@]",
    "{a: @}",
    "{key, v: (@)}",
    "{(@): 1}",
    "{a: 1, (@): .b}",
    "\"x\\(@)y\"",
    "select(@)",
    "(@ | values)",
    "(@ | .a)",
    "(@ | .[0])",
    "(@ | map(. + 1))",
    "[@ | .[]?]",
    "(.a |= (@))",
    "(.a = (@))",
    "(.c += (@))",
    "(.b //= (@))",
    "(.a | .b = (@))",
    "del(.a, .c)",
    "(@ | del(.b))",
    "(@ | .a = 1)",
    "(@ as $x | [$x, .a])",
    "try (@) catch .",
    "(@ | . as $x | $x)",
    "(@)?",
    "(@ | tojson)",
    "(@ | keys)",
    "(@ | sort)",
    "{a: 1, a: (@)}",
    "{\"a\\(@)\": 1}",
    "{$s, x: (@)}",
    "[.[] | @]",
    "@text \"\\(@)\"",
    "(@ | to_entries)",
    "(@ | .a |= empty)",
    "(@ | .[1:])",
    "((@) as $x | (.b as $x | .c) | [., $x])",
    "(@ | test(\"a\"))",
    "(@ | test(\"A|1$\"; \"i\"))",
    "(@ | [scan(\"[a-z]\")])",
    "(@ | scan(\"1|a\") | . + \"x\")",
    "([@ | scan(\"1\")] | length)",
    "(@ | [scan(\"[/a]\")] | length)",
    "(@ | capture(\"(?<x>[a-z]+)(?<y>[0-9])?\"))",
    "(@ | capture(\"(?<x>[a-z]+)(?<y>[0-9])?\").y)",
    "((@ | capture(\"(?<x>1+)\").x) // \"none\")",
    "(@ | sub(\"[a-z]\"; \"<>\"))",
    "(@ | gsub(\"(?<x>[a-z])/?\"; .x + \"-\"))",
    "(@ | gsub(\"\"; \"-\"))",
    "(@ | gsub(\"a\"; empty))",
    "(@ | split(\"/\") | .[1])",
    "(@ | split(\"/\")[-2])",
    "(@ | split(\"1\") | length)",
    "(@ | join(\"-\"))",
    "([@, .b, 1.50] | join(\"/\"))",
    "(@ | split(\"/\") | map(ascii_upcase) | join(\"/\"))",
    "[@ | split(\"a\")[] | . + \"x\"]",
    "((@ | split(\"a\")) as $p | [$p[0], $p[1], $p])",
    "(@ | split(\"/\") | map(. + \"x\"))",
    "(@ | indices(\"1\") | length)",
    "(@ | indices(\"é\") | length)",
    "(@ | IN(1, \"a\", .b, empty, null))",
    "(@ | IN($o.b[]))",
    "$o[@]",
    "{a: 1, \"1\": [2, -0], b: \"\\u0041\"}[@]",
    "{a: 1, b: \"x\", c: {d: [1.50]}}",
];
const BINARY: &[&str] = &[
    // A text times a large number would take all memory.
    "if (@ | isnumber) and (% | isnumber) then @ * % else 3 * @ end",
    "@ + %",
    "@ - %",
    "@ / %",
    "@ % %",
    "@ == %",
    "@ != %",
    "@ < %",
    "@ <= %",
    "@ > %",
    "@ >= %",
    "@ and %",
    "@ or %",
    "@ // %",
    "(@ | %)",
    "(@, %)",
    "select(@) | %",
    "[@, %]",
    "{a: (@), b: (%)}",
    "@ as $y | % + $y",
    "if @ then % end",
    "if @ then . else % end",
    "(@ | startswith(%))",
    "(@ | endswith(%))",
    "(@ | contains(%))",
    "(@ | ltrimstr(%))",
    "(@ | rtrimstr(%))",
    "(@ | split(%))",
    "(@ | has(%))",
    "@ | select(%)",
    "{a: (@)} + (%)",
    "(@)[%]",
    "(@ | IN(%))",
    "reduce (@) as $i (0; . + (%))",
    "if @ then % elif .c then 1 else error(\"x\") end",
    "\"\\(@)-\\(%)\"",
];

fn fill(template: &str, first: &str, second: &str) -> String {
    let modulo = template.replace(" % %", " \u{1} %");
    modulo.replace('%', second).replace('@', first).replace('\u{1}', "%")
}

fn filter() -> impl Strategy<Value = String> {
    let leaf = select(LEAVES).prop_map(str::to_owned);
    // Many of many of many would take for ever.
    leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            2 => (select(UNARY), inner.clone()).prop_map(|(outer, inner)| fill(outer, &inner, "")),
            3 => (select(BINARY), inner.clone(), inner)
                .prop_map(|(outer, first, second)| format!("({})", fill(outer, &format!("({first})"), &format!("({second})")))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_filter_gives_what_jaq_gives_on_any_line(code in filter(), lines in proptest::collection::vec(line(), 1..5)) {
        assert_same(&code, &lines);
    }
}

/// Small patterns, most of them well-formed.
fn pattern() -> impl Strategy<Value = String> {
    const PARTS: &[&str] = &[
        "a",
        "b",
        "1",
        "/",
        ".",
        "[ab]",
        "[^a1]",
        "\\d",
        "\\w",
        "\\s",
        "\\b",
        "^",
        "$",
        "(a|b)",
        "(?<x>a)",
        "(?<y>.)",
        "(?:b1)",
        "*",
        "+",
        "?",
        "|",
        "{2}",
        "*?",
        "(",
        ")",
        "[",
        "]",
        "-",
        "\\.",
        "[[:alpha:]]",
        "é",
        "&&",
        "(?i)",
        "[a-z&&b]",
        "\\W",
    ];
    proptest::collection::vec(select(PARTS), 0..6).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_pattern_finds_what_jaq_finds(
        pattern in pattern(),
        flags in select(&["", "g", "i", "x", "n", "s", "l", "gi", "m", "p", "q"][..]),
        texts in proptest::collection::vec("[abAB1/ .\n-]{0,8}|[aé1]{0,4}", 1..5),
    ) {
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let lines: Vec<String> = texts.iter().map(|text| format!("{{\"a\":{}}}", quoted(text))).collect();
        let (pattern, flags) = (quoted(&pattern), quoted(flags));
        for code in [
            format!(".a | test({pattern}; {flags})"),
            format!(".a | capture({pattern}; {flags})"),
            format!(".a | capture({pattern}; {flags}).x"),
            format!(".a | scan({pattern}; {flags})"),
            format!("[.a | scan({pattern})] | length"),
            format!(".a | sub({pattern}; \"<\\(.x)>\"; {flags})"),
            format!(".a | gsub({pattern}; \"-\")"),
        ] {
            assert_same(&code, &lines);
        }
    }

    #[test]
    fn computing_with_decimals_is_the_same_in_both_ways(code in filter(), lines in proptest::collection::vec(line(), 1..5)) {
        assert_same_decimals(&code, &lines);
    }
}
