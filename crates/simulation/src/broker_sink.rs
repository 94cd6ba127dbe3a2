//! A sink into the [`Broker`], in the ways that matter like `kafka-cat-out`.

use std::sync::Arc;

use protocol::{Barrier, Hello, Out, Sink, Truth};
use stream::{Error, Fault, Mark};

use crate::broker::{Answer, Broker, Transaction, fenced};
use crate::coroutine::Wait;
use crate::process::{Process, locked};

/// So long an answer is waited for.
const ANSWER_WAIT_MS: i64 = 10_000;

/// The last stage of a simulated pipe.
pub struct BrokerSink {
    process: Arc<Process>,
    broker: Arc<Broker>,
    /// False breaks the rule that the sink asks its target at the start.
    compares: bool,
    epoch: u64,
    lines: Vec<Vec<u8>>,
    rejects: Vec<String>,
}

impl BrokerSink {
    pub fn new(process: &Arc<Process>, broker: &Arc<Broker>, compares: bool) -> Self {
        let (process, broker) = (Arc::clone(process), Arc::clone(broker));
        Self { process, broker, compares, epoch: 0, lines: Vec::new(), rejects: Vec::new() }
    }

    fn wait_for<T: 'static>(&self, what: &str, answer: &Answer<T>) -> Result<T, Error> {
        let asked = Arc::clone(answer);
        let until_ms = self.process.world.now_ms() + ANSWER_WAIT_MS;
        let there = Wait::for_that(move || locked(&asked).is_some()).at_most_until(Some(until_ms));
        if !self.process.wait(there) {
            return Err(Error::temporary("killed"));
        }
        let no_answer = || Err(Error::temporary(format_args!("{what}: no answer from the broker")));
        locked(answer).take().unwrap_or_else(no_answer)
    }
}

impl Sink for BrokerSink {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        if self.broker.is_fenced(self.epoch) && self.process.world.dice().one_in(2) {
            return Err(fenced().into());
        }
        self.lines.push(line.to_vec());
        out.settle(1);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Out) -> Result<(), Fault> {
        Ok(())
    }

    fn open(&mut self, hello: &Hello, _out: &mut Out) -> Result<Truth, Fault> {
        self.process.tell(|| format!("opens, restoring {:?}", hello.restore.id.as_ref().map(ToString::to_string)));
        let answer = self.broker.ask_to_open();
        self.epoch = self.wait_for("open", &answer)?;
        self.process.step().map_err(|error| Error::io("broker", &error))?;
        let truth = self.broker.seen();
        if !self.compares {
            return Ok(hello.restore.clone());
        }
        if truth.id != hello.restore.id {
            self.process.world.count(|tally| tally.comparisons_failed += 1);
        }
        Ok(truth)
    }

    fn commit(&mut self, barrier: &Barrier, _out: &mut Out) -> Result<(), Fault> {
        self.process.tell(|| format!("commits {}", barrier.id));
        let answer = self.broker.ask_to_commit(Transaction {
            epoch: self.epoch,
            barrier: barrier.clone(),
            lines: std::mem::take(&mut self.lines),
            rejects: std::mem::take(&mut self.rejects),
        });
        Ok(self.wait_for("commit", &answer)?)
    }

    fn target(&self) -> &'static str {
        "kafka"
    }

    fn reject(&mut self, reject: &Mark, _out: &mut Out) -> Result<(), Fault> {
        self.rejects.push(crate::judge::essence(reject));
        Ok(())
    }
}
