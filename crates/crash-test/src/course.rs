//! The course of one run: start, kill, start again, until the pipeline ends by itself.

use std::time::{Duration, Instant};

use millpipe::Error;

use crate::children::{Children, End};
use crate::choice::{Choice, Moment};
use crate::cli::Cli;
use crate::commits::Commits;
use crate::narrator::Narrator;
use crate::outage::Broker;
use crate::pipeline::{Life, Pipeline, Run};
use crate::stale::Stale;
use crate::tally::Tally;

/// What is taken for the time of a start until one was seen.
const STARTUP_GUESS: Duration = Duration::from_millis(300);
/// A pipeline that has not committed for so long after its start is killed all the same: it may wait for a broker.
const FLOW_WAIT_MAX: Duration = Duration::from_secs(5);
/// A pipeline that still commits so long after one of its processes was killed goes on without it.
const SURVIVED_AFTER: Duration = Duration::from_secs(1);
/// The pauses between starts that come to nothing.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// More starts than this for each kill, and some, is a pipeline that does not get up.
const STARTS_PER_KILL_MAX: u64 = 20;
const STARTS_MORE_MAX: u64 = 100;
/// How long processes that woke up may take to end after the pipeline has.
const SETTLE_MAX: Duration = Duration::from_secs(10);
/// How many ticks pass between two looks at processes that are to end by themselves.
const SETTLE_TICKS: u32 = 10;

/// What a run goes by, and where it tells what happens.
pub struct Stand<'a> {
    pub cli: &'a Cli,
    pub children: &'a mut Children,
    pub tally: &'a mut Tally,
    pub say: &'a Narrator,
}

/// What one run teaches the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Learned {
    /// From a start to its first commit; none when nothing was seen to commit.
    pub startup: Option<Duration>,
    /// Nothing will be seen to commit: what is started flows.
    pub is_blind: bool,
}

/// One run.
pub struct Course<'a> {
    pub(crate) stand: Stand<'a>,
    pub(crate) pipeline: Pipeline,
    pub(crate) life: Life,
    pub(crate) broker: Option<Broker>,
    pub(crate) stale: Vec<Stale>,
    pub(crate) progress: Instant,
    /// The last kill or return of the broker, or the start.
    pub(crate) idle_since: Instant,
    /// The first commit of what runs since then.
    pub(crate) flows_since: Option<Instant>,
    kills: u64,
    commits: Commits,
    learned: Learned,
    next: Option<Choice>,
    /// When the script is started again; none while it runs.
    restart_at: Option<Instant>,
    pause: Duration,
}

impl<'a> Course<'a> {
    /// Starts the script. Nothing is killed in an undisturbed run.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn begin(
        stand: Stand<'a>,
        mut pipeline: Pipeline,
        broker: Option<Broker>,
        learned: Learned,
    ) -> Result<Self, Error> {
        let kills = if pipeline.run == Run::Disturbed { stand.cli.kills } else { 0 };
        let commits = Commits::new(stand.cli.committed.as_deref(), &pipeline.dir);
        let life = pipeline.start(kills, stand.children)?;
        stand.tally.starts += 1;
        Ok(Self {
            stand,
            pipeline,
            life,
            broker,
            stale: Vec::new(),
            progress: Instant::now(),
            idle_since: Instant::now(),
            flows_since: None,
            kills,
            commits,
            learned,
            next: None,
            restart_at: None,
            pause: Duration::ZERO,
        })
    }

    /// Goes on until the script has ended with 0 and all processes are gone.
    ///
    /// # Errors
    /// When the pipeline is broken or stuck, or this process is to end.
    pub fn run(mut self) -> Result<(Pipeline, Learned), Error> {
        let result = self.follow().and_then(|()| self.settle());
        if let Some(broker) = &mut self.broker {
            broker.leave_up(self.stand.children);
        }
        result?;
        self.learned.is_blind = self.learned.startup.is_none();
        Ok((self.pipeline, self.learned))
    }

    fn follow(&mut self) -> Result<(), Error> {
        loop {
            self.stand.children.tend()?;
            self.note_commit()?;
            self.tend_broker()?;
            self.wake_stale()?;
            if self.tend_life()? {
                return Ok(());
            }
            self.strike_when_due()?;
            self.check_progress()?;
        }
    }

    fn note_commit(&mut self) -> Result<(), Error> {
        if !self.commits.changed() {
            return Ok(());
        }
        let now = Instant::now();
        self.progress = now;
        if let Some(took) = self.life.commit(now) {
            self.learned.startup = Some(took);
        }
        self.forget_the_gone()?;
        if self.has_survived() {
            self.stand.tally.flow.forget();
        }
        if !self.flows_again() {
            return Ok(());
        }
        self.flows_since.get_or_insert(now);
        if let Some(took) = self.stand.tally.flow.commit(now) {
            self.life.ended_a_wait = true;
            self.stand.say.tell(format_args!("flows, {took:.2?} after the kill"));
        }
        Ok(())
    }

    /// Whether a commit now is more than the last one of what was killed.
    fn flows_again(&self) -> bool {
        let flow = &self.stand.tally.flow;
        let is_of_new_run = flow.waits_since().is_none_or(|since| self.life.started > since);
        let broker_is_back = self.broker.as_ref().is_none_or(Broker::is_rising_or_up);
        broker_is_back && (is_of_new_run || flow.waits_for_broker() || self.has_woken())
    }

    /// Whether what was killed was nothing that the pipeline needs.
    fn has_survived(&self) -> bool {
        let flow = &self.stand.tally.flow;
        let killed =
            flow.waits_since().is_some_and(|since| since > self.life.started && since.elapsed() > SURVIVED_AFTER);
        killed && !flow.waits_for_broker() && !self.has_woken()
    }

    /// Whether a start that was stopped may go on, perhaps alone: it can hold what later ones need.
    fn has_woken(&self) -> bool {
        self.stale.iter().any(Stale::is_awake)
    }

    fn tend_broker(&mut self) -> Result<(), Error> {
        let Some(broker) = &mut self.broker else { return Ok(()) };
        if broker.tend(self.stand.children)? {
            self.progress = Instant::now();
            self.idle_since = self.progress;
            self.stand.say.tell(format_args!("the broker is back"));
        }
        Ok(())
    }

    /// True when the pipeline has ended with 0.
    fn tend_life(&mut self) -> Result<bool, Error> {
        if let Some(at) = self.restart_at {
            if Instant::now() >= at {
                self.start()?;
            }
            return Ok(false);
        }
        match self.stand.children.end_of(self.life.leader) {
            Some(end) => self.life_ended(end),
            None => Ok(false),
        }
    }

    pub(crate) fn start(&mut self) -> Result<(), Error> {
        let kills_left = self.kills.saturating_sub(self.stand.tally.kills);
        self.life = self.pipeline.start(kills_left, self.stand.children)?;
        self.stand.tally.starts += 1;
        self.restart_at = None;
        self.stand.say.tell(format_args!("start {}", self.life.number));
        Ok(())
    }

    fn life_ended(&mut self, end: End) -> Result<bool, Error> {
        let number = self.life.number;
        self.stand.tally.end(end);
        self.stand.say.tell(format_args!("start {number} ended with {end}"));
        if end == End::Code(0) {
            return Ok(true);
        }
        self.check_end(end)?;
        // Its only commit was none: it put something right and asked for another start.
        if self.life.ended_a_wait && self.life.commits == 1 && !self.life.is_hurt {
            self.stand.tally.flow.withdraw();
        }
        self.stand.children.kill_what_is_left(Some(number))?;
        self.forget_the_gone()?;
        let came_to_nothing = !self.life.is_hurt && self.life.commits == 0;
        self.pause = if came_to_nothing { (self.pause * 2).clamp(PAUSE_MIN, PAUSE_MAX) } else { Duration::ZERO };
        self.restart_at = Some(Instant::now() + self.pause);
        Ok(false)
    }

    /// Whether the pipeline may be started again after this.
    fn check_end(&self, end: End) -> Result<(), Error> {
        let Pipeline { run, log, .. } = &self.pipeline;
        let words = self.pipeline.last_words();
        let all = format!("all that it said is in {}", log.display());
        if *run == Run::Undisturbed {
            return Err(Error::data(format_args!("the undisturbed run ended with {end}; {words}")).hint(all));
        }
        let number = self.life.number;
        let is_temporary = match end {
            End::Signal(_) => true,
            End::Code(code) => code >= 128 || self.stand.cli.restart_on.iter().any(|known| i32::from(*known) == code),
        };
        if !is_temporary && !self.life.is_hurt {
            let message = format!("start {number} ended with {end}, and none of its processes was killed; {words}");
            return Err(Error::data(message).hint(format_args!("{all}; --restart-on CODE if it is temporary")));
        }
        if self.stand.tally.starts >= self.kills * STARTS_PER_KILL_MAX + STARTS_MORE_MAX {
            return Err(Error::data(format_args!("start {number} ended with {end}, as many before; {words}")).hint(all));
        }
        Ok(())
    }

    fn strike_when_due(&mut self) -> Result<(), Error> {
        let nothing_runs = self.restart_at.is_some() && !self.has_woken();
        if nothing_runs || self.stand.tally.kills >= self.kills {
            return Ok(());
        }
        let number = self.stand.tally.kills;
        let cli = self.stand.cli;
        let draw = || Choice::draw(cli.seed, number, &cli.what, cli.between, cli.down_for);
        let mut choice = self.next.take().unwrap_or_else(draw);
        let is_due = self.due(&choice).is_some_and(|due| Instant::now() >= due);
        let is_done = is_due && self.strike(&mut choice)?;
        if !is_done {
            self.next = Some(choice);
        } else if choice.moment == Moment::Flowing {
            self.learned.is_blind = self.learned.startup.is_none();
        }
        Ok(())
    }

    /// Never while the broker is down and nothing flows: only what starts can be killed then.
    fn due(&self, choice: &Choice) -> Option<Instant> {
        let life = &self.life;
        match choice.moment {
            Moment::Starting(fraction) if !life.is_struck && self.restart_at.is_none() => {
                Some(life.started + self.learned.startup.unwrap_or(STARTUP_GUESS).mul_f64(fraction))
            }
            _ if self.broker.as_ref().is_some_and(|broker| !broker.is_up()) => None,
            _ => Some(self.flows_since.unwrap_or_else(|| self.flows_at_the_latest()) + choice.delay),
        }
    }

    fn flows_at_the_latest(&self) -> Instant {
        if self.learned.is_blind {
            return self.idle_since.max(self.life.started);
        }
        self.idle_since + FLOW_WAIT_MAX
    }

    fn check_progress(&self) -> Result<(), Error> {
        let began = if self.learned.startup.is_some() { self.progress } else { self.progress.max(self.life.started) };
        let limit = Duration::from_millis(self.stand.cli.stuck_after.0.unsigned_abs());
        if began.elapsed() <= limit {
            return Ok(());
        }
        let words = self.pipeline.last_words();
        let limit = &self.stand.cli.stuck_after;
        let message =
            format!("nothing was committed for {limit} (--stuck-after), in start {}; {words}", self.life.number);
        Err(Error::data(message).hint(format_args!("all that it said is in {}", self.pipeline.log.display())))
    }

    /// What still sleeps wakes up, and may do its harm, before anything is compared.
    fn settle(&mut self) -> Result<(), Error> {
        loop {
            self.tend_broker()?;
            self.wake_stale()?;
            let is_up = self.broker.as_ref().is_none_or(Broker::is_up);
            let still = self.stale_left()?;
            if is_up && still.is_empty() {
                break;
            }
            if let Some(number) = still.iter().find(|stale| stale.is_awake_for(SETTLE_MAX)) {
                self.stand.say.tell(format_args!("{number} does not end and is killed"));
                break;
            }
            for _ in 0..SETTLE_TICKS {
                self.stand.children.tend()?;
            }
        }
        self.stand.children.kill_what_is_left(None)
    }
}
