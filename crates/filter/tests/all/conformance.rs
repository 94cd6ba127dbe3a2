//! What every tool must do: for one loop and for a pool, on bytes and with jaq.

use testkit::conformance::{Stage, stage};

fn conforms(args: &[&str]) {
    let good_line = r#"{ "key":"a","value":1.50}"#;
    stage(&Stage { bin: env!("CARGO_BIN_EXE_filter"), args, good_line, one_to_one: true });
}

#[test]
fn filter_keeps_the_contract() {
    conforms(&["."]);
}

#[test]
fn filter_keeps_the_contract_when_others_are_kept() {
    conforms(&["--not", "false"]);
}

#[test]
fn filter_keeps_the_contract_with_jobs_and_jaq() {
    conforms(&["-j", "2", "tojson"]);
}
