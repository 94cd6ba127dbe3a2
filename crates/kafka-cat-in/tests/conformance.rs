//! What every source must do, against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::conformance::{Source, source};
use testkit::{Broker, bin, run};

#[test]
fn it_conforms() {
    let broker = Broker::start();
    let lines: String = (0..1000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
    let topic = ["-b", broker.address(), "-t", "conformance"];
    run(bin("kafka-cat-out"), &[&topic[..], &["--create", "1"]].concat(), &lines).ok();
    source(&Source {
        bin: env!("CARGO_BIN_EXE_kafka-cat-in"),
        bounded: &[&topic[..], &["-o", "beginning", "-e"]].concat(),
        idle: &[&topic[..], &["-o", "beginning", "--marks"]].concat(),
    });
}
