//! The command line of `kafka-cat-in`.

use kafka_ends::KafkaArgs;
use millpipe::{Error, ExactlyOnceArgs, InputArgs, RunArgs};
use units::{ByteSize, DurationMs};

use crate::instance::{Instance, Sharing};
use crate::partition_set::PartitionSet;
use crate::position::{From, Until};
use crate::tag::TagName;

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

  Two topics in one pipe, each line with the name of its topic:
    kafka-cat-in -b localhost:9092 -t tweets -t clicks --tag kind

  As a member of a group, with a password from a file:
    kafka-cat-in -F client.conf -t tweets -G archive > tweets.ndjson

  A pipeline that can be killed at any moment: start it again, and nothing is lost or doubled:
    kafka-cat-in -b localhost:9092 -t tweets -G hourly --exactly-once --state hourly.state \\
      | window --size 1h | aggregate --by ticker count | kafka-cat-out -b localhost:9092 -t hourly --create 1

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
/// that was not in the pipe yet. With --exactly-once partitions are assigned by hand, and it is the sink that
/// commits their offsets, together with the results.
///
/// Memory: each partition is read ahead by up to --buffer or 20000 messages, plus one fetch (512 KiB of compressed
/// data, or one larger message): about 20 MiB. Beyond 16 partitions they share 320000 messages. -X queued.min.messages
/// says another number for each.
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

    /// Read only share I of N, counted from 1: so N pipelines side by side read everything once. Of several topics, which
    /// must have as many partitions, the partitions of one number are in one share: so lines of one key meet
    #[arg(long, value_name = "I/N", conflicts_with = "partitions")]
    pub instance: Option<Instance>,

    /// With --instance: share partitions evenly over all topics, however many these have. Lines of one key in different
    /// topics then come to different instances
    #[arg(long, requires = "instance")]
    pub spread: bool,

    /// Consumer group: its members share the partitions (unless -p or --instance says which), and it remembers offsets
    #[arg(short = 'G', long, value_name = "GROUP")]
    pub group: Option<String>,

    /// Where to start: beginning, end, stored (by the group), OFFSET, -N (the last N), a time as
    /// 2026-01-31T00:00:00Z or @1700000000, or -10m (ago). An offset outside a partition means its nearest end.
    /// With -G it is for partitions without a stored offset [default: beginning; with -G: stored, else beginning]
    #[arg(short = 'o', long, value_name = "WHERE", allow_hyphen_values = true)]
    pub from: Option<From>,

    /// Where to end: end (as it was at the start), committed (the same, but before the first transaction that was not
    /// finished), OFFSET, a time, or +5m after the time of -o (or after now). What is there is not read any more; times
    /// are the messages' Kafka timestamps. A partition that does not reach so far yet is waited for; with -e it is not
    #[arg(long, value_name = "WHERE")]
    pub until: Option<Until>,

    /// Stop at the end as it was at the start, or before it where --until says so. Transactions that were not finished then
    /// are waited for, each for up to --broker-timeout
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

    /// Put the name of its topic into each line, in front, as the string member FIELD: so several topics can share one
    /// pipe, and kafka-cat-out --topic-field takes lines apart again. A member of that name is replaced; a value that is no
    /// object is a bad line
    #[arg(long, value_name = "FIELD", conflicts_with_all = ["text", "envelope"])]
    pub tag: Option<TagName>,

    /// Mark which partition lines come from, and when one has nothing to read, so that window keeps a watermark for
    /// each. Implied by --exactly-once
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
    pub exactly_once: ExactlyOnceArgs,

    /// Name of this pipeline's transactions at the brokers: whoever begins with the same name ends the one before.
    /// The sink is told it [default: millpipe-GROUP-I, I from --instance, else 1; with -p millpipe-GROUP-pLIST]
    #[arg(long, value_name = "NAME", requires = "exactly_once", help_heading = "Exactly-once")]
    pub transactional_id: Option<String>,

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
        if self.exactly_once.exactly_once {
            self.check_exactly_once()?;
        }
        let ends_at_the_end = self.exit || matches!(self.until, Some(Until::End | Until::Committed));
        if self.from == Some(From::End) && ends_at_the_end {
            return Err(Error::usage("from the end to the end there is nothing to read"));
        }
        if !(1..=1 << 30).contains(&self.buffer.as_usize()) {
            return Err(Error::usage("--buffer must be above 0 and at most 1GiB"));
        }
        Ok(())
    }

    fn check_exactly_once(&self) -> Result<(), Error> {
        if self.group.is_none() {
            return Err(
                Error::usage("--exactly-once needs a group").hint("-G GROUP: its offsets say what is committed")
            );
        }
        if self.count.is_some() {
            return Err(Error::usage("--lines counts anew in each run, and so does not go with --exactly-once")
                .hint("-e or --until end the input"));
        }
        Ok(())
    }

    /// The group and the name of the transactions, of a pipe with checkpoints.
    pub fn names(&self) -> Option<(String, String)> {
        let group = self.group.clone().filter(|_| self.exactly_once.exactly_once)?;
        let share = match (&self.partitions, self.instance) {
            (Some(partitions), _) => format!("p{partitions}"),
            (None, Some(instance)) => instance.number.to_string(),
            (None, None) => "1".to_owned(),
        };
        let id = self.transactional_id.clone().unwrap_or_else(|| format!("millpipe-{group}-{share}"));
        Some((group, id))
    }

    /// The flags that say what is read, in one order.
    pub fn position_flags(&self) -> String {
        let mut topics = self.topics.clone();
        topics.sort();
        topics.dedup();
        let mut flags: Vec<String> = topics.iter().map(|topic| format!("--topic {topic}")).collect();
        flags.extend(self.partitions.as_ref().map(|partitions| format!("--partitions {partitions}")));
        let instance = self.instance.filter(|instance| instance.of > 1);
        flags.extend(instance.map(|instance| format!("--instance {instance}")));
        // A state without this word is of a time when there was one way of sharing, that of --spread; for one topic they are
        // the same.
        let is_one_topic = matches!(topics.as_slice(), [topic] if !topic.starts_with('^'));
        if instance.is_some() && !is_one_topic && !self.spread {
            flags.push("(partitions by number)".to_owned());
        }
        flags.join(" ")
    }

    pub fn sharing(&self) -> Sharing {
        if self.spread { Sharing::Spread } else { Sharing::ByNumber }
    }

    pub fn start(&self) -> From {
        let default = if self.group.is_some() { From::Stored } else { From::Beginning };
        self.from.clone().unwrap_or(default)
    }

    pub fn end(&self) -> Option<Until> {
        self.until.clone().or_else(|| self.exit.then_some(Until::End))
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
    fn a_pipe_with_checkpoints_needs_a_group_and_an_end_that_lasts() {
        let said = |flags: &str| cli(&format!("--exactly-once --state s {flags}")).unwrap().check();
        assert_eq!(said("").unwrap_err().message, "--exactly-once needs a group");
        assert!(said("-G g -c 5").is_err());
        assert!(said("-G g -e").is_ok());
        assert!(cli("-G g --exactly-once").is_err() && cli("-G g --transactional-id x").is_err());
        assert!(cli("--instance 1/2 -p 0").is_err());
    }

    #[test]
    fn the_same_partitions_are_the_same_flags() {
        assert_eq!(cli("-t b -t a -p 1,0").unwrap().position_flags(), "--topic a --topic b --topic t --partitions 0-1");
        assert_eq!(cli("--instance 1/1").unwrap().position_flags(), "--topic t");
        assert_eq!(cli("--instance 2/3").unwrap().position_flags(), "--topic t --instance 2/3");
        assert_eq!(cli("--instance 2/3 --spread").unwrap().position_flags(), "--topic t --instance 2/3");
        let two = |flags: &str| cli(&format!("-t a --instance 2/3 {flags}")).unwrap().position_flags();
        assert_eq!(two(""), "--topic a --topic t --instance 2/3 (partitions by number)");
        assert_eq!(two("--spread"), "--topic a --topic t --instance 2/3");
        assert!(cli("--spread").is_err());
    }

    #[test]
    fn pipelines_that_share_a_group_have_transactions_of_their_own() {
        let name = |flags: &str| cli(&format!("--exactly-once --state s -G g {flags}")).unwrap().names().unwrap().1;
        assert_eq!(name(""), "millpipe-g-1");
        assert_eq!(name("--instance 2/8"), "millpipe-g-2");
        assert_eq!(name("-p 7,0-3"), "millpipe-g-p0-3,7");
        assert_eq!(name("--transactional-id x"), "x");
        assert_eq!(cli("-G g").unwrap().names(), None);
    }

    #[test]
    fn from_the_end_to_the_end_is_a_usage_error() {
        assert!(cli("-o end -e").unwrap().check().is_err());
        assert!(cli("-o end --until committed").unwrap().check().is_err());
        assert!(cli("-o end -e --until +5m").unwrap().check().is_err());
        assert!(cli("-o end --until +5m").unwrap().check().is_ok());
    }
}
