//! The ids of topics (KIP-516): a topic that is deleted and made anew has another one, whatever its offsets are.
#![allow(unsafe_code)] // The client's call for this is not among the safe ones of its wrapper.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{CStr, CString, c_char};
use std::slice;
use std::time::Duration;

use rdkafka::bindings::{
    rd_kafka_DescribeTopics, rd_kafka_DescribeTopics_result_topics, rd_kafka_TopicCollection_destroy,
    rd_kafka_TopicCollection_of_topic_names, rd_kafka_TopicDescription_error, rd_kafka_TopicDescription_name,
    rd_kafka_TopicDescription_t, rd_kafka_TopicDescription_topic_id, rd_kafka_Uuid_base64str,
    rd_kafka_Uuid_least_significant_bits, rd_kafka_Uuid_most_significant_bits, rd_kafka_admin_op_t,
    rd_kafka_event_DescribeTopics_result,
};
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaResult;

use crate::answer::Answer;
use crate::context::InContext;

/// Ids by the topics' names, as Kafka's own tools show them.
pub(crate) type Ids = BTreeMap<String, String>;

/// The ids that these topics have now. One that is not there, or whose broker knows no ids (before Kafka 2.8), has none.
///
/// # Errors
/// When no broker answers in time.
pub(crate) fn topic_ids(
    consumer: &BaseConsumer<InContext>,
    topics: &BTreeSet<String>,
    timeout: Duration,
) -> KafkaResult<Ids> {
    let names: Vec<CString> = topics.iter().filter_map(|topic| CString::new(topic.as_str()).ok()).collect();
    let mut pointers: Vec<_> = names.iter().map(|name| name.as_ptr()).collect();
    let operation = rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
    // SAFETY: the call for this operation. The names live as long as the call; the collection has copies of them, as the
    // client has of the collection, which is destroyed once.
    let answer = unsafe {
        Answer::to(consumer, operation, timeout, |client, options, queue| {
            let asked = rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len());
            rd_kafka_DescribeTopics(client, asked, options, queue);
            rd_kafka_TopicCollection_destroy(asked);
        })
    }?;
    let mut count = 0;
    // SAFETY: the event answers that question, and so has such a result; the array of pointers lives as long as the event.
    let described = unsafe {
        let result = rd_kafka_event_DescribeTopics_result(answer.event());
        let topics = rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() { &[] } else { slice::from_raw_parts(topics, count) }
    };
    // SAFETY: so does what the pointers lead to.
    Ok(described.iter().filter_map(|topic| unsafe { id_of(*topic) }).collect())
}

/// # Safety
/// The description is alive, or the pointer null.
unsafe fn id_of(topic: *const rd_kafka_TopicDescription_t) -> Option<(String, String)> {
    // SAFETY: what the caller promises; name and id live as long as the description. The text of an id is kept in it.
    unsafe {
        if topic.is_null() || !rd_kafka_TopicDescription_error(topic).is_null() {
            return None;
        }
        let id = rd_kafka_TopicDescription_topic_id(topic);
        if (rd_kafka_Uuid_most_significant_bits(id) | rd_kafka_Uuid_least_significant_bits(id)) == 0 {
            return None;
        }
        let text =
            |start: *const c_char| (!start.is_null()).then(|| CStr::from_ptr(start).to_string_lossy().into_owned());
        Some((text(rd_kafka_TopicDescription_name(topic))?, text(rd_kafka_Uuid_base64str(id))?))
    }
}
