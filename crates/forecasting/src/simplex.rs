//! Finds the least value of a function in a box: Nelder and Mead, "A simplex method for function minimization" (1965),
//! with the coefficients that the paper gives. A point outside of the box is mirrored at its edge: moved onto the edge, corners
//! would fall together there.
//!
//! It draws nothing at random: the same function gives the same point.

/// The bounds of one coordinate, and where the search begins.
#[derive(Clone, Copy, Debug)]
pub struct Coordinate {
    pub low: f64,
    pub high: f64,
    pub start: f64,
    /// Length of the first step.
    pub step: f64,
}

/// When the search ends: after this many evaluations, or when the values at the corners differ by less than this.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub evaluations: usize,
    pub tolerance: f64,
}

/// At most this many coordinates.
pub const COORDINATES_MAX: usize = 8;

type Point = [f64; COORDINATES_MAX];

#[derive(Clone, Copy)]
struct Corner {
    at: Point,
    value: f64,
}

/// Returns the best point that was seen, with as many coordinates as `bounds` has, and its value.
///
/// # Panics
/// With more than [`COORDINATES_MAX`] coordinates.
pub fn least(bounds: &[Coordinate], patience: Patience, function: impl FnMut(&[f64]) -> f64) -> (Vec<f64>, f64) {
    assert!(bounds.len() <= COORDINATES_MAX, "too many coordinates");
    let mut search = Search { bounds, function, evaluations: 0 };
    let mut corners = search.first_corners();
    sort(&mut corners);
    while search.evaluations < patience.evaluations && spread(&corners) > patience.tolerance && !bounds.is_empty() {
        search.step(&mut corners);
        sort(&mut corners);
    }
    let best = corners[0];
    (best.at[..bounds.len()].to_vec(), best.value)
}

/// Stable, so that of equal corners the older one stays first.
fn sort(corners: &mut [Corner]) {
    corners.sort_by(|a, b| a.value.total_cmp(&b.value));
}

fn spread(corners: &[Corner]) -> f64 {
    let (first, last) = (corners[0].value, corners[corners.len() - 1].value);
    if last.is_finite() { (last - first).abs() } else { f64::INFINITY }
}

struct Search<'a, F> {
    bounds: &'a [Coordinate],
    function: F,
    evaluations: usize,
}

impl<F: FnMut(&[f64]) -> f64> Search<'_, F> {
    fn corner(&mut self, mut at: Point) -> Corner {
        for (value, bounds) in at.iter_mut().zip(self.bounds) {
            *value = mirrored(*value, bounds);
        }
        self.evaluations += 1;
        let value = (self.function)(&at[..self.bounds.len()]);
        Corner { at, value: if value.is_nan() { f64::INFINITY } else { value } }
    }

    fn first_corners(&mut self) -> Vec<Corner> {
        let mut start = [0.0; COORDINATES_MAX];
        start.iter_mut().zip(self.bounds).for_each(|(value, bounds)| *value = bounds.start);
        let mut corners = vec![self.corner(start)];
        for (number, bounds) in self.bounds.iter().enumerate() {
            let mut at = start;
            let up = at[number] + bounds.step;
            at[number] = if up <= bounds.high { up } else { at[number] - bounds.step };
            corners.push(self.corner(at));
        }
        corners
    }

    /// Moves the worst corner through the middle of the others, or draws all towards the best.
    fn step(&mut self, corners: &mut [Corner]) {
        let last = corners.len() - 1;
        let (best, second_worst, worst) = (corners[0], corners[last - 1], corners[last]);
        let middle = middle(&corners[..last]);
        let reflected = self.corner(between(&middle, &worst.at, -1.0));
        corners[last] = if reflected.value < best.value {
            let expanded = self.corner(between(&middle, &worst.at, -2.0));
            if expanded.value < reflected.value { expanded } else { reflected }
        } else if reflected.value < second_worst.value {
            reflected
        } else {
            let outer = if reflected.value < worst.value { reflected } else { worst };
            let contracted = self.corner(between(&middle, &outer.at, 0.5));
            if contracted.value >= outer.value {
                return self.shrink(corners);
            }
            contracted
        };
    }

    fn shrink(&mut self, corners: &mut [Corner]) {
        let best = corners[0].at;
        for corner in &mut corners[1..] {
            *corner = self.corner(between(&best, &corner.at, 0.5));
        }
    }
}

fn mirrored(value: f64, bounds: &Coordinate) -> f64 {
    let inside = match value {
        below if below < bounds.low => 2.0 * bounds.low - below,
        above if above > bounds.high => 2.0 * bounds.high - above,
        _ => value,
    };
    inside.clamp(bounds.low, bounds.high)
}

fn middle(corners: &[Corner]) -> Point {
    let mut sum = [0.0; COORDINATES_MAX];
    for corner in corners {
        sum.iter_mut().zip(&corner.at).for_each(|(sum, at)| *sum += at);
    }
    sum.map(|sum| sum / corners.len() as f64)
}

/// `from` at 0, `to` at 1.
fn between(from: &Point, to: &Point, part: f64) -> Point {
    let mut point = *from;
    point.iter_mut().zip(to).for_each(|(from, to)| *from += part * (to - *from));
    point
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coordinate(low: f64, high: f64, start: f64) -> Coordinate {
        Coordinate { low, high, start, step: 0.1 * (high - low) }
    }

    const PATIENCE: Patience = Patience { evaluations: 2_000, tolerance: 1e-14 };

    #[test]
    fn the_valley_of_rosenbrock_is_followed_to_its_end() {
        let bounds = [coordinate(-2.0, 2.0, -1.2), coordinate(-2.0, 2.0, 1.0)];
        let (at, value) = least(&bounds, PATIENCE, |x| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2));
        assert!((at[0] - 1.0).abs() < 1e-5 && (at[1] - 1.0).abs() < 1e-5 && value < 1e-10, "{at:?}");
    }

    #[test]
    fn a_least_value_beyond_the_box_is_sought_on_its_edge() {
        let bounds = [coordinate(0.0, 1.0, 0.5), coordinate(0.0, 1.0, 0.5)];
        let (at, _) = least(&bounds, PATIENCE, |x| (x[0] - 3.0).powi(2) + (x[1] - 0.25).powi(2));
        assert!((at[0] - 1.0).abs() < 1e-4 && (at[1] - 0.25).abs() < 1e-3, "{at:?}");
    }

    #[test]
    fn a_function_without_a_value_anywhere_ends_the_search() {
        let (at, value) = least(&[coordinate(0.0, 1.0, 0.5)], PATIENCE, |_| f64::NAN);
        assert_eq!((at.len(), value), (1, f64::INFINITY));
        assert_eq!(least(&[], PATIENCE, |_| 7.0), (vec![], 7.0));
    }
}
