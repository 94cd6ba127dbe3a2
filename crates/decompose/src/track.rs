//! What is kept of a key: where its steps are counted from, and a decomposer for each number.

use keyed_state::Footprint;
use series::Step;
use values::state_text::{StateReader, write_items, write_signed};

use crate::decomposer::{Decomposer, Plan};
use crate::parts::Parts;

/// How lines are taken, the same for all keys.
#[derive(Clone, Debug)]
pub struct Rules {
    /// None: each line is a step.
    pub step: Option<Step>,
    /// The most steps without a number that are filled.
    pub gap_max: u64,
    pub plan: Plan,
}

/// The state of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Track {
    /// The time that steps are counted from; without a length of steps, 0.
    origin_ms: i64,
    /// The step of the last line, from 1; 0 before the first.
    at: i64,
    values: Box<[Decomposer]>,
}

impl Track {
    /// Begins with a line of this time, which is still to be taken, and so many numbers.
    pub fn new(time_ms: i64, numbers: usize) -> Self {
        Self { origin_ms: time_ms, at: 0, values: vec![Decomposer::default(); numbers].into() }
    }

    /// Takes the numbers of a line, and puts the parts of each into `parts`. Returns how many steps before it had no line, 0 if
    /// they are too many to be filled. None, and no trace is left, when the line is in no later step than the last one.
    pub fn take(
        &mut self,
        time_ms: i64,
        numbers: &[Option<f64>],
        rules: &Rules,
        parts: &mut Vec<Option<Parts>>,
    ) -> Option<u64> {
        let at = match rules.step {
            Some(step) => step.count(self.origin_ms, time_ms).saturating_add(1),
            None => self.at + 1,
        };
        if at <= self.at {
            return None;
        }
        let missing = at.abs_diff(self.at) - 1;
        self.at = at;
        parts.clear();
        let values = self.values.iter_mut().zip(numbers);
        parts.extend(values.map(|(value, number)| value.take(*number, at, rules.gap_max, &rules.plan)));
        Some(if missing <= rules.gap_max { missing } else { 0 })
    }

    /// Appends `[origin,at,[value,…]]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.origin_ms, out);
        out.push(b',');
        write_signed(self.at, out);
        out.push(b',');
        write_items(&self.values, out, Decomposer::save);
        out.push(b']');
    }

    /// Takes what `save` wrote of so many numbers.
    pub fn load(from: &mut StateReader<'_>, numbers: usize) -> Option<Self> {
        from.literal(b"[")?;
        let origin_ms = from.signed()?;
        from.literal(b",")?;
        let at = from.signed()?;
        from.literal(b",")?;
        let mut values = Vec::with_capacity(numbers);
        from.items(|from| {
            values.push(Decomposer::load(from)?);
            Some(())
        })?;
        from.literal(b"]")?;
        (values.len() == numbers).then(|| Self { origin_ms, at, values: values.into() })
    }
}

impl Footprint for Track {
    fn heap_bytes(&self) -> usize {
        size_of_val(&*self.values) + self.values.iter().map(Decomposer::heap_bytes).sum::<usize>()
    }
}
