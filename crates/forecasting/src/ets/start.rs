//! The state that a model begins with, from the first values and the season of the whole series (Hyndman et al. 2008,
//! section 2.6.1).

use crate::ets::form::{Form, Trend};
use crate::ets::recursion::State;
use crate::line::Line;
use crate::part::Part;
use crate::season_figure::SeasonFigure;

/// Returns a first state for a form.
pub fn state(form: Form, series: &[f64], figure: Option<&SeasonFigure>) -> State {
    let season = figure.map(|figure| figure.indices.clone()).unwrap_or_default();
    let first = series.len().min((2 * season.len()).max(10));
    let adjusted: Vec<f64> = series[..first]
        .iter()
        .enumerate()
        .map(|(at, value)| match figure {
            Some(figure) => figure.without(*value, at),
            None => *value,
        })
        .collect();
    let line = Line::through(&adjusted);
    let (level, slope) = match form.trend {
        Trend::None => (line.mean, 0.0),
        _ => (line.at(-1.0), line.slope),
    };
    let is_positive = form.error == Part::Multiplicative || form.season == Some(Part::Multiplicative);
    if is_positive && (level <= 0.0 || level + slope <= 0.0) {
        return State { level: adjusted[0], slope: 0.0, season, next: 0 };
    }
    State { level, slope, season, next: 0 }
}
