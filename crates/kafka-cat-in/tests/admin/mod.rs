//! What happens to topics while nobody looks.
#![allow(clippy::unwrap_used)]

use std::thread;
use std::time::Duration;

use kafka_ends::wait_for;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::scene::{broker, read};

/// As retention does.
pub fn delete_before(topic: &str, partition: i32, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset)).unwrap();
    let deleted = wait_for(client().delete_records(&list, &options())).unwrap();
    deleted.elements()[0].error().unwrap();
}

/// Returns when nobody finds the topic any more.
pub fn delete(topic: &str) {
    wait_for(client().delete_topics(&[topic], &options())).unwrap().remove(0).unwrap();
    while read(&["-t", topic, "-e"]).code == Some(0) {
        thread::sleep(Duration::from_millis(50));
    }
}

/// Deletes the topic and makes it again, as fast as that goes.
pub fn make_anew(topic: &str, partitions: i32) {
    wait_for(client().delete_topics(&[topic], &options())).unwrap().remove(0).unwrap();
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    wait_for(client().create_topics([&new], &options())).unwrap().remove(0).unwrap();
}

pub fn add_partitions(topic: &str, count: usize) {
    let wanted = [NewPartitions::new(topic, count)];
    wait_for(client().create_partitions(&wanted, &options())).unwrap().remove(0).unwrap();
}

fn client() -> AdminClient<DefaultClientContext> {
    ClientConfig::new().set("bootstrap.servers", broker().address()).create().unwrap()
}

fn options() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)))
}
