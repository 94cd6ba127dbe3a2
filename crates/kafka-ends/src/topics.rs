//! Topics: are they there, with how many partitions; made if wanted.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use millpipe::Error;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaErrorCode as Code;

use crate::context::EndContext;
use crate::failure;

/// A topic that was just made may not be known to each broker yet.
const SETTINGS_LOOKS: u32 = 40;
const SETTINGS_PAUSE: Duration = Duration::from_millis(50);

/// How many partitions a topic has.
///
/// # Errors
/// [`Code::UnknownTopicOrPartition`] when there is no such topic, and what the client says.
pub fn partition_count<C: ClientContext>(client: &Client<C>, topic: &str, timeout: Duration) -> KafkaResult<i32> {
    let metadata = client.fetch_metadata(Some(topic), timeout)?;
    let found = metadata
        .topics()
        .iter()
        .find(|found| found.name() == topic)
        .ok_or(KafkaError::MetadataFetch(Code::UnknownTopicOrPartition))?;
    match found.error() {
        Some(error) => Err(KafkaError::MetadataFetch(error.into())),
        None if found.partitions().is_empty() => Err(KafkaError::MetadataFetch(Code::LeaderNotAvailable)),
        None => Ok(i32::try_from(found.partitions().len()).unwrap_or(i32::MAX)),
    }
}

/// `PARTITIONS[:REPLICAS]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CreateSpec {
    pub partitions: i32,
    /// None: as the broker has it by default.
    pub replicas: Option<i32>,
}

impl FromStr for CreateSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            part.parse::<i32>()
                .ok()
                .filter(|n| *n > 0)
                .ok_or_else(|| format!("\"{part}\" is no number above 0: write PARTITIONS or PARTITIONS:REPLICAS"))
        };
        let (partitions, replicas) = match text.split_once(':') {
            Some((partitions, replicas)) => (partitions, Some(number(replicas)?)),
            None => (text, None),
        };
        Ok(Self { partitions: number(partitions)?, replicas })
    }
}

/// Makes topics, and asks for their settings.
pub struct TopicAdmin {
    client: AdminClient<EndContext>,
    timeout: Duration,
}

impl TopicAdmin {
    /// # Errors
    /// When the properties do not make a client.
    pub fn new(config: &ClientConfig, timeout_ms: i64) -> Result<Self, Error> {
        let client = config
            .create_with_context::<_, AdminClient<EndContext>>(EndContext::default())
            .map_err(|error| failure::error("cannot make a Kafka client", &error))?;
        Ok(Self { client, timeout: Duration::from_millis(timeout_ms.unsigned_abs()) })
    }

    /// Makes the topic; one that is there already stays as it is. False: the broker takes no topic of that name.
    ///
    /// # Errors
    /// What else the broker says.
    pub fn create(&self, topic: &str, spec: CreateSpec) -> Result<bool, Error> {
        let what = format!("cannot create topic \"{topic}\"");
        let new = NewTopic::new(topic, spec.partitions, TopicReplication::Fixed(spec.replicas.unwrap_or(-1)));
        let made = wait_for(self.client.create_topics([&new], &self.options()))
            .map_err(|error| failure::error(&what, &error))?;
        match made.into_iter().next() {
            Some(Err((_, Code::TopicAlreadyExists))) => Ok(true),
            // It is too much like another one's: a dot and an underscore are the same in names of metrics.
            Some(Err((_, Code::InvalidTopic))) => Ok(false),
            Some(Err((_, code))) => Err(failure::from_code(&what, code)),
            _ => Ok(true),
        }
    }

    /// The topic's settings by name, when we are allowed to know them.
    #[allow(clippy::disallowed_methods, reason = "what is waited for is the brokers', who tell nobody")]
    pub fn settings(&self, topic: &str) -> Option<BTreeMap<String, String>> {
        for _ in 0..SETTINGS_LOOKS {
            let asked = [ResourceSpecifier::Topic(topic)];
            let answer = wait_for(self.client.describe_configs(&asked, &self.options())).ok()?;
            match answer.into_iter().next()? {
                Ok(found) => {
                    let entries = found.entries.into_iter();
                    return Some(entries.filter_map(|entry| Some((entry.name, entry.value?))).collect());
                }
                Err(Code::UnknownTopicOrPartition) => thread::sleep(SETTINGS_PAUSE),
                Err(_) => return None,
            }
        }
        None
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new().request_timeout(Some(self.timeout)).operation_timeout(Some(self.timeout))
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The client answers admin calls with futures; here is nothing else to do meanwhile.
pub fn wait_for<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_create_spec_has_partitions_and_perhaps_replicas() {
        assert_eq!("4".parse(), Ok(CreateSpec { partitions: 4, replicas: None }));
        assert_eq!("4:3".parse(), Ok(CreateSpec { partitions: 4, replicas: Some(3) }));
        for bad in ["", "0", "a", "4:", "4:0", "-1"] {
            assert!(bad.parse::<CreateSpec>().is_err(), "{bad}");
        }
    }
}
