//! The flags of series, the same in every tool that takes them.

use std::ops::Deref;

use event_time::TimeArgs;
use line_values::{Expression, Expressions};
use millpipe::{Error, StateFlags};
use units::DurationMs;

/// Which lines make a series, and when they are.
#[derive(clap::Args, Clone, Debug)]
pub struct KeyTimeArgs {
    /// The fields or expressions that make the key, with commas between them: each key has a series of its own [default: one series]
    #[arg(long, value_name = "FIELDS")]
    pub by: Option<Expressions>,

    #[command(flatten)]
    pub time: TimeArgs,

    /// Forget a key when no line of it came for this long, by the time of the lines [default: never]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, help_heading = "Limits")]
    pub ttl: Option<DurationMs>,

    #[command(flatten, next_help_heading = None::<&str>)]
    pub end: EndOfTime,
}

/// Ends the flags of time: those of a tool that follow are listed apart from them.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct EndOfTime {}

/// Which lines make a series, and which numbers.
#[derive(clap::Args, Clone, Debug)]
pub struct SeriesArgs {
    #[command(flatten)]
    pub lines: KeyTimeArgs,

    /// The field with the number, or a jq expression that gives it; several with commas between them
    // Without it, it would be among the flags of time.
    #[arg(long, value_name = "FIELDS", default_value = "value", help_heading = None::<&str>)]
    pub value: Expressions,
}

impl Deref for SeriesArgs {
    type Target = KeyTimeArgs;

    fn deref(&self) -> &KeyTimeArgs {
        &self.lines
    }
}

impl KeyTimeArgs {
    /// Returns the texts of the expressions that make the key.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.by.iter().flat_map(|by| &by.0).map(ToString::to_string).collect()
    }

    /// Returns what `--ttl` says.
    #[must_use]
    pub fn ttl_ms(&self) -> Option<i64> {
        self.ttl.map(|ttl| ttl.0)
    }

    /// Checks that `--ttl` is of use.
    ///
    /// # Errors
    /// When it is zero.
    pub fn check_ttl(&self) -> Result<(), Error> {
        let is_zero = self.ttl_ms().is_some_and(|ttl_ms| ttl_ms < 1);
        Error::of_broken_rule([(is_zero, "--ttl must be more than 0", "say --ttl 7d")])
    }

    /// Checks the same, and that a tool that takes lines in order is not told to wait for others.
    ///
    /// # Errors
    /// When a flag is of no use.
    pub fn check_in_order(&self) -> Result<(), Error> {
        self.check_ttl()?;
        Error::of_broken_rule([(
            self.ttl.is_none() && (self.time.lateness.is_some() || self.time.idle.is_some()),
            "--lateness and --idle count for nothing without --ttl",
            "lines have to be in the order of their times by key: reorder --lateness before this stage sorts them",
        )])
    }

    /// Writes the key, which every state depends on.
    #[must_use]
    pub fn key_flags(&self) -> StateFlags {
        StateFlags::new().maybe("--by", self.by.as_ref().map(|by| format!("'{by}'")))
    }

    /// Adds the flags of time that a state depends on.
    #[must_use]
    pub fn with_time_flags(&self, flags: StateFlags) -> StateFlags {
        flags.text(self.time.for_snapshot()).maybe("--ttl", self.ttl)
    }
}

impl SeriesArgs {
    /// Checks that no two values have the same name.
    ///
    /// # Errors
    /// When two have.
    pub fn check_names(&self) -> Result<(), Error> {
        let mut names: Vec<String> = self.value.0.iter().map(Expression::name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::usage(format_args!("two values are named {:?}", pair[0]))
                .hint("name one of them otherwise: NAME=EXPRESSION")),
            None => Ok(()),
        }
    }

    /// Writes the flags that the state of every series depends on.
    #[must_use]
    pub fn state_flags(&self) -> StateFlags {
        self.with_time_flags(self.key_flags().quoted("--value", &self.value))
    }
}
