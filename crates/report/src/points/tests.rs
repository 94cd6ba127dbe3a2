use proptest::prelude::*;

use super::*;

fn filled(ys: &[f64], max: usize) -> Points {
    let mut points = Points::new(max);
    for (x, y) in ys.iter().enumerate() {
        points.add(Point::new(x as f64, *y), f64::NEG_INFINITY);
    }
    points
}

#[test]
fn a_million_points_are_few_and_the_one_peak_is_among_them() {
    let mut points = Points::new(1000);
    for x in 0..1_000_000 {
        let y = if x == 123_456 {
            99.0
        } else if x == 700_001 {
            -5.0
        } else {
            f64::from(x % 7)
        };
        points.add(Point::new(f64::from(x), y), f64::NEG_INFINITY);
    }
    let kept = points.all();
    assert!(kept.len() <= 1000, "{}", kept.len());
    assert!(kept.iter().any(|point| (point.x, point.y) == (123_456.0, 99.0)));
    assert!(kept.iter().any(|point| (point.x, point.y) == (700_001.0, -5.0)));
    assert_eq!(points.last().map(|point| point.x), Some(999_999.0));
}

#[test]
fn what_is_older_than_wanted_goes_first() {
    let mut points = Points::new(10);
    for x in 0..100 {
        points.add(Point::new(f64::from(x), 1.0), f64::from(x) - 5.0);
    }
    let kept: Vec<f64> = points.all().iter().map(|point| point.x).collect();
    assert!(kept.iter().all(|x| *x >= 89.0) && kept.ends_with(&[94.0, 95.0, 96.0, 97.0, 98.0, 99.0]), "{kept:?}");
}

#[test]
fn points_of_one_x_and_points_beyond_all_measure_end_too() {
    let mut points = Points::new(16);
    for y in 0..100 {
        points.add(Point::new(5.0, f64::from(y)), f64::NEG_INFINITY);
    }
    assert!(points.all().len() <= 16);
    for x in [f64::MAX, f64::MIN, 0.0, 1e-300] {
        for _ in 0..20 {
            points.add(Point::new(x, x), f64::NEG_INFINITY);
        }
    }
    assert!(points.all().len() <= 16);
    assert!(points.all().is_sorted_by(|a, b| a.x <= b.x));
}

#[test]
fn a_gap_stays_where_there_is_nothing_else() {
    let ys: Vec<f64> = (0..100).map(|x| if (40..60).contains(&x) { f64::NAN } else { 1.0 }).collect();
    let kept = filled(&ys, 24);
    assert!(kept.all().iter().any(|point| point.y.is_nan() && (40.0..60.0).contains(&point.x)));
}

#[test]
fn a_row_takes_the_place_of_that_with_its_x() {
    let mut points = filled(&[1.0, 2.0, 3.0], 100);
    points.replace(Point::new(1.0, 9.0), f64::NEG_INFINITY);
    points.remove(2.0);
    let kept: Vec<(f64, f64)> = points.all().iter().map(|point| (point.x, point.y)).collect();
    assert_eq!(kept, [(0.0, 1.0), (1.0, 9.0)]);
}

#[test]
fn a_view_has_one_point_beyond_each_end() {
    let points = filled(&[0.0; 10], 100);
    let xs = |from, to| points.between(from, to).iter().map(|point| point.x).collect::<Vec<_>>();
    assert_eq!(xs(2.5, 4.5), [2.0, 3.0, 4.0, 5.0]);
    assert_eq!(xs(f64::NEG_INFINITY, f64::INFINITY).len(), 10);
    assert_eq!(xs(20.0, 30.0), [9.0]);
    assert_eq!(Points::new(8).between(0.0, 1.0).len(), 0);
}

proptest! {
    #[test]
    fn the_extremes_are_never_lost(points in proptest::collection::vec((-50.0..50.0_f64, -1e6..1e6_f64), 1..400), max in 8_usize..60) {
        let mut kept = Points::new(max);
        for (x, y) in &points {
            kept.add(Point::new(*x, *y), f64::NEG_INFINITY);
            prop_assert!(kept.all().len() <= max);
        }
        let greatest = points.iter().map(|point| point.1).fold(f64::NEG_INFINITY, f64::max);
        let least = points.iter().map(|point| point.1).fold(f64::INFINITY, f64::min);
        let ys: Vec<f64> = kept.all().iter().map(|point| point.y).collect();
        prop_assert!(ys.contains(&greatest) && ys.contains(&least));
        prop_assert!(kept.all().is_sorted_by(|a, b| a.x <= b.x));
    }
}
