//! How each kind of kill is done.

use std::time::{Duration, Instant};

use millpipe::Error;
use rustix::process::Signal;

use crate::children::send_to_group;
use crate::choice::{Choice, Target};
use crate::course::Course;
use crate::process_table::{Owner, Process, ProcessTable};
use crate::stale::Stale;

/// Before a script that is all shell is killed for want of other processes, they get this long to appear.
const STAGES_WAIT: Duration = Duration::from_millis(200);
/// How often processes that appear while others are stopped or killed are looked for.
const LOOKS: u32 = 3;

impl Course<'_> {
    /// Does it, or says that there is nothing yet to do it to.
    pub(crate) fn strike(&mut self, choice: &mut Choice) -> Result<bool, Error> {
        match choice.target.clone() {
            Target::Any => self.kill_one(choice, None),
            Target::Named(name) => self.kill_one(choice, Some(&name)),
            Target::All => self.kill_all(choice),
            Target::Zombie => self.make_zombies(choice),
            Target::Broker => self.kill_broker(choice),
        }
    }

    fn kill_one(&mut self, choice: &mut Choice, name: Option<&str>) -> Result<bool, Error> {
        let table = ProcessTable::look()?;
        let victims: Vec<&Process> = match name {
            None => self.stages(&table),
            Some(name) => table.named(name),
        };
        self.stand.tally.names.extend(table.stages().iter().map(|process| process.name.clone()));
        let Some(victim) = choice.one_of(victims.len()).map(|index| victims[index]) else { return Ok(false) };
        if !victim.send(Signal::KILL) {
            return Ok(false);
        }
        self.stand.say.tell(format_args!("killed {} (pid {})", victim.name, victim.pid));
        // One of a start that was stopped and went on is no loss to this one.
        let hurts = victim.owner == Owner::Start(self.life.number) || victim.owner == Owner::Unknown;
        self.record(&choice.target, &[victim], hurts);
        Ok(true)
    }

    /// Those that can be killed; of a script that has only shells, the last ones of each branch.
    fn stages<'t>(&self, table: &'t ProcessTable) -> Vec<&'t Process> {
        let stages = table.stages();
        let waits = self.life.started.elapsed() < STAGES_WAIT;
        if stages.is_empty() && !waits { table.leaves() } else { stages }
    }

    /// What is stopped sleeps on: it is on another machine.
    fn kill_all(&mut self, choice: &Choice) -> Result<bool, Error> {
        let table = ProcessTable::look()?;
        let all: Vec<&Process> = table.of_the_pipeline().filter(|process| !process.is_stopped()).collect();
        if all.is_empty() {
            return Ok(false);
        }
        send_to_group(self.life.leader, Signal::KILL);
        for process in &all {
            process.send(Signal::KILL);
        }
        self.stand.say.tell(format_args!("killed all {} processes", all.len()));
        let stages: Vec<&Process> = all.into_iter().filter(|process| !table.is_shell(process)).collect();
        self.record(&choice.target, &stages, true);
        Ok(true)
    }

    fn make_zombies(&mut self, choice: &mut Choice) -> Result<bool, Error> {
        let table = ProcessTable::look()?;
        let stages = self.stages(&table);
        // Of several starts that run, the oldest is the one that works: it can hold what later ones wait for.
        let Some(Owner::Start(number)) = stages.first().map(|process| process.owner) else { return Ok(false) };
        let stages: Vec<&Process> = stages.into_iter().filter(|p| p.owner == Owner::Start(number)).collect();
        let chosen = choice.zombies(stages.len());
        let zombies: Vec<&Process> =
            stages.iter().zip(&chosen).filter(|(_, chosen)| **chosen).map(|(process, _)| *process).collect();
        for process in &zombies {
            process.send(Signal::STOP);
        }
        let names: Vec<&str> = zombies.iter().map(|process| process.name.as_str()).collect();
        let (signal, rest) =
            if zombies.len() == stages.len() { (Signal::STOP, "") } else { (Signal::KILL, ", killed the others") };
        self.treat_the_rest(number, &zombies, signal)?;
        self.stand.say.tell(format_args!("stopped {} of start {number}{rest}", names.join(", ")));
        let is_last = number == self.life.number;
        self.record(&choice.target, &zombies, is_last);
        self.let_sleep(number);
        if is_last {
            self.start()?
        }
        Ok(true)
    }

    fn let_sleep(&mut self, number: u32) {
        let wake_at = Instant::now() + Duration::from_millis(self.stand.cli.zombie_for.0.unsigned_abs());
        self.stale.retain(|stale| stale.number != number);
        self.stale.push(Stale { number, wake_at, is_awake: false });
    }

    /// Stops or kills all others of this start, shells first of all those that could start more.
    fn treat_the_rest(&self, number: u32, zombies: &[&Process], signal: Signal) -> Result<(), Error> {
        for _ in 0..LOOKS {
            let table = ProcessTable::look()?;
            let is_zombie = |process: &Process| zombies.iter().any(|zombie| zombie.pid == process.pid);
            let rest = table.of_start(number).filter(|process| !is_zombie(process) && !process.is_stopped());
            for process in rest {
                process.send(signal);
            }
        }
        Ok(())
    }

    pub(crate) fn wake_stale(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        if !self.stale.iter().any(|stale| !stale.is_awake && now >= stale.wake_at) {
            return Ok(());
        }
        let table = ProcessTable::look()?;
        for stale in self.stale.iter_mut().filter(|stale| !stale.is_awake && now >= stale.wake_at) {
            let woken = table.of_start(stale.number).filter(|process| process.send(Signal::CONT)).count();
            self.stand.say.tell(format_args!("woke {woken} processes of start {}", stale.number));
            stale.is_awake = true;
            stale.wake_at = now;
            self.progress = now;
        }
        Ok(())
    }

    /// Those that woke up and have ended.
    pub(crate) fn forget_the_gone(&mut self) -> Result<(), Error> {
        if self.stale.iter().any(Stale::is_awake) {
            let table = ProcessTable::look()?;
            self.stale.retain(|stale| !stale.is_awake || table.of_start(stale.number).next().is_some());
        }
        Ok(())
    }

    /// The starts that were stopped and still have processes.
    pub(crate) fn stale_left(&self) -> Result<Vec<&Stale>, Error> {
        if self.stale.is_empty() {
            return Ok(Vec::new());
        }
        let table = ProcessTable::look()?;
        Ok(self.stale.iter().filter(|stale| table.of_start(stale.number).next().is_some()).collect())
    }

    fn kill_broker(&mut self, choice: &Choice) -> Result<bool, Error> {
        let Some(broker) = &mut self.broker else { return Ok(false) };
        if !broker.is_up() {
            return Ok(false);
        }
        let down_for = choice.down_for();
        broker.kill(self.stand.children, down_for)?;
        self.stand.say.tell(format_args!("killed the broker, for {down_for:.2?}"));
        self.record(&choice.target, &[], false);
        Ok(true)
    }

    fn record(&mut self, target: &Target, victims: &[&Process], hurts: bool) {
        let now = Instant::now();
        let names: Vec<String> = victims.iter().map(|process| process.name.clone()).collect();
        self.stand.tally.kill(target, &names);
        self.stand.tally.flow.strike(target, now);
        self.life.strike(hurts);
        self.idle_since = now;
        self.flows_since = None;
        self.progress = now;
    }
}
