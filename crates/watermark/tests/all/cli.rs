use testkit::{run, run_until_it_says};

const WATERMARK: &str = env!("CARGO_BIN_EXE_watermark");

#[test]
fn a_bad_line_stops_with_its_place() {
    let ran = run(WATERMARK, &["--time", "at"], "{\"at\":1}\n{\"timestamp\":1}\n");
    ran.fails_with(
        1,
        "watermark: line 2, byte 9: no field \"at\"; the line has \"timestamp\"\nwatermark: hint: --time FIELD",
    );
    assert!(ran.stderr.contains("\nwatermark: hint: --on-error reject"), "{}", ran.stderr);
}

#[test]
fn wrong_flags_teach_the_right_ones() {
    run(WATERMARK, &["--lateness", "10"], "").fails_with(2, "duration \"10\" has no unit: say 10s or 10ms");
    run(WATERMARK, &["--time-unit", "min"], "").fails_with(2, "unknown time unit \"min\": say auto, s, ms, us or ns");
    run(WATERMARK, &["--time", "a..b"], "").fails_with(2, "invalid value 'a..b' for '--time <FIELD>'");
}

#[test]
fn data_from_the_future_passes_when_it_is_asked_for() {
    let line = "{\"timestamp\":\"2999-01-01T00:00:00Z\"}\n";
    run(WATERMARK, &[], line).fails_with(1, "ahead of the clock, more than 5m (--max-ahead)");
    let out = run(WATERMARK, &["--max-ahead", "off"], line).ok();
    assert!(out.ends_with("{\"$\":\"watermark\",\"time\":\"2998-12-31T23:59:59.999Z\"}\n"), "{out}");
}

#[test]
fn a_partition_with_nothing_to_read_is_free_after_the_idle_time() {
    let input = concat!(
        "{\"$\":\"from\",\"part\":\"a\"}\n{\"$\":\"from\",\"part\":\"b\"}\n{\"timestamp\":9}\n",
        "{\"$\":\"idle\",\"part\":\"a\",\"final\":false}\n"
    );
    let bin = env!("CARGO_BIN_EXE_watermark");
    let out = run_until_it_says(bin, &["--idle", "200ms"], input, "\"time\":\"").ok();
    assert!(out.ends_with("{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:08.999Z\"}\n"), "{out}");
}

#[test]
fn figures_of_a_stage_that_waits_say_so_while_it_waits() {
    let script = "set -e; metrics=$(mktemp -d); trap 'rm -r \"$metrics\"' EXIT
        { { echo '{\"timestamp\":9}'
            until grep -qs '\"lines_in\":1,.*\"elapsed_ms\":[0-9]\\{4\\}' \"$metrics\"/watermark.*.json; do sleep 0.05; done
            cat \"$metrics\"/watermark.*.json >&3
        } | \"$0\" --metrics \"$metrics\" 3>&- > /dev/null; } 3>&1";
    let seen = run("bash", &["-c", script, WATERMARK], "").ok();
    let figures: serde_json::Value = serde_json::from_str(&seen).unwrap();
    let [elapsed, waited] = ["elapsed_ms", "wait_input_ms"].map(|name| figures[name].as_u64().unwrap());
    assert!(elapsed >= 1000 && 2 * waited > elapsed, "{seen}");
}
