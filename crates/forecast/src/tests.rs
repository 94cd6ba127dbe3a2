use clap::Parser;
use millpipe::Fault;
use proptest::prelude::*;
use serde_json::Value;
use sorted_runs::Memory;
use testkit::{every_way, play};
use units::ByteSize;

use crate::Forecaster;
use crate::cli::Cli;

fn forecaster(flags: &str) -> Forecaster {
    let horizon = if flags.contains("--horizon") { "" } else { "--horizon 2" };
    let flags = format!("forecast --time t {horizon} {flags}");
    Cli::try_parse_from(flags.split_whitespace()).unwrap().forecast().unwrap()
}

fn line(key: &str, time: i64, value: &str) -> String {
    format!("{{\"k\":\"{key}\",\"t\":{time},\"value\":{value}}}\n")
}

/// Values of one key, a second apart.
fn lines(values: &[f64]) -> String {
    values.iter().zip(0..).map(|(value, time)| line("a", time, &format!("{value:?}"))).collect()
}

fn rows(flags: &str, input: &str) -> Vec<Value> {
    let played = play(forecaster(flags), input);
    assert_eq!(played.result, Ok(()), "{flags}");
    played.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn forecasts(rows: &[Value]) -> Vec<f64> {
    rows.iter().map(|row| row["forecast"].as_f64().unwrap()).collect()
}

/// Two keys, a season of four steps, a gap, and lines out of order.
fn seasonal() -> String {
    let value = |at: i64| [10.0, 14.0, 11.0, 30.0][at as usize % 4] + (at * 37 % 11) as f64 / 10.0 + at as f64 * 0.1;
    (0..60)
        .filter(|at| at % 13 != 5)
        .map(|at| line(if at % 3 == 0 { "b" } else { "a" }, (at ^ 1) * 10, &format!("{}", value(at ^ 1))))
        .collect()
}

#[test]
fn rows_are_the_steps_after_the_last_value_of_each_key_in_order_of_first_lines() {
    let input = [line("b", 0, "1"), line("a", 5, "7"), line("b", 10, "2"), line("a", 35, "8")].concat();
    let expected = "{\"k\":\"b\",\"time\":\"1970-01-01T00:00:20Z\",\"forecast\":2}\n\
                    {\"k\":\"b\",\"time\":\"1970-01-01T00:00:30Z\",\"forecast\":2}\n\
                    {\"k\":\"a\",\"time\":\"1970-01-01T00:01:05Z\",\"forecast\":8}\n\
                    {\"k\":\"a\",\"time\":\"1970-01-01T00:01:35Z\",\"forecast\":8}\n";
    assert_eq!(play(forecaster("--by k --model naive --interval none"), &input).out, expected);
}

#[test]
fn bounds_are_named_by_their_level() {
    let played = play(forecaster("--model naive --interval 95 --horizon 1"), &lines(&[1.0, 2.0, 1.0]));
    let expected = "{\"time\":\"1970-01-01T00:00:03Z\",\"forecast\":1,\"lower_95\":-0.9599639845400536,\"upper_95\":2.9599639845400536}\n";
    assert_eq!(played.out, expected);
}

#[test]
fn values_may_come_in_any_order_and_the_last_of_a_time_counts() {
    let input =
        [line("a", 2, "9"), line("a", 0, "1"), line("a", 1, "5"), line("a", 2, "7"), line("a", 3, "null")].concat();
    let rows = rows("--model naive", &input);
    assert_eq!((forecasts(&rows), &rows[0]["time"]), (vec![7.0, 7.0], &Value::from("1970-01-01T00:00:03Z")));
}

#[test]
fn a_season_is_a_number_of_steps_a_duration_or_found() {
    let values: Vec<f64> = (0..48).map(|at| [1.0, 5.0, 2.0, 9.0][at % 4]).collect();
    for flags in ["--season 4", "--season 4s", "--season auto"] {
        for model in ["snaive", "ets", "theta", "mstl", "auto"] {
            let found = forecasts(&rows(&format!("{flags} --model {model}"), &lines(&values)));
            assert!((found[0] - 1.0).abs() < 0.2 && (found[1] - 5.0).abs() < 0.2, "{flags} {model}: {found:?}");
        }
    }
    assert_eq!(forecasts(&rows("--season none --model snaive", &lines(&values))), [9.0, 9.0]);
}

#[test]
fn months_are_steps_of_the_calendar() {
    let months = ["2024-10-31", "2024-11-30", "2024-12-31", "2025-01-31"];
    let input: String = months.iter().map(|day| format!("{{\"t\":\"{day}T00:00:00Z\",\"value\":3}}\n")).collect();
    let found = rows("--model naive", &input);
    assert_eq!(
        (&found[0]["time"], &found[1]["time"]),
        (&"2025-02-28T00:00:00Z".into(), &"2025-03-31T00:00:00Z".into())
    );
    assert_eq!(rows("--model naive --every 1mo", &input), found);
}

#[test]
fn series_that_say_little_give_what_they_can() {
    let times: Vec<Value> = rows("--every 1h", &line("a", -7_200, "4")).iter().map(|row| row["time"].clone()).collect();
    assert_eq!(times, ["1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z"]);
    let row = &rows("--every 1h", &line("a", 0, "4"))[1];
    assert_eq!((&row["forecast"], &row["lower_80"], &row["upper_95"]), (&4.into(), &Value::Null, &Value::Null));
    let alone = play(forecaster(""), &line("a", 0, "4"));
    assert_eq!((alone.out.as_str(), alone.warnings.len()), ("", 1));
    assert!(alone.warnings[0].contains("--every 1h says how long a step is"), "{:?}", alone.warnings);
    assert_eq!(play(forecaster("--every 1h"), &[line("a", 0, "null"), "{\"t\":1}\n".to_owned()].concat()).out, "");
    assert_eq!(forecasts(&rows("", &lines(&[5.0; 40]))), [5.0, 5.0]);
    assert_eq!(rows("--every 1h --max-ahead off", "{\"t\":\"9999-12-31T23:59:59Z\",\"value\":4}\n"), [0; 0]);
}

#[test]
fn many_gaps_are_told() {
    let input: String = [0, 10, 20, 80, 90, 150].iter().map(|time| line("a", *time, "1")).collect();
    let played = play(forecaster(""), &input);
    assert!(played.warnings[0].starts_with("keys of which many steps have no value: 1"), "{:?}", played.warnings);
}

#[test]
fn a_line_without_a_number_or_a_time_is_bad() {
    let said = |line: &str| match play(forecaster(""), line).result {
        Err(Fault::Stop(error)) => error.message,
        other => format!("{other:?}"),
    };
    assert_eq!(said("{\"t\":1,\"value\":\"NaN\"}\n"), "line 1, byte 0: field \"value\" is not a number: \"NaN\"");
    let Err(Fault::Stop(error)) = play(forecaster(""), "{\"t\":1,\"value\":\"7\"}\n").result else {
        panic!("it is good")
    };
    let hint = error.hint.unwrap_or_default();
    assert!(hint.starts_with("tonumber makes a number of a text: --value '.value | tonumber'"), "{hint}");
    assert!(said("{\"t\":1,\"value\":1e999}\n").contains("field \"value\": number out of range: 1e999"));
    assert!(said("{\"value\":1}\n").contains("no field \"t\""));
}

#[test]
fn a_line_may_be_an_array() {
    let forecaster = Cli::try_parse_from(["forecast", "--horizon", "1", "--time", ".[0]", "--value", ".[1]"]).unwrap();
    let played = play(forecaster.forecast().unwrap(), "[1,5]\n[2,5]\n");
    assert!(played.out.starts_with("{\"time\":\"1970-01-01T00:00:03Z\",\"forecast\":5,"), "{}", played.out);
}

#[test]
fn at_a_limit_it_stops_and_says_which() {
    let said = |flags: &str, input: &str| format!("{:?}", play(forecaster(flags), input).result);
    assert!(said("--by k --max-keys 1", &[line("a", 0, "1"), line("b", 0, "1")].concat()).contains("more than 1 keys"));
    assert!(said("--buffer 40B", &lines(&[1.0, 2.0, 3.0])).contains("the histories of all keys take more than 40B"));
    assert!(said("--buffer 48B --history 2", &lines(&[1.0, 2.0, 3.0, 4.0])).contains("Ok"));
}

#[test]
fn only_the_history_counts() {
    let values: Vec<f64> = (0..90).map(|at| f64::from(at % 7) + f64::from(at / 40)).collect();
    let short = rows("--history 20", &lines(&values));
    let input: String =
        values.iter().zip(0..).skip(70).map(|(value, time)| line("a", time, &value.to_string())).collect();
    assert_eq!(short, rows("", &input));
    let old = [lines(&values), line("a", 3, "1e9")].concat();
    assert_eq!(short, rows("--history 20", &old));
}

#[test]
fn a_model_goes_along_with_the_values() {
    let values: Vec<f64> = (0..30).map(f64::from).collect();
    let found = rows("--emit update --every 1s --model ets --interval none", &lines(&values));
    assert_eq!(found.len(), 2 * 21);
    for (row, at) in found.chunks(2).zip(9..) {
        assert_eq!(row[0]["time"], format!("1970-01-01T00:00:{:02}Z", at + 1));
        assert!((row[1]["forecast"].as_f64().unwrap() - f64::from(at + 2)).abs() < 0.1, "{row:?}");
    }
}

#[test]
fn a_check_compares_values_with_what_was_said_of_them() {
    let values: Vec<f64> = (0..20).map(f64::from).collect();
    let flags = "--check --every 1s --model naive --interval 95";
    let found = rows(&format!("{flags} --emit update"), &lines(&values));
    // The first model is of ten values, and speaks of the step two ahead.
    assert_eq!(found.len(), 9);
    assert_eq!((&found[0]["value"], &found[0]["forecast"], &found[0]["mase"]), (&11.into(), &9.into(), &2.into()));
    assert_eq!(found[0]["coverage_95"], 100);
    let total = rows(flags, &lines(&values));
    assert_eq!((total.len(), &total[0]["values"], &total[0]["smape"]), (1, &9.into(), &found[8]["smape"]));
}

#[test]
fn a_line_that_is_not_in_a_later_step_is_late_where_a_model_goes_along() {
    let input = [line("a", 10, "1"), line("a", 10, "2"), line("a", 9, "3"), line("a", 12, "3")].concat();
    let played = play(forecaster("--emit update --every 1s --late drop"), &input);
    assert_eq!((played.counts.late, played.result), (2, Ok(())));
    assert!(played.warnings[0].contains("is not a step after 1970-01-01T00:00:10Z"), "{:?}", played.warnings);
}

#[test]
fn steps_without_a_line_are_as_forecast_and_a_long_silence_begins_anew() {
    let values: Vec<f64> = (0..20).map(f64::from).collect();
    let late = |time: i64| [lines(&values), line("a", time, "25")].concat();
    let flags = "--emit update --every 1s --model ets --interval none --history 50";
    let found = forecasts(&rows(flags, &late(25)));
    assert!((found[found.len() - 2] - 26.0).abs() < 0.5, "{found:?}");
    assert_eq!(rows(flags, &late(100)).len(), 2 * 11);
}

#[test]
fn it_gives_the_same_rows_in_every_way() {
    let input = seasonal();
    for flags in ["", "--season 4 --history 12", "--model mstl --season 40s", "--model theta --interval none"] {
        every_way(|| forecaster(&format!("--by k --every 10s {flags}")), &input);
        every_way(|| forecaster(&format!("--by k --every 10s {flags} --emit update --late drop --refit 7")), &input);
        every_way(|| forecaster(&format!("--by k --every 10s {flags} --check --late drop")), &input);
    }
}

#[test]
fn what_is_damaged_is_refused() {
    use millpipe::{Stage, Stateful};
    let mut stage = forecaster("--by k");
    assert!(stage.restore(&mut &b"{}"[..]).is_err());
    for value in [
        "[]",
        "[0,[5,1e0,4,1e0],1,null]",
        "[0,[5,\"NaN\"],1,null]",
        "[0,[],2,null]",
        "[0,[],1,[1,2,[],[],[]]]",
        "[0,[],1,[1,2,[0e0,0e0,0e0,0e0,0e0],[1e0],[]]]",
    ] {
        assert!(stage.restore_entry("\"a\"", value.as_bytes()).is_err(), "{value}");
    }
    stage.restore_entry("\"a\"", b"[0,[4,1e0,5,-1e308],1,null]").unwrap();
    assert!(stage.restore_entry("\"a\"", b"[0,[],0,null]").is_err());
    assert_eq!(stage.held(), 0);
}

/// Lines of two keys with two values, of which one or the other is missing now and then.
fn pairs() -> String {
    let number = |at: i64, step: i64| if at % step == 1 { "null".to_owned() } else { (at * 37 % 11).to_string() };
    let line = |at: i64| {
        let key = if at % 3 == 0 { "b" } else { "a" };
        format!("{{\"k\":\"{key}\",\"t\":{at},\"cpu\":{},\"load\":{}}}\n", number(at, 5), number(at + 3, 4))
    };
    (0..80).map(line).collect()
}

#[test]
fn of_several_values_there_are_rows_of_each() {
    let input = "{\"k\":\"a\",\"t\":1,\"cpu\":1,\"load\":5}\n{\"k\":\"a\",\"t\":2,\"cpu\":2}\n{\"k\":\"b\",\"t\":2,\"load\":7}\n";
    let expected = "{\"k\":\"a\",\"forecast_of\":\"cpu\",\"time\":\"1970-01-01T00:00:03Z\",\"forecast\":2}\n\
                    {\"k\":\"a\",\"forecast_of\":\"load\",\"time\":\"1970-01-01T00:00:02Z\",\"forecast\":5}\n\
                    {\"k\":\"b\",\"forecast_of\":\"load\",\"time\":\"1970-01-01T00:00:03Z\",\"forecast\":7}\n";
    let flags = "--by k --value cpu,load --every 1s --model naive --interval none --horizon 1";
    assert_eq!(play(forecaster(flags), input).out, expected);
}

/// What is said of a value does not depend on the others.
#[test]
fn each_value_is_forecast_as_if_it_were_alone() {
    for flags in ["", "--emit update --refit 7", "--check", "--check --emit update", "--history 9"] {
        let flags = format!("--by k --every 1s --model ets {flags}");
        let both = rows(&format!("{flags} --value cpu,load"), &pairs());
        for name in ["cpu", "load"] {
            let alone = rows(&format!("{flags} --value {name}"), &pairs());
            let mut of_both: Vec<Value> = both.iter().filter(|row| row["forecast_of"] == name).cloned().collect();
            of_both.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("forecast_of")));
            assert!(alone.len() > 1, "{flags}");
            assert_eq!(of_both, alone, "{flags} {name}");
        }
    }
}

#[test]
fn a_line_is_late_by_the_last_one_of_its_key_whichever_value_that_had() {
    let input = "{\"t\":5,\"cpu\":1}\n{\"t\":5,\"load\":1}\n{\"t\":6,\"load\":1}\n";
    let played = play(forecaster("--value cpu,load --emit update --every 1s --late drop"), input);
    assert_eq!((played.counts.late, played.result), (1, Ok(())));
}

#[test]
fn a_key_that_is_forgotten_has_no_rows_at_the_end() {
    let input = [line("a", 0, "1"), line("b", 8, "2"), line("a", 9, "3"), line("b", 19, "4")].concat();
    let found = |ttl: &str| {
        let rows = rows(&format!("--by k --every 1s --model naive --interval none --horizon 1 {ttl}"), &input);
        rows.iter().map(|row| row["k"].as_str().unwrap().to_owned()).collect::<Vec<String>>().concat()
    };
    assert_eq!(
        (found(""), found("--ttl 11s"), found("--ttl 10s"), found("--ttl 1s")),
        ("ab".into(), "ab".into(), "b".into(), "b".into())
    );
    assert_eq!(found("--ttl 10s --lateness 1s"), "ab");
}

#[test]
fn a_key_that_comes_again_after_the_ttl_begins_anew() {
    let values: Vec<f64> = (0..40).map(f64::from).collect();
    let again = |values: &[f64], from: i64| {
        values.iter().zip(from..).map(|(value, time)| line("a", time, &value.to_string())).collect::<String>()
    };
    let input = [again(&values, 0), again(&[7.0; 12], 100)].concat();
    for flags in ["", "--emit update", "--check"] {
        let flags = format!("--by k --every 1s --model ets {flags}");
        let alone = rows(&flags, &again(&[7.0; 12], 100));
        let found = rows(&format!("{flags} --ttl 60s"), &input);
        assert_eq!(found[found.len() - alone.len()..], alone, "{flags}");
        // With lateness the watermark has forgotten nothing when the line comes.
        assert_eq!(rows(&format!("{flags} --ttl 60s --lateness 30s"), &input), found, "{flags}");
        assert_ne!(rows(&flags, &input), found, "{flags}");
    }
}

#[test]
fn a_key_of_one_line_is_forgotten_with_its_memory() {
    let many: String = (0..500).map(|at| line(&format!("k{at}"), at, "1")).collect();
    let played = play(forecaster("--by k --every 1s --ttl 5s --max-keys 6 --buffer 96B"), &many);
    assert_eq!((played.result, played.out.lines().count()), (Ok(()), 2 * 5));
}

#[test]
fn a_line_as_old_as_what_is_forgotten_is_late() {
    let input = [line("a", 100, "1"), line("b", 90, "2"), line("b", 91, "2")].concat();
    let played = play(forecaster("--by k --every 1s --ttl 10s --late drop"), &input);
    assert_eq!((played.counts.late, played.out.lines().count()), (1, 4));
    assert!(played.warnings[0].contains("its key may be forgotten (--ttl)"), "{:?}", played.warnings);
}

/// Of one of the keys every other line is missing.
fn silent() -> String {
    let is_there = |line: &&str| !line.contains("\"b\"") || line.len().is_multiple_of(2);
    pairs().lines().filter(is_there).map(|line| format!("{line}\n")).collect()
}

/// All series but those of one key are on disk at any time.
#[test]
fn with_series_on_disk_the_rows_are_the_same_in_every_way() {
    let (scratch, input) = (Memory::default(), silent());
    for flags in ["--value cpu,load", "--value cpu,load --ttl 3s --lateness 1s", "--value cpu --check --late drop"] {
        let flags = format!("--by k --every 1s --model theta {flags}");
        let spilled = || {
            let mut stage = forecaster(&flags);
            stage.spill_to(ByteSize(1_000), Box::new(scratch.clone())).unwrap();
            stage
        };
        let before = scratch.written();
        assert_eq!(play(spilled(), &input).out, play(forecaster(&flags), &input).out, "{flags}");
        assert!(scratch.written() > before + 1_000, "{} bytes went to disk", scratch.written() - before);
        every_way(spilled, &input);
    }
}

#[test]
fn several_values_and_forgotten_keys_give_the_same_rows_in_every_way() {
    let silent = silent();
    for flags in [
        "--value cpu,load",
        "--value cpu --ttl 4s",
        "--value cpu,load --ttl 3s --lateness 1s",
        "--value load,cpu --ttl 1s",
    ] {
        for live in ["", "--emit update --late drop --refit 7", "--check --late drop"] {
            every_way(|| forecaster(&format!("--by k --every 1s --model theta {flags} {live}")), &silent);
        }
    }
}

#[test]
fn a_damaged_state_of_several_values_or_with_times_is_refused() {
    use millpipe::Stateful;
    let refuses = |flags: &str, value: &str| forecaster(flags).restore_entry("\"a\"", value.as_bytes()).is_err();
    let one = "[0,[4,1e0],1,null]";
    for (flags, good) in [
        ("--by k", one.to_owned()),
        ("--by k --value x,y", format!("[{one},{one}]")),
        ("--by k --ttl 5s", format!("[4,{one}]")),
        ("--by k --ttl 5s --value x,y", format!("[4,[{one},{one}]]")),
    ] {
        assert!(!refuses(flags, &good), "{flags}");
        for wrong in [
            "[]".to_owned(),
            format!("[{one}]"),
            format!("[{one},{one},{one}]"),
            format!("[4,{one}"),
            "[4,[]]".to_owned(),
        ] {
            assert!(refuses(flags, &wrong), "{flags}: {wrong}");
        }
    }
}

/// Values that are hard for arithmetic.
fn hard() -> impl Strategy<Value = f64> {
    prop_oneof![Just(0.0), Just(1e308), Just(-1e308), Just(5e-324), Just(1.0), -100.0..100.0f64, any::<f64>()]
        .prop_map(|value| if value.is_finite() { value } else { 3.0 })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// No panic, and every member is a number, or null where it is beyond the range.
    #[test]
    fn any_values_give_numbers(values in prop::collection::vec(hard(), 1..60), season in 1..9u32, repeats in 1..4usize) {
        let values = values.repeat(repeats);
        for model in ["naive", "snaive", "ets", "theta", "mstl", "auto"] {
            for live in ["", "--emit update --refit 20", "--check"] {
                let found = rows(&format!("--every 1s --model {model} --season {season} {live}"), &lines(&values));
                let is_good = |row: &Value| row.as_object().unwrap().values().all(|value| value.is_number() || value.is_string() || value.is_null());
                prop_assert!(found.iter().all(is_good));
            }
        }
    }

    /// Bounds enclose the forecast, and those of 95 % those of 80 %.
    #[test]
    fn bounds_lie_around_the_forecast(values in prop::collection::vec(-1e6..1e6f64, 2..80)) {
        for row in rows("", &lines(&values)) {
            let at = |name: &str| row[name].as_f64().unwrap();
            let order = [at("lower_95"), at("lower_80"), at("forecast"), at("upper_80"), at("upper_95")];
            prop_assert!(order.is_sorted(), "{order:?}");
        }
    }
}
