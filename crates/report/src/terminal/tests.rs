use super::*;
use crate::picture::{Curve, Table};
use crate::points::Point;
use crate::scale::AxisKind;

fn curve(name: &str, slot: usize, ys: &[f64]) -> Curve {
    let points: Vec<Point> = ys.iter().enumerate().map(|(x, y)| Point::new(x as f64 * 60_000.0, *y)).collect();
    Curve { name: name.to_owned(), slot, is_hidden: false, last: ys[ys.len() - 1], dots: points[1..2].to_vec(), points }
}

fn picture(kinds: &[Kind]) -> Picture {
    let panel = |kind: &Kind| Panel {
        kind: *kind,
        title: "p99".to_owned(),
        curves: vec![curve("/cart", 0, &[1.0, 9.0, 4.0, 6.0]), curve("/a-longer-name", 1, &[3.0, 3.0, 2.0, 12.5])],
        table: (*kind == Kind::Table).then(|| Table {
            columns: ["time", "path", "p99"].map(str::to_owned).to_vec(),
            rows: vec![
                ["t1", "/cart", "6"].map(str::to_owned).to_vec(),
                ["t2", "/a", "12.5"].map(str::to_owned).to_vec(),
            ],
        }),
    };
    let panels = kinds.iter().map(panel).collect();
    Picture {
        title: "Latency".to_owned(),
        axis: AxisKind::Time,
        from: 0.0,
        to: 180_000.0,
        panels,
        notes: Vec::new(),
        lines: 8,
    }
}

#[test]
fn a_small_terminal_has_a_small_picture() {
    let shown = text_of_height(&picture(&[Kind::Line]), 20, 5, false);
    assert_eq!(shown.lines().count(), 5);
    assert!(shown.lines().all(|line| line.chars().count() <= 20), "{shown}");
    for (columns, rows) in [(1, 1), (2, 3), (20, 5), (7, 40), (300, 2)] {
        for kind in [Kind::Number, Kind::Line, Kind::Bar, Kind::Heat, Kind::Table] {
            let shown = text_of_height(&picture(&[kind, kind]), columns, rows, true);
            assert_eq!(shown.lines().count(), usize::from(rows));
        }
    }
}

#[test]
fn a_terminal_of_40_columns_has_bars_numbers_and_a_table() {
    let shown = text(&picture(&[Kind::Number, Kind::Bar, Kind::Table]), 40, false);
    let expected = "\
Latency
p99
/cart
6  ▁█▄▅
/a-longer-name
12.5  ▂▂▁█
p99
/cart         ███████▎ 6
/a-longer-na… ███████████████ 12.5
p99
time  path    p99
t1    /cart     6
t2    /a     12.5
8 lines, 1970-01-01 00:00:00 – 00:03:00
";
    assert_eq!(shown, expected);
}

#[test]
fn lines_have_axes_with_round_times() {
    let shown = text(&picture(&[Kind::Line]), 60, false);
    assert!(shown.contains("━ /cart: 6  ━ /a-longer-name: 12.5"), "{shown}");
    let labels = shown.lines().find(|line| line.contains("00:01")).unwrap();
    assert!(labels.contains("01-01") && labels.contains("00:02") && labels.contains("00:03"), "{shown}");
    assert!(shown.contains('◆') && shown.contains("     10 "), "{shown}");
}

#[test]
fn colours_are_sequences_and_end_with_their_line() {
    let coloured = text(&picture(&[Kind::Bar, Kind::Heat]), 60, true);
    assert!(coloured.contains("\x1b[0;34m") && coloured.contains("\x1b[0;38;2;"), "{coloured:?}");
    assert!(
        coloured
            .lines()
            .filter(|line| line.contains('\x1b'))
            .all(|line| line.ends_with("\x1b[0m") || line.ends_with(char::is_alphanumeric))
    );
    let mut plain = String::new();
    let mut is_sequence = false;
    for letter in coloured.chars() {
        is_sequence |= letter == '\x1b';
        if !is_sequence {
            plain.push(letter);
        }
        is_sequence &= letter != 'm';
    }
    assert_eq!(plain, text(&picture(&[Kind::Bar, Kind::Heat]), 60, false));
}

#[test]
fn nothing_and_one_point_are_drawn_too() {
    let mut empty = picture(&[Kind::Line, Kind::Heat, Kind::Bar, Kind::Number, Kind::Table]);
    empty.panels.iter_mut().for_each(|panel| panel.curves.clear());
    empty.panels.iter_mut().for_each(|panel| panel.table = None);
    assert_eq!(text(&empty, 60, false).matches("no numbers yet").count(), 5);
    let mut one = picture(&[Kind::Line, Kind::Heat, Kind::Bar, Kind::Number]);
    one.panels.iter_mut().flat_map(|panel| &mut panel.curves).for_each(|curve| curve.points.truncate(1));
    (one.from, one.to) = (0.0, 0.0);
    assert!(text(&one, 60, false).contains("/cart"));
}
