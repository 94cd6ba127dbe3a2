//! The families of metrics: their names, kinds and words, and where their values come from.

use crate::facts::{Facts, LongestWaits};
use crate::machine::stage::Stage;

/// A family of which each stage has one value at most.
pub struct Family {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
    pub value: fn(&Stage, &Facts) -> Option<f64>,
}

/// How a value behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, and begins at 0 with the process.
    Counter,
    Gauge,
}

impl Kind {
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

const fn counter(name: &'static str, help: &'static str, value: fn(&Stage, &Facts) -> Option<f64>) -> Family {
    Family { name, kind: Kind::Counter, help, value }
}

const fn gauge(name: &'static str, help: &'static str, value: fn(&Stage, &Facts) -> Option<f64>) -> Family {
    Family { name, kind: Kind::Gauge, help, value }
}

fn float(count: Option<u64>) -> Option<f64> {
    count.map(|count| count as f64)
}

fn seconds(ms: Option<i64>) -> Option<f64> {
    ms.map(|ms| ms as f64 / 1_000.0)
}

fn spent(ms: Option<u64>) -> Option<f64> {
    float(ms).map(|ms| ms / 1_000.0)
}

/// Families of running stages.
pub const OF_STAGES: [Family; 33] = [
    counter("millpipe_lines_in_total", "Lines that the stage has read.", |_, f| float(f.lines_in)),
    counter("millpipe_lines_out_total", "Lines that the stage has written.", |_, f| float(f.lines_out)),
    counter("millpipe_bytes_in_total", "Bytes that the stage has read.", |_, f| float(f.bytes_in)),
    counter("millpipe_bytes_out_total", "Bytes that the stage has written.", |_, f| float(f.bytes_out)),
    counter("millpipe_lines_settled_total", "Lines whose effect is in the output.", |_, f| float(f.lines_settled)),
    counter("millpipe_lines_restored_total", "Lines that came from the state.", |_, f| float(f.lines_restored)),
    counter("millpipe_lines_left_out_total", "Lines that the stage was to leave out.", |_, f| float(f.lines_left_out)),
    counter("millpipe_lines_late_total", "Lines that came too late.", |_, f| float(f.lines_late)),
    counter("millpipe_lines_late_passed_total", "Late lines that passed.", |_, f| float(f.lines_late_passed)),
    counter("millpipe_lines_rejected_total", "Bad lines.", |_, f| float(f.lines_rejected)),
    counter("millpipe_cpu_seconds_total", "Processor time of the stage.", |_, f| spent(f.cpu_ms)),
    counter("millpipe_run_seconds_total", "Time since the stage began.", |_, f| spent(f.elapsed_ms)),
    gauge("millpipe_lines_held", "Lines that the stage holds back now.", |_, f| float(f.lines_held)),
    gauge("millpipe_start_timestamp_seconds", "When the stage began.", |stage, _| seconds(stage.started_ms())),
    gauge("millpipe_metrics_timestamp_seconds", "When the stage wrote its metrics.", |stage, _| {
        seconds(Some(stage.written_ms))
    }),
    gauge("millpipe_watermark_timestamp_seconds", "How far event time has come.", |_, f| seconds(f.time_ms())),
    gauge("millpipe_barrier_latency_seconds", "From the source to the stage, of the last barrier.", |_, f| {
        spent(f.barrier.as_ref()?.latency_ms)
    }),
    gauge("millpipe_snapshot_seconds", "How long the last snapshot took.", |_, f| {
        spent(f.barrier.as_ref()?.snapshot_ms)
    }),
    gauge("millpipe_snapshot_bytes", "The size of the last snapshot.", |_, f| {
        float(f.barrier.as_ref()?.snapshot_bytes)
    }),
    gauge("millpipe_commit_timestamp_seconds", "When results were last committed.", |_, f| {
        seconds(f.commit.as_ref()?.at)
    }),
    gauge("millpipe_commit_seconds", "How long the last commit took.", |_, f| spent(f.commit.as_ref()?.ms)),
    gauge("millpipe_pipe_bytes", "Bytes in the pipe before the stage.", |stage, _| float(stage.input?.bytes)),
    gauge("millpipe_pipe_size_bytes", "The size of the pipe before the stage.", |stage, _| float(stage.input?.size)),
    gauge("millpipe_memory_bytes", "Memory of the stage.", |_, f| float(f.rss_bytes)),
    gauge("millpipe_keys", "Keys in the state.", |_, f| float(f.facts.keys)),
    gauge("millpipe_state_bytes", "Bytes of state in memory.", |_, f| float(f.facts.state_bytes)),
    gauge("millpipe_spilled_bytes", "Bytes of state on disk.", |_, f| float(f.facts.spilled_bytes)),
    gauge("millpipe_open_windows", "Windows that have not ended.", |_, f| float(f.facts.open_windows)),
    gauge("millpipe_next_end_timestamp_seconds", "When the next window ends, in event time.", |_, f| {
        seconds(f.facts.next_end)
    }),
    gauge("millpipe_queue_lines", "Lines in the queue.", |_, f| float(f.facts.queue_lines)),
    gauge("millpipe_queue_bytes", "Bytes in the queue.", |_, f| float(f.facts.queue_bytes)),
    gauge("millpipe_lag_messages", "Messages that the source has not read.", |_, f| f.lag().map(|lag| lag as f64)),
    gauge("millpipe_behind_seconds", "How far the source is behind the newest message.", |_, f| seconds(f.behind_ms())),
];

/// What a stage may wait for, as the label `for`.
pub const WAITS: [&str; 4] = ["input", "output", "commit", "pace"];

/// The time that a stage has waited, by what for.
pub fn waited(facts: &Facts) -> [Option<f64>; 4] {
    [facts.wait_input_ms, facts.wait_output_ms, facts.wait_commit_ms, facts.wait_pace_ms].map(spent)
}

/// The longest single waits of the last minute, by what for.
pub fn longest(facts: &Facts) -> [Option<f64>; 4] {
    let LongestWaits { input, output, commit, pace } = facts.longest_wait_ms;
    [input, output, commit, pace].map(spent)
}
