//! What the client calls us with: errors, and what became of each message.

use std::sync::{Mutex, PoisonError};

use kafka_ends::EndContext;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::ProducerContext;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode as Code;

/// What a message counts for when it is acknowledged: a line is one line, a rejected one of another stage is none.
pub const LINE: usize = 1;
pub const LETTER: usize = 0;

#[derive(Debug, Default)]
pub struct OutContext {
    pub end: EndContext,
    deliveries: Mutex<Deliveries>,
}

/// What became of messages since the last look.
#[derive(Debug, Default)]
pub struct Deliveries {
    /// Acknowledged.
    pub messages: u64,
    /// Lines among them.
    pub lines: u64,
    pub failed: u64,
    /// The first failure's reason.
    pub reason: Option<Code>,
    /// Topic and value of messages that the broker found too large.
    pub too_large: Vec<(String, Vec<u8>)>,
}

impl OutContext {
    pub fn take_deliveries(&self) -> Deliveries {
        std::mem::take(&mut *self.deliveries.lock().unwrap_or_else(PoisonError::into_inner))
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
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, kind: usize) {
        let mut deliveries = self.deliveries.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(_) => {
                deliveries.messages += 1;
                deliveries.lines += kind as u64;
            }
            Err((error, message)) if error.rdkafka_error_code() == Some(Code::MessageSizeTooLarge) => {
                let value = message.payload().unwrap_or_default().to_vec();
                deliveries.too_large.push((message.topic().to_owned(), value));
            }
            Err((error, _)) => {
                deliveries.failed += 1;
                deliveries.reason = deliveries.reason.or(error.rdkafka_error_code());
            }
        }
    }
}
