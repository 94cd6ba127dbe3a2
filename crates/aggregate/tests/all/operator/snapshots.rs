//! What is saved of the operator, and what is taken back.

use millpipe::{Changes, Config, Driver, Rejects, Stateful};
use testkit::every_way;

use super::{script, stage, tumbling};

#[test]
fn keys_come_and_go_in_every_way_of_running() {
    let line = |n: u64| format!(r#"{{"t":{},"k":{},"v":{n}}}"#, n * 700, n * n % 23 % (3 + n / 9));
    let input = script(&(0..120).map(line).collect::<Vec<_>>());
    let time = ["--by", "k", "count", "sum:v", "--time", "t", "--time-unit", "ms"];
    for more in [
        &["--ttl", "3s"][..],
        &["--emit", "every:5s"],
        &["--emit", "every:5s", "--ttl", "4s"],
        &["--emit", "update", "--max-keys", "4", "--overflow", "evict-oldest"],
        &["--emit", "every:2s", "--max-keys", "4", "--overflow", "evict-oldest"],
    ] {
        every_way(|| stage(&[&time[..], more].concat()), &input);
    }
    every_way(|| stage(&["count", "sum:v"]), &input);
}

/// The head and the entries of a stage that has taken the input.
fn saved(args: &[&str], input: &str) -> (Vec<u8>, Vec<(String, Vec<u8>)>) {
    let mut driver = Driver::new(stage(args), Config::new("aggregate"), Rejects::in_memory("aggregate"));
    driver.feed(input.as_bytes()).unwrap();
    let (mut head, mut changes) = (Vec::new(), Changes::default());
    driver.stage.snapshot(&mut head).unwrap();
    driver.stage.changes(&mut changes).unwrap();
    let entry = |line: &[u8]| {
        let (key, value): (String, Box<serde_json::value::RawValue>) = serde_json::from_slice(line).unwrap();
        (key, value.get().as_bytes().to_vec())
    };
    (head, changes.text().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(entry).collect())
}

#[test]
fn the_state_is_text_that_names_windows_and_keys() {
    let input = script(&[tumbling(10, r#""k":"b","v":1"#), tumbling(10, r#""k":"b","v":2.50"#)]);
    let (head, entries) = saved(&["--by", "k", "count", "sum:v"], &input);
    let expected = r#"{"aggregate":1,"sequence":2,"watermarks":false,"watermark":null,"mode":{"kind":"windows","groups":{"2026-11-22T10:00:10Z/10s":1}},"divides":{"by":[".k"],"max":["/sequence"],"sum":["/mode/groups"],"behind":"|"}}"#;
    assert_eq!(String::from_utf8(head).unwrap(), format!("{expected}\n"));
    let value = br#"{"lines":2,"stats":[[2,3.50,1,2.50]]}"#.to_vec();
    assert_eq!(entries, [(r#"2026-11-22T10:00:10Z/10s|"b""#.to_owned(), value)]);
    let (_, entries) = saved(&["--by", "k,v", "count"], "{\"k\":\"b\",\"v\":1}\n");
    assert_eq!(entries, [("\"b\"\n1".to_owned(), br#"[0,null,1,{"lines":1}]"#.to_vec())]);
}

/// All kinds of streams, by what a line of them looks like and what is said before.
const KINDS: [(&str, &str); 5] = [
    ("", ""),
    ("", r#""window_start":"2026-11-22T10:00:00Z","window_end":"2026-11-22T10:00:10Z","#),
    (
        r#"{"$":"window","start":"2026-11-22T10:00:00Z","end":"2026-11-22T10:00:10Z"}"#,
        r#""slice_start":"2026-11-22T10:00:00Z","slice_end":"2026-11-22T10:00:05Z","#,
    ),
    (r#"{"$":"sessions","by":["k"]}"#, r#""slice_start":"2026-11-22T10:00:00Z","slice_end":"2026-11-22T10:00:05Z","#),
    (r#"{"$":"counts","by":["k"],"size":9,"slide":3}"#, r#""slice_start":0,"slice_end":3,"#),
];

#[test]
fn a_damaged_entry_is_refused_or_goes_on() {
    let args = ["--by", "k", "count", "sum:v", "p50:v", "last:v"];
    let mut seed: u64 = 7;
    let mut below = |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % bound
    };
    for (mark, annotation) in KINDS {
        let line = |k: u32| format!(r#"{{{annotation}"k":"u{k}","v":1.5}}"#);
        let input = script(&[mark.to_owned(), line(1), line(2)]).trim_start().to_owned();
        let (head, entries) = saved(&args, &input);
        let mut refused = 0;
        for _ in 0..3_000 {
            let mut restored = stage(&args);
            restored.restore(&mut head.as_slice()).unwrap();
            let (name, value) = &entries[below(entries.len())];
            let (mut name, mut value) = (name.clone().into_bytes(), value.clone());
            let text = if below(3) == 0 { &mut name } else { &mut value };
            let at = below(text.len());
            let pool = b"0123456789-.,:[]{}\"|/TZsabe";
            match below(3) {
                0 => text.truncate(at),
                1 => text[at] = pool[below(pool.len())],
                _ => text.insert(at, pool[below(pool.len())]),
            }
            if restored.restore_entry(&String::from_utf8(name).unwrap(), &value).is_err() {
                refused += 1;
                continue;
            }
            let mut driver = Driver::new(restored, Config::new("aggregate"), Rejects::in_memory("aggregate"));
            let _ = driver.feed(input.as_bytes()).and_then(|()| driver.finish());
        }
        assert!(refused > 1_000, "{refused} of {mark} {annotation}");
    }
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let mut text = Vec::new();
    stage(&["count", "--by", "k"]).snapshot(&mut text).unwrap();
    for torn in [&b""[..], b"{}", b"{\"aggregate\":99}", &text[..text.len() / 2]] {
        assert!(stage(&["count", "--by", "k"]).restore(&mut &*torn).is_err());
    }
}
