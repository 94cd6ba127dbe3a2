//! What a viewer gets: the numbers of one view, small enough to be drawn, and no part of the store.

use std::collections::BTreeSet;

use crate::points::Point;
use crate::scale::AxisKind;
use crate::spec::Kind;

/// Which part of the numbers is wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// None: from the first x there is.
    pub from: Option<f64>,
    /// None: to the last x there is.
    pub to: Option<f64>,
    /// Names of series that are not drawn.
    pub hidden: BTreeSet<String>,
}

/// All panels of one view.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    pub title: String,
    pub axis: AxisKind,
    /// The range of x.
    pub from: f64,
    pub to: f64,
    pub panels: Vec<Panel>,
    /// What is not shown, and why.
    pub notes: Vec<String>,
    pub lines: u64,
}

/// One panel.
#[derive(Clone, Debug)]
pub struct Panel {
    pub kind: Kind,
    pub title: String,
    /// The first series by rank, the first of them first.
    pub curves: Vec<Curve>,
    pub table: Option<Table>,
}

/// One series of a panel.
#[derive(Clone, Debug)]
pub struct Curve {
    pub name: String,
    /// Which colour it has, as long as it is shown.
    pub slot: usize,
    pub is_hidden: bool,
    pub points: Vec<Point>,
    /// Anomalies.
    pub dots: Vec<Point>,
    /// NaN where there is none.
    pub last: f64,
}

/// The rows of a table, in their order.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub columns: Vec<String>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Returns true for a column in which each cell is a number, or empty.
    #[must_use]
    pub fn is_number(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        column > 0 && cells.all(|cell| cell.is_empty() || cell == "null" || cell.parse::<f64>().is_ok())
    }
}

impl Panel {
    /// Returns the series that are drawn.
    pub fn shown(&self) -> impl Iterator<Item = &Curve> {
        self.curves.iter().filter(|curve| !curve.is_hidden)
    }

    /// Returns the least and the greatest y of what is drawn, bands and all; none without a number.
    #[must_use]
    pub fn y_range(&self) -> Option<(f64, f64)> {
        let points = self.shown().flat_map(|curve| curve.points.iter().chain(&curve.dots));
        range_of(points.flat_map(|point| [point.y, point.low, point.high]))
    }

    /// Returns the least and the greatest value of what is drawn, without bands; none without a number.
    #[must_use]
    pub fn value_range(&self) -> Option<(f64, f64)> {
        range_of(self.shown().flat_map(|curve| &curve.points).map(|point| point.y))
    }
}

fn range_of(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    numbers.filter(|number| !number.is_nan()).fold(None, |range, number| match range {
        None => Some((number, number)),
        Some((least, greatest)) => Some((number.min(least), number.max(greatest))),
    })
}

impl Picture {
    /// Says how many lines came, and from when to when.
    #[must_use]
    pub fn summary(&self) -> String {
        let lines = if self.lines == 1 { "1 line".to_owned() } else { format!("{} lines", self.lines) };
        let range = crate::scale::range_text(self.axis, self.from, self.to);
        if self.from < self.to { format!("{lines}, {range}") } else { lines }
    }

    /// Writes all points as CSV: a row for each point of each series.
    #[must_use]
    pub fn csv(&self) -> String {
        let mut text = "panel,series,x,value,lower,upper\n".to_owned();
        for (panel, curve) in self.panels.iter().flat_map(|panel| panel.curves.iter().map(move |curve| (panel, curve)))
        {
            for point in &curve.points {
                let x = crate::scale::x_text(self.axis, point.x);
                let numbers = [point.y, point.low, point.high].map(number);
                text += &[cell(&panel.title), cell(&curve.name), x, numbers.join(",")].join(",");
                text.push('\n');
            }
        }
        text
    }
}

fn number(value: f64) -> String {
    if value.is_nan() { String::new() } else { value.to_string() }
}

/// In quotes where it has to be (RFC 4180); what a spreadsheet would take for a formula gets a quote in front.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    let is_plain = guard.is_empty() && !text.contains(['"', ',', '\n', '\r']);
    if is_plain { text.to_owned() } else { format!("\"{guard}{}\"", text.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests;
