//! What every sink must do, against a real broker.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::Broker;
use testkit::conformance::{Sink, sink};

#[test]
fn it_conforms() {
    let broker = Broker::start();
    let args = ["-b", broker.address(), "-t", "conformance", "--create", "2"];
    sink(&Sink { bin: env!("CARGO_BIN_EXE_kafka-cat-out"), args: &args, good_line: r#"{"key":"a","value":1.50}"# });
}
