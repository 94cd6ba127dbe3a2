use super::*;

#[test]
fn csv_has_quotes_where_it_must_and_no_formulas() {
    let curve = |name: &str| Curve {
        name: name.to_owned(),
        slot: 0,
        is_hidden: false,
        points: vec![Point::new(0.0, 1.5), Point { x: 1.0, y: f64::NAN, low: 1.0, high: 2.0 }],
        dots: Vec::new(),
        last: 1.5,
    };
    let curves = vec![curve("a,\"b\""), curve("=1+1")];
    let panel = Panel { kind: Kind::Line, title: "p99".to_owned(), curves, table: None };
    let picture = Picture { panels: vec![panel], ..Picture::default() };
    let expected = "panel,series,x,value,lower,upper\np99,\"a,\"\"b\"\"\",0,1.5,,\np99,\"a,\"\"b\"\"\",1,,1,2\n\
                    p99,\"'=1+1\",0,1.5,,\np99,\"'=1+1\",1,,1,2\n";
    assert_eq!(picture.csv(), expected);
}
