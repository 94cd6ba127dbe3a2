//! What the client reports from the side: errors of its connections, which no call returns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use millpipe::Error;
use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode;

use crate::failure;

/// Collects the client's errors until somebody asks. Its log lines go nowhere: the one line that ends the
/// tool says what matters.
#[derive(Debug, Default)]
pub struct EndContext {
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    refused: Option<String>,
    unreachable: Option<String>,
    all_down: bool,
}

impl EndContext {
    /// Takes note of an error event, whoever got it.
    pub fn note(&self, code: RDKafkaErrorCode, reason: &str) {
        let mut seen = self.seen();
        if failure::is_refusal(code) {
            seen.refused.get_or_insert_with(|| brief(reason));
        } else if code == RDKafkaErrorCode::AllBrokersDown {
            seen.all_down = true;
        } else if failure::is_connection(code) {
            seen.unreachable = Some(brief(reason));
        }
    }

    /// The error to end with, when a broker has refused us: no retry helps.
    pub fn refusal(&self) -> Option<Error> {
        self.seen().refused.as_ref().map(|reason| Error::data(format_args!("the broker refused: {reason}")))
    }

    /// Whether all brokers were reported down since the last call.
    pub fn take_all_down(&self) -> bool {
        std::mem::take(&mut self.seen().all_down)
    }

    /// Why a broker could not be reached, if it was said.
    pub fn unreachable(&self) -> Option<String> {
        self.seen().unreachable.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Cuts the client's own state from the end: `…: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms in state CONNECT)`.
fn brief(reason: &str) -> String {
    let end = reason.find(" (after ").unwrap_or(reason.len());
    reason[..end].trim().to_owned()
}

impl ClientContext for EndContext {
    fn log(&self, _level: RDKafkaLogLevel, _facility: &str, _message: &str) {}

    fn stats(&self, _statistics: Statistics) {}

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code() {
            self.note(code, reason);
        }
    }
}

impl ConsumerContext for EndContext {}
