//! The panels of a terminal.

use ratatui::layout::Rect;
use ratatui::symbols::Marker;
use ratatui::widgets::Widget;
use ratatui::widgets::canvas::{Canvas, Line, Points};

use crate::draw::{all_bars, cell_count, heat_cells, x_axis, y_axis};
use crate::picture::{Curve, Panel, Picture};
use crate::points::{Point, thinned};
use crate::scale::{Ticks, fraction, short};
use crate::terminal::sheet::{Sheet, Tone};
use crate::theme::HEAT;

/// Columns of a large number with what belongs to it.
pub const NUMBER_COLUMNS: u16 = 34;
const Y_COLUMNS: u16 = 8;
/// Columns from one label of x to the next, and units that one column stands for where ticks are chosen.
const UNITS_PER_COLUMN: f64 = 6.0;
const SPARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SHADES: [&str; 4] = ["░", "▒", "▓", "█"];
const SPARK_COLUMNS: usize = 16;

/// Draws numbers, two rows each: the name, and the last value with what was before it.
pub fn numbers(sheet: &mut Sheet<'_>, panel: &Panel, area: Rect) {
    let columns = (area.width / NUMBER_COLUMNS).max(1);
    for (number, curve) in panel.shown().enumerate().take(usize::from(columns) * 500) {
        let (column, row) = (number as u16 % columns * NUMBER_COLUMNS, area.y + number as u16 / columns * 2);
        if row + 1 >= area.bottom() {
            // One row: the value alone.
            if row < area.bottom() {
                sheet.text(column, row, &format!("{} {}", curve.name, short(curve.last)), Tone::Bold);
            }
            return;
        }
        sheet.text(column, row, &cut(&curve.name, NUMBER_COLUMNS - 2), Tone::Soft);
        let last = short(curve.last);
        sheet.text(column, row + 1, &last, Tone::Bold);
        sheet.text(column + last.chars().count() as u16 + 2, row + 1, &spark(curve), Tone::Series(curve.slot));
    }
}

fn spark(curve: &Curve) -> String {
    let points: Vec<Point> =
        thinned(&curve.points, SPARK_COLUMNS / 2).into_iter().filter(|point| !point.y.is_nan()).collect();
    let least = points.iter().map(|point| point.y).fold(f64::INFINITY, f64::min);
    let greatest = points.iter().map(|point| point.y).fold(f64::NEG_INFINITY, f64::max);
    let letter =
        |point: &Point| SPARKS.get((fraction(point.y, least, greatest) * 7.0).round() as usize).copied().unwrap_or('█');
    points.iter().map(letter).collect()
}

fn cut(text: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    text.chars().take(columns.saturating_sub(1)).chain(['…']).collect()
}

/// Draws lines between two axes, with a legend above them.
pub fn lines(sheet: &mut Sheet<'_>, picture: &Picture, panel: &Panel, area: Rect) {
    let has_legend = area.height > 4 && !(panel.curves.len() == 1 && panel.curves[0].name == panel.title);
    if has_legend {
        legend(sheet, panel, area.y);
    }
    let has_x = area.height > 3;
    let left = if area.width > 30 { Y_COLUMNS } else { 0 };
    let top = area.y + u16::from(has_legend);
    let bottom = area.bottom() - u16::from(has_x);
    let plot = Rect::new(left, top, area.width.saturating_sub(left), bottom.saturating_sub(top))
        .intersection(sheet.buffer().area);
    if plot.is_empty() {
        return;
    }
    let x = x_axis(picture.axis, picture.from, picture.to, f64::from(plot.width) * UNITS_PER_COLUMN);
    let y = y_axis(panel, f64::from(plot.height) * 12.0);
    if left > 0 {
        labels_of_y(sheet, &y.ticks, (y.from, y.to), plot);
    }
    if has_x {
        labels_of_x(sheet, &x.ticks, (x.from, x.to), plot);
    }
    let canvas = Canvas::default().marker(Marker::Braille).x_bounds([0.0, 1.0]).y_bounds([0.0, 1.0]);
    let place = |point: &Point| (fraction(point.x, x.from, x.to), fraction(point.y, y.from, y.to));
    let draw = canvas.paint(|context| {
        for curve in panel.shown() {
            let color = Tone::Series(curve.slot).style().fg.unwrap_or_default();
            let points = thinned(&curve.points, usize::from(plot.width) * 2);
            for run in points.split(|point| point.y.is_nan()) {
                let places: Vec<(f64, f64)> = run.iter().map(place).collect();
                for pair in places.windows(2) {
                    context.draw(&Line { x1: pair[0].0, y1: pair[0].1, x2: pair[1].0, y2: pair[1].1, color });
                }
                context.draw(&Points { coords: &places, color });
            }
        }
    });
    draw.render(plot, sheet.buffer());
    for dot in panel.shown().flat_map(|curve| &curve.dots) {
        let (across, up) = place(dot);
        let column = plot.x + (across * f64::from(plot.width - 1)).round() as u16;
        let row = plot.y + ((1.0 - up) * f64::from(plot.height - 1)).round() as u16;
        sheet.text(column, row, "◆", Tone::Mark);
    }
}

fn legend(sheet: &mut Sheet<'_>, panel: &Panel, row: u16) {
    let mut column = 0;
    for curve in panel.shown() {
        let entry = format!("{}: {}", cut(&curve.name, 28), short(curve.last));
        let width = entry.chars().count() as u16 + 4;
        if column > 0 && column + width > sheet.columns() {
            return sheet.text(column.min(sheet.columns().saturating_sub(1)), row, "…", Tone::Soft);
        }
        sheet.text(column, row, "━", Tone::Series(curve.slot));
        sheet.text(column + 2, row, &entry, Tone::Plain);
        column += width;
    }
}

fn labels_of_y(sheet: &mut Sheet<'_>, ticks: &Ticks, (from, to): (f64, f64), plot: Rect) {
    for (place, label) in ticks.places.iter().zip(&ticks.labels) {
        let up = fraction(*place, from, to) * f64::from(plot.height - 1);
        let row = plot.bottom() - 1 - (up.round() as u16).min(plot.height - 1);
        let label = cut(label, Y_COLUMNS - 1);
        sheet.text(Y_COLUMNS - 1 - label.chars().count() as u16, row, &label, Tone::Soft);
    }
}

fn labels_of_x(sheet: &mut Sheet<'_>, ticks: &Ticks, (from, to): (f64, f64), plot: Rect) {
    let mut free = 0;
    for (place, label) in ticks.places.iter().zip(&ticks.labels) {
        let middle = plot.x + (fraction(*place, from, to) * f64::from(plot.width - 1)).round() as u16;
        let width = label.chars().count() as u16;
        let column = middle.saturating_sub(width / 2).min(sheet.columns().saturating_sub(width));
        if column >= free {
            sheet.text(column, plot.bottom(), label, Tone::Soft);
            free = column + width + 1;
        }
    }
}

/// Returns how many bars a panel has.
pub fn bar_count(picture: &Picture, panel: &Panel) -> usize {
    all_bars(picture, panel).len()
}

/// Draws bars, each a row. A negative one is drawn by its size.
pub fn bars(sheet: &mut Sheet<'_>, picture: &Picture, panel: &Panel, area: Rect) {
    let bars = all_bars(picture, panel);
    let names = bars.iter().map(|bar| bar.0.chars().count()).max().unwrap_or(0).min(usize::from(area.width) / 3) as u16;
    let largest = bars.iter().map(|bar| bar.1.abs()).fold(0.0, f64::max);
    let room = area.width.saturating_sub(names + 12);
    for (row, (name, value, slot)) in (area.y..area.bottom()).zip(&bars) {
        sheet.text(0, row, &cut(name, names), Tone::Plain);
        let eighths = if largest > 0.0 { (value.abs() / largest * f64::from(room) * 8.0).round() as usize } else { 0 };
        let bar = bar_of(eighths);
        sheet.text(names + 1, row, &bar, Tone::Series(*slot));
        sheet.text(names + 2 + bar.chars().count() as u16, row, &short(*value), Tone::Plain);
    }
}

fn bar_of(eighths: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    "█".repeat(eighths / 8) + PARTS.get(eighths % 8).unwrap_or(&"")
}

/// Draws a heat map, a row for each series; without colours the shades tell how large a number is.
pub fn heat(sheet: &mut Sheet<'_>, picture: &Picture, panel: &Panel, area: Rect) {
    let names =
        panel.shown().map(|curve| curve.name.chars().count()).max().unwrap_or(0).min(usize::from(area.width) / 4)
            as u16;
    let plot = Rect::new(names + 1, area.y, area.width.saturating_sub(names + 1), area.height.saturating_sub(1));
    if plot.is_empty() {
        return;
    }
    let count = cell_count(panel, usize::from(plot.width));
    let per_cell = (usize::from(plot.width) / count).max(1);
    let plot = Rect { width: (per_cell * count) as u16, ..plot };
    let (least, greatest) = panel.value_range().unwrap_or((0.0, 0.0));
    let x = x_axis(picture.axis, picture.from, picture.to, f64::from(plot.width) * UNITS_PER_COLUMN);
    for (row, curve) in (plot.y..plot.bottom()).zip(panel.shown()) {
        sheet.text(0, row, &cut(&curve.name, names), Tone::Plain);
        for (number, value) in heat_cells(curve, (x.from, x.to), count).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let part = fraction(value, least, greatest);
            let shade = SHADES.get((part * 3.0).round() as usize).unwrap_or(&"█");
            let tone = Tone::Heat((part * (HEAT.len() - 1) as f64).round() as usize);
            sheet.text(plot.x + (number * per_cell) as u16, row, &shade.repeat(per_cell), tone);
        }
    }
    let rows = (panel.shown().count() as u16).min(plot.height);
    labels_of_x(sheet, &x.ticks, (x.from, x.to), Rect { height: rows, ..plot });
}

/// Draws a table: a row of names, then its rows; numbers end at the right of their column.
pub fn table(sheet: &mut Sheet<'_>, panel: &Panel, area: Rect) {
    let Some(table) = &panel.table else { return };
    let all: Vec<&Vec<String>> = std::iter::once(&table.columns).chain(&table.rows).collect();
    let longest = |column: usize| all.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<u16> = (0..table.columns.len()).map(|column| longest(column).unwrap_or(0).min(40) as u16).collect();
    for (number, (row, cells)) in (area.y..area.bottom()).zip(&all).enumerate() {
        let mut left = 0;
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let cell = cut(cell, *width);
            let indent = if table.is_number(column) { width - cell.chars().count() as u16 } else { 0 };
            sheet.text(left + indent, row, &cell, if number == 0 { Tone::Soft } else { Tone::Plain });
            left += width + 2;
        }
    }
}
