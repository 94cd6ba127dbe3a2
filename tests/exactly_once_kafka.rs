//! From topic to topic through a real broker, with stages killed, stopped and woken up, and the broker killed too: nothing
//! lost, nothing doubled, every cell exact. `crash.rs` tells of the long form.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, clippy::cast_precision_loss)]

mod crash;

use crash::{Job, STAGES};
use testkit::Broker;

const TOOLS: [&str; 4] = ["kafka-cat-in", "window", "aggregate", "kafka-cat-out"];
/// Longer than the transactions live that are stopped.
const TIMES: &str = "--between 50ms..400ms --zombie-for 3s";
/// Short where transactions are left open; in the other run nothing is, and a busy machine may take longer for one.
const TRANSACTION: &str =
    "-X transaction.timeout.ms=$([[ $CRASH_TEST_RUN == undisturbed ]] && echo 60000 || echo 2000)";

/// A broker with the job's lines in a topic of four partitions, and topics for the results.
fn start(job: &Job) -> Broker {
    let broker = Broker::start();
    broker.topic("in", 4);
    broker.topic("out-undisturbed", 2);
    broker.topic("out-disturbed", 2);
    job.run(&TOOLS, &format!("kafka-cat-out -b {} -t in --key key < in", broker.address())).ok();
    broker
}

fn survives(job: &Job, broker: &Broker, stages: &str, what: &str, flags: &str) {
    let address = broker.address();
    let pipeline = format!(
        "kafka-cat-in -b {address} -t in -G \"job-$CRASH_TEST_RUN\" -e \
         --exactly-once --state \"$CRASH_TEST_DIR/state\" --interval 200ms \
         | {stages} \
         | kafka-cat-out -b {address} -t \"out-$CRASH_TEST_RUN\" --key key {TRANSACTION}"
    );
    let output = format!("kafka-cat-in -b {address} -t \"out-$CRASH_TEST_RUN\" -e");
    job.survives(&TOOLS, &pipeline, what, &format!("{TIMES} {flags} --output-command '{output}'"));
}

/// The seed's first fourteen choices are ten random stages, two zombies and two kills of the broker.
#[test]
fn the_standard_job_survives_kills_of_its_stages_and_of_the_broker() {
    let Some(job) = Job::new(14) else { return };
    let broker = start(&job);
    let flags = format!("--seed 55 --by window_start,key --broker-dir {} --down-for 0s..500ms", broker.dir().display());
    survives(&job, &broker, STAGES, "any=10,zombie=2,broker=2", &flags);
    job.is_exact("runs/disturbed.output");
}

/// Lines as they are: each transaction has some, not only those at which windows end.
#[test]
fn a_copy_survives_kills_and_stopped_stages() {
    let Some(job) = Job::new(10) else { return };
    let broker = start(&job);
    let flags = format!("--seed 5 --expect {}/in", job.path().display());
    survives(&job, &broker, "pace", "any=4,all=2,zombie=1", &flags);
}
