//! How much memory states take beyond their place in the table.

use crate::distinct::Distinct;
use crate::ends::{Ends, List};
use crate::extremes::{Best, Found, Ordered, Strings};
use crate::quantiles::Quantiles;
use crate::table::Table;

/// What the allocator adds to a block, about.
const BLOCK_EXTRA: usize = 16;

impl Table {
    /// What lists, sketches, sets and texts take beside [`Table::bytes_per_group`], in bytes, about. It looks at every
    /// group, if the plan has such states at all.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        self.quantiles.iter().map(of_quantiles).sum::<usize>()
            + self.ends.iter().map(of_ends).sum::<usize>()
            + self.lists.iter().map(of_list).sum::<usize>()
            + self.frequencies.iter().map(|state| block(state.heap_bytes())).sum::<usize>()
            + self.distinct.iter().map(of_distinct).sum::<usize>()
            + self.strings.iter().flatten().map(|strings| of_strings(strings)).sum::<usize>()
            + self.best.iter().map(of_best).sum::<usize>()
    }
}

fn block(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { bytes + BLOCK_EXTRA }
}

fn of_quantiles(state: &Quantiles) -> usize {
    match state {
        Quantiles::Values(values) => block(values.capacity() * size_of::<f64>()),
        Quantiles::DdSketch(sketch) => block(size_of_val(&**sketch)) + block(sketch.heap_bytes()),
        Quantiles::Digest(digest) => block(size_of_val(&**digest)) + block(digest.heap_bytes()),
        Quantiles::Reservoir(reservoir) => block(size_of_val(&**reservoir)) + block(size_of_val(reservoir.sample())),
    }
}

fn of_ends(state: &Ends) -> usize {
    block(state.first.capacity()) + block(state.last.capacity())
}

fn of_list(state: &List) -> usize {
    let texts = state.values.iter().map(|(_, text)| block(text.len())).sum::<usize>();
    block(state.values.capacity() * size_of::<(u64, Box<[u8]>)>()) + texts
}

fn of_distinct(state: &Distinct) -> usize {
    match state {
        Distinct::Hashes { hashes, .. } => block(hashes.capacity() * size_of::<u64>()),
        Distinct::Registers(registers) => block(registers.len()),
        Distinct::Exact(set) => block(set.heap_bytes()),
    }
}

fn of_strings(state: &Strings) -> usize {
    block(size_of::<Strings>()) + block(state.min.len()) + block(state.max.len())
}

fn of_best(state: &Best) -> usize {
    let Some(found) = &state.0 else { return 0 };
    let key = match &found.key {
        Ordered::Number(_) => 0,
        Ordered::String(text) => block(text.len()),
    };
    block(size_of::<Found>()) + key + block(found.value.capacity())
}

#[cfg(test)]
mod tests {
    use json_fields::Scanner;

    use crate::{Plan, Settings, Spec, Table, Values};

    fn heap_after(spec: &str, values: u64) -> usize {
        let specs: Vec<Spec> = vec![spec.parse().unwrap()];
        let plan = Plan::new(specs, Settings::default()).unwrap();
        let (mut scanner, mut read) = (Scanner::new(plan.paths()), Values::default());
        let mut table = Table::default();
        let group = table.push(&plan);
        for number in 0..values {
            let line = format!("{{\"v\":{number}}}");
            let fields = scanner.scan(line.as_bytes()).unwrap();
            read.read(&plan, fields.as_slice(), line.as_bytes()).unwrap();
            table.update(&plan, group, &read, line.as_bytes(), number).unwrap();
        }
        table.heap_bytes()
    }

    #[test]
    fn what_states_take_beside_the_table_is_counted() {
        assert_eq!(heap_after("sum:v", 1000), 0);
        for (spec, few, many) in [
            ("p50:v", 8..400, 2_000..40_000),
            ("first:v", 2..100, 2..100),
            ("list:500:v", 24..400, 15_000..60_000),
            ("top:3:v", 24..2_000, 40_000..400_000),
            ("distinct:v", 8..400, 16_000..40_000),
        ] {
            let (first, later) = (heap_after(spec, 1), heap_after(spec, 3000));
            assert!(few.contains(&first) && many.contains(&later), "{spec}: {first}, then {later}");
        }
    }
}
