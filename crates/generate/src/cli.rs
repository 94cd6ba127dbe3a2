//! The command line of `generate`.

use std::str::FromStr;

use event_time::{TIME_MAX_MS, TIME_MIN_MS, parse_rfc3339};
use millpipe::Error;
use units::{DurationMs, Rate, RateUnit};

use crate::{Data, Spec, Start};

const EXAMPLES: &str = "\
Examples:
  A million lines for a trial, the same on every machine:
    generate --lines 1000000 --seed 42 --out-of-order 2s > events.ndjson

  A live stream of a thousand lines a second with the clock's time, until Ctrl-C:
    generate --rate 1000/s --start now | window --size 10s | aggregate --by key count p99:value

  The events of Nexmark, three kinds of lines in one stream:
    generate --data nexmark --lines 10000 --event-rate 100/s > auctions.ndjson

  Two weeks of a metric of three hosts, a line a minute of each, with anomalies, which are labelled:
    generate --data metrics --keys 3 --lines 60480 | detect --by host --warm-up 1440 | filter .anomaly

  Few keys, slow event time, so that windows are small:
    generate --lines 20 --keys 3 --event-rate 1/s --start 2026-03-01T00:00:00Z";

/// Write deterministic test data: web requests as NDJSON
///
/// A line is like {"timestamp":"2026-01-01T00:00:00.123Z","key":"user-7","value":20.31,"status":200,
/// "path":"/api/v1/users/list/3","host":"web-3.eu-west-1a.example"}: about 150 bytes; keys, paths and
/// hosts are uniform, values lognormal (median 20.1, p99 129) with two decimals, 90 % of the statuses 200.
///
/// The same flags give the same bytes on every machine, and line N does not depend on --lines: a longer
/// run starts with the shorter one. Only --start now looks at the clock.
///
/// --data metrics gives {"timestamp":"2026-01-01T00:00:00Z","host":"web-0","value":75.21,"label":null}: each host has a line a minute.
/// From the third day on, one day in three of a host has an anomaly: spike, dip, level shift, variance or flat line.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "generate", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Stop after N lines; without it, go on for ever
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<u64>,

    /// What the lines are about
    #[arg(long, value_name = "WHAT", default_value = "requests")]
    pub data: Data,

    /// Another seed gives other requests with the same distributions [default: 42]
    #[arg(long, value_name = "S")]
    pub seed: Option<u64>,

    /// How many different keys there are: of requests user-0 to user-(K-1) [default: 1000], of metrics web-0 to web-(K-1) [default: 3]
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..))]
    pub keys: Option<u64>,

    /// Write at this pace by the clock, as 1000/s or 10/m; without it, as fast as the reader reads. A reader that
    /// was slow gets what it missed at once
    #[arg(long, value_name = "RATE")]
    pub rate: Option<Rate>,

    /// How many lines there are in a second of event time; default: that of --rate, else 10000/s, of metrics one a minute of each key
    #[arg(long, value_name = "RATE")]
    pub event_rate: Option<Rate>,

    /// Each line is earlier than the time of its place by a random part of this, so that lines are out of order by
    /// up to (never quite) so much; no line is earlier than --start. Events of Nexmark change places within groups of
    /// this length
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub out_of_order: DurationMs,

    /// Where event time starts (RFC 3339), or now [default: 2026-01-01T00:00:00Z, of Nexmark 2026-03-31T23:59:13.370Z]
    #[arg(long, value_name = "TIME")]
    pub start: Option<Start>,

    #[command(flatten)]
    pub exactly_once: millpipe::ExactlyOnceArgs,

    #[command(flatten)]
    pub run: millpipe::RunArgs,
}

impl Cli {
    /// All that decides on the bytes, checked.
    ///
    /// # Errors
    /// When flags do not go together, or the last line would be in a year that RFC 3339 cannot write.
    pub fn spec(&self) -> Result<Spec, Error> {
        self.check_nexmark()?;
        let keys = self.keys.unwrap_or(match self.data {
            Data::Metrics => HOSTS,
            Data::Requests | Data::Nexmark => KEYS,
        });
        let spec = Spec {
            data: self.data,
            lines: self.lines.unwrap_or(u64::MAX),
            seed: self.seed.unwrap_or(SEED),
            keys,
            rate: self.rate,
            event_rate: self.event_rate.or(self.rate).or(match self.data {
                Data::Metrics => Rate::new(keys, RateUnit::Minute),
                Data::Requests | Data::Nexmark => Rate::new(10_000, RateUnit::Second),
            }),
            out_of_order_ms: self.out_of_order.0,
            start: self.start.unwrap_or(Start::At(match self.data {
                Data::Requests | Data::Metrics => REQUESTS_START_MS,
                Data::Nexmark => NEXMARK_START_MS,
            })),
        };
        let Start::At(start_ms) = spec.start else { return Ok(spec) };
        let room_ms = TIME_MAX_MS - start_ms;
        let needs = self.lines.map_or(0, |n| spec.event_ms(n));
        if i128::from(needs) + i128::from(spec.out_of_order_ms) > i128::from(room_ms) {
            return Err(Error::usage("the last line would be after the year 9999")
                .hint("say fewer --lines, a larger --event-rate or an earlier --start"));
        }
        Ok(spec)
    }

    /// Nexmark is one data set, and counts its events by the second.
    fn check_nexmark(&self) -> Result<(), Error> {
        if self.data != Data::Nexmark {
            return Ok(());
        }
        for (flag, given) in [("--seed", self.seed.is_some()), ("--keys", self.keys.is_some())] {
            if given {
                return Err(Error::usage(format_args!(
                    "{flag} is for requests and metrics; the events of Nexmark are always the same"
                )));
            }
        }
        let per_second = self.event_rate.or(self.rate).map_or(1.0, Rate::per_second);
        if per_second < 1.0 || per_second.fract() != 0.0 {
            return Err(Error::usage(format_args!(
                "Nexmark has a whole number of events in a second, not {per_second}"
            ))
            .hint("say --event-rate 100/s"));
        }
        Ok(())
    }
}

const SEED: u64 = 42;
const KEYS: u64 = 1_000;
const HOSTS: u64 = 3;
/// 2026-01-01T00:00:00Z
const REQUESTS_START_MS: i64 = 1_767_225_600_000;
/// 2026-03-31T23:59:13.370Z: a small run crosses midnight.
const NEXMARK_START_MS: i64 = 1_775_001_553_370;

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "now" {
            return Ok(Self::Now);
        }
        let ms = parse_rfc3339(text.as_bytes()).filter(|ms| (TIME_MIN_MS..=TIME_MAX_MS).contains(ms));
        ms.map(Self::At).ok_or_else(|| "not a time: say 2026-01-01T00:00:00Z or now".to_owned())
    }
}
