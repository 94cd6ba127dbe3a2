use super::*;

/// A normal random number, as the sum of twelve.
fn normal(state: &mut u64) -> f64 {
    let uniform = |_| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 11) as f64 / (1u64 << 53) as f64
    };
    (0..12).map(uniform).sum::<f64>() - 6.0
}

/// The changes of a series, with the places at which they began and were told.
fn changes(values: impl IntoIterator<Item = f64>) -> Vec<(ChangeKind, usize, usize)> {
    let mut series = ChangePoints::default();
    let values = values.into_iter().enumerate();
    values
        .filter_map(|(at, value)| Some((series.take(value, at as i64)?, at)))
        .map(|(change, at)| (change.kind, change.since_ms as usize, at))
        .collect()
}

fn one(found: &[(ChangeKind, usize, usize)], kind: ChangeKind, at: usize, near: usize) {
    assert!(found.len() == 1 && found[0].0 == kind && found[0].1.abs_diff(at) <= near, "{found:?}");
}

#[test]
fn a_new_level_is_told_with_when_it_began() {
    let mut state = 1;
    let found = changes((0..600).map(|at| if at < 400 { 0.0 } else { 3.0 } + normal(&mut state)));
    one(&found, ChangeKind::Level, 400, 2);
    assert!(found[0].2 <= 420, "{found:?}");
}

#[test]
fn a_new_spread_is_told() {
    let mut state = 2;
    one(
        &changes((0..700).map(|at| if at < 400 { 1.0 } else { 4.0 } * normal(&mut state))),
        ChangeKind::Variance,
        400,
        5,
    );
    one(
        &changes((0..700).map(|at| if at < 400 { 4.0 } else { 1.0 } * normal(&mut state))),
        ChangeKind::Variance,
        400,
        10,
    );
}

#[test]
fn a_new_trend_is_told() {
    let mut state = 3;
    one(
        &changes((0..800).map(|at: i32| f64::from((at - 400).max(0)) * 0.2 + normal(&mut state))),
        ChangeKind::Trend,
        400,
        15,
    );
}

#[test]
fn a_steady_trend_and_noise_have_none() {
    for seed in 0..20 {
        let mut state = seed;
        assert_eq!(changes((0..2000).map(|at| f64::from(at) * 0.05 + normal(&mut state))), [], "{seed}");
        assert_eq!(changes((0..2000).map(|_| normal(&mut state))), [], "{seed}");
    }
}

#[test]
fn one_wild_value_is_no_change() {
    let mut state = 4;
    assert_eq!(changes((0..1000).map(|at| if at == 500 { 80.0 } else { normal(&mut state) })), []);
}

#[test]
fn any_number_gives_finite_results() {
    let wild = [1e308, -1e308, 0.0, 5e-324, -0.0, 1e290, 1.0, 1e308, -1e308, 7.0];
    for period in 1..wild.len() - 2 {
        let mut series = ChangePoints::default();
        for point in 0..2000usize {
            let change = series.take(wild[point % period + point / 1000], point as i64);
            assert!(change.is_none_or(|change| (0.0..=1.0).contains(&change.probability)));
            let mut text = Vec::new();
            series.save(&mut text);
            if point % 50 == 0 {
                assert!(
                    ChangePoints::load(&mut StateReader::new(&text)).is_some(),
                    "{}",
                    String::from_utf8_lossy(&text)
                );
            }
        }
    }
}

#[test]
fn what_is_saved_is_loaded() {
    let (mut series, mut state) = (ChangePoints::default(), 5);
    for point in 0..500i64 {
        let mut text = Vec::new();
        series.save(&mut text);
        let mut from = StateReader::new(&text);
        assert_eq!(ChangePoints::load(&mut from).as_ref(), Some(&series), "{point}");
        series.take(normal(&mut state) + (point / 200 * 5) as f64, point);
    }
}
