//! One walk over every flag of every tool.

use std::collections::BTreeMap;

use clap::{Arg, Command};
use manual::{for_all, page, tools};

/// Flags whose help is in each tool's own words, and the one thing that they mean in all of them.
const OWN_WORDS: [(&str, &str); 42] = [
    ("--batch", "how much goes together: so many lines, in decompose all there are"),
    ("--between", "the two ends of a range"),
    ("--buffer", "how much may wait in memory"),
    ("--by", "the fields that make the key"),
    ("command", "the program that is run, and its arguments"),
    ("--compress", "how parts or files are compressed"),
    ("--dead-letter", "where rejected lines are kept, in the same commit"),
    ("--emit", "when results are written"),
    ("--envelope", "a line is a value with all that is known of it"),
    ("--every", "how far apart two marks, or two steps of a series, are"),
    ("--interval", "a span: of time between two commits, or of what is expected"),
    ("--jobs", "how much is worked on at the same time"),
    ("--keep", "what is kept: which lines of a key, for how long, or where"),
    ("--kind", "what becomes of a line without a partner"),
    ("--lines", "how many lines there are at most"),
    ("--max-keys", "the most keys that are kept"),
    ("--memory", "about how much memory is taken before lines or keys go to disk"),
    ("--metrics", "the folder of the metrics of stages: one writes into it, pipes reads it"),
    ("--on", "what must be equal on both sides"),
    ("--order", "what comes first"),
    ("--ordered", "the order of lines matters"),
    ("--output", "where the output is or goes"),
    ("--overflow", "what happens at a limit"),
    ("pipeline", "the pipeline that is looked at"),
    ("--plain", "lines without marks about time"),
    ("--rate", "how many lines go in a time"),
    ("--retries", "how often a command that failed is given the same again"),
    ("--seed", "what random choices start from"),
    ("--shards", "how many shards there are"),
    ("--spill-dir", "the folder on disk for what is beyond --memory"),
    ("--table", "rows and columns: a file of them, or those to draw"),
    ("--tag", "the member for the name of where a line is from"),
    ("--text", "lines or values need not be JSON"),
    ("--time", "the field with the time of a line"),
    ("--time-unit", "what a number in that field counts"),
    ("--timeout", "the longest that a command may take"),
    ("--topic", "the Kafka topic"),
    ("--ttl", "after how long without a line a key is forgotten"),
    ("--value", "the field with the number that is worked with"),
    ("--verbose", "more is told on stderr"),
    ("--window", "by the window that window wrote into the lines"),
    ("--within", "how near in time lines are that have to do with each other"),
];

/// Names of values that are numbers of something countable: no unit is missing there.
const COUNTS: [&str; 1] = ["--last"];

#[test]
fn every_flag_of_every_tool_has_a_help() {
    for_all(flags(), |(tool, flag)| match flag.get_help() {
        Some(help) if help.to_string().len() > 10 => Ok(()),
        _ => Err(format!("{tool} {}: no help", name(&flag))),
    });
}

#[test]
fn every_tool_says_what_it_is_and_shows_examples() {
    for_all(tools(), |tool| {
        let about = tool.get_about().map(ToString::to_string).unwrap_or_default();
        if about.is_empty() || about.lines().count() > 1 {
            return Err(format!("{}: its first line is not one line: {about:?}", tool.get_name()));
        }
        if page::examples(&tool).len() < 2 {
            return Err(format!("{}: fewer than two examples in its help", tool.get_name()));
        }
        Ok(())
    });
}

/// `10` for a time or a size means seconds to one reader and milliseconds to another.
#[test]
fn a_time_or_a_size_has_a_unit() {
    let timed = ["DURATION", "SIZE", "STEP", "AGE", "GAP", "RATE", "INTERVAL"];
    for_all(flags(), |(tool, flag)| {
        let values: Vec<String> = flag.get_value_names().unwrap_or_default().iter().map(ToString::to_string).collect();
        let is_timed = values.iter().any(|value| timed.iter().any(|t| value.contains(t)));
        if !is_timed || COUNTS.contains(&name(&flag).as_str()) {
            return Ok(());
        }
        let default = flag.get_default_values().first().map(|v| v.to_string_lossy().into_owned());
        if default.is_some_and(|default| default.chars().all(|c| c.is_ascii_digit())) {
            return Err(format!("{tool} {}: its default has no unit", name(&flag)));
        }
        if takes(&tool, &flag, "7") {
            return Err(format!("{tool} {}: takes 7, without a unit", name(&flag)));
        }
        Ok(())
    });
}

#[test]
fn a_number_without_a_unit_counts_something() {
    for_all(flags(), |(tool, flag)| {
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default().to_lowercase();
        let default = flag.get_default_values().first().map(|v| v.to_string_lossy().into_owned());
        let is_number = default.is_some_and(|default| default.parse::<f64>().is_ok());
        let speaks_of_time = ["seconds", "milliseconds", "minutes", " bytes"].iter().any(|unit| help.contains(unit));
        if is_number && speaks_of_time && flag.get_action().takes_values() {
            return Err(format!("{tool} {}: a bare number for a time or a size", name(&flag)));
        }
        Ok(())
    });
}

#[test]
fn a_flag_means_the_same_in_every_tool() {
    let mut seen: BTreeMap<String, (String, String)> = BTreeMap::new();
    for_all(flags(), |(tool, flag)| {
        let meaning = format!("{:?} {}", flag.get_value_names().map(|v| v.to_vec()), first_sentence(&flag));
        let (other, first) = seen.entry(name(&flag)).or_insert_with(|| (tool.clone(), meaning.clone()));
        if *first == meaning || OWN_WORDS.iter().any(|(own, _)| *own == name(&flag)) {
            return Ok(());
        }
        let hint = "another name, a group of flags that both take, or a line in OWN_WORDS of this test";
        Err(format!("{} is\n  {first} in {other}, and\n  {meaning} in {tool}\n  hint: {hint}", name(&flag)))
    });
}

#[test]
fn a_short_flag_stands_for_the_same_long_one_in_every_tool() {
    let mut seen: BTreeMap<char, String> = BTreeMap::new();
    for_all(flags(), |(tool, flag)| {
        // -n is how many, of whatever a tool counts.
        let Some(short) = flag.get_short().filter(|short| *short != 'n') else { return Ok(()) };
        let long = seen.entry(short).or_insert_with(|| name(&flag));
        if *long == name(&flag) { Ok(()) } else { Err(format!("{tool}: -{short} is {} and {long}", name(&flag))) }
    });
}

fn flags() -> Vec<(String, Arg)> {
    let mut flags = Vec::new();
    for mut tool in tools() {
        tool.build();
        let all = std::iter::once(&tool).chain(page::subcommands(&tool)).flat_map(Command::get_arguments);
        let own = all.filter(|arg| !["help", "version"].contains(&arg.get_id().as_str()));
        flags.extend(own.map(|arg| (tool.get_name().to_owned(), arg.clone())));
    }
    flags
}

fn name(flag: &Arg) -> String {
    flag.get_long().map_or_else(|| flag.get_id().to_string(), |long| format!("--{long}"))
}

/// Returns the first sentence: the rest may differ by tool.
fn first_sentence(flag: &Arg) -> String {
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    let end = help.find([';', '.', ':']).unwrap_or(help.len());
    help[..end].to_owned()
}

/// True when the flag alone is taken with this value: everything else that is asked for is made optional.
fn takes(tool: &str, flag: &Arg, value: &str) -> bool {
    let Some(long) = flag.get_long() else { return false };
    let alone = flag.clone().required(false);
    let command = Command::new("alone").no_binary_name(true).arg(alone);
    let taken = command.try_get_matches_from([format!("--{long}={value}")]);
    match taken {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind(), clap::error::ErrorKind::ValueValidation, "{tool} --{long}={value}: {error}");
            false
        }
    }
}
