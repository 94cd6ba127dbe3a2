//! The page: one template for the file and for the server, with its style and script in it, so nothing else is ever asked for.

use std::fmt::Write;

use serde::Serialize;

use crate::draw::{Drawing, Frame, Plot, draw};
use crate::escape::{json_in_html, xml};
use crate::picture::{Curve, Panel, Picture, Table};
use crate::points::thinned;
use crate::scale::{AxisKind, x_text};
use crate::spec::Kind;

const STYLE: &str = include_str!("../assets/page.css");
const SCRIPT: &str = include_str!("../assets/page.js");
/// Pieces of x in which a series has two points, for those that point at it.
const PIECES: usize = 400;

/// All that a page shows at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct FrameOfPage {
    /// Of which moment it is; a page that has it says so when it asks again.
    id: String,
    chart: String,
    plots: Vec<Plot>,
    legend: Vec<Entry>,
    tables: String,
    notes: String,
    axis: &'static str,
    has_ended: bool,
}

#[derive(Clone, Debug, Serialize)]
struct Entry {
    name: String,
    slot: usize,
    off: bool,
}

/// The points of a panel, for those that point at it.
#[derive(Clone, Debug, Serialize)]
struct PanelPoints {
    panel: usize,
    series: Vec<SeriesPoints>,
}

#[derive(Clone, Debug, Serialize)]
struct SeriesPoints {
    name: String,
    slot: usize,
    /// x and y.
    points: Vec<(f64, f64)>,
}

/// Makes what a page of so many units shows of a picture, at the moment of this id.
#[must_use]
pub fn frame(picture: &Picture, width: f64, id: String, has_ended: bool) -> FrameOfPage {
    let Drawing { svg, plots } = draw(picture, Frame { width, is_alone: false });
    let notes = std::iter::once(picture.summary()).chain(picture.notes.iter().cloned());
    FrameOfPage {
        id,
        chart: svg,
        plots,
        legend: legend(picture),
        tables: tables(picture),
        notes: notes.collect::<Vec<_>>().join(" · "),
        axis: if picture.axis == AxisKind::Time { "time" } else { "number" },
        has_ended,
    }
}

/// The series of all panels, each once, by name.
fn legend(picture: &Picture) -> Vec<Entry> {
    let mut legend: Vec<Entry> = Vec::new();
    for curve in picture.panels.iter().flat_map(|panel| &panel.curves) {
        if legend.iter().all(|entry| entry.name != curve.name) {
            legend.push(Entry {
                name: curve.name.clone(),
                slot: curve.slot % crate::theme::COLOURS,
                off: curve.is_hidden,
            });
        }
    }
    legend.sort_by(|a, b| a.name.cmp(&b.name));
    legend
}

/// Returns a frame as JSON.
#[must_use]
pub fn json(frame: &FrameOfPage) -> String {
    serde_json::to_string(frame).unwrap_or_default()
}

/// Returns the points of all panels as JSON.
#[must_use]
pub fn points_json(picture: &Picture) -> String {
    let of_curve = |curve: &Curve| SeriesPoints {
        name: curve.name.clone(),
        slot: curve.slot % crate::theme::COLOURS,
        points: numbers(curve),
    };
    let panels = picture.panels.iter().enumerate().filter(|(_, panel)| panel.kind != Kind::Table);
    let all = panels.map(|(panel, of)| PanelPoints { panel, series: of.shown().map(of_curve).collect() });
    serde_json::to_string(&all.collect::<Vec<_>>()).unwrap_or_default()
}

fn numbers(curve: &Curve) -> Vec<(f64, f64)> {
    let points = if curve.points.len() > 2 * PIECES { thinned(&curve.points, PIECES) } else { curve.points.clone() };
    points.iter().filter(|point| !point.y.is_nan()).map(|point| (point.x, point.y)).collect()
}

/// Writes tables of the numbers: first the rows of panels that are tables, then for the others the last, least and greatest value of each
/// series.
#[must_use]
pub fn tables(picture: &Picture) -> String {
    let panels = picture.panels.iter().enumerate();
    // Two ways of showing the same values have one table.
    let is_new = |(number, panel): &(usize, &Panel)| {
        let mut before = picture.panels.iter().take(*number);
        panel.table.is_some() || before.all(|other| other.table.is_some() || other.title != panel.title)
    };
    let (tables, others): (Vec<_>, Vec<_>) = panels.filter(is_new).partition(|(_, panel)| panel.table.is_some());
    tables.iter().chain(&others).map(|(_, panel)| table_of(picture, panel)).collect()
}

fn table_of(picture: &Picture, panel: &Panel) -> String {
    match &panel.table {
        Some(table) => table_html(&panel.title, table),
        None => table_html(&panel.title, &summary(picture, panel)),
    }
}

fn summary(picture: &Picture, panel: &Panel) -> Table {
    let columns = ["series", "last", "at", "least", "greatest"].map(str::to_owned).to_vec();
    let row = |curve: &Curve| {
        let ys = || curve.points.iter().map(|point| point.y).filter(|y| !y.is_nan());
        let last = curve.points.iter().rfind(|point| !point.y.is_nan());
        let at = last.map(|point| x_text(picture.axis, point.x)).unwrap_or_default();
        let least = ys().fold(f64::NAN, f64::min);
        let greatest = ys().fold(f64::NAN, f64::max);
        let number = |y: f64| if y.is_nan() { String::new() } else { y.to_string() };
        vec![curve.name.clone(), number(curve.last), at, number(least), number(greatest)]
    };
    Table { columns, rows: panel.curves.iter().map(row).collect() }
}

fn table_html(title: &str, table: &Table) -> String {
    let mut html = format!("<table><caption>{}</caption><thead><tr>", xml(title));
    let class = |number| if table.is_number(number) { " class=\"n\"" } else { "" };
    for (number, column) in table.columns.iter().enumerate() {
        let _ = write!(html, "<th scope=\"col\"{}>{}</th>", class(number), xml(column));
    }
    html.push_str("</tr></thead><tbody>");
    for row in &table.rows {
        html.push_str("<tr>");
        for (number, cell) in row.iter().enumerate() {
            let _ = write!(html, "<td{}>{}</td>", class(number), xml(cell));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

/// What a page is for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// Served, with a word that only this answer has for the content security policy.
    Live {
        nonce: &'a str,
    },
    File,
}

/// Writes a page.
#[must_use]
pub fn page(picture: &Picture, width: f64, purpose: Purpose<'_>) -> String {
    let (nonce, kind) = match purpose {
        Purpose::Live { nonce } => (nonce, "live"),
        Purpose::File => ("file", "file"),
    };
    let policy = match purpose {
        Purpose::Live { .. } => String::new(),
        Purpose::File => format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">", policy(nonce)),
    };
    let mut frame = frame(picture, width, String::new(), false);
    // What stands in the page needs no script to be seen.
    let [chart, tables, notes] = [&mut frame.chart, &mut frame.tables, &mut frame.notes].map(std::mem::take);
    let notes = xml(&notes);
    let points = match purpose {
        Purpose::Live { .. } => String::new(),
        Purpose::File => points_json(picture),
    };
    let (title, css) = (xml(&picture.title), crate::theme::css("html"));
    let (frame, points) = (json_in_html(&json(&frame)), json_in_html(&points));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>{policy}\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" href=\"data:,\">\
         <style nonce=\"{nonce}\">{css}{STYLE}</style></head>\n<body data-kind=\"{kind}\"><header><h1>{title}</h1>\
         <p id=\"state\" role=\"status\"></p></header>\n{CONTROLS}\
         <main><div id=\"legend\" role=\"group\" aria-label=\"Series\"></div>\
         <div id=\"chart\">{chart}</div><div id=\"band\" hidden></div><div id=\"tip\" role=\"tooltip\" hidden></div>\
         <p id=\"notes\">{notes}</p><section aria-label=\"Numbers\" id=\"tables\">{tables}</section></main>\n\
         <script type=\"application/json\" id=\"frame\">{frame}</script>\n\
         <script type=\"application/json\" id=\"points\">{points}</script>\n\
         <script nonce=\"{nonce}\">{SCRIPT}</script></body></html>\n"
    )
}

const CONTROLS: &str = "<nav aria-label=\"View\"><button id=\"pause\" type=\"button\" aria-pressed=\"false\">Pause</button>\
    <button id=\"in\" type=\"button\">Zoom in</button><button id=\"out\" type=\"button\">Zoom out</button>\
    <button id=\"all\" type=\"button\">All</button><button id=\"theme\" type=\"button\">Dark / light</button>\
    <a id=\"csv\" download=\"report.csv\">CSV</a><a id=\"svg\" download=\"report.svg\">SVG</a><a id=\"png\" download=\"report.png\">PNG</a></nav>\n";

/// Returns the content security policy: nothing from elsewhere, no script and no style but those of the page.
#[must_use]
pub fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; img-src 'self' data:; \
         base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests;
