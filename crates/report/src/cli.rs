//! The flags of `report`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use line_values::{Expression, Expressions};
use millpipe::{Config, Error, Fault, StageArgs, run_stage};
use selection::WhereArgs;
use units::{DurationMs, ListenAddress};

use crate::Report;
use crate::live::Place;
use crate::panel_file::PanelFile;
use crate::panels::Panels;
use crate::shared::Shared;
use crate::spec::{Columns, Kind, Rank, Settings, TOP, Wanted};
use crate::viewers::{Faces, Files, Viewers};

const AFTER_HELP: &str = r#"Each --number, --line, --bar, --heat makes a panel; several values in one, with commas between them: --line p50,p99. They stand in
this order, the table below them. Fields may be jq expressions, with names: --line 'ms=.seconds * 1000'.

Lines go on unchanged, also those that cannot be drawn: without an x or a number they are counted. Null leaves a gap. With the
member op (aggregate --changes) a row takes the place of the one with its key and x, or is taken away.

A file for --panels says first what is for all panels, then a panel after the other, in the order in which they are shown. Where a flag
says the same as the file (--title, --top), the flag counts.

  title = "Requests"
  by = "path"
  [[panel]]
  title = "Latency in ms"
  line = "p50,p99"
  [[panel]]
  table = "path,n,p99"

Without another flag the panels are shown in the terminal: on stdout if that is one (lines are not written then), else on stderr; where
neither is one, as text on stderr at the end. COLUMNS says how wide that is; NO_COLOR is respected. --svg, --html, --png and --mail
write files, at the end and every --renew: a reader sees the old file or the new one, and a run that is killed leaves those of the
last --renew. --listen serves a page that renews itself to any number of browsers and tabs, with no request to another place; a
program gets its frames as events at /events. --terminal adds the terminal to the others.

A page on an address that others can reach needs a --token, and its address is http://HOST:PORT/?token=TOKEN: behind a proxy with TLS
if the network is not yours. Without a token the page answers only those who ask for localhost or this machine's own address. It ends
with the run, or --stay later. A slow browser slows nothing.

A key takes at most --points × 32 bytes for each value, and about 600 bytes. When a series has more than --points, its range of x is
divided into a quarter as many pieces, and of each its least and greatest value stay: no peak is lost, old points are sparse, new ones
are all there. Keys beyond --max-keys are not drawn; their lines are counted. The panels are no part of a checkpoint: after a
restart they begin anew.

The PNG has the font Ubuntu Light, which is part of the program: Latin, Greek, Cyrillic.

Examples:
  report --line value --by host < metrics.ndjson > /dev/null
  window --size 10s < events.ndjson | aggregate --by path n=count p99:value | report --line p99 --by path --top 5 --table --title Latency --svg latency.svg --html latency.html > windows.ndjson
  detect --by host < metrics.ndjson | report --line value --by host --band lower,upper --anomaly anomaly --top 1 --png anomalies.png | filter .anomaly
  report --x at --heat price --by shop --bar price --number price --png shops.png < orders.ndjson > /dev/null
  report --line p99 --by host --mail nightly.eml --mail-to ops@example.org < p99.ndjson > /dev/null
  report --panels panels.toml --top 3 --html shops.html < orders.ndjson > /dev/null
  report --line value --by host --listen 127.0.0.1:0 < metrics.ndjson > /dev/null"#;

/// Draw the numbers that flow by: in the terminal, on a page, as SVG, PNG, HTML or mail
///
/// Lines and marks pass unchanged, so it may stand anywhere in a pipe, as tee does, also in an exactly-once one.
#[derive(Parser, Clone, Debug)]
#[command(name = "report", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What a panel's x is: a time as text, or a number [default: the first of window_start, timestamp, time that a line has, else
    /// the line's number]
    #[arg(long, value_name = "FIELD")]
    pub x: Option<Expression>,

    /// The fields or expressions that make the key, with commas between them: each key has a series of its own [default: one series]
    #[arg(long, value_name = "FIELDS")]
    pub by: Option<Expressions>,

    /// A panel with lines of these values
    #[arg(long, value_name = "FIELDS", help_heading = "Panels")]
    pub line: Vec<Expressions>,

    /// A panel with bars: the last value of each key, without --by a bar for each of the last 30 x
    #[arg(long, value_name = "FIELDS", help_heading = "Panels")]
    pub bar: Vec<Expressions>,

    /// A heat map: a row for each key, in each cell the largest value of its piece of x
    #[arg(long, value_name = "FIELDS", help_heading = "Panels")]
    pub heat: Vec<Expressions>,

    /// A panel with the last values as large numbers, and small lines of those before them
    #[arg(long, value_name = "FIELDS", help_heading = "Panels")]
    pub number: Vec<Expressions>,

    /// A table with the last line of each key, the greatest first; without --by with the last lines. --table=FIELDS says which columns
    /// [default: the key and all values]
    #[arg(long = "table", value_name = "COLUMNS", num_args = 0..=1, require_equals = true, default_missing_value = "", help_heading = "Panels")]
    pub table: Option<Columns>,

    /// The lower and the upper end of a band around a line: lower,upper of detect, lower_80,upper_80 of forecast
    #[arg(long, value_name = "LOWER,UPPER", help_heading = "Panels")]
    pub band: Option<Expressions>,

    /// Mark the points for which this field or expression is true: anomaly of detect
    #[arg(long, value_name = "FIELD", help_heading = "Panels")]
    pub anomaly: Option<Expression>,

    /// How many keys a panel shows, the first by --top-by; the others are counted [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(TOP), help_heading = "Panels")]
    pub top: Option<u16>,

    /// By what keys are ranked [default: last]
    #[arg(long, value_name = "WHAT", value_enum, help_heading = "Panels")]
    pub top_by: Option<Rank>,

    /// What stands above all panels [default: report]
    #[arg(long, value_name = "TEXT", help_heading = "Panels")]
    pub title: Option<String>,

    /// Show this much of time, back from the newest x [default: all]
    #[arg(long, value_name = "DURATION", help_heading = "Panels")]
    pub span: Option<DurationMs>,

    /// Panels from a TOML file with the names of these flags, --x and --by. Flags beside it add panels after its own, and take the place of what it
    /// says for all
    #[arg(long, value_name = "FILE", help_heading = "Panels")]
    pub panels: Option<PathBuf>,

    /// Draw in the terminal besides the other places
    #[arg(long, help_heading = "Places")]
    pub terminal: bool,

    /// Write the panels as SVG, for light and dark screens
    #[arg(long, value_name = "FILE", help_heading = "Places")]
    pub svg: Option<PathBuf>,

    /// Write them as a page with all that it needs: values under the pointer, series to hide, zoom, tables
    #[arg(long, value_name = "FILE", help_heading = "Places")]
    pub html: Option<PathBuf>,

    /// Write them as PNG, two pixels for one
    #[arg(long, value_name = "FILE", help_heading = "Places")]
    pub png: Option<PathBuf>,

    /// Write a mail with the picture in it, for sendmail -t
    #[arg(long, value_name = "FILE", help_heading = "Places")]
    pub mail: Option<PathBuf>,

    /// Who gets the mail
    #[arg(long, value_name = "ADDRESS", requires = "mail", value_parser = mail_address, help_heading = "Places")]
    pub mail_to: Option<String>,

    /// How often files are written again while lines come [default: at the end only]
    #[arg(long, value_name = "DURATION", help_heading = "Places")]
    pub renew: Option<DurationMs>,

    /// How many pixels pictures in files are wide
    #[arg(long, value_name = "N", default_value_t = 900, value_parser = clap::value_parser!(u16).range(240..=4000), help_heading = "Places")]
    pub width: u16,

    /// Serve a page that renews itself
    #[arg(long, value_name = "HOST:PORT", help_heading = "Places")]
    pub listen: Option<ListenAddress>,

    /// The page is shown only to a browser that gives this token; the environment hides it from other users of the machine
    #[arg(long, value_name = "TOKEN", env = "REPORT_TOKEN", hide_env_values = true, help_heading = "Places")]
    pub token: Option<String>,

    /// How long the page stays when the last line has come
    #[arg(long, value_name = "DURATION", default_value = "0s", requires = "listen", help_heading = "Places")]
    pub stay: DurationMs,

    /// How many points of a series are kept
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(16..=1_000_000), help_heading = "Limits")]
    pub points: u32,

    /// How many keys are kept
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Limits")]
    pub max_keys: u32,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

const TOP_ELSE: u16 = 8;

fn mail_address(text: &str) -> Result<String, &'static str> {
    // A line break would begin another header.
    if text.chars().any(char::is_control) { Err("an address is one line") } else { Ok(text.to_owned()) }
}

impl Cli {
    /// Returns what the runtime needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("report"))
    }

    /// Runs the stage with its viewers beside it.
    ///
    /// # Errors
    /// What ended the run early, or a file that cannot be written.
    pub fn run(&self) -> Result<(), Fault> {
        let settings = self.settings()?;
        let faces = self.faces()?;
        let passes = faces.screen != Some(Place::Stdout);
        let shared = Arc::new(Shared::new(Panels::new(settings.clone())));
        let viewers = Viewers::start(faces, &shared)?;
        let result = run_stage(Report::new(&settings, shared, passes), self.config(), &self.stage);
        let ended = viewers.end(result.is_ok());
        result.and(ended.map_err(Fault::from))
    }

    /// Returns what is drawn: what the file of panels says, and the flags.
    ///
    /// # Errors
    /// When the file is wrong, there is no panel, or a band has no two ends.
    pub fn settings(&self) -> Result<Settings, Error> {
        let file = self.panels.as_deref().map(PanelFile::read).transpose()?.unwrap_or_default();
        let all = file.all;
        let band = match self.band.clone().or(all.band).map(|band| band.0) {
            None => None,
            Some(ends) => match <[Expression; 2]>::try_from(ends) {
                Ok([low, high]) => Some((low, high)),
                Err(_) => return Err(Error::usage("--band takes two values").hint("say --band lower,upper")),
            },
        };
        let title = self.title.clone().or(all.title).unwrap_or_else(|| "report".to_owned());
        let mut settings = Settings {
            title: title.chars().map(crate::record::visible).collect(),
            x: self.x.clone().or(all.x),
            by: self.by.clone().or(all.by).map(|by| by.0).unwrap_or_default(),
            values: Vec::new(),
            panels: Vec::new(),
            band,
            anomaly: self.anomaly.clone().or(all.anomaly),
            top: self.top.or(all.top).unwrap_or(TOP_ELSE).into(),
            rank: self.top_by.or(all.top_by).unwrap_or_default(),
            points_max: self.points as usize,
            keys_max: self.max_keys as usize,
            span_ms: self.span.or(all.span).map(|span| span.0 as f64),
        };
        settings.add_panels(file.panels.into_iter().chain(self.wanted()).collect());
        check(&settings)?;
        Ok(settings)
    }

    /// The panels of the flags.
    fn wanted(&self) -> impl Iterator<Item = Wanted> {
        let kinds =
            [(Kind::Number, &self.number), (Kind::Line, &self.line), (Kind::Bar, &self.bar), (Kind::Heat, &self.heat)];
        let panels = kinds.into_iter().flat_map(|(kind, panels)| panels.iter().map(move |panel| (kind, &panel.0)));
        let table = self.table.iter().map(|columns| (Kind::Table, &columns.0));
        panels.chain(table).map(|(kind, values)| Wanted { kind, values: values.clone(), title: None })
    }

    /// Returns where it is shown.
    ///
    /// # Errors
    /// When flags are missing that others need.
    pub fn faces(&self) -> Result<Faces, Error> {
        let has_files = [&self.svg, &self.html, &self.png, &self.mail].into_iter().any(Option::is_some);
        let is_open = self.listen.is_some_and(|address| !address.0.ip().is_loopback());
        let is_empty = |token: &String| token.is_empty();
        Error::of_broken_rule([
            (
                self.renew.is_some() && !has_files,
                "--renew writes files again",
                "say which: --svg FILE, --html FILE, --png FILE",
            ),
            (self.renew.is_some_and(|renew| renew.0 <= 0), "--renew must be more than 0", "say --renew 10s"),
            (self.token.as_ref().is_some_and(is_empty), "--token is empty", "say --token $(openssl rand -hex 16)"),
            (
                is_open && self.token.is_none(),
                "others can reach this address",
                "--token says who may see the page; 127.0.0.1 is for this machine alone",
            ),
        ])?;
        let files = Files {
            svg: self.svg.clone(),
            html: self.html.clone(),
            png: self.png.clone(),
            mail: self.mail.clone(),
            mail_to: self.mail_to.clone(),
            width: f64::from(self.width),
        };
        let milliseconds = |time: DurationMs| Duration::from_millis(u64::try_from(time.0).unwrap_or(0));
        Ok(Faces {
            files,
            renew: self.renew.map(milliseconds),
            screen: (self.terminal || !(has_files || self.listen.is_some())).then(Place::choose),
            listen: self.listen.map(|address| address.0),
            token: self.token.clone(),
            stay: milliseconds(self.stay),
        })
    }
}

fn check(settings: &Settings) -> Result<(), Error> {
    let has_lines = settings.panels.iter().any(|panel| panel.kind == Kind::Line);
    Error::of_broken_rule([
        (
            settings.panels.iter().all(|panel| panel.values.is_empty()),
            "nothing to draw",
            "say for example --line value --by host, or --table=host,value",
        ),
        (settings.span_ms.is_some_and(|span_ms| span_ms <= 0.0), "--span must be more than 0", "say --span 15m"),
        (settings.band.is_some() && !has_lines, "--band is around a line", "say --line value"),
        (settings.anomaly.is_some() && !has_lines, "--anomaly marks points of a line", "say --line value"),
    ])
}
