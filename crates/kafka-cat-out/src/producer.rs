//! The client: its events, its transactions, and how long its brokers are silent.

use std::fmt::Display;
use std::thread;
use std::time::Duration;

use kafka_ends::{ATTEMPT, Patience, failure};
use millpipe::{Error, Out};
use rdkafka::ClientConfig;
use rdkafka::error::KafkaResult;
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};

use crate::batch;
use crate::client;
use crate::context::{Failures, OutContext};
use crate::verdict::{Facts, Verdict, is_taken_over};

/// How long one look takes while we wait for room or for acknowledgements.
const LOOK: Duration = Duration::from_millis(1);
/// Events of the client that are served at a time.
const EVENTS_MAX: u32 = 100;
/// After a failure: how long aborting may take. The next run does it otherwise.
const ABORT: Duration = Duration::from_secs(1);
const ABORT_LOOKS: u32 = 500;

/// The client of one sink.
pub(crate) struct KafkaProducer {
    client: BaseProducer<OutContext>,
    /// The properties, without those of transactions.
    config: ClientConfig,
    patience: Patience,
    /// The name that transactions are made under, in a stream with checkpoints.
    fenced_as: Option<String>,
    /// There may be a transaction to abort.
    has_epochs: bool,
}

impl KafkaProducer {
    /// Makes the client, and asks nobody yet.
    ///
    /// # Errors
    /// When the properties do not make one.
    pub fn new(config: ClientConfig, broker_timeout_ms: i64) -> Result<Self, Error> {
        let brokers = config.get("bootstrap.servers").unwrap_or_default();
        let patience = Patience::new(brokers, broker_timeout_ms);
        Ok(Self { client: client::client(&config)?, config, patience, fenced_as: None, has_epochs: false })
    }

    /// Returns the client's own handle. Topics that have handles of theirs must let them go before the client is another.
    pub fn client(&self) -> &BaseProducer<OutContext> {
        &self.client
    }

    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Takes a client with these properties instead.
    ///
    /// # Errors
    /// When the properties do not make one.
    pub fn set_config(&mut self, config: ClientConfig) -> Result<(), Error> {
        self.client = client::client(&config)?;
        self.config = config;
        Ok(())
    }

    /// Takes this client instead, which makes transactions under this name.
    pub fn set_transactional(&mut self, client: BaseProducer<OutContext>, transactional_id: &str) {
        self.client = client;
        self.fenced_as = Some(transactional_id.to_owned());
    }

    pub fn is_transactional(&self) -> bool {
        self.fenced_as.is_some()
    }

    /// Returns how long the brokers may still be silent, for a question by another client.
    pub fn patience(&mut self) -> &mut Patience {
        &mut self.patience
    }

    /// A broker has answered.
    pub fn answered(&mut self) {
        self.patience.answered();
    }

    /// Returns true while no broker answers.
    pub fn is_silent(&self) -> bool {
        self.patience.is_silent()
    }

    /// Asks until there is an answer.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn ask<T>(
        &mut self,
        what: impl Display,
        mut attempt: impl FnMut(&BaseProducer<OutContext>, Duration) -> KafkaResult<T>,
    ) -> Result<T, Error> {
        let Self { client, patience, .. } = self;
        let serve = || client.poll(Duration::ZERO);
        patience.ask(what, &client.context().end, serve, |timeout| attempt(client, timeout))
    }

    /// Serves the client's events that are there.
    pub fn poll(&self) {
        self.client.poll(Duration::ZERO);
    }

    /// Waits for as long as one look takes, then serves the client's events.
    pub fn wait(&self) {
        pause();
        self.poll();
    }

    /// Returns how many messages and events are the client's.
    pub fn in_flight_count(&self) -> i32 {
        self.client.in_flight_count()
    }

    /// Takes the client's events, which count as in flight until then: one at least comes with each flush, where it says what
    /// it does.
    pub fn serve(&self) {
        for _ in 0..EVENTS_MAX {
            if self.in_flight_count() == 0 {
                break;
            }
            self.poll();
        }
    }

    /// Has the client send what lingers, and waits until all is acknowledged, at most this long.
    pub fn send_now(&self, at_most: Duration) {
        batch::send_now(&self.client, at_most);
    }

    /// Returns the messages that could not be delivered, since the last look.
    pub fn take_failures(&self) -> Failures {
        self.client.context().take_failures()
    }

    /// Returns why the client can do no more, if that is so. While no broker answers, asks now and then for this topic.
    pub fn trouble(&mut self, topic: Option<&str>) -> Option<Error> {
        let Self { client, patience, .. } = self;
        let ask = |timeout| client.client().fetch_metadata(topic, timeout).map(|_| ());
        let gone = patience.probe("write", &client.context().end, ask).err();
        let refused = self.client.context().end.refusal();
        self.fatal_error().or(refused).or(gone)
    }

    /// Returns why the client can do no more transactions, if that is so.
    pub fn fatal_error(&self) -> Option<Error> {
        self.fenced_as.as_ref()?;
        let (code, _) = self.client.client().fatal_error()?;
        Some(if is_taken_over(code) { self.taken_over() } else { failure::from_bare_code(code) })
    }

    fn taken_over(&self) -> Error {
        let id = self.fenced_as.as_deref().unwrap_or_default();
        Error::temporary(format_args!("another run of this pipeline has taken over (transactional id \"{id}\")")).hint(
            "or this one stood still for longer than transaction.timeout.ms; or two pipelines have one --transactional-id",
        )
    }

    /// Makes a call for a transaction until it has succeeded, or there is no use in it.
    ///
    /// # Errors
    /// The epoch is lost.
    pub fn transact(
        &mut self,
        what: &str,
        out: &mut Out,
        mut call: impl FnMut(&BaseProducer<OutContext>, Duration) -> KafkaResult<()>,
    ) -> Result<(), Error> {
        loop {
            let Err(error) = call(&self.client, ATTEMPT) else {
                self.patience.answered();
                return Ok(());
            };
            let facts = Facts::of(&error);
            match facts.verdict() {
                Verdict::Again => self.patience.after(what, &error, &self.client.context().end)?,
                Verdict::TakenOver => return Err(self.taken_over()),
                Verdict::Over => return Err(failure::from_code(what, facts.code)),
            }
            if let Some(text) = self.patience.complaint() {
                out.warn(text);
            }
            self.wait();
        }
    }

    /// Begins the transaction of the next epoch.
    ///
    /// # Errors
    /// As [`KafkaProducer::transact`].
    pub fn begin_epoch(&mut self, out: &mut Out) -> Result<(), Error> {
        self.has_epochs = true;
        self.transact("begin a transaction", out, |client, _| client.begin_transaction())
    }

    /// Returns true if a connection was lost since the last look. Nothing else is the client's then, so its log lines are all
    /// there is.
    pub fn has_lost_a_connection(&self) -> bool {
        while self.in_flight_count() > 0 {
            self.poll();
        }
        self.client.context().take_lost_connection()
    }

    /// Aborts the epoch's transaction: readers of committed messages need not wait for the next run to do this.
    pub fn abort_epoch(&self) {
        if !self.has_epochs || self.patience.is_silent() || self.fatal_error().is_some() {
            return;
        }
        self.purge();
        for _ in 0..ABORT_LOOKS {
            if self.in_flight_count() == 0 {
                break;
            }
            self.wait();
        }
        // What does not succeed here the next run does.
        let _ = self.client.abort_transaction(ABORT);
    }

    /// Drops what is not sent or not acknowledged.
    pub fn purge(&self) {
        self.client.purge(PurgeConfig::default().queue().inflight());
    }
}

/// While we wait for room or for acknowledgements. The client's own wait for reports asks again and again in the last
/// millisecond of it.
#[allow(clippy::disallowed_methods, reason = "what is waited for is the client's, which wakes nobody")]
fn pause() {
    thread::sleep(LOOK);
}
