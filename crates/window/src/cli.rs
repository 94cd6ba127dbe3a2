//! The flags of `window`, and which of them go together.

use crate::count_windows::CountSettings;
use crate::session_windows::SessionSettings;
use crate::{ClockWindows, CountWindows, Form, SessionWindows, TimeWindows};
use event_time::{TimeArgs, Timezone, WindowSize, Windowing, WindowingError};
use json_fields::{FieldPath, FieldPaths};
use line_values::{Expression, Expressions};
use millpipe::{Config, Error, Late, LateArgs, StageArgs, StateFlags};
use selection::WhereArgs;
use std::num::{NonZeroU64, NonZeroUsize};
use units::{ByteSize, DurationMs, SignedDurationMs, parse_count};

const EXAMPLES: &str = "\
Windows are [start, end), aligned to the epoch; times are written in UTC. Behind window comes aggregate, which \
reads its marks; for other programs say --plain.

Examples:
  window --size 10s --lateness 2s < clicks.ndjson | aggregate --by user count
  window --size 1h --slide 5m --time .meta.at | aggregate count p99:latency
  window --size 1d --timezone Asia/Taipei | aggregate --by shop sum:price
  window --size 1d --cumulate 1h | aggregate count
  window --session 30m --by user | aggregate --by user count
  window --count 100 --by sensor | aggregate --by sensor avg:value
  window --size 10s --plain < clicks.ndjson | jq .window_start
  window --size 10s --processing-time < clicks.ndjson | aggregate --by user count
  window --size 10s --where '.kind == \"bid\"' --time at < events.ndjson | aggregate --where 'has(\"window_start\")' --by auction count
  window --size 10s | aggregate sum:value | window --size 1m --time window_start | aggregate max:sum";

/// Put lines into windows: each gets window_start and window_end in front of its members
///
/// Time is that of the lines, not that of the clock: the largest --time seen less --lateness. When it has passed a
/// window's end, the window is closed, and a line that still comes for it is late. Where the input has from marks
/// (kafka-cat-in --marks), time is kept for each partition, and the slowest one counts; where it has watermark marks,
/// these are taken instead. With --where, other lines pass, but their time counts too.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "window", version, after_help = EXAMPLES)]
pub struct Cli {
    /// How long a window is: 10s, 1h, or by the calendar 1d, 1w (from Monday), 1mo
    #[arg(long, value_name = "SIZE", help_heading = "Windows")]
    pub size: Option<WindowSize>,

    /// Start a window every SLIDE, so that windows of --size overlap (hopping)
    #[arg(long, value_name = "DURATION", help_heading = "Windows")]
    pub slide: Option<DurationMs>,

    /// Windows from the start of each --size up to each STEP in it
    #[arg(long, value_name = "STEP", help_heading = "Windows")]
    pub cumulate: Option<DurationMs>,

    /// Sessions: lines of a key at most GAP apart are one window
    #[arg(long, value_name = "GAP", help_heading = "Windows")]
    pub session: Option<DurationMs>,

    /// Windows of N lines of a key; window_start and window_end are line numbers of that key, from 0
    #[arg(long, value_name = "N", help_heading = "Windows", value_parser = parse_count::<NonZeroU64>, allow_negative_numbers = true)]
    pub count: Option<NonZeroU64>,

    /// Start a window every M lines, so that windows of --count overlap
    #[arg(long, value_name = "M", help_heading = "Windows", value_parser = parse_count::<NonZeroU64>, allow_negative_numbers = true)]
    pub slide_count: Option<NonZeroU64>,

    /// The fields of the key, for --session and --count: user,.meta.site
    #[arg(long, value_name = "FIELDS", help_heading = "Windows")]
    pub by: Option<FieldPaths>,

    /// Days, weeks and months of this timezone (a day has 23 or 25 hours where the clocks change)
    #[arg(long, value_name = "ZONE", help_heading = "Windows")]
    pub timezone: Option<Timezone>,

    /// Start windows this much later (or -2h earlier) than the epoch, or midnight
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, help_heading = "Windows")]
    pub offset: Option<SignedDurationMs>,

    /// Go by the clock of this machine instead of times in lines: a line is of the time when it comes, none is late
    #[arg(long, help_heading = "Windows")]
    pub processing_time: bool,

    #[command(flatten)]
    pub time: TimeArgs,

    #[command(flatten)]
    pub late: LateArgs,

    /// Write a line once for each window that it is in, for programs other than aggregate; lines of a session when it is over
    #[arg(long, help_heading = "Output")]
    pub expand: bool,

    /// Write no marks, and --expand: plain lines for other programs
    #[arg(long, help_heading = "Output")]
    pub plain: bool,

    /// The most memory for lines kept until their --session is over (with --expand or --plain); beyond it, stop [default: 256MiB]
    #[arg(long, value_name = "SIZE", help_heading = "Limits")]
    pub buffer: Option<ByteSize>,

    /// The most open sessions, or keys of --count; beyond it, stop [default: 1000000]
    #[arg(long, value_name = "N", help_heading = "Limits", value_parser = parse_count::<NonZeroUsize>, allow_negative_numbers = true)]
    pub max_keys: Option<NonZeroUsize>,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

/// The stage that the flags ask for.
#[expect(clippy::large_enum_variant, reason = "one is made in a run, and moved into it")]
pub enum Plan {
    Times(TimeWindows),
    Clock(ClockWindows),
    Sessions(SessionWindows),
    Counts(CountWindows),
}

const KEYS_MAX: usize = 1_000_000;
const COUNT_MAX: u64 = 1_000_000_000_000;
const WINDOWS_MAX: u64 = 10_000;
const SESSION_MS_MAX: i64 = 100 * 366 * 86_400_000;

impl Cli {
    pub fn config(&self) -> Config {
        let keys = self.by.as_ref().map(|by| Expressions(by.0.iter().cloned().map(Expression::from).collect()));
        self.selection.select(self.stage.config("window").with_late(self.late.late).with_keys(keys.as_ref()))
    }

    /// Checks what goes together; the stage may then assume good values.
    ///
    /// # Errors
    /// A usage error that says what to write instead.
    pub fn plan(&self) -> Result<Plan, Error> {
        self.check_others()?;
        match (self.size, self.session, self.count) {
            (Some(size), None, None) if self.processing_time => self.clock(size).map(Plan::Clock),
            (Some(size), None, None) => self.times(size).map(Plan::Times),
            (None, Some(gap), None) => self.sessions(gap).map(Plan::Sessions),
            (None, None, Some(size)) => self.counts(size).map(Plan::Counts),
            (None, None, None) => wrong("no windows", "say --size 10s, --session 30s --by FIELD or --count 100"),
            _ => wrong("more than one kind of windows", "take one of --size, --session and --count"),
        }
    }

    /// Flags that belong to one kind of windows.
    fn check_others(&self) -> Result<(), Error> {
        let (size, session, count) = (self.size.is_some(), self.session.is_some(), self.count.is_some());
        let keeps_lines = session && (self.expand || self.plain);
        let rules = [
            (self.slide.is_some() && count, "--slide is a duration", "say --slide-count 10 with --count"),
            (self.slide.is_some() && !size, "--slide without --size", "say --size 10s --slide 2s"),
            (self.slide_count.is_some() && !count, "--slide-count without --count", "say --count 100 --slide-count 10"),
            (self.cumulate.is_some() && !size, "--cumulate without --size", "say --size 1d --cumulate 1h"),
            (
                self.cumulate.is_some() && self.slide.is_some(),
                "--cumulate and --slide",
                "windows either share their start or slide",
            ),
            (
                self.by.is_some() && size,
                "--by is for --session and --count",
                "windows of a --size are the same for all keys; aggregate --by makes groups in them",
            ),
            (self.timezone.is_some() && !size, "--timezone without --size", "say --size 1d --timezone Asia/Taipei"),
            (self.offset.is_some() && !size, "--offset without --size", "say --size 1d --offset 6h"),
            (
                self.timezone.is_some() && self.slide.is_some(),
                "--timezone and --slide",
                "hopping windows have one length; days of 23 and 25 hours have not",
            ),
            (
                self.late.late.is_some() && count,
                "--late with --count",
                "windows of a count know no time, no line is late",
            ),
            (
                self.buffer.is_some() && !keeps_lines,
                "--buffer without --session --expand",
                "only such sessions keep lines",
            ),
            (
                self.processing_time && !size,
                "--processing-time without --size",
                "say --size 10s --processing-time; sessions and counts do not go by a clock",
            ),
            (
                self.processing_time && self.time.given().is_some(),
                "--processing-time with a flag of the time in lines",
                "times are either those of the clock or those of --time",
            ),
            (
                self.processing_time && self.late.late.is_some(),
                "--late with --processing-time",
                "no line is late there",
            ),
            (self.max_keys.is_some() && size, "--max-keys with --size", "windows of a --size keep no keys"),
            (
                self.late.late == Some(Late::Pass) && self.has_slices(),
                "--late pass with windows of slices",
                "aggregate has put a closed window together already; say --expand, or --late reject",
            ),
        ];
        Error::of_broken_rule(rules)
    }

    fn has_other_lines(&self) -> bool {
        self.selection.selection.is_some()
    }

    fn has_slices(&self) -> bool {
        self.form() == Form::Marked && (self.slide.is_some() || self.cumulate.is_some())
    }

    fn form(&self) -> Form {
        match (self.plain, self.expand) {
            (true, _) => Form::Plain,
            (false, true) => Form::Expanded,
            (false, false) => Form::Marked,
        }
    }

    fn clock(&self, size: WindowSize) -> Result<ClockWindows, Error> {
        Ok(ClockWindows::new(self.windowing(size)?, self.form(), self.state_flags()))
    }

    fn times(&self, size: WindowSize) -> Result<TimeWindows, Error> {
        let windowing = self.windowing(size)?;
        let flags = self.state_flags();
        let field = self.time.field();
        let windows = TimeWindows::new(&field, self.time.stream_time_of_windows(), windowing, self.form(), flags);
        Ok(if self.has_other_lines() { windows.with_other_lines(&field) } else { windows })
    }

    fn windowing(&self, size: WindowSize) -> Result<Windowing, Error> {
        let offset_ms = self.offset.map_or(0, |offset| offset.0);
        let zone = self.timezone.clone();
        let windowing = match (self.slide, self.cumulate) {
            (Some(slide), _) => Windowing::hopping(size, slide.0, offset_ms),
            (None, Some(step)) => Windowing::cumulate(size, step.0, zone, offset_ms),
            (None, None) => Windowing::tumbling(size, zone, offset_ms),
        };
        windowing.map_err(|WindowingError { message, hint }| Error::usage(message).hint(hint))
    }

    fn sessions(&self, gap: DurationMs) -> Result<SessionWindows, Error> {
        if gap.0 == 0 || gap.0 > SESSION_MS_MAX {
            let message = format!("--session {gap} is not between 1ms and a hundred years");
            return wrong(&message, "say --session 30s");
        }
        let settings = SessionSettings {
            time: self.time.field(),
            by: self.keys(),
            gap_ms: gap.0,
            form: self.form(),
            sessions_max: self.max_keys.map_or(KEYS_MAX, NonZeroUsize::get),
            buffer: self.buffer.unwrap_or(ByteSize::mib(256)),
            has_other_lines: self.has_other_lines(),
            flags: self.state_flags(),
        };
        Ok(SessionWindows::new(settings, self.time.stream_time_of_windows()))
    }

    fn counts(&self, size: NonZeroU64) -> Result<CountWindows, Error> {
        if let Some(flag) = self.time.given() {
            return wrong(&format!("{flag} with --count"), "windows of a count know no time");
        }
        let slide = self.slide_count.unwrap_or(size);
        if slide > size {
            let message = format!("--slide-count {slide} is more than --count {size}");
            return wrong(&message, "lines between two windows would be in none");
        }
        if size.get() > COUNT_MAX {
            return wrong(&format!("--count {size} is more than {COUNT_MAX}"), "take a smaller one");
        }
        if self.form() != Form::Marked && size.get() / slide > WINDOWS_MAX {
            let message = format!("--slide-count {slide} is too fine for --count {size}");
            return wrong(&message, "a line may be written for 10000 windows");
        }
        Ok(CountWindows::new(CountSettings {
            by: self.keys(),
            size: size.get(),
            slide: slide.get(),
            form: self.form(),
            keys_max: self.max_keys.map_or(KEYS_MAX, NonZeroUsize::get),
            flags: self.state_flags(),
        }))
    }

    /// The flags that the state depends on. Limits, lateness and what becomes of lines may change from run to run.
    fn state_flags(&self) -> String {
        let flags = StateFlags::new()
            .maybe("--size", self.size)
            .maybe("--slide", self.slide)
            .maybe("--cumulate", self.cumulate)
            .maybe("--session", self.session)
            .maybe("--count", self.count)
            .maybe("--slide-count", self.slide_count)
            .maybe("--by", self.by.as_ref())
            .maybe("--timezone", self.timezone.as_ref())
            .maybe("--offset", self.offset);
        let has_times = self.count.is_none() && !self.processing_time;
        let flags = if has_times { flags.text(self.time.for_snapshot()) } else { flags };
        flags
            .switch("--processing-time", self.processing_time)
            .switch("--expand", self.expand)
            .switch("--plain", self.plain)
            .into()
    }

    fn keys(&self) -> Vec<FieldPath> {
        self.by.clone().map_or_else(Vec::new, |by| by.0)
    }
}

fn wrong<T>(message: &str, hint: &str) -> Result<T, Error> {
    Err(Error::usage(message).hint(hint))
}
