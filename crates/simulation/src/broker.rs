//! A target with transactions, as Kafka has them: one transactional id, older sinks are fenced by its epoch, and a
//! commit is a request on its way that may arrive late, or whose answer may be lost.

use std::sync::{Arc, Mutex};

use protocol::{Barrier, Truth};
use stream::Error;

use crate::dice::Dice;
use crate::judge::Judge;
use crate::process::{World, locked};

/// The broker, as everybody sees it.
pub struct Broker {
    world: Arc<World>,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Raised by whoever opens the transactional id; only the last one can commit.
    epoch: u64,
    /// What is visible.
    truth: Truth,
    requests: Vec<Request>,
    judge: Arc<Mutex<Judge>>,
}

/// An answer that may not have come yet.
pub type Answer<T> = Arc<Mutex<Option<Result<T, Error>>>>;

/// A request that is on its way, or being worked on.
enum Request {
    Open { answer: Answer<u64> },
    Commit { transaction: Transaction, answer: Answer<()>, is_decided: bool },
}

/// What a commit makes visible.
pub struct Transaction {
    pub epoch: u64,
    pub barrier: Barrier,
    pub lines: Vec<Vec<u8>>,
    pub rejects: Vec<String>,
}

impl Broker {
    pub fn new(world: &Arc<World>, judge: Arc<Mutex<Judge>>) -> Arc<Self> {
        let inner = Inner { epoch: 0, truth: Truth::default(), requests: Vec::new(), judge };
        Arc::new(Self { world: Arc::clone(world), inner: Mutex::new(inner) })
    }

    /// What is visible now; never waits.
    pub fn seen(&self) -> Truth {
        locked(&self.inner).truth.clone()
    }

    /// Whether all that is to come has been committed.
    ///
    /// # Errors
    /// What is missing.
    pub fn is_complete(&self) -> Result<(), String> {
        locked(&locked(&self.inner).judge).is_complete()
    }

    /// Asks to be the one that commits: older ones are fenced, what they had decided is finished first.
    pub fn ask_to_open(&self) -> Answer<u64> {
        let answer = Answer::default();
        locked(&self.inner).requests.push(Request::Open { answer: Arc::clone(&answer) });
        answer
    }

    pub fn ask_to_commit(&self, transaction: Transaction) -> Answer<()> {
        let answer = Answer::default();
        let request = Request::Commit { transaction, answer: Arc::clone(&answer), is_decided: false };
        locked(&self.inner).requests.push(request);
        answer
    }

    pub fn is_fenced(&self, epoch: u64) -> bool {
        locked(&self.inner).epoch != epoch
    }

    /// The transaction that is open has taken too long: its sink is fenced.
    pub fn time_out(&self) {
        locked(&self.inner).epoch += 1;
    }

    pub fn has_work(&self) -> bool {
        !locked(&self.inner).requests.is_empty()
    }

    /// Takes one step with any of the requests: they overtake each other. The network may lose answers.
    pub fn work(&self, loses_answers: bool) {
        let mut inner = locked(&self.inner);
        let mut dice = self.world.dice();
        let at = dice.below(inner.requests.len());
        let request = inner.requests.swap_remove(at);
        match request {
            Request::Open { answer } => inner.open(answer),
            Request::Commit { transaction, answer, is_decided: false } => {
                inner.decide(transaction, answer, &mut dice, loses_answers, &self.world);
            }
            Request::Commit { transaction, answer, is_decided: true } => {
                drop(dice);
                inner.apply(transaction, &answer, &self.world);
            }
        }
    }
}

impl Inner {
    fn open(&mut self, answer: Answer<u64>) {
        let has_decided = |request: &Request| matches!(request, Request::Commit { is_decided: true, .. });
        if self.requests.iter().any(has_decided) {
            // "Concurrent transactions": the client asks again.
            self.requests.push(Request::Open { answer });
            return;
        }
        self.epoch += 1;
        *locked(&answer) = Some(Ok(self.epoch));
    }

    fn decide(
        &mut self,
        transaction: Transaction,
        answer: Answer<()>,
        dice: &mut Dice,
        loses_answers: bool,
        world: &World,
    ) {
        if transaction.epoch != self.epoch {
            world.count(|tally| tally.fenced += 1);
            *locked(&answer) = Some(Err(fenced()));
            return;
        }
        if loses_answers && dice.one_in(15) {
            *locked(&answer) = Some(Err(Error::temporary("commit: nobody knows: no answer from the broker")));
            if dice.one_in(2) {
                return;
            }
            world.count(|tally| tally.unheard_commits += 1);
        }
        self.requests.push(Request::Commit { transaction, answer, is_decided: true });
    }

    fn apply(&mut self, transaction: Transaction, answer: &Answer<()>, world: &World) {
        let Transaction { barrier, lines, rejects, .. } = transaction;
        world.tell("broker", || format!("{} is committed, {} lines", barrier.id, lines.len()));
        world.count(|tally| {
            tally.commits += 1;
            tally.lines_committed += lines.len() as u64;
        });
        if self.truth.id.as_ref().is_some_and(|last| *last >= barrier.id) {
            world.is_wrong(format_args!("{} is committed behind {:?}", barrier.id, self.truth.id));
        }
        self.truth = Truth { id: Some(barrier.id), positions: barrier.positions };
        if let Err(why) = locked(&self.judge).take(&lines, &rejects) {
            world.is_wrong(why);
        }
        locked(answer).get_or_insert(Ok(()));
    }
}

pub fn fenced() -> Error {
    Error::temporary("fenced: a younger sink has the transactional id")
}
