//! Messages on their way: what the client says happened to them, and the end of a run that went wrong.

use std::fmt::Display;
use std::time::Duration;

use millpipe::{Error, Fault, Out};
use rdkafka::error::KafkaResult;
use rdkafka::producer::BaseProducer;

use crate::context::OutContext;
use crate::counts::DeliveryCounts;
use crate::producer::KafkaProducer;

/// After an error: how many looks what was sent before may still take.
const LAST_LOOKS: u32 = 5000;
/// How long one look takes where we wait for the last acknowledgement: it is told at once.
const FLUSH_LOOK: Duration = Duration::from_millis(5);
/// The same, where there is only nothing more to read.
const REST_LOOK: Duration = Duration::from_millis(1);
const TOO_LARGE: &str = "too large for the broker";

/// The messages that the client has taken, and the client.
pub(crate) struct InFlight {
    producer: KafkaProducer,
    counts: DeliveryCounts,
    /// The topic that is asked for while no broker answers.
    topic: Option<String>,
    /// A failure was found here, and ends the run.
    has_failed: bool,
}

impl InFlight {
    pub fn new(producer: KafkaProducer, topic: Option<String>) -> Self {
        Self { producer, counts: DeliveryCounts::default(), topic, has_failed: false }
    }

    /// Returns the client, to give it messages and to ask brokers.
    pub fn producer(&mut self) -> &mut KafkaProducer {
        &mut self.producer
    }

    pub fn counts(&mut self) -> &mut DeliveryCounts {
        &mut self.counts
    }

    /// Returns how many lines are neither delivered nor refused yet.
    pub fn held(&self) -> u64 {
        self.counts.held()
    }

    /// Returns how many messages wait for acknowledgement, and how many events for being served.
    pub fn len(&self) -> i32 {
        self.producer.in_flight_count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn is_transactional(&self) -> bool {
        self.producer.is_transactional()
    }

    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Serves the client's events, and looks at what they say.
    ///
    /// # Errors
    /// Stop: nothing can be delivered.
    pub fn poll(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.producer.poll();
        self.look(out)
    }

    /// The same, after a little while.
    ///
    /// # Errors
    /// As [`InFlight::poll`].
    pub fn wait(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.producer.wait();
        self.look(out)
    }

    /// Sends what lingers, and looks for a moment at what happens to it.
    ///
    /// # Errors
    /// As [`InFlight::poll`].
    pub fn send_now(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.producer.send_now(REST_LOOK);
        self.look(out)
    }

    /// Returns when all is acknowledged. Nothing lingers meanwhile.
    ///
    /// # Errors
    /// As [`InFlight::poll`].
    pub fn flush(&mut self, out: &mut Out) -> Result<(), Fault> {
        while !self.is_empty() {
            self.producer.send_now(FLUSH_LOOK);
            self.producer.serve();
            self.look(out)?;
        }
        Ok(())
    }

    /// Looks at what the client has reported, and whether there still is a broker.
    ///
    /// # Errors
    /// As [`InFlight::poll`].
    pub fn look(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.count(out)?;
        match self.producer.trouble(self.topic.as_deref()) {
            Some(error) => Err(self.fail(error, out)),
            None => Ok(()),
        }
    }

    /// Takes note of what is acknowledged, and of failures. A failure ends the run, and here is its reason: what is called
    /// after it only says that something failed before.
    fn count(&mut self, out: &mut Out) -> Result<(), Fault> {
        let failures = self.producer.take_failures();
        self.counts.add_failed(failures.failed + failures.too_large.len() as u64);
        self.settle(out);
        for (topic, value) in failures.too_large {
            if self.is_transactional() {
                let error = Error::data(format_args!("{}: {TOO_LARGE}", named(&topic, &value)));
                return Err(self.fail(error.hint("max.message.bytes of the topic says how large one may be"), out));
            }
            self.refuse(&topic, &value, TOO_LARGE, out);
        }
        match failures.first {
            Some(first) if !self.has_failed => Err(self.fail(first.error(), out)),
            _ => Ok(()),
        }
    }

    fn settle(&mut self, out: &mut Out) {
        if self.counts.acknowledge(u64::try_from(self.len()).unwrap_or(0)) {
            self.producer.answered();
        }
        if self.is_transactional() {
            return;
        }
        let lines = self.counts.settle_acknowledged();
        if lines > 0 {
            out.settle(lines);
        }
    }

    /// A line's message was taken, and will never be delivered: the line is a bad one.
    pub fn refuse(&mut self, topic: &str, value: &[u8], why: impl Display, out: &mut Out) {
        self.counts.add_refused();
        out.bad(named(topic, value), why, value);
    }

    /// Ends a run that went wrong. A transaction is aborted; otherwise waits a little for what is under way, and
    /// says how much is not there.
    pub fn fail(&mut self, error: Error, out: &mut Out) -> Fault {
        if std::mem::replace(&mut self.has_failed, true) {
            return error.into();
        }
        if self.is_transactional() {
            let error = self.producer.fatal_error().unwrap_or(error);
            self.producer.abort_epoch();
            return error.into();
        }
        self.drain_briefly(out);
        let message =
            format!("{} of {} messages not acknowledged: {}", self.counts.held(), self.counts.lines(), error.message);
        Error { message, ..error }.into()
    }

    /// Waits a little for what is under way, and drops the rest.
    pub fn drain_briefly(&mut self, out: &mut Out) {
        for _ in 0..LAST_LOOKS {
            // Nobody will answer any more: waiting is in vain.
            if self.is_empty() || self.producer.is_silent() {
                break;
            }
            self.wait_and_count(out);
        }
        self.producer.purge();
        self.wait_and_count(out);
    }

    /// Where the run ends anyway: a failure is only told.
    fn wait_and_count(&mut self, out: &mut Out) {
        self.producer.wait();
        if let Err(fault) = self.count(out) {
            out.fail(fault);
        }
    }

    /// Begins the transaction of the next epoch.
    ///
    /// # Errors
    /// As [`InFlight::transact`].
    pub fn begin_epoch(&mut self, out: &mut Out) -> Result<(), Fault> {
        let begun = self.producer.begin_epoch(out);
        begun.map_err(|error| self.fail(error, out))
    }

    /// Makes a call for a transaction until it has succeeded, or there is no use in it.
    ///
    /// # Errors
    /// Stop: the epoch is lost, and aborted.
    pub fn transact(
        &mut self,
        what: &str,
        out: &mut Out,
        call: impl FnMut(&BaseProducer<OutContext>, Duration) -> KafkaResult<()>,
    ) -> Result<(), Fault> {
        let done = self.producer.transact(what, out, call);
        done.map_err(|error| self.fail(error, out))
    }

    /// All lines are committed.
    pub fn settle_all(&mut self, out: &mut Out) {
        out.settle(self.counts.settle_all());
    }
}

fn named(topic: &str, value: &[u8]) -> String {
    format!("a message of {} bytes for topic \"{topic}\"", value.len())
}
