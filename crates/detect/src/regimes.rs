//! Looks for changes of the regimes of a key's numbers.

use surprise::{Change, ChangePoints, Verdict};
use values::state_text::{StateReader, write_items};

/// The change that a line shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Which number has changed.
    pub value: usize,
    pub change: Change,
}

/// What is known of the regimes of each number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Regimes {
    of: Vec<Watched>,
}

/// One number; its season is taken out as long as there is one.
#[derive(Clone, Debug, Default, PartialEq)]
struct Watched {
    points: ChangePoints,
    has_season: bool,
}

impl Regimes {
    pub fn new(numbers: usize) -> Self {
        Self { of: vec![Watched::default(); numbers] }
    }

    /// Takes the number at this place, and what was said of it. Returns the change that is now known.
    pub fn take(&mut self, value: usize, number: f64, time_ms: i64, verdict: &Verdict) -> Option<Found> {
        let watched = self.of.get_mut(value)?;
        if verdict.seasonal.is_some() != watched.has_season {
            // What is left without the season is another series.
            *watched = Watched { has_season: verdict.seasonal.is_some(), ..Watched::default() };
        }
        let remainder = number - verdict.seasonal.unwrap_or(0.0);
        let change = watched.points.take(remainder, time_ms)?;
        Some(Found { value, change })
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        let points = self.of.iter().map(|watched| watched.points.heap_bytes()).sum::<usize>();
        self.of.capacity() * size_of::<Watched>() + points
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        write_items(&self.of, out, |watched, out| {
            out.extend_from_slice(if watched.has_season { b"[1," } else { b"[0," });
            watched.points.save(out);
            out.push(b']');
        });
    }

    /// Takes what `save` wrote of so many numbers.
    pub fn load(from: &mut StateReader<'_>, numbers: usize) -> Option<Self> {
        let mut of = Vec::with_capacity(numbers);
        from.items(|from| {
            from.literal(b"[")?;
            let has_season = from.number()? == 1;
            from.literal(b",")?;
            of.push(Watched { points: ChangePoints::load(from)?, has_season });
            from.literal(b"]")
        })?;
        (of.len() == numbers).then_some(Self { of })
    }
}
