//! The binary without a broker: its interface, and what it says when nobody answers.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::run;

const BIN: &str = env!("CARGO_BIN_EXE_kafka-cat-in");

#[test]
fn what_flags_cannot_mean_is_a_usage_error() {
    let cases: [(&[&str], &str); 15] = [
        (&["-t", "t"], "no broker given"),
        (&["-b", "x:1"], "--topic"),
        (&["-b", "http://x:1", "-t", "t"], "broker \"http://x:1\": Kafka is not spoken over that"),
        (&["-b", "x:1/t", "-t", "t"], "a broker is HOST:PORT, without a path"),
        (&["-b", "x:1", "-t", "t", "--spread"], "--instance"),
        (&["-b", "x:1", "-t", "t", "-o", "start"], "write beginning, end, stored"),
        (&["-b", "x:1", "-t", "t", "-o", "stored"], "-o stored needs a group"),
        (&["-b", "x:1", "-t", "t", "-X", "no.such=1"], "unknown property \"no.such\""),
        (&["-b", "x:1", "-t", "t", "-X", "group.id=g"], "property \"group.id\" cannot be set"),
        (&["-b", "x:1", "-t", "t", "-p", "3-1"], "write numbers and ranges"),
        (&["-b", "x:1", "-t", "^(", "-e"], "--topic \"^(\""),
        (&["-b", "x:1", "-t", "t", "--exactly-once", "--state", "s"], "--exactly-once needs a group"),
        (&["-b", "x:1", "-t", "t", "-G", "g", "--exactly-once"], "--state"),
        (&["-b", "x:1", "-t", "t", "-G", "g", "-c", "5", "--exactly-once", "--state", "s"], "--lines counts anew"),
        (&["-b", "x:1", "-t", "t", "--instance", "3/2"], "write I/N"),
    ];
    for (args, words) in cases {
        run(BIN, args, "").fails_with(2, words);
    }
}

#[test]
fn a_secret_is_never_printed() {
    for arguments in [
        ["-X", "sasl.password=hunter2", "-X", "sasl.mechanism=NONE"],
        ["-X", "sasl.password=hunter2", "-X", "security.protocol=hunter"],
        ["-X", "ssl.key.pem=hunter2", "-X", "security.protocol=ssl"],
        ["-X", "sasl.jaas.config=Plain required password=\"hunter2\";", "-X", "acks=hunter2"],
        ["-b", "me:hunter2@127.0.0.1:1", "-G", "g"],
    ] {
        let address = if arguments[0] == "-b" { &[][..] } else { &["-b", "127.0.0.1:1"] };
        let args = [address, &["-t", "t", "--broker-timeout", "100ms", "-v"], &arguments[..]].concat();
        let ran = run(BIN, &args, "");
        assert_ne!(ran.code, Some(0));
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

#[test]
fn without_a_broker_it_gives_up_with_75() {
    let ran = run(BIN, &["-b", "127.0.0.1:1", "-t", "t", "--broker-timeout", "500ms"], "");
    ran.fails_with(75, "kafka-cat-in: no broker of \"127.0.0.1:1\" answered within 500ms");
    assert!(ran.stderr.contains("hint: is a broker at this HOST:PORT"), "{}", ran.stderr);
}
