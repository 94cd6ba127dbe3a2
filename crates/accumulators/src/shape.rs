//! How numbers lie about their mean: skewness and kurtosis.

use values::state_text::{StateReader, write_float, write_number};

use crate::mean::Mean;
use crate::settings::Settings;
use crate::state::State;

/// The mean, and sums of the second, third and fourth powers of the deviations from it, one pass and merged by the formulas
/// of Pébay (Sandia report SAND2008-6212). What leaves the range of `f64` makes all results none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shape {
    count: u64,
    mean: Mean,
    second: f64,
    third: f64,
    fourth: f64,
}

impl Shape {
    pub fn add(&mut self, value: f64) {
        self.merge(&Shape { count: 1, mean: Mean::of(value), ..Shape::default() });
    }

    pub fn merge(&mut self, other: &Shape) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let all = own + others;
        let delta = self.mean.distance_to_mean(&other.mean);
        let (own_part, others_part) = (own / all, others / all);
        let second = delta * delta * own * others_part;
        let skew = own_part - others_part;
        let cross = own_part * own_part - own_part * others_part + others_part * others_part;
        self.fourth += other.fourth
            + second * delta * delta * cross
            + 6.0 * delta * delta * (own_part * own_part * other.second + others_part * others_part * self.second)
            + 4.0 * delta * (own_part * other.third - others_part * self.third);
        self.third +=
            other.third + second * delta * skew + 3.0 * delta * (own_part * other.second - others_part * self.second);
        self.second += other.second + second;
        self.mean.move_by(delta * others_part);
        self.count += other.count;
    }

    /// Of a sample: √(n(n-1))/(n-2) times the third central moment by the third power of the deviation.
    pub fn skewness(&self) -> Option<f64> {
        let n = self.spread_over(3)?;
        let of_all = self.third / self.second / (self.second / n).sqrt();
        Some(of_all * (n * (n - 1.0)).sqrt() / (n - 2.0))
    }

    /// Of a sample, less that of a normal distribution: (n-1)/((n-2)(n-3)) · ((n+1)·g + 6), g being the fourth central moment
    /// by the square of the second, less 3.
    pub fn kurtosis(&self) -> Option<f64> {
        let n = self.spread_over(4)?;
        let of_all = n * (self.fourth / self.second / self.second) - 3.0;
        Some((n - 1.0) / ((n - 2.0) * (n - 3.0)) * ((n + 1.0) * of_all + 6.0))
    }

    /// How many values there are, if they are enough and not all the same.
    fn spread_over(&self, least: u64) -> Option<f64> {
        (self.count >= least && self.second > 0.0 && self.second.is_finite()).then_some(self.count as f64)
    }
}

impl State for Shape {
    const MEMBER: &'static [u8] = b",\"shapes\":";
    const NAME: &'static str = "shapes";

    /// `[count,mean,lost,squares,cubes,fourths]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        out.push(b',');
        self.mean.save(out);
        for value in [self.second, self.third, self.fourth] {
            out.push(b',');
            write_float(value, out);
        }
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Shape> {
        from.literal(b"[")?;
        let count = from.count()?;
        from.literal(b",")?;
        let mean = Mean::load(from)?;
        let mut float = || {
            from.literal(b",")?;
            from.float()
        };
        let (second, third, fourth) = (float()?, float()?, float()?);
        from.literal(b"]")?;
        Some(Shape { count, mean, second, third, fourth })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Shape {
        let mut all = Shape::default();
        values.iter().for_each(|value| all.add(*value));
        all
    }

    fn near(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found / expected - 1.0).abs() < 1e-12)
    }

    #[test]
    fn a_few_values_have_the_shape_that_is_worked_out_by_hand() {
        // Deviations -3, -2, 0, 5: squares 38, cubes 90, fourths 722.
        let shape = of(&[1.0, 2.0, 4.0, 9.0]);
        assert!(near(shape.skewness(), 90.0 / 4.0 / 9.5_f64.powf(1.5) * 12_f64.sqrt() / 2.0), "{:?}", shape.skewness());
        assert!(near(shape.kurtosis(), 1.5), "{:?}", shape.kurtosis());
        assert_eq!((of(&[1.0, 2.0]).skewness(), of(&[1.0, 2.0, 4.0]).kurtosis()), (None, None));
        assert_eq!((of(&[0.1; 9]).skewness(), of(&[0.1; 9]).kurtosis()), (None, None));
        assert_eq!(of(&[-1.0, 0.0, 1.0]).skewness(), Some(0.0));
    }

    proptest! {
        #[test]
        fn merged_parts_are_the_whole(values in prop::collection::vec(-1e3..1e3, 2..60), cut in 0usize..60) {
            let (left, right) = values.split_at(cut.min(values.len()));
            let (whole, mut merged) = (of(&values), of(right));
            merged.merge(&of(left));
            let count = values.len() as f64;
            for (a, b, power) in [(whole.second, merged.second, 2), (whole.third, merged.third, 3), (whole.fourth, merged.fourth, 4)] {
                prop_assert!((a - b).abs() <= 1e-12 * 1e3_f64.powi(power) * count, "{} {}", a, b);
            }
        }
    }
}
