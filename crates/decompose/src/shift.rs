//! Finds that the level has shifted (two-sided CUSUM: Page, "Continuous inspection schemes", 1954).

use values::state_text::{StateReader, write_finite, write_number};

/// What a deviation has to exceed before it counts, in units of the usual error.
const SLACK: f64 = 1.0;
/// The sum that is a shift.
const LIMIT: f64 = 8.0;
/// No point counts for more: so it takes five in a row, however far out they are.
const COUNTED_MAX: f64 = 3.0;
/// So many errors are kept: the height of a shift is their median.
const ERRORS: usize = 5;

/// The sums, and the last errors.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shift {
    up: f64,
    down: f64,
    errors: [f64; ERRORS],
    oldest: usize,
}

impl Shift {
    /// Takes an error and the usual size of errors. Returns the height of a shift that is seen now.
    #[inline]
    pub fn take(&mut self, error: f64, usual: f64) -> Option<f64> {
        self.errors[self.oldest] = error;
        self.oldest = (self.oldest + 1) % ERRORS;
        let ratio = if usual > 0.0 { (error / usual).clamp(-COUNTED_MAX, COUNTED_MAX) } else { 0.0 };
        self.up = (self.up + ratio - SLACK).max(0.0);
        self.down = (self.down - ratio - SLACK).max(0.0);
        if self.up <= LIMIT && self.down <= LIMIT {
            return None;
        }
        let height = self.median();
        *self = Self::default();
        Some(height)
    }

    #[cold]
    fn median(&self) -> f64 {
        let mut sorted = self.errors;
        sorted.sort_unstable_by(f64::total_cmp);
        sorted[ERRORS / 2]
    }

    /// Appends `[up,down,oldest,error,…]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_finite(self.up, out);
        out.push(b',');
        write_finite(self.down, out);
        out.push(b',');
        write_number(self.oldest as u64, out);
        for error in self.errors {
            out.push(b',');
            write_finite(error, out);
        }
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let up = from.finite()?;
        from.literal(b",")?;
        let down = from.finite()?;
        from.literal(b",")?;
        let oldest = usize::try_from(from.count()?).ok().filter(|oldest| *oldest < ERRORS)?;
        let mut shift = Self { up, down, oldest, ..Self::default() };
        for error in &mut shift.errors {
            from.literal(b",")?;
            *error = from.finite()?;
        }
        from.literal(b"]")?;
        Some(shift)
    }
}
