//! One partition's queue in the client, served many messages at a time.
//!
//! The client's own call for one message costs as much as all the rest of reading it: it looks at the clock four
//! times. Served with a callback, a message stays the client's: nothing is allocated for it, and nothing is copied
//! but into the output.
#![allow(unsafe_code)] // The client's calls for this are not among the safe ones of its wrapper.

use std::ffi::{CStr, CString, c_char, c_void};
use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::Arc;

use rdkafka::bindings::{
    rd_kafka_consume_callback, rd_kafka_get_watermark_offsets, rd_kafka_header_get_all, rd_kafka_message_headers,
    rd_kafka_message_t, rd_kafka_message_timestamp, rd_kafka_position, rd_kafka_topic_destroy, rd_kafka_topic_name,
    rd_kafka_topic_new, rd_kafka_topic_t, rd_kafka_yield,
};
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaRespErr;

use crate::context::{Bell, InContext};
use crate::value_writer::Incoming;

/// The client's property for how many messages leave its queue at a time: while we work on them, they do not count
/// as waiting there, and more is fetched.
pub(crate) const AT_A_TIME: (&str, &str) = ("consume.callback.max.messages", "128");

/// What a queue gives.
pub(crate) enum Event<'a> {
    Message(Message<'a>),
    /// All that is there was read, up to this offset.
    End(i64),
    Failed(KafkaError),
}

/// A message while it is the client's.
#[derive(Clone, Copy)]
pub(crate) struct Message<'a> {
    raw: &'a rd_kafka_message_t,
}

/// The messages of one partition.
pub(crate) struct Queue {
    topic: NonNull<rd_kafka_topic_t>,
    name: String,
    number: i32,
    /// Keeps the queue apart from the others, and the bell and the client alive.
    _own: PartitionQueue<InContext>,
    consumer: Arc<BaseConsumer<InContext>>,
}

// SAFETY: a topic's handle may be used from any thread, the client counts its uses itself.
unsafe impl Send for Queue {}
// SAFETY: as above; the client locks what it shares.
unsafe impl Sync for Queue {}

impl Queue {
    /// Takes the partition's messages out of the common queue; the bell rings when there are some. None: no such
    /// partition.
    pub fn new(consumer: &Arc<BaseConsumer<InContext>>, bell: &Arc<Bell>, topic: &str, number: i32) -> Option<Self> {
        let mut own = consumer.split_partition_queue(topic, number)?;
        let bell = Arc::clone(bell);
        own.set_nonempty_callback(move || bell.ring());
        let (name, c_name) = (topic.to_owned(), CString::new(topic).ok()?);
        // SAFETY: the client lives as long as `consumer`, the name as long as the call; no settings of its own.
        let topic = unsafe { rd_kafka_topic_new(consumer.client().native_ptr(), c_name.as_ptr(), ptr::null_mut()) };
        Some(Self { topic: NonNull::new(topic)?, name, number, _own: own, consumer: Arc::clone(consumer) })
    }

    /// Gives `each` what is there, in order, at most [`AT_A_TIME`], until it breaks off. How many it got.
    pub fn serve<F: FnMut(Event<'_>) -> ControlFlow<()>>(&self, each: F) -> usize {
        let mut serving = Serving { queue: self, each, over: false, given: 0 };
        let opaque: *mut Serving<'_, F> = &raw mut serving;
        // SAFETY: the topic's handle is ours until drop. The callback is called during this call only, in this
        // thread, with this pointer, and nobody else uses `serving` meanwhile.
        unsafe { rd_kafka_consume_callback(self.topic.as_ptr(), self.number, 0, Some(give::<F>), opaque.cast()) };
        serving.given
    }

    /// The offset behind the last message of the partition, as the last answer of the broker had it: nothing is asked.
    pub fn known_end(&self) -> Option<i64> {
        let (mut low, mut high) = (0, 0);
        let client = self.consumer.client().native_ptr();
        let name = CString::new(self.name.as_str()).ok()?;
        // SAFETY: the client is alive, the name lives as long as the call, which writes the two numbers and keeps nothing.
        unsafe { rd_kafka_get_watermark_offsets(client, name.as_ptr(), self.number, &raw mut low, &raw mut high) };
        // Before the first answer it is -1001.
        (high >= 0).then_some(high)
    }

    /// The offset behind all that was served, also behind what is no message: marks of transactions.
    pub fn position(&self) -> Option<i64> {
        let mut list = TopicPartitionList::with_capacity(1);
        let name = &self.name;
        list.add_partition(name, self.number);
        // SAFETY: client and list are alive; the call fills the list in and keeps nothing of it.
        unsafe { rd_kafka_position(self.consumer.client().native_ptr(), list.ptr()) };
        match list.find_partition(name, self.number)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by rd_kafka_topic_new, destroyed once, and the client is still there.
        unsafe { rd_kafka_topic_destroy(self.topic.as_ptr()) };
    }
}

struct Serving<'a, F> {
    queue: &'a Queue,
    each: F,
    over: bool,
    given: usize,
}

/// Called by the client for each message. A panic in it ends the process: it cannot pass through the client's frames.
unsafe extern "C" fn give<F: FnMut(Event<'_>) -> ControlFlow<()>>(raw: *mut rd_kafka_message_t, opaque: *mut c_void) {
    // SAFETY: `serve` gave this pointer, for the time of its call.
    let serving = unsafe { &mut *opaque.cast::<Serving<'_, F>>() };
    // SAFETY: the client gives a message that stays until we return.
    let raw = unsafe { &*raw };
    serving.given += 1;
    debug_assert!(!serving.over, "the client puts the rest back");
    if (serving.each)(Event::of(raw)).is_break() {
        serving.over = true;
        // SAFETY: called in the callback's thread; it makes the client put the rest back in front of its queue.
        unsafe { rd_kafka_yield(serving.queue.consumer.client().native_ptr()) };
    }
}

impl<'a> Event<'a> {
    fn of(raw: &'a rd_kafka_message_t) -> Self {
        match raw.err {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Self::Message(Message { raw }),
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__PARTITION_EOF => Self::End(raw.offset),
            error => Self::Failed(KafkaError::MessageConsumption(error.into())),
        }
    }
}

impl<'a> Message<'a> {
    /// The same message, in the client's wrapper.
    pub fn of(message: &'a BorrowedMessage<'_>) -> Self {
        // SAFETY: the wrapper keeps the message for as long as it lives, and so for 'a.
        Self { raw: unsafe { &*message.ptr() } }
    }

    /// None: a message without a value.
    #[inline]
    pub fn value(self) -> Option<&'a [u8]> {
        // SAFETY: pointer and length are the client's, of bytes that stay as long as the message.
        unsafe { bytes(self.raw.payload, self.raw.len) }
    }

    #[inline]
    pub fn key(self) -> Option<&'a [u8]> {
        // SAFETY: as for the value.
        unsafe { bytes(self.raw.key, self.raw.key_len) }
    }

    #[inline]
    pub fn offset(self) -> i64 {
        self.raw.offset
    }

    pub fn partition(self) -> i32 {
        self.raw.partition
    }

    pub fn topic(self) -> &'a str {
        // SAFETY: a message has a topic, whose name is a C string that stays as long as the topic.
        let name = unsafe { CStr::from_ptr(rd_kafka_topic_name(self.raw.rkt)) };
        // Brokers take letters, digits, dots, dashes and underscores.
        name.to_str().unwrap_or_default()
    }

    /// Milliseconds of the epoch; none, when the message has no time.
    pub fn time_ms(self) -> Option<i64> {
        // SAFETY: a message that the client gave; the kind of its time is not asked for.
        let ms = unsafe { rd_kafka_message_timestamp(self.raw, ptr::null_mut()) };
        (ms != -1).then_some(ms)
    }

    /// Names and values in the order of the message.
    pub fn headers(self) -> Headers<'a> {
        let mut list = ptr::null_mut();
        // SAFETY: a message that the client gave. The list is parsed at the first call, and belongs to the message.
        let _ = unsafe { rd_kafka_message_headers(self.raw, &raw mut list) };
        Headers { list, index: 0, message: PhantomData }
    }
}

impl Incoming for Message<'_> {
    fn topic(&self) -> &str {
        (*self).topic()
    }

    fn partition(&self) -> i32 {
        (*self).partition()
    }

    fn offset(&self) -> i64 {
        (*self).offset()
    }

    fn time_ms(&self) -> Option<i64> {
        (*self).time_ms()
    }

    fn key(&self) -> Option<&[u8]> {
        (*self).key()
    }

    #[inline]
    fn value(&self) -> Option<&[u8]> {
        (*self).value()
    }

    fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        (*self).headers()
    }
}

pub(crate) struct Headers<'a> {
    /// Null when there are none.
    list: *mut rdkafka::bindings::rd_kafka_headers_t,
    index: usize,
    message: PhantomData<&'a rd_kafka_message_t>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.list.is_null() {
            return None;
        }
        let (mut name, mut value, mut len): (*const c_char, *const c_void, usize) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the list is the message's, and stays as long as it; beyond its end the client says so.
        let found =
            unsafe { rd_kafka_header_get_all(self.list, self.index, &raw mut name, &raw mut value, &raw mut len) };
        if found != RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        self.index += 1;
        // SAFETY: a name is a C string, a value so many bytes; both stay as long as the message.
        let (name, value) = unsafe { (CStr::from_ptr(name), bytes(value.cast_mut(), len)) };
        // Kafka's clients take text only.
        Some((name.to_str().unwrap_or("\u{fffd}"), value))
    }
}

/// # Safety
/// `start` is null, or `len` bytes from there can be read for as long as 'a.
unsafe fn bytes<'a>(start: *mut c_void, len: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: what the caller promises.
    Some(unsafe { slice::from_raw_parts(start.cast(), len) })
}
