//! Groups as text, for snapshots: everything to the last bit.
//!
//! Exact numbers stand as their decimal text, floats as their bits (so that reading them back rounds nothing), values
//! as the JSON text that they are, sketches in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};

use crate::distinct::{Distinct, EXACT_MAX};
use crate::ends::{Ends, List};
use crate::frequencies::Frequencies;
use crate::number::{Number, SCALE_MAX};
use crate::plan::Plan;
use crate::quantiles::{Percentiles, Quantiles};
use crate::stats::{Moments, Stats};
use crate::sum::Sum;
use crate::table::{Table, range};

/// A snapshot that is not one of this plan's groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot's {0} does not fit these results")]
pub struct SnapshotError(&'static str);

impl Table {
    /// The state of one group.
    #[must_use]
    pub fn save(&self, plan: &Plan, group: usize) -> Value {
        let columns = plan.columns;
        let mut saved = serde_json::Map::new();
        saved.insert("lines".into(), self.lines[group].into());
        let mut put = |name: &str, states: Vec<Value>| {
            if !states.is_empty() {
                saved.insert(name.into(), Value::Array(states));
            }
        };
        put("counts", self.counts[range(group, columns.counts)].iter().map(|count| json!(count)).collect());
        put("stats", self.stats[range(group, columns.stats)].iter().map(save_stats).collect());
        put("moments", self.moments[range(group, columns.moments)].iter().map(save_moments).collect());
        put("quantiles", self.quantiles[range(group, columns.quantiles)].iter().map(save_quantiles).collect());
        put("ends", self.ends[range(group, columns.ends)].iter().map(save_ends).collect());
        put("lists", self.lists[range(group, columns.lists)].iter().map(save_list).collect());
        put("frequencies", self.frequencies[range(group, columns.frequencies)].iter().map(save_frequencies).collect());
        put("distinct", self.distinct[range(group, columns.distinct)].iter().map(save_distinct).collect());
        Value::Object(saved)
    }

    /// Puts a saved group in the place of `group`.
    ///
    /// # Errors
    /// A snapshot of other results, or a damaged one. The group is then of no use.
    pub fn load(&mut self, plan: &Plan, group: usize, saved: &Value) -> Result<(), SnapshotError> {
        let columns = plan.columns;
        let kind = plan.settings.percentiles;
        self.lines[group] = saved["lines"].as_u64().ok_or(SnapshotError("lines"))?;
        fill(&mut self.counts[range(group, columns.counts)], saved, "counts", Value::as_u64)?;
        fill(&mut self.stats[range(group, columns.stats)], saved, "stats", load_stats)?;
        fill(&mut self.moments[range(group, columns.moments)], saved, "moments", load_moments)?;
        fill(&mut self.quantiles[range(group, columns.quantiles)], saved, "quantiles", |value| {
            load_quantiles(value, kind)
        })?;
        fill(&mut self.ends[range(group, columns.ends)], saved, "ends", load_ends)?;
        fill(&mut self.lists[range(group, columns.lists)], saved, "lists", load_list)?;
        fill(&mut self.frequencies[range(group, columns.frequencies)], saved, "frequencies", load_frequencies)?;
        fill(&mut self.distinct[range(group, columns.distinct)], saved, "distinct", load_distinct)
    }
}

/// Reads the states of one kind; there must be as many as the plan has.
fn fill<T>(
    states: &mut [T],
    saved: &Value,
    name: &'static str,
    load: impl Fn(&Value) -> Option<T>,
) -> Result<(), SnapshotError> {
    let values = saved[name].as_array().map(Vec::as_slice).unwrap_or_default();
    if values.len() != states.len() {
        return Err(SnapshotError(name));
    }
    for (state, value) in states.iter_mut().zip(values) {
        *state = load(value).ok_or(SnapshotError(name))?;
    }
    Ok(())
}

fn save_float(value: f64) -> Value {
    json!({ "bits": value.to_bits(), "about": value })
}

fn load_float(value: &Value) -> Option<f64> {
    value["bits"].as_u64().map(f64::from_bits)
}

fn save_decimal((mantissa, scale): (i128, u8)) -> Value {
    json!(format!("{mantissa}e-{scale}"))
}

fn load_decimal(value: &Value) -> Option<(i128, u8)> {
    let (mantissa, scale) = value.as_str()?.split_once("e-")?;
    Some((mantissa.parse().ok()?, scale.parse().ok().filter(|scale| *scale <= SCALE_MAX)?))
}

fn save_number(number: &Number) -> Value {
    number.as_decimal().map_or_else(|| save_float(number.to_f64()), save_decimal)
}

fn load_number(value: &Value) -> Option<Number> {
    match load_decimal(value) {
        Some((mantissa, scale)) => Some(Number::decimal(mantissa, scale)),
        None => load_float(value).map(Number::float),
    }
}

fn save_stats(stats: &Stats) -> Value {
    let sum = match stats.sum.as_compensated() {
        Some((sum, compensation)) => json!([save_float(sum), save_float(compensation)]),
        None => save_decimal(stats.sum.as_decimal().unwrap_or_default()),
    };
    json!({ "count": stats.count, "sum": sum, "min": save_number(&stats.min), "max": save_number(&stats.max) })
}

fn load_stats(value: &Value) -> Option<Stats> {
    let sum = match load_decimal(&value["sum"]) {
        Some((mantissa, scale)) => Sum::exact(mantissa, scale),
        None => Sum::compensated(load_float(&value["sum"][0])?, load_float(&value["sum"][1])?),
    };
    Some(Stats {
        count: value["count"].as_u64()?,
        sum,
        min: load_number(&value["min"])?,
        max: load_number(&value["max"])?,
    })
}

fn save_moments(moments: &Moments) -> Value {
    json!({ "mean": save_float(moments.mean), "squares": save_float(moments.squares) })
}

fn load_moments(value: &Value) -> Option<Moments> {
    Some(Moments { mean: load_float(&value["mean"])?, squares: load_float(&value["squares"])? })
}

fn save_quantiles(quantiles: &Quantiles) -> Value {
    let (kind, bytes) = quantiles.save();
    json!({ "kind": kind, "base64": BASE64.encode(bytes) })
}

fn load_quantiles(value: &Value, percentiles: Percentiles) -> Option<Quantiles> {
    let bytes = BASE64.decode(value["base64"].as_str()?).ok()?;
    Quantiles::load(value["kind"].as_str()?, &bytes, percentiles)
}

/// JSON text as a string: lines are checked to be UTF-8 before they get here.
fn save_text(text: &[u8]) -> Value {
    String::from_utf8_lossy(text).into()
}

fn load_text(value: &Value) -> Option<Vec<u8>> {
    Some(value.as_str()?.as_bytes().to_vec())
}

fn save_ends(ends: &Ends) -> Value {
    json!({
        "first_at": ends.first_at, "first": save_text(&ends.first),
        "last_at": ends.last_at, "last": save_text(&ends.last),
    })
}

fn load_ends(value: &Value) -> Option<Ends> {
    Some(Ends {
        first_at: value["first_at"].as_u64()?,
        last_at: value["last_at"].as_u64()?,
        first: load_text(&value["first"])?,
        last: load_text(&value["last"])?,
    })
}

fn save_list(list: &List) -> Value {
    list.values.iter().map(|(at, text)| json!([at, save_text(text)])).collect()
}

fn load_list(value: &Value) -> Option<List> {
    let pairs = value.as_array()?.iter();
    let values = pairs.map(|pair| Some((pair[0].as_u64()?, load_text(&pair[1])?.into_boxed_slice())));
    Some(List { values: values.collect::<Option<_>>()? })
}

fn save_frequencies(frequencies: &Frequencies) -> Value {
    let counts: Vec<Value> =
        frequencies.sorted().into_iter().map(|(text, count)| json!([save_text(text), count])).collect();
    json!({ "error": frequencies.error(), "counts": counts })
}

fn load_frequencies(value: &Value) -> Option<Frequencies> {
    let pairs = value["counts"].as_array()?.iter();
    let counts = pairs.map(|pair| Some((load_text(&pair[0])?.into_boxed_slice(), pair[1].as_u64()?)));
    let counts = counts.collect::<Option<Vec<_>>>()?;
    Some(Frequencies::restore(value["error"].as_u64()?, counts.into_iter()))
}

fn save_distinct(distinct: &Distinct) -> Value {
    match distinct {
        Distinct::Hashes { hashes, sorted } => json!({ "hashes": hashes, "sorted": sorted }),
        Distinct::Registers(registers) => json!({ "registers": BASE64.encode(registers) }),
    }
}

fn load_distinct(value: &Value) -> Option<Distinct> {
    if let Some(registers) = value["registers"].as_str() {
        return Distinct::of_registers(BASE64.decode(registers).ok()?);
    }
    let hashes = value["hashes"].as_array()?.iter().map(Value::as_u64).collect::<Option<Vec<_>>>()?;
    let sorted = usize::try_from(value["sorted"].as_u64()?).ok()?;
    let fits = hashes.len() <= EXACT_MAX && sorted <= hashes.len() && hashes[..sorted].is_sorted();
    fits.then_some(Distinct::Hashes { hashes, sorted })
}
