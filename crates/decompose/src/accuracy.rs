//! How near the parts are to those that a series was made of, and to those of STL, which sees all of it.

use forecasting::stl::{StlSettings, mstl, stl};
use proptest::prelude::*;
use values::state_text::StateReader;

use crate::decomposer::{Decomposer, Plan};
use crate::parts::Parts;

const DAY: usize = 24;
const WEEK: usize = 168;

/// A series of hours, and what it is made of.
struct Made {
    trend: Vec<f64>,
    day: Vec<f64>,
    week: Vec<f64>,
    noise: Vec<f64>,
}

/// Normal numbers, nearly: sums of twelve uniform ones.
fn normal(seed: u64) -> impl FnMut() -> f64 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        let uniform = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        (0..12).map(uniform).sum()
    }
}

impl Made {
    /// A rising trend, a day of two waves, and noise of deviation 1.
    fn of_days(hours: usize) -> Self {
        let mut noise = normal(5);
        let wave =
            |hour: usize, waves: usize| libm::sin(std::f64::consts::TAU * (waves * hour % DAY) as f64 / DAY as f64);
        Self {
            trend: (0..hours).map(|hour| 50.0 + 0.01 * hour as f64).collect(),
            day: (0..hours).map(|hour| 10.0 * wave(hour, 1) + 4.0 * wave(hour + 3, 2)).collect(),
            week: vec![0.0; hours],
            noise: (0..hours).map(|_| noise()).collect(),
        }
    }

    /// The same with a week.
    fn of_weeks(hours: usize) -> Self {
        let week = (0..hours).map(|hour| if hour / DAY % 7 >= 5 { -5.0 } else { 2.0 }).collect();
        Self { week, ..Self::of_days(hours) }
    }

    fn season(&self) -> Vec<f64> {
        self.day.iter().zip(&self.week).map(|(day, week)| day + week).collect()
    }

    fn series(&self) -> Vec<f64> {
        let season = self.season();
        (0..season.len()).map(|at| self.trend[at] + season[at] + self.noise[at]).collect()
    }

    /// How far the parts are from these, from a point on: trend, season.
    fn errors(&self, parts: &[Option<Parts>], from: usize) -> (f64, f64) {
        let known =
            |of: fn(&Parts) -> f64| parts.iter().map(|parts| parts.as_ref().map_or(0.0, of)).collect::<Vec<f64>>();
        (
            distance(&known(|parts| parts.trend), &self.trend, from),
            distance(&known(|parts| parts.season), &self.season(), from),
        )
    }
}

/// The root of the mean square difference.
fn distance(ours: &[f64], right: &[f64], from: usize) -> f64 {
    let squares: f64 =
        ours[from..].iter().zip(&right[from..]).map(|(ours, right)| (ours - right) * (ours - right)).sum();
    (squares / (ours.len() - from) as f64).sqrt()
}

fn online(series: &[f64], lengths: &[usize]) -> Vec<Option<Parts>> {
    let plan = Plan::Given(lengths.to_vec());
    let mut decomposer = Decomposer::default();
    series.iter().zip(1..).map(|(value, at)| decomposer.take(Some(*value), at, 0, &plan)).collect()
}

fn strength(parts: &[Option<Parts>]) -> f64 {
    parts.last().copied().flatten().map_or(f64::NAN, |parts| parts.strength)
}

/// What STL on the whole series is off by, which has seen what comes after each point too.
fn of_stl(made: &Made, seasons: &[usize], from: usize) -> (f64, f64) {
    let series = made.series();
    let parts = match seasons {
        [season] => stl(&series, *season, StlSettings::default()),
        _ => mstl(&series, seasons, StlSettings::default()),
    };
    let parts = parts.unwrap();
    let season: Vec<f64> = (0..series.len()).map(|at| parts.seasons.iter().map(|season| season[at]).sum()).collect();
    (distance(&parts.trend, &made.trend, from), distance(&season, &made.season(), from))
}

/// Ours, STL: trend and season each.
fn compared(what: &str, made: &Made, seasons: &[usize], from: usize) -> [f64; 4] {
    let (trend, season) = made.errors(&online(&made.series(), seasons), from);
    let (trend_of_stl, season_of_stl) = of_stl(made, seasons, from);
    // Shown with --nocapture, for the page.
    #[allow(clippy::print_stdout)]
    {
        println!("{what}: trend {trend:.3}, STL {trend_of_stl:.3}; season {season:.3}, STL {season_of_stl:.3}");
    }
    [trend, season, trend_of_stl, season_of_stl]
}

#[test]
fn a_day_with_noise() {
    let [trend, season, ..] = compared("day", &Made::of_days(DAY * 60), &[DAY], 4 * DAY);
    assert!(trend < 0.4 && season < 0.4);
}

#[test]
fn a_day_and_a_week_with_noise() {
    let [trend, season, ..] = compared("day and week", &Made::of_weeks(WEEK * 20), &[DAY, WEEK], 4 * WEEK);
    assert!(trend < 0.4 && season < 0.6);
}

#[test]
fn a_trend_that_turns() {
    let mut made = Made::of_days(DAY * 60);
    let turn = |hour: usize| 8.0 * libm::sin(std::f64::consts::TAU * hour as f64 / (20 * DAY) as f64);
    made.trend = (0..DAY * 60).map(|hour| 50.0 + turn(hour)).collect();
    let [trend, season, ..] = compared("turning trend", &made, &[DAY], 4 * DAY);
    assert!(trend < 0.5 && season < 0.4);
}

#[test]
fn a_season_that_grows() {
    let mut made = Made::of_days(DAY * 60);
    made.day.iter_mut().enumerate().for_each(|(hour, day)| *day *= 1.0 + hour as f64 / (DAY * 60) as f64);
    let [trend, season, ..] = compared("growing season", &made, &[DAY], 4 * DAY);
    assert!(trend < 0.6 && season < 1.0);
}

/// The level rises by twenty deviations: after five hours the trend has it, and the season never.
#[test]
fn a_level_shift_is_no_season() {
    let mut made = Made::of_days(DAY * 60);
    made.trend[DAY * 30..].iter_mut().for_each(|trend| *trend += 20.0);
    let [_, season, ..] = compared("level shift", &made, &[DAY], 4 * DAY);
    assert!(season < 0.4);
    let parts = online(&made.series(), &[DAY]);
    assert!(made.errors(&parts, DAY * 30 + 6).0 < 0.5);
    assert!(made.errors(&parts[..DAY * 30 + 24], DAY * 30).1 < 0.6);
}

/// One of fifty points is off by fifty deviations.
#[test]
fn outliers_are_no_season() {
    let mut made = Made::of_days(DAY * 60);
    (DAY * 3..DAY * 60).step_by(53).for_each(|hour| made.noise[hour] += 50.0);
    let [trend, season, ..] = compared("outliers", &made, &[DAY], 4 * DAY);
    assert!(trend < 0.6 && season < 0.5);
}

/// An outlier among the first two days is in the season, until it was not there three times.
#[test]
fn an_outlier_at_the_beginning_is_forgotten() {
    let mut made = Made::of_days(DAY * 60);
    made.noise[30] += 50.0;
    let parts = online(&made.series(), &[DAY]);
    assert!(made.errors(&parts, 6 * DAY).1 < 0.4);
}

/// One hour of the day is other from a day on.
#[test]
fn a_season_that_changes_is_learned_in_three_cycles() {
    let mut made = Made::of_days(DAY * 60);
    (DAY * 30 + 7..DAY * 60).step_by(DAY).for_each(|hour| made.day[hour] += 30.0);
    let parts = online(&made.series(), &[DAY]);
    let at = |day: usize| parts[DAY * day + 7].map_or(f64::NAN, |parts| parts.remainder);
    assert!(at(30) > 20.0 && at(31) > 20.0 && at(32).abs() < 5.0, "{} {} {}", at(30), at(31), at(32));
    let later: f64 = (33..60).map(|day| at(day).abs()).sum();
    assert!(later / 27.0 < 1.5, "{later}");
}

#[test]
fn the_strength_is_0_for_noise_and_1_for_a_clean_season() {
    let mut noise = Made::of_days(DAY * 40);
    noise.day = vec![0.0; DAY * 40];
    let of_noise = strength(&online(&noise.series(), &[DAY]));
    assert!(of_noise < 0.05, "{of_noise}");
    let of_first_days = strength(&online(&noise.series()[..50], &[DAY]));
    assert!(of_first_days < 0.3, "{of_first_days}");
    let clean = Made { noise: vec![0.0; DAY * 40], ..Made::of_days(DAY * 40) };
    let of_clean = strength(&online(&clean.series(), &[DAY]));
    assert!(of_clean > 0.999, "{of_clean}");
    // Half of the variance is season.
    let mut half = Made::of_days(DAY * 60);
    let power = half.day.iter().map(|day| day * day).sum::<f64>() / half.day.len() as f64;
    half.day.iter_mut().for_each(|day| *day /= power.sqrt());
    let of_half = strength(&online(&half.series(), &[DAY]));
    assert!((0.4..0.6).contains(&of_half), "{of_half}");
}

#[test]
fn a_series_that_becomes_noisier_is_followed() {
    let mut made = Made::of_days(DAY * 90);
    made.noise[DAY * 30..].iter_mut().for_each(|noise| *noise *= 10.0);
    let parts = online(&made.series(), &[DAY]);
    let (trend, season) = made.errors(&parts, DAY * 60);
    assert!(trend < 4.0 && season < 4.0, "{trend} {season}");
}

/// A sixth of the points is missing.
#[test]
fn gaps_cost_little() {
    let made = Made::of_days(DAY * 60);
    let plan = Plan::Given(vec![DAY]);
    let mut decomposer = Decomposer::default();
    let mut parts = vec![None; DAY * 60];
    for (at, value) in made.series().iter().enumerate().filter(|(at, _)| at % 37 > 5) {
        parts[at] = decomposer.take(Some(*value), at as i64, DAY as u64, &plan);
    }
    let kept: Vec<usize> = (4 * DAY..DAY * 60).filter(|at| parts[*at].is_some()).collect();
    let of = |values: &dyn Fn(usize) -> f64| kept.iter().map(|at| values(*at)).collect::<Vec<f64>>();
    let ours = of(&|at| parts[at].map_or(0.0, |parts| parts.season));
    assert!(distance(&ours, &of(&|at| made.day[at]), 0) < 0.4);
    assert!(kept.len() > DAY * 45);
}

/// Any number, any gap: finite parts whose sum is the number, and the text of a state gives back the very state.
fn is_sound(numbers: &[(f64, u8)], plan: &Plan) {
    let (mut decomposer, mut at) = (Decomposer::default(), 0);
    for (number, gap) in numbers {
        at += 1 + i64::from(*gap);
        if let Some(parts) = decomposer.take(Some(*number), at, 3, plan) {
            let size = number.abs().max(parts.trend.abs()).max(parts.season.abs());
            let rest = number - parts.trend - parts.season - parts.remainder;
            assert!(rest.abs() <= 1e-12 * size && (0.0..=1.0).contains(&parts.strength), "{parts:?}");
        }
        let mut text = Vec::new();
        decomposer.save(&mut text);
        assert_eq!(Decomposer::load(&mut StateReader::new(&text)), Some(decomposer.clone()));
    }
}

proptest! {
    #[test]
    fn any_series_is_taken_apart(
        numbers in prop::collection::vec((prop_oneof![-100.0..100.0, any::<f64>().prop_filter("finite", |n| n.is_finite())], 0..6u8), 0..90),
        seasons in prop_oneof![Just(vec![2]), Just(vec![5]), Just(vec![3, 8])],
    ) {
        is_sound(&numbers, &Plan::Given(seasons));
        is_sound(&numbers, &Plan::Auto { points_max: 50 });
    }
}
