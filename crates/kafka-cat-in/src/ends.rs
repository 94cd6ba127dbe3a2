//! Where partitions end, transactions that are not finished included.
//!
//! A client that reads only what is committed is told the end of that by its wrapper's calls. What was committed just
//! now may lie behind it: brokers answer a commit before its markers are in the partitions.
#![allow(unsafe_code)] // The client's call for this is not among the safe ones of its wrapper.

use std::slice;
use std::time::Duration;

use kafka_ends::group_offsets::{Place, list};
use rdkafka::bindings::{
    rd_kafka_ListOffsets, rd_kafka_ListOffsets_result_infos, rd_kafka_ListOffsetsResultInfo_topic_partition,
    rd_kafka_admin_op_t, rd_kafka_event_ListOffsets_result,
};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};

use crate::answer::{Answer, failed};
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
    let said = offsets(&ask(consumer, &list(places, Offset::End)?, timeout)?)?;
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

fn ask(consumer: &BaseConsumer<InContext>, asked: &TopicPartitionList, timeout: Duration) -> KafkaResult<Answer> {
    // SAFETY: the call for this operation. The list is alive, and the client copies it.
    unsafe {
        Answer::to(consumer, rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_LISTOFFSETS, timeout, |client, options, queue| {
            rd_kafka_ListOffsets(client, asked.ptr(), options, queue);
        })
    }
}

fn offsets(answer: &Answer) -> KafkaResult<Vec<Said>> {
    let mut count = 0;
    // SAFETY: the event answers that question, and so has such a result; the array of pointers lives as long as the event.
    let infos = unsafe {
        let result = rd_kafka_event_ListOffsets_result(answer.event());
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
        assert_eq!(answered(moved, 17), Err(KafkaError::MetadataFetch(Code::NotLeaderForPartition)));
    }
}
