//! Messages that are handed to the client many at a time.
//!
//! The client's call for one message looks up its topic, takes the topic's lock and asks the clock twice; its call for
//! many does so once. They are copied twice, into the batch and into the client, which is the least of it.
#![allow(unsafe_code)] // The client's calls for this are not among the safe ones of its wrapper.

use std::ffi::{CString, c_void};
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::bindings::{
    RD_KAFKA_MSG_F_COPY, RD_KAFKA_MSG_F_PARTITION, rd_kafka_flush, rd_kafka_message_t, rd_kafka_produce_batch,
    rd_kafka_topic_destroy, rd_kafka_topic_new, rd_kafka_topic_t,
};
use rdkafka::producer::{BaseProducer, Producer};
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};

use crate::context::OutContext;

const MESSAGES_MAX: usize = 256;
const BYTES_MAX: usize = 64 * 1024;
/// Whoever has no partition yet gets it from the partitioner.
const ANY_PARTITION: i32 = -1;

/// The client's handle of a topic. It must be dropped before the client is.
pub struct TopicHandle {
    raw: NonNull<rd_kafka_topic_t>,
}

// SAFETY: a topic's handle may be used from any thread, the client counts its uses itself.
unsafe impl Send for TopicHandle {}

impl TopicHandle {
    /// None: the client finds no sense in the name.
    pub fn new(producer: &BaseProducer<OutContext>, topic: &str) -> Option<Self> {
        let name = CString::new(topic).ok()?;
        // SAFETY: client and name live as long as the call; no settings of its own.
        let raw = unsafe { rd_kafka_topic_new(producer.client().native_ptr(), name.as_ptr(), ptr::null_mut()) };
        NonNull::new(raw).map(|raw| Self { raw })
    }
}

impl Drop for TopicHandle {
    fn drop(&mut self) {
        // SAFETY: made by rd_kafka_topic_new, destroyed once, and its owner keeps the client until then.
        unsafe { rd_kafka_topic_destroy(self.raw.as_ptr()) };
    }
}

/// Messages for one topic, in order, with their bytes.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    messages: Vec<Message>,
    /// How many of them the client has taken.
    taken: usize,
    /// Kept for the next time.
    raw: RawMessages,
}

#[derive(Default)]
struct RawMessages(Vec<rd_kafka_message_t>);

// SAFETY: empty but for the time of one call; only its room is kept.
unsafe impl Send for RawMessages {}

struct Message {
    key: Option<Range<usize>>,
    value: Option<Range<usize>>,
    partition: i32,
}

/// A message that the client did not take.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: Code,
    pub value: Vec<u8>,
}

/// What became of a batch that was handed over.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Handed {
    /// So many are the client's now.
    pub messages: u64,
    /// These never will be.
    pub refused: Vec<Refused>,
    /// The client's buffer is full: the rest is still in the batch.
    pub is_full: bool,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Whether it is time to hand it over.
    pub fn is_full(&self) -> bool {
        self.messages.len() >= MESSAGES_MAX || self.bytes.len() >= BYTES_MAX
    }

    pub fn add(&mut self, partition: Option<i32>, key: Option<&[u8]>, value: Option<&[u8]>) {
        let key = key.map(|key| self.keep(key));
        let value = value.map(|value| self.keep(value));
        self.messages.push(Message { key, value, partition: partition.unwrap_or(ANY_PARTITION) });
    }

    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Gives the messages to the client, as far as it has room.
    pub fn hand_over(&mut self, topic: &TopicHandle) -> Handed {
        let rest = &self.messages[self.taken..];
        let to_raw = |message: &Message| {
            let (key, key_len) = place(&self.bytes, message.key.as_ref());
            let (payload, len) = place(&self.bytes, message.value.as_ref());
            rd_kafka_message_t {
                err: RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
                rkt: ptr::null_mut(),
                partition: message.partition,
                payload,
                len,
                key,
                key_len,
                offset: 0,
                _private: ptr::null_mut(),
            }
        };
        let raw = &mut self.raw.0;
        raw.clear();
        raw.extend(rest.iter().map(to_raw));
        // The batch is small: its number of messages always fits.
        let count = i32::try_from(raw.len()).unwrap_or(i32::MAX);
        let flags = RD_KAFKA_MSG_F_COPY | RD_KAFKA_MSG_F_PARTITION;
        // SAFETY: the handle is alive, and with it the client. `raw` has `count` messages, whose keys and values lie in
        // `self.bytes`, which nobody touches meanwhile; the client copies them and keeps no pointer.
        unsafe { rd_kafka_produce_batch(topic.raw.as_ptr(), ANY_PARTITION, flags, raw.as_mut_ptr(), count) };
        self.taken_note()
    }

    fn taken_note(&mut self) -> Handed {
        let mut handed = Handed::default();
        for (message, raw) in self.messages[self.taken..].iter().zip(&self.raw.0) {
            match raw.err {
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => handed.messages += 1,
                // So are all behind it.
                RDKafkaRespErr::RD_KAFKA_RESP_ERR__QUEUE_FULL => {
                    handed.is_full = true;
                    break;
                }
                error => handed.refused.push(Refused {
                    code: error.into(),
                    value: message.value.clone().map_or_else(Vec::new, |value| self.bytes[value].to_vec()),
                }),
            }
            self.taken += 1;
        }
        self.raw.0.clear();
        if self.taken == self.messages.len() {
            self.taken = 0;
            self.messages.clear();
            self.bytes.clear();
        }
        handed
    }
}

fn place(bytes: &[u8], range: Option<&Range<usize>>) -> (*mut c_void, usize) {
    match range {
        None => (ptr::null_mut(), 0),
        Some(range) => {
            let part = &bytes[range.clone()];
            (part.as_ptr().cast_mut().cast(), part.len())
        }
    }
}

/// Has the client send what lingers, and waits until all is acknowledged, at most so long.
pub fn send_now(producer: &BaseProducer<OutContext>, at_most: Duration) {
    let ms = i32::try_from(at_most.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the client is alive. It only waits: reports stay for whoever polls.
    let _ = unsafe { rd_kafka_flush(producer.client().native_ptr(), ms) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{DEFAULTS, client};
    use kafka_ends::Properties;
    use proptest::prelude::*;
    use rdkafka::producer::PurgeConfig;

    /// A client that finds no broker, and so keeps what it is given.
    fn producer(properties: &[(&str, &str)]) -> BaseProducer<OutContext> {
        let mut said = Properties::default();
        said.insert("bootstrap.servers", "127.0.0.1:1").unwrap();
        for (property, value) in properties {
            said.insert(property, value).unwrap();
        }
        client(&said.over(DEFAULTS)).unwrap()
    }

    #[test]
    fn what_the_client_has_no_room_for_stays_in_the_batch() {
        let producer = producer(&[("queue.buffering.max.messages", "3")]);
        let topic = TopicHandle::new(&producer, "t").unwrap();
        let mut batch = Batch::default();
        (0..5).for_each(|_| batch.add(None, Some(b"key"), Some(b"value")));
        assert_eq!(batch.hand_over(&topic), Handed { messages: 3, is_full: true, ..Handed::default() });
        assert_eq!(batch.hand_over(&topic), Handed { is_full: true, ..Handed::default() });
        producer.purge(PurgeConfig::default().queue().inflight());
        producer.poll(Duration::from_millis(10));
        assert!(!batch.is_empty());
        assert_eq!(batch.hand_over(&topic), Handed { messages: 2, ..Handed::default() });
        assert!(batch.is_empty());
    }

    #[test]
    fn a_message_that_is_too_large_is_given_back_and_the_others_go() {
        let producer = producer(&[("message.max.bytes", "1000")]);
        let topic = TopicHandle::new(&producer, "t").unwrap();
        let mut batch = Batch::default();
        for bytes in [10, 2000, 20] {
            batch.add(None, None, Some(&vec![b'x'; bytes]));
        }
        let handed = batch.hand_over(&topic);
        assert_eq!((handed.messages, handed.is_full), (2, false));
        assert_eq!(handed.refused, [Refused { code: Code::MessageSizeTooLarge, value: vec![b'x'; 2000] }]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn every_message_is_handed_over_or_given_back_once(
            messages in proptest::collection::vec((0_usize..1500, 0_usize..300, -1_i32..3), 1..200),
            room in 1_usize..50,
        ) {
            let producer = producer(&[("message.max.bytes", "1000"), ("queue.buffering.max.messages", &room.to_string())]);
            let topic = TopicHandle::new(&producer, "t").unwrap();
            let mut batch = Batch::default();
            for (value, key, partition) in &messages {
                let partition = (*partition >= 0).then_some(*partition);
                batch.add(partition, Some(&vec![b'k'; *key]), (*value > 0).then_some(&vec![b'v'; *value][..]));
            }
            let mut counted = 0;
            while !batch.is_empty() {
                let handed = batch.hand_over(&topic);
                // The client's own errors count too.
                prop_assert!(i32::try_from(handed.messages).unwrap() <= producer.in_flight_count());
                counted += usize::try_from(handed.messages).unwrap() + handed.refused.len();
                producer.purge(PurgeConfig::default().queue().inflight());
                while producer.in_flight_count() > 0 {
                    producer.poll(Duration::from_millis(1));
                }
            }
            prop_assert_eq!(counted, messages.len());
        }
    }
}
