use testkit::conformance::{Stage, stage};

/// One after the other: the checks of one tool share a file.
#[test]
fn all_windows_keep_the_contract() {
    let good_line = r#"{"timestamp":"2026-01-01T00:00:05Z","k":"a","v":1}"#;
    let ways: [(&[&str], bool); 6] = [
        (&["--size", "10s"], true),
        (&["--size", "10s", "--slide", "2s"], true),
        (&["--size", "10s", "--slide", "5s", "--expand"], false),
        (&["--session", "10s", "--by", "k"], true),
        (&["--session", "10s", "--by", "k", "--plain"], false),
        (&["--count", "10", "--by", "k"], true),
    ];
    for (args, one_to_one) in ways {
        stage(&Stage { bin: env!("CARGO_BIN_EXE_window"), args, good_line, one_to_one });
    }
}
