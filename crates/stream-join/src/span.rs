//! When a line can be joined: its time, and until when it is kept.

use crate::job::Bound;
use crate::side::Side;

/// What is known of a line's times.
///
/// `until` is the last watermark at which a line that is not behind it can still be a partner: beyond it the line is
/// over. `time` is the line's own, or the first of its two bounds, or the start of its window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub time: i64,
    pub until: i64,
}

impl Span {
    pub const UNBOUNDED: Span = Span { time: 0, until: i64::MAX };

    /// `times` are as many as [`Bound::times`] says, the others 0.
    #[inline]
    pub fn new(bound: Bound, side: Side, times: [i64; 2]) -> Span {
        let [time, second] = times;
        let until = match (bound, side) {
            (Bound::Unbounded, _) => return Span::UNBOUNDED,
            (Bound::Keep(ms), _) => time.saturating_add(ms),
            (Bound::Within { to_ms, .. }, Side::Left) => time.saturating_add(to_ms),
            (Bound::Within { from_ms, .. }, Side::Right) => time.saturating_sub(from_ms),
            (Bound::Between(bounds), side) => {
                if bounds == side {
                    second
                } else {
                    time
                }
            }
            // A window is closed by the watermark of its last millisecond.
            (Bound::Window, _) => second - 2,
        };
        Span { time, until: until.min(i64::MAX - 1) }
    }
}

impl Bound {
    /// Whether a line comes too late: no partner can come any more, and rows that were its partners may have gone.
    #[inline]
    pub fn is_late(self, span: Span, watermark_ms: i64) -> bool {
        let last = match self {
            // Of a range that lies on one side of 0: the line may be the newest of all, and over when it comes.
            Bound::Within { .. } => span.until.max(span.time),
            _ => span.until,
        };
        last < watermark_ms
    }

    /// Whether lines of the same key are near enough. Both are not over.
    #[inline]
    pub fn joins(self, left: Span, right: Span) -> bool {
        match self {
            Bound::Unbounded | Bound::Keep(_) | Bound::Window => true,
            Bound::Within { from_ms, to_ms } => (from_ms..=to_ms).contains(&right.time.saturating_sub(left.time)),
            Bound::Between(Side::Left) => (left.time..=left.until).contains(&right.time),
            Bound::Between(Side::Right) => (right.time..=right.until).contains(&left.time),
        }
    }
}
