use super::*;
use crate::picture::Curve;
use crate::points::Point;

fn picture(kind: Kind, points: Vec<Point>) -> Picture {
    let last = points.last().map_or(f64::NAN, |point| point.y);
    let (from, to) = (points.first().map_or(0.0, |point| point.x), points.last().map_or(0.0, |point| point.x));
    let curve = Curve {
        name: "a<b>&\"#510000".to_owned(),
        slot: 9,
        is_hidden: false,
        dots: points.iter().take(3).copied().collect(),
        points,
        last,
    };
    let panel = Panel { kind, title: "v".to_owned(), curves: vec![curve], table: None };
    Picture { title: "t".to_owned(), from, to, panels: vec![panel], lines: 1, ..Picture::default() }
}

fn svg(kind: Kind, points: Vec<Point>) -> String {
    draw(&picture(kind, points), Frame { width: 600.0, is_alone: true }).svg
}

const KINDS: [Kind; 4] = [Kind::Number, Kind::Line, Kind::Bar, Kind::Heat];

#[test]
fn colours_have_names_and_names_have_colours() {
    let drawn = svg(Kind::Line, (0..9).map(|x| Point::new(f64::from(x), f64::from(x % 3))).collect());
    assert!(drawn.contains("stroke=\"var(--s1)\" stroke-dasharray="), "the tenth series is the second colour, dashed");
    assert!(!drawn.contains("=\"#51"), "{drawn}");
    let light = crate::theme::with_light_colours(&drawn);
    assert!(!light.contains("var(") && light.contains("#d55e00"));
    let css = crate::theme::css("svg");
    let used = drawn.split("var(").skip(1).filter_map(|rest| rest.split(')').next());
    used.for_each(|name| assert_eq!(css.matches(&format!("{name}:")).count(), 4, "{name} in both themes"));
}

#[test]
fn keys_are_text() {
    for kind in KINDS {
        let drawn = svg(kind, vec![Point::new(1.0, 1.0), Point::new(2.0, 3.0)]);
        assert!(!drawn.contains("<b>"), "{drawn}");
    }
}

#[test]
fn any_numbers_are_drawn() {
    let lists: [Vec<f64>; 7] = [
        vec![],
        vec![1.0],
        vec![f64::NAN],
        vec![f64::NAN, 1.0, f64::NAN],
        vec![f64::MAX, f64::MIN, 0.0],
        vec![5e-324, 0.0],
        vec![7.0; 5000],
    ];
    for ys in lists {
        for kind in KINDS {
            let points = ys.iter().enumerate().map(|(x, y)| Point { x: x as f64, y: *y, low: *y, high: *y }).collect();
            let drawn = svg(kind, points);
            assert!(drawn.ends_with("</svg>\n") && !drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        }
    }
}

#[test]
fn a_plot_tells_where_it_is() {
    let drawing = draw(
        &picture(Kind::Line, vec![Point::new(10.0, 1.0), Point::new(20.0, 3.0)]),
        Frame { width: 600.0, is_alone: false },
    );
    let [plot] = drawing.plots.as_slice() else { panic!("{:?}", drawing.plots) };
    assert_eq!((plot.from, plot.to, plot.left, plot.right), (10.0, 20.0, 66.0, 562.0));
    assert!(plot.bottom > plot.top + 100.0);
}

#[test]
fn a_line_of_many_points_has_few_and_its_peak() {
    let points: Vec<Point> =
        (0..20_000).map(|x| Point::new(f64::from(x), if x == 7777 { 1000.0 } else { 1.0 })).collect();
    let drawn = svg(Kind::Line, points);
    assert!(drawn.len() < 40_000, "{} bytes", drawn.len());
}
