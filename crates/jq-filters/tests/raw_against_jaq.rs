//! The raw way and the demand of members give what jaq alone gives: results, messages and truth, byte for byte.

use jq_filters::{Arguments, Filter, Program};
use proptest::prelude::*;
use proptest::sample::select;

fn arguments() -> Arguments {
    let mut arguments = Arguments::default();
    arguments.push_text("s", "user-\"1\"é");
    arguments.push_json("n", "2.50").unwrap();
    arguments.push_json("o", "{\"b\": [1, 2.0, -0], \"a\":\"\\u0041\"}").unwrap();
    arguments
}

/// The filter both ways; none when it is no filter.
fn both(code: &str) -> Option<(bool, Filter, Filter)> {
    let program = Program::new(code, arguments()).ok()?;
    Some((program.is_raw(), program.filter(1 << 16), program.without_raw().filter(1 << 16)))
}

fn results(filter: &mut Filter, line: &str) -> Result<Vec<String>, String> {
    let text = |result: &[u8]| String::from_utf8(result.to_vec()).unwrap();
    let results = filter.run(line.as_bytes()).map_err(|failure| format!("{failure:?}"))?;
    Ok(results.iter().map(text).collect())
}

fn truth(filter: &mut Filter, line: &str) -> Result<bool, String> {
    filter.passes(line.as_bytes()).map_err(|failure| format!("{failure:?}"))
}

fn assert_same(code: &str, lines: &[String]) {
    let Some((_, mut raw, mut jaq)) = both(code) else { return };
    for line in lines {
        assert_eq!(results(&mut raw, line), results(&mut jaq, line), "{code} on {line}");
        assert_eq!(truth(&mut raw, line), truth(&mut jaq, line), "truth of {code} on {line}");
    }
}

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
    "12345678901234567890",
    "2026-01-01T00:00:00Z",
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
    "..",
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
    leaf.prop_recursive(4, 12, 2, |inner| {
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

/// Filters that people write, which must be raw, on lines that have something in them.
const RAW: &[&str] = &[
    ".",
    ".key",
    "{key, v: (.value*2)}",
    "select(.status >= 500)",
    "select(.status >= 500 and (.path | startswith(\"/api\"))) | {key, ms: (.value * 1000 | floor)}",
    "select(.key == \"user-1\" or .key == $s)",
    ". + {seen: true}",
    ".value |= (. * 2)",
    ".value *= 3 | .status = (.status | tostring)",
    "del(.host, .path)",
    "\"\\(.key) \\(.status) \\(.value + 1)\"",
    "if .status == 500 then \"bad\" elif .status == 404 then \"gone\" else empty end",
    ".status, .key",
    "{(.key): .status}",
    "[.key, .tags[]]",
    ".tags[] | {tag: ., n: (. | length)}",
    ".user.id // \"none\"",
    ".user.id.x[0]",
    ".user.name as $n | {n: $n, both: ($n + \"-\" + .key)}",
    ".path | split(\"/\") | .[1]",
    "[.path | split(\"/\")[] | ascii_upcase]",
    "{d: .timestamp[:10], h: .timestamp[11:13]}",
    ".tags | map(select(. != \"x\"))",
    "select(has(\"user\")) | .user.id",
    "(.value | round), (.value | ceil), -(.value), (.status % 100), (.status / 7)",
    "{$s, $n, $o}",
    "if .status == 1 then error(\"one\") else .key end",
];

const LINES: &[&str] = &[
    r#"{"timestamp":"2026-01-01T00:00:00.637Z","key":"user-950","value":13.07,"status":200,"path":"/api/v1/cart/4","host":"w"}"#,
    r#"{"timestamp":"2026-01-01T00:00:00Z","key":"user-1","value":1e3,"status":500,"path":"/api//x/","tags":["x","y",1.0]}"#,
    r#"{ "key" : "us\u0065r-1" , "value":-0, "status":404, "user":{"id":-0,"name":"é","id":7}, "tags":[] }"#,
    r#"{"key":"a\/b","value":0.1,"status":503.0,"path":"","user":null,"tags":[{"a":1,"a":2}],"key":"last"}"#,
    r#"{"value":12345678901234567890,"status":100000000000000000000,"user":{"id":{"x":[1, 2]}},"tags":null}"#,
    r#"{"value":"x","status":1,"user":[1],"tags":{"a":"b"},"path":7,"timestamp":"é"}"#,
    r#"{"value":9223372036854775807,"status":-9223372036854775808}"#,
    r#"{"value":1.7976931348623157e308,"status":0,"key":""}"#,
    "{}",
    "[1]",
    "null",
    "7",
    "\"x\"",
    "{\"key\":",
    "",
];

#[test]
fn filters_that_people_write_are_raw_and_give_what_jaq_gives() {
    let lines: Vec<String> = LINES.iter().map(|line| (*line).to_owned()).collect();
    for code in RAW {
        assert!(both(code).unwrap().0, "{code} is not raw");
        assert_same(code, &lines);
    }
}

#[test]
fn other_filters_give_what_jaq_gives_on_the_members_that_they_ask_for() {
    let lines: Vec<String> = LINES.iter().map(|line| (*line).to_owned()).collect();
    for code in [
        "{key, t: (.timestamp | sub(\"T\"; \" \"))}",
        "[.path | scan(\"[a-z]+\")] | length",
        "select(.status >= 500) | .tags | sort",
        "select(.status >= 500) | select(.key) | to_entries",
        ".user | to_entries",
        "[.tags[]?] | join(\"-\")",
        ".key as $k | reduce (.tags[]?) as $t ({}; .[$t | tostring] = $k)",
        "keys, (.path | test(\"x\"))",
        "try (.path | test(\"x\")) catch ., .nothing",
        "{a: .user, b: .tags} | tojson",
        ".[\"ke\" + \"y\"]",
        "..",
        "limit(1; .tags[]?)",
    ] {
        assert!(!both(code).unwrap().0, "{code} is raw");
        assert_same(code, &lines);
    }
}

#[test]
fn deep_lines_and_many_results_meet_the_same_limits() {
    let deep = |levels| format!("{{\"a\":{}1{}}}", "[".repeat(levels), "]".repeat(levels));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(40_000));
    let lines = [deep(200), deep(300), deep(509), deep(511), deep(512), long];
    for code in
        [".", ".a", "{a: .a}", "[[.]]", "[[[.a]]]", ".b = .a", ".a, .a", "[.a, .a]", "{b: .} | .b", ". + {c: [.a]}"]
    {
        assert_same(code, &lines);
    }
}

#[test]
fn objects_of_many_members_are_the_same() {
    let members = |count: usize| (0..count).map(|n| format!("\"k{}\":{n}", n % 70)).collect::<Vec<_>>().join(",");
    let lines = [10, 63, 64, 65, 70, 71, 200].map(|count| format!("{{{}}}", members(count)));
    for code in
        [".", "{a: .}", ".k1", "length", "del(.k0)", ".k3 |= empty", ". + {k5: null, z: 1}", ".k2 += 1", "[.[]]"]
    {
        assert_same(code, &lines);
    }
}
