//! The line of least squares through values at 0, 1, 2, ….

/// Mean, slope and middle of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    pub mean: f64,
    pub slope: f64,
    middle: f64,
}

impl Line {
    /// Fits a line; without values it is 0, with one it is flat.
    #[must_use]
    pub fn through(values: &[f64]) -> Line {
        let count = values.len();
        if count == 0 {
            return Line { mean: 0.0, slope: 0.0, middle: 0.0 };
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let middle = (count - 1) as f64 / 2.0;
        let (mut both, mut square) = (0.0, 0.0);
        for (at, value) in values.iter().enumerate() {
            let away = at as f64 - middle;
            both += away * (value - mean);
            square += away * away;
        }
        let slope = if square > 0.0 { both / square } else { 0.0 };
        Line { mean, slope, middle }
    }

    #[must_use]
    pub fn at(self, position: f64) -> f64 {
        self.mean + self.slope * (position - self.middle)
    }
}
