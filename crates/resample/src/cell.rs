//! One value of a step, from the numbers that come for it.

use accumulators::Sum;
use values::Number;
use values::state_text::{StateReader, write_exact, write_number, write_signed};

/// Which number of a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Take {
    /// The one with the latest time; of equal times the one that came last
    Last,
    /// Their average
    Mean,
    /// Their sum
    Sum,
    /// How many there are
    Count,
    /// The smallest
    Min,
    /// The largest
    Max,
}

impl Take {
    /// Returns its name, as a flag and at the end of a member's name.
    pub fn name(self) -> &'static str {
        match self {
            Take::Last => "last",
            Take::Mean => "mean",
            Take::Sum => "sum",
            Take::Count => "count",
            Take::Min => "min",
            Take::Max => "max",
        }
    }
}

/// The numbers of one field in one step, as far as their result needs it. Sums are exact as those of `aggregate`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// No number came.
    Empty,
    /// A number, and the time that it is of; for the smallest and the largest that time is 0.
    One { time_ms: i64, number: Number },
    /// A sum and how many numbers it has.
    Sum { sum: Sum, count: u64 },
    /// How many numbers there are.
    Count(u64),
}

impl Cell {
    /// Takes a number in.
    pub fn add(&mut self, take: Take, number: Number, time_ms: i64) {
        match (&mut *self, take) {
            (Cell::One { time_ms: known_ms, number: known }, _) => {
                let replaces = match take {
                    Take::Min => number < *known,
                    Take::Max => number > *known,
                    _ => time_ms >= *known_ms,
                };
                if replaces {
                    (*known_ms, *known) = (if take == Take::Last { time_ms } else { 0 }, number);
                }
            }
            (Cell::Sum { sum, count }, _) => {
                sum.add(&number);
                *count += 1;
            }
            (Cell::Count(count), _) => *count += 1,
            (Cell::Empty, _) => *self = Cell::of(take, number, time_ms),
        }
    }

    fn of(take: Take, number: Number, time_ms: i64) -> Cell {
        match take {
            Take::Last => Cell::One { time_ms, number },
            Take::Min | Take::Max => Cell::One { time_ms: 0, number },
            Take::Sum | Take::Mean => {
                let mut sum = Sum::default();
                sum.add(&number);
                Cell::Sum { sum, count: 1 }
            }
            Take::Count => Cell::Count(1),
        }
    }

    /// Returns the value; none where no number came, and for one that is beyond the range of `f64`.
    pub fn result(&self, take: Take) -> Option<Number> {
        match self {
            Cell::Empty => None,
            Cell::One { number, .. } => Some(*number),
            Cell::Count(count) => Some(Number::decimal(i128::from(*count), 0)),
            Cell::Sum { sum, count } if take == Take::Mean => finite(sum.divided_by(*count)),
            Cell::Sum { sum, .. } => match sum.as_decimal() {
                Some((mantissa, scale)) => Some(Number::decimal(mantissa, scale)),
                None => finite(sum.to_f64()),
            },
        }
    }

    /// Appends the cell: null, `[time,number]`, `[count,sum]`, or a count.
    pub fn save(&self, out: &mut Vec<u8>) {
        match self {
            Cell::Empty => out.extend_from_slice(b"null"),
            Cell::Count(count) => write_number(*count, out),
            Cell::One { time_ms, number } => {
                out.push(b'[');
                write_signed(*time_ms, out);
                out.push(b',');
                write_exact(number, out);
                out.push(b']');
            }
            Cell::Sum { sum, count } => {
                out.push(b'[');
                write_number(*count, out);
                out.push(b',');
                sum.save(out);
                out.push(b']');
            }
        }
    }

    /// Reads what `save` wrote for the same `take`.
    pub fn load(from: &mut StateReader<'_>, take: Take) -> Option<Cell> {
        if from.literal(b"null").is_some() {
            return Some(Cell::Empty);
        }
        if take == Take::Count {
            return from.count().map(Cell::Count);
        }
        from.literal(b"[")?;
        let cell = if matches!(take, Take::Sum | Take::Mean) {
            let count = from.count()?;
            from.literal(b",")?;
            let sum = Sum::load(from)?;
            Cell::Sum { sum, count }
        } else {
            let time_ms = from.signed()?;
            from.literal(b",")?;
            Cell::One { time_ms, number: from.exact()? }
        };
        from.literal(b"]")?;
        Some(cell)
    }
}

fn finite(value: f64) -> Option<Number> {
    value.is_finite().then_some(Number::float(value))
}
