//! What every tool must do: for one loop, a pool of filters, a pool of programs, and programs that are kept.

use testkit::conformance::{Stage, stage};

const BIN: &str = env!("CARGO_BIN_EXE_parallel-map");
const GOOD_LINE: &str = r#"{"key":"a","value":1.50}"#;

fn conforms(args: &[&str]) {
    stage(&Stage { bin: BIN, args, good_line: GOOD_LINE, one_to_one: true });
}

#[test]
fn a_filter_in_one_loop_conforms() {
    conforms(&["-j", "1", "."]);
}

#[test]
fn filters_in_a_pool_conform() {
    conforms(&["-j", "2", ".value+1"]);
    conforms(&["-j", "4", "--batch", "50B", "."]);
}

#[test]
fn programs_conform() {
    conforms(&["-j", "2", "--", "cat"]);
}

#[test]
fn programs_that_are_kept_conform() {
    conforms(&["-j", "3", "--persistent", "--batch", "200B", "--", "cat"]);
}
