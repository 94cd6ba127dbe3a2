//! Field paths: what is one, what is not, and how they are written back.

use json_fields::{FieldPath, Scanner};
use proptest::prelude::*;

fn path(text: &str) -> FieldPath {
    text.parse().unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn spellings_of_one_path_are_equal_and_shown_as_jq_takes_them() {
    for (spellings, shown, name) in [
        (&["id", ".id", "\"id\"", ".\"id\"", "[\"id\"]", ".[\"id\"]", "\"\\u0069d\""][..], ".id", "id"),
        (&["user.id", ".user.id", "user[\"id\"]", ".user.[\"id\"]"], ".user.id", "user.id"),
        (&["\"odd key\".x", ".[\"odd key\"].x"], ".\"odd key\".x", "odd key.x"),
        (&["items[0]", ".items.[0]", "items[00]"], ".items[0]", "items[0]"),
        (&["[3].x", ".[3].x"], ".[3].x", "[3].x"),
        (&["user-id", ".\"user-id\""], ".\"user-id\"", "user-id"),
        (&["é"], ".\"é\"", "é"),
        (&["\"\\\"\""], ".\"\\\"\"", "\""),
        (&["."], ".", "."),
    ] {
        for spelling in spellings {
            assert_eq!(path(spelling), path(spellings[0]), "{spelling}");
            assert_eq!(path(spelling).to_string(), shown);
            assert_eq!(path(spelling).name(), name);
        }
    }
}

#[test]
fn a_path_knows_the_top_level_member_it_is_in() {
    assert_eq!(path("user.id").top_level_key(), Some("user"));
    assert!(!path("user.id").is_top_level());
    assert_eq!(path("\"odd key\"").top_level_key(), Some("odd key"));
    assert!(path("\"odd key\"").is_top_level());
    assert_eq!(path(".").top_level_key(), None);
    assert_eq!(path(".[0]").top_level_key(), None);
    assert_eq!(FieldPath::key("a.b"), path("\"a.b\""));
}

#[test]
fn what_is_no_path_says_where() {
    for (text, message) in [
        ("", "empty field path"),
        ("..", "field path \"..\": no key at byte 1"),
        ("a.", "field path \"a.\": no key at byte 2"),
        ("a..b", "field path \"a..b\": no key at byte 2"),
        (
            "odd key",
            "field path \"odd key\": unexpected ' ' at byte 3; a name with such characters goes in quotes: .\"odd key\"",
        ),
        ("a,b", "field path \"a,b\": unexpected ',' at byte 1"),
        ("a\"b\"", "field path \"a\"b\"\": unexpected '\"' at byte 1"),
        ("a]", "field path \"a]\": unexpected ']' at byte 1"),
        (".\"a", "field path \".\"a\": the quoted key at byte 1 is no JSON string"),
        (".\"\\x\"", "field path \".\"\\x\"\": the quoted key at byte 1 is no JSON string"),
        ("a[]", "field path \"a[]\": expected an index or a quoted key in brackets at byte 1"),
        ("a[-1]", "field path \"a[-1]\": expected an index or a quoted key in brackets at byte 1"),
        ("a[0", "field path \"a[0\": expected an index or a quoted key in brackets at byte 1"),
        ("a[b]", "field path \"a[b]\": expected an index or a quoted key in brackets at byte 1"),
        (
            "[99999999999999999999]",
            "field path \"[99999999999999999999]\": expected an index or a quoted key in brackets at byte 0",
        ),
        (&"a.".repeat(200), "field path with more than 128 steps"),
    ] {
        assert_eq!(text.parse::<FieldPath>().unwrap_err().to_string(), message);
    }
}

#[test]
fn a_path_whose_names_need_quotes_is_told_with_them() {
    for (text, quoted) in [
        ("resource.labels.k8s-pod/app", r#".resource.labels."k8s-pod/app""#),
        (".t\u{1f642}", ".\"t\u{1f642}\""),
        ("a.b:c%", r#".a."b:c%""#),
    ] {
        let why = text.parse::<FieldPath>().unwrap_err().to_string();
        assert!(why.ends_with(&format!("; a name with such characters goes in quotes: {quoted}")), "{why}");
        assert_eq!(json_fields::with_quotes(text).as_deref(), Some(quoted));
    }
    for text in ["a / b", ".a/.b", "a,b", "a[0", "a\"b", ".a and .b", "a..b!", "a//b", "-"] {
        assert_eq!(json_fields::with_quotes(text), None, "{text}");
    }
}

#[test]
fn an_expression_in_place_of_a_path_is_told_what_makes_a_field_of_it() {
    for (text, made) in [
        ("hour=.at[:13]", ".hour = .at[:13]"),
        (".at[:13]", ".NAME = .at[:13]"),
        (".at | .[:13]", ".NAME = .at | .[:13]"),
        ("x=.a + 'b'", ".x = EXPRESSION"),
    ] {
        let why = text.parse::<FieldPath>().unwrap_err().to_string();
        assert!(why.ends_with(&format!("; a field is wanted here: parallel-map '{made}' makes one")), "{why}");
    }
}

#[test]
fn a_list_is_split_at_commas_outside_quotes() {
    let list = FieldPath::parse_list(r#"a,b.c,."odd, \"key\"","d\\",e"#).unwrap();
    let shown: Vec<String> = list.iter().map(FieldPath::to_string).collect();
    assert_eq!(shown, [".a", ".b.c", r#"."odd, \"key\"""#, r#"."d\\""#, ".e"]);
    assert_eq!(FieldPath::parse_list(r#""a\",b",c"#).unwrap(), [FieldPath::key("a\",b"), FieldPath::key("c")]);
    assert!(FieldPath::parse_list("a,\"b,c").is_err());
    assert!(FieldPath::parse_list("a,,b").is_err());
    assert!(FieldPath::parse_list("").is_err());
}

proptest! {
    #[test]
    fn any_key_is_found_by_its_path(key in "\\PC{0,8}|[\"\\\\.,\\[\\] \u{0}-\u{1f}a]{0,5}") {
        let made = FieldPath::key(&key);
        prop_assert_eq!(&made, &made.to_string().parse::<FieldPath>().unwrap());
        let line = serde_json::json!({ "other": 1, &key: "found" }).to_string();
        let mut scanner = Scanner::new(&[made]);
        let found = scanner.scan(line.as_bytes()).unwrap().get(0).unwrap();
        prop_assert_eq!(found.string_body(line.as_bytes()), b"found");
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[a.\\[\\]\"0-9 \\\\u,é-]{0,12}") {
        if let Ok(parsed) = text.parse::<FieldPath>() {
            prop_assert_eq!(&parsed, &parsed.to_string().parse::<FieldPath>().unwrap());
        }
    }
}
