//! Samples by stack, each on the stage in which it was taken.

use std::collections::BTreeMap;

use crate::words::{count, plain};

/// What stands below the samples of processes of which no stage is known that has started them.
const OTHERS: &str = "other programs";

/// perf cannot look down the whole stack of a function with many locals: below what it knows it has this frame.
const CUT: &str = "[unknown];";

/// Where the samples of a process stand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The place of its stage in the pipe.
    at: usize,
    /// The lowest frames.
    frames: Vec<String>,
}

/// The samples of a pipeline.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stacks {
    /// `frame;frame;frame`, the ones of a stage together, in the order of the pipe and then of names.
    by_stack: BTreeMap<(usize, String), u64>,
    /// The same for whole stages.
    by_stage: BTreeMap<(usize, String), u64>,
}

impl Place {
    pub fn new(at: usize, stage: &str) -> Self {
        Self { at, frames: vec![frame(stage)] }
    }

    /// The place of a process that a stage has started.
    pub fn on(mut self, name: &str) -> Self {
        self.frames.push(frame(name));
        self
    }

    /// It is that of a stage itself.
    pub fn is_stage(&self) -> bool {
        self.frames.len() == 1
    }
}

/// A name as a frame: a semicolon would end it.
fn frame(name: &str) -> String {
    plain(name).replace(';', ":")
}

impl Stacks {
    /// Takes lines like `jq-4711;main;parse 12`: the name and the process, its frames, and in how many samples. `places` has the
    /// processes that are known, `parents` the ones that have started others meanwhile.
    pub fn new(collapsed: &str, places: &BTreeMap<u32, Place>, parents: &BTreeMap<u32, u32>) -> Self {
        let mut stacks = Self::default();
        for line in collapsed.lines() {
            let Some((stack, samples)) = line.rsplit_once(' ') else { continue };
            let (program, frames) = stack.split_once(';').unwrap_or((stack, ""));
            let frames = frames.strip_prefix(CUT).unwrap_or(frames);
            stacks.add(&place_of(program, places, parents), frames, samples.parse().unwrap_or_default());
        }
        stacks
    }

    fn add(&mut self, place: &Place, frames: &str, samples: u64) {
        let mut stack = place.frames.join(";");
        if !frames.is_empty() {
            stack.push(';');
            stack.push_str(frames);
        }
        let stage = place.frames.first().cloned().unwrap_or_default();
        *self.by_stack.entry((place.at, stack)).or_default() += samples;
        *self.by_stage.entry((place.at, stage)).or_default() += samples;
    }

    pub fn samples(&self) -> u64 {
        self.by_stage.values().sum()
    }

    pub fn is_empty(&self) -> bool {
        self.samples() == 0
    }

    /// Lines for the drawing.
    pub fn lines(&self) -> Vec<String> {
        self.by_stack.iter().map(|((_, stack), samples)| format!("{stack} {samples}")).collect()
    }

    /// `1,234 samples: window 61 %, aggregate 39 %`
    pub fn summary(&self) -> String {
        let all = self.samples().max(1) as f64;
        let share = |samples: &u64| 100.0 * *samples as f64 / all;
        let stages = self.by_stage.iter().map(|((_, stage), samples)| format!("{stage} {:.0} %", share(samples)));
        format!("{} samples: {}", count(self.samples()), stages.collect::<Vec<_>>().join(", "))
    }
}

/// A program's name may have a hyphen too: the process is after the last one.
fn place_of(program: &str, places: &BTreeMap<u32, Place>, parents: &BTreeMap<u32, u32>) -> Place {
    let (name, pid) = program.rsplit_once('-').unwrap_or((program, ""));
    let mut pid = pid.parse().ok();
    if let Some(place) = pid.and_then(|pid: u32| places.get(&pid)) {
        return place.clone();
    }
    // A number may be used again: a walk in a circle comes to an end.
    for _ in 0..parents.len() {
        pid = pid.and_then(|pid| parents.get(&pid).copied());
        if let Some(place) = pid.and_then(|pid| places.get(&pid)) {
            return place.clone().on(name);
        }
    }
    Place::new(usize::MAX, OTHERS).on(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places() -> BTreeMap<u32, Place> {
        let map = Place::new(1, "parallel-map");
        BTreeMap::from([(12, Place::new(0, "window")), (7, map.clone()), (9, map.on("jq")), (3, Place::new(2, "a;b"))])
    }

    #[test]
    fn stages_stand_in_the_order_of_the_pipe_and_have_their_children_on_them() {
        let text = "jq-9;main;parse 3\nparallel-map-7;main 2\na;b-3;x 1\nwindow-12;main;b 1\nwindow-12;[unknown];main;a 4\ncurl-98;main 1\nx-50;y 1\n";
        let stacks = Stacks::new(text, &places(), &BTreeMap::from([(98, 97), (97, 7), (50, 51), (51, 50)]));
        let expected = [
            "window;main;a 4",
            "window;main;b 1",
            "parallel-map;curl;main 1",
            "parallel-map;jq;main;parse 3",
            "parallel-map;main 2",
            "other programs;a;b-3;x 1",
            "other programs;x;y 1",
        ];
        assert_eq!(stacks.lines(), expected);
        assert_eq!(stacks.summary(), "13 samples: window 38 %, parallel-map 46 %, other programs 15 %");
    }

    #[test]
    fn two_threads_of_a_stage_are_one_and_a_name_has_no_semicolon() {
        let of = |text| Stacks::new(text, &places(), &BTreeMap::new());
        let stacks = of("window-12;run 1\nreader-12;run 2\nx-3;run 1\n");
        assert_eq!(stacks.lines(), ["window;run 3", "a:b;run 1"]);
        assert!(of("").is_empty());
        assert_eq!(of("window-12 5\n").lines(), ["window 5"]);
    }
}
