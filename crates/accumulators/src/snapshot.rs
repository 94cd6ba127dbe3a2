//! Groups as text, for snapshots.
//!
//! ```text
//! {"lines":3,"stats":[[3,60.93,13.07,30.00]],"quantiles":[[13.07,17.86,30]]}
//! ```
//!
//! For each kind of state that the plan has there is an array with the state of each field that needs it: `counts`;
//! `stats`: count, sum, min, max; `moments`: mean and sum of squares; `quantiles`: values, or a sketch; `ends`: number
//! and text of the first and of the last value; `lists`; `frequencies`; `distinct`; `strings`: count, least and largest;
//! `best`: the largest or least value, the number of its line, what is given of it.

use std::borrow::Cow;

use crate::bytes::Reader;
use crate::distinct::{Distinct, EXACT_MAX};
use crate::ends::{Ends, List};
use crate::exact_set::ExactSet;
use crate::extremes_text::{load_best, load_strings, save_best, save_strings};
use crate::frequencies::Frequencies;
use crate::percentiles::Percentiles;
use crate::plan::Plan;
use crate::quantiles::{FIRST_CAPACITY, Quantiles};
use crate::stats::{Moments, Stats};
use crate::sum::Sum;
use crate::table::{Table, range};
use crate::value_text::{load_arrival, load_number, save_number};
use values::state_text::{
    DecimalOrFloat, StateReader, write_base64, write_decimal, write_finite, write_float, write_items, write_number,
    write_text,
};

/// Longer lists of values are written as bytes: nobody reads them, and it is faster.
const SHOWN_VALUES_MAX: usize = 64;

/// A snapshot that is not one of this plan's groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved {0} do not fit these results")]
pub struct SnapshotError(&'static str);

impl Table {
    /// Appends the state of one group.
    pub fn save(&self, plan: &Plan, group: usize, out: &mut Vec<u8>) {
        let columns = plan.columns;
        out.extend_from_slice(b"{\"lines\":");
        write_number(self.lines[group], out);
        put(b",\"counts\":", &self.counts[range(group, columns.counts)], out, |count, out| write_number(*count, out));
        put(b",\"stats\":", &self.stats[range(group, columns.stats)], out, save_stats);
        put(b",\"moments\":", &self.moments[range(group, columns.moments)], out, save_moments);
        put(b",\"quantiles\":", &self.quantiles[range(group, columns.quantiles)], out, save_quantiles);
        put(b",\"ends\":", &self.ends[range(group, columns.ends)], out, save_ends);
        put(b",\"lists\":", &self.lists[range(group, columns.lists)], out, save_list);
        put(b",\"frequencies\":", &self.frequencies[range(group, columns.frequencies)], out, save_frequencies);
        put(b",\"distinct\":", &self.distinct[range(group, columns.distinct)], out, save_distinct);
        put(b",\"strings\":", &self.strings[range(group, columns.strings)], out, save_strings);
        put(b",\"best\":", &self.best[range(group, columns.best)], out, save_best);
        out.push(b'}');
    }

    /// Puts a saved group in the place of `group`; it stands at the front of `from`.
    ///
    /// # Errors
    /// A snapshot of other results, or a damaged one. The group is then of no use.
    pub fn load(&mut self, plan: &Plan, group: usize, from: &mut StateReader<'_>) -> Result<(), SnapshotError> {
        let columns = plan.columns;
        let kind = plan.settings.percentiles;
        self.lines[group] = load_lines(from).ok_or(SnapshotError("lines"))?;
        take("counts", b",\"counts\":", &mut self.counts[range(group, columns.counts)], from, |from| from.count())?;
        take("stats", b",\"stats\":", &mut self.stats[range(group, columns.stats)], from, load_stats)?;
        take("moments", b",\"moments\":", &mut self.moments[range(group, columns.moments)], from, load_moments)?;
        take("quantiles", b",\"quantiles\":", &mut self.quantiles[range(group, columns.quantiles)], from, |from| {
            load_quantiles(from, kind)
        })?;
        take("ends", b",\"ends\":", &mut self.ends[range(group, columns.ends)], from, load_ends)?;
        take("lists", b",\"lists\":", &mut self.lists[range(group, columns.lists)], from, load_list)?;
        take(
            "frequencies",
            b",\"frequencies\":",
            &mut self.frequencies[range(group, columns.frequencies)],
            from,
            load_frequencies,
        )?;
        take("distinct", b",\"distinct\":", &mut self.distinct[range(group, columns.distinct)], from, load_distinct)?;
        take("strings", b",\"strings\":", &mut self.strings[range(group, columns.strings)], from, load_strings)?;
        take("best lines", b",\"best\":", &mut self.best[range(group, columns.best)], from, load_best)?;
        from.literal(b"}").ok_or(SnapshotError("results"))
    }
}

/// Appends the states of one kind, if the plan has such.
fn put<T>(member: &[u8], states: &[T], out: &mut Vec<u8>, save: impl Fn(&T, &mut Vec<u8>)) {
    if !states.is_empty() {
        out.extend_from_slice(member);
        write_items(states, out, save);
    }
}

fn load_lines(from: &mut StateReader<'_>) -> Option<u64> {
    from.literal(b"{\"lines\":")?;
    from.count()
}

/// Reads the states of one kind; there must be as many as the plan has.
fn take<T>(
    name: &'static str,
    member: &[u8],
    states: &mut [T],
    from: &mut StateReader<'_>,
    load: impl Fn(&mut StateReader<'_>) -> Option<T>,
) -> Result<(), SnapshotError> {
    if states.is_empty() {
        return Ok(());
    }
    let mut places = states.iter_mut();
    let mut take_all = || {
        from.literal(member)?;
        from.items(|from| {
            *places.next()? = load(from)?;
            Some(())
        })
    };
    match (take_all(), places.next()) {
        (Some(()), None) => Ok(()),
        _ => Err(SnapshotError(name)),
    }
}

fn save_sum(sum: &Sum, out: &mut Vec<u8>) {
    match sum.as_compensated() {
        Some((sum, compensation, is_scaled)) => {
            let values = [sum, compensation, 1.0];
            let values = if is_scaled { &values[..] } else { &values[..2] };
            write_items(values, out, |value, out| write_float(*value, out));
        }
        None => write_decimal(sum.as_decimal().unwrap_or_default(), out),
    }
}

fn load_sum(from: &mut StateReader<'_>) -> Option<Sum> {
    if from.literal(b"[").is_none() {
        return match from.decimal_or_float()? {
            DecimalOrFloat::Decimal(mantissa, scale) => Some(Sum::exact(mantissa, scale)),
            DecimalOrFloat::Float(_) => None,
        };
    }
    let sum = from.float()?;
    from.literal(b",")?;
    let compensation = from.float()?;
    let is_scaled = from.literal(b",").is_some();
    if is_scaled {
        from.float()?;
    }
    from.literal(b"]")?;
    Some(if is_scaled { Sum::scaled(sum, compensation) } else { Sum::compensated(sum, compensation) })
}

fn save_stats(stats: &Stats, out: &mut Vec<u8>) {
    out.push(b'[');
    write_number(stats.count, out);
    if stats.count > 0 {
        out.push(b',');
        save_sum(&stats.sum, out);
        for number in [&stats.min, &stats.max] {
            out.push(b',');
            save_number(number, out);
        }
    }
    out.push(b']');
}

fn load_stats(from: &mut StateReader<'_>) -> Option<Stats> {
    from.literal(b"[")?;
    let mut stats = Stats { count: from.count()?, ..Stats::default() };
    if stats.count > 0 {
        from.literal(b",")?;
        stats.sum = load_sum(from)?;
        from.literal(b",")?;
        stats.min = load_number(from)?;
        from.literal(b",")?;
        stats.max = load_number(from)?;
    }
    from.literal(b"]")?;
    Some(stats)
}

fn save_moments(moments: &Moments, out: &mut Vec<u8>) {
    write_items(&[moments.mean, moments.squares], out, |value, out| write_float(*value, out));
}

fn load_moments(from: &mut StateReader<'_>) -> Option<Moments> {
    from.literal(b"[")?;
    let mean = from.float()?;
    from.literal(b",")?;
    let squares = from.float()?;
    from.literal(b"]")?;
    Some(Moments { mean, squares })
}

/// `{"name":"base64"}`
fn save_bytes(name: &str, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_base64(bytes, out);
    out.push(b'}');
}

fn save_quantiles(quantiles: &Quantiles, out: &mut Vec<u8>) {
    match quantiles {
        Quantiles::Values(values) if values.len() <= SHOWN_VALUES_MAX => {
            write_items(values, out, |value, out| write_finite(*value, out));
        }
        _ => {
            let (kind, bytes) = quantiles.save();
            save_bytes(kind, &bytes, out);
        }
    }
}

fn load_quantiles(from: &mut StateReader<'_>, percentiles: Percentiles) -> Option<Quantiles> {
    if from.is_at(b'[') {
        let mut values = Vec::with_capacity(FIRST_CAPACITY);
        from.items(|from| {
            values.push(from.finite()?);
            Some(())
        })?;
        return Quantiles::of_values(values, percentiles);
    }
    from.literal(b"{")?;
    let kind = from.string()?;
    from.literal(b":")?;
    let bytes = from.base64()?;
    from.literal(b"}")?;
    Quantiles::load(str::from_utf8(&kind).ok()?, &bytes, percentiles)
}

fn save_ends(ends: &Ends, out: &mut Vec<u8>) {
    out.push(b'[');
    if !ends.is_empty() {
        write_number(ends.first_at, out);
        out.push(b',');
        write_text(&ends.first, out);
        out.push(b',');
        write_number(ends.last_at, out);
        out.push(b',');
        write_text(&ends.last, out);
    }
    out.push(b']');
}

fn load_ends(from: &mut StateReader<'_>) -> Option<Ends> {
    from.literal(b"[")?;
    if from.literal(b"]").is_some() {
        return Some(Ends::default());
    }
    let (first_at, first) = load_arrival(from)?;
    from.literal(b",")?;
    let (last_at, last) = load_arrival(from)?;
    from.literal(b"]")?;
    Some(Ends { first_at, first, last_at, last })
}

/// A value with the number of its line.
fn save_list(list: &List, out: &mut Vec<u8>) {
    write_items(&list.values, out, |(at, text), out| {
        out.push(b'[');
        write_number(*at, out);
        out.push(b',');
        write_text(text, out);
        out.push(b']');
    });
}

fn load_list(from: &mut StateReader<'_>) -> Option<List> {
    let mut values = Vec::new();
    from.items(|from| {
        from.literal(b"[")?;
        let (at, text) = load_arrival(from)?;
        values.push((at, text.into_boxed_slice()));
        from.literal(b"]")
    })?;
    Some(List { values })
}

fn save_frequencies(frequencies: &Frequencies, out: &mut Vec<u8>) {
    out.push(b'[');
    write_number(frequencies.error(), out);
    out.push(b',');
    write_items(&frequencies.sorted(), out, |(text, count), out| {
        out.push(b'[');
        write_text(text, out);
        out.push(b',');
        write_number(*count, out);
        out.push(b']');
    });
    out.push(b']');
}

fn load_frequencies(from: &mut StateReader<'_>) -> Option<Frequencies> {
    from.literal(b"[")?;
    let error = from.count()?;
    from.literal(b",")?;
    let mut counts = Vec::new();
    from.items(|from| {
        from.literal(b"[")?;
        let text = from.string()?.into_owned().into_boxed_slice();
        from.literal(b",")?;
        counts.push((text, from.count()?));
        from.literal(b"]")
    })?;
    from.literal(b"]")?;
    Some(Frequencies::restore(error, counts.into_iter()))
}

fn save_distinct(distinct: &Distinct, out: &mut Vec<u8>) {
    match distinct {
        Distinct::Registers(registers) => save_bytes("registers", registers, out),
        Distinct::Exact(set) => save_bytes("values", &set.save(), out),
        Distinct::Hashes { hashes, sorted } => {
            out.push(b'[');
            write_number(*sorted as u64, out);
            out.push(b',');
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            write_base64(&bytes, out);
            out.push(b']');
        }
    }
}

fn load_distinct(from: &mut StateReader<'_>) -> Option<Distinct> {
    if from.literal(b"{\"registers\":").is_some() {
        let registers = from.base64()?;
        from.literal(b"}")?;
        return Distinct::of_registers(registers);
    }
    if from.literal(b"{\"values\":").is_some() {
        let set = ExactSet::load(&from.base64()?)?;
        from.literal(b"}")?;
        return Some(Distinct::Exact(set));
    }
    from.literal(b"[")?;
    let sorted = usize::try_from(from.count()?).ok()?;
    from.literal(b",")?;
    let bytes = from.base64()?;
    from.literal(b"]")?;
    let mut input = Reader::new(&bytes);
    let hashes = (0..input.numbers_left()).map(|_| input.u64()).collect::<Option<Vec<_>>>()?;
    let fits = input.is_empty() && hashes.len() <= EXACT_MAX && sorted <= hashes.len() && hashes[..sorted].is_sorted();
    fits.then_some(Distinct::Hashes { hashes, sorted })
}

/// A value's JSON text as a string, or null.
pub(crate) fn save_text_or_null(text: Option<&[u8]>, out: &mut Vec<u8>) {
    match text {
        Some(text) => write_text(text, out),
        None => out.extend_from_slice(b"null"),
    }
}

pub(crate) fn load_text_or_null<'a>(from: &mut StateReader<'a>) -> Option<Option<Cow<'a, [u8]>>> {
    match from.literal(b"null") {
        Some(()) => Some(None),
        None => from.string().map(Some),
    }
}
