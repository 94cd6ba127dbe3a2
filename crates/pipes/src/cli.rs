//! The command line of `pipes`.

use std::path::PathBuf;

use units::{DurationMs, ListenAddress};

const EXAMPLES: &str = "\
A stage keeps its metrics in a folder when MILLPIPE_METRICS=DIR is set before its pipeline starts; a folder on a tmpfs (under /run) costs
no disk. pipes reads these files, and asks the kernel what the pipes between the stages hold, which foreign programs (jq, awk) stand
between them, and who waits. It changes nothing, and a pipeline does not notice it.

A pipeline is called by its consumer group (-G), else by the last part of --state, else by its first tool and process: generate-4711.
pipes knows processes by their numbers, so it must run where the pipeline does, not in another container; as the same user, or root, it sees more.
Stages that have ended stay for ten minutes, with their exit code and last message.

Examples:
  Which pipelines are there, and what does each stage do?
    export MILLPIPE_METRICS=$PWD/metrics
    generate --lines 3000 | window --size 10s | aggregate --by key count > counts.ndjson
    pipes list

  The stages that have rejected lines, for a script:
    export MILLPIPE_METRICS=$PWD/metrics
    generate --lines 3000 | filter '.status == 200' | window --size 10s | aggregate --by key count > counts.ndjson
    pipes list --json | jq -r '.stages[] | select(.lines_rejected > 0) | .name'

  Why is nothing coming out?
    export MILLPIPE_METRICS=$PWD/metrics
    generate --lines 3000 | filter '.status < 900' | window --size 10s | aggregate --by key count > counts.ndjson
    pipes explain

  One look at all of them, as a table:
    export MILLPIPE_METRICS=$PWD/metrics
    generate --lines 3000 | window --size 10s | aggregate --by key count > counts.ndjson
    pipes top --once

  For Prometheus: a file that node_exporter reads, or a page that it fetches
    export MILLPIPE_METRICS=$PWD/metrics
    generate --lines 3000 | window --size 10s | aggregate --by key count > counts.ndjson
    pipes export --textfile millpipe.prom

  The same as a server, until Ctrl-C:
    mkdir -p metrics
    pipes listen 9469 --metrics metrics

Exit codes: 0 done, and for explain: lines flow, or there are none to wait for; 1 explain found what is stuck, the folder cannot be read, or
perf is missing or may not look; 2 usage.";

/// Look at the pipelines of this machine: what each stage does, and why nothing comes out
#[derive(clap::Parser, Debug)]
#[command(name = "pipes", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Show the pipelines and their stages
    ///
    /// For each pipeline a line with its name, its stages as they stand in the pipe, and since when it runs. Below it a line for each stage:
    /// its process, what it does now and for how long, lines for each second (in and out), how full the pipe before it is. A foreign
    /// program has no counts. Stages of a sub-pipe (shard, merge) are indented.
    List(List),

    /// Say why nothing, or so little, comes out, and what mends it
    ///
    /// For each pipeline sentences, the most likely cause first, each with a command or a flag that mends it. "stuck" marks what does
    /// not go on by itself; then the exit code is 1.
    Explain(Explain),

    /// Watch all pipelines on the screen, renewed each second
    ///
    /// A row for each stage: the parts of its time (█ it works, ▒ it waits for its reader, ▓ for a commit or its rate limit, · for input),
    /// what it does now and for how long, lines for each second in and out, MB/s, how full the pipe before it is, lines held, late and bad,
    /// bytes of state. The header of a pipeline: how long it runs, the age of its last commit, how far its time is behind the
    /// clock, the messages that its source has not read. * marks the bottleneck: from the end the first stage that works more than
    /// 80 % of the time while the one before it waits for it.
    ///
    /// Keys: up and down choose a stage, Enter shows all of it (partitions, keys, delays, errors, marks), Esc goes back; s sorts by place, busy,
    /// lines or held; / filters by name; f freezes; r switches between rates of 1s, 10s and 60s; c shows counts since the start; q ends.
    Top(Top),

    /// Measure how long lines take from the source to each stage
    ///
    /// A row for each stage with the median, the 95th and 99th percentile and the maximum; that of the sink is end to end. In an
    /// exactly-once pipeline barriers tell it: they pass the pipe in the order of lines, one a second is seen. In another one it is an
    /// estimate, ten times a second: the bytes in the pipes (and in the queue of throttle), divided by the rate at which they are
    /// read. What a stage holds back, as window and aggregate do until a window closes, is not in it.
    Latency(Latency),

    /// Draw where the stages of a pipeline spend processor time: one flame graph (SVG)
    ///
    /// perf (the package linux-perf) samples all stages at once, 99 times for each second of work, foreign programs and those that
    /// parallel-map and shard have started among them. The lowest frames are the stages, in the order of the pipe; how wide a frame is says how much
    /// time was spent in it. A stage that waits has no width: pipes explain says what for. A browser opens the picture; a click enlarges a frame.
    ///
    /// Callers are found by the tables for unwinding, which every binary has. Functions of the tools have names; those of programs
    /// that were stripped do not. Where kernel.perf_event_paranoid is above 2 only root may look.
    Profile(Profile),

    /// Write the metrics of all pipelines as text for Prometheus
    ///
    /// millpipe_lines_in_total and other counters, gauges in seconds and bytes, with the labels pipeline, stage and hop (and shard); for the
    /// 100 partitions with the most lag one line each. Labels never have keys or messages in them. 2,000 stages at most. A stage that has
    /// ended is there for ten minutes, with millpipe_stage_up 0 and its exit code. millpipe_pipeline_stuck is 1 when explain finds
    /// something stuck.
    Export(Export),

    /// Serve the metrics of all pipelines, for Prometheus to fetch
    ///
    /// A server of one page, /metrics, with what export writes; one for all pipelines of the machine. It ends at Ctrl-C and SIGTERM. The page
    /// is renewed when it is asked for, at most once a second. Requests have 2s and 8KiB; sixteen are worked on at a time.
    Listen(Listen),
}

/// Where the metrics are.
#[derive(clap::Args, Debug)]
pub struct MetricsArgs {
    /// The folder in which the stages keep their metrics
    #[arg(long = "metrics", value_name = "DIR", env = "MILLPIPE_METRICS", hide_env = false)]
    pub dir: PathBuf,
}

/// Which pipeline is asked for.
#[derive(clap::Args, Debug)]
pub struct AskedArgs {
    /// Only this pipeline: its name in pipes list, its run, or the process number of one of its stages. Without, all of them
    #[arg(value_name = "PIPELINE")]
    pub pipeline: Option<String>,
}

#[derive(clap::Args, Debug)]
pub struct List {
    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Print JSON, one object a line: one for each pipeline
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Explain {
    #[command(flatten)]
    pub asked: AskedArgs,

    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Print JSON, one object a line: one for each sentence
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Top {
    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Print one snapshot as text and end, as without a terminal
    #[arg(long)]
    pub once: bool,

    /// Print JSON, one object a line: one for each pipeline
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Latency {
    #[command(flatten)]
    pub asked: AskedArgs,

    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Look for this long
    #[arg(long = "for", value_name = "DURATION", default_value = "10s")]
    pub time: DurationMs,

    /// Print JSON, one object a line: one for each stage
    #[arg(long)]
    pub json: bool,
}

#[derive(clap::Args, Debug)]
pub struct Profile {
    /// The pipeline: its name in pipes list, its run, or the process number of one of its stages
    #[arg(value_name = "PIPELINE")]
    pub pipeline: String,

    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Look for N seconds, 10 without this flag. Ctrl-C ends it sooner
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub seconds: Option<u32>,

    /// Write the picture to FILE: a reader sees the old one or the new one. Without, to stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(clap::Args, Debug)]
pub struct Export {
    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Write to FILE, for node_exporter --collector.textfile: a reader sees the old text or the new one. Without, to stdout
    #[arg(long, value_name = "FILE")]
    pub textfile: Option<PathBuf>,

    /// Write again and again, this long after the last time
    #[arg(long, value_name = "DURATION")]
    pub interval: Option<DurationMs>,
}

#[derive(clap::Args, Debug)]
pub struct Listen {
    /// Where to listen: a port alone is on this machine only, 0.0.0.0:9469 on all of its networks
    #[arg(value_name = "ADDR")]
    pub address: ListenAddress,

    #[command(flatten)]
    pub metrics: MetricsArgs,

    /// Another name of this machine that may be asked for. localhost and addresses always may; other names are refused, so that no page
    /// of a browser reads the metrics. As often as needed
    #[arg(long, value_name = "NAME")]
    pub host: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }
}
