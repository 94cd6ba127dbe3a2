//! Statistics in windows of all kinds, of the last lines, of rows that change, and in every way of running.

use aggregate::Aggregate;
use aggregate::cli::Cli;
use clap::Parser;
use millpipe::{Config, OnError};
use proptest::prelude::*;
use testkit::{every_way, play, play_with};

use super::pipeline::windowed;

fn stage(args: &[&str]) -> Aggregate {
    Aggregate::new(Cli::parse_from(std::iter::once("aggregate").chain(args.iter().copied())).job().unwrap())
}

/// Those that are the same to the byte, whatever a window is made of.
const EXACT: [&str; 10] = [
    "mad:x",
    "iqr:x",
    "geomean:w",
    "wavg:x:w",
    "twa:x:t",
    "entropy:x",
    "histogram:-1,0,2.5,100:x",
    "log2=histogram:log2:x",
    "ohlc:x",
    "big=wavg:x:w?.x > 1",
];

/// Those whose last digits depend on the order in which values are added.
const NEAR: [&str; 8] =
    ["corr:x:y", "covar:x:y", "covar_pop:x:y", "slope:x:.y*2", "intercept:x:y", "r2:x:y", "skewness:x", "kurtosis:x"];

/// Those of which lines can be taken back.
const TAKEN_BACK: [&str; 5] = ["n=count", "geomean:w", "wavg:x:w", "histogram:-1,0,2.5:x", "log2=histogram:log2:x"];

fn with_keys<'a>(specs: &[&'a str]) -> Vec<&'a str> {
    [&["--by", "k"], specs].concat()
}

/// Disordered lines of a few keys; some lack a field.
fn lines(count: u64) -> Vec<String> {
    let line = |n: u64| {
        let (t, x) = (1_700_000_000_000 + n * 311 - n * n % 7 * 200, (n * n % 101) as i64 - 50);
        let y = if n.is_multiple_of(9) { "null".to_owned() } else { format!("{}.5", x * 3 - (n % 5) as i64) };
        let x = format!("{}{}.{:02}", if x < 0 { "-" } else { "" }, x.abs() / 10, x.abs() % 10 * 7 % 100);
        format!("{{\"t\":{t},\"k\":{},\"x\":{x},\"y\":{y},\"w\":{}.25}}\n", n % 4, n % 11)
    };
    (0..count).map(line).collect()
}

const WINDOWS: [&str; 6] = [
    "--size 10s --time t --lateness 2s",
    "--size 10s --slide 2s --time t --lateness 5s",
    "--size 30s --cumulate 5s --time t --lateness 2s",
    "--session 800ms --by k --time t --lateness 10s",
    "--count 10 --slide-count 4 --by k",
    "--count 7 --by k",
];

#[test]
fn every_way_of_running_gives_the_same_statistics() {
    let input = lines(60).concat();
    let args = with_keys(&[&EXACT[..], &NEAR[..]].concat());
    for flags in WINDOWS {
        every_way(|| stage(&args), &windowed(flags, &input));
    }
    for how in ["tdigest", "exact", "reservoir:3"] {
        every_way(|| stage(&with_keys(&["mad:x", "iqr:x", "--percentiles", how])), &input);
    }
    for emit in [&["--emit", "end"][..], &["--emit", "update"], &["--emit", "update", "--changes"]] {
        every_way(|| stage(&[&args[..], emit].concat()), &input);
    }
}

#[test]
fn windows_of_slices_have_the_statistics_of_their_lines() {
    let input = lines(900).concat();
    for flags in &WINDOWS[1..3] {
        let args = with_keys(&EXACT);
        let found = play(stage(&args), &windowed(flags, &input)).data();
        let expected = play(stage(&args), &windowed(&format!("{flags} --expand"), &input)).data();
        assert!(found.lines().count() > 100 && found == expected, "{flags}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn statistics_of_the_last_lines_are_those_of_these_lines_alone(count in 1_u64..60, last in 1_usize..9) {
        let lines = lines(count);
        let specs = [&TAKEN_BACK[..], &["ohlc:x"]].concat();
        let text = last.to_string();
        let found = play(stage(&[&["--last", &text], &specs[..]].concat()), &lines.concat());
        let alone = |end: usize| play(stage(&specs), &lines[(end + 1).saturating_sub(last)..=end].concat()).out;
        let expected: String = (0..lines.len()).map(alone).collect();
        prop_assert_eq!(found.out, expected);
    }

    #[test]
    fn rows_that_are_taken_back_leave_no_trace(
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..80),
    ) {
        let lines = lines(40);
        let (mut rows, mut changes) = (Vec::new(), String::new());
        for (pick, goes) in picks {
            let (op, line) = match goes && !rows.is_empty() {
                true => ("delete", rows.remove(pick.index(rows.len()))),
                false => {
                    let line = pick.get(&lines).clone();
                    rows.push(line.clone());
                    ("insert", line)
                }
            };
            changes += &format!("{{\"op\":\"{op}\",{}", &line[1..]);
        }
        let found = play(stage(&[&with_keys(&TAKEN_BACK)[..], &["--of-changes"]].concat()), &changes);
        let expected = play(stage(&with_keys(&TAKEN_BACK)), &rows.concat());
        prop_assert_eq!(found.out, expected.out);
    }
}

#[test]
fn lines_that_leave_and_rows_that_change_go_through_crashes() {
    let input = lines(50);
    every_way(|| stage(&[&with_keys(&TAKEN_BACK)[..], &["ohlc:x", "--last", "4"]].concat()), &input.concat());
    let changes =
        play(stage(&["--by", "w", "--emit", "update", "--changes", "k=last:k", "x=max:x", "n=count"]), &input.concat());
    let args =
        ["--by", "k", "geomean:w", "wavg:x:n", "histogram:-1,0,2.5:x", "--of-changes", "--changes", "--emit", "update"];
    assert!(changes.out.lines().count() > 50);
    every_way(|| stage(&args), &changes.out);
}

#[test]
fn what_was_not_there_cannot_be_taken_back() {
    for spec in ["geomean:x", "wavg:x:w", "histogram:5:x"] {
        let input = "{\"op\":\"insert\",\"x\":1}\n{\"op\":\"insert\",\"w\":1}\n{\"op\":\"delete\",\"x\":9,\"w\":2}\n";
        let mut config = Config::new("aggregate");
        config.policy.on_error = Some(OnError::Reject);
        let rejected = play_with(stage(&["--of-changes", spec]), config, input).counts.rejected;
        // A geometric mean does not know which values it had.
        assert_eq!(rejected, u64::from(spec != "geomean:x"), "{spec}");
    }
}

#[test]
fn what_lines_that_leave_cannot_give_is_refused_by_name() {
    let refused = |flags: &[&str], spec: &str| {
        let args = std::iter::once("aggregate").chain(flags.iter().copied()).chain([spec]);
        Cli::parse_from(args).job().err().map(|error| error.message)
    };
    let name = |spec: &str| spec.split(['=', ':']).next().unwrap().to_owned();
    let told = |flag: &str, spec: &str| format!("{:?} cannot be of lines that leave again, as with {flag}", name(spec));
    for spec in NEAR.iter().chain(["mad:x", "iqr:x", "twa:x:t", "entropy:x"].iter()) {
        assert_eq!(refused(&["--last", "3"], spec), Some(told("--last", spec)));
        assert_eq!(refused(&["--of-changes"], spec), Some(told("--of-changes", spec)));
    }
    assert_eq!(refused(&["--of-changes"], "ohlc:x"), Some(told("--of-changes", "ohlc")));
    for spec in TAKEN_BACK {
        assert_eq!((refused(&["--last", "3"], spec), refused(&["--of-changes"], spec)), (None, None));
    }
}

#[test]
fn several_threads_give_the_same_statistics() {
    let input = lines(3_000).concat();
    let args = [&with_keys(&[&EXACT[..9], &NEAR[4..]].concat())[..], &["--threads", "1"]].concat();
    let run = |args: &[&str]| testkit::run(env!("CARGO_BIN_EXE_aggregate"), args, &input).ok();
    let one = run(&args);
    let plain = [&args[..args.len() - 1], &["4"]].concat();
    assert_eq!(run(&plain), one);
    let plain = |threads| {
        run(&["--by", "k", "skewness:x", "geomean:w", "histogram:log2:x", "ohlc:y", "mad:x", "--threads", threads])
    };
    assert_eq!(plain("4"), plain("1"));
}
