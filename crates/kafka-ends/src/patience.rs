//! How long a tool goes on asking brokers that do not answer, and what it says meanwhile.

use std::thread;
use std::time::{Duration, Instant};

use millpipe::Error;
use rdkafka::error::{KafkaError, KafkaResult};
use units::format_duration;

use crate::context::EndContext;
use crate::failure;

/// How long one question to the broker may take before we look whether it makes sense to go on.
pub const ATTEMPT: Duration = Duration::from_millis(500);
const PROBE_EVERY: Duration = Duration::from_millis(500);
const PAUSE: Duration = Duration::from_millis(20);
/// A wait longer than this is told.
const COMPLAIN_AFTER: Duration = Duration::from_secs(5);

/// Asks until there is an answer, or for `--broker-timeout`.
#[derive(Debug)]
pub struct Patience {
    brokers: String,
    timeout_ms: i64,
    silent_since: Option<Instant>,
    probed: Option<Instant>,
    /// What failed last, and why.
    reason: String,
    complained: bool,
}

#[allow(
    clippy::disallowed_methods,
    reason = "how long brokers are silent is measured between two calls, not between chunks"
)]
impl Patience {
    pub fn new(brokers: &str, timeout_ms: i64) -> Self {
        Self {
            brokers: brokers.to_owned(),
            timeout_ms,
            silent_since: None,
            probed: None,
            reason: String::new(),
            complained: false,
        }
    }

    /// A broker has answered.
    pub fn answered(&mut self) {
        self.silent_since = None;
        self.complained = false;
    }

    /// The brokers are known to be silent from now on, if they were not already.
    pub fn silent(&mut self) {
        self.silent_since.get_or_insert_with(Instant::now);
    }

    pub fn is_silent(&self) -> bool {
        self.silent_since.is_some()
    }

    /// A question failed: `Ok` says to ask again.
    ///
    /// # Errors
    /// A refusal or another permanent error at once; 75 when there was no good answer for too long.
    pub fn after(&mut self, what: impl std::fmt::Display, error: &KafkaError, seen: &EndContext) -> Result<(), Error> {
        self.silent();
        if let Some(refusal) = seen.refusal() {
            return Err(refusal);
        }
        let code = error.rdkafka_error_code();
        if code.is_some_and(failure::is_permanent) {
            return Err(failure::error(what, error));
        }
        self.reason = failure::error(what, error).message;
        if self.waited().as_millis() < self.timeout_ms.unsigned_abs().into() {
            return Ok(());
        }
        if code.is_none_or(failure::is_connection) {
            return Err(self.gone(seen));
        }
        Err(Error::temporary(format_args!("{}, for {}", self.reason, format_duration(self.timeout_ms))))
    }

    /// What to tell the user of a wait that has become long; once.
    pub fn complaint(&mut self) -> Option<String> {
        if self.complained || self.waited() < COMPLAIN_AFTER {
            return None;
        }
        self.complained = true;
        let (brokers, reason, limit) = (&self.brokers, &self.reason, format_duration(self.timeout_ms));
        Some(format!("waiting for the brokers \"{brokers}\", up to {limit}: {reason}"))
    }

    /// To be called often while a client works: when it has said that all brokers are down, asks now and then
    /// whether one is there again.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn probe(
        &mut self,
        what: impl std::fmt::Display,
        seen: &EndContext,
        ask: impl FnOnce(Duration) -> KafkaResult<()>,
    ) -> Result<(), Error> {
        if seen.take_all_down() {
            self.silent();
        }
        if !self.is_silent() || self.probed.is_some_and(|probed| probed.elapsed() < PROBE_EVERY) {
            return Ok(());
        }
        let answer = ask(ATTEMPT);
        self.probed = Some(Instant::now());
        match answer {
            Ok(()) => {
                self.answered();
                Ok(())
            }
            Err(error) => self.after(what, &error, seen),
        }
    }

    /// Asks until there is an answer. `serve` lets the client hand over its errors between two attempts.
    ///
    /// # Errors
    /// As [`Patience::after`].
    pub fn ask<T>(
        &mut self,
        what: impl std::fmt::Display,
        seen: &EndContext,
        mut serve: impl FnMut(),
        mut attempt: impl FnMut(Duration) -> KafkaResult<T>,
    ) -> Result<T, Error> {
        loop {
            match attempt(ATTEMPT) {
                Ok(answer) => {
                    self.answered();
                    return Ok(answer);
                }
                Err(error) => {
                    serve();
                    self.after(&what, &error, seen)?;
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    /// The error for brokers that stay silent.
    pub fn gone(&self, seen: &EndContext) -> Error {
        let within = format_duration(self.timeout_ms);
        let why = seen.unreachable().map(|reason| format!(": {reason}")).unwrap_or_default();
        Error::temporary(format_args!("no broker of \"{}\" answered within {within}{why}", self.brokers)).hint(
            "is a broker at this HOST:PORT (9092 where there is none), does this machine reach it, and does \
             security.protocol fit?",
        )
    }

    fn waited(&self) -> Duration {
        self.silent_since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use millpipe::Exit;
    use rdkafka::types::RDKafkaErrorCode as Code;

    fn after(timeout_ms: i64, code: Code) -> Result<(), Error> {
        Patience::new("b:1", timeout_ms).after("commit", &KafkaError::Global(code), &EndContext::default())
    }

    #[test]
    fn a_broker_that_answers_not_yet_is_told_from_one_that_is_gone() {
        assert_eq!(after(1000, Code::CoordinatorLoadInProgress), Ok(()));
        let not_yet = after(0, Code::CoordinatorLoadInProgress).unwrap_err();
        assert_eq!(
            (not_yet.exit, not_yet.message.as_str()),
            (Exit::Temporary, "commit: coordinator load in progress, for 0s")
        );
        let gone = after(0, Code::AllBrokersDown).unwrap_err();
        assert_eq!((gone.exit, gone.message.as_str()), (Exit::Temporary, "no broker of \"b:1\" answered within 0s"));
    }

    #[test]
    fn what_no_retry_mends_ends_it_at_once() {
        assert_eq!(after(60_000, Code::UnknownTopicOrPartition).unwrap_err().exit, Exit::Data);
    }

    #[test]
    fn a_long_wait_is_told_once() {
        let mut patience = Patience::new("b:1", 30_000);
        patience.after("commit", &KafkaError::Global(Code::AllBrokersDown), &EndContext::default()).unwrap();
        assert_eq!(patience.complaint(), None);
        patience.silent_since = patience.silent_since.and_then(|since| since.checked_sub(COMPLAIN_AFTER));
        let told = patience.complaint().unwrap();
        assert_eq!(told, "waiting for the brokers \"b:1\", up to 30s: commit: all broker connections are down");
        assert_eq!(patience.complaint(), None);
    }
}
