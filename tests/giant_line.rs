//! A line of 100 MB: a bad line with a message, not an abort, and no memory beyond the limit.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::bash;

const GIANT: &str = "{ printf '{\"timestamp\":\"2026-01-01T00:00:00Z\",\"pad\":\"'; head -c 100000000 /dev/zero | tr '\\0' x; echo '\"}'; }";
const GOOD: &str = "echo '{\"timestamp\":\"2026-01-01T00:00:01Z\",\"pad\":\"\"}'";

#[test]
fn a_line_over_64_mib_stops_with_its_place() {
    let script = format!("{{ {GOOD}; {GIANT}; }} | window --size 1h --plain");
    bash(&["window"], &script).fails_with(1, "window: line 2, byte 46: a line longer than 67108864 bytes (--max-line)");
}

#[test]
fn a_line_over_64_mib_is_left_out_when_told_so() {
    let script = format!("{{ {GOOD}; {GIANT}; {GOOD}; }} | window --size 1h --plain --on-error skip | wc -l");
    assert_eq!(bash(&["window"], &script).ok().trim(), "2");
}

#[test]
fn a_line_of_100_mb_passes_when_it_is_allowed() {
    let script = format!("{GIANT} | window --size 1h --plain --max-line 128MiB | wc -c");
    assert_eq!(bash(&["window"], &script).ok().trim(), "100000120");
}
