//! The command line of `kafka-cat-in`.

use kafka_ends::KafkaArgs;
use millpipe::{Error, InputArgs, RunArgs};
use units::{ByteSize, DurationMs};

use crate::partition_set::PartitionSet;
use crate::position::{From, Until};

const EXAMPLES: &str = "\
Examples:
  A whole topic as it is now, one value per line:
    kafka-cat-in -b localhost:9092 -t tweets -e

  The last ten messages of each partition with key, headers and offsets, then wait for more:
    kafka-cat-in -b localhost:9092 -t tweets -o -10 --envelope

  Windows over a topic, with a watermark for each partition:
    kafka-cat-in -b localhost:9092 -t tweets -e --marks | window --size 1h | aggregate --by ticker count

  One hour of the past:
    kafka-cat-in -b localhost:9092 -t tweets -o 2026-03-01T12:00:00Z --until +1h

  As a member of a group, with a password from a file:
    kafka-cat-in -F client.conf -t tweets -G archive > tweets.ndjson

Exit codes: 0 done, 1 bad data, no such topic or wrong password, 2 usage, 75 no broker answers.";

/// Read Kafka topics, one message value per line
///
/// Values are JSON; one that spans lines is put on one line, any other keeps its bytes. A value that is not JSON is
/// a bad line (or any text, with --text). Messages without a value (tombstones) are left out; -v counts them. Of
/// transactions only what is committed is read (-X isolation.level=read_uncommitted for all).
///
/// The order is Kafka's within a partition, and none between partitions. Without -G the partitions are those that
/// the topics have at the start. With -G and without -p the group's members share the partitions; offsets are
/// committed only after the lines were written to the pipe: after a crash lines can come twice, and none is lost
/// that was not in the pipe yet.
///
/// Memory: each partition is read ahead by up to --buffer or 5000 messages, plus one fetch (512 KiB of compressed
/// data, or one larger message): about 10 MiB.
#[derive(clap::Parser)]
#[command(name = "kafka-cat-in", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub kafka: KafkaArgs,

    /// Topic to read, several times for several topics; ^REGEX for all topics whose name matches
    #[arg(short, long = "topic", value_name = "TOPIC", required = true)]
    pub topics: Vec<String>,

    /// Read only these partitions, as 0-3,7
    #[arg(short, long, value_name = "LIST")]
    pub partitions: Option<PartitionSet>,

    /// Consumer group: its members share the partitions (unless -p says which), and it remembers offsets
    #[arg(short = 'G', long, value_name = "GROUP")]
    pub group: Option<String>,

    /// Where to start: beginning, end, stored (by the group), OFFSET, -N (the last N), a time as
    /// 2026-01-31T00:00:00Z or @1700000000, or -10m (ago). An offset outside a partition means its nearest end.
    /// With -G it is for partitions without a stored offset [default: beginning; with -G: stored, else beginning]
    #[arg(short = 'o', long, value_name = "WHERE", allow_hyphen_values = true)]
    pub from: Option<From>,

    /// Where to end: end (as it was at the start), OFFSET, a time, or +5m after the time of -o (or after now).
    /// What is there is not read any more; times are the messages' Kafka timestamps
    #[arg(long, value_name = "WHERE", conflicts_with = "exit")]
    pub until: Option<Until>,

    /// Stop at the end as it was at the start
    #[arg(short, long)]
    pub exit: bool,

    /// Stop after N lines
    #[arg(short = 'c', long = "lines", value_name = "N")]
    pub count: Option<u64>,

    /// Values are text: each becomes a JSON string
    #[arg(long)]
    pub text: bool,

    /// Write whole messages: topic, partition, offset, timestamp, key, headers, value. kafka-cat-out --envelope takes
    /// them back. What is not UTF-8 is in "…_base64", a value that is not JSON in "value_text"
    #[arg(long, conflicts_with = "text")]
    pub envelope: bool,

    /// Mark which partition lines come from, and when one has nothing to read, so that window keeps a watermark for
    /// each
    #[arg(long)]
    pub marks: bool,

    /// Do not read a partition that is ahead of the slowest one by more than this, by Kafka timestamps
    #[arg(long, value_name = "DURATION")]
    pub align: Option<DurationMs>,

    /// Read each partition ahead by up to SIZE
    #[arg(long, value_name = "SIZE", default_value = "4MiB", help_heading = "Running")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

impl Cli {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<(), Error> {
        if self.from == Some(From::Stored) && self.group.is_none() {
            return Err(Error::usage("-o stored needs a group").hint("-G GROUP"));
        }
        if self.from == Some(From::End) && (self.exit || self.until == Some(Until::End)) {
            return Err(Error::usage("from the end to the end there is nothing to read"));
        }
        if !(1..=1 << 30).contains(&self.buffer.as_usize()) {
            return Err(Error::usage("--buffer must be above 0 and at most 1GiB"));
        }
        Ok(())
    }

    pub fn start(&self) -> From {
        let default = if self.group.is_some() { From::Stored } else { From::Beginning };
        self.from.clone().unwrap_or(default)
    }

    pub fn end(&self) -> Option<Until> {
        if self.exit { Some(Until::End) } else { self.until.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn cli(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["kafka-cat-in", "-t", "t"].into_iter().chain(arguments.split_whitespace()))
    }

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }

    #[test]
    fn positions_that_begin_with_a_minus_are_values() {
        assert_eq!(cli("-o -5").unwrap().start(), From::Last(5));
        assert_eq!(cli("--from -10m -e").unwrap().start(), From::Ago(600_000));
        assert_eq!(cli("-o-5").unwrap().start(), From::Last(5));
    }

    #[test]
    fn a_group_starts_where_it_stopped() {
        assert_eq!(cli("-G g").unwrap().start(), From::Stored);
        assert_eq!(cli("").unwrap().start(), From::Beginning);
        assert!(cli("-o stored").unwrap().check().is_err());
    }

    #[test]
    fn from_the_end_to_the_end_is_a_usage_error() {
        assert!(cli("-o end -e").unwrap().check().is_err());
        assert!(cli("-o end --until +5m").unwrap().check().is_ok());
    }
}
