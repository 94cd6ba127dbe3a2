//! Ends that lie in transactions of other programs, which are not finished yet: waiting for them, and for how long.
//!
//! Brokers give what is committed up to the first transaction that is not finished. A commit is answered before its marks
//! are in the partitions; so what somebody committed before we began can still look unfinished.

use kafka_ends::ATTEMPT;
use millpipe::{Error, Out};
use rdkafka::consumer::Consumer;
use units::format_duration;

use crate::client::KafkaClient;
use crate::partition::Stand;
use crate::partition_list::PartitionList;

/// A wait longer than this is told.
const TELL_AFTER_MS: i64 = 5000;

/// Waits for partitions to come to their end, where brokers give nothing more.
pub(crate) struct EndWait {
    limit_ms: i64,
    /// The offset of `--until`, where partitions may be shorter.
    until: Option<i64>,
    /// The transaction that is waited for, if it was told: a partition, and where it stands.
    told_of: Option<(usize, Stand)>,
    /// That partitions do not reach as far as `--until` was told.
    told_of_until: bool,
}

impl EndWait {
    pub fn new(limit_ms: i64, until: Option<i64>) -> Self {
        Self { limit_ms, until, told_of: None, told_of_until: false }
    }

    /// Says once that an offset of `--until` is waited for which is not there yet.
    pub fn tell_of_short_partitions(&mut self, partitions: &PartitionList, out: &mut Out) {
        let Some(until) = self.until.filter(|_| !self.told_of_until) else { return };
        let short = partitions.iter().filter_map(|p| Some((p, p.short_of(until)?)));
        let is_long = |stand: &Stand| out.now_ms().saturating_sub(stand.since_ms) >= TELL_AFTER_MS;
        let Some((partition, stand)) = short.clone().find(|(_, stand)| is_long(stand)) else { return };
        let others = match short.count() {
            1 => String::new(),
            count => format!(", {} more likewise", count - 1),
        };
        let (topic, number, offset) = (partition.topic(), partition.number(), stand.offset);
        self.told_of_until = true;
        out.warn(format_args!(
            "topic {topic}, partition {number} ends at offset {offset}{others}: waiting for --until {until}; with -e it ends \
             with what is there"
        ));
    }

    /// Says what is waited for when that takes long, and gives up when it takes too long.
    ///
    /// # Errors
    /// When a transaction is not finished in time.
    pub fn check_transactions(
        &mut self,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        out: &mut Out,
    ) -> Result<(), Error> {
        let waiting = partitions.iter().enumerate().filter_map(|(index, p)| Some((index, p.open_transaction()?)));
        let Some((index, stand)) = waiting.min_by_key(|(_, stand)| stand.since_ms) else { return Ok(()) };
        let waited_ms = out.now_ms().saturating_sub(stand.since_ms);
        let partition = partitions.get(index);
        let what = format!(
            "topic {}, partition {}: the transaction that began at offset {}",
            partition.topic(),
            partition.number(),
            stand.offset
        );
        if waited_ms >= self.limit_ms {
            return self.give_up_or_go_on(index, &what, partitions, client, out.now_ms());
        }
        if waited_ms >= TELL_AFTER_MS && self.told_of != Some((index, stand)) {
            self.told_of = Some((index, stand));
            out.warn(format_args!("{what} is not finished: waiting for it, up to {}", format_duration(self.limit_ms)));
        }
        Ok(())
    }

    /// Looks once more: it may have been we who stood still.
    fn give_up_or_go_on(
        &self,
        index: usize,
        what: &str,
        partitions: &mut PartitionList,
        client: &mut KafkaClient,
        now_ms: i64,
    ) -> Result<(), Error> {
        let partition = partitions.get_mut(index);
        let committed = match client.consumer().fetch_watermarks(partition.topic(), partition.number(), ATTEMPT) {
            Ok((_, committed)) => committed,
            Err(error) => return client.retry("cannot read", &error),
        };
        if partition.move_on(committed, now_ms) {
            return Ok(());
        }
        let limit = format_duration(self.limit_ms);
        Err(Error::temporary(format_args!("{what} is still not finished after {limit}"))
            .hint("--until committed ends before it, --broker-timeout waits longer"))
    }
}
