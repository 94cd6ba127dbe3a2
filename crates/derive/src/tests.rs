use clap::Parser;
use serde_json::{Value, json};
use sorted_runs::Memory;
use testkit::{Played, every_way, play, play_with};
use units::ByteSize;

use crate::Derive;
use crate::cli::Cli;

fn cli(specs: &str) -> Cli {
    Cli::try_parse_from(["derive"].into_iter().chain(specs.split_whitespace())).unwrap()
}

fn derive(specs: &str) -> Derive {
    cli(specs).derive().unwrap()
}

fn ran(specs: &str, input: &str) -> (Vec<Value>, Played) {
    let played = play_with(derive(specs), cli(specs).config(), input);
    assert_eq!(played.result, Ok(()));
    (played.data().lines().map(|line| serde_json::from_str(line).unwrap()).collect(), played)
}

/// The member `x` of each line of `v` and, a second after the other, `t`; as text.
fn members(spec: &str, values: &[&str]) -> Vec<String> {
    let lines = values.iter().enumerate().map(|(n, value)| format!("{{\"v\":{value},\"t\":{n}}}\n"));
    let played = play(derive(&format!("--time t x={spec}")), &lines.collect::<String>());
    assert_eq!(played.result, Ok(()), "{spec}");
    let member =
        |line: &str| line.strip_prefix("{\"x\":").and_then(|line| line.split_once(",\"v\"")).unwrap().0.to_owned();
    played.out.lines().map(member).collect()
}

#[test]
fn lines_keep_their_bytes_and_lose_members_of_the_same_names() {
    let input = "{\"v\":1.50, \"x\":[1 , 2]}\n {\"d\":9,\"v\":2}\n{ }\n{\"v\":null,\"n\":1}\n{\"v\":3}\n";
    let expected = "{\"d\":null,\"n\":1,\"v\":1.50, \"x\":[1 , 2]}\n {\"d\":0.5,\"n\":2,\"v\":2}\n{\"d\":null,\"n\":3 }\n\
                    {\"d\":null,\"n\":4,\"v\":null}\n{\"d\":1,\"n\":5,\"v\":3}\n";
    assert_eq!(play(derive("d=delta:v n=count"), input).out, expected);
}

#[test]
fn decimals_have_no_noise() {
    assert_eq!(members("delta:v", &["0.1", "0.3", "1e2"]), ["null", "0.2", "99.7"]);
    assert_eq!(members("rsum:v", &["0.1", "0.2", "9007199254740993"]), ["0.1", "0.3", "9007199254740993.3"]);
    assert_eq!(members("sum:2:v", &["0.1", "0.2", "0.7", "-0.7"]), ["0.1", "0.3", "0.9", "0"]);
    assert_eq!(members("mean:2:v", &["0.1", "0.2"]), ["0.1", "0.15"]);
    assert_eq!(members("median:2:v", &["0.1", "0.2"]), ["0.1", "0.15"]);
    assert_eq!(members("ratio:v", &["0.1", "0.3"]), ["null", "3"]);
    assert_eq!(members("percent_change:v", &["0.7", "0.77"]), ["null", "10"]);
    assert_eq!(members("from_first:v", &["0.1", "0.3"]), ["0", "0.2"]);
    assert_eq!(members("rprod:v", &["1.1", "1.1"]), ["1.1", "1.21"]);
    assert_eq!(members("ewma:0.5:v", &["0.1", "0.2"]), ["0.1", "0.15"]);
    assert_eq!(members("rate:v", &["0.1", "0.3"]), ["null", "0.2"]);
}

#[test]
fn a_shift_is_of_any_value_as_it_was_written() {
    assert_eq!(
        members("shift:v", &["1.50", "\"a\\u0062\"", "null", "{\"a\": [1]}", "true"]),
        ["null", "1.50", "null", "\"a\\u0062\"", "{\"a\": [1]}"]
    );
    assert_eq!(members("shift:2:v", &["1", "2", "3"]), ["null", "null", "1"]);
}

#[test]
fn a_smaller_value_of_a_counter_is_a_reset() {
    let values = ["10", "15", "3", "3", "7"];
    assert_eq!(members("increase:v", &values), ["null", "5", "3", "0", "4"]);
    assert_eq!(members("increase:all:v", &values), ["null", "5", "8", "8", "12"]);
    assert_eq!(members("increase:3:v", &values), ["null", "5", "8", "3", "4"]);
    assert_eq!(members("rate:3:v", &values), ["null", "5", "4", "1.5", "2"]);
    assert_eq!(members("rate:2s:v", &values), ["null", "5", "3", "0", "4"]);
}

#[test]
fn lines_of_one_time_have_no_rate_and_no_slope() {
    let (lines, _) = ran("--time t r=rate:v s=slope:9:v e=ewma:5s:v", "{\"t\":1,\"v\":1}\n{\"t\":1,\"v\":2}\n");
    assert_eq!(lines[1], json!({"r": null, "s": null, "e": 1.5, "t": 1, "v": 2}));
}

#[test]
fn a_span_of_time_begins_just_after_so_long_before_the_line() {
    let input = "{\"t\":0,\"v\":1}\n{\"t\":3,\"v\":2}\n{\"t\":5,\"v\":4}\n{\"t\":5,\"v\":8}\n{\"t\":1e3,\"v\":16}\n";
    let (lines, _) = ran("--time t s=sum:5s:v n=count:5s", input);
    let found: Vec<_> = lines.iter().map(|line| (line["s"].as_u64(), line["n"].as_u64())).collect();
    assert_eq!(found, [(1, 1), (3, 2), (6, 2), (14, 3), (16, 1)].map(|(s, n)| (Some(s), Some(n))));
}

#[test]
fn keys_know_nothing_of_each_other() {
    let input = "{\"k\":1,\"v\":1}\n{\"k\":2,\"v\":5}\n{\"k\":1.0,\"v\":2}\n{\"v\":5}\n{\"k\":null,\"v\":6}\n";
    let (lines, _) = ran("--by k d=delta:v", input);
    let found: Vec<&Value> = lines.iter().map(|line| &line["d"]).collect();
    assert_eq!(found, [&json!(null), &json!(null), &json!(1), &json!(null), &json!(1)]);
}

#[test]
fn an_equal_series_has_no_deviation() {
    for spec in ["stddev:4:v", "var:all:v", "slope:4:v", "stddev:3s:v"] {
        assert_eq!(members(spec, &["0.1"; 9])[1..], ["0"; 8], "{spec}");
    }
    for spec in ["ewma:0.3:v", "ewma:7s:v", "holt_level:0.3,0.2:v", "kalman:0.1,3:v", "mean:7:v"] {
        assert_eq!(members(spec, &["0.1"; 9]), ["0.1"; 9], "{spec}");
    }
    assert_eq!(members("zscore:4:v", &["0.1"; 9]), ["null"; 9]);
    assert_eq!(members("savgol:5,2:v", &["0.1"; 6]), ["null", "null", "null", "null", "0.1", "0.1"]);
}

#[test]
fn one_point_has_what_one_point_can_have() {
    for (spec, member) in [
        ("delta:v", "null"),
        ("stddev:5:v", "null"),
        ("zscore:5:v", "null"),
        ("slope:5:v", "null"),
        ("median:5:v", "7"),
        ("rate:5m:v", "null"),
        ("increase:5m:v", "null"),
        ("holt_level:1,1:v", "7"),
        ("holt_trend:1,1:v", "null"),
        ("kalman:1,1:v", "7"),
        ("savgol:1,0:v", "7"),
        ("percent_change:v", "null"),
        ("from_first:v", "0"),
        ("p99.9:1:v", "7"),
    ] {
        assert_eq!(members(spec, &["7"]), [member], "{spec}");
    }
}

/// Results of numbers near the ends of the range.
#[test]
fn what_is_beyond_the_range_is_null_and_goes_with_its_window() {
    assert_eq!(members("delta:v", &["-1e308", "1e308", "1"]), ["null", "null", "-1e308"]);
    assert_eq!(members("sum:2:v", &["1e308", "1e308", "1", "2"]), ["1e308", "null", "1e308", "3"]);
    assert_eq!(members("mean:2:v", &["1e308", "1e308", "1", "2"]), ["1e308", "1e308", "5e307", "1.5"]);
    assert_eq!(members("stddev:2:v", &["-1e308", "1e308", "1", "2"])[3], "0.707106781186548");
    assert_eq!(members("ratio:v", &["1e-300", "1e300", "0", "5"]), ["null", "null", "0", "null"]);
    assert_eq!(members("holt_level:0.5,0.5:v", &["-1e308", "1e308", "1e308", "5", "6"])[4], "1.25e307");
    assert_eq!(members("ewma:0.5:v", &["-1e308", "1e308", "0"]), ["-1e308", "0", "0"]);
    assert_eq!(members("median:2:v", &["-1e308", "1e308"])[1], "0");
    assert_eq!(
        members("percent_change:v", &["-1e308", "1e308", "1.7e308", "0", "1"])[1..],
        ["-200", "70", "-100", "null"]
    );
    let (_, rates) = ran("--time t r=rate:v s=rate:all:v", "{\"t\":0,\"v\":0}\n{\"t\":10,\"v\":1e308}\n");
    assert!(rates.out.ends_with("{\"r\":1e307,\"s\":1e307,\"t\":10,\"v\":1e308}\n"), "{}", rates.out);
}

#[test]
fn any_number_gives_a_number_or_null() {
    let wild =
        ["1e308", "-1e308", "0", "5e-324", "-0.0", "1e290", "1", "0.1", "170141183460469231731687303715884105727"];
    let specs = "--time t delta:v ratio:v percent_change:v from_first:v increase:v rate:v rsum:v rprod:v a=sum:3:v b=mean:4s:v \
                 c=min:3:v d=max:3:v e=var:9:v f=stddev:all:v g=zscore:5:v h=slope:5:v i=median:4:v j=ewma:0.2:v k=ewma:3s:v \
                 l=holt_level:0.2,0.3:v m=holt_trend:0.2,0.3:v n=savgol:5,2:v o=kalman:1,1:v p=rate:all:v q=slope:all:v";
    let input: String = (0..300).map(|n| format!("{{\"t\":{},\"v\":{}}}\n", n / 2, wild[n * n % 10 % 9])).collect();
    let (lines, _) = ran(specs, &input);
    assert!(
        lines
            .iter()
            .flat_map(|line| line.as_object().unwrap().values())
            .all(|value| value.is_number() || value.is_null())
    );
    every_way(|| derive(specs), &input);
}

#[test]
fn times_may_be_negative_and_far_apart() {
    let input = "{\"t\":-62000000000,\"v\":1}\n{\"t\":-5,\"v\":2}\n{\"t\":\"2026-01-01T00:00:00Z\",\"v\":4}\n";
    let (lines, _) = ran("--time t --max-ahead off r=rate:v s=slope:all:v e=ewma:1s:v", input);
    assert_eq!(lines[2]["e"], 4);
    assert!(lines[2]["s"].as_f64().unwrap() > 0.0 && lines[2]["r"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_line_without_what_is_needed_is_bad_and_changes_nothing() {
    for line in [
        "{\"t\":1,\"v\":\"x\"}",
        "{\"v\":1}",
        "[1]",
        "{\"t\":1,\"v\":1e999}",
        "{\"t\":1,\"v\":[1]}",
        "{\"t\":1,\"v\":NaN}",
    ] {
        assert!(play(derive("--time t delta:v"), &format!("{line}\n")).result.is_err(), "{line}");
    }
    let input = "{\"v\":1}\n{\"v\":\"x\"}\n{\"v\":3}\n";
    let (lines, played) = ran("n=count d=delta:v --on-error skip", input);
    assert_eq!((lines[1]["n"].as_u64(), lines[1]["d"].as_u64(), played.counts.rejected), (Some(2), Some(2), 1));
}

#[test]
fn a_line_before_the_last_of_its_key_is_late() {
    let input =
        "{\"k\":1,\"t\":9,\"v\":1}\n{\"k\":2,\"t\":5,\"v\":1}\n{\"k\":1,\"t\":8,\"v\":5}\n{\"k\":1,\"t\":9,\"v\":2}\n";
    let (lines, played) = ran("--by k --time t d=delta:v --late drop", input);
    assert_eq!((lines.len(), played.counts.late, &lines[2]["d"]), (3, 1, &json!(1)));
    let (lines, _) = ran("--by k --time t d=delta:v --late pass", input);
    assert_eq!(lines[2], json!({"k": 1, "t": 8, "v": 5}));
}

#[test]
fn a_key_is_forgotten_after_its_ttl_and_begins_anew() {
    let input = "{\"t\":0,\"v\":1}\n{\"t\":49,\"v\":2}\n{\"t\":99,\"v\":4}\n";
    let (lines, _) = ran("--time t --ttl 50s d=delta:v", input);
    assert_eq!((&lines[1]["d"], &lines[2]["d"]), (&json!(1), &json!(null)));
}

#[test]
fn functions_of_one_field_and_span_share_what_is_kept() {
    let derive =
        derive("--time t a=mean:5m:v b=max:5m:v c=zscore:5m:.v d=mean:all:v e=counter:v f=rsum:v g=delta:v h=rate:v");
    assert_eq!((derive.plan.fields.len(), derive.plan.parts.len()), (1, 4));
}

fn mixed_lines() -> String {
    let mut state = 1u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) % below
    };
    let mut time = 0;
    (0..260)
        .map(|n| {
            time += if n % 50 == 0 { 4_000 } else { random(7) };
            let value = if random(9) == 0 { "null".to_owned() } else { format!("{}.{:02}", random(50), random(100)) };
            format!("{{\"k\":{},\"t\":{time},\"v\":{value},\"s\":\"{}\"}}\n", random(3), "é\\\"".repeat(n % 9))
        })
        .collect()
}

const OF_LINES: &str = "--by k --time t --ttl 1h shift:s s=shift:3:v delta:v d=delta:7:v ratio:v from_first:v increase:v rate:v rsum:v \
    p=rprod:(.v//20)/20 counter:v count a=mean:all:v b=min:all:v c=stddev:all:v e=slope:all:v f=increase:all:v \
    g=rate:all:v ewma:0.3:v h=ewma:9s:v holt_level:0.5,0.1:v holt_trend:0.5,0.1:v savgol:7,2:v kalman:0.5,4:v";
const OF_SPANS: &str = "--by k --time t a=mean:10:v b=sum:20s:v c=min:20s:v d=max:37:v e=median:20s:v f=p90:37:v g=stddev:20s:v \
    h=zscore:37:v i=slope:20s:v j=slope:37:v l=increase:20s:v m=rate:37:v n=count:20s o=count:9:v";

#[test]
fn it_gives_the_same_lines_in_every_way() {
    let input = mixed_lines();
    for specs in [OF_LINES, OF_SPANS, "x=shift:s y=count:5 z=var:4:v"] {
        every_way(|| derive(specs), &input);
    }
}

/// All keys but one are on disk at any time.
#[test]
fn with_keys_on_disk_the_lines_are_the_same_in_every_way() {
    let (scratch, input) = (Memory::default(), mixed_lines());
    let spilled = |specs: &str| {
        let mut stage = derive(specs);
        stage.spill_to(ByteSize(700), Box::new(scratch.clone())).unwrap();
        stage
    };
    for specs in [OF_LINES, OF_SPANS] {
        let before = scratch.written();
        let played = play(spilled(specs), &input);
        assert_eq!(played.result, Ok(()));
        assert_eq!(played.out, play(derive(specs), &input).out);
        assert!(scratch.written() > before + 5_000, "{} bytes went to disk", scratch.written() - before);
        every_way(|| spilled(specs), &input);
    }
    let mut stage = derive("--by k --buffer 6KiB s=shift:20:s");
    let long: String = (0..30).map(|n| format!("{{\"k\":{},\"s\":\"{}\"}}\n", n % 15, "x".repeat(300))).collect();
    assert!(play(derive("--by k --buffer 6KiB s=shift:20:s"), &long).result.is_err());
    stage.spill_to(ByteSize(4_000), Box::new(scratch.clone())).unwrap();
    assert_eq!(play(stage, &long).result, Ok(()), "what is on disk takes no memory");
}
