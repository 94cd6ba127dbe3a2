use testkit::conformance::{Stage, stage};

#[test]
fn throttle_keeps_the_contract() {
    for args in
        [&["--rate", "100000/s"][..], &["--bytes", "100MiB/s", "--rate", "50000/s", "--overflow", "drop-oldest"]]
    {
        stage(&Stage {
            bin: env!("CARGO_BIN_EXE_throttle"),
            args,
            good_line: r#"{"timestamp":"2026-01-01T00:00:05Z","v":1}"#,
            one_to_one: true,
        });
    }
}
