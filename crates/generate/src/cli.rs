//! The command line of `generate`.

use std::str::FromStr;

use event_time::{TIME_MAX_MS, TIME_MIN_MS, parse_rfc3339};
use millpipe::Error;
use units::{DurationMs, Rate, RateUnit};

use crate::{Spec, Start};

const EXAMPLES: &str = "\
Examples:
  A million lines for a trial, the same on every machine:
    generate --lines 1000000 --seed 42 --out-of-order 2s > events.ndjson

  A live stream of a thousand lines a second with the clock's time, until Ctrl-C:
    generate --rate 1000/s --start now | window --size 10s | aggregate --by key count p99:value

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
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "generate", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Stop after N lines; without it, go on for ever
    #[arg(short = 'n', long, value_name = "N")]
    pub lines: Option<u64>,

    /// Another seed gives other data with the same distributions
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u64,

    /// How many different keys: user-0 to user-(K-1)
    #[arg(long, value_name = "K", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub keys: u64,

    /// Write at this pace by the clock, as 1000/s or 10/m; without it, as fast as the reader reads. A reader that
    /// was slow gets what it missed at once
    #[arg(long, value_name = "RATE")]
    pub rate: Option<Rate>,

    /// How many lines there are in a second of event time; default: that of --rate, else 10000/s
    #[arg(long, value_name = "RATE")]
    pub event_rate: Option<Rate>,

    /// Each line is earlier than the time of its place by a random part of this, so that lines are out of order by
    /// up to (never quite) so much; no line is earlier than --start
    #[arg(long, value_name = "DURATION", default_value = "0s")]
    pub out_of_order: DurationMs,

    /// Where event time starts (RFC 3339), or now
    #[arg(long, value_name = "TIME", default_value = "2026-01-01T00:00:00Z")]
    pub start: Start,

    #[command(flatten)]
    pub exactly_once: millpipe::ExactlyOnceArgs,

    #[command(flatten)]
    pub run: millpipe::RunArgs,
}

impl Cli {
    /// All that decides on the bytes, checked.
    ///
    /// # Errors
    /// When the last line would be in a year that RFC 3339 cannot write.
    pub fn spec(&self) -> Result<Spec, Error> {
        let spec = Spec {
            lines: self.lines.unwrap_or(u64::MAX),
            seed: self.seed,
            keys: self.keys,
            rate: self.rate,
            event_rate: self.event_rate.or(self.rate).or(Rate::new(10_000, RateUnit::Second)),
            out_of_order_ms: self.out_of_order.0,
            start: self.start,
        };
        let Start::At(start_ms) = self.start else { return Ok(spec) };
        let room_ms = TIME_MAX_MS - start_ms;
        let needs = self.lines.map_or(0, |n| spec.event_ms(n));
        if i128::from(needs) + i128::from(spec.out_of_order_ms) > i128::from(room_ms) {
            return Err(Error::usage("the last line would be after the year 9999")
                .hint("say fewer --lines, a larger --event-rate or an earlier --start"));
        }
        Ok(spec)
    }
}

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
