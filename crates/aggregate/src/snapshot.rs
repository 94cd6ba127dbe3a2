//! The state as text: a head that is written whole each time, and an entry for each group, written when it changes.
//!
//! An entry's name is the group's key (its cells with newlines between them), behind the span that it is of:
//!
//! ```text
//! "user-1"                           [sequence,clock,pending,STATE]   lines without windows: the key's last line
//! "user-1"                           [sequence,clock,pending,"results",STATE]   with --changes: what was written last
//! "user-1"                           [[time,sequence,"value",…],…]    with --last: the key's last lines
//! 2026-01-01T00:00:00Z/10s|"user-1"  STATE                            a window or slice
//! 2026-01-01T00:00:00Z/10s#2|"user-1"  STATE                          a part of it, with --memory
//! 2026-01-01T00:00:03Z/30s|"user-1"  [start,end,STATE]                a session, named by its first span
//! 100/50|"user-1"                    STATE                            50 lines from the 100th
//! next|"user-1"                      150                              where overlapping windows of lines go on
//! ```
//!
//! STATE is what `accumulators` writes.

use std::io::{self, BufRead, Write};

use event_time::{Scale, Window};
use millpipe::{Changes, Divides, Error, Fault, Head};
use serde_json::{Map, Value, json};

use crate::Aggregate;
use crate::counts::Counts;
use crate::entry_name::{parse_span, write_span};
use crate::job::Job;
use crate::mode::Mode;
use crate::rolling::Rolling;
use crate::running::Running;
use crate::sessions::Sessions;
use crate::windows::{Slices, Windows};

const VERSION: u64 = 1;

impl Aggregate {
    pub(crate) fn save_head(&self, to: &mut dyn Write) -> io::Result<()> {
        let head = Head::new()
            .with("aggregate", VERSION)
            .with("sequence", self.work.sequence)
            .with("watermarks", self.has_watermarks)
            .with("watermark", self.watermark_ms)
            .with("mode", self.mode.save_head())
            .divided(self.mode.divides(&self.work.job));
        let head = if self.work.era > 0 { head.with("era", self.work.era) } else { head };
        head.write(to)
    }

    pub(crate) fn load_head(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "aggregate")?;
        if head.value("aggregate").as_u64() != Some(VERSION) {
            return Err(Error::data("not a snapshot of this version of aggregate"));
        }
        self.work.sequence = head.count("sequence")?;
        self.has_watermarks = head.flag("watermarks")?;
        self.watermark_ms = head.maybe("watermark")?;
        let era = if head.value("era").is_null() { 0 } else { head.count("era")? };
        self.work.restore_era(era);
        self.mode = Mode::load_head(head.value("mode"), &self.work.job).ok_or_else(|| head.damaged())?;
        Ok(())
    }

    pub(crate) fn save_entries(&mut self, to: &mut Changes) {
        let Aggregate { mode, work, .. } = self;
        match mode {
            Mode::Unknown => {}
            Mode::Running(running) => running.save(work, to),
            Mode::Rolling(rolling) => rolling.save(to),
            Mode::Windows(windows) => windows.panes.save(work, to),
            Mode::Slices(slices) => slices.panes.save(work, to),
            Mode::Sessions(sessions) => sessions.save(to),
            Mode::Counts(counts) => counts.save(to),
        }
    }

    pub(crate) fn load_entry(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let Aggregate { mode, work, .. } = self;
        let loaded = match mode {
            Mode::Unknown => Err(Error::damaged_entry(name).into()),
            Mode::Running(running) => running.load(name, value, work),
            Mode::Rolling(rolling) => rolling.load(name, value, work),
            Mode::Windows(windows) => windows.panes.load(name, value, work),
            Mode::Slices(slices) => slices.panes.load(name, value, work),
            Mode::Sessions(sessions) => sessions.load(name, value, work),
            Mode::Counts(counts) => counts.load(name, value, work),
        };
        loaded.map_err(|fault| match fault {
            Fault::Stop(error) => error,
            _ => Error::damaged_entry(name),
        })
    }
}

impl Mode {
    /// How `state reshard` divides the entries: by their keys, which stand behind the span where there is one.
    fn divides(&self, job: &Job) -> Divides {
        if matches!(self, Mode::Unknown) {
            return Divides::empty();
        }
        let rule = Divides::by(job.by.iter().map(ToString::to_string)).max("/sequence").sum("/mode/groups");
        match self {
            Mode::Running(_) => rule.written("/mode/written").max("/mode/clock").min("/mode/tick"),
            Mode::Rolling(_) => rule,
            // Each shard knows the time of the last session that was over in it: later ones of any are still open.
            Mode::Sessions(_) => rule.after("|").min("/watermark"),
            _ => rule.after("|"),
        }
    }

    fn save_head(&self) -> Value {
        match self {
            Mode::Unknown => json!({ "kind": "unknown" }),
            Mode::Running(running) => json!({
                "kind": "running", "clock": running.clock_ms, "tick": running.tick_ms, "written": running.written,
                "groups": running.groups.len(),
            }),
            Mode::Rolling(rolling) => json!({ "kind": "rolling", "groups": rolling.groups.len() }),
            Mode::Windows(windows) => json!({ "kind": "windows", "groups": sizes(windows.panes.sizes()) }),
            Mode::Slices(slices) => {
                let announced: Vec<String> =
                    slices.announced.iter().map(|window| write_span(*window, Scale::Time)).collect();
                json!({ "kind": "slices", "announced": announced, "groups": sizes(slices.panes.sizes()) })
            }
            Mode::Sessions(sessions) => json!({ "kind": "sessions", "cells": sessions.cells }),
            Mode::Counts(counts) => json!({
                "kind": "counts", "cells": counts.cells, "size": counts.size, "slide": counts.slide,
                "marked": counts.is_marked,
            }),
        }
    }

    fn load_head(saved: &Value, job: &Job) -> Option<Mode> {
        Some(match saved["kind"].as_str()? {
            "unknown" => Mode::Unknown,
            "running" => {
                let (clock_ms, tick_ms) = (optional(&saved["clock"])?, optional(&saved["tick"])?);
                let groups = expected(&saved["groups"], job)?;
                Mode::Running(Box::new(Running::resume(job, clock_ms, tick_ms, saved["written"].as_u64()?, groups)))
            }
            "rolling" => Mode::Rolling(Box::new(Rolling::new(&job.plan))),
            "windows" => {
                let mut windows = Windows::new(&job.plan);
                expect(saved, job, |window, groups| windows.panes.expect(window, groups))?;
                Mode::Windows(Box::new(windows))
            }
            "slices" => {
                let mut slices = Slices::new(&job.plan);
                for span in saved["announced"].as_array()? {
                    slices.announced.insert(parse_span(span.as_str()?, Scale::Time)?);
                }
                expect(saved, job, |window, groups| slices.panes.expect(window, groups))?;
                Mode::Slices(Box::new(slices))
            }
            "sessions" => {
                Mode::Sessions(Box::new(Sessions::new(&job.plan, load_cells(&saved["cells"], job)?, job.groups_max)))
            }
            "counts" => {
                let number = |name| saved[name].as_i64().filter(|number| *number > 0);
                let (size, slide) = (number("size")?, number("slide")?);
                Mode::Counts(Box::new(Counts::new(
                    &job.plan,
                    load_cells(&saved["cells"], job)?,
                    size,
                    slide,
                    saved["marked"].as_bool()?,
                )))
            }
            _ => return None,
        })
    }
}

/// A number or null; none for anything else.
fn optional(saved: &Value) -> Option<Option<i64>> {
    if saved.is_null() { Some(None) } else { saved.as_i64().map(Some) }
}

fn load_cells(saved: &Value, job: &Job) -> Option<Vec<usize>> {
    let cell = |cell: &Value| usize::try_from(cell.as_u64()?).ok().filter(|cell| *cell < job.by.len());
    saved.as_array()?.iter().map(cell).collect()
}

/// The number of groups by window: what is to be loaded finds room then.
fn sizes(panes: impl Iterator<Item = (Window, usize)>) -> Value {
    let named = panes.map(|(window, groups)| (write_span(window, Scale::Time), groups.into()));
    Value::Object(named.collect::<Map<_, _>>())
}

fn expect(saved: &Value, job: &Job, mut open: impl FnMut(Window, usize)) -> Option<()> {
    for (span, groups) in saved["groups"].as_object()? {
        open(parse_span(span, Scale::Time)?, expected(groups, job)?);
    }
    Some(())
}

fn expected(groups: &Value, job: &Job) -> Option<usize> {
    Some(usize::try_from(groups.as_u64()?).ok()?.min(job.groups_max))
}
