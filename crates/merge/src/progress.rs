//! How far one input has come in time.

use std::collections::BTreeMap;

use event_time::{StreamTime, TimeSettings};
use millpipe::{Error, Mark, MarkKind};
use serde_json::{Value, json};

/// The watermark of an input, and whether it holds the others back.
pub struct Progress {
    pub time: StreamTime,
    pub has_ended: bool,
    idle_ms: i64,
    /// Its partitions, by their marks: whether there is nothing to read, and never again.
    parts: BTreeMap<String, Part>,
    /// From then on it holds nothing back, if all its partitions are idle still.
    free_at_ms: Option<i64>,
    is_free: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Live,
    Idle,
    Over,
}

impl Progress {
    pub fn new(settings: TimeSettings) -> Self {
        Self {
            idle_ms: settings.idle_ms,
            time: StreamTime::new(settings),
            has_ended: false,
            parts: BTreeMap::new(),
            free_at_ms: None,
            is_free: false,
        }
    }

    /// No line of it has an earlier time; none when it holds nothing back.
    pub fn reached_ms(&self) -> Option<i64> {
        let holds = !self.has_ended && !self.is_free;
        holds.then(|| self.time.watermark_ms().unwrap_or(i64::MIN))
    }

    /// A mark; false if it is none about time.
    ///
    /// # Errors
    /// A broken one.
    pub fn mark(&mut self, mark: &Mark, now_ms: i64) -> Result<bool, Error> {
        let is_about_time = self.time.mark(mark, now_ms)?.is_some();
        let part = match mark.kind() {
            MarkKind::From => Some(Part::Live),
            MarkKind::Idle if mark.is_final() => Some(Part::Over),
            MarkKind::Idle => Some(Part::Idle),
            _ => None,
        };
        if let Some(part) = part {
            self.parts.insert(mark.part()?.to_owned(), part);
        }
        self.look_at_parts(now_ms);
        Ok(is_about_time)
    }

    fn look_at_parts(&mut self, now_ms: i64) {
        let are_idle = !self.parts.is_empty() && self.parts.values().all(|part| *part != Part::Live);
        if !are_idle {
            (self.free_at_ms, self.is_free) = (None, false);
        } else if self.parts.values().all(|part| *part == Part::Over) {
            (self.free_at_ms, self.is_free) = (None, true);
        } else if !self.is_free && self.free_at_ms.is_none() {
            self.free_at_ms = Some(now_ms.saturating_add(self.idle_ms));
        }
    }

    pub fn wake_at(&self) -> Option<i64> {
        [self.time.wake_at(), self.free_at_ms].into_iter().flatten().min()
    }

    /// The clock has moved on.
    pub fn wake(&mut self, now_ms: i64) {
        let _moved = self.time.wake(now_ms);
        if self.free_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            (self.free_at_ms, self.is_free) = (None, true);
        }
    }

    pub fn snapshot(&self) -> Value {
        let parts: BTreeMap<&String, u8> = self.parts.iter().map(|(name, part)| (name, *part as u8)).collect();
        json!({ "time": self.time.snapshot(), "parts": parts, "free_at_ms": self.free_at_ms, "free": self.is_free })
    }

    pub fn restore(&mut self, value: &Value) -> Option<()> {
        self.time.restore(value.get("time")?).then_some(())?;
        for (name, part) in value.get("parts")?.as_object()? {
            let part = match part.as_u64()? {
                0 => Part::Live,
                1 => Part::Idle,
                _ => Part::Over,
            };
            self.parts.insert(name.clone(), part);
        }
        self.free_at_ms = value.get("free_at_ms")?.as_i64();
        self.is_free = value.get("free")?.as_bool()?;
        Some(())
    }
}
