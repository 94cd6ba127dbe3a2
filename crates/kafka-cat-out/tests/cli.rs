//! The binary without a broker: its interface, and what it says when nobody answers.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::run;

const BIN: &str = env!("CARGO_BIN_EXE_kafka-cat-out");

#[test]
fn what_flags_cannot_mean_is_a_usage_error() {
    let cases: [(&[&str], &str); 7] = [
        (&["-t", "t"], "no broker given"),
        (&["-b", "x:1"], "--topic"),
        (&["-b", "x:1", "-t", "t", "--create", "0"], "\"0\" is no number above 0"),
        (&["-b", "x:1", "-t", "t", "--key", "a..b"], "field path"),
        (&["-b", "x:1", "-t", "t", "-X", "acks=many"], "property \"acks\": invalid value (not shown)"),
        (&["-b", "x:1", "-t", "t", "-X", "partitioner=random"], "property \"partitioner\" cannot be set"),
        (&["-b", "x:1", "-t", "t", "--buffer", "1KiB"], "--buffer must be between 1MiB and 1TiB"),
    ];
    for (args, words) in cases {
        run(BIN, args, "").fails_with(2, words);
    }
}

#[test]
fn without_a_broker_it_gives_up_with_75_and_says_why() {
    let ran = run(BIN, &["-b", "127.0.0.1:1", "-t", "t", "--broker-timeout", "500ms"], "1\n");
    ran.fails_with(75, "kafka-cat-out: no broker of \"127.0.0.1:1\" answered within 500ms");
}
