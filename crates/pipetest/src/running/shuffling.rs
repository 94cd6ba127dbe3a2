//! An input out of order, by no more than a lateness allows.

use jq_filters::{Arguments, Program};
use millpipe::Error;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::script_lines::Step;

const TIME: &str = ".timestamp | time_ms";
const RESULT_BYTES_MAX: usize = 1024;

/// Puts lines between two words on time in another order: none comes after one whose `timestamp` is `ms` later or more.
///
/// # Errors
/// Usage: a line without such a time.
pub fn shuffled(steps: Vec<Step>, ms: i64, seed: u64) -> Result<Vec<Step>, Error> {
    let program = Program::new(TIME, Arguments::default()).map_err(|wrong| Error::usage(wrong.message))?;
    let mut filter = program.filter(RESULT_BYTES_MAX);
    let mut time_of = |line: &[u8]| -> Option<i64> {
        let results = filter.run(line).ok()?;
        std::str::from_utf8(results.iter().next()?).ok()?.parse().ok()
    };
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut keyed = Vec::with_capacity(steps.len());
    let mut section = 0_u64;
    for step in steps {
        let key = match &step {
            Step::Line(line) => {
                let time = time_of(line).ok_or_else(|| no_time(line))?;
                time + i64::try_from(random.next_u64() % ms.unsigned_abs().max(1)).unwrap_or(0)
            }
            _ => {
                section += 2;
                i64::MIN
            }
        };
        // A word has a section of its own, between those of the lines around it.
        let place = if matches!(step, Step::Line(_)) { section } else { section - 1 };
        keyed.push(((place, key), step));
    }
    keyed.sort_by_key(|(key, _)| *key);
    Ok(keyed.into_iter().map(|(_, step)| step).collect())
}

fn no_time(line: &[u8]) -> Error {
    let shown: String = String::from_utf8_lossy(line).chars().take(80).collect();
    Error::usage(format_args!("shuffle: a line without a time in \"timestamp\": {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(seconds: &[u32]) -> Vec<Step> {
        seconds
            .iter()
            .map(|s| Step::Line(format!("{{\"timestamp\":\"2026-01-01T00:00:{s:02}Z\"}}").into_bytes()))
            .collect()
    }

    fn seconds(steps: &[Step]) -> Vec<u32> {
        let second = |step: &Step| match step {
            Step::Line(line) => std::str::from_utf8(&line[line.len() - 5..line.len() - 3]).unwrap().parse().unwrap(),
            _ => 99,
        };
        steps.iter().map(second).collect()
    }

    #[test]
    fn no_line_comes_after_one_that_is_so_much_later() {
        let all: Vec<u32> = (0..50).collect();
        for seed in 0..20 {
            let order = seconds(&shuffled(lines(&all), 5_000, seed).unwrap());
            assert_ne!(order, all);
            let mut newest = 0;
            for second in &order {
                newest = newest.max(*second);
                assert!(newest - second < 5, "seed {seed}: {order:?}");
            }
        }
    }

    #[test]
    fn words_keep_their_place() {
        let steps = [lines(&[1, 2]), vec![Step::Idle], lines(&[1, 2]), vec![Step::End]].concat();
        for seed in 0..20 {
            let order = seconds(&shuffled(steps.clone(), 5_000, seed).unwrap());
            assert_eq!((order[2], order[5]), (99, 99), "{order:?}");
        }
    }

    #[test]
    fn a_line_without_a_time_is_told() {
        let error = shuffled(vec![Step::Line(b"{\"a\":1}".to_vec())], 5_000, 1).unwrap_err();
        assert_eq!(error.message, "shuffle: a line without a time in \"timestamp\": {\"a\":1}");
    }
}
