//! The ways to compute percentiles.

use std::fmt;
use std::str::FromStr;

use crate::spec::SpecError;

/// Values kept as they are before a sketch takes over. 4 KiB, about the size of the sketch that follows.
pub const EXACT_VALUES: usize = 512;
/// Values of a group with `exact`, unless said otherwise.
const EXACT_MAX: usize = 1_000_000;
/// Sample of a group with `reservoir`, unless said otherwise.
const RESERVOIR_SIZE: usize = 1_000;
const COMPRESSION: u16 = 200;

/// How percentiles are computed once there are more values than [`EXACT_VALUES`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Percentiles {
    /// Within this relative error of the value.
    DdSketch(f64),
    /// About twice this number of centroids; the error is smallest towards p0 and p100.
    TDigest(u16),
    /// All values, up to this number a group.
    Exact(usize),
    /// A uniform sample of this size.
    Reservoir(usize),
}

impl Default for Percentiles {
    fn default() -> Percentiles {
        Percentiles::DdSketch(0.01)
    }
}

impl FromStr for Percentiles {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Percentiles, SpecError> {
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, Some(number)),
            None => (text, None),
        };
        let found = match kind {
            "ddsketch" => number
                .map_or(Some(0.01), |text| text.parse().ok())
                .filter(|alpha| (0.001..=0.2).contains(alpha))
                .map(Percentiles::DdSketch),
            "tdigest" => number
                .map_or(Some(COMPRESSION), |text| text.parse().ok())
                .filter(|k| (10..=2_000).contains(k))
                .map(Percentiles::TDigest),
            "exact" => whole(number, EXACT_MAX).map(Percentiles::Exact),
            "reservoir" => whole(number, RESERVOIR_SIZE).map(Percentiles::Reservoir),
            _ => None,
        };
        found.ok_or_else(|| SpecError::Percentiles(text.into()))
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Percentiles::DdSketch(alpha) => write!(f, "ddsketch:{alpha}"),
            Percentiles::TDigest(compression) => write!(f, "tdigest:{compression}"),
            Percentiles::Exact(max) => write!(f, "exact:{max}"),
            Percentiles::Reservoir(size) => write!(f, "reservoir:{size}"),
        }
    }
}

/// How different values are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DistinctBy {
    /// Exact for few, then within 2 %.
    #[default]
    HyperLogLog,
    /// All values, up to this number a group.
    Exact(u64),
}

impl FromStr for DistinctBy {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<DistinctBy, SpecError> {
        let found = match text.split_once(':') {
            None if text == "hyperloglog" => Some(DistinctBy::HyperLogLog),
            None if text == "exact" => Some(DistinctBy::Exact(EXACT_MAX as u64)),
            Some(("exact", number)) => whole(Some(number), EXACT_MAX).map(|max| DistinctBy::Exact(max as u64)),
            _ => None,
        };
        found.ok_or_else(|| SpecError::Distinct(text.into()))
    }
}

fn whole(number: Option<&str>, default: usize) -> Option<usize> {
    number.map_or(Some(default), |text| text.parse().ok()).filter(|count| *count >= 1)
}

impl Percentiles {
    /// How many values are kept as they are.
    pub(crate) fn values_max(&self) -> usize {
        match self {
            Percentiles::DdSketch(_) | Percentiles::TDigest(_) => EXACT_VALUES,
            Percentiles::Exact(max) | Percentiles::Reservoir(max) => *max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_from_text() {
        assert_eq!("ddsketch:0.02".parse(), Ok(Percentiles::DdSketch(0.02)));
        assert_eq!("ddsketch".parse(), Ok(Percentiles::DdSketch(0.01)));
        assert_eq!("tdigest".parse(), Ok(Percentiles::TDigest(200)));
        assert_eq!("exact".parse(), Ok(Percentiles::Exact(1_000_000)));
        assert_eq!("reservoir:500".parse(), Ok(Percentiles::Reservoir(500)));
        for wrong in ["ddsketch:0", "ddsketch:x", "ddsketch:NaN", "exact:0", "kll", "reservoir:-1"] {
            assert_eq!(wrong.parse::<Percentiles>(), Err(SpecError::Percentiles(wrong.into())));
        }
        assert_eq!("exact:5".parse(), Ok(DistinctBy::Exact(5)));
        assert_eq!("exact".parse(), Ok(DistinctBy::Exact(1_000_000)));
        for wrong in ["exact:0", "hll", "hyperloglog:1"] {
            assert_eq!(wrong.parse::<DistinctBy>(), Err(SpecError::Distinct(wrong.into())));
        }
        for text in ["ddsketch:0.02", "tdigest:100", "exact:5", "reservoir:500"] {
            assert_eq!(text.parse::<Percentiles>().unwrap().to_string(), text);
        }
    }
}
