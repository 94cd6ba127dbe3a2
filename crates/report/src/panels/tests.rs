use clap::Parser;

use super::*;
use crate::cli::Cli;
use crate::record::RecordReader;

fn store(flags: &[&str], lines: &[String]) -> Panels {
    let settings = Cli::try_parse_from([&["report"], flags].concat()).unwrap().settings().unwrap();
    let mut reader = RecordReader::new(&settings);
    let mut panels = Panels::new(settings);
    lines.iter().for_each(|line| panels.take(reader.read(line.as_bytes()).unwrap()));
    panels
}

fn picture(flags: &[&str], lines: &[&str]) -> Picture {
    let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    store(flags, &lines).picture(&View::default())
}

fn ys(curve: &Curve) -> Vec<f64> {
    curve.points.iter().map(|point| point.y).collect()
}

fn names(panel: &Panel) -> Vec<&str> {
    panel.curves.iter().map(|curve| curve.name.as_str()).collect()
}

#[test]
fn each_key_has_a_series_of_each_value() {
    let lines =
        [r#"{"time":1,"k":"a","v":5,"w":6}"#, r#"{"time":2,"k":"b","v":7,"w":8}"#, r#"{"time":3,"k":"a","v":9}"#];
    let one = picture(&["--by", "k", "--line", "v"], &lines);
    assert_eq!(names(&one.panels[0]), ["a", "b"]);
    assert_eq!(ys(&one.panels[0].curves[0]), [5.0, 9.0]);
    let two = picture(&["--by", "k", "--line", "v,w"], &lines);
    assert_eq!(names(&two.panels[0]), ["a · v", "a · w", "b · v", "b · w"]);
    assert_eq!((two.from, two.to), (1.0, 3.0));
    assert_eq!(names(&picture(&["--line", "v"], &lines).panels[0]), ["v"]);
}

#[test]
fn the_first_keys_are_shown_and_the_others_counted() {
    let lines: Vec<String> = (0..20).map(|n| format!(r#"{{"time":{n},"k":"k{}","v":{}}}"#, n % 5, n)).collect();
    let last = store(&["--by", "k", "--line", "v", "--top", "2"], &lines).picture(&View::default());
    assert_eq!(names(&last.panels[0]), ["k4", "k3"]);
    assert_eq!(last.notes, ["the first 2 by last value; 3 other keys not shown"]);
    let flags = ["--by", "k", "--line", ".v * -1", "--top", "1", "--top-by", "total"];
    let total = store(&flags, &lines).picture(&View::default());
    assert_eq!(names(&total.panels[0]), ["k0"]);
}

#[test]
fn ten_thousand_keys_are_a_thousand_and_a_note() {
    let lines: Vec<String> = (0..10_000).map(|n| format!(r#"{{"time":1,"k":{n},"v":{n}}}"#)).collect();
    let picture = store(&["--by", "k", "--line", "v", "--table"], &lines).picture(&View::default());
    assert_eq!(picture.panels[0].curves.len(), 8);
    assert_eq!(picture.notes[1], "9000 lines of keys beyond --max-keys 1000 not shown");
}

#[test]
fn a_name_keeps_its_colour_while_others_pass_it_by() {
    let settings = Cli::try_parse_from(["report", "--by", "k", "--line", "v", "--bar", "v", "--top", "2"]).unwrap();
    let settings = settings.settings().unwrap();
    let mut reader = RecordReader::new(&settings);
    let mut panels = Panels::new(settings);
    let mut slots = |line: &str| {
        panels.take(reader.read(line.as_bytes()).unwrap());
        let picture = panels.picture(&View::default());
        let of = |panel: &Panel| panel.curves.iter().map(|curve| (curve.name.clone(), curve.slot)).collect::<Vec<_>>();
        assert_eq!(of(&picture.panels[0]), of(&picture.panels[1]));
        of(&picture.panels[0])
    };
    let owned =
        |names: &[(&str, usize)]| names.iter().map(|(name, slot)| ((*name).to_owned(), *slot)).collect::<Vec<_>>();
    assert_eq!(slots(r#"{"time":1,"k":"a","v":1}"#), owned(&[("a", 0)]));
    assert_eq!(slots(r#"{"time":1,"k":"b","v":2}"#), owned(&[("b", 1), ("a", 0)]));
    assert_eq!(slots(r#"{"time":1,"k":"c","v":3}"#), owned(&[("c", 0), ("b", 1)]));
}

#[test]
fn null_is_a_gap_and_what_is_no_number_is_counted() {
    let lines = [
        r#"{"time":1,"v":1}"#,
        r#"{"time":2,"v":null}"#,
        r#"{"time":3,"v":"x"}"#,
        r#"{"time":4,"v":1e999}"#,
        r#"{"time":5}"#,
        r#"{"time":"2026-01-01T00:00:00Z","v":3}"#,
        "7",
        r#"{"time":6,"v":2}"#,
    ];
    let picture = picture(&["--line", "v"], &lines);
    let ys = ys(&picture.panels[0].curves[0]);
    assert_eq!((ys[0], ys[1].is_nan(), ys[2], ys.len()), (1.0, true, 2.0, 3));
    assert_eq!(picture.notes, ["5 lines without an x or a number not shown"]);
}

#[test]
fn a_row_that_changes_takes_the_place_of_the_old_one() {
    let lines = [
        r#"{"op":"insert","window_start":"2026-01-01T00:00:00Z","k":"a","n":1}"#,
        r#"{"op":"insert","window_start":"2026-01-01T00:01:00Z","k":"a","n":5}"#,
        r#"{"op":"update_before","window_start":"2026-01-01T00:01:00Z","k":"a","n":5}"#,
        r#"{"op":"update_after","window_start":"2026-01-01T00:01:00Z","k":"a","n":6}"#,
        r#"{"op":"update_after","window_start":"2026-01-01T00:01:00Z","k":"a","n":7}"#,
        r#"{"op":"insert","window_start":"2026-01-01T00:01:00Z","k":"b","n":9}"#,
        r#"{"op":"delete","window_start":"2026-01-01T00:01:00Z","k":"b","n":9}"#,
        r#"{"op":"delete","window_start":"2026-01-01T00:00:00Z","k":"a","n":1}"#,
    ];
    let picture = picture(&["--by", "k", "--line", "n", "--table"], &lines);
    assert_eq!(names(&picture.panels[0]), ["a"]);
    assert_eq!(ys(&picture.panels[0].curves[0]), [7.0], "also without the row that it replaces");
    let table = picture.panels[1].table.clone().unwrap();
    assert_eq!(table.columns, ["time", "k", "n"]);
    assert_eq!(table.rows, [["2026-01-01T00:01:00Z", "a", "7"]]);
}

#[test]
fn bands_and_anomalies_belong_to_the_value_that_a_line_has() {
    let lines = [
        r#"{"time":1,"value":4,"lower":3,"upper":5,"anomaly":false}"#,
        r#"{"time":2,"value":9,"lower":3,"upper":5,"anomaly":true}"#,
        r#"{"time":3,"forecast":4,"lower":2,"upper":6}"#,
    ];
    let picture = picture(&["--line", "value,forecast", "--band", "lower,upper", "--anomaly", "anomaly"], &lines);
    let [value, forecast] = picture.panels[0].curves.as_slice() else { panic!() };
    assert_eq!((value.points[0].low, value.points[0].high), (3.0, 5.0));
    assert_eq!(value.dots.iter().map(|dot| (dot.x, dot.y)).collect::<Vec<_>>(), [(2.0, 9.0)]);
    assert_eq!((forecast.points[0].low, forecast.dots.len()), (2.0, 0));
    assert_eq!(picture.panels[0].y_range(), Some((2.0, 9.0)));
}

#[test]
fn a_view_is_a_part_without_the_hidden_ones() {
    let lines: Vec<String> = (0..10).map(|n| format!(r#"{{"time":{},"k":"{}","v":{n}}}"#, n / 2, n % 2)).collect();
    let mut panels = store(&["--by", "k", "--line", "v"], &lines);
    let view = View { from: Some(1.5), to: Some(2.5), hidden: ["1".to_owned()].into() };
    let picture = panels.picture(&view);
    assert_eq!((picture.from, picture.to), (1.5, 2.5));
    assert_eq!(picture.panels[0].shown().map(|curve| curve.name.clone()).collect::<Vec<_>>(), ["0"]);
    assert_eq!(picture.panels[0].shown().next().map(ys), Some(vec![2.0, 4.0, 6.0]));
    let span = store(&["--line", "v", "--span", "2ms"], &lines).picture(&View::default());
    assert_eq!(span.from, 2.0);
}

#[test]
fn without_a_key_the_table_has_the_newest_lines() {
    let lines: Vec<String> = (0..100).map(|n| format!(r#"{{"time":{n},"v":{n}}}"#)).collect();
    let picture = store(&["--table=v", "--top", "3"], &lines).picture(&View::default());
    assert_eq!(picture.panels[0].table.clone().unwrap().rows, [["99", "99"], ["98", "98"], ["97", "97"]]);
}

#[test]
fn without_any_x_lines_are_counted() {
    let picture = picture(&["--line", "v"], &[r#"{"v":1}"#, r#"{"v":2}"#]);
    assert_eq!((picture.from, picture.to, ys(&picture.panels[0].curves[0])), (1.0, 2.0, vec![1.0, 2.0]));
}
