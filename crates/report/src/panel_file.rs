//! Panels in a file: TOML with the names of the flags, for `--panels`.
//!
//! What is for all panels stands at the top, then a `[[panel]]` for each, in the order in which they are shown.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use clap::ValueEnum;
use line_values::{Expression, Expressions};
use millpipe::Error;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use toml::Spanned;
use units::DurationMs;

use crate::record::visible;
use crate::spec::{Columns, Kind, Rank, TOP, Wanted};

/// What a file says; none where it says nothing.
#[derive(Clone, Debug, Default)]
pub struct PanelFile {
    pub all: ForAll,
    pub panels: Vec<Wanted>,
}

/// What is for all panels.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ForAll {
    pub title: Option<String>,
    #[serde(deserialize_with = "text")]
    pub x: Option<Expression>,
    #[serde(deserialize_with = "text")]
    pub by: Option<Expressions>,
    #[serde(deserialize_with = "text")]
    pub band: Option<Expressions>,
    #[serde(deserialize_with = "text")]
    pub anomaly: Option<Expression>,
    #[serde(deserialize_with = "top")]
    pub top: Option<u16>,
    #[serde(deserialize_with = "rank")]
    pub top_by: Option<Rank>,
    #[serde(deserialize_with = "text")]
    pub span: Option<DurationMs>,
    panel: Vec<Spanned<PanelTable>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PanelTable {
    title: Option<String>,
    #[serde(deserialize_with = "text")]
    number: Option<Expressions>,
    #[serde(deserialize_with = "text")]
    line: Option<Expressions>,
    #[serde(deserialize_with = "text")]
    bar: Option<Expressions>,
    #[serde(deserialize_with = "text")]
    heat: Option<Expressions>,
    #[serde(deserialize_with = "text")]
    table: Option<Columns>,
}

/// A value that is written as its flag has it.
fn text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(from: D) -> Result<Option<T>, D::Error> {
    String::deserialize(from)?.parse().map(Some).map_err(D::Error::custom)
}

fn top<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u16>, D::Error> {
    let top = i64::deserialize(from)?;
    let is_in = u16::try_from(top).ok().filter(|top| TOP.contains(&i64::from(*top)));
    is_in.map(Some).ok_or_else(|| D::Error::custom(format_args!("{top} is not in 1..=200")))
}

fn rank<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Rank>, D::Error> {
    let text = String::deserialize(from)?;
    Rank::from_str(&text, false)
        .map(Some)
        .map_err(|_| D::Error::custom(format_args!("\"{text}\" is not last or total")))
}

impl PanelTable {
    /// Returns the panel; none unless it has exactly one kind.
    fn wanted(self) -> Option<Wanted> {
        let title = self.title.map(|title| title.chars().map(visible).collect());
        let kinds = [
            (Kind::Number, self.number.map(|values| values.0)),
            (Kind::Line, self.line.map(|values| values.0)),
            (Kind::Bar, self.bar.map(|values| values.0)),
            (Kind::Heat, self.heat.map(|values| values.0)),
            (Kind::Table, self.table.map(|columns| columns.0)),
        ];
        let mut said = kinds.into_iter().filter_map(|(kind, values)| Some((kind, values?)));
        let (kind, values) = said.next()?;
        said.next().is_none().then_some(Wanted { kind, values, title })
    }
}

impl PanelFile {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, or with the line in which something is wrong.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path.display(), &e))?;
        Self::parse(&text).map_err(|(at, what)| {
            let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            Error::usage(format_args!("{}: line {line}: {what}", path.display())).hint(HINT)
        })
    }

    /// Parses the text of a file; what is wrong is told with its place.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut all: ForAll = toml::from_str(text).map_err(|e| {
            (e.span().map_or(0, |span| span.start), e.message().trim().replace('`', "\"").replace('\n', "; "))
        })?;
        let wanted = |panel: Spanned<PanelTable>| {
            let at = panel.span().start;
            panel
                .into_inner()
                .wanted()
                .ok_or_else(|| (at, "a panel has one of number, line, bar, heat, table".to_owned()))
        };
        let panels = std::mem::take(&mut all.panel).into_iter().map(wanted).collect::<Result<_, _>>()?;
        Ok(Self { all, panels })
    }
}

const HINT: &str = "a panel is [[panel]] and a line such as line = \"p50,p99\"; report --help shows a file";

#[cfg(test)]
mod tests;
