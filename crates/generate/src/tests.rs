use event_time::parse_rfc3339;
use millpipe::{Config, Out, Polled, Rejects, Source};
use proptest::prelude::*;
use units::{Rate, RateUnit};

use super::*;

/// 2026-01-01T00:00:00Z
const START_MS: i64 = 1_767_225_600_000;

fn spec(lines: u64) -> Spec {
    Spec {
        data: Data::Requests,
        lines,
        seed: 42,
        keys: 1_000,
        rate: None,
        event_rate: Rate::new(10_000, RateUnit::Second),
        out_of_order_ms: 0,
        start: Start::At(START_MS),
    }
}

fn out() -> Out {
    Out::new(&Config::new("generate").policy, Rejects::in_memory("generate"))
}

/// Polls until the source is done, or there is nothing to write for now.
fn poll_all(source: &mut Generator, out: &mut Out) -> Polled {
    loop {
        match source.poll(0, out).unwrap() {
            Polled::More => {}
            polled => return polled,
        }
    }
}

fn generated(spec: &Spec) -> String {
    let (mut source, mut out) = (Generator::new(spec), out());
    source.start(&mut out).unwrap();
    assert_eq!(poll_all(&mut source, &mut out), Polled::Done);
    String::from_utf8(out.take()).unwrap()
}

fn field<T: serde::de::DeserializeOwned>(line: &str, name: &str) -> T {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    serde_json::from_value(value[name].clone()).unwrap()
}

fn times(text: &str) -> Vec<i64> {
    text.lines().map(|line| parse_rfc3339(field::<String>(line, "timestamp").as_bytes()).unwrap()).collect()
}

#[test]
fn the_bytes_of_a_seed_never_change() {
    assert_eq!(
        generated(&Spec { out_of_order_ms: 2_000, ..spec(2) }),
        concat!(
            r#"{"timestamp":"2026-01-01T00:00:00.637Z","key":"user-950","value":13.07,"status":200,"path":"/api/v1/cart/history/4","host":"web-8.eu-west-1a.example"}"#,
            "\n",
            r#"{"timestamp":"2026-01-01T00:00:01.423Z","key":"user-149","value":26.35,"status":200,"path":"/api/v1/orders/edit/2","host":"web-6.eu-west-1a.example"}"#,
            "\n",
        )
    );
}

#[test]
fn another_seed_gives_other_lines() {
    assert_ne!(generated(&spec(5)), generated(&Spec { seed: 43, ..spec(5) }));
}

#[test]
fn every_line_is_json_of_about_150_bytes() {
    let text = generated(&spec(20_000));
    assert_eq!(text.lines().count(), 20_000);
    for line in text.lines() {
        json_fields::validate(line.as_bytes()).unwrap();
        assert!((130..=request::LINE_BYTES_MAX).contains(&line.len()), "{line}");
    }
    assert!((145..155).contains(&(text.len() / 20_000)));
}

#[test]
fn event_time_goes_at_the_event_rate() {
    let times = times(&generated(&Spec { event_rate: Rate::new(4, RateUnit::Second), ..spec(6) }));
    let since: Vec<i64> = times.iter().map(|ms| ms - START_MS).collect();
    assert_eq!(since, [0, 250, 500, 750, 1_000, 1_250]);
}

#[test]
fn disorder_stays_below_its_limit_and_nothing_is_before_the_start() {
    let times = times(&generated(&Spec { out_of_order_ms: 2_000, ..spec(50_000) }));
    let early = times.iter().enumerate().map(|(i, ms)| START_MS + 2_000 + i as i64 / 10 - ms);
    let (least, most) = early.fold((i64::MAX, 0), |(least, most), ms| (least.min(ms), most.max(ms)));
    assert_eq!(least, 0);
    assert_eq!(most, 1_999);
    assert!(times.iter().all(|&ms| ms >= START_MS));
}

#[test]
fn values_are_lognormal_and_statuses_mostly_good() {
    let text = generated(&spec(50_000));
    let mut values: Vec<f64> = text.lines().map(|line| field(line, "value")).collect();
    values.sort_by(f64::total_cmp);
    let (median, p99) = (values[25_000], values[49_500]);
    assert!((19.6..20.6).contains(&median), "{median}"); // e^3 = 20.09
    assert!((123.0..136.0).contains(&p99), "{p99}"); // e^(3 + 0.8 * 2.326) = 129.1
    let good = text.lines().filter(|line| field::<u64>(line, "status") == 200).count();
    assert!((44_600..45_400).contains(&good), "{good}");
}

#[test]
fn keys_are_uniform_and_below_their_number() {
    let mut counts = [0_u32; 7];
    for line in generated(&Spec { keys: 7, ..spec(7_000) }).lines() {
        let key: String = field(line, "key");
        counts[key.strip_prefix("user-").unwrap().parse::<usize>().unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (850..1_150).contains(count)), "{counts:?}");
}

#[test]
fn the_rate_is_kept_by_the_clock_and_what_was_missed_comes_at_once() {
    let rate = Rate::new(1_000, RateUnit::Second);
    let (mut source, mut out) = (Generator::new(&Spec { rate, ..spec(1_000_000) }), out());
    out.set_now_ms(5_000);
    source.start(&mut out).unwrap();
    assert_eq!(poll_all(&mut source, &mut out), Polled::PaceUntil(5_001));
    assert_eq!(out.counts().lines_out, 1);
    out.set_now_ms(5_003);
    assert_eq!(poll_all(&mut source, &mut out), Polled::PaceUntil(5_004));
    assert_eq!(out.counts().lines_out, 4);
    out.set_now_ms(15_000);
    poll_all(&mut source, &mut out);
    assert_eq!(out.counts().lines_out, 10_001);
}

#[test]
fn a_slow_rate_is_due_when_its_time_has_come_and_not_before() {
    let rate = Rate::new(3, RateUnit::Second);
    let (mut source, mut out) = (Generator::new(&Spec { rate, ..spec(9) }), out());
    source.start(&mut out).unwrap();
    let mut waits = Vec::new();
    while let Polled::PaceUntil(at_ms) = poll_all(&mut source, &mut out) {
        waits.push(at_ms);
        out.set_now_ms(at_ms);
    }
    assert_eq!(waits, [334, 667, 1_000, 1_334, 1_667, 2_000, 2_334, 2_667]);
    assert_eq!(out.counts().lines_out, 9);
}

#[test]
fn a_clock_that_goes_back_writes_nothing_twice() {
    let rate = Rate::new(1_000, RateUnit::Second);
    let (mut source, mut out) = (Generator::new(&Spec { rate, ..spec(100) }), out());
    out.set_now_ms(5_000);
    source.start(&mut out).unwrap();
    poll_all(&mut source, &mut out);
    out.set_now_ms(1_000);
    assert_eq!(poll_all(&mut source, &mut out), Polled::PaceUntil(5_001));
    assert_eq!(out.counts().lines_out, 1);
}

#[test]
fn started_now_the_position_carries_the_start() {
    let now = Spec { start: Start::Now, ..spec(10) };
    let (mut first, mut out) = (Generator::new(&now), out());
    assert_eq!(first.position(), r#"{"line":0,"start":null}"#);
    out.set_now_ms(START_MS + 7);
    first.start(&mut out).unwrap();
    assert_eq!(first.position(), r#"{"line":0,"start":"2026-01-01T00:00:00.007Z"}"#);
    let mut second = Generator::new(&now);
    second.seek(&first.position()).unwrap();
    out.set_now_ms(START_MS + 99_999);
    second.start(&mut out).unwrap();
    poll_all(&mut second, &mut out);
    assert_eq!(times(std::str::from_utf8(&out.take()).unwrap())[0], START_MS + 7);
}

#[test]
fn what_is_no_position_is_refused() {
    for text in ["", "7", r#"{"start":null}"#, r#"{"line":7,"start":"noon"}"#, r#"{"line":-1,"start":null}"#] {
        let error = Generator::new(&spec(10)).seek(text).unwrap_err();
        assert_eq!(error.message, format!("not a position of generate: {text:?}"));
    }
}

#[test]
fn event_time_ends_with_the_year_9999() {
    let day = Rate::new(1, RateUnit::Day);
    let last_day = Start::At(TIME_MAX_MS - 86_400_000);
    let (mut source, mut out) = (Generator::new(&Spec { event_rate: day, start: last_day, ..spec(5) }), out());
    source.start(&mut out).unwrap();
    let Err(Fault::Stop(error)) = source.poll(0, &mut out) else { panic!("it goes on") };
    assert_eq!(error.message, "event time has come to the year 9999");
    assert_eq!(out.counts().lines_out, 2);
}

proptest! {
    #[test]
    fn from_any_position_the_same_lines_follow(at in 0_u64..2_000, seed: u64, out_of_order_ms in 0_i64..5_000) {
        let spec = Spec { seed, out_of_order_ms, ..spec(2_010) };
        let whole = generated(&spec);
        let (mut source, mut out) = (Generator::new(&spec), out());
        source.seek(&format!(r#"{{"line":{at},"start":"2026-01-01T00:00:00Z"}}"#)).unwrap();
        source.start(&mut out).unwrap();
        poll_all(&mut source, &mut out);
        let rest: Vec<&str> = whole.lines().skip(usize::try_from(at).unwrap()).collect();
        let text = String::from_utf8(out.take()).unwrap();
        prop_assert_eq!(text.lines().collect::<Vec<_>>(), rest);
    }
}

#[test]
fn events_of_nexmark_go_on_from_any_position() {
    let spec = Spec { data: Data::Nexmark, event_rate: Rate::new(100, RateUnit::Second), ..spec(500) };
    let all = generated(&spec);
    let (mut source, mut out) = (Generator::new(&spec), out());
    source.seek(r#"{"line":123,"start":"2026-01-01T00:00:00Z"}"#).unwrap();
    source.start(&mut out).unwrap();
    assert_eq!(poll_all(&mut source, &mut out), Polled::Done);
    let rest: String = all.lines().skip(123).map(|line| format!("{line}\n")).collect();
    assert_eq!(String::from_utf8(out.take()).unwrap(), rest);
}

fn metrics(lines: u64, keys: u64) -> Spec {
    Spec { data: Data::Metrics, keys, event_rate: Rate::new(keys, RateUnit::Minute), ..spec(lines) }
}

#[test]
fn metrics_have_a_line_a_minute_of_each_host() {
    let text = generated(&metrics(7, 3));
    let hosts: Vec<String> = text.lines().map(|line| field(line, "host")).collect();
    assert_eq!(hosts, ["web-0", "web-1", "web-2", "web-0", "web-1", "web-2", "web-0"]);
    let minutes: Vec<i64> = times(&text).iter().map(|ms| (ms - START_MS) / 60_000).collect();
    assert_eq!(minutes, [0, 0, 0, 1, 1, 1, 2]);
    let first = "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"host\":\"web-0\",\"value\":78.67,\"label\":null}";
    assert_eq!(text.lines().next(), Some(first));
    assert!(text.lines().all(|line| line.len() < metrics::LINE_BYTES_MAX));
}

/// Four weeks of three hosts: 78 days with a chance of one third.
#[test]
fn metrics_have_labelled_anomalies_of_all_kinds_after_two_days() {
    let text = generated(&metrics(3 * 28 * 1440, 3));
    let mut begun = std::collections::BTreeMap::<String, usize>::new();
    let mut before = vec![None; 3];
    for (number, line) in text.lines().enumerate() {
        let label: Option<String> = field(line, "label");
        assert!(label.is_none() || number >= 3 * 2 * 1440);
        if let Some(kind) = label.clone().filter(|_| before[number % 3] != label) {
            *begun.entry(kind).or_default() += 1;
        }
        before[number % 3] = label;
    }
    assert_eq!(begun.len(), 5, "{begun:?}");
    assert!((15..37).contains(&begun.values().sum::<usize>()), "{begun:?}");
}

/// The hours of a day differ by more than the noise, and the same hour of two weeks by the trend.
#[test]
fn metrics_have_a_day_a_week_and_a_trend() {
    let text = generated(&metrics(28 * 1440, 1));
    let values: Vec<f64> = text.lines().map(|line| field(line, "value")).collect();
    let hour = |hour: usize| values[hour * 60..(hour + 1) * 60].iter().sum::<f64>() / 60.0;
    let of_day: Vec<f64> = (0..24).map(hour).collect();
    let (least, most) = (of_day.iter().copied().fold(f64::MAX, f64::min), of_day.iter().copied().fold(0.0, f64::max));
    assert!(most > 1.6 * least, "{least} {most}");
    let day = |day: usize| values[day * 1440..(day + 1) * 1440].iter().sum::<f64>() / 1440.0;
    // The first is a Thursday, the fourth a Sunday.
    assert!(day(3) < day(0) && day(21) > day(0));
}

#[test]
fn metrics_go_on_from_any_position() {
    let spec = Spec { out_of_order_ms: 90_000, ..metrics(9_500, 2) };
    let whole = generated(&spec);
    let (mut source, mut out) = (Generator::new(&spec), out());
    source.seek(r#"{"line":9123,"start":"2026-01-01T00:00:00Z"}"#).unwrap();
    source.start(&mut out).unwrap();
    assert_eq!(poll_all(&mut source, &mut out), Polled::Done);
    let rest: String = whole.lines().skip(9_123).map(|line| format!("{line}\n")).collect();
    assert_eq!(String::from_utf8(out.take()).unwrap(), rest);
}
