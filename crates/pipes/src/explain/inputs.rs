//! Rules about what comes in: sources, and foreign programs before a stage.

use crate::explain::view::{Finding, View};
use crate::facts::{Doing, Facts, Partition};
use crate::machine::stage::Stage;
use crate::words::{bytes, count, lines, short};

/// A source that gets nothing for longer, in milliseconds, although there is more.
const SILENT_MS: i64 = 10_000;

/// A transaction ends within moments; one that is open for longer, in milliseconds, is worth a sentence.
const OPEN_MS: i64 = 5_000;

/// Buffers of programs are smaller.
const BUFFER_BYTES: u64 = 1 << 20;

/// The source waits for a transaction of another program to end.
pub fn open_transaction(view: &View) -> Option<Finding> {
    let waits_at = |partition: &&Partition| match (partition.position, partition.stable_end, partition.end) {
        (Some(position), Some(stable_end), Some(end)) => position >= stable_end && stable_end < end,
        _ => false,
    };
    let (source, facts, partition, ms) = view.sources().find_map(|(source, facts)| {
        let ms = view.waits_at_least(source, Doing::Input, OPEN_MS)?;
        Some((source, facts, facts.facts.partitions.iter().find(waits_at)?, ms))
    })?;
    let (stable_end, end) = (partition.stable_end?, partition.end?);
    let text = format!(
        "{} has been waiting {} at {}, offset {stable_end}, for a transaction of another program: {} messages from there on are in it or after it",
        view.label(source),
        short(ms),
        partition.partition,
        count(end.abs_diff(stable_end))
    );
    let brokers = facts.flag(&["-b", "--brokers"]).unwrap_or("HOST:PORT");
    let mend = format!(
        "end the program that has it open, or wait for its time limit; kafka-transactions.sh --bootstrap-server {brokers} list shows it"
    );
    Some(view.finding("open-transaction", source, text).mend(mend).stuck())
}

/// There is more to read, and the source gets nothing.
pub fn source_is_silent(view: &View) -> Option<Finding> {
    let (source, lag, ms) = view.sources().find_map(|(source, facts)| {
        let lag = facts.lag().filter(|lag| *lag > 0)?;
        Some((source, lag, view.waits_at_least(source, Doing::Input, SILENT_MS)?))
    })?;
    let text = format!(
        "{} has got nothing for {}, though {} messages are left",
        view.label(source),
        short(ms),
        count(lag.unsigned_abs())
    );
    let mend = "are the brokers up, and can this machine reach them? scripts/kafka, or kafka-cat-in -c 1 on the same topic, tells";
    Some(view.finding("source-is-silent", source, text).mend(mend).stuck())
}

/// The source has read all there is.
pub fn caught_up(view: &View) -> Option<Finding> {
    let (source, facts, ms) = view.sources().find_map(|(source, facts)| {
        let ms = view.waits(source, Doing::Input)?;
        has_read_all(facts).then_some((source, facts, ms))
    })?;
    let what = match (&facts.facts.files, facts.facts.partitions.len()) {
        (Some(files), _) => format!("its files ({})", bytes(files.read_bytes.unwrap_or_default())),
        (None, 0) => "its input".to_owned(),
        (None, 1) => "its partition".to_owned(),
        (None, partitions) => format!("its {} partitions", count(partitions as u64)),
    };
    let text = format!("{} has read all of {what}, and nothing new has come for {}", view.label(source), short(ms));
    Some(view.finding("caught-up", source, text).mend("nothing here; look at what writes its input"))
}

fn has_read_all(facts: &Facts) -> bool {
    // A reader of files that waits has come to their end; without a total it follows them.
    let files =
        facts.facts.files.is_some_and(|files| files.total_bytes.is_none_or(|all| files.read_bytes >= Some(all)));
    facts.facts.caught_up.unwrap_or_else(|| files || facts.lag() == Some(0))
}

/// Nothing comes from a foreign program before the first stage.
pub fn starved(view: &View) -> Option<Finding> {
    let starved = view.ours().filter(|(_, stage, _)| !stage.is_source() && stage.depth == 0);
    starved.into_iter().find_map(|(at, stage, _)| {
        let ms = view.waits(stage, Doing::Input)?;
        let mut writers = view.pipeline.writers(at).map(|(_, writer)| writer);
        let writer = writers.next();
        if writer.is_some_and(Stage::is_ours) || view.rate_is_positive(stage) || is_inner(view, stage) {
            return None;
        }
        let label = view.label(stage);
        let (text, mend) = match writer {
            Some(writer) => {
                let name = view.label(writer);
                (
                    format!("nothing has come from {name} to {label} for {}", short(ms)),
                    unbuffered(&writer.name, &writer.words).1,
                )
            }
            None => (
                format!("nothing has come to {label} for {}", short(ms)),
                format!("look at what writes into the input of {label}"),
            ),
        };
        Some(view.finding("starved", stage, text).mend(mend))
    })
}

/// Its input is a pipe of a stage that divides lines, or that merges.
fn is_inner(view: &View, stage: &Stage) -> bool {
    view.running().any(|(_, other)| stage.input.is_some_and(|pipe| other.held.contains(&pipe.pipe)))
}

/// A foreign program has read all, works no more, and has written nothing.
pub fn foreign_keeps_back(view: &View) -> Option<Finding> {
    let foreign = view.running().filter(|(_, stage)| !stage.is_ours());
    foreign.into_iter().find_map(|(at, program)| {
        let (_, before) = view.pipeline.writers(at).find(|(_, stage)| stage.is_ours())?;
        let given = before.count(|facts| facts.bytes_out).filter(|given| *given > 0)?;
        let has_read_all = program.input.and_then(|pipe| pipe.bytes) == Some(0);
        let is_at_rest = program.now(view.now_ms).is_some_and(|now| now.doing == Doing::Input);
        if !has_read_all || !is_at_rest || !gives_nothing(view, at, before, program) {
            return None;
        }
        let of = before.count(|facts| facts.lines_out).map_or_else(|| bytes(given), lines);
        let (is_buffer, mend) = unbuffered(&program.name, &program.words);
        let is_much = given > BUFFER_BYTES;
        let why = match is_buffer {
            true if is_much => "it lets hardly any of them pass, or keeps its output back until its buffer is full",
            true => "it keeps its output back until its buffer is full",
            false => "it lets none of them pass, or keeps them",
        };
        let text =
            format!("{} has read {of} from {}, and nothing comes out: {why}", view.label(program), view.label(before));
        let mend = if is_buffer && is_much { format!("{mend}; and look at its condition") } else { mend };
        Some(view.finding("foreign-keeps-back", program, text).mend(mend).stuck_if(!(is_buffer && is_much)))
    })
}

fn gives_nothing(view: &View, at: usize, before: &Stage, program: &Stage) -> bool {
    let has_written = program.kernel.and_then(|kernel| kernel.moved).map(|moved| moved.written > 0);
    let mut readers = view.pipeline.readers(at).map(|(_, reader)| reader).filter(|reader| reader.is_running());
    let Some(reader) = readers.find(|reader| reader.is_ours()) else { return has_written == Some(false) };
    if view.waits(reader, Doing::Input).is_none() {
        return false;
    }
    let came = reader.count(|facts| facts.bytes_in);
    let gave_lately = before.rate_out().is_some_and(|rate| rate > 0.0);
    has_written == Some(false) || came == Some(0) || (gave_lately && reader.rate_in() == Some(0.0))
}

/// Whether a program is known to keep its output back, and what to do.
fn unbuffered(name: &str, words: &[String]) -> (bool, String) {
    let has = |flags: &[&str]| words.iter().any(|word| flags.contains(&word.as_str()));
    let flagged = |flags: &[&str], way: &str| match has(flags) {
        true => (false, format!("look at its condition: {name} … | head -n 1")),
        false => (true, way.to_owned()),
    };
    match name {
        "jq" | "gojq" | "jaq" => flagged(&["--unbuffered"], "jq --unbuffered"),
        "grep" | "egrep" | "fgrep" | "rg" | "ugrep" => {
            flagged(&["--line-buffered"], &format!("{name} --line-buffered"))
        }
        "sed" => flagged(&["-u", "--unbuffered"], "sed -u"),
        "awk" | "gawk" | "mawk" | "original-awk" => {
            (true, format!("fflush() after print in {name}; mawk -W interactive"))
        }
        "perl" => (true, "$| = 1; at its start".to_owned()),
        "tail" if words.iter().any(|word| word == "--retry" || is_follow(word)) => (
            false,
            "nothing, if the file that tail follows gets no lines; tail -F goes on with a file that was replaced"
                .to_owned(),
        ),
        "bash" | "sh" | "dash" | "zsh" => (
            false,
            format!("look at what {name} runs or waits for: a FIFO (mkfifo) is opened once somebody writes into it"),
        ),
        "sort" | "tac" | "wc" | "tail" | "shuf" => (
            false,
            format!(
                "{name} writes at the end of its input, and a stream has none: window, aggregate, top-n or reorder do it as lines come"
            ),
        ),
        python if python.starts_with("python") => flagged(&["-u"], "print(…, flush=True), or python3 -u"),
        "tr" | "cut" | "uniq" | "fold" | "paste" | "column" | "nl" => (true, format!("stdbuf -oL {name} …")),
        _ => (false, format!("look at {name}; where it keeps its output back, stdbuf -oL {name} … may help")),
    }
}

/// `-f`, `-F`, `-n0f`, `--follow=name`.
fn is_follow(word: &str) -> bool {
    word.starts_with("--follow") || (word.starts_with('-') && !word.starts_with("--") && word.contains(['f', 'F']))
}
