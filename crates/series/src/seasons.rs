//! The flag `--season`.

use std::fmt;
use std::str::FromStr;

use units::{DurationMs, format_duration};

use crate::step::Step;

/// The seasons of a series, as they are given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seasons {
    /// Up to two, as the series shows them.
    Auto,
    /// These; none if there are none.
    Given(Vec<Season>),
}

/// The length of a season.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Season {
    Steps(u32),
    DurationMs(i64),
}

/// The most seasons of a series.
const SEASONS_MAX: usize = 4;

impl Seasons {
    /// Returns the lengths in steps. Those below two steps are no season. `find` finds those of a series that shows its own.
    #[must_use]
    pub fn lengths(&self, step: Step, find: impl FnOnce() -> Vec<usize>) -> Vec<usize> {
        match self {
            Seasons::Auto => find(),
            Seasons::Given(seasons) => {
                seasons.iter().map(|season| season.steps(step)).filter(|steps| *steps > 1).collect()
            }
        }
    }
}

impl Season {
    /// Returns the length in steps, to the nearest.
    #[must_use]
    pub fn steps(self, step: Step) -> usize {
        match self {
            Season::Steps(steps) => steps as usize,
            Season::DurationMs(season_ms) => {
                let step_ms = step.about_ms();
                usize::try_from(season_ms.saturating_add(step_ms / 2) / step_ms).unwrap_or(usize::MAX)
            }
        }
    }
}

impl FromStr for Seasons {
    type Err = String;

    fn from_str(text: &str) -> Result<Seasons, String> {
        match text {
            "auto" => return Ok(Seasons::Auto),
            "none" => return Ok(Seasons::Given(Vec::new())),
            _ => {}
        }
        let seasons: Vec<Season> = text.split(',').map(season).collect::<Result<_, _>>()?;
        match seasons.len() {
            ..=SEASONS_MAX => Ok(Seasons::Given(seasons)),
            _ => Err(format!("more than {SEASONS_MAX} seasons")),
        }
    }
}

fn season(text: &str) -> Result<Season, String> {
    let wrong = || "say a number of steps (24), a duration (1d), two of them (1d,7d), auto or none".to_owned();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|steps| *steps > 0).map(Season::Steps).ok_or_else(wrong);
    }
    let DurationMs(season_ms) = text.parse().map_err(|_| wrong())?;
    if season_ms > 0 { Ok(Season::DurationMs(season_ms)) } else { Err(wrong()) }
}

impl fmt::Display for Seasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seasons::Given(seasons) = self else { return f.write_str("auto") };
        if seasons.is_empty() {
            return f.write_str("none");
        }
        for (number, season) in seasons.iter().enumerate() {
            f.write_str(if number > 0 { "," } else { "" })?;
            season.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Season {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Season::Steps(steps) => write!(f, "{steps}"),
            Season::DurationMs(season_ms) => f.write_str(&format_duration(*season_ms)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_is_a_number_of_steps_or_a_duration() {
        for text in ["24", "1d", "1d,1w", "12,1h30m", "auto", "none"] {
            assert_eq!(text.parse::<Seasons>().unwrap().to_string(), text);
        }
        for text in ["", "0", "1x", "-3", "24,", "1,2,3,4,5", "0s", "99999999999"] {
            assert!(text.parse::<Seasons>().is_err(), "{text}");
        }
        let lengths = |text: &str, step_ms| text.parse::<Seasons>().unwrap().lengths(Step::Fixed(step_ms), Vec::new);
        assert_eq!(lengths("1d,7d", 3_600_000), [24, 168]);
        assert_eq!(lengths("1,7", 3_600_000), [7]);
        assert_eq!(lengths("1h", 86_400_000), [0; 0]);
        assert_eq!(Seasons::Auto.lengths(Step::Fixed(1), || vec![3]), [3]);
        assert_eq!(Season::DurationMs(365 * 86_400_000).steps(Step::Months(1)), 12);
    }
}
