//! The flags of time, the same in every tool that takes them.

use crate::stream_time::TimeSettings;
use crate::{EventTime, StreamTime, TimeUnit, Timezone};
use json_fields::FieldPath;
use line_values::Expression;
use std::fmt;
use std::str::FromStr;
use units::{DurationMs, QuantityError, parse_duration};

const TIME_DEFAULT: &str = "timestamp";
/// In milliseconds. The watermark of a window's last millisecond closes it: without this the first line of that time would, and a second one be late.
pub const LATENESS_OF_WINDOWS_MS: i64 = 1;
const IDLE_DEFAULT_MS: i64 = 30_000;
const MAX_AHEAD_DEFAULT_MS: i64 = 300_000;

/// How a tool gets the time of a line, and from it that of the stream.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Time")]
pub struct TimeArgs {
    /// The field with the time of a line, or a jq expression that gives it (.firstTimestamp // .eventTime): RFC 3339, also with +0200, a comma or a blank, or an epoch number [default: timestamp]
    #[arg(long, value_name = "FIELD")]
    pub time: Option<Expression>,

    /// What an epoch number counts: s, ms, us, ns; auto: below 1e11 s, below 1e14 ms, below 1e17 us, else ns [default: auto]
    #[arg(long, value_name = "UNIT")]
    pub time_unit: Option<TimeUnit>,

    /// The timezone of times that do not say theirs: UTC, Europe/Berlin. Where its clock is changed, the offset before the change counts
    #[arg(long, value_name = "ZONE")]
    pub zone: Option<Timezone>,

    /// How far a line may come behind the latest one (of its partition, where from marks tell) [default: 0s; in window and watermark 1ms, so that lines in order may have the same time]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub lateness: Option<DurationMs>,

    /// After this long with nothing to read, a partition does not hold time back any more; needs idle marks (kafka-cat-in --marks) [default: 30s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub idle: Option<DurationMs>,

    /// A line this far ahead of the clock is a bad line, so that one wrong clock does not close all windows; `off` for data from the future [default: 5m]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub max_ahead: Option<MaxAhead>,
}

impl TimeArgs {
    /// Where the time of a line is.
    pub fn field(&self) -> Expression {
        self.time.clone().unwrap_or_else(|| FieldPath::key(TIME_DEFAULT).into())
    }

    pub fn settings(&self) -> TimeSettings {
        let default = MaxAhead(Some(MAX_AHEAD_DEFAULT_MS));
        TimeSettings {
            unit: self.time_unit.unwrap_or_default(),
            zone: self.zone.clone(),
            lateness_ms: self.lateness.map_or(0, |lateness| lateness.0),
            idle_ms: self.idle.map_or(IDLE_DEFAULT_MS, |idle| idle.0),
            max_ahead_ms: self.max_ahead.unwrap_or(default).0,
        }
    }

    pub fn stream_time(&self) -> StreamTime {
        StreamTime::new(self.settings()).with_lateness_said(self.lateness)
    }

    /// Returns both, for a stage.
    pub fn event_time(&self) -> EventTime {
        EventTime::new(self.field(), self.stream_time())
    }

    /// The same for tools whose watermarks close windows.
    pub fn event_time_of_windows(&self) -> EventTime {
        EventTime::new(self.field(), self.stream_time_of_windows())
    }

    /// The same for tools whose watermarks close windows.
    pub fn stream_time_of_windows(&self) -> StreamTime {
        let lateness_ms = self.lateness.map_or(LATENESS_OF_WINDOWS_MS, |lateness| lateness.0);
        StreamTime::new(TimeSettings { lateness_ms, ..self.settings() }).with_lateness_said(self.lateness)
    }

    /// The flags that the time in a snapshot depends on. The others may change from run to run.
    pub fn for_snapshot(&self) -> String {
        let zone = self.zone.as_ref().map(|zone| format!(" --zone {zone}")).unwrap_or_default();
        format!("--time {} --time-unit {}{zone}", self.field(), self.time_unit.unwrap_or_default())
    }

    /// The first of these flags that was given.
    pub fn given(&self) -> Option<&'static str> {
        let flags = [
            ("--time", self.time.is_some()),
            ("--time-unit", self.time_unit.is_some()),
            ("--zone", self.zone.is_some()),
            ("--lateness", self.lateness.is_some()),
            ("--idle", self.idle.is_some()),
            ("--max-ahead", self.max_ahead.is_some()),
        ];
        flags.iter().find(|(_, given)| *given).map(|(flag, _)| *flag)
    }
}

/// How far ahead of the clock a line may be, in milliseconds; none for `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxAhead(pub Option<i64>);

impl FromStr for MaxAhead {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        if text == "off" {
            return Ok(Self(None));
        }
        parse_duration(text).map(|ms| Self(Some(ms)))
    }
}

impl fmt::Display for MaxAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ms) => DurationMs(ms).fmt(f),
            None => f.write_str("off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_what_the_help_says() {
        let settings = TimeArgs::default().settings();
        assert_eq!((settings.lateness_ms, settings.idle_ms), (0, 30_000));
        assert_eq!(settings.max_ahead_ms, Some(300_000));
        assert_eq!(TimeArgs::default().field().to_string(), ".timestamp");
        assert_eq!(TimeArgs::default().given(), None);
    }

    #[test]
    fn a_snapshot_is_of_a_field_and_a_unit() {
        let args =
            TimeArgs { time: Some(FieldPath::key("at").into()), time_unit: Some(TimeUnit::Ms), ..TimeArgs::default() };
        assert_eq!(args.for_snapshot(), "--time .at --time-unit ms");
        let args = TimeArgs { time: Some(".a // .b".parse().unwrap()), zone: Some("UTC".parse().unwrap()), ..args };
        assert_eq!(args.for_snapshot(), "--time .a // .b --time-unit ms --zone UTC");
        assert_eq!(TimeArgs::default().for_snapshot(), "--time .timestamp --time-unit auto");
    }

    #[test]
    fn max_ahead_is_a_duration_or_off() {
        assert_eq!("off".parse(), Ok(MaxAhead(None)));
        assert_eq!("1h".parse(), Ok(MaxAhead(Some(3_600_000))));
        assert!("1".parse::<MaxAhead>().is_err());
    }
}
