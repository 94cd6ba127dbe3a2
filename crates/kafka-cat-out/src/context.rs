//! What the client calls us with: errors, and messages that could not be delivered.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use kafka_ends::{EndContext, failure};
use millpipe::Error;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode as Code;

/// Which of the client's log lines say that a connection was lost; those of `debug` [`LOG_CONNECTIONS`] do so each time.
const CONNECTION_LOST: &str = "FAIL";
pub const LOG_CONNECTIONS: &str = "broker";

#[derive(Debug, Default)]
pub struct OutContext {
    pub end: EndContext,
    failures: Mutex<Failures>,
    /// A connection was lost since the last look.
    has_lost_one: AtomicBool,
}

/// Messages that could not be delivered, since the last look. Only they are reported.
#[derive(Debug, Default)]
pub struct Failures {
    pub failed: u64,
    /// The first of them that failed for a reason of its own, if there is one.
    pub first: Option<Failure>,
    /// Topic and value of messages that the broker found too large.
    pub too_large: Vec<(String, Vec<u8>)>,
}

/// A message that could not be delivered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    topic: String,
    partition: i32,
    bytes: usize,
}

impl Failure {
    /// The error to end with.
    pub fn error(&self) -> Error {
        let Self { code, topic, partition, bytes } = self;
        if !failure::is_permanent(*code) {
            return failure::from_bare_code(*code);
        }
        let what = format!("topic \"{topic}\", partition {partition}: the broker refused a message of {bytes} bytes");
        let error = failure::from_code(what, *code);
        match code {
            Code::InvalidRecord => error.hint(
                "a compacted topic takes no message without a key (--key FIELD); a broker that knows a schema, only what fits",
            ),
            Code::InvalidTimestamp => error.hint(
                "the topic's message.timestamp.after.max.ms and message.timestamp.before.max.ms say how far from the \
                 broker's clock a time may be",
            ),
            _ => error,
        }
    }

    /// It only was in one batch or transaction with another one that failed.
    fn is_by_another(&self) -> bool {
        matches!(self.code, Code::InvalidDifferentRecord | Code::PurgeQueue | Code::PurgeInflight)
    }
}

impl Failures {
    fn take_note(&mut self, failure: Failure) {
        self.failed += 1;
        if self.first.as_ref().is_none_or(|first| first.is_by_another() && !failure.is_by_another()) {
            self.first = Some(failure);
        }
    }
}

impl OutContext {
    /// Whether a connection was lost since the last call, as far as the client's events were served.
    pub fn take_lost_connection(&self) -> bool {
        self.has_lost_one.swap(false, Ordering::Relaxed)
    }

    pub fn take_failures(&self) -> Failures {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for OutContext {
    /// The client says it nowhere else: what it asked over the lost connection it asks again by itself, and that is no error.
    fn log(&self, _level: RDKafkaLogLevel, facility: &str, _message: &str) {
        if facility == CONNECTION_LOST {
            self.has_lost_one.store(true, Ordering::Relaxed);
        }
    }

    fn stats(&self, _statistics: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.end.note(code, reason);
        }
    }
}

impl ProducerContext for OutContext {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Err((error, message)) = result else { return };
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        if error.rdkafka_error_code() == Some(Code::MessageSizeTooLarge) {
            let value = message.payload().unwrap_or_default().to_vec();
            failures.too_large.push((message.topic().to_owned(), value));
        } else {
            failures.take_note(Failure {
                code: error.rdkafka_error_code().unwrap_or(Code::Unknown),
                topic: message.topic().to_owned(),
                partition: message.partition(),
                bytes: message.payload_len() + message.key_len(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millpipe::Exit;

    fn failure(code: Code) -> Failure {
        Failure { code, topic: "t".to_owned(), partition: 3, bytes: 12 }
    }

    #[test]
    fn the_first_message_with_a_reason_of_its_own_is_told() {
        let mut failures = Failures::default();
        let codes = [Code::InvalidDifferentRecord, Code::InvalidRecord, Code::PurgeQueue, Code::InvalidTimestamp];
        codes.into_iter().for_each(|code| failures.take_note(failure(code)));
        assert_eq!((failures.failed, failures.first), (4, Some(failure(Code::InvalidRecord))));
    }

    #[test]
    fn what_is_refused_for_good_is_said_with_its_place_and_ends_with_1() {
        let error = failure(Code::InvalidTimestamp).error();
        assert!(
            error.message.starts_with("topic \"t\", partition 3: the broker refused a message of 12 bytes: "),
            "{error}"
        );
        assert_eq!(error.exit, Exit::Data);
        assert_eq!(failure(Code::MessageTimedOut).error().exit, Exit::Temporary);
    }
}
