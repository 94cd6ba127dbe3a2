//! Giving partitions, or standard input, what comes while the pipeline runs.

use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use millpipe::Error;

use crate::broker::Broker;
use crate::running::process::Interrupt;
use crate::running::scene::{Fed, give};
use crate::script_lines::Step;

const LOOK: Duration = Duration::from_millis(2);

/// Feeds a partition to its end, or until the run is over.
///
/// # Errors
/// The disk's.
pub fn feed(mut broker: Broker, partition: &Fed, over: &Interrupt) -> Result<(), Error> {
    let Fed { topic, number, .. } = partition;
    let mut log = broker.log(topic, *number, true);
    for step in &partition.steps {
        match step {
            Step::Line(_) => give(&mut broker, partition, std::slice::from_ref(step))?,
            Step::Sleep(time) => over.sleep(*time),
            Step::Idle => {
                log.look()?;
                over.wait_until(|| broker.read_so_far(topic, *number).is_some_and(|offset| offset >= log.there()));
            }
            Step::End => break,
        }
        if over.is_set() {
            return Ok(());
        }
    }
    broker.end(topic, *number)
}

/// Writes to a pipe, all that comes at one time at once. A reader that has gone is no error here: it will say why itself.
pub fn write(steps: &[Step], to: &mut impl Write, over: &Interrupt) {
    let mut waiting = Vec::new();
    for step in steps {
        match step {
            Step::Line(line) => {
                waiting.extend_from_slice(line);
                waiting.push(b'\n');
            }
            Step::End => break,
            Step::Idle => {}
            Step::Sleep(time) => {
                if to.write_all(&std::mem::take(&mut waiting)).is_err() || over.is_set() {
                    return;
                }
                over.sleep(*time);
            }
        }
    }
    let _ = to.write_all(&waiting);
}

impl Interrupt {
    /// Sleeps, but not beyond the end of the run.
    fn sleep(&self, time: Duration) {
        let until = Instant::now() + time;
        self.wait_until(|| Instant::now() >= until);
    }

    fn wait_until(&self, is_so: impl Fn() -> bool) {
        while !self.is_set() && !is_so() {
            thread::sleep(LOOK);
        }
    }
}
