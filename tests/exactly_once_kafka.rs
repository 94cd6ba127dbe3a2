//! From topic to topic through a real broker, with stages killed, stopped and woken up, and the broker killed too: nothing
//! lost, nothing doubled, every cell exact. `crash.rs` tells of the long form.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, clippy::cast_precision_loss)]

mod crash;

use crash::{Job, STAGES};
use testkit::Broker;

const TOOLS: [&str; 4] = ["kafka-cat-in", "window", "aggregate", "kafka-cat-out"];

/// A seed whose first fourteen choices are ten random stages, two zombies and two kills of the broker.
const SEED: u64 = 55;

#[test]
fn the_standard_job_survives_kills_of_its_stages_and_of_the_broker() {
    let Some(job) = Job::new(14) else { return };
    let broker = Broker::start();
    let (address, dir) = (broker.address(), broker.dir().display());
    broker.topic("in", 4);
    broker.topic("out-undisturbed", 2);
    broker.topic("out-disturbed", 2);
    job.run(&TOOLS, &format!("kafka-cat-out -b {address} -t in --key key < in")).ok();
    let pipeline = format!(
        "kafka-cat-in -b {address} -t in -G \"job-$CRASH_TEST_RUN\" -e \
         --exactly-once --state \"$CRASH_TEST_DIR/state\" --interval 200ms \
         | {STAGES} \
         | kafka-cat-out -b {address} -t \"out-$CRASH_TEST_RUN\" --key key -X transaction.timeout.ms=2000"
    );
    let output = format!("kafka-cat-in -b {address} -t \"out-$CRASH_TEST_RUN\" -e");
    let flags = format!(
        "--between 50ms..400ms --by window_start,key --seed {SEED} --zombie-for 3s \
         --broker-dir {dir} --down-for 0s..500ms --output-command '{output}'"
    );
    job.survives(&TOOLS, &pipeline, "any=10,zombie=2,broker=2", &flags);
    job.is_exact("runs/disturbed.output");
}
