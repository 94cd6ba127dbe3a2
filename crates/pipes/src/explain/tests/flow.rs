//! Lines that are lost, kept back, or have not come.

use super::*;

#[test]
fn lines_ahead_of_the_clock_are_told_before_other_bad_lines() {
    let why = "time 2030-01-01T00:00:00Z is 5m1ms ahead of the clock, more than 5m (--max-ahead)";
    let rejects =
        format!(r#"{LOST},"lines_in":200,"lines_rejected":200,"rejects":[{{"place":"line 7","why":"{why}"}}]"#);
    scene().ours("window", &rejects).says_first(
        "ahead-of-the-clock",
        &format!("window takes no line whose time is ahead of the clock, and has rejected 200 lines; the last: {why}"),
        "--max-ahead off at window",
    );
}

#[test]
fn rejected_lines_come_with_the_last_reason() {
    let rejects = format!(
        r#"{LOST},"lines_in":200,"lines_rejected":200,"rejects":[{{"place":"line 7","why":"no field \"ts\""}}]"#
    );
    scene().ours("window", &rejects).says_first(
        "rejected",
        "window rejects all 200 lines; the last, line 7: no field \"ts\"",
        "--time FIELD",
    );
    let half = r#""lines_in":200,"lines_rejected":120,"lines_out":80"#;
    assert_eq!(scene().ours("window", half).rules(), ["rejected"]);
    let few = r#""lines_in":200,"lines_rejected":20,"lines_out":180"#;
    assert_eq!(scene().ours("window", few).rules(), ["flows"]);
}

#[test]
fn late_lines_of_partitions_need_marks() {
    let late = format!(r#"{LOST},"lines_in":5000,"lines_late":4990"#);
    let source = r#""role":"source","now":"work","args":["-t","t"]"#;
    scene().ours("kafka-cat-in", source).ours("window", &late).says_first(
        "late",
        "window drops 4,990 of 5,000 lines as late",
        "--marks at kafka-cat-in",
    );
    let marked = r#""role":"source","now":"work","args":["-t","t","--marks"]"#;
    let told = scene().ours("kafka-cat-in", marked).ours("window", &late).findings();
    assert!(told[0].mend.starts_with("a longer --lateness"), "{told:?}");
}

#[test]
fn a_filter_that_lets_no_line_pass() {
    let none = format!(r#"{LOST},"lines_in":50000,"lines_left_out":50000"#);
    scene().ours("filter", &none).ours("window", WAITS_INPUT).says_first(
        "filtered",
        "filter lets no line pass: 50,000 lines were left out",
        "a string is no number",
    );
    let rare = r#""now":"work","lines_in":500,"lines_left_out":500,"lines_out":0"#;
    assert_eq!(scene().ours("filter", rare).rules(), ["filtered"]);
    let most = r#""now":"work","lines_in":50000,"lines_left_out":49988,"lines_out":12"#;
    scene().ours("filter", most).says_first("filtered", "filter lets 12 lines of 50,000 lines pass", "head -n 1");
    let over = format!(r#"{none},"ended":{{"code":0}}"#);
    assert_eq!(scene().ours("filter", &over).rules(), ["filtered", "ended"]);
    let held = r#""now":"work","lines_in":50000,"lines_left_out":49988,"lines_out":0,"lines_held":12"#;
    assert_eq!(scene().ours("dedup", held).rules(), ["flows"]);
}

#[test]
fn a_foreign_program_keeps_its_output_back() {
    let before = r#""now":"input","now_ms":500,"lines_out":40,"bytes_out":900"#;
    let after = format!(r#"{WAITS_INPUT},"lines_in":0,"bytes_in":0"#);
    let with = |command: &str, written| {
        scene().ours("window", before).foreign(command, 'S', Some(Wait::PipeRead), written).ours("aggregate", &after)
    };
    with("jq -c .", 0).says_first(
        "foreign-keeps-back",
        "jq has read 40 lines from window, and nothing comes out: it keeps its output back until its buffer is full",
        "jq --unbuffered",
    );
    let told = with("jq --unbuffered -c select(false)", 0).findings();
    assert!(told[0].text.ends_with("it lets none of them pass, or keeps them"), "{told:?}");
    let works = scene().ours("window", before).foreign("jq -c .", 'R', None, 0).ours("aggregate", &after);
    assert!(!works.rules().contains(&"foreign-keeps-back!".to_owned()));
}

#[test]
fn a_partition_holds_the_watermark() {
    let holder = r#""rates":{"10s":{"lines_in":100,"lines_out":0}},"watermark":"1970-01-12T13:34:40Z",
        "watermark_moved":"1970-01-12T13:34:40Z","facts":{"open_windows":3,"next_end":"1970-01-12T13:40:00Z",
        "holder":{"from":"t/3","time":"1970-01-12T13:34:40Z","since":"1970-01-12T13:34:40Z"}}"#;
    scene().ours("window", holder).says_first(
        "watermark-is-held",
        "t/3 holds the watermark at 1970-01-12T13:34:40Z, as no line has come from it for 12m: windows that end later stay open at window",
        "--idle 5s",
    );
    assert_eq!(scene().ours("window", holder).rules(), ["watermark-is-held!", "window-is-open"]);
    let partitions = |times: &str| {
        format!(
            r#""rates":{{"10s":{{"lines_in":100,"lines_out":0}}}},"facts":{{"open_windows":1,"next_end":"1970-01-12T13:47:00Z",
            "watermark":"1970-01-12T13:46:35Z","holder":{{"from":"t/3",{times},"newest":"1970-01-12T13:46:39Z"}}}}"#
        )
    };
    scene().ours("window", &partitions(r#""time":null"#)).says_first(
        "watermark-is-held",
        "t/3 holds the watermark at 1970-01-12T13:46:35Z, as no line has come from it, and those of others have come to 1970-01-12T13:46:39Z: windows that end later stay open at window",
        "--idle 5s",
    );
    scene().ours("window", &partitions(r#""time":"1970-01-12T13:40:00Z""#)).says_first(
        "watermark-is-held",
        "t/3 holds the watermark at 1970-01-12T13:40:00Z, as the lines of others have come to 1970-01-12T13:46:39Z: windows that end later stay open at window",
        "--idle 5s",
    );
    let young = partitions(r#""time":null"#) + r#","elapsed_ms":900"#;
    assert_eq!(scene().ours("window", &young).rules(), ["window-is-open"]);
    let no_time =
        r#""rates":{"10s":{"lines_in":10,"lines_out":0}},"facts":{"open_windows":1,"next_end":"1970-01-12T13:47:00Z"}"#;
    let before = r#""now":"work","elapsed_ms":900,"facts":{"holder":{"from":"t/3"}}"#;
    assert_eq!(scene().ours("window", before).ours("aggregate", no_time).rules(), ["flows"]);
    let together = partitions(r#""time":"1970-01-12T13:46:38Z""#);
    assert_eq!(scene().ours("window", &together).rules(), ["window-is-open"]);
    let moves =
        holder.replace(r#""watermark_moved":"1970-01-12T13:34:40Z""#, r#""watermark_moved":"1970-01-12T13:46:39Z""#);
    assert_eq!(scene().ours("window", &moves).rules(), ["window-is-open"]);
}

#[test]
fn a_window_that_has_not_ended_says_when_it_does() {
    let open = r#""rates":{"10s":{"lines_in":100,"lines_out":0}},"watermark":"1970-01-12T13:46:35Z","lines_held":40,
        "facts":{"open_windows":3,"next_end":"1970-01-12T13:46:40Z"}"#;
    scene().ours("aggregate", open).says_first(
        "window-is-open",
        "no window has ended: aggregate keeps 3 windows open with 40 lines; the first ends at 1970-01-12T13:46:40Z, time has come to 1970-01-12T13:46:35Z, 5s before it",
        "--lateness",
    );
    let no_time = open.replace(r#""watermark":"1970-01-12T13:46:35Z","#, "");
    scene().ours("aggregate", &no_time).says_first(
        "window-is-open",
        "no time has come to aggregate, which keeps 3 windows open with 40 lines",
        "window or watermark must stand before it",
    );
    let before = r#""rates":{"10s":{"lines_in":100,"lines_out":100}},"facts":{"watermark":"1970-01-12T13:46:38Z"}"#;
    scene().ours("window", before).ours("aggregate", &no_time).says_first(
        "window-is-open",
        "no window has ended: aggregate keeps 3 windows open with 40 lines; the first ends at 1970-01-12T13:46:40Z, time has come to 1970-01-12T13:46:38Z, 2s before it",
        "--lateness",
    );
    let past = before.replace("46:38Z", "46:41Z");
    scene().ours("window", &past).ours("aggregate", &no_time).says_first(
        "window-is-open",
        "no time has come to aggregate, which keeps 3 windows open with 40 lines",
        "window or watermark must stand before it",
    );
    let gives = open.replace(r#""lines_out":0"#, r#""lines_out":4"#);
    assert_eq!(scene().ours("aggregate", &gives).rules(), ["flows"]);
}

fn source(partition: &str, facts: &str) -> String {
    format!(
        r#""role":"source",{WAITS_INPUT},"args":["-b","one:9092"],"facts":{{"partitions":[{{"partition":"t/0",{partition}}}]{facts}}}"#
    )
}

#[test]
fn a_source_waits_for_an_open_transaction() {
    let open = source(r#""position":4800,"end":5000,"stable_end":4800,"lag":200"#, "");
    scene().ours("kafka-cat-in", &open).says_first(
        "open-transaction",
        "kafka-cat-in has been waiting 12s at t/0, offset 4800, for a transaction of another program: 200 messages from there on are in it or after it",
        "--bootstrap-server one:9092 list",
    );
}

#[test]
fn a_source_gets_nothing_though_there_is_more() {
    let silent = source(r#""position":120,"end":5000,"stable_end":5000,"lag":4880"#, "");
    scene().ours("kafka-cat-in", &silent).says_first(
        "source-is-silent",
        "kafka-cat-in has got nothing for 12s, though 4,880 messages are left",
        "are the brokers up",
    );
}

#[test]
fn a_wait_that_is_broken_for_moments_is_one() {
    let polls = r#""role":"source","now":"input","now_ms":80,"shares":{"10s":{"busy":0.01,"input":0.99}},
        "rates":{"10s":{"lines_in":0,"lines_out":0}},"facts":{"caught_up":true}"#;
    scene().ours("kafka-cat-in", polls).says_first(
        "caught-up",
        "kafka-cat-in has read all of its input, and nothing new has come for 10s",
        "",
    );
    let young = format!("{polls},\"elapsed_ms\":3000");
    scene().ours("kafka-cat-in", &young).says_first(
        "caught-up",
        "kafka-cat-in has read all of its input, and nothing new has come for 3s",
        "",
    );
}

#[test]
fn a_source_has_read_all_and_the_last_windows_stay_open() {
    let done = source(r#""position":5000,"end":5000,"stable_end":5000,"lag":0"#, r#","caught_up":true"#);
    let open =
        format!(r#"{WAITS_INPUT},"lines_held":40,"facts":{{"open_windows":1,"next_end":"1970-01-12T13:46:50Z"}}"#);
    let scene = || scene().ours("kafka-cat-in", &done).ours("aggregate", &open);
    scene().says_first(
        "caught-up",
        "kafka-cat-in has read all of its partition, and nothing new has come for 12s",
        "look at what writes its input",
    );
    assert_eq!(scene().rules(), ["caught-up", "last-windows"]);
    let told = scene().findings();
    assert_eq!(
        told[1].text,
        "aggregate keeps 1 window open with 40 lines; the first ends at 1970-01-12T13:46:50Z: a window is written when a line comes that is later than its end"
    );
    // By the clock its end has passed, and only the last second is without lines.
    let past = open.replace("13:46:50", "13:46:30").replace("12000", "2100")
        + r#","rates":{"1s":{"lines_in":0},"10s":{"lines_in":200,"lines_out":0}},"watermark":"1970-01-12T13:46:29Z""#;
    let scene = Scene::default().ours("kafka-cat-in", &done).ours("aggregate", &past);
    assert_eq!(scene.rules(), ["caught-up", "last-windows"]);
    let files =
        format!(r#""role":"source",{WAITS_INPUT},"facts":{{"files":{{"read_bytes":2048,"total_bytes":2048}}}}"#);
    let follows = files.replace(r#","total_bytes":2048"#, "");
    assert_eq!(Scene::default().ours("file-cat-in", &follows).rules(), ["caught-up"]);
    let scene = Scene::default().ours("file-cat-in", &files);
    scene.says_first("caught-up", "file-cat-in has read all of its files (2KiB), and nothing new has come for 12s", "");
}

#[test]
fn a_foreign_source_gives_nothing() {
    let scene1 = scene().foreign("grep x", 'S', None, 0).ours("window", WAITS_INPUT);
    scene1.says_first("starved", "nothing has come from grep to window for 12s", "grep --line-buffered");
    scene().ours("window", WAITS_INPUT).says_first("starved", "nothing has come to window for 12s", "input of window");
    let behind_ours = scene().ours("generate", r#""now":"work""#).ours("window", WAITS_INPUT);
    assert_eq!(behind_ours.rules(), ["flows"]);
}
