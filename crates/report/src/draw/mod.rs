//! Drawings: a picture of numbers becomes SVG, one drawing for file, page and mail.
//!
//! The charts are drawn by plotters (MIT, four crates as it is used here: coordinates, meshes, series, SVG; it knows no fonts then).
//! What was compared: kuva (MIT, time axes of its own, one author, months old), charts-rs (depends on ttf-parser, which nobody keeps:
//! RUSTSEC-2026-0192), charming (runs ECharts in V8), poloto (lines only, styles by CSS). With plotters the layout, the legends and
//! the ticks are ours; it maps values to places and writes the elements.

mod blocks;
mod canvas;
mod plot;

use canvas::{Align, Area, fill, fitting, pixels, sheet, text, width_of};

pub use blocks::{all_bars, cell_count, heat_cells};
pub use plot::{x_axis, y_axis};

use crate::picture::{Panel, Picture};
use crate::scale::short;
use crate::spec::Kind;
use crate::theme::Ink;

/// What a drawing is to have.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// In units of a pixel.
    pub width: f64,
    /// The title, tables, and notes on what is not shown: without them for a page, which has them as text.
    pub is_alone: bool,
}

/// A drawing.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// Colours are names: see [`crate::theme`].
    pub svg: String,
    /// Where the plots are, for those that point at them.
    pub plots: Vec<Plot>,
}

/// The place of a plot in a drawing, in units, and what of x it shows.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub struct Plot {
    pub panel: usize,
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
    pub from: f64,
    pub to: f64,
}

const EDGE: f64 = 12.0;
const TITLE: f64 = 34.0;
const HEADING: f64 = 26.0;
const LEGEND_ROW: f64 = 18.0;
const PLOT: f64 = 210.0;
const NOTE: f64 = 18.0;
const GAP: f64 = 14.0;

/// Draws a picture.
#[must_use]
pub fn draw(picture: &Picture, frame: Frame) -> Drawing {
    let frame = Frame { width: frame.width.clamp(240.0, 4000.0), ..frame };
    let panels: Vec<&Panel> =
        picture.panels.iter().filter(|panel| frame.is_alone || panel.kind != Kind::Table).collect();
    let heights: Vec<f64> = panels.iter().map(|panel| height(panel, frame)).collect();
    let head = if frame.is_alone { TITLE } else { 0.0 };
    let notes = if frame.is_alone { NOTE * (picture.notes.len() + 1) as f64 } else { 0.0 };
    let total = head + heights.iter().sum::<f64>() + notes + GAP;
    let mut plots = Vec::new();
    let svg = sheet((frame.width, total), &label(picture), |area| {
        fill(area, (0.0, 0.0), (frame.width, total), canvas::colour(Ink::Background));
        if frame.is_alone {
            let title = fitting(&picture.title, 17.0, frame.width - 2.0 * EDGE);
            text(area, &title, (EDGE, TITLE / 2.0 + 4.0), 17.0, Ink::Text, Align::Left);
        }
        let mut top = head;
        for (panel, height) in panels.iter().zip(&heights) {
            let number = picture.panels.iter().position(|other| std::ptr::eq(other, *panel)).unwrap_or_default();
            plots.extend(draw_panel(area, picture, (panel, number), frame, (top, *height)));
            top += height;
        }
        if frame.is_alone {
            draw_notes(area, picture, top, frame.width);
        }
    });
    Drawing { svg, plots }
}

fn label(picture: &Picture) -> String {
    let titles: Vec<&str> = picture.panels.iter().map(|panel| panel.title.as_str()).collect();
    format!("{}: {}", picture.title, titles.join("; "))
}

fn height(panel: &Panel, frame: Frame) -> f64 {
    let body = match panel.kind {
        Kind::Number => blocks::numbers_height(panel, frame.width - 2.0 * EDGE),
        Kind::Line => legend(panel, frame).len() as f64 * LEGEND_ROW + PLOT,
        Kind::Bar => blocks::bars_height(panel),
        Kind::Heat => blocks::heat_height(panel),
        Kind::Table => blocks::table_height(panel),
    };
    HEADING + body.max(LEGEND_ROW) + GAP
}

fn draw_panel(
    area: &Area<'_>,
    picture: &Picture,
    (panel, number): (&Panel, usize),
    frame: Frame,
    (top, height): (f64, f64),
) -> Option<Plot> {
    let width = frame.width - 2.0 * EDGE;
    // The colours of a heat map are told at the right end of its heading.
    let key = if panel.kind == Kind::Heat { 180.0 } else { 0.0 };
    text(area, &fitting(&panel.title, 13.0, width - key), (EDGE, top + HEADING / 2.0), 13.0, Ink::Text, Align::Left);
    let is_empty = panel.curves.is_empty() && panel.table.as_ref().is_none_or(|table| table.rows.is_empty());
    let body = (EDGE, top + HEADING);
    if is_empty {
        text(area, "no numbers yet", (EDGE, body.1 + LEGEND_ROW / 2.0), 12.0, Ink::Soft, Align::Left);
        return None;
    }
    match panel.kind {
        Kind::Number => blocks::numbers(area, panel, body, width),
        Kind::Bar => blocks::bars(area, picture, panel, body, width),
        Kind::Table => blocks::table(area, panel, body, width),
        Kind::Heat => {
            let (left, right, bottom) = blocks::heat(area, picture, panel, body, width);
            return Some(plot_at(picture, number, (left, right), (body.1, bottom)));
        }
        Kind::Line => {
            let rows = legend(panel, frame);
            let legend_height = rows.len() as f64 * LEGEND_ROW;
            draw_legend(area, &rows, body);
            let size = (width, height - HEADING - GAP - legend_height);
            let from = (pixels(body.0), pixels(body.1 + legend_height));
            let inner = area.clone().shrink(from, (pixels(size.0), pixels(size.1)));
            plot::plot(&inner, picture, panel, size);
            let (left, right) = (body.0 + plot::LEFT, body.0 + width - plot::RIGHT);
            let bottom = body.1 + legend_height + size.1 - plot::BOTTOM;
            return Some(plot_at(picture, number, (left, right), (body.1 + legend_height, bottom)));
        }
    }
    None
}

fn plot_at(picture: &Picture, panel: usize, (left, right): (f64, f64), (top, bottom): (f64, f64)) -> Plot {
    let axis = plot::x_axis(picture.axis, picture.from, picture.to, right - left);
    Plot { panel, left, right, top, bottom, from: axis.from, to: axis.to }
}

/// An entry of a legend: how far from the left, which series, and what it is called.
type Entry = (f64, usize, String);

/// The legend of a drawing that stands alone, in rows; a single line needs none.
fn legend(panel: &Panel, frame: Frame) -> Vec<Vec<Entry>> {
    let is_single = panel.curves.len() == 1 && panel.curves.first().is_some_and(|curve| curve.name == panel.title);
    let mut rows: Vec<Vec<Entry>> = Vec::new();
    if !frame.is_alone || is_single {
        return rows;
    }
    let mut left = f64::INFINITY;
    for curve in panel.shown() {
        let name = format!("{}: {}", fitting(&curve.name, 12.0, 240.0), short(curve.last));
        let width = 18.0 + width_of(&name, 12.0) + 14.0;
        if left + width > frame.width - 2.0 * EDGE {
            rows.push(Vec::new());
            left = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((left, curve.slot, name));
        }
        left += width;
    }
    rows
}

fn draw_legend(area: &Area<'_>, rows: &[Vec<Entry>], (left, top): (f64, f64)) {
    for (row, entries) in rows.iter().enumerate() {
        let middle = top + (row as f64 + 0.5) * LEGEND_ROW;
        for (offset, slot, name) in entries {
            let from = left + offset;
            canvas::path(area, vec![(from, middle), (from + 14.0, middle)], Ink::Series(*slot), 3.0);
            text(area, name, (from + 18.0, middle), 12.0, Ink::Text, Align::Left);
        }
    }
}

fn draw_notes(area: &Area<'_>, picture: &Picture, top: f64, width: f64) {
    for (number, note) in std::iter::once(&picture.summary()).chain(&picture.notes).enumerate() {
        let middle = top + NOTE * (number as f64 + 0.5);
        text(area, &fitting(note, 11.0, width - 2.0 * EDGE), (EDGE, middle), 11.0, Ink::Soft, Align::Left);
    }
}

/// Returns the SVG as a file of its own: with the colours of both themes.
#[must_use]
pub fn file(drawing: &Drawing) -> String {
    let style = format!("<style>{}</style>", crate::theme::css("svg"));
    let end = drawing.svg.find('>').map_or(0, |end| end + 1);
    let (head, body) = drawing.svg.split_at(end);
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{head}\n{style}{body}")
}

#[cfg(test)]
mod tests;
