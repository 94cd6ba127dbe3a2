//! Where partitions end, transactions that are not finished included.
//!
//! A client that reads only what is committed is told the end of that by its wrapper's calls. What was committed just
//! now may lie behind it: brokers answer a commit before its markers are in the partitions.
#![allow(unsafe_code)] // The client's call for this is not among the safe ones of its wrapper.

use std::ptr::{self, NonNull};
use std::slice;
use std::time::Duration;

use kafka_ends::group_offsets::{Place, list};
use rdkafka::bindings::{
    rd_kafka_AdminOptions_destroy, rd_kafka_AdminOptions_new, rd_kafka_AdminOptions_set_request_timeout,
    rd_kafka_ListOffsets, rd_kafka_ListOffsets_result_infos, rd_kafka_ListOffsetsResultInfo_topic_partition,
    rd_kafka_admin_op_t, rd_kafka_event_ListOffsets_result, rd_kafka_event_destroy, rd_kafka_event_error,
    rd_kafka_event_t, rd_kafka_queue_destroy, rd_kafka_queue_new, rd_kafka_queue_poll,
};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};

use crate::context::InContext;

/// The offsets behind the last message of each partition, whether it is committed or not, in one question.
///
/// # Errors
/// What the client says of the question or of one of the partitions.
pub fn high_watermarks(
    consumer: &BaseConsumer<InContext>,
    places: &[Place],
    timeout: Duration,
) -> KafkaResult<Vec<i64>> {
    let answer = Answer::to(consumer, &list(places, Offset::End)?, timeout)?;
    let said = answer.offsets()?;
    let find = |(topic, number): &Place| {
        let found = said.iter().find(|said| said.number == *number && said.topic == *topic);
        found.map(|said| said.offset).ok_or(KafkaError::OffsetFetch(Code::UnknownPartition))
    };
    places.iter().map(find).collect()
}

struct Said {
    topic: String,
    number: i32,
    offset: i64,
}

/// The client's answer, ours to destroy.
struct Answer(NonNull<rd_kafka_event_t>);

impl Answer {
    fn to(consumer: &BaseConsumer<InContext>, asked: &TopicPartitionList, timeout: Duration) -> KafkaResult<Self> {
        let client = consumer.client().native_ptr();
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the client and the list are alive. Options and queue are made here and destroyed once; the client
        // copies the list and the options, and holds the queue itself for as long as it may answer.
        let event = unsafe {
            let options = rd_kafka_AdminOptions_new(client, rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS);
            rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ptr::null_mut(), 0);
            let queue = rd_kafka_queue_new(client);
            rd_kafka_ListOffsets(client, asked.ptr(), options, queue);
            let event = rd_kafka_queue_poll(queue, timeout_ms);
            rd_kafka_queue_destroy(queue);
            rd_kafka_AdminOptions_destroy(options);
            event
        };
        NonNull::new(event).map(Self).ok_or(KafkaError::OffsetFetch(Code::OperationTimedOut))
    }

    fn offsets(&self) -> KafkaResult<Vec<Said>> {
        let event = self.0.as_ptr();
        // SAFETY: the event is alive.
        if let Some(error) = failed(unsafe { rd_kafka_event_error(event) }) {
            return Err(error);
        }
        let mut count = 0;
        // SAFETY: it answers that question, and so has such a result; the array of pointers lives as long as the event.
        let infos = unsafe {
            let result = rd_kafka_event_ListOffsets_result(event);
            let infos = rd_kafka_ListOffsets_result_infos(result, &raw mut count);
            if infos.is_null() { &[] } else { slice::from_raw_parts(infos, count) }
        };
        let said = infos.iter().map(|info| {
            // SAFETY: so do what the pointers lead to, and the name of the topic, which is a C string.
            let (place, topic) = unsafe {
                let place = &*rd_kafka_ListOffsetsResultInfo_topic_partition(*info);
                (place, std::ffi::CStr::from_ptr(place.topic))
            };
            let topic = topic.to_string_lossy().into_owned();
            Ok(Said { topic, number: place.partition, offset: answered(place.err, place.offset)? })
        });
        said.collect()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // SAFETY: ours, and destroyed once.
        unsafe { rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}

fn failed(error: RDKafkaRespErr) -> Option<KafkaError> {
    (error != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| KafkaError::OffsetFetch(error.into()))
}

/// A partition whose broker did not answer in time has no error, and no offset.
fn answered(error: RDKafkaRespErr, offset: i64) -> KafkaResult<i64> {
    match failed(error) {
        Some(error) => Err(error),
        None if offset < 0 => Err(KafkaError::OffsetFetch(Code::OperationTimedOut)),
        None => Ok(offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_without_an_offset_is_none() {
        let no_error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR;
        assert_eq!(answered(no_error, 0), Ok(0));
        assert_eq!(answered(no_error, -1001), Err(KafkaError::OffsetFetch(Code::OperationTimedOut)));
        let moved = RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION;
        assert_eq!(answered(moved, 17), Err(KafkaError::OffsetFetch(Code::NotLeaderForPartition)));
    }
}
