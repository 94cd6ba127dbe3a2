//! The detectors of a key, one for each number.

use surprise::{Detector, Robust, Verdict};
use values::state_text::{StateReader, write_items};

/// How numbers are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Method {
    /// By a memory of the values that were there.
    #[default]
    Memory,
    /// The same for series that change all the time.
    Trend,
    /// By medians.
    Robust,
}

/// Detectors of one method.
#[derive(Clone, Debug, PartialEq)]
pub enum Models {
    Memory(Box<[Detector]>),
    Robust(Box<[Robust]>),
}

impl Default for Models {
    fn default() -> Self {
        Self::Robust(Box::default())
    }
}

impl Models {
    /// Makes detectors that have seen nothing.
    pub fn new(method: Method, numbers: usize) -> Self {
        let all = |detector: Detector| Self::Memory(vec![detector; numbers].into());
        match method {
            Method::Memory => all(Detector::default()),
            Method::Trend => all(Detector::of_trend()),
            Method::Robust => Self::Robust(vec![Robust::default(); numbers].into()),
        }
    }

    /// Takes a number for the detector with this place.
    #[inline]
    pub fn take(&mut self, place: usize, number: f64, time_ms: i64) -> Option<Verdict> {
        match self {
            Self::Memory(detectors) => Some(detectors.get_mut(place)?.take(number, time_ms)),
            Self::Robust(detectors) => Some(detectors.get_mut(place)?.take(number, time_ms)),
        }
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Self::Memory(detectors) => {
                size_of_val(&**detectors) + detectors.iter().map(Detector::heap_bytes).sum::<usize>()
            }
            Self::Robust(detectors) => size_of_val(&**detectors),
        }
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        match self {
            Self::Memory(detectors) => write_items(detectors, out, Detector::save),
            Self::Robust(detectors) => write_items(detectors, out, Robust::save),
        }
    }

    /// Takes what `save` wrote of so many detectors of this method.
    pub fn load(from: &mut StateReader<'_>, method: Method, numbers: usize) -> Option<Self> {
        if method == Method::Robust {
            return Some(Self::Robust(load_all(from, numbers, Robust::load)?));
        }
        let detectors = load_all(from, numbers, Detector::load)?;
        let is_of_method = |detector: &Detector| detector.is_of_trend() == (method == Method::Trend);
        detectors.iter().all(is_of_method).then_some(Self::Memory(detectors))
    }
}

fn load_all<'a, T>(
    from: &mut StateReader<'a>,
    numbers: usize,
    load: impl Fn(&mut StateReader<'a>) -> Option<T>,
) -> Option<Box<[T]>> {
    let mut all = Vec::with_capacity(numbers);
    from.items(|from| {
        all.push(load(from)?);
        Some(())
    })?;
    (all.len() == numbers).then(|| all.into())
}
