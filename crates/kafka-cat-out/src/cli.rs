//! The command line of `kafka-cat-out`.

use json_fields::FieldPath;
use kafka_ends::{CreateSpec, KafkaArgs};
use millpipe::{CheckedArgs, Error, InputArgs, RunArgs};
use units::ByteSize;

const EXAMPLES: &str = "\
Examples:
  Lines to a topic, those with the same user in the same partition:
    kafka-cat-out -b localhost:9092 -t clicks --key user < clicks.ndjson

  A topic that may not be there yet, with 4 partitions:
    gunzip -c tweets.ndjson.gz | kafka-cat-out -b localhost:9092 -t tweets --create 4 --key ticker

  Each line to the topic that it names, those that name none to another:
    kafka-cat-out -b localhost:9092 --topic-field .route -t clicks < lines.ndjson

  Several topics through one pipe, and each line back to the copy of its topic:
    kafka-cat-in -b one:9092 -t tweets -t clicks -e --tag kind \\
      | kafka-cat-out -b two:9092 --topic-field kind --drop-topic-field --create 4

  The end of a pipeline that can be killed at any moment; lines that window rejects or that come late are kept:
    kafka-cat-in -b localhost:9092 -t clicks -G counts --exactly-once --state counts.state \\
      | window --size 10s --late reject | aggregate --by user count \\
      | kafka-cat-out -b localhost:9092 -t counts --create 1 --key user --dead-letter clicks-bad

  An identical copy of a topic:
    kafka-cat-in -b one:9092 -t clicks -e --envelope | kafka-cat-out -b two:9092 -t clicks --envelope

Exit codes: 0 every message was acknowledged, 1 a bad line, no such topic or wrong password, 2 usage, 75 some
messages were not acknowledged (how many is said), or no broker answers.";

/// Write lines to Kafka topics, one message per line
///
/// A message's value is the line, byte by byte. Messages are acknowledged by all replicas (acks=all), written once
/// in spite of retries (idempotence) and compressed (lz4); the order of lines is kept within a partition. Marks in
/// the input are swallowed. A line that is not JSON, or a message that its topic does not take, is a bad line: too large
/// (sizes count before compression), without a key where the topic is compacted, or with a time too far from now.
///
/// Lines wait for Kafka in a buffer of a few thousand messages for each partition, and of at most --buffer; when it is
/// full, reading stops until there is room.
///
/// In a pipeline whose source has --exactly-once, each interval is one transaction, which also holds the source's
/// offsets: readers that read only what is committed see each result once, whatever was killed in between.
#[derive(clap::Parser)]
#[command(name = "kafka-cat-out", version, after_help = EXAMPLES)]
pub struct Cli {
    #[command(flatten)]
    pub kafka: KafkaArgs,

    /// Topic to write to; with --topic-field, for lines without that field
    #[arg(short, long, value_name = "TOPIC", required_unless_present_any = ["topic_field", "envelope"])]
    pub topic: Option<String>,

    /// The message's key: of a string its text, of a number, true or false what the line says; no key where the field is
    /// missing or null; an object or array is a bad line
    #[arg(long, value_name = "FIELD")]
    pub key: Option<FieldPath>,

    /// The topic that a line goes to; where it is missing or null, that of --topic, without which the line is bad
    #[arg(long, value_name = "FIELD")]
    pub topic_field: Option<FieldPath>,

    /// Take the field of --topic-field out of the line: the message does not have it
    #[arg(long, requires = "topic_field")]
    pub drop_topic_field: bool,

    /// The partition that a line goes to; where it is missing or null, the partitioner decides
    #[arg(long, value_name = "FIELD")]
    pub partition_field: Option<FieldPath>,

    /// The message's headers: an object of names and values, or an array of {"name":…,"value":…}
    #[arg(long, value_name = "FIELD")]
    pub headers: Option<FieldPath>,

    /// Lines are whole messages, as kafka-cat-in --envelope writes them: key, headers, timestamp, partition and value
    /// are taken from there; the topic too, without -t. Without "partition" the partitioner decides
    #[arg(long, conflicts_with_all = ["key", "topic_field", "partition_field", "headers"])]
    pub envelope: bool,

    /// Keep rejected lines of all stages in this topic, as {"by","why","at","line"}: bad ones, those that cannot be written,
    /// and late ones with --late reject. For pipelines with --exactly-once, in the same transaction as the results; else use --rejects.
    /// A line too large for a message of this topic is cut, and "line_bytes" says how long it was
    #[arg(long, value_name = "TOPIC", help_heading = "Exactly-once")]
    pub dead_letter: Option<String>,

    /// Name of this pipeline's transactions at the brokers: whoever begins with the same name ends the one before.
    /// [default: what kafka-cat-in says; behind another source millpipe-DIR, DIR being the state folder]
    #[arg(long, value_name = "NAME", help_heading = "Exactly-once")]
    pub transactional_id: Option<String>,

    /// Create topics that do not exist, with this many partitions and replicas (default: the broker's)
    #[arg(long, value_name = "PARTITIONS[:REPLICAS]")]
    pub create: Option<CreateSpec>,

    /// How keys choose partitions; the default is what Java producers do
    #[arg(long, value_name = "NAME", default_value = "murmur2_random",
        value_parser = ["murmur2_random", "murmur2", "consistent_random", "consistent", "fnv1a_random", "fnv1a", "random"])]
    pub partitioner: String,

    /// How much may wait for Kafka before reading stops; and no more than 2500 messages for each partition, or 30000 if that
    /// is more. Brokers that are far away may want more: -X queue.buffering.max.messages=100000
    #[arg(long, value_name = "SIZE", default_value = "64MiB", help_heading = "Running")]
    pub buffer: ByteSize,

    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub checked: CheckedArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

impl Cli {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<(), Error> {
        if !(1 << 20..=1 << 40).contains(&self.buffer.0) {
            return Err(Error::usage("--buffer must be between 1MiB and 1TiB"));
        }
        if self.drop_topic_field && !self.topic_field.as_ref().is_some_and(FieldPath::is_top_level) {
            return Err(Error::usage("--drop-topic-field takes out a member of the line itself, not one inside it"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn cli(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["kafka-cat-out"].into_iter().chain(arguments.split_whitespace()))
    }

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lines_need_a_topic_from_somewhere() {
        assert!(cli("").is_err());
        assert!(cli("-t t").is_ok() && cli("--topic-field a").is_ok() && cli("--envelope").is_ok());
    }

    #[test]
    fn only_a_member_of_the_line_itself_is_dropped() {
        assert!(cli("--topic-field .a --drop-topic-field").unwrap().check().is_ok());
        assert!(cli("--topic-field .a.b --drop-topic-field").unwrap().check().is_err());
        assert!(cli("-t t --drop-topic-field").is_err());
    }

    #[test]
    fn an_envelope_says_everything_itself() {
        assert!(cli("--envelope --key a").is_err());
        assert!(cli("-t t --envelope").is_ok());
    }

    #[test]
    fn an_unknown_partitioner_is_refused() {
        assert!(cli("-t t --partitioner md5").is_err());
    }
}
