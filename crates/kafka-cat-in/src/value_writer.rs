//! From a message to a line.

use kafka_ends::envelope::{self, Envelope};
use millpipe::Out;

use crate::cli::Cli;
use crate::tag::Tagger;
use crate::value::{Checker, write_json, write_text};

/// A message that becomes a line.
pub trait Incoming {
    fn topic(&self) -> &str;
    fn partition(&self) -> i32;
    fn offset(&self) -> i64;
    /// Milliseconds of the epoch; none, when the message has no time.
    fn time_ms(&self) -> Option<i64>;
    fn key(&self) -> Option<&[u8]>;
    /// None: a message without a value.
    fn value(&self) -> Option<&[u8]>;
    /// Names and values in the order of the message.
    fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)>;
}

/// What a line is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Json,
    Text,
    Envelope,
}

/// Writes the values of messages as lines.
pub struct ValueWriter {
    form: Form,
    line_bytes_max: usize,
    checker: Checker,
    tagger: Option<Tagger>,
    /// Messages without a value, which were left out.
    tombstones: u64,
}

impl ValueWriter {
    /// Takes the flags that say what a line is.
    #[must_use]
    pub fn new(cli: &Cli) -> Self {
        let form = match (cli.envelope, cli.text) {
            (true, _) => Form::Envelope,
            (false, true) => Form::Text,
            (false, false) => Form::Json,
        };
        Self {
            form,
            line_bytes_max: cli.input.max_line.as_usize(),
            checker: Checker::default(),
            tagger: cli.tag.as_ref().map(Tagger::new),
            tombstones: 0,
        }
    }

    /// Returns true, and counts it, if the message gives no line.
    pub fn leaves_out(&mut self, message: &impl Incoming) -> bool {
        let is_left_out = message.value().is_none() && self.form != Form::Envelope;
        self.tombstones += u64::from(is_left_out);
        is_left_out
    }

    /// Returns how many messages without a value were left out.
    #[must_use]
    pub fn tombstones(&self) -> u64 {
        self.tombstones
    }

    /// Writes the line, or sends the value the way of bad ones. True: it was written.
    pub fn write(&mut self, message: &impl Incoming, out: &mut Out) -> bool {
        let bytes = message.value().unwrap_or_default();
        let written = match self.form {
            _ if bytes.len() > self.line_bytes_max => Err(format!("a value longer than {} bytes", self.line_bytes_max)),
            Form::Json => match &mut self.tagger {
                Some(tagger) => tagger.write(bytes, message.topic(), out.buffer()),
                None => write_json(bytes, &mut self.checker, out.buffer()),
            },
            Form::Text => write_text(bytes, out.buffer()),
            Form::Envelope => {
                write_envelope(message, out.buffer());
                Ok(())
            }
        };
        match written {
            Ok(()) => {
                out.end_line();
                true
            }
            Err(why) => {
                let (topic, partition, offset) = (message.topic(), message.partition(), message.offset());
                out.bad(format_args!("topic {topic}, partition {partition}, offset {offset}"), why, bytes);
                false
            }
        }
    }
}

fn write_envelope(message: &impl Incoming, out: &mut Vec<u8>) {
    let envelope = Envelope {
        topic: message.topic(),
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.time_ms(),
        key: message.key(),
        value: message.value(),
    };
    envelope::write(&envelope, message.headers(), out);
}
