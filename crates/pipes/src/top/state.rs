//! What the screen shows, and what the keys change.

use std::cmp::Ordering;

use crate::bottleneck::bottleneck;
use crate::latency::Samples;
use crate::machine::Look;
use crate::machine::pipeline::Pipeline;
use crate::machine::stage::Stage;
use crate::top::numbers::{Numbers, Span, numbers};

/// A filter has at most so many characters.
const FILTER_MAX: usize = 100;

/// A page of rows, when the terminal is not asked.
const PAGE: usize = 10;

/// A key, as far as it means something here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    PageUp,
    PageDown,
}

/// The order of the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// As they stand in the pipe.
    #[default]
    Place,
    Busy,
    Lines,
    Held,
}

/// All that the screen depends on, but its size.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub look: Look,
    before: Look,
    /// How long lines took to each stage since the screen was opened.
    pub delays: Samples,
    pub span: Span,
    pub sort: Sort,
    pub filter: String,
    /// The keys go into the filter.
    pub is_typing: bool,
    pub is_frozen: bool,
    /// The process of the chosen stage.
    pub selected: Option<u32>,
    /// The chosen stage fills the screen.
    pub is_detail: bool,
    /// How many lines of the detail page are above the screen.
    pub scroll: usize,
}

/// A line of the overview.
#[derive(Clone, Debug)]
pub enum Row<'l> {
    Pipeline(&'l Pipeline),
    Stage { stage: &'l Stage, numbers: Numbers, is_bottleneck: bool },
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Place => Self::Busy,
            Self::Busy => Self::Lines,
            Self::Lines => Self::Held,
            Self::Held => Self::Place,
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Busy => "busy",
            Self::Lines => "lines",
            Self::Held => "held",
        }
    }
}

impl State {
    /// Takes a new look, unless the screen is frozen.
    pub fn take(&mut self, look: Look) {
        self.delays.take(&look);
        if !self.is_frozen {
            self.before = std::mem::replace(&mut self.look, look);
        }
    }

    /// Takes a key. Returns true when it ends the program.
    pub fn key(&mut self, key: Key) -> bool {
        match (self.is_typing, self.is_detail) {
            (true, _) => self.type_key(key),
            (false, true) => self.detail_key(key),
            (false, false) => self.overview_key(key),
        }
        !self.is_typing && key == Key::Char('q')
    }

    fn type_key(&mut self, key: Key) {
        match key {
            Key::Char(c) if self.filter.chars().count() < FILTER_MAX => self.filter.push(c),
            Key::Backspace => drop(self.filter.pop()),
            Key::Enter => self.is_typing = false,
            Key::Escape => {
                self.filter.clear();
                self.is_typing = false;
            }
            _ => {}
        }
    }

    fn overview_key(&mut self, key: Key) {
        match key {
            Key::Char('s') => self.sort = self.sort.next(),
            Key::Char('/') => self.is_typing = true,
            Key::Escape => self.filter.clear(),
            Key::Up | Key::Char('k') => self.select(-1),
            Key::Down | Key::Char('j') => self.select(1),
            Key::PageUp => self.select(-(PAGE as isize)),
            Key::PageDown => self.select(PAGE as isize),
            Key::Enter => {
                self.select(0);
                self.is_detail = self.selected.is_some();
                self.scroll = 0;
            }
            _ => self.common_key(key),
        }
    }

    fn detail_key(&mut self, key: Key) {
        match key {
            Key::Escape | Key::Enter | Key::Backspace => self.is_detail = false,
            Key::Up | Key::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            Key::Down | Key::Char('j') => self.scroll += 1,
            Key::PageUp => self.scroll = self.scroll.saturating_sub(PAGE),
            Key::PageDown => self.scroll += PAGE,
            _ => self.common_key(key),
        }
    }

    fn common_key(&mut self, key: Key) {
        match key {
            Key::Char('f') => self.is_frozen = !self.is_frozen,
            Key::Char('r') => self.span = self.span.next(),
            Key::Char('c') => self.span = if self.span == Span::Start { Span::default() } else { Span::Start },
            _ => {}
        }
    }

    /// Chooses the stage that is so many rows away; the first one when none is chosen.
    fn select(&mut self, by: isize) {
        let pids: Vec<u32> = self.rows().iter().filter_map(Row::pid).collect();
        let at = pids.iter().position(|pid| Some(*pid) == self.selected);
        let next = at.map_or(0, |at| at.saturating_add_signed(by).min(pids.len().saturating_sub(1)));
        self.selected = pids.get(next).copied();
    }

    /// The chosen stage, with its pipeline, while it is there.
    pub fn chosen(&self) -> Option<(&Pipeline, &Stage)> {
        let pid = self.selected?;
        let all =
            self.look.pipelines.iter().flat_map(|pipeline| pipeline.stages.iter().map(move |stage| (pipeline, stage)));
        all.into_iter().find(|(_, stage)| stage.pid == pid)
    }

    /// The numbers of a stage over the time that was chosen.
    pub fn numbers(&self, stage: &Stage) -> Numbers {
        let before = if stage.is_ours() { None } else { self.before.stage(stage.pid) };
        numbers(stage, before, self.look.at_ms.saturating_sub(self.before.at_ms), self.span)
    }

    /// The lines of the overview: each pipeline, and below it its stages.
    pub fn rows(&self) -> Vec<Row<'_>> {
        let mut blocks: Vec<(&Pipeline, Vec<Row>)> =
            self.look.pipelines.iter().map(|pipeline| (pipeline, self.stages(pipeline))).collect();
        blocks.retain(|(_, stages)| !stages.is_empty());
        if self.sort != Sort::Place {
            let most = |rows: &[Row]| rows.iter().map(|row| self.weight(row)).fold(0.0, f64::max);
            blocks.sort_by(|(_, a), (_, b)| descending(most(a), most(b)));
        }
        blocks
            .into_iter()
            .flat_map(|(pipeline, stages)| std::iter::once(Row::Pipeline(pipeline)).chain(stages))
            .collect()
    }

    fn stages<'l>(&'l self, pipeline: &'l Pipeline) -> Vec<Row<'l>> {
        let bottleneck = bottleneck(pipeline, Some(&self.before), self.look.at_ms);
        let rows = pipeline.stages.iter().enumerate().filter(|(_, stage)| self.is_wanted(pipeline, stage));
        let mut rows: Vec<Row> = rows
            .map(|(at, stage)| Row::Stage {
                stage,
                numbers: self.numbers(stage),
                is_bottleneck: bottleneck == Some(at),
            })
            .collect();
        if self.sort != Sort::Place {
            rows.sort_by(|a, b| descending(self.weight(a), self.weight(b)));
        }
        rows
    }

    /// The filter is in its name, or in the name of its pipeline.
    fn is_wanted(&self, pipeline: &Pipeline, stage: &Stage) -> bool {
        self.filter.is_empty() || [&pipeline.name, &stage.name].iter().any(|name| name.contains(&self.filter))
    }

    fn weight(&self, row: &Row) -> f64 {
        let Row::Stage { stage, numbers, .. } = row else { return 0.0 };
        let weight = match self.sort {
            Sort::Place => None,
            Sort::Busy => numbers.shares.busy,
            Sort::Lines => numbers.lines_in.or(numbers.lines_out),
            Sort::Held => stage.count(|facts| facts.lines_held).map(|held| held as f64),
        };
        weight.unwrap_or(-1.0)
    }
}

fn descending(a: f64, b: f64) -> Ordering {
    b.total_cmp(&a)
}

impl Row<'_> {
    /// The process of a stage.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Pipeline(_) => None,
            Self::Stage { stage, .. } => Some(stage.pid),
        }
    }
}
