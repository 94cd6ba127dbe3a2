//! What a scan finds in a line, what it refuses, and with which words.

use json_fields::{
    FieldPath, Kind, Scanner, canonical_string, compact, decode_string, splice_front, validate, without_members,
};

/// The text that one path finds, the same with and without shapes, the first time and the third.
fn find<'l>(path: &str, line: &'l str) -> Option<&'l str> {
    let path: FieldPath = path.parse().unwrap();
    let mut scanner = Scanner::new(std::slice::from_ref(&path));
    let first = scanner.scan(line.as_bytes()).unwrap().get(0);
    for _ in 0..2 {
        assert_eq!(scanner.scan(line.as_bytes()).unwrap().get(0), first);
    }
    first.map(|field| &line[field.start..field.end])
}

fn fault(line: &[u8]) -> String {
    let error = Scanner::new(&[]).scan(line).unwrap_err();
    assert_eq!(validate(line), Err(error));
    error.to_string()
}

#[test]
fn values_are_found_by_path_as_they_were_written() {
    let line = r#" { "user" : {"id" : 1.50e+07 , "tags":["x", {"y":[true]}]}, "odd key":"\u0041", "n":1e999 } "#;
    assert_eq!(find(".user.id", line), Some("1.50e+07"));
    assert_eq!(find("user.tags[0]", line), Some("\"x\""));
    assert_eq!(find("user.tags[1]", line), Some("{\"y\":[true]}"));
    assert_eq!(find("user.tags[1].y[0]", line), Some("true"));
    assert_eq!(find("user.tags[2]", line), None);
    assert_eq!(find("user.tags.x", line), None);
    assert_eq!(find("\"odd key\"", line), Some(r#""\u0041""#));
    assert_eq!(find("n", line), Some("1e999"));
    assert_eq!(find("missing", line), None);
    assert_eq!(find("n.x", line), None);
    assert_eq!(find(".", line), Some(line.trim()));
    assert_eq!(find(".", " 12 "), Some("12"));
    assert_eq!(find("[1]", "[1,[2]]"), Some("[2]"));
}

#[test]
fn a_path_that_finds_nothing_takes_the_member_that_has_its_whole_text_as_its_name() {
    assert_eq!(find("id.orig_h", r#"{"id.orig_h":"10.0.0.1"}"#), Some("\"10.0.0.1\""));
    assert_eq!(find(".r.h", r#"{"x":0,"r\u002eh":{"a":1}}"#), Some("{\"a\":1}"));
    assert_eq!(find("r.h", r#"{"r.h":1,"r":{"h":2}}"#), Some("2"));
    assert_eq!(find("r.h", r#"{"r":{"h":null},"r.h":1}"#), Some("null"));
    assert_eq!(find("r.h", r#"{"r":{"x":2},"r.h":1,"r.h":3}"#), Some("3"));
    assert_eq!(find("items[0]", r#"{"items[0]":7}"#), Some("7"));
    assert_eq!(find("[0].x", r#"{"[0].x":7}"#), Some("7"));
    assert_eq!(find("a.b.c", r#"{"a":{"b.c":1},"a.b":{"c":2}}"#), None);
    assert_eq!(find("r.h", r#"{"x":{"r.h":1}}"#), None);
    assert_eq!(find("r.h", r#"[{"r.h":1}]"#), None);
}

#[test]
fn several_paths_that_find_one_member_all_have_it() {
    let paths = FieldPath::parse_list("r.h,\"r.h\",r.h,r").unwrap();
    let mut scanner = Scanner::new(&paths);
    let lines =
        [r#"{"r.h":1}"#, r#"{"r.h":2}"#, r#"{"r":{"h":5},"r.h":6}"#, r#"{"n":1}"#, r#"{"n":2}"#, r#"{"r.h":3}"#];
    let expected = [
        [Some("1"), Some("1"), Some("1"), None],
        [Some("2"), Some("2"), Some("2"), None],
        [Some("5"), Some("6"), Some("5"), Some("{\"h\":5}")],
        [None; 4],
        [None; 4],
        [Some("3"), Some("3"), Some("3"), None],
    ];
    for (line, expected) in lines.iter().zip(expected) {
        let fields = scanner.scan(line.as_bytes()).unwrap();
        let found: Vec<Option<&str>> =
            fields.as_slice().iter().map(|field| field.map(|f| &line[f.start..f.end])).collect();
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn of_duplicate_keys_the_last_wins_whatever_it_is() {
    assert_eq!(find("a", r#"{"a":1,"b":2,"a":"x"}"#), Some("\"x\""));
    assert_eq!(find("a", r#"{"a":1,"\u0061":[2]}"#), Some("[2]"));
    assert_eq!(find("a.b", r#"{"a":{"b":1},"a":2}"#), None);
    assert_eq!(find("a.b", r#"{"a":{"b":1},"a":{}}"#), None);
    assert_eq!(find("a.b", r#"{"a":{"b":1,"b":2},"c":{"b":3}}"#), Some("2"));
    assert_eq!(find("a.b", r#"{"a":2,"a":{"b":{"b":1}}}"#), Some("{\"b\":1}"));
    assert_eq!(find("a[0].b", r#"{"a":[{"b":1}],"a":[{}]}"#), None);
}

#[test]
fn a_path_and_its_prefix_and_the_same_path_twice_are_all_found() {
    let paths = FieldPath::parse_list("a.b,a,.,a.b").unwrap();
    let line = br#"{"a":{"b":1}}"#;
    let mut scanner = Scanner::new(&paths);
    for _ in 0..3 {
        let fields = scanner.scan(line).unwrap();
        let texts: Vec<&[u8]> = fields.as_slice().iter().map(|field| field.unwrap().text(line)).collect();
        assert_eq!(texts, [&b"1"[..], b"{\"b\":1}", line, b"1"]);
        assert_eq!(fields.get(4), None);
    }
}

#[test]
fn a_field_says_what_it_is() {
    let line = br#"{"a":[null,false,true,-1.5,"s\n","s",{},[]]}"#;
    let paths: Vec<FieldPath> = (0..8).map(|index| format!("a[{index}]").parse().unwrap()).collect();
    let mut scanner = Scanner::new(&paths);
    let fields = scanner.scan(line).unwrap();
    let kinds: Vec<Kind> = fields.as_slice().iter().map(|field| field.unwrap().kind).collect();
    use Kind::{Array, False, Null, Number, Object, String, True};
    assert_eq!(kinds, [Null, False, True, Number, String, String, Object, Array]);
    assert!(fields.get(4).unwrap().escaped && !fields.get(5).unwrap().escaped);
    assert_eq!(fields.get(4).unwrap().string_body(line), br"s\n");
    assert_eq!(fields.get(3).unwrap().string_body(line), b"-1.5");
}

#[test]
fn what_is_not_json_says_where_and_why() {
    for (line, message) in [
        ("", "not JSON at byte 0: end of line, expected a value"),
        (" ", "not JSON at byte 1: end of line, expected a value"),
        ("{", "not JSON at byte 1: end of line, expected a key or '}'"),
        ("{,", "not JSON at byte 1: expected a key or '}'"),
        ("{\"a\":1,}", "not JSON at byte 7: expected a key"),
        ("{\"a\" 1}", "not JSON at byte 5: expected ':'"),
        ("{\"a\":}", "not JSON at byte 5: expected a value"),
        ("{\"a\":1 \"b\"", "not JSON at byte 7: expected ',' or '}'"),
        ("{\"a\":1", "not JSON at byte 6: end of line, expected ',' or '}'"),
        ("{\"a\":1]", "not JSON at byte 6: expected ',' or '}'"),
        ("[1}", "not JSON at byte 2: expected ',' or ']'"),
        ("[1,]", "not JSON at byte 3: expected a value"),
        ("{} {}", "not JSON at byte 3: expected the end of the line"),
        ("\"a", "not JSON at byte 2: end of line inside a string"),
        ("\"a\\", "not JSON at byte 3: end of line inside a string"),
        ("\"a\tb\"", "not JSON at byte 2: control character in string"),
        ("\"a\\x\"", "not JSON at byte 2: invalid escape in string"),
        ("\"\\u12g4\"", "not JSON at byte 1: invalid escape in string"),
        ("\"\\u+123\"", "not JSON at byte 1: invalid escape in string"),
        ("\"\\ud800\"", "not JSON at byte 1: lone surrogate \\ud800"),
        ("\"\\uD800\\u0041\"", "not JSON at byte 1: lone surrogate \\ud800"),
        ("{\"\\udfff\":1}", "not JSON at byte 2: lone surrogate \\udfff"),
        ("01", "not JSON at byte 2: invalid number"),
        ("-", "not JSON at byte 1: invalid number"),
        ("[1.]", "not JSON at byte 3: invalid number"),
        ("[1.e5]", "not JSON at byte 3: invalid number"),
        ("1e+", "not JSON at byte 3: invalid number"),
        ("+1", "not JSON at byte 0: expected a value"),
        ("nul", "not JSON at byte 0: expected a value"),
        ("truex", "not JSON at byte 4: expected the end of the line"),
        ("\u{feff}{}", "not JSON at byte 0: expected a value"),
    ] {
        assert_eq!(fault(line.as_bytes()), message, "{line}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_found_anywhere() {
    assert_eq!(fault(b"{\"skipped\":[\"\xc3\xa9 \xff\"]}"), "not JSON at byte 16: invalid UTF-8");
    assert_eq!(fault(b"{\"\xc3\":1}"), "not JSON at byte 2: invalid UTF-8");
    assert_eq!(fault(b"\"\xed\xa0\x80\""), "not JSON at byte 1: invalid UTF-8");
    assert_eq!(fault(b"\"\xc0\xaf\""), "not JSON at byte 1: invalid UTF-8");

    let mut scanner = Scanner::new(&FieldPath::parse_list("a").unwrap());
    for _ in 0..3 {
        assert!(scanner.scan(b"{\"a\":\"plain\"}").is_ok());
        let error = scanner.scan(b"{\"a\":\"pl\xffin\"}").unwrap_err();
        assert_eq!(error.to_string(), "not JSON at byte 8: invalid UTF-8");
    }
}

#[test]
fn nesting_is_limited_and_never_a_crash() {
    let nested = |open: &str, close: &str, levels| format!("{}1{}", open.repeat(levels), close.repeat(levels));
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        let levels = 512 / open.matches(['[', '{']).count();
        assert_eq!(validate(nested(open, close, levels).as_bytes()), Ok(()));
        let message = fault(nested(open, close, levels + 1).as_bytes());
        assert!(message.ends_with("nesting deeper than 512"), "{message}");
        let message = fault(nested(open, close, 100_000).as_bytes());
        assert!(message.ends_with("nesting deeper than 512"), "{message}");
        let mut out = Vec::new();
        assert!(compact(nested(open, close, 100_000).as_bytes(), &mut out).is_err());

        let deep = nested(open, close, 100_000);
        let mut scanner = Scanner::new(&[]).with_depth_limit(200_000);
        assert!(scanner.scan(deep.as_bytes()).is_ok());
        let closed_wrongly = deep.replacen(close, "x", 1);
        assert!(scanner.scan(closed_wrongly.as_bytes()).is_err());
    }
    let mut scanner = Scanner::new(&[]).with_depth_limit(2);
    assert!(scanner.scan(b"[[1]]").is_ok());
    assert_eq!(scanner.scan(b"[[[1]]]").unwrap_err().to_string(), "not JSON at byte 2: nesting deeper than 2");
}

#[test]
fn mixed_levels_close_in_the_order_in_which_they_opened() {
    for levels in 60..200 {
        let open: String = (0..levels).map(|n| if n % 3 == 0 { "[" } else { "{\"a\":" }).collect();
        let close: String = (0..levels).rev().map(|n| if n % 3 == 0 { ']' } else { '}' }).collect();
        assert_eq!(validate(format!("{open}1{close}").as_bytes()), Ok(()));
        for wrong in 0..levels {
            let mut wrongly: Vec<u8> = close.bytes().collect();
            wrongly[wrong] ^= b']' ^ b'}';
            let line = [open.as_bytes(), b"1", &wrongly].concat();
            assert_eq!(validate(&line).unwrap_err().at, open.len() + 1 + wrong);
        }
    }
}

#[test]
fn members_are_spliced_in_front_and_nothing_else_changes() {
    for (line, members, want) in [
        (r#"{"a":1}"#, r#""x":2"#, r#"{"x":2,"a":1}"#),
        (" {  \"a\" : 1.0 }\r", r#""x":2,"y":3"#, " {\"x\":2,\"y\":3,  \"a\" : 1.0 }\r"),
        ("{}", r#""x":2"#, r#"{"x":2}"#),
        ("{ }", r#""x":2"#, r#"{"x":2 }"#),
        (r#"{"a":1}"#, "", r#"{"a":1}"#),
        ("{}", "", "{}"),
    ] {
        let mut scanner = Scanner::new(&[]);
        for _ in 0..2 {
            let mut out = Vec::new();
            let fields = scanner.scan(line.as_bytes()).unwrap();
            assert!(splice_front(line.as_bytes(), &fields, members.as_bytes(), &mut out));
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }
    let mut out = Vec::new();
    let mut scanner = Scanner::new(&[]);
    let fields = scanner.scan(b"[{}]").unwrap();
    assert!(!splice_front(b"[{}]", &fields, b"\"x\":2", &mut out));
    assert!(out.is_empty());
}

#[test]
fn members_are_taken_out_with_the_right_commas() {
    for (line, want) in [
        (r#"{"a":1,"b":2,"c":3}"#, r#"{"b":2,"c":3}"#),
        (r#"{"b":2,"a":1,"c":3}"#, r#"{"b":2,"c":3}"#),
        (r#"{"b":2,"c":3,"a":1}"#, r#"{"b":2,"c":3}"#),
        (r#"{"a":1,"b":2,"\u0061":[1,2]}"#, r#"{"b":2}"#),
        (r#"{"a":{"a":1,"b":[{}]}}"#, "{}"),
        (r#"{ "b": 1.0, "a": 1 , "b":{"a":1} } "#, r#"{ "b": 1.0, "b":{"a":1} } "#),
        (r#"{"b":[{"a":1}]}"#, r#"{"b":[{"a":1}]}"#),
        (r#"[{"a":1}]"#, r#"[{"a":1}]"#),
        (r#"{"a":1"#, r#"{"a":1"#),
        ("{ }", "{ }"),
    ] {
        let mut out = b"kept".to_vec();
        let dropped = without_members(line.as_bytes(), &["a", "z"], &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("kept{want}"));
        assert_eq!(dropped, line != want);
    }
}

#[test]
fn a_text_over_several_lines_is_put_on_one() {
    let mut out = b"kept".to_vec();
    let json = b"\n{\r\n\t\"a b\" : [ 1.00 ,\n\"x\\n y\" ] ,\n \"c\":{ } }\n";
    compact(json, &mut out).unwrap();
    assert_eq!(out, br#"kept{"a b":[1.00,"x\n y"],"c":{}}"#);
    assert!(compact(b"[1, 2,\n]", &mut out).is_err());
    assert_eq!(out, br#"kept{"a b":[1.00,"x\n y"],"c":{}}"#);
}

#[test]
fn a_string_has_one_canonical_spelling() {
    let want = "\"a\\\"\\\\/é\\n\\u0001😀\"".as_bytes();
    for spelling in [
        r#""a\"\\/é\n\u0001😀""#,
        r#""\u0061\u0022\u005c\/\u00e9\u000a\u0001\ud83d\ude00""#,
        r#""\u0061\"\\\/\u00E9\n\u0001\uD83D\uDE00""#,
    ] {
        assert_eq!(canonical_string(spelling.as_bytes()), want, "{spelling}");
        assert_eq!(decode_string(spelling.as_bytes()), "a\"\\/é\n\u{1}😀");
    }
    assert!(matches!(canonical_string(b"\"a\""), std::borrow::Cow::Borrowed(b"\"a\"")));
    assert_eq!(canonical_string(br#""\u0061""#), &b"\"a\""[..]);
}

#[test]
fn decoding_what_was_never_checked_does_not_panic() {
    for raw in
        [&b""[..], b"\"", b"\"\\", b"\"\\\"", b"\"\\u\"", b"\"\\ud800\"", b"\"\xff\\n\xff\"", b"\"\\u12\"", b"\\"]
    {
        let _ = decode_string(raw);
        let _ = canonical_string(raw);
    }
}

#[test]
fn a_line_of_many_megabytes_is_scanned() {
    let text = "x".repeat(10 << 20);
    let line = format!(r#"{{"pad":"{text}","n":[{}1],"a":"{text}é"}}"#, "1234567890,".repeat(100_000));
    assert_eq!(find("a", &line).unwrap().len(), text.len() + 4);
}
