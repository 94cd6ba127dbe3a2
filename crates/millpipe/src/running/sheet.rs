//! What a metrics file says, as one JSON object. `docs/monitoring.md` tells each member.

use std::time::Duration;

use protocol::{Counts, Doing, Figures, Passed, Seldom, Waited, Waits};
use serde_json::{Map, Value, json};
use time_text::format_rfc3339;

use crate::clock::now_ms;
use crate::messages;
use crate::running::accounting::Role;
use crate::running::process;
use crate::running::samples::{Sample, Samples};

/// A run as those see it who watch it.
pub struct Sheet {
    /// What does not change.
    fixed: Map<String, Value>,
    figures: Figures,
    waits: Waits,
    /// When the clock of the waits had this, in microseconds, the run began.
    began_us: u64,
    samples: Samples,
}

impl Sheet {
    /// Of a process that runs in this role, where that is known.
    pub fn new(name: &str, role: Option<Role>, figures: Figures, waits: Waits) -> Self {
        let pid = std::process::id();
        let mut fixed = Map::new();
        fixed.insert("stage".into(), name.into());
        fixed.insert("pid".into(), pid.into());
        fixed.insert("start_ticks".into(), process::start_ticks(pid).into());
        fixed.insert("started".into(), format_rfc3339(now_ms()).into());
        fixed.insert("args".into(), process::args().into());
        if let Some(role) = role {
            fixed.insert("role".into(), role.name().into());
        }
        Self { fixed, figures, began_us: waits.now_us(), waits, samples: Samples::new() }
    }

    /// The object of now; `ended` is the exit code of a process that has done all it had to.
    pub fn json(&mut self, ended: Option<u8>) -> Value {
        let (counts, held) = self.figures.counts();
        let sample = Sample {
            at: Duration::from_micros(self.waits.now_us().saturating_sub(self.began_us)),
            counts,
            waited: self.waits.so_far(),
            longest: self.waits.take_longest(),
        };
        self.samples.push(sample);
        let mut object = self.fixed.clone();
        object.insert("written".into(), format_rfc3339(now_ms()).into());
        let (doing, since) = self.waits.doing();
        object.insert("now".into(), name_of(doing).into());
        object.insert("now_ms".into(), ms(since).into());
        object.insert("longest_wait_ms".into(), self.samples.longest_ms());
        object.insert("shares".into(), self.samples.shares());
        object.insert("rates".into(), self.samples.rates());
        counts_into(&mut object, &counts, held);
        waits_into(&mut object, &sample.waited, sample.at);
        seldom_into(&mut object, self.figures.seldom());
        process_into(&mut object);
        object.insert("messages".into(), messages::last().into());
        if let Some(code) = ended {
            object.insert("ended".into(), json!({ "at": format_rfc3339(now_ms()), "code": code }));
        }
        Value::Object(object)
    }
}

fn name_of(doing: Doing) -> &'static str {
    match doing {
        Doing::Work => "work",
        Doing::WaitForInput => "input",
        Doing::WaitForOutput => "output",
        Doing::Commit => "commit",
        Doing::Pace => "pace",
    }
}

fn counts_into(object: &mut Map<String, Value>, counts: &Counts, held: u64) {
    let all = [
        ("lines_in", counts.lines_in),
        ("lines_restored", counts.restored),
        ("bytes_in", counts.bytes_in),
        ("lines_settled", counts.settled),
        ("lines_left_out", counts.left_out),
        ("lines_late", counts.late),
        ("lines_late_passed", counts.late_passed),
        ("lines_rejected", counts.rejected),
        ("lines_held", held),
        ("lines_out", counts.lines_out),
        ("bytes_out", counts.bytes_out),
    ];
    object.extend(all.map(|(name, count)| (name.to_owned(), count.into())));
}

fn waits_into(object: &mut Map<String, Value>, waited: &Waited, elapsed: Duration) {
    let all = [
        ("elapsed_ms", elapsed),
        ("wait_input_ms", waited.input),
        ("wait_output_ms", waited.output),
        ("wait_commit_ms", waited.commit),
        ("wait_pace_ms", waited.pace),
    ];
    object.extend(all.map(|(name, time)| (name.to_owned(), ms(time).into())));
}

fn seldom_into(object: &mut Map<String, Value>, seldom: Seldom) {
    let Seldom { run, shard, watermark_ms, barrier, snapshot, commit, facts, rejects } = seldom;
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    if let Some((run, hop)) = run {
        put("run", run.into());
        put("hop", hop.into());
    }
    if !shard.is_empty() {
        put("shard", shard.into());
    }
    if let Some((watermark_ms, moved_ms)) = watermark_ms {
        put("watermark", format_rfc3339(watermark_ms).into());
        put("watermark_moved", format_rfc3339(moved_ms).into());
    }
    if let Some(Passed { id, at_ms, took_ms }) = barrier {
        let mut barrier = json!({ "id": id, "at": format_rfc3339(at_ms), "latency_ms": took_ms });
        if let Some(saved) = snapshot {
            barrier["snapshot_ms"] = ms(saved.took).into();
            barrier["snapshot_bytes"] = saved.bytes.into();
        }
        put("barrier", barrier);
    }
    if let Some(Passed { id, at_ms, took_ms }) = commit {
        put("commit", json!({ "id": id, "at": format_rfc3339(at_ms), "ms": took_ms }));
    }
    put("facts", facts.into());
    put("rejects", Vec::from(rejects).into());
}

fn process_into(object: &mut Map<String, Value>) {
    let pipes = [
        ("in", process::pipe(rustix::stdio::stdin(), 0)),
        ("out", process::pipe(rustix::stdio::stdout(), 1)),
        ("rss_bytes", process::rss_bytes().map(Value::from)),
        ("cpu_ms", process::cpu_ms().map(Value::from)),
    ];
    object.extend(pipes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
