use super::*;
use crate::pattern::parse;

/// The text with its names, the values, and what registers keep, for a condition of `own`.
fn parsed(text: &str, own: Option<&str>) -> Result<(Parsed, Vec<Spec>, Vec<String>), String> {
    let (_, mut variables) = parse("A B* C").unwrap();
    variables.add_subset("U=A,B").unwrap();
    let own = own.map(|own| variables.find(own).unwrap());
    let mut collector = Collector::new(&variables, Vec::new());
    let parsed = collector.parse(text, own)?;
    let cells = collector.cells.iter().map(ToString::to_string).collect();
    Ok((parsed, collector.registers, cells))
}

fn cell(place: Place, offset: i64) -> Value {
    Value::Cell { place, offset, cell: 0, is_final: false }
}

const fn spec(variables: Mask, kept: Kept) -> Spec {
    Spec { variables, kept }
}

#[test]
fn functions_become_names_and_the_rest_stays() {
    let (parsed, registers, cells) = parsed(r#".v > FIRST(A.x) and "A.x" != A.x # A.x"#, Some("B")).unwrap();
    assert_eq!(parsed.text, r#".v > $__0 and "A.x" != $__1 # A.x"#);
    assert_eq!(parsed.values, [cell(Place::Register(0), 0), cell(Place::Register(1), 0)]);
    assert_eq!(registers, [spec(1, Kept::First(0)), spec(1, Kept::Last(0))]);
    assert_eq!(cells, [".x"]);
}

#[test]
fn the_last_row_of_its_own_variable_is_the_current_one() {
    let value = |text: &str, own| parsed(text, own).unwrap().0.values[0];
    for text in ["B.v", "LAST(B.v)", "LAST(.v, 0)", "U.v", "PREV(B.v, 0)"] {
        assert_eq!(value(text, Some("B")), cell(Place::Current, 0), "{text}");
    }
    assert_eq!(value("B.v", Some("A")), cell(Place::Register(0), 0));
    assert_eq!(value("LAST(B.v, 1)", Some("B")), cell(Place::Register(0), 0));
    assert_eq!(value("LAST(.v)", None), cell(Place::Current, 0));
    assert_eq!(value("B.v", None), cell(Place::Register(0), 0));
}

#[test]
fn prev_and_next_are_counted_from_where_first_and_last_are() {
    let value = |text: &str| parsed(text, Some("B")).unwrap().0.values[0];
    assert_eq!(value("PREV(.v)"), cell(Place::Current, -1));
    assert_eq!(value("NEXT(B.v, 3)"), cell(Place::Current, 3));
    assert_eq!(value("PREV(LAST(A.v), 3)"), cell(Place::Register(0), -3));
    assert_eq!(value("NEXT(PREV(RUNNING FIRST(.v, 2), 5))"), cell(Place::Register(0), -4));
}

#[test]
fn an_argument_is_an_expression_on_one_row() {
    let (parsed, registers, cells) = parsed("SUM(A.price * A.n + 1) / COUNT(U.*)", None).unwrap();
    assert_eq!((parsed.text.as_str(), cells[0].as_str()), ("$__0 / $__1", ".price * .n + 1"));
    assert_eq!(registers, [spec(1, Kept::Sum(0)), spec(3, Kept::Count(None))]);
    let (_, _, cells) = self::parsed(r#"LAST(A."x y".z) + A."x y".z"#, None).unwrap();
    assert_eq!(cells, [r#"."x y".z"#]);
}

#[test]
fn fields_are_bound_where_the_text_is_a_plain_computation() {
    let (_, variables) = parse("A B").unwrap();
    let mut collector = Collector::new(&variables, Vec::new());
    let mut bound = |text: &str| {
        let parsed = collector.parse(text, Some(1)).unwrap();
        let bound = collector.bind_fields(parsed).unwrap();
        (bound.text, bound.needs_row)
    };
    assert_eq!(bound(".v + 1 <= A.v and .v != \"x\""), ("$__1 + 1 <= $__0 and $__1 != \"x\"".into(), false));
    for text in [".v.w > A.v", ".v | not", ".v[0] == A.v", ". == A.v", "[.v] == A.v", "A.v.w > (.v).w", ".v? > A.v"] {
        assert!(bound(text).1, "{text}");
    }
}
