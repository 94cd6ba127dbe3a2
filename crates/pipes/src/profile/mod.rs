//! `pipes profile`: one flame graph of all stages of a pipeline.
//!
//! perf samples the processes of the stages and those that they have started. In the picture each sample stands on the stage in which it
//! was taken; the stages stand in the order of the pipe.

mod perf;
mod samples;
mod stacks;

use std::collections::BTreeMap;

use inferno::flamegraph::color::{MultiPalette, Palette};
use inferno::flamegraph::{Options, TextTruncateDirection, from_lines};
use millpipe::{Error, Fault};
use printer::Printer;

use crate::cli;
use crate::clock::pause;
use crate::export::replace;
use crate::list::look;
use crate::machine::pipeline::Pipeline;
use crate::machine::{Look, Machine};
use crate::words::{count, plain, short};
use perf::Recording;
use stacks::{Place, Stacks};

/// The default of --seconds.
const SECONDS: u32 = 10;

/// A process that a stage has started and that ends within this time, in milliseconds, is one of many: perf sees them when they begin.
const LASTS_MS: u64 = 200;

/// Runs the command.
///
/// # Errors
/// When the folder cannot be read, there is no such pipeline that runs, perf is missing, may not look at it, or sees nothing.
pub fn run(profile: &cli::Profile, to: &mut Printer) -> Result<(), Fault> {
    if profile.output.is_none() && to.is_terminal() {
        let hint = "--output FILE.svg, or > FILE.svg";
        return Err(Error::usage("a picture is not for a terminal").hint(hint).into());
    }
    let look = look(&profile.metrics, to)?;
    let pipeline = running(&look, &profile.pipeline)?;
    let machine = Machine::new(&profile.metrics.dir);
    let name = plain(&pipeline.name);
    let places = places(pipeline, &machine);
    let seconds = profile.seconds.unwrap_or(SECONDS);
    let for_time = short(i64::from(seconds).saturating_mul(1_000));
    to.note(&format!("perf looks at {} processes of {name} for {for_time}; Ctrl-C ends it sooner", places.len()));
    let (collapsed, parents) = record(&name, &places, seconds)?.stacks()?;
    let stacks = Stacks::new(&collapsed, &places, &parents);
    if stacks.is_empty() {
        let error = Error::data(format_args!("no stage of {name} has worked for {for_time}: there is nothing to draw"));
        return Err(error.hint(format_args!("pipes explain {name} says what they wait for")).into());
    }
    to.note(&stacks.summary());
    let picture = picture(&stacks, &name, &for_time)?;
    match &profile.output {
        Some(file) => replace(file, &picture).map_err(Fault::from),
        None => to.bytes(picture.as_bytes()),
    }
}

/// The pipeline that is asked for. Of several of one run it is the one that runs.
fn running<'l>(look: &'l Look, asked: &str) -> Result<&'l Pipeline, Error> {
    let chosen = look.chosen(Some(asked))?;
    chosen.into_iter().find(|pipeline| pipeline.is_running()).ok_or_else(|| {
        let hint = "pipes list shows those that run";
        Error::data(format_args!("{} has ended: there is nothing to look at", plain(asked))).hint(hint)
    })
}

/// The processes of the pipeline: its stages, and on each of them those that it has started and that last.
fn places(pipeline: &Pipeline, machine: &Machine) -> BTreeMap<u32, Place> {
    let stages = pipeline.stages.iter().enumerate().filter(|(_, stage)| stage.is_running());
    let own: BTreeMap<u32, Place> =
        stages.map(|(at, stage)| (stage.pid, Place::new(at, &pipeline.label(stage)))).collect();
    let pids = own.keys().copied().collect();
    let before = machine.descendants(&pids);
    pause(LASTS_MS);
    let lasting = machine.descendants(&pids).into_iter().filter(|(pid, _)| before.contains_key(pid));
    let children = lasting.filter_map(|(pid, child)| Some((pid, own.get(&child.of)?.clone().on(&child.name))));
    children.chain(own.clone()).collect()
}

/// perf looks at nothing when one of many processes has gone: then it is asked for the stages alone. What they start it sees anyway.
fn record(name: &str, places: &BTreeMap<u32, Place>, seconds: u32) -> Result<Recording, Error> {
    let stages = || places.iter().filter(|(_, place)| place.is_stage()).map(|(pid, _)| *pid).collect();
    let pids = [places.keys().copied().collect(), stages()];
    let made = pids.iter().find_map(|pids| Recording::make(name, pids, seconds).transpose());
    made.unwrap_or_else(|| {
        let hint = format_args!("pipes explain {name} says how; try again when it runs");
        Err(Error::data(format_args!("a stage of {name} has ended before perf looked")).hint(hint))
    })
}

/// The picture as SVG. The same samples give the same bytes.
fn picture(stacks: &Stacks, name: &str, for_time: &str) -> Result<String, Error> {
    let mut options = Options::default();
    options.title = format!("{name}: processor time of its stages");
    options.subtitle = Some(format!("{} samples in {for_time}", count(stacks.samples())));
    options.colors = Palette::Multi(MultiPalette::Rust);
    options.deterministic = true;
    options.text_truncate_direction = TextTruncateDirection::Right;
    // Others have their frames in the order of letters. It draws its lines from the last to the first.
    options.flame_chart = true;
    let (lines, mut picture) = (stacks.lines(), Vec::new());
    let drawn = from_lines(&mut options, lines.iter().rev().map(String::as_str), &mut picture);
    drawn.map_err(|error| Error::data(format_args!("the flame graph: {error}")))?;
    String::from_utf8(picture).map_err(|_| Error::data("the flame graph is not UTF-8"))
}
