//! What is kept of a key: parts, each of which one or several members are made from.

use std::collections::VecDeque;

use accumulators::Sum;
use values::state_text::{StateReader, write_exact, write_float, write_items, write_number, write_text};
use values::{KeyText, Number};

use crate::digests::{Digest, Entry, Line, Moments, Rise, load_entry, save_entry};
use crate::inputs::Input;
use crate::room::{ENTRY_BYTES, Kept, Room, TooManyLines};
use crate::smoothing::{Decaying, Holt, Kalman, ewma};
use crate::span::Span;
use crate::window::{Needs, Window};

/// What a part keeps.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// How many there were.
    Count,
    /// The value before, with its time.
    Last,
    /// So many values before.
    Lags(usize),
    /// The same of values of any kind, as they are written.
    Texts(usize),
    First,
    Product,
    /// Digests of all values.
    Sum,
    Least,
    Most,
    Moments,
    /// Times are counted from the first value.
    Line,
    Rise,
    Ewma(f64),
    Decaying(i64),
    Holt(f64, f64),
    Kalman(f64, f64),
    /// The values that as many weights are for.
    Points(usize),
    Window(Span, Needs),
}

/// The state of a part. What has no value yet is `Empty`.
#[derive(Debug, Default)]
pub enum Part {
    #[default]
    Empty,
    Count(u64),
    Last(Entry),
    Lags(VecDeque<Number>),
    Texts(VecDeque<KeyText>),
    Number(Number),
    Sum(Sum),
    Moments(Moments),
    Line(Box<(i64, Line)>),
    Rise(Box<Rise>),
    Float(f64),
    Decaying(Decaying),
    Holt(Holt),
    Kalman(Kalman),
    Points(VecDeque<f64>),
    Window(Box<Window>),
}

impl Kind {
    /// Returns true if the value of a line is taken in only after the members are written.
    pub fn looks_back(&self) -> bool {
        matches!(self, Kind::Last | Kind::Lags(_) | Kind::Texts(_))
    }

    /// Returns true if it needs a number.
    pub fn needs_number(&self) -> bool {
        match self {
            Kind::Count | Kind::Texts(_) => false,
            Kind::Window(_, needs) => *needs != Needs::default(),
            _ => true,
        }
    }
}

impl Part {
    /// Takes in the value of a line.
    ///
    /// # Errors
    /// When more lines would be kept than may be.
    #[inline]
    pub fn take(&mut self, kind: &Kind, input: &Input<'_>, room: &mut Room) -> Result<(), TooManyLines> {
        match (&mut *self, kind) {
            (Part::Last(last), Kind::Last) => *last = input.entry(),
            (Part::Float(mean), Kind::Ewma(alpha)) => *mean = ewma(Some(*mean), input.number.to_f64(), *alpha),
            (Part::Count(count), Kind::Count) => *count += 1,
            (Part::Sum(sum), Kind::Sum) => sum.add(input.number),
            (Part::Number(least), Kind::Least) => *least = (*least).min(*input.number),
            (Part::Number(most), Kind::Most) => *most = (*most).max(*input.number),
            (Part::Number(product), Kind::Product) => *product = product.times(input.number),
            (Part::Number(_), Kind::First) => {}
            (Part::Moments(all), Kind::Moments) => all.join(&Moments::of(&input.entry(), 0)),
            (Part::Line(line), Kind::Line) => {
                let later = Line::of(&input.entry(), line.0);
                line.1.join(&later);
            }
            (Part::Rise(all), Kind::Rise) => all.join(&Rise::of(&input.entry(), 0)),
            (Part::Decaying(mean), Kind::Decaying(half_life_ms)) => {
                mean.take(input.number.to_f64(), input.time_ms, *half_life_ms);
            }
            (Part::Holt(holt), Kind::Holt(level, trend)) => holt.take(input.number.to_f64(), *level, *trend),
            (Part::Kalman(kalman), Kind::Kalman(step, noise)) => kalman.take(input.number.to_f64(), *step, *noise),
            (Part::Lags(values), Kind::Lags(lags)) => keep(values, *input.number, *lags, room),
            (Part::Texts(values), Kind::Texts(lags)) => keep(values, KeyText::new(input.text()), *lags, room),
            (Part::Points(values), Kind::Points(points)) => keep(values, input.number.to_f64(), *points, room),
            (Part::Window(window), Kind::Window(span, _)) => {
                return window.push(input.entry(), *span, room);
            }
            _ => return self.begin(kind, input, room),
        }
        Ok(())
    }

    /// Takes in the first value.
    #[cold]
    fn begin(&mut self, kind: &Kind, input: &Input<'_>, room: &mut Room) -> Result<(), TooManyLines> {
        let entry = input.entry();
        let value = entry.number.to_f64();
        *self = match kind {
            Kind::Count => Part::Count(1),
            Kind::Last => Part::Last(entry),
            Kind::Lags(_) => Part::Lags(VecDeque::from([entry.number])),
            Kind::Texts(_) => Part::Texts(VecDeque::from([KeyText::new(input.text())])),
            Kind::First | Kind::Product | Kind::Least | Kind::Most => Part::Number(entry.number),
            Kind::Sum => Part::Sum(Sum::of(&entry, 0)),
            Kind::Moments => Part::Moments(Moments::of(&entry, 0)),
            Kind::Line => Part::Line(Box::new((entry.time_ms, Line::of(&entry, entry.time_ms)))),
            Kind::Rise => Part::Rise(Box::new(Rise::of(&entry, 0))),
            Kind::Ewma(_) => Part::Float(value),
            Kind::Decaying(_) => Part::Decaying(Decaying::new(value, entry.time_ms)),
            Kind::Holt(..) => Part::Holt(Holt::new(value)),
            Kind::Kalman(_, noise) => Part::Kalman(Kalman::new(value, *noise)),
            Kind::Points(_) => Part::Points(VecDeque::from([value])),
            Kind::Window(span, needs) => {
                let mut window = Box::new(Window::new(*needs));
                window.push(entry, *span, room)?;
                Part::Window(window)
            }
        };
        if !matches!(self, Part::Window(_)) {
            room.bytes += self.bytes();
        }
        Ok(())
    }

    /// Returns what the values that it keeps take.
    pub fn bytes(&self) -> usize {
        match self {
            Part::Lags(values) => values.iter().map(Kept::bytes).sum(),
            Part::Texts(values) => values.iter().map(Kept::bytes).sum(),
            Part::Points(values) => values.iter().map(Kept::bytes).sum(),
            Part::Window(window) => window.len() * ENTRY_BYTES,
            _ => 0,
        }
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        let more = match self {
            Part::Line(_) => size_of::<(i64, Line)>(),
            Part::Rise(_) => size_of::<Rise>(),
            Part::Window(_) => size_of::<Window>(),
            _ => 0,
        };
        more + self.bytes()
    }

    /// Appends the state as JSON.
    pub fn save(&self, out: &mut Vec<u8>) {
        match self {
            Part::Empty => out.extend_from_slice(b"null"),
            Part::Count(count) => write_number(*count, out),
            Part::Last(entry) => {
                out.push(b'[');
                save_entry(entry, out);
                out.push(b']');
            }
            Part::Lags(values) => write_all(values, out, write_exact),
            Part::Texts(values) => write_all(values, out, |text, out| write_text(text.as_bytes(), out)),
            Part::Number(number) => write_exact(number, out),
            Part::Sum(sum) => sum.save(out),
            Part::Moments(moments) => moments.save(out),
            Part::Line(line) => {
                out.push(b'[');
                save_entry(&Entry { time_ms: line.0, number: Number::ZERO }, out);
                out.push(b',');
                line.1.save(out);
                out.push(b']');
            }
            Part::Rise(rise) => rise.save(out),
            Part::Float(value) => write_float(*value, out),
            Part::Decaying(mean) => mean.save(out),
            Part::Holt(holt) => holt.save(out),
            Part::Kalman(kalman) => kalman.save(out),
            Part::Points(values) => write_all(values, out, |value, out| write_float(*value, out)),
            Part::Window(window) => window.save(out),
        }
    }

    /// Reads what `save` wrote.
    pub fn load(from: &mut StateReader<'_>, kind: &Kind) -> Option<Part> {
        if from.literal(b"null").is_some() {
            return Some(Part::Empty);
        }
        Some(match kind {
            Kind::Count => Part::Count(from.count()?),
            Kind::Last => {
                from.literal(b"[")?;
                let entry = load_entry(from)?;
                from.literal(b"]")?;
                Part::Last(entry)
            }
            Kind::Lags(_) => Part::Lags(read_all(from, |from| from.exact())?),
            Kind::Texts(_) => Part::Texts(read_all(from, |from| Some(KeyText::new(&from.string()?)))?),
            Kind::First | Kind::Product | Kind::Least | Kind::Most => Part::Number(from.exact()?),
            Kind::Sum => Part::Sum(Sum::load(from)?),
            Kind::Moments => Part::Moments(Moments::load(from)?),
            Kind::Line => {
                from.literal(b"[")?;
                let origin_ms = load_entry(from)?.time_ms;
                from.literal(b",")?;
                let line = Line::load(from)?;
                from.literal(b"]")?;
                Part::Line(Box::new((origin_ms, line)))
            }
            Kind::Rise => Part::Rise(Box::new(Rise::load(from)?)),
            Kind::Ewma(_) => Part::Float(from.float()?),
            Kind::Decaying(_) => Part::Decaying(Decaying::load(from)?),
            Kind::Holt(..) => Part::Holt(Holt::load(from)?),
            Kind::Kalman(..) => Part::Kalman(Kalman::load(from)?),
            Kind::Points(_) => Part::Points(read_all(from, |from| from.float())?),
            Kind::Window(_, needs) => Part::Window(Box::new(Window::load(from, *needs)?)),
        })
    }
}

/// Puts a value behind those that are kept, at most so many.
#[inline]
fn keep<T: Kept>(values: &mut VecDeque<T>, value: T, count: usize, room: &mut Room) {
    if values.len() >= count
        && let Some(oldest) = values.pop_front()
    {
        room.bytes -= oldest.bytes();
    }
    room.bytes += value.bytes();
    values.push_back(value);
}

fn write_all<T>(values: &VecDeque<T>, out: &mut Vec<u8>, write: impl Fn(&T, &mut Vec<u8>)) {
    let items: Vec<&T> = values.iter().collect();
    write_items(&items, out, |item, out| write(item, out));
}

fn read_all<T>(from: &mut StateReader<'_>, read: impl Fn(&mut StateReader<'_>) -> Option<T>) -> Option<VecDeque<T>> {
    let mut values = VecDeque::new();
    from.items(|from| {
        values.push_back(read(from)?);
        Some(())
    })?;
    Some(values)
}
