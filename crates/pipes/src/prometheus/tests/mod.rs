mod shipped;

use super::*;
use crate::machine::stage::Stage;

fn stage(name: &str, pid: u32, members: &str) -> Stage {
    let facts = Facts::parse(&format!(r#"{{"stage":"{name}","pid":{pid},{members}}}"#)).unwrap();
    Stage { name: name.to_owned(), pid, facts: Some(facts.into()), written_ms: 1_500, ..Stage::default() }
}

fn look(stages: Vec<Stage>) -> Look {
    let pipelines = vec![Pipeline { name: "job \"a\\b\"\n".to_owned(), stages }];
    Look { at_ms: 2_000, pipelines, ..Look::default() }
}

/// The lines of values that begin so.
fn values(text: &str, start: &str) -> Vec<String> {
    text.lines().filter(|line| line.starts_with(start)).map(str::to_owned).collect()
}

#[test]
fn a_stage_has_its_metrics_with_labels() {
    let members = r#""hop":1,"lines_in":1234567890123,"wait_input_ms":1500,"watermark":"1970-01-01T00:00:01.250Z","cpu_ms":31000"#;
    let text = text(&look(vec![stage("window", 7, members)]));
    let labels = r#"{pipeline="job \"a\\b\"\n",stage="window",hop="1""#;
    assert_eq!(values(&text, "millpipe_lines_in_total"), [format!("millpipe_lines_in_total{labels}}} 1234567890123")]);
    assert_eq!(values(&text, "millpipe_wait_"), [format!("millpipe_wait_seconds_total{labels},for=\"input\"}} 1.5")]);
    assert_eq!(values(&text, "millpipe_watermark"), [format!("millpipe_watermark_timestamp_seconds{labels}}} 1.25")]);
    assert_eq!(values(&text, "millpipe_stage_up"), [format!("millpipe_stage_up{labels}}} 1")]);
    assert!(!text.contains("millpipe_lines_late_total"), "what is not known is not told");
}

#[test]
fn dead_stages_have_an_exit_code_and_no_counts() {
    let killed = Stage { life: Life::Killed { seen_ms: 1_000 }, ..stage("window", 7, r#""lines_in":5"#) };
    let ended = Stage { life: Life::Ended { at_ms: 1_000, code: 75 }, ..stage("aggregate", 8, r#""lines_in":5"#) };
    let text = text(&look(vec![killed, ended]));
    assert!(values(&text, "millpipe_stage_exit_code")[0].ends_with(" 137"));
    assert!(values(&text, "millpipe_stage_exit_code")[1].ends_with(" 75"));
    assert!(values(&text, "millpipe_stage_up").iter().all(|line| line.ends_with(" 0")));
    assert!(values(&text, "millpipe_lines_in_total").is_empty());
}

#[test]
fn no_two_lines_have_the_same_name_and_labels() {
    let stages = ["0", "1"].map(|shard| stage("window", 7, &format!(r#""hop":1,"shard":"{shard}","lines_in":1"#)));
    let twins = [8, 9].map(|pid| stage("window", pid, r#""hop":2,"lines_in":1"#));
    let text = text(&look(stages.into_iter().chain(twins).collect()));
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let names: BTreeSet<&str> = lines.iter().filter_map(|line| Some(line.rsplit_once(' ')?.0)).collect();
    assert_eq!(names.len(), lines.len());
}

#[test]
fn partitions_and_stages_are_capped() {
    let partition = |at: usize| format!(r#"{{"partition":"t/{at}","lag":{at},"behind_ms":1500}}"#);
    let partitions = (0..250).map(partition).collect::<Vec<_>>().join(",");
    let source = stage("kafka-cat-in", 7, &format!(r#""hop":0,"facts":{{"partitions":[{partitions}]}}"#));
    let shown = text(&look(vec![source]));
    let lags = values(&shown, "millpipe_partition_lag_messages");
    assert_eq!(lags.len(), 100);
    assert!(lags[0].ends_with("partition=\"t/249\"} 249"), "{}", lags[0]);
    assert!(values(&shown, "millpipe_lag_messages")[0].ends_with(" 31125"));
    assert!(values(&shown, "millpipe_behind_seconds")[0].ends_with(" 1.5"));
    let many = (0..2_010).map(|pid| stage("window", pid + 1, r#""lines_in":1"#)).collect();
    let shown = text(&look(many));
    assert_eq!(values(&shown, "millpipe_lines_in_total").len(), 2_000);
    assert_eq!(values(&shown, "millpipe_stages_left_out"), ["millpipe_stages_left_out 10"]);
}

/// The grammar of the format, line by line: a family has its help and its kind before its values, once, and all values together.
#[test]
fn the_text_is_of_the_format() {
    let stages = vec![stage("generate", 6, r#""lines_out":1,"elapsed_ms":5"#), stage("window", 7, r#""lines_in":1"#)];
    let text = text(&look(stages));
    let mut families = BTreeSet::new();
    let mut family = "";
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split_once(' ').unwrap().0;
            assert!(families.insert(family), "{family} twice");
            let (name, kind) = lines.next().unwrap().strip_prefix("# TYPE ").unwrap().split_once(' ').unwrap();
            assert_eq!((name, kind == "counter"), (family, family.ends_with("_total")));
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert_eq!(name.split('{').next().unwrap(), family);
        assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{line}");
    }
    assert!(families.len() > 5);
}
