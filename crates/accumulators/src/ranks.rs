//! The values at some ranks of a list.

/// Up to so many values are sorted. More are split around the wanted ranks.
const SORTED_MAX: usize = 128;

/// A list, and what is asked of it. Use one for many.
#[derive(Debug, Default)]
pub(crate) struct Ranks {
    /// The values as whole numbers of the same order, which compare faster.
    keys: Vec<i64>,
    ranks: Vec<usize>,
}

impl Ranks {
    /// Makes ready to be asked for the values of a list at `ranks`, in any order, each below its length.
    #[inline(always)]
    pub fn settle(&mut self, values: &[f64], ranks: impl Iterator<Item = usize>) {
        self.keys.clear();
        self.keys.extend(values.iter().map(|value| key(*value)));
        if self.keys.len() <= SORTED_MAX {
            return self.keys.sort_unstable();
        }
        self.ranks.clear();
        self.ranks.extend(ranks);
        self.ranks.sort_unstable();
        self.ranks.dedup();
        settle(&mut self.keys, 0, &self.ranks);
    }

    /// The value at a rank, in the order of `f64::total_cmp`.
    pub fn value_at(&self, rank: usize) -> f64 {
        value(self.keys[rank])
    }
}

/// Puts the key of each rank in its place, `first` being the rank of the first key: as quicksort, but of the sides with
/// wanted ranks only (multiple selection, Chambers 1971).
fn settle(keys: &mut [i64], first: usize, ranks: &[usize]) {
    let at = ranks.len() / 2;
    let Some(rank) = ranks.get(at) else { return };
    if keys.len() <= SORTED_MAX / 4 {
        return keys.sort_unstable();
    }
    let (below, _, above) = keys.select_nth_unstable(rank - first);
    settle(below, first, &ranks[..at]);
    settle(above, rank + 1, &ranks[at + 1..]);
}

/// In the order of `f64::total_cmp`.
fn key(value: f64) -> i64 {
    let bits = value.to_bits() as i64;
    bits ^ low_bits_if_negative(bits)
}

fn value(key: i64) -> f64 {
    f64::from_bits((key ^ low_bits_if_negative(key)) as u64)
}

/// All bits but the sign.
fn low_bits_if_negative(bits: i64) -> i64 {
    (bits >> 63) & i64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn values_at_ranks_are_those_of_the_sorted_list(
            mut values in prop::collection::vec(prop_oneof![
                3 => (-20i32..20).prop_map(f64::from),
                3 => -1e3..1e3,
                1 => any::<f64>(),
                1 => prop::sample::select(vec![0.0, -0.0, f64::MAX, f64::MIN, f64::INFINITY]),
            ], 1..700),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let ranks: Vec<usize> = picks.iter().map(|pick| pick.index(values.len())).collect();
            let mut found = Ranks::default();
            found.settle(&values, ranks.iter().copied());
            values.sort_unstable_by(f64::total_cmp);
            for rank in ranks {
                prop_assert_eq!(found.value_at(rank).to_bits(), values[rank].to_bits(), "rank {}", rank);
            }
        }
    }
}
