//! A pipeline: stages in the order in which lines pass them.

use crate::facts::Facts;
use crate::machine::stage::Stage;

/// A pipeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    /// What it is called: see `naming`.
    pub name: String,
    /// In the order of lines. Those of sub-pipes follow the stage that has them, and are deeper than it.
    pub stages: Vec<Stage>,
}

impl Pipeline {
    pub fn is_running(&self) -> bool {
        self.ours().any(|(stage, _)| stage.is_running())
    }

    /// This is its name, its run, or a process of it.
    pub fn is_called(&self, asked: &str) -> bool {
        let is_pid = |stage: &Stage| asked.parse() == Ok(stage.pid);
        self.name == asked || self.run() == Some(asked) || self.stages.iter().any(is_pid)
    }

    /// Stages with a file, and what it says.
    pub fn ours(&self) -> impl DoubleEndedIterator<Item = (&Stage, &Facts)> {
        self.stages.iter().filter_map(|stage| Some((stage, stage.facts.as_deref()?)))
    }

    pub fn run(&self) -> Option<&str> {
        self.ours().find_map(|(_, facts)| facts.run.as_deref())
    }

    /// What a stage of it is called: with its process where several have its name.
    pub fn label(&self, stage: &Stage) -> String {
        let of_name = self.stages.iter().filter(|other| other.name == stage.name).count();
        if of_name > 1 { format!("{} (pid {})", stage.name, stage.pid) } else { stage.name.clone() }
    }

    /// When its first process began.
    pub fn started_ms(&self) -> Option<i64> {
        self.stages.iter().filter_map(Stage::started_ms).min()
    }

    /// When the last one of its stages died; nothing while one runs.
    pub fn ended_ms(&self) -> Option<i64> {
        let since = |(stage, _): (&Stage, _)| stage.life.dead_since_ms();
        if self.is_running() { None } else { self.ours().filter_map(since).max() }
    }

    /// When results were last committed.
    pub fn committed_ms(&self) -> Option<i64> {
        self.ours().filter_map(|(_, facts)| facts.commit.as_ref()?.at).max()
    }

    /// How far time has come at the last stage that knows it.
    pub fn watermark_ms(&self) -> Option<i64> {
        self.ours().rev().find_map(|(_, facts)| facts.time_ms())
    }

    /// The messages that its sources have not read.
    pub fn lag(&self) -> Option<i64> {
        self.ours().filter_map(|(_, facts)| facts.lag()).reduce(i64::saturating_add)
    }

    /// How far its sources are behind the newest message, in milliseconds.
    pub fn behind_ms(&self) -> Option<i64> {
        self.ours().filter_map(|(_, facts)| facts.behind_ms()).max()
    }

    /// `generate | jq | window`; sub-pipes in brackets, once for each way of dividing lines.
    pub fn picture(&self) -> String {
        let mut text = String::new();
        let mut depth = 0;
        for (at, stage) in self.stages.iter().enumerate() {
            let between = match stage.depth.cmp(&depth) {
                _ if at == 0 => "",
                std::cmp::Ordering::Greater => " [",
                std::cmp::Ordering::Less => "] | ",
                std::cmp::Ordering::Equal if stage.depth > 0 && !self.follows(at) => "; ",
                std::cmp::Ordering::Equal => " | ",
            };
            text.push_str(between);
            text.push_str(&stage.name);
            depth = stage.depth;
        }
        if depth > 0 {
            text.push(']');
        }
        text
    }

    /// It reads what the stage before it writes.
    fn follows(&self, at: usize) -> bool {
        let pipe = |stage: Option<&Stage>, of: fn(&Stage) -> Option<u64>| stage.and_then(of);
        let before = at.checked_sub(1).and_then(|before| self.stages.get(before));
        let written = pipe(before, |stage| Some(stage.output?.pipe));
        written.is_some() && written == pipe(self.stages.get(at), |stage| Some(stage.input?.pipe))
    }

    /// The stages that read what the stage at `at` writes.
    pub fn readers(&self, at: usize) -> impl Iterator<Item = (usize, &Stage)> {
        let pipe = self.stages.get(at).and_then(|stage| stage.output).map(|pipe| pipe.pipe);
        let reads = move |stage: &Stage| pipe.is_some() && stage.input.map(|pipe| pipe.pipe) == pipe;
        self.stages.iter().enumerate().filter(move |(_, stage)| reads(stage))
    }

    /// The stages that write what the stage at `at` reads.
    pub fn writers(&self, at: usize) -> impl Iterator<Item = (usize, &Stage)> {
        let pipe = self.stages.get(at).and_then(|stage| stage.input).map(|pipe| pipe.pipe);
        let writes = move |stage: &Stage| pipe.is_some() && stage.output.map(|pipe| pipe.pipe) == pipe;
        self.stages.iter().enumerate().filter(move |(_, stage)| writes(stage))
    }
}
