//! The clocks.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use protocol::Waits;

/// Processing time, in microseconds of the epoch.
pub(crate) fn now_us() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

pub(crate) fn now_ms() -> i64 {
    now_us() / 1000
}

/// Waits of a loop that begins now.
pub(crate) fn waits() -> Waits {
    Waits::new(since_start_us)
}

/// Microseconds since the first call.
fn since_start_us() -> u64 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX >> 2)
}
