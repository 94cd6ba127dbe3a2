//! Questions to the brokers that the client's wrapper has no call for, and the answers while they are ours.
#![allow(unsafe_code)] // The client's calls for this are not among the safe ones of its wrapper.

use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::bindings::{
    rd_kafka_AdminOptions_destroy, rd_kafka_AdminOptions_new, rd_kafka_AdminOptions_set_request_timeout,
    rd_kafka_AdminOptions_t, rd_kafka_admin_op_t, rd_kafka_event_destroy, rd_kafka_event_error, rd_kafka_event_t,
    rd_kafka_queue_destroy, rd_kafka_queue_new, rd_kafka_queue_poll, rd_kafka_queue_t, rd_kafka_t,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};

use crate::context::InContext;

/// An answer of the client's, ours to destroy.
pub(crate) struct Answer(NonNull<rd_kafka_event_t>);

impl Answer {
    /// Asks by `ask`, and waits at most `timeout`.
    ///
    /// # Safety
    /// `ask` must ask with the client's call for `operation`, with the client, options and queue that it is given.
    ///
    /// # Errors
    /// When there is no answer in time, or it is that the question failed.
    pub unsafe fn to(
        consumer: &BaseConsumer<InContext>,
        operation: rd_kafka_admin_op_t,
        timeout: Duration,
        ask: impl FnOnce(*mut rd_kafka_t, *const rd_kafka_AdminOptions_t, *mut rd_kafka_queue_t),
    ) -> KafkaResult<Self> {
        let client = consumer.client().native_ptr();
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client is alive. Options and queue are made here and destroyed once; the client copies the options,
        // and holds the queue itself for as long as it may answer.
        let event = unsafe {
            let options = rd_kafka_AdminOptions_new(client, operation);
            rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ptr::null_mut(), 0);
            let queue = rd_kafka_queue_new(client);
            ask(client, options, queue);
            let event = rd_kafka_queue_poll(queue, timeout_ms);
            rd_kafka_queue_destroy(queue);
            rd_kafka_AdminOptions_destroy(options);
            event
        };
        let answer = NonNull::new(event).map(Self).ok_or(KafkaError::MetadataFetch(Code::OperationTimedOut))?;
        // SAFETY: the event is alive.
        match failed(unsafe { rd_kafka_event_error(event) }) {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    /// The event, for as long as the answer is there.
    pub fn event(&self) -> *mut rd_kafka_event_t {
        self.0.as_ptr()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: ours, and destroyed once.
        unsafe { rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}

/// The error that a code of the client's is, if it is one.
pub(crate) fn failed(error: RDKafkaRespErr) -> Option<KafkaError> {
    (error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| KafkaError::MetadataFetch(error.into()))
}
