//! Says why a line is late.

use event_time::format_rfc3339;
use millpipe::Out;

/// Why a line is late.
#[derive(Clone, Copy, Debug)]
pub enum Late {
    /// The last line of its key has this time.
    BehindLast(i64),
    /// The lines of its key of this time have gone out.
    BehindPeers(i64),
    /// Lines as old as it are forgotten.
    MayBeForgotten,
}

/// Sends a line the way of `--late`.
#[cold]
pub fn tell_late(line: &[u8], time_ms: i64, late: Late, out: &mut Out) {
    let time = format_rfc3339(time_ms);
    let in_order = "reorder --lateness puts lines into order, --late reject keeps such lines aside";
    match late {
        Late::BehindLast(last_ms) => out.late_or_pass(
            line,
            format_args!("time {time} is late: the line before it of its key has {}", format_rfc3339(last_ms)),
            in_order,
        ),
        Late::BehindPeers(last_ms) => out.late_or_pass(
            line,
            format_args!("time {time} is late: its key has gone on from {}", format_rfc3339(last_ms)),
            in_order,
        ),
        Late::MayBeForgotten => out.late_or_pass(
            line,
            format_args!("time {time} is late: its key may be forgotten (--ttl)"),
            "a longer --ttl or --lateness remembers keys, --late reject keeps such lines aside",
        ),
    }
}
