//! The command line of `file-cat-in`.

use std::str::FromStr;

use millpipe::{Error, ExactlyOnceArgs, InputArgs, RunArgs};
use units::ByteSize;

use crate::content::Limits;

const EXAMPLES: &str = "\
Examples:
  Two files and all compressed ones, as one stream:
    file-cat-in clicks.ndjson log.ndjson '*.ndjson.gz' | aggregate --by key count

  A log that a program appends to and logrotate renames, from now on:
    file-cat-in --follow --from end --text log.ndjson

  Counts of each minute that survive any crash:
    file-cat-in --follow --exactly-once --state state clicks.ndjson \\
      | window --size 1m --lateness 5s --time at | aggregate --by user count | file-cat-out counts

  What has come since the last time, for cron:
    file-cat-in --exactly-once --state state-of-job --no-drain 'clicks*.ndjson' \\
      | window --size 1h --time at | aggregate --by user count | file-cat-out hourly

  Logs of several machines, read side by side with a watermark for each:
    file-cat-in --parts arguments --marks clicks.ndjson log.ndjson | window --size 10s --time at | aggregate count

Exit codes: 0 done, 1 no such file, bad data, or a file of the position is gone, 2 usage, 75 cannot read now.";

/// Read files line by line, and know after a crash where it was
///
/// Lines pass as they are, but for blank ones and a byte order mark before the first; a stage behind this one says which are no JSON. Files
/// may be compressed (gzip, zstd; told by their first bytes), also of several members or frames.
///
/// A last line without newline is a line. With --follow and with --no-drain it waits for its newline, and is a line without one
/// when its file was renamed, compressed, deleted or cut. With --no-drain also when the next run finds the file
/// unchanged, or there is a newer one of the same glob; half an object is not taken for that. What comes up to the newline later is no
/// line of its own.
///
/// --from -N counts what is a line here: also a last one without newline, which with --follow and with --no-drain waits as above; blank
/// ones only with --text. --from end begins behind the last newline.
///
/// All files are one stream, read one after the other: arguments as given, the files of a glob by name (--order time:
/// by their time). A file with several names among them is read once, in its first place, with a warning. With --follow each argument is a partition of its own, and partitions are read in turns of 64 KiB;
/// --parts chooses.
///
/// --follow goes on as `tail -F` does: through renaming (the renamed file is read to its end, then the new one; also
/// files that were renamed on top of each other meanwhile: NAME.1, NAME-20260131, and app.1.log, app-2026-01-31.log of
/// app.log; .gz and .zst too), truncation (what is left is taken
/// from a copy such as NAME.1 if there is one), deletion, and with new files of a glob. For a log that is rotated name the
/// log itself, not 'app.log*': what it becomes is found by itself.
///
/// With --exactly-once it remembers each file by its device and number, the first and the last 256 bytes that it read, and
/// the offset: so it is found again under another name, compressed or copied. A compressed file is read from its start
/// up to there. For files that were read to the end and are still there, 300 bytes each are kept in the state.
///
/// Memory: 128 KiB, and one unfinished line for each file; of a zstd file that is being read its window, 8 MiB as a rule.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "file-cat-in", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Files to read; 'a*.ndjson' in quotes is expanded here (** for all folders below), - is stdin
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,

    /// Wait for more, through rotation and truncation, until Ctrl-C
    #[arg(long)]
    pub follow: bool,

    /// Where to start: beginning, end, or -N (the last N lines of each file). For files that are there at the start; not after a restart
    #[arg(short = 'o', long, value_name = "WHERE", allow_hyphen_values = true, default_value = "beginning")]
    pub from: From,

    /// Stop after N lines
    #[arg(short = 'c', long = "lines", value_name = "N", conflicts_with = "exactly_once")]
    pub count: Option<u64>,

    /// In which order files are read
    #[arg(long, value_name = "WHAT", default_value = "name")]
    pub order: Order,

    /// What is a partition, with a watermark of its own and read in turns [default: one; with --follow: arguments]
    #[arg(long, value_name = "WHAT")]
    pub parts: Option<Parts>,

    /// Lines are text: each becomes a JSON string, empty ones too
    #[arg(long)]
    pub text: bool,

    /// Write each line with its place: {"file","offset","value"}; what is not JSON is in "value_text", what is not UTF-8
    /// in "value_base64"
    #[arg(long, conflicts_with = "text")]
    pub envelope: bool,

    /// Mark which partition lines come from, and when one has nothing to read, so that window keeps a watermark for
    /// each
    #[arg(long)]
    pub marks: bool,

    /// The largest window of a zstd file to take (zstd --long): it may need so much memory, for each file that is read
    #[arg(long, value_name = "SIZE", default_value = "2GiB", help_heading = "Limits")]
    pub zstd_window: ByteSize,

    /// What to do when a file that was not read to its end is gone after a restart
    #[arg(long, value_name = "WHAT", default_value = "stop", help_heading = "Exactly-once")]
    pub missing: Missing,

    #[command(flatten)]
    pub exactly_once: ExactlyOnceArgs,

    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

/// `--from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    Beginning,
    /// So many lines before the end of each file; 0 is the end.
    Last(u64),
}

/// `--order`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Order {
    /// Arguments as given, the files of a glob by name
    Name,
    /// By the time of the last change: app.log.2, app.log.1, app.log
    Time,
}

/// `--parts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Parts {
    /// All files are one stream
    One,
    /// Each argument, with all files of a glob
    Arguments,
    /// Each file
    Files,
}

/// `--missing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Missing {
    /// End with an error
    Stop,
    /// Warn, and go on without what was not read of it
    Skip,
}

impl FromStr for From {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "end" => Ok(Self::Last(0)),
            _ => match text.strip_prefix('-').map(str::parse) {
                Some(Ok(lines)) => Ok(Self::Last(lines)),
                _ => Err("write beginning, end or -N (the last N lines)"),
            },
        }
    }
}

impl Parts {
    fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Arguments => "arguments",
            Self::Files => "files",
        }
    }
}

impl Cli {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<(), Error> {
        if self.from == From::Last(0) && !self.follow {
            return Err(Error::usage("from the end to the end there is nothing to read").hint("say --follow"));
        }
        if self.exactly_once.exactly_once && self.files.iter().any(|file| file == "-") {
            return Err(Error::usage("stdin cannot be read again after a crash: no - with --exactly-once"));
        }
        if self.files.iter().any(String::is_empty) {
            return Err(Error::usage("a FILE without a name"));
        }
        Ok(())
    }

    pub(crate) fn limits(&self) -> Limits {
        Limits { window_bytes: self.zstd_window.as_usize() as u64 }
    }

    pub fn parts(&self) -> Parts {
        self.parts.unwrap_or(if self.follow { Parts::Arguments } else { Parts::One })
    }

    /// What a position depends on. --follow is not in it: a pipe may read what is there, and follow later.
    pub fn flags(&self) -> String {
        format!("--parts {} {}", self.parts().name(), serde_json::json!(self.files))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn cli(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["file-cat-in"].into_iter().chain(arguments.split_whitespace()))
    }

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }

    #[test]
    fn where_to_start_has_three_forms() {
        assert_eq!(cli("a").unwrap().from, From::Beginning);
        assert_eq!(cli("a -o end").unwrap().from, From::Last(0));
        assert_eq!(cli("a --from -10").unwrap().from, From::Last(10));
        for wrong in ["start", "10", "-", "-x", "+1"] {
            assert!(cli(&format!("a -o {wrong}")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_can_never_work_is_a_usage_error() {
        assert!(cli("a --from end").unwrap().check().is_err());
        assert!(cli("a --from end --follow").unwrap().check().is_ok());
        assert!(cli("- --exactly-once --state s").unwrap().check().is_err());
        assert!(cli("a --exactly-once --state s -c 5").is_err());
    }

    #[test]
    fn following_makes_each_argument_a_partition() {
        assert_eq!(cli("a b").unwrap().parts(), Parts::One);
        assert_eq!(cli("a b --follow").unwrap().parts(), Parts::Arguments);
        assert_eq!(cli("a b --parts files").unwrap().flags(), "--parts files [\"a\",\"b\"]");
    }
}
