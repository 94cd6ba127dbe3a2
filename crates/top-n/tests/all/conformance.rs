use testkit::conformance::{Stage, stage};

const TOP_N: &str = env!("CARGO_BIN_EXE_top-n");
const LINE: &str = r#"{"window_start":"2026-01-01T00:00:00Z","window_end":"2026-01-01T00:00:10Z","user":"a","v":1}"#;

#[test]
fn top_n_keeps_the_contract() {
    stage(&Stage {
        bin: TOP_N,
        args: &["-n", "500", "--by", "user", "--order", "v:desc"],
        good_line: LINE,
        one_to_one: false,
    });
}

#[test]
fn top_n_keeps_the_contract_with_windows() {
    let args = ["-n", "2", "--order", "v:desc", "--rank", "place", "--window"];
    stage(&Stage { bin: TOP_N, args: &args, good_line: LINE, one_to_one: false });
}

#[test]
fn top_n_keeps_the_contract_line_by_line() {
    let args = ["-n", "9999", "--order", "v:desc", "--emit", "update"];
    stage(&Stage { bin: TOP_N, args: &args, good_line: LINE, one_to_one: true });
}
