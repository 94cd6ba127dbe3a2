//! What fits a schema, what does not and why, and what `--coerce` makes of it.
//!
//! Here and not in the crate: the schema's library takes more time to build than all else, and is built once this way.

use millpipe::{Exit, Fault, Map, OnError, Out, Policy, Rejects};
use proptest::prelude::*;
use serde_json::Value;
use std::path::Path;
use validate::{Schema, Validate};

fn schema(text: &str, formats: bool, coerces: bool) -> Schema {
    Schema::new(Path::new("schema.json"), text.as_bytes(), formats, coerces).unwrap()
}

fn map(schema: &Schema, line: &str) -> Result<String, String> {
    let policy = Policy { on_error: Some(OnError::Reject), ..Policy::default() };
    let mut out = Out::new(&policy, Rejects::in_memory("validate"));
    match Validate::new(schema).map(line.as_bytes(), &mut out) {
        Ok(()) => Ok(String::from_utf8(out.take()).unwrap().strip_suffix('\n').unwrap().to_owned()),
        Err(Fault::Bad(why)) => {
            assert_eq!(out.take(), b"", "a bad line leaves no trace");
            Err(why)
        }
        Err(other) => panic!("{other:?}"),
    }
}

const ORDER: &str = r##"{
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": {"type": "integer"},
    "paid": {"type": "boolean"},
    "at": {"type": "string", "format": "date-time"},
    "items": {"type": "array", "items": {"$ref": "#/$defs/item"}}
  },
  "$defs": {"item": {"type": "object", "properties": {"price": {"type": "number", "minimum": 0}, "odd key": {"type": ["integer", "null"]}}}}
}"##;

#[test]
fn a_line_that_fits_passes_as_it_is() {
    let line = " {\"id\":1e0, \"items\":[{\"price\":1.50}],\"x\":\"\\u00e9\"} \r";
    assert_eq!(map(&schema(ORDER, true, true), line), Ok(line.to_owned()));
}

#[test]
fn a_line_that_does_not_fit_says_where_and_why() {
    let order = schema(ORDER, true, false);
    let item = "/$defs/item/properties";
    for (line, why) in [
        ("{}", ".: \"id\" is a required property (schema: /required)".to_owned()),
        ("[]", ".: [] is not of type \"object\" (schema: /type)".to_owned()),
        (
            r#"{"id":1,"items":[{},{},{"price":"x"}]}"#,
            format!(".items[2].price: \"x\" is not of type \"number\" (schema: {item}/price/type)"),
        ),
        (
            r#"{"id":1,"items":[{"price":-1}]}"#,
            format!(".items[0].price: -1 is less than the minimum of 0 (schema: {item}/price/minimum)"),
        ),
        (
            r#"{"id":1,"items":[{"odd key":1.5}]}"#,
            format!(".items[0].\"odd key\": 1.5 is not of types \"null\", \"integer\" (schema: {item}/odd key/type)"),
        ),
        (r#"{"id":1,"at":"soon"}"#, ".at: \"soon\" is not a \"date-time\" (schema: /properties/at/format)".to_owned()),
    ] {
        assert_eq!(map(&order, line), Err(why));
    }
}

#[test]
fn formats_are_remarks_unless_they_are_asked_for() {
    let line = r#"{"id":1,"at":"soon"}"#;
    assert!(map(&schema(ORDER, false, false), line).is_ok());
}

#[test]
fn what_is_not_json_is_bad() {
    for (line, why) in
        [("{\"a\":tru}", "not JSON at byte 5"), ("{\"id\":1e999}", "number out of range"), ("{\"id\":1} 2", "")]
    {
        let found = map(&schema(ORDER, false, true), line).unwrap_err();
        assert!(found.contains(why), "{found}");
    }
}

#[test]
fn strings_become_what_the_schema_wants_and_no_other_byte_changes() {
    let order = schema(ORDER, true, true);
    for (line, expected) in [
        (
            r#"{ "id" : "17" , "x" : "17", "paid":"true","items":[{"price":"1.50"},{"price":2.0},{"odd key":"-3"}]} "#,
            r#"{ "id" : 17 , "x" : "17", "paid":true,"items":[{"price":1.50},{"price":2.0},{"odd key":-3}]} "#,
        ),
        (r#"{"id":"17.0","at":1767225600}"#, r#"{"id":17.0,"at":"2026-01-01T00:00:00Z"}"#),
        (r#"{"at":"1767225600500","id":"\u0031"}"#, r#"{"at":"2026-01-01T00:00:00.500Z","id":1}"#),
        (r#"{"id":"1","id":"2"}"#, r#"{"id":"1","id":2}"#),
        (r#"{"id":1,"at":"2026-01-01T00:00:00+01:00"}"#, r#"{"id":1,"at":"2026-01-01T00:00:00+01:00"}"#),
    ] {
        assert_eq!(map(&order, line).as_deref(), Ok(expected));
    }
}

#[test]
fn values_are_replaced_in_any_order_of_the_schema() {
    let both = r#"{"allOf":[{"properties":{"b":{"type":"integer"}}},{"properties":{"a":{"type":"integer"}}}]}"#;
    assert_eq!(map(&schema(both, false, true), r#"{"a":"1","b":"2"}"#).as_deref(), Ok(r#"{"a":1,"b":2}"#));
}

#[test]
fn what_is_not_what_the_schema_wants_stays_bad() {
    let order = schema(ORDER, true, true);
    for (line, why) in [
        (r#"{"id":"17.5"}"#, ".id: \"17.5\" is not of type \"integer\""),
        (r#"{"id":" 17"}"#, ".id: \" 17\" is not of type \"integer\""),
        (r#"{"id":"017"}"#, ".id: \"017\" is not of type \"integer\""),
        (r#"{"id":""}"#, ".id: \"\" is not of type \"integer\""),
        (r#"{"id":1,"paid":"yes"}"#, ".paid: \"yes\" is not of type \"boolean\""),
        (r#"{"id":1,"paid":1}"#, ".paid: 1 is not of type \"boolean\""),
        (r#"{"id":"1","items":[{"price":"-1"}]}"#, ".items[0].price: -1 is less than the minimum of 0"),
    ] {
        let found = map(&order, line).unwrap_err();
        assert!(found.starts_with(why), "{found}");
    }
}

#[test]
fn a_wrong_schema_is_a_usage_error_with_its_place() {
    for (text, message, hint) in [
        ("{", "schema.json: no JSON, and so no schema: EOF while parsing an object at line 1 column 1", false),
        (r#"{"properties":{"a":{"type":"numbr"}}}"#, "schema.json: .properties.a.type: \"numbr\" is not valid", false),
        (r#"{"$ref":"http://localhost/other.json"}"#, "schema.json: ", true),
        (r##"{"$ref":"#/$defs/none"}"##, "schema.json: ", true),
    ] {
        let error = Schema::new(Path::new("schema.json"), text.as_bytes(), false, false).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.starts_with(message) && error.hint.is_some() == hint, "{error:?}");
    }
}

#[test]
fn the_draft_is_the_one_that_the_schema_names() {
    let tuple = r#""items":[{"type":"integer"}]"#;
    let old = schema(&format!(r#"{{"$schema":"http://json-schema.org/draft-07/schema#",{tuple}}}"#), false, false);
    assert!(map(&old, "[1,\"x\"]").is_ok() && map(&old, "[\"x\"]").is_err());
    assert!(Schema::new(Path::new("s"), format!("{{{tuple}}}").as_bytes(), false, false).is_err());
}

proptest! {
    /// Whatever stands where an integer is wanted: only a string that is one is changed, and only its quotes go.
    #[test]
    fn only_quotes_around_integers_go(
        values in proptest::collection::vec("(-?[0-9]{1,4}|[0-9]\\.[0-9]|\"-?[0-9]{1,4}\"|\"[0-9]\\.[0-9]\"|\"[a-z ]{0,3}\"|null|true)", 0..6),
        space in " {0,2}",
    ) {
        let list = schema(r#"{"items":{"type":"integer"}}"#, false, true);
        let line = format!("[{space}{}{space}]", values.join(&format!("{space},{space}")));
        prop_assume!(serde_json::from_str::<Value>(&line).is_ok());
        let integer = |text: &str| text.parse::<f64>().ok().filter(|number| number.fract() == 0.0).is_some();
        let is_json = |text: &str| serde_json::from_str::<Value>(text).is_ok();
        let wanted: Vec<Option<&str>> = values.iter().map(|value| {
            let bare = value.trim_matches('"');
            (integer(bare) && is_json(bare) && !bare.contains(' ')).then_some(bare)
        }).collect();
        let expected = wanted.iter().copied().collect::<Option<Vec<_>>>().map(|values| format!("[{space}{}{space}]", values.join(&format!("{space},{space}"))));
        prop_assert_eq!(map(&list, &line).ok(), expected);
    }
}

/// Each definition refers to the next one twice.
fn doubling(levels: usize) -> String {
    let definition = |level: usize| {
        let next = level + 1;
        format!(r##""d{level}":{{"allOf":[{{"$ref":"#/$defs/d{next}"}},{{"$ref":"#/$defs/d{next}"}}]}}"##)
    };
    let all: Vec<String> = (0..levels).map(definition).collect();
    format!(r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d{levels}":{{"type":"object"}}}}}}"##, all.join(","))
}

#[test]
fn references_that_double_with_each_definition_are_refused() {
    let new = |text: &str| Schema::new(Path::new("s.json"), text.as_bytes(), false, false);
    for levels in [20, 30, 60, 190] {
        let error = new(&doubling(levels)).err().unwrap();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.to_string().contains("would look at one value more than 100000 times"), "{error}");
    }
    let few = new(&doubling(8)).unwrap();
    assert_eq!(map(&few, "{}"), Ok("{}".to_owned()));
    // Circles are no product: a tree, and two that refer to each other.
    let tree =
        r##"{"$ref":"#/$defs/n","$defs":{"n":{"properties":{"l":{"$ref":"#/$defs/n"},"r":{"$ref":"#/$defs/n"}}}}}"##;
    assert_eq!(map(&new(tree).unwrap(), r#"{"l":{"r":{}}}"#), Ok(r#"{"l":{"r":{}}}"#.to_owned()));
    assert!(
        new(r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"allOf":[{"$ref":"#/$defs/a"}]}}}"##)
            .is_ok()
    );
}
