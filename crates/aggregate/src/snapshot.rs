//! The whole state as text: a head, then a line for each group.

use std::io::{self, BufRead, Write};

use event_time::Window;
use millpipe::{Error, Fault};
use serde_json::{Value, json};

use crate::Aggregate;
use crate::counts::{Counts, Slice, Stream};
use crate::groups::Store;
use crate::job::Job;
use crate::mode::Mode;
use crate::panes::Panes;
use crate::running::Running;
use crate::sessions::Sessions;
use crate::windows::{Slices, Windows};
use crate::work::Work;

const VERSION: u64 = 1;

impl Aggregate {
    pub(crate) fn save(&self, to: &mut dyn Write) -> io::Result<()> {
        let job = &self.work.job;
        let head = json!({
            "aggregate": VERSION, "job": job.signature(), "sequence": self.sequence,
            "watermarks": self.has_watermarks, "watermark": self.watermark_ms, "mode": self.mode.save(),
        });
        put(to, &head)?;
        match &self.mode {
            Mode::Unknown => Ok(()),
            Mode::Running(running) => save_running(running, job, to),
            Mode::Windows(windows) => save_panes(&windows.panes, job, to),
            Mode::Slices(slices) => save_panes(&slices.panes, job, to),
            Mode::Sessions(sessions) => save_sessions(sessions, job, to),
            Mode::Counts(counts) => save_counts(counts, job, to),
        }
    }

    pub(crate) fn load(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let mut lines = from.lines();
        let head = lines.next().transpose().map_err(|error| Error::io("snapshot", &error))?;
        let head: Value = parse(&head.unwrap_or_default())?;
        if head["aggregate"].as_u64() != Some(VERSION) {
            return Err(Error::data("not a snapshot of this version of aggregate"));
        }
        if head["job"] != self.work.job.signature() {
            let error = Error::data(format_args!("the snapshot was made with other flags: {}", head["job"]));
            return Err(error.hint(format_args!("now they are {}", self.work.job.signature())));
        }
        self.sequence = head["sequence"].as_u64().ok_or_else(damaged)?;
        self.has_watermarks = head["watermarks"].as_bool().ok_or_else(damaged)?;
        self.watermark_ms = head["watermark"].as_i64();
        self.mode = Mode::load(&head["mode"], self.work.job.groups_max).ok_or_else(damaged)?;
        for line in lines {
            let line = parse(&line.map_err(|error| Error::io("snapshot", &error))?)?;
            load_group(&mut self.mode, &line, &mut self.work).map_err(|fault| match fault {
                Fault::Stop(error) => error,
                _ => damaged(),
            })?;
        }
        Ok(())
    }
}

impl Job {
    /// What results depend on: a snapshot is of use for the same only.
    fn signature(&self) -> Value {
        let by: Vec<String> = self.by.iter().map(ToString::to_string).collect();
        json!({ "by": by, "results": self.specs })
    }
}

impl Mode {
    /// All but the groups.
    fn save(&self) -> Value {
        match self {
            Mode::Unknown => json!({ "kind": "unknown" }),
            Mode::Running(running) => {
                json!({ "kind": "running", "clock": running.clock_ms, "tick": running.tick_ms })
            }
            Mode::Windows(_) => json!({ "kind": "windows" }),
            Mode::Slices(slices) => {
                let announced: Vec<Value> = slices.announced.iter().map(save_window).collect();
                json!({ "kind": "slices", "announced": announced })
            }
            Mode::Sessions(sessions) => json!({ "kind": "sessions", "cells": sessions.cells }),
            Mode::Counts(counts) => {
                let streams: Vec<Value> =
                    counts.streams.iter().map(|(key, stream)| json!([text(key), stream.next_start])).collect();
                json!({
                    "kind": "counts", "cells": counts.cells, "size": counts.size, "slide": counts.slide,
                    "marked": counts.is_marked,
                    "streams": streams,
                })
            }
        }
    }

    fn load(saved: &Value, sessions_max: usize) -> Option<Mode> {
        Some(match saved["kind"].as_str()? {
            "unknown" => Mode::Unknown,
            "running" => Mode::Running(Box::new(Running {
                clock_ms: saved["clock"].as_i64(),
                tick_ms: saved["tick"].as_i64(),
                ..Running::default()
            })),
            "windows" => Mode::Windows(Box::<Windows>::default()),
            "slices" => {
                let announced = saved["announced"].as_array()?.iter().map(load_window).collect::<Option<_>>()?;
                Mode::Slices(Box::new(Slices { announced, ..Slices::default() }))
            }
            "sessions" => Mode::Sessions(Box::new(Sessions::new(load_cells(&saved["cells"])?, sessions_max))),
            "counts" => {
                let (size, slide) = (saved["size"].as_i64()?, saved["slide"].as_i64()?);
                let mut counts = Counts::new(load_cells(&saved["cells"])?, size, slide, saved["marked"].as_bool()?);
                for stream in saved["streams"].as_array()? {
                    let key = stream[0].as_str()?.as_bytes().into();
                    let next_start = stream[1].as_i64()?;
                    counts.streams.insert(key, Stream { next_start, ..Stream::default() });
                }
                Mode::Counts(Box::new(counts))
            }
            _ => return None,
        })
    }
}

fn load_cells(saved: &Value) -> Option<Vec<usize>> {
    saved.as_array()?.iter().map(|cell| usize::try_from(cell.as_u64()?).ok()).collect()
}

fn save_window(window: &Window) -> Value {
    json!([window.start_ms, window.end_ms])
}

fn load_window(saved: &Value) -> Option<Window> {
    Some(Window::new(saved[0].as_i64()?, saved[1].as_i64()?))
}

/// A key: its cells are checked to be UTF-8 when the line is scanned.
fn text(key: &[u8]) -> String {
    String::from_utf8_lossy(key).into_owned()
}

fn put(to: &mut dyn Write, line: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *to, line)?;
    to.write_all(b"\n")
}

fn put_group(to: &mut dyn Write, mut line: Value, store: &Store, id: u32, job: &Job) -> io::Result<()> {
    line["key"] = text(store.key(id)).into();
    line["state"] = store.table.save(&job.plan, id as usize);
    put(to, &line)
}

fn save_running(running: &Running, job: &Job, to: &mut dyn Write) -> io::Result<()> {
    for id in running.recency.iter() {
        let at = id as usize;
        let line = json!({ "touched": running.touched_ms[at], "pending": running.pending[at] });
        put_group(to, line, &running.groups.store, id, job)?;
    }
    Ok(())
}

fn save_panes(panes: &Panes, job: &Job, to: &mut dyn Write) -> io::Result<()> {
    for (window, pane) in panes.iter() {
        for id in 0..pane.groups.len() as u32 {
            put_group(to, json!({ "window": save_window(&window) }), &pane.groups.store, id, job)?;
        }
    }
    Ok(())
}

fn save_sessions(sessions: &Sessions, job: &Job, to: &mut dyn Write) -> io::Result<()> {
    for session in sessions.open.open_sessions() {
        for id in &session.payload {
            let line = json!({ "session": save_window(&session.window), "of": text(&session.key) });
            put_group(to, line, &sessions.store, *id, job)?;
        }
    }
    Ok(())
}

fn save_counts(counts: &Counts, job: &Job, to: &mut dyn Write) -> io::Result<()> {
    for (key, stream) in &counts.streams {
        for slice in &stream.slices {
            for id in &slice.members {
                let line = json!({ "stream": text(key), "slice": [slice.start, slice.end] });
                put_group(to, line, &counts.store, *id, job)?;
            }
        }
    }
    Ok(())
}

fn damaged() -> Error {
    Error::data("the snapshot is damaged")
}

fn parse(line: &str) -> Result<Value, Error> {
    serde_json::from_str(line).map_err(|_| damaged())
}

/// Puts a saved group where it was.
fn load_group(mode: &mut Mode, line: &Value, work: &mut Work) -> Result<(), Fault> {
    let key = line["key"].as_str().ok_or_else(damaged)?.as_bytes();
    let lines = match mode {
        Mode::Unknown => return Err(damaged().into()),
        Mode::Running(running) => return load_running(running, key, line, work),
        Mode::Windows(windows) => load_pane(&mut windows.panes, key, line, work)?,
        Mode::Slices(slices) => load_pane(&mut slices.panes, key, line, work)?,
        Mode::Sessions(sessions) => load_session(sessions, key, line, work)?,
        Mode::Counts(counts) => load_slice(counts, key, line, work)?,
    };
    work.held += lines;
    Ok(())
}

/// The state of a group that was just made; returns its lines.
fn load_state(store: &mut Store, id: u32, line: &Value, work: &Work) -> Result<u64, Fault> {
    store.table.load(&work.job.plan, id as usize, &line["state"]).map_err(Error::data)?;
    Ok(store.table.lines(id as usize))
}

fn load_running(running: &mut Running, key: &[u8], line: &Value, work: &mut Work) -> Result<(), Fault> {
    let id = running.groups.find_or_insert(&work.job, key, &mut work.budget)?;
    load_state(&mut running.groups.store, id, line, work)?;
    running.adopt(id);
    running.touched_ms[id as usize] = line["touched"].as_i64().ok_or_else(damaged)?;
    let pending = line["pending"].as_u64().ok_or_else(damaged)?;
    running.restore_pending(id, pending);
    work.held += pending;
    Ok(())
}

fn load_pane(panes: &mut Panes, key: &[u8], line: &Value, work: &mut Work) -> Result<u64, Fault> {
    let window = load_window(&line["window"]).ok_or_else(damaged)?;
    let slot = panes.find(window).unwrap_or_else(|| panes.open(window));
    let pane = panes.pane_mut(slot);
    let id = pane.groups.find_or_insert(&work.job, key, &mut work.budget)?;
    let lines = load_state(&mut pane.groups.store, id, line, work)?;
    pane.lines += lines;
    Ok(lines)
}

fn load_session(sessions: &mut Sessions, key: &[u8], line: &Value, work: &mut Work) -> Result<u64, Fault> {
    let window = load_window(&line["session"]).ok_or_else(damaged)?;
    let of = line["of"].as_str().ok_or_else(damaged)?.as_bytes();
    let id = sessions.store.insert(&work.job, key, &mut work.budget)?;
    let (_, members) = sessions.open.join(of, window, Vec::new, |_, _| {}).map_err(Error::data)?;
    // Saved in the order of their keys.
    members.push(id);
    load_state(&mut sessions.store, id, line, work)
}

fn load_slice(counts: &mut Counts, key: &[u8], line: &Value, work: &mut Work) -> Result<u64, Fault> {
    let slice = load_window(&line["slice"]).ok_or_else(damaged)?;
    let of = line["stream"].as_str().ok_or_else(damaged)?.as_bytes();
    let id = counts.store.insert(&work.job, key, &mut work.budget)?;
    let lines = load_state(&mut counts.store, id, line, work)?;
    let stream = counts.streams.get_mut(of).ok_or_else(damaged)?;
    if stream.slices.back().is_none_or(|last| last.start != slice.start_ms) {
        let (start, end) = (slice.start_ms, slice.end_ms);
        stream.slices.push_back(Slice { start, end, ..Slice::default() });
    }
    if let Some(last) = stream.slices.back_mut() {
        last.lines += lines as i64;
        last.members.push(id);
    }
    Ok(lines)
}
