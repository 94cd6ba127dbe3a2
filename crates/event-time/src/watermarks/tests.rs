use super::*;
use proptest::prelude::*;

fn generator() -> Watermarks {
    Watermarks::new(100, 5_000)
}

#[test]
fn without_marks_all_lines_are_one_partition() {
    let mut marks = generator();
    assert_eq!(marks.watermark_ms(), None);
    assert_eq!(marks.observe(1_000), Some(900));
    assert_eq!(marks.observe(500), None);
    assert_eq!(marks.observe(1_001), Some(901));
    assert_eq!(marks.watermark_ms(), Some(901));
    assert!(!marks.has_partitions());
}

#[test]
fn an_announced_partition_holds_time_back_until_its_first_line() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.from("a/1").unwrap();
    assert_eq!(marks.observe(9_000), None);
    marks.from("a/0").unwrap();
    assert_eq!(marks.observe(5_000), Some(4_900));
    assert_eq!(marks.observe(9_500), Some(8_900));
    assert!(marks.has_partitions());
}

#[test]
fn the_slowest_partition_sets_the_time() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.from("a/1").unwrap();
    assert_eq!(marks.observe(50_000), None);
    assert_eq!(marks.watermark_ms(), Some(900));
    marks.from("a/0").unwrap();
    assert_eq!(marks.observe(2_000), Some(1_900));
}

#[test]
fn a_finally_idle_partition_is_free_at_once() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.from("a/1").unwrap();
    marks.observe(50_000);
    assert_eq!(marks.idle("a/0", true, 0), Ok(Some(49_900)));
    assert_eq!(marks.wake_at(), None);
}

#[test]
fn an_idle_partition_is_free_after_the_idle_time() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.from("a/1").unwrap();
    marks.observe(50_000);
    assert_eq!(marks.idle("a/0", false, 10_000), Ok(None));
    assert_eq!(marks.idle("a/0", false, 11_000), Ok(None));
    assert_eq!(marks.wake_at(), Some(15_000));
    assert_eq!(marks.wake(14_999), None);
    assert_eq!(marks.wake(15_000), Some(49_900));
    assert_eq!(marks.wake_at(), None);
}

#[test]
fn a_line_ends_the_wait_for_the_idle_time() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.idle("a/0", false, 10_000).unwrap();
    marks.observe(900);
    assert_eq!(marks.wake_at(), None);
}

#[test]
fn a_line_revives_an_idle_partition_but_time_never_goes_back() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.from("a/1").unwrap();
    marks.observe(50_000);
    marks.idle("a/0", true, 0).unwrap();
    marks.from("a/0").unwrap();
    assert_eq!(marks.observe(2_000), None);
    marks.from("a/1").unwrap();
    assert_eq!(marks.observe(60_000), None);
    assert_eq!(marks.watermark_ms(), Some(49_900));
    marks.from("a/0").unwrap();
    assert_eq!(marks.observe(55_000), Some(54_900));
}

#[test]
fn a_late_line_revives_the_idle_current_partition() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.idle("a/0", true, 0).unwrap();
    marks.observe(900);
    marks.from("a/1").unwrap();
    assert_eq!(marks.observe(9_000), None);
}

#[test]
fn when_all_are_idle_the_latest_time_counts() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.observe(1_000);
    marks.from("a/1").unwrap();
    marks.observe(50_000);
    marks.from("a/2").unwrap();
    assert_eq!(marks.idle("a/2", true, 0), Ok(None));
    assert_eq!(marks.idle("a/1", true, 0), Ok(None));
    assert_eq!(marks.idle("a/0", true, 0), Ok(Some(49_900)));
}

#[test]
fn an_idle_mark_announces_too() {
    let mut marks = generator();
    marks.from("a/0").unwrap();
    marks.idle("a/1", false, 0).unwrap();
    assert_eq!(marks.observe(1_000), None);
    assert_eq!(marks.wake(5_000), Some(900));
}

#[test]
fn lines_before_the_first_mark_hold_nothing_back_after_it() {
    let mut marks = generator();
    assert_eq!(marks.observe(1_000), Some(900));
    marks.from("a/0").unwrap();
    assert_eq!(marks.observe(9_000), Some(8_900));
}

#[test]
fn there_is_a_limit_to_partitions() {
    let mut marks = generator();
    for i in 0..PARTITIONS_MAX {
        marks.from(&format!("t/{i}")).unwrap();
        marks.observe(1_000);
    }
    let error = marks.from("t/more").unwrap_err();
    assert_eq!(error.to_string(), "partition \"t/more\" is one more than the 100000 that can be kept apart");
}

#[derive(Debug, Clone)]
enum Step {
    From(usize),
    Observe(i64),
    Idle(usize, bool),
    Wait(i64),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0usize..6).prop_map(Step::From),
        8 => (0i64..3_000).prop_map(Step::Observe),
        2 => (0usize..6, any::<bool>()).prop_map(|(p, f)| Step::Idle(p, f)),
        2 => (0i64..4_000).prop_map(Step::Wait),
        1 => Just(Step::Crash),
    ];
    proptest::collection::vec(step, 0..60)
}

/// The same rules, all worked out anew at every step.
#[derive(Default)]
struct Model {
    /// Largest time, idle, idle since.
    partitions: std::collections::BTreeMap<String, (Option<i64>, bool, Option<i64>)>,
    current: Option<String>,
    watermark: Option<i64>,
    latest: Option<i64>,
}

impl Model {
    fn name(&mut self, part: usize) -> String {
        if self.current.as_deref() == Some("") {
            self.current = None;
            self.partitions.get_mut("").unwrap().1 = true;
        }
        format!("t/{part}")
    }

    fn step(&mut self, step: &Step, now: i64) -> Option<i64> {
        match step {
            Step::From(part) => {
                let name = self.name(*part);
                let partition = self.partitions.entry(name.clone()).or_default();
                (partition.1, partition.2) = (false, None);
                self.current = Some(name);
                return None;
            }
            Step::Observe(time) => {
                let name = self.current.get_or_insert_default().clone();
                let partition = self.partitions.entry(name).or_default();
                *partition = (partition.0.max(Some(*time)), false, None);
                self.latest = self.latest.max(Some(*time));
            }
            Step::Idle(part, is_final) => {
                let name = self.name(*part);
                let partition = self.partitions.entry(name).or_default();
                partition.1 |= is_final;
                if !partition.1 {
                    partition.2 = partition.2.or(Some(now));
                }
            }
            Step::Wait(_) | Step::Crash => {}
        }
        if !matches!(step, Step::Observe(_)) {
            for partition in self.partitions.values_mut() {
                if partition.2.is_some_and(|since| now >= since + 5_000) {
                    partition.1 = true;
                }
                if partition.1 {
                    partition.2 = None;
                }
            }
        }
        let busy: Vec<_> = self.partitions.values().filter(|p| !p.1).map(|p| p.0).collect();
        let reached = if busy.is_empty() { self.latest } else { busy.into_iter().min().unwrap() };
        let watermark = reached.map(|time| time - 100);
        (watermark > self.watermark).then(|| self.watermark = watermark)?;
        watermark
    }
}

proptest! {
    #[test]
    fn any_script_gives_what_the_plain_model_gives(steps in steps()) {
        let mut marks = generator();
        let mut model = Model::default();
        let mut now = 0;
        for step in &steps {
            let moved = match step {
                Step::From(part) => { marks.from(&format!("t/{part}")).unwrap(); None }
                Step::Observe(time) => marks.observe(*time),
                Step::Idle(part, is_final) => marks.idle(&format!("t/{part}"), *is_final, now).unwrap(),
                Step::Wait(ms) => { now += ms; marks.wake(now) }
                Step::Crash => {
                    marks = Watermarks::restore(100, 5_000, &marks.snapshot()).unwrap();
                    marks.wake(now)
                }
            };
            prop_assert_eq!(moved, model.step(step, now), "{:?}", step);
            prop_assert_eq!(marks.watermark_ms(), model.watermark);
        }
    }
}
