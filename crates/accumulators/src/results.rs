//! Results of a group as JSON members.

use json_fields::write_string;

use crate::field_plan::FieldPlan;
use crate::plan::{Output, Plan};
use crate::ranks::Ranks;
use crate::spec::Function;
use crate::sum::Sum;
use crate::table::Table;
use values::Number;
use values::write_f64;

/// Buffers for [`Table::write_results`]. Use one for all groups.
#[derive(Debug, Default)]
pub struct WriteScratch {
    pub(crate) ranks: Ranks,
    /// Percentiles of all fields, and where each field's begin; none for a field without values.
    pub(crate) percentiles: Vec<f64>,
    pub(crate) starts: Vec<Option<usize>>,
}

impl WriteScratch {
    pub(crate) fn clear(&mut self) {
        self.percentiles.clear();
        self.starts.clear();
    }
}

impl Table {
    /// Appends `"name":result` for every output, in the order of the specs, with commas between them. `seconds` is
    /// the length of the window, for rates, which are null without it.
    pub fn write_results(
        &self,
        plan: &Plan,
        group: usize,
        seconds: Option<f64>,
        scratch: &mut WriteScratch,
        out: &mut Vec<u8>,
    ) {
        self.compute_percentiles(plan, group, scratch);
        self.write_computed(plan, group, seconds, scratch, out);
    }

    /// The same with percentiles that are computed.
    pub(crate) fn write_computed(
        &self,
        plan: &Plan,
        group: usize,
        seconds: Option<f64>,
        scratch: &WriteScratch,
        out: &mut Vec<u8>,
    ) {
        for (number, output) in plan.outputs.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&output.member);
            match output.field {
                None => self.write_of_lines(output, group, seconds, out),
                Some(field) => self.write_of_field(plan, group, (field, output), seconds, scratch, out),
            }
        }
    }

    pub(crate) fn compute_percentiles(&self, plan: &Plan, group: usize, scratch: &mut WriteScratch) {
        scratch.clear();
        for field in &plan.fields {
            let start = scratch.percentiles.len();
            if let Some(column) = field.quantiles {
                let quantiles = &self.quantiles[group * plan.columns.quantiles + column];
                quantiles.percentiles(&field.percents, &mut scratch.ranks, &mut scratch.percentiles);
            }
            scratch.starts.push((scratch.percentiles.len() > start).then_some(start));
        }
    }

    fn write_of_lines(&self, output: &Output, group: usize, seconds: Option<f64>, out: &mut Vec<u8>) {
        let lines = self.lines[group];
        match output.function {
            Function::Rate => write_or_null(seconds.map(|seconds| lines as f64 / seconds), out),
            _ => write_u64(lines, out),
        }
    }

    fn write_of_field(
        &self,
        plan: &Plan,
        group: usize,
        (number, output): (usize, &Output),
        seconds: Option<f64>,
        scratch: &WriteScratch,
        out: &mut Vec<u8>,
    ) {
        let field = &plan.fields[number];
        match output.function {
            Function::Percentile(_) => {
                let start = scratch.starts[number];
                write_or_null(start.map(|start| scratch.percentiles[start + output.percent]), out);
            }
            Function::First | Function::Last | Function::Delta | Function::List(_) => {
                self.write_arrivals(plan, group, field, output.function, out);
            }
            Function::MinBy | Function::MaxBy => {
                let column = if output.function == Function::MinBy { field.min_by } else { field.max_by };
                let best = &self.best[group * plan.columns.best + column.unwrap_or_default()];
                out.extend_from_slice(best.0.as_ref().map_or(&b"null"[..], |found| &found.value));
            }
            Function::Top(_) | Function::Mode | Function::Distinct => {
                self.write_sets(plan, group, field, output.function, out);
            }
            _ => self.write_stats(plan, group, field, output.function, seconds, out),
        }
    }

    fn write_stats(
        &self,
        plan: &Plan,
        group: usize,
        field: &FieldPlan,
        function: Function,
        seconds: Option<f64>,
        out: &mut Vec<u8>,
    ) {
        let Some(column) = field.stats else {
            let count = self.counts[group * plan.columns.counts + field.counts.unwrap_or_default()];
            return match function {
                Function::Rate => write_or_null(seconds.map(|seconds| count as f64 / seconds), out),
                _ => write_u64(count, out),
            };
        };
        let stats = &self.stats[group * plan.columns.stats + column];
        if let Some(column) = field.strings
            && let Some(strings) = &self.strings[group * plan.columns.strings + column]
        {
            return match function {
                Function::Min if stats.count > 0 => stats.min.write(out),
                Function::Min => write_string(&String::from_utf8_lossy(&strings.min), out),
                Function::Max => write_string(&String::from_utf8_lossy(&strings.max), out),
                _ => write_u64(stats.count + strings.count, out),
            };
        }
        if function == Function::Count {
            return write_u64(stats.count, out);
        }
        if stats.count == 0 {
            return out.extend_from_slice(b"null");
        }
        match function {
            Function::Sum => stats.sum.write(out),
            Function::Min => stats.min.write(out),
            Function::Max => stats.max.write(out),
            Function::Avg => write_f64(stats.sum.divided_by(stats.count), out),
            Function::Rate => write_or_null(seconds.map(|seconds| stats.sum.quotient(seconds)), out),
            _ => {
                let column = field.moments.unwrap_or_default();
                let variance = self.moments[group * plan.columns.moments + column].variance(stats.count);
                let root = function == Function::StdDev;
                write_or_null(variance.map(|variance| if root { variance.sqrt() } else { variance }), out);
            }
        }
    }

    fn write_arrivals(&self, plan: &Plan, group: usize, field: &FieldPlan, function: Function, out: &mut Vec<u8>) {
        if let Function::List(bound) = function {
            let column = field.lists.unwrap_or_default();
            let list = &self.lists[group * plan.columns.lists + column];
            return write_array(list.values.iter().take(bound), out, |(_, text), out| out.extend_from_slice(text));
        }
        let ends = &self.ends[group * plan.columns.ends + field.ends.unwrap_or_default()];
        match function {
            _ if ends.is_empty() => out.extend_from_slice(b"null"),
            Function::First => out.extend_from_slice(&ends.first),
            Function::Last => out.extend_from_slice(&ends.last),
            _ => write_delta(&ends.first, &ends.last, out),
        }
    }

    fn write_sets(&self, plan: &Plan, group: usize, field: &FieldPlan, function: Function, out: &mut Vec<u8>) {
        if function == Function::Distinct {
            let column = field.distinct.unwrap_or_default();
            return write_u64(self.distinct[group * plan.columns.distinct + column].estimate(), out);
        }
        let column = field.frequencies.unwrap_or_default();
        let frequencies = &self.frequencies[group * plan.columns.frequencies + column];
        match function {
            Function::Top(limit) => write_array(frequencies.top(limit), out, |(text, count), out| {
                out.extend_from_slice(b"{\"value\":");
                out.extend_from_slice(text);
                out.extend_from_slice(b",\"count\":");
                write_u64(count + frequencies.error(), out);
                if frequencies.error() > 0 {
                    out.extend_from_slice(b",\"error\":");
                    write_u64(frequencies.error(), out);
                }
                out.push(b'}');
            }),
            _ => match frequencies.top(1).first() {
                Some((text, _)) => out.extend_from_slice(text),
                None => out.extend_from_slice(b"null"),
            },
        }
    }
}

/// Last minus first: exact where both are.
fn write_delta(first: &[u8], last: &[u8], out: &mut Vec<u8>) {
    let (Ok(first), Ok(last)) = (Number::parse(first), Number::parse(last)) else {
        return out.extend_from_slice(b"null");
    };
    let mut delta = Sum::default();
    delta.add(&last);
    delta.add(&first.negated());
    delta.write(out);
}

fn write_array<T>(items: impl IntoIterator<Item = T>, out: &mut Vec<u8>, write: impl Fn(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

fn write_or_null(value: Option<f64>, out: &mut Vec<u8>) {
    match value {
        Some(value) => write_f64(value, out),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_u64(value: u64, out: &mut Vec<u8>) {
    Number::decimal(value.into(), 0).write(out);
}
