//! What the client calls us with: errors, and messages that could not be delivered.

use std::sync::{Mutex, PoisonError};

use kafka_ends::EndContext;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode as Code;

#[derive(Debug, Default)]
pub struct OutContext {
    pub end: EndContext,
    failures: Mutex<Failures>,
}

/// Messages that could not be delivered, since the last look. Only they are reported.
#[derive(Debug, Default)]
pub struct Failures {
    pub failed: u64,
    /// The first failure's reason.
    pub reason: Option<Code>,
    /// Topic and value of messages that the broker found too large.
    pub too_large: Vec<(String, Vec<u8>)>,
}

impl OutContext {
    pub fn take_failures(&self) -> Failures {
        std::mem::take(&mut *self.failures.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ClientContext for OutContext {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

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
            failures.failed += 1;
            failures.reason = failures.reason.or(error.rdkafka_error_code());
        }
    }
}
