//! Results of a group as JSON members.

use json_fields::write_string;
use values::{Number, write_f64};

use crate::columns::Columns;
use crate::entropy::entropy;
use crate::field_plan::FieldPlan;
use crate::function::Function;
use crate::plan::{Output, Plan};
use crate::scratch::WriteScratch;
use crate::sum::Sum;

/// Writes the results of one group.
#[derive(Clone, Copy)]
pub(crate) struct GroupResults<'a> {
    pub plan: &'a Plan,
    pub columns: &'a Columns,
    pub group: usize,
    /// Lines of the group.
    pub lines: u64,
    /// The length of the window, for rates, which are null without it.
    pub seconds: Option<f64>,
}

impl GroupResults<'_> {
    /// Appends `"name":result` for every output, in the order of the specs, with commas between them.
    pub fn write(&self, scratch: &WriteScratch, out: &mut Vec<u8>) {
        for (number, output) in self.plan.outputs.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(&output.member);
            match output.field {
                None => self.write_count(output.function, self.lines, out),
                Some(field) => self.write_of_field(field, output, scratch, out),
            }
        }
    }

    /// A number of lines or values, or how many there are in a second.
    fn write_count(&self, function: Function, count: u64, out: &mut Vec<u8>) {
        match function {
            Function::Rate => write_or_null(self.seconds.map(|seconds| count as f64 / seconds), out),
            _ => write_u64(count, out),
        }
    }

    fn write_of_field(&self, number: usize, output: &Output, scratch: &WriteScratch, out: &mut Vec<u8>) {
        use Function::{Avg, Count, Max, Min, Rate, StdDev, Sum, Var};
        let field = &self.plan.fields[number];
        match output.function {
            Function::Percentile(_) => write_or_null(scratch.percentile(number, output.percent), out),
            Function::First | Function::Last | Function::Delta => self.write_ends(field, output.function, out),
            Function::List(bound) => {
                let list = self.columns.lists.at(self.group, field.states.lists.unwrap_or_default());
                write_array(list.texts().take(bound), out, |text, out| out.extend_from_slice(text));
            }
            Function::MinBy | Function::MaxBy => {
                let states = &field.states;
                let number = if output.function == Function::MinBy { states.min_by } else { states.max_by };
                let best = self.columns.best.at(self.group, number.unwrap_or_default());
                write_text_or_null(best.value(), out);
            }
            Function::Top(_) | Function::Mode => self.write_frequencies(field, output.function, out),
            Function::Distinct => {
                let number = field.states.distinct.unwrap_or_default();
                write_u64(self.columns.distinct.at(self.group, number).estimate(), out);
            }
            Count | Sum | Avg | Min | Max | Var | StdDev | Rate => self.write_numbers(field, output.function, out),
            _ => self.write_statistic(number, output.function, scratch, out),
        }
    }

    // Else the common functions cost more.
    #[inline(never)]
    fn write_statistic(&self, number: usize, function: Function, scratch: &WriteScratch, out: &mut Vec<u8>) {
        let field = &self.plan.fields[number];
        match function {
            Function::Mad => write_or_null(scratch.percentile(number, field.percents.len()), out),
            Function::Iqr => write_or_null(scratch.percentile(number, field.percents.len() + 1), out),
            Function::Entropy => write_or_null(self.entropy(field), out),
            Function::Ohlc => self.write_ohlc(field, out),
            Function::Histogram => self.write_histogram(field, out),
            _ => write_or_null(field.statistics.number_of(self.columns, self.group, function), out),
        }
    }

    fn write_numbers(&self, field: &FieldPlan, function: Function, out: &mut Vec<u8>) {
        let Some(number) = field.states.stats else {
            let counts = self.columns.counts.at(self.group, field.states.counts.unwrap_or_default());
            return self.write_count(function, counts.get(), out);
        };
        let stats = self.columns.stats.at(self.group, number);
        if let Some(number) = field.states.strings
            && let Some(strings) = self.columns.strings.at(self.group, number).range()
        {
            return match function {
                Function::Min if stats.count() > 0 => stats.min().write(out),
                Function::Min => write_string(&String::from_utf8_lossy(&strings.min), out),
                Function::Max => write_string(&String::from_utf8_lossy(&strings.max), out),
                _ => write_u64(stats.count() + strings.count, out),
            };
        }
        match function {
            Function::Count => write_u64(stats.count(), out),
            _ if stats.count() == 0 => out.extend_from_slice(b"null"),
            Function::Min => stats.min().write(out),
            Function::Max => stats.max().write(out),
            Function::Sum => stats.sum().write(out),
            Function::Avg => write_f64(stats.sum().divided_by(stats.count()), out),
            Function::Rate => write_or_null(self.seconds.map(|seconds| stats.sum().quotient(seconds)), out),
            _ => {
                let moments = self.columns.moments.at(self.group, field.states.moments.unwrap_or_default());
                let variance = moments.variance(stats.count());
                let is_root = function == Function::StdDev;
                write_or_null(variance.map(|variance| if is_root { variance.sqrt() } else { variance }), out);
            }
        }
    }

    fn write_ends(&self, field: &FieldPlan, function: Function, out: &mut Vec<u8>) {
        let ends = self.columns.ends.at(self.group, field.states.ends.unwrap_or_default());
        match (function, ends.first(), ends.last()) {
            (Function::First, first, _) => write_text_or_null(first, out),
            (Function::Last, _, last) => write_text_or_null(last, out),
            (_, Some(first), Some(last)) => write_delta(first, last, out),
            _ => out.extend_from_slice(b"null"),
        }
    }

    /// How many values of any kind a field has.
    fn count_of(&self, field: &FieldPlan) -> u64 {
        let states = &field.states;
        let counts = states.counts.map_or(0, |counts| self.columns.counts.at(self.group, counts).get());
        let numbers = states.stats.map_or(0, |stats| self.columns.stats.at(self.group, stats).count());
        let strings = states.strings.and_then(|strings| self.columns.strings.at(self.group, strings).range());
        counts + numbers + strings.map_or(0, |strings| strings.count)
    }

    fn entropy(&self, field: &FieldPlan) -> Option<f64> {
        let frequencies = self.columns.frequencies.at(self.group, field.states.frequencies?);
        let distinct = self.columns.distinct.at(self.group, field.states.distinct?);
        entropy(frequencies, self.count_of(field), distinct.estimate())
    }

    /// The first, largest, least and last value as numbers.
    fn write_ohlc(&self, field: &FieldPlan, out: &mut Vec<u8>) {
        let stats = self.columns.stats.at(self.group, field.states.stats.unwrap_or_default());
        let ends = self.columns.ends.at(self.group, field.states.ends.unwrap_or_default());
        let number = |text: Option<&[u8]>| text.and_then(|text| Number::parse(text).ok());
        let (Some(open), Some(close)) = (number(ends.first()), number(ends.last())) else {
            return out.extend_from_slice(b"null");
        };
        let members: [(&[u8], &Number); 4] = [
            (b"{\"open\":", &open),
            (b",\"high\":", stats.max()),
            (b",\"low\":", stats.min()),
            (b",\"close\":", &close),
        ];
        for (name, value) in members {
            out.extend_from_slice(name);
            value.write(out);
        }
        out.push(b'}');
    }

    fn write_histogram(&self, field: &FieldPlan, out: &mut Vec<u8>) {
        write_array(field.statistics.buckets(self.columns, self.group), out, |(upper, count), out| {
            out.extend_from_slice(b"{\"le\":");
            match upper {
                Some(upper) => upper.write(out),
                None => out.extend_from_slice(b"null"),
            }
            out.extend_from_slice(b",\"count\":");
            write_u64(count, out);
            out.push(b'}');
        });
    }

    fn write_frequencies(&self, field: &FieldPlan, function: Function, out: &mut Vec<u8>) {
        let frequencies = self.columns.frequencies.at(self.group, field.states.frequencies.unwrap_or_default());
        let Function::Top(limit) = function else {
            return write_text_or_null(frequencies.top(1).first().map(|(text, _)| *text), out);
        };
        write_array(frequencies.top(limit), out, |(text, count), out| {
            out.extend_from_slice(b"{\"value\":");
            out.extend_from_slice(text);
            out.extend_from_slice(b",\"count\":");
            write_u64(count + frequencies.error(), out);
            if frequencies.error() > 0 {
                out.extend_from_slice(b",\"error\":");
                write_u64(frequencies.error(), out);
            }
            out.push(b'}');
        });
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

/// JSON text as it is.
fn write_text_or_null(text: Option<&[u8]>, out: &mut Vec<u8>) {
    out.extend_from_slice(text.unwrap_or(b"null"));
}

fn write_u64(value: u64, out: &mut Vec<u8>) {
    Number::decimal(value.into(), 0).write(out);
}
