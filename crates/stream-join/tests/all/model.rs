//! The operator against nested loops over all lines, for every kind of join and every bound, on disordered lines with
//! watermarks: one side idle, one much faster, lines late on both; plain, with crashes anywhere, and with a full memory.

use clap::Parser;
use event_time::format_rfc3339;
use proptest::prelude::*;
use sorted_runs::Memory;
use stream_join::cli::Cli;
use stream_join::{Side, StreamJoin};
use testkit::{every_way, play};

const KINDS: [&str; 6] = ["inner", "left", "right", "full", "semi", "anti"];
const START_MS: i64 = 1_700_000_000_000;
const WINDOW_MS: i64 = 5_000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Near {
    Always,
    Keep(i64),
    Within(i64, i64),
    Between(Side),
    Window,
}

const NEAR: [Near; 8] = [
    Near::Always,
    Near::Keep(2_000),
    Near::Within(-1_500, 3_000),
    Near::Within(500, 2_500),
    Near::Within(-2_500, -500),
    Near::Between(Side::Right),
    Near::Between(Side::Left),
    Near::Window,
];

#[derive(Clone, Copy, Debug)]
struct Line {
    left: bool,
    right: bool,
    key: Option<u8>,
    time: i64,
    to: i64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Line(Line),
    Other,
    Mark(i64),
}

impl Near {
    fn flags(self) -> Vec<String> {
        let flags = match self {
            Near::Always => "",
            Near::Keep(ms) => return vec!["--keep".into(), format!("{ms}ms"), "--time".into(), "t".into()],
            Near::Within(from, to) => {
                return vec!["--within".into(), format!("{from}ms..{to}ms"), "--time".into(), "t".into()];
            }
            Near::Between(Side::Right) => "--between right:t..to --time t",
            Near::Between(Side::Left) => "--between left:t..to --time t",
            Near::Window => "--window",
        };
        flags.split_whitespace().map(str::to_owned).collect()
    }

    fn joins(self, left: &Line, right: &Line) -> bool {
        match self {
            Near::Always | Near::Keep(_) => true,
            Near::Within(from, to) => left.time + from <= right.time && right.time <= left.time + to,
            Near::Between(Side::Right) => right.time <= left.time && left.time <= right.to,
            Near::Between(Side::Left) => left.time <= right.time && right.time <= left.to,
            Near::Window => left.window() == right.window(),
        }
    }

    /// No line of the other side with a time at or behind the watermark could be a partner.
    fn is_over(self, line: &Line, side: Side, watermark: i64) -> bool {
        match self {
            Near::Always => false,
            Near::Keep(ms) => line.time + ms < watermark,
            Near::Within(from, to) => match side {
                Side::Left => line.time + to < watermark,
                Side::Right => line.time - from < watermark,
            },
            Near::Between(bounds) => (if bounds == side { line.to } else { line.time }) < watermark,
            Near::Window => watermark >= line.window() + WINDOW_MS - 1,
        }
    }

    /// Its partners may have gone before it came.
    fn is_late(self, line: &Line, side: Side, watermark: i64) -> bool {
        let is_behind = !matches!(self, Near::Within(..)) || line.time < watermark;
        is_behind && self.is_over(line, side, watermark)
    }

    /// What results without a partner are sorted by.
    fn order(self, line: &Line) -> i64 {
        match self {
            Near::Always => 0,
            Near::Window => line.window(),
            _ => line.time,
        }
    }
}

impl Line {
    fn window(&self) -> i64 {
        self.time - self.time.rem_euclid(WINDOW_MS)
    }

    fn is(&self, side: Side) -> bool {
        if side == Side::Left { self.left } else { self.right }
    }

    fn text(&self, id: usize, near: Near) -> String {
        let time = |ms| format_rfc3339(START_MS + ms);
        let window = match near {
            Near::Window => {
                format!(
                    "\"window_start\":\"{}\",\"window_end\":\"{}\",",
                    time(self.window()),
                    time(self.window() + WINDOW_MS)
                )
            }
            _ => String::new(),
        };
        let key = match self.key {
            // The same value in three spellings.
            Some(key) => format!(",\"k\":{key}{}", ["", ".0", "e0"][id % 3]),
            None => [",\"k\":null", ""][id % 2].to_owned(),
        };
        let (left, right) = (self.left, self.right);
        format!(
            "{{{window}\"id\":{id}{key},\"left\":{left},\"right\":{right},\"t\":\"{}\",\"to\":\"{}\",\"pad\":\"{}\"}}\n",
            time(self.time),
            time(self.to),
            "x".repeat(id * 7 % 50),
        )
    }
}

fn script(steps: &[Step], near: Near) -> String {
    let step = |(id, step): (usize, &Step)| match step {
        Step::Line(line) => line.text(id, near),
        Step::Other => format!("{{\"left\":false,\"other\":{id}}}\n"),
        Step::Mark(ms) => mark(*ms),
    };
    steps.iter().enumerate().map(step).collect()
}

fn mark(ms: i64) -> String {
    format!("{{\"$\":\"watermark\",\"time\":\"{}\"}}\n", format_rfc3339(START_MS + ms))
}

fn result(near: Near, line: &Line, members: &str) -> String {
    if near != Near::Window {
        return format!("{{{members}}}\n");
    }
    let (start, end) = (START_MS + line.window(), START_MS + line.window() + WINDOW_MS);
    format!("{{\"window_start\":\"{}\",\"window_end\":\"{}\",{members}}}\n", format_rfc3339(start), format_rfc3339(end))
}

/// One side of a line, in the model.
struct Half {
    id: usize,
    side: Side,
    line: Line,
    is_kept: bool,
    has_partner: bool,
    is_written: bool,
}

impl Half {
    fn alone(&mut self, near: Near) -> String {
        self.is_written = true;
        let name = if self.side == Side::Left { "l" } else { "r" };
        result(near, &self.line, &format!("\"{name}\":{}", self.id))
    }
}

/// Output and the number of late lines, by nested loops over everything that came before.
fn model(steps: &[Step], near: Near, kind: &str) -> (String, u64) {
    let preserves = |side: Side| match side {
        Side::Left => ["left", "full", "anti"].contains(&kind),
        Side::Right => ["right", "full"].contains(&kind),
    };
    let (mut out, mut late, mut watermark) = (String::new(), 0, i64::MIN / 2);
    let mut halves: Vec<Half> = Vec::new();
    for (id, step) in steps.iter().enumerate() {
        match step {
            Step::Other => out += &format!("{{\"left\":false,\"other\":{id}}}\n"),
            Step::Mark(ms) => {
                watermark = watermark.max(*ms);
                out += &alone(&mut halves, near, &preserves, |half| near.is_over(&half.line, half.side, watermark));
                out += &mark(*ms);
            }
            Step::Line(line) => {
                let mut late_sides = 0;
                for side in [Side::Left, Side::Right].into_iter().filter(|side| line.is(*side)) {
                    let mut half =
                        Half { id, side, line: *line, is_kept: false, has_partner: false, is_written: false };
                    for other in halves.iter_mut().filter(|other| other.side != side && other.is_kept) {
                        let (left, right) = if side == Side::Left { (line, &other.line) } else { (&other.line, line) };
                        let (left_id, right_id) = if side == Side::Left { (id, other.id) } else { (other.id, id) };
                        let is_pair = line.key.is_some()
                            && line.key == other.line.key
                            && !near.is_over(&other.line, other.side, watermark)
                            && near.joins(left, right);
                        if !is_pair {
                            continue;
                        }
                        half.has_partner = true;
                        other.has_partner = true;
                        match kind {
                            "semi" | "anti" => {
                                // A left line goes with its first partner.
                                other.is_kept &= side == Side::Left;
                                if kind == "semi" && side == Side::Right {
                                    out += &other.alone(near);
                                }
                            }
                            _ => out += &result(near, line, &format!("\"l\":{left_id},\"r\":{right_id}")),
                        }
                    }
                    if kind == "semi" && side == Side::Left && half.has_partner {
                        out += &half.alone(near);
                    }
                    let is_over = near.is_over(line, side, watermark);
                    let is_late = near.is_late(line, side, watermark);
                    late_sides += u64::from(is_late && !half.has_partner);
                    let is_gone = ["semi", "anti"].contains(&kind) && side == Side::Left && half.has_partner;
                    half.is_kept = !is_over && line.key.is_some() && !is_gone;
                    if (line.key.is_none() || is_over) && !is_late && !half.has_partner && preserves(side) {
                        out += &half.alone(near);
                    }
                    half.is_written |= is_over;
                    halves.push(half);
                }
                late += u64::from(late_sides == u64::from(line.left) + u64::from(line.right));
            }
        }
    }
    out += &alone(&mut halves, near, &preserves, |_| true);
    (out, late)
}

fn alone(halves: &mut [Half], near: Near, preserves: &dyn Fn(Side) -> bool, is_over: impl Fn(&Half) -> bool) -> String {
    let mut due: Vec<&mut Half> = halves
        .iter_mut()
        .filter(|half| preserves(half.side) && !half.has_partner && !half.is_written && is_over(half))
        .collect();
    due.sort_by_key(|half| (near.order(&half.line), half.id));
    due.iter_mut().map(|half| half.alone(near)).collect()
}

fn stage(near: Near, kind: &str, more: &[&str], memory_bytes: Option<usize>) -> StreamJoin {
    let mut args: Vec<String> =
        ["stream-join", "--left", ".left", "--right", ".right", "--on", "k", "--kind", kind, "--left-fields", "l=id"]
            .map(str::to_owned)
            .to_vec();
    if !["semi", "anti"].contains(&kind) {
        args.extend(["--right-fields".to_owned(), "r=id".to_owned()]);
    }
    args.extend(near.flags());
    args.extend(more.iter().map(|flag| (*flag).to_owned()));
    let mut job = Cli::parse_from(args).job().unwrap();
    if let Some(bytes) = memory_bytes {
        (job.memory_bytes_max, job.spills) = (bytes, true);
    }
    StreamJoin::new(job, Box::new(Memory::default())).unwrap()
}

/// Lines of two sides, so many of each in ten, up to `behind` ms in disorder, with a watermark now and then.
fn steps(length: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..10u8, 0..100u8, 0..5u8, 0..300i64, 0..5_000i64, -2_000..6_000i64);
    let speeds = prop_oneof![Just((4, 4)), Just((8, 1)), Just((1, 8)), Just((9, 0)), Just((0, 9))];
    (proptest::collection::vec(step, 1..length), speeds, 0..3_000i64).prop_map(|(steps, (left, right), lateness)| {
        let mut now = 0;
        let step = |(side, rare, key, later, behind, to): (u8, u8, u8, i64, i64, i64)| {
            now += later;
            let time = now - if rare < 40 { behind } else { behind / 20 };
            let is_both = rare >= 95;
            let line = Line {
                left: is_both || side < left,
                right: is_both || (left..left + right).contains(&side),
                key: (key > 0).then_some(key),
                time,
                to: time + to,
            };
            match (line.left || line.right, rare % 3) {
                (true, _) => Step::Line(line),
                (false, 0) => Step::Other,
                (false, _) => Step::Mark(now - lateness),
            }
        };
        steps.into_iter().map(step).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn results_are_those_of_nested_loops(steps in steps(150)) {
        for near in NEAR {
            for kind in KINDS {
                let (expected, late) = model(&steps, near, kind);
                let played = play(stage(near, kind, &[], None), &script(&steps, near));
                prop_assert_eq!(&played.result, &Ok(()));
                prop_assert_eq!(&played.out, &expected, "{:?} {}", near, kind);
                prop_assert_eq!((played.counts.late, played.held), (late, 0), "{:?} {}", near, kind);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1))]
    #[test]
    fn every_way_of_running_gives_the_same(steps in steps(50)) {
        for near in NEAR {
            for kind in KINDS {
                every_way(|| stage(near, kind, &[], None), &script(&steps, near));
            }
        }
    }
}
