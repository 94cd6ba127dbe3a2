//! Filters that people write give what jaq alone gives, whichever way they are run.

use crate::both;

use both::{assert_same, both};

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
    "has(.key), has(\"nothing\")",
    "(.value | round), (.value | ceil), -(.value), (.status % 100), (.status / 7)",
    "{$s, $n, $o}",
    "{apple: \"0\", \"\": \"1\"}[.key | ascii_downcase? // \"\"]",
    "select(.path | test(\"cart|x/$\"))",
    "(.path | capture(\"(?<version>v[0-9])\").version) // \"none\"",
    ".path | [scan(\"[a-z]+\")] | length",
    "[.path | scan(\"[a-z]+\")]",
    ".path |= sub(\"/\"; \"\")",
    ".path |= gsub(\"(?<word>[a-z]+)\"; .word | ascii_upcase)",
    ".key | IN(\"user-1\", \"user-2\")",
    ".status | IN($o.b[], 200)",
    ".path | split(\"/\") | length",
    ".path | split(\"/\")[2], split(\"/\")[-1]",
    ".path |= (split(\"/\") | map(ascii_upcase) | join(\"/\"))",
    ".path | indices(\"/\") | length",
    ".timestamp[11:13] | tonumber",
    "if .status == 1 then error(\"one\") else .key end",
];

const LINES: &[&str] = &[
    r#"{"timestamp":"2026-01-01T00:00:00.637Z","key":"user-950","value":13.07,"status":200,"path":"/api/v1/cart/4","host":"w"}"#,
    r#"{"timestamp":"2026-01-01T00:00:00Z","key":"user-1","value":1e3,"status":500,"path":"/api//x/","tags":["x","y",1.0]}"#,
    r#"{ "key" : "us\u0065r-1" , "value":-0, "status":404, "user":{"id":-0,"name":"é","id":7}, "tags":[] }"#,
    r#"{"key":"a\/b","value":0.1,"status":503.0,"path":"","user":null,"tags":[{"a":1,"a":2}],"key":"last"}"#,
    r#"{"value":12345678901234567890,"status":100000000000000000000,"user":{"id":{"x":[1, 2]}},"tags":null}"#,
    r#"{"value":-0,"status":2,"tags":[-0,{"a":-0}],"key":"-0"}"#,
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
        "[.path | scan(\"([a-z])([a-z]+)\")] | length",
        ".key as $p | .path | test($p)",
        "select(.status >= 500) | .tags | sort",
        "select(.status >= 500) | select(.key) | to_entries",
        ".user | to_entries",
        "[.tags[]?] | tojson",
        ".key as $k | reduce (.tags[]?) as $t ({}; .[$t | tostring] = $k)",
        "keys, (.path | test(\"x\"; \"n\"))",
        "try (.path | implode) catch .",
        "{a: .user, b: .tags} | tojson",
        ".[\"ke\" + \"y\" | ascii_downcase | explode | implode]",
        "..",
        "limit(1; .tags[]?)",
        "(.tags, .user, .path, .value) | try join(\"-\") catch .",
        "[.[] | tostring] | (join(\", \"), join(null), (try join(1) catch .))",
        "[] | join(\"x\")",
        "[1, null, \"é\", [2]] | try join(.[2]) catch .",
        "to_entries | (from_entries, map(.key))",
        ".tags | try to_entries catch .",
        "with_entries(select(.key != \"host\") | .value |= tostring)",
        "[[1, 2]] | try from_entries catch .",
        "{a: {key: \"x\", value: 1}, b: null} | try from_entries catch .",
        "[{key: \"x\"}, {key: \"x\", value: 2}, {value: 1, key: \"y\"}] | from_entries",
        "[.[] | try split(\"/\") catch .] | sort, (\"a\" | try split(1) catch .), (\"éa\" | split(\"\"))",
        "[.[] | isboolean, isnumber, isstring, isarray, isobject, not, type | tojson]",
        "(.key, .tags | empty) |= 1, (.key |= empty), ([empty] | length), [paths], (try path(true) catch .)",
        "[.path? | strings | scan(\"[a-z]+\"), test(\"API\"; \"i\"), test(\"x$\")]",
        "[.path? | strings | match(\"(?<a>a)|(?<p>p)(i)?\"; \"g\")]",
        "[.path? | strings | capture(\"/(?<first>[^/]*)/(?<second>v.)?\")]",
        "[.path? | strings | sub(\"/(?<x>.)\"; \"<\\(.x)>\"), gsub(\"\"; \"-\"), gsub(\"[/é]\"; \"\"), splits(\"/+\"; null)?]",
        "[.key? | strings | split(\"s|-\"; \"g\"), [match(\"é?\"; \"gn\").offset]]",
        "\"xéyéz\" | [match(\"é|z\"; \"g\") | .offset, .length, .string]",
        "[.path? | strings | scan(\"(/)(v1)?\"), scan(\"a|(p)\"), scan(\"\"), test(\"\"; \"n\"), test(\"^\", \"z\")]",
        "[.path? | strings | test(\"API\"; \"\", \"i\", \"ix\"), [capture(\"(?<a>[a-z])(?<b>.)?\"; \"g\")]]",
        "try (.value | test(\"x\"; null)) catch ., try (\"x\" | test(1)) catch .",
    ] {
        // Of these only `join` is worked out on bytes.
        assert_eq!(both(code).unwrap().0, code.contains("join("), "{code} is raw");
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
