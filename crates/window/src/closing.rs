//! When a watermark mark is due: where it closes a window that has lines.

use event_time::Windowing;
use serde_json::{Value, json};

/// Follows the ends of the windows that lines were put into.
///
/// `aggregate` closes windows by marks, so one must stand right behind the line that moves the watermark past the end
/// of an open window: a later line may be late for that window and not for another one of the same slice.
#[derive(Clone, Debug)]
pub(crate) struct Closing {
    /// A watermark from here on closes something.
    due_ms: i64,
    /// The latest end of a window with lines.
    last_end_ms: i64,
}

/// Nothing is open.
const NEVER: i64 = i64::MAX;

impl Closing {
    pub(crate) fn new() -> Self {
        Self { due_ms: NEVER, last_end_ms: i64::MIN }
    }

    /// A line is put into windows that are open; these are the ends of the first and of the last of them.
    pub(crate) fn open(&mut self, first_end_ms: i64, last_end_ms: i64) {
        self.due_ms = self.due_ms.min(first_end_ms - 1);
        self.last_end_ms = self.last_end_ms.max(last_end_ms);
    }

    /// Whether a mark is due at this watermark.
    #[inline]
    pub(crate) fn is_due(&self, watermark_ms: i64) -> bool {
        watermark_ms >= self.due_ms
    }

    /// The watermark that closes something next.
    pub(crate) fn due_at(&self) -> Option<i64> {
        Some(self.due_ms).filter(|due_ms| *due_ms != NEVER)
    }

    /// The mark was written. Every window ends where a slice does: the next one is due at the end of the slice that is
    /// now the first open one.
    pub(crate) fn written(&mut self, watermark_ms: i64, windowing: &mut Windowing) {
        self.due_ms =
            if self.last_end_ms > watermark_ms + 1 { windowing.slice_of(watermark_ms + 1).end_ms - 1 } else { NEVER };
    }

    pub(crate) fn snapshot(&self) -> Value {
        json!([self.due_ms, self.last_end_ms])
    }

    pub(crate) fn restore(value: &Value) -> Option<Self> {
        Some(Self { due_ms: value.get(0)?.as_i64()?, last_end_ms: value.get(1)?.as_i64()? })
    }
}
