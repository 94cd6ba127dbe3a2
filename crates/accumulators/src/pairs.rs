//! Two fields together: covariance, correlation, the line of least squares.

use values::state_text::{StateReader, write_float, write_number};

use crate::mean::Mean;
use crate::settings::Settings;
use crate::state::State;

/// Means and sums of products of deviations of pairs of numbers: Welford (1962) for each pair, merged as by Chan, Golub and
/// LeVeque (1979). What leaves the range of `f64` makes all results none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pairs {
    count: u64,
    mean_x: Mean,
    mean_y: Mean,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Pairs {
    pub fn add(&mut self, x: f64, y: f64) {
        self.count += 1;
        let count = self.count as f64;
        let (dx, dy) = (self.mean_x.distance_to(x), self.mean_y.distance_to(y));
        self.mean_x.move_by(dx / count);
        self.mean_y.move_by(dy / count);
        let rest_of_y = self.mean_y.distance_to(y);
        self.xx += dx * self.mean_x.distance_to(x);
        self.yy += dy * rest_of_y;
        self.xy += dx * rest_of_y;
    }

    pub fn merge(&mut self, other: &Pairs) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            *self = *other;
            return;
        }
        let (own, others) = (self.count as f64, other.count as f64);
        let all = own + others;
        let (dx, dy) = (self.mean_x.distance_to_mean(&other.mean_x), self.mean_y.distance_to_mean(&other.mean_y));
        let weight = own * (others / all);
        self.count += other.count;
        self.mean_x.move_by(dx * (others / all));
        self.mean_y.move_by(dy * (others / all));
        self.xx += other.xx + dx * dx * weight;
        self.yy += other.yy + dy * dy * weight;
        self.xy += other.xy + dx * dy * weight;
    }

    /// Of a sample, or of all.
    pub fn covariance(&self, of_sample: bool) -> Option<f64> {
        let divisor = self.count.checked_sub(u64::from(of_sample)).filter(|divisor| *divisor > 0)?;
        Some(self.xy / divisor as f64)
    }

    pub fn correlation(&self) -> Option<f64> {
        let product = self.xx * self.yy;
        // Each root for itself is less exact, but stays in the range.
        let scale = if product.is_normal() { product.sqrt() } else { self.xx.sqrt() * self.yy.sqrt() };
        (scale > 0.0 && scale.is_finite()).then(|| (self.xy / scale).clamp(-1.0, 1.0))
    }

    /// Of y over x, as are the two below.
    pub fn slope(&self) -> Option<f64> {
        (self.xx > 0.0 && self.xx.is_finite()).then(|| self.xy / self.xx)
    }

    pub fn intercept(&self) -> Option<f64> {
        Some(self.mean_y.get() - self.slope()? * self.mean_x.get())
    }

    pub fn determination(&self) -> Option<f64> {
        let slope = self.slope().filter(|_| self.yy.is_finite())?;
        Some(if self.yy == 0.0 { 1.0 } else { (slope * (self.xy / self.yy)).clamp(0.0, 1.0) })
    }
}

impl State for Pairs {
    const MEMBER: &'static [u8] = b",\"pairs\":";
    const NAME: &'static str = "pairs";

    /// `[count,mean,lost,mean,lost,squares,squares,products]`
    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.count, out);
        for mean in [&self.mean_x, &self.mean_y] {
            out.push(b',');
            mean.save(out);
        }
        for value in [self.xx, self.yy, self.xy] {
            out.push(b',');
            write_float(value, out);
        }
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, _: &Settings) -> Option<Pairs> {
        from.literal(b"[")?;
        let count = from.count()?;
        let mut mean = || {
            from.literal(b",")?;
            Mean::load(from)
        };
        let (mean_x, mean_y) = (mean()?, mean()?);
        let mut float = || {
            from.literal(b",")?;
            from.float()
        };
        let (xx, yy, xy) = (float()?, float()?, float()?);
        from.literal(b"]")?;
        Some(Pairs { count, mean_x, mean_y, xx, yy, xy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pairs: &[(f64, f64)]) -> Pairs {
        let mut all = Pairs::default();
        pairs.iter().for_each(|(x, y)| all.add(*x, *y));
        all
    }

    #[test]
    fn pairs_on_a_line_give_it() {
        let line = of(&[(1e9, 1.0), (1e9 + 1.0, 3.0), (1e9 + 2.0, 5.0)]);
        assert_eq!((line.slope(), line.correlation(), line.determination()), (Some(2.0), Some(1.0), Some(1.0)));
        assert_eq!((line.intercept(), line.covariance(true)), (Some(1.0 - 2e9), Some(2.0)));
    }

    #[test]
    fn what_is_constant_has_no_slope_or_correlation() {
        let (x, y) = (of(&[(0.1, 1.0); 3]), of(&[(1.0, 0.1), (2.0, 0.1)]));
        assert_eq!((x.slope(), x.intercept(), x.determination(), x.correlation()), (None, None, None, None));
        assert_eq!(
            (y.slope(), y.intercept(), y.determination(), y.correlation()),
            (Some(0.0), Some(0.1), Some(1.0), None)
        );
        assert_eq!(of(&[(1.0, 1.0)]).covariance(true), None);
        assert_eq!((of(&[(1.0, 1.0)]).covariance(false), of(&[]).covariance(false)), (Some(0.0), None));
    }

    proptest! {
        #[test]
        fn merged_parts_are_the_whole(pairs in prop::collection::vec((-1e3..1e3, -1e3..1e3), 2..60), cut in 0usize..60) {
            let (left, right) = pairs.split_at(cut.min(pairs.len()));
            let (whole, mut merged) = (of(&pairs), of(right));
            merged.merge(&of(left));
            for (a, b) in [(whole.xx, merged.xx), (whole.yy, merged.yy), (whole.xy, merged.xy), (whole.mean_x.get(), merged.mean_x.get())] {
                prop_assert!((a - b).abs() <= 1e-12 * 1e6 * pairs.len() as f64, "{} {}", a, b);
            }
        }
    }
}
