//! What a simulated source has to give: lines in partitions.

use crate::dice::Dice;

/// Times in lines begin here: 2026-01-01T00:00:00Z.
pub const FIRST_MS: i64 = 1_767_225_600_000;
/// Lines of a partition are out of order by less than this, and by less than a tick more.
pub const DISORDER_MS: usize = 1_900;

/// One line, as the model sees it.
#[derive(Clone, Debug)]
pub struct Item {
    /// None: the line is bad, it has no time.
    pub time_ms: Option<i64>,
    pub key: String,
    pub value: i64,
    pub line: Vec<u8>,
}

/// The whole input.
#[derive(Clone, Debug)]
pub struct Script {
    pub partitions: Vec<Vec<Item>>,
}

/// How large and how wild.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub partitions: usize,
    pub lines_max: usize,
    pub keys: usize,
    pub has_bad_lines: bool,
    /// Each key is in one partition, so that its lines have an order.
    pub keys_are_local: bool,
    /// Added to each key: a snapshot of long keys is large enough to be compressed.
    pub key_padding: usize,
    /// Times are multiples of this, so that some are equal.
    pub tick_ms: i64,
}

impl Script {
    pub fn new(shape: Shape, dice: &mut Dice) -> Self {
        let lines_max = (shape.lines_max / shape.partitions).max(2);
        let partition = |part| {
            let lines = dice.between(1, lines_max);
            let step_ms = dice.between(100, 3_000);
            let mut base_ms = FIRST_MS;
            let mut item = |at| {
                base_ms += i64::try_from(dice.below(step_ms)).unwrap_or(0);
                let time_ms = base_ms - i64::try_from(dice.below(DISORDER_MS)).unwrap_or(0);
                let time_ms = time_ms - time_ms.rem_euclid(shape.tick_ms);
                let key = dice.below(shape.keys);
                let key = if shape.keys_are_local { format!("k{part}-{key}") } else { format!("k{key}") };
                let key = key + &"-".repeat(shape.key_padding);
                let value = i64::try_from(dice.below(1_000)).unwrap_or(0);
                let is_bad = shape.has_bad_lines && dice.one_in(12);
                Item::new((!is_bad).then_some(time_ms), key, value, (part, at))
            };
            (0..lines).map(&mut item).collect()
        };
        Self { partitions: (0..shape.partitions).map(partition).collect() }
    }

    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.partitions.iter().flatten()
    }
}

impl Item {
    fn new(time_ms: Option<i64>, key: String, value: i64, (part, at): (usize, usize)) -> Self {
        let time = time_ms.map(|time_ms| format!("\"t\":{time_ms},")).unwrap_or_default();
        let line = format!("{{{time}\"k\":\"{key}\",\"v\":{value},\"part\":{part},\"at\":{at}}}").into_bytes();
        Self { time_ms, key, value, line }
    }
}

/// The name of a partition in marks.
pub fn part_name(part: usize) -> String {
    format!("in/{part}")
}
