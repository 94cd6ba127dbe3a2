//! The forms of exponential smoothing: how error, trend and season enter (Hyndman et al., "Forecasting with Exponential
//! Smoothing", 2008, chapter 2). Trends that multiply are left out, as R's `ets` leaves them out.

use crate::part::Part;

/// The trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trend {
    None,
    Additive,
    /// It grows less with each step.
    Damped,
}

/// Error, trend and season of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    pub error: Part,
    pub trend: Trend,
    pub season: Option<Part>,
}

impl Form {
    #[must_use]
    pub const fn new(error: Part, trend: Trend, season: Option<Part>) -> Form {
        Form { error, trend, season }
    }

    /// Returns how many numbers are estimated for a season of this length: parameters, first states, and the variance.
    #[must_use]
    pub fn freedom(self, season: usize) -> usize {
        let trend = match self.trend {
            Trend::None => 0,
            Trend::Additive => 2,
            Trend::Damped => 3,
        };
        let season = if self.season.is_some() { season } else { 0 };
        3 + trend + season
    }

    /// Returns true if a part multiplies: then all values must be above zero.
    #[must_use]
    pub fn multiplies(self) -> bool {
        self.error == Part::Multiplicative || self.season == Some(Part::Multiplicative)
    }

    /// Returns the name as the literature writes it: `(M,Ad,A)`.
    #[must_use]
    pub fn name(self) -> String {
        let part = |part: Part| if part == Part::Additive { "A" } else { "M" };
        let trend = match self.trend {
            Trend::None => "N",
            Trend::Additive => "A",
            Trend::Damped => "Ad",
        };
        format!("({},{trend},{})", part(self.error), self.season.map_or("N", part))
    }

    /// Returns a number that names the form in a checkpoint.
    #[must_use]
    pub fn code(self) -> u8 {
        let part = |part: Part| u8::from(part == Part::Multiplicative);
        part(self.error) + 2 * self.trend as u8 + 6 * self.season.map_or(0, |season| 1 + part(season))
    }

    /// Reads what [`Form::code`] gave.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Form> {
        const TRENDS: [Trend; 3] = [Trend::None, Trend::Additive, Trend::Damped];
        const SEASONS: [Option<Part>; 3] = [None, Some(Part::Additive), Some(Part::Multiplicative)];
        let error = if code.is_multiple_of(2) { Part::Additive } else { Part::Multiplicative };
        let season = *SEASONS.get(usize::from(code / 6))?;
        Some(Form::new(error, TRENDS[usize::from(code / 2 % 3)], season))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_a_code_of_its_own() {
        let names: Vec<String> = (0..18).map(|code| Form::of_code(code).unwrap().name()).collect();
        for (code, name) in (0..18).zip(&names) {
            assert_eq!(Form::of_code(code).unwrap().code(), code);
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1);
        }
        assert_eq!(Form::of_code(18), None);
        assert_eq!(names[17], "(M,Ad,M)");
    }
}
