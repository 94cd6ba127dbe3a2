//! Panels without a plot: large numbers, bars, cells of a heat map, rows of a table.

use plotters::style::RGBColor;

use crate::draw::canvas::{Align, Area, colour, fill, fitting, path, text, width_of};
use crate::draw::plot::{BOTTOM, x_axis};
use crate::picture::{Curve, Panel, Picture};
use crate::points::{Point, thinned};
use crate::scale::{fraction, short, x_text};
use crate::theme::{HEAT, Ink};

const CELL: (f64, f64) = (190.0, 66.0);
const BAR: f64 = 22.0;
const BARS_MAX: usize = 30;
const HEAT_ROW: f64 = 20.0;
const HEAT_NAME: f64 = 130.0;
/// The least width of a cell of a heat map.
const HEAT_CELL: f64 = 6.0;
const TABLE_ROW: f64 = 20.0;

/// Returns the height of a panel of large numbers.
pub fn numbers_height(panel: &Panel, width: f64) -> f64 {
    panel.shown().count().div_ceil(columns(width)) as f64 * CELL.1
}

fn columns(width: f64) -> usize {
    ((width / CELL.0) as usize).max(1)
}

/// Draws large numbers, each with a small line of those before it.
pub fn numbers(area: &Area<'_>, panel: &Panel, (left, top): (f64, f64), width: f64) {
    let columns = columns(width);
    for (number, curve) in panel.shown().enumerate() {
        let x = left + (number % columns) as f64 * CELL.0;
        let y = top + (number / columns) as f64 * CELL.1;
        text(area, &fitting(&curve.name, 12.0, CELL.0 - 20.0), (x, y + 9.0), 12.0, Ink::Soft, Align::Left);
        let last = short(curve.last);
        text(area, &last, (x, y + 36.0), 28.0, Ink::Text, Align::Left);
        // Digits are wider than the mean letter.
        let from = x + width_of(&last, 28.0) * 1.15 + 12.0;
        spark(area, curve, (from.min(x + CELL.0 - 60.0), y + 22.0), (x + CELL.0 - 22.0, y + 48.0));
    }
}

fn spark(area: &Area<'_>, curve: &Curve, from: (f64, f64), to: (f64, f64)) {
    let points: Vec<Point> = thinned(&curve.points, 30).into_iter().filter(|point| !point.y.is_nan()).collect();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    let ys = || points.iter().map(|point| point.y);
    let (least, greatest) = (ys().fold(f64::INFINITY, f64::min), ys().fold(f64::NEG_INFINITY, f64::max));
    let place = |point: &Point| {
        let x = from.0 + fraction(point.x, first.x, last.x) * (to.0 - from.0);
        (x, to.1 - fraction(point.y, least, greatest) * (to.1 - from.1))
    };
    if points.len() > 1 {
        path(area, points.iter().map(place).collect(), Ink::Series(curve.slot), 1.5);
    }
}

/// A bar: what it is called, its value, and its colour.
pub type Bar = (String, f64, usize);

/// Returns the bars of a panel: one for each series, or of a single series one for each x.
pub fn all_bars(picture: &Picture, panel: &Panel) -> Vec<Bar> {
    let shown: Vec<&Curve> = panel.shown().collect();
    match shown.as_slice() {
        [curve] if curve.name == panel.title => {
            let points = curve.points.iter().filter(|point| !point.y.is_nan()).rev().take(BARS_MAX);
            let mut bars: Vec<Bar> = points.map(|point| (x_text(picture.axis, point.x), point.y, curve.slot)).collect();
            bars.reverse();
            bars
        }
        curves => curves.iter().map(|curve| (curve.name.clone(), curve.last, curve.slot)).collect(),
    }
}

/// Returns the height of a panel of bars.
pub fn bars_height(panel: &Panel) -> f64 {
    all_bars(&Picture::default(), panel).len() as f64 * BAR
}

/// Draws bars from 0, with their values.
pub fn bars(area: &Area<'_>, picture: &Picture, panel: &Panel, (left, top): (f64, f64), width: f64) {
    let bars = all_bars(picture, panel);
    let names = bars.iter().map(|bar| width_of(&bar.0, 12.0)).fold(0.0, f64::max).min(width * 0.35);
    let least = bars.iter().map(|bar| bar.1).fold(0.0, f64::min);
    let greatest = bars.iter().map(|bar| bar.1).fold(0.0, f64::max);
    let (from, to) = (left + names + 10.0, left + width - 70.0);
    let place = |value: f64| from + (to - from) * if least < greatest { fraction(value, least, greatest) } else { 0.0 };
    for (number, (name, value, slot)) in bars.iter().enumerate() {
        let y = top + number as f64 * BAR;
        text(area, &fitting(name, 12.0, names), (left, y + BAR / 2.0), 12.0, Ink::Text, Align::Left);
        let (one, other) = (place(0.0).min(place(*value)), place(0.0).max(place(*value)));
        fill(area, (one, y + 3.0), (other.max(one + 1.0), y + BAR - 3.0), colour(Ink::Series(*slot)));
        text(area, &short(*value), (other + 6.0, y + BAR / 2.0), 12.0, Ink::Text, Align::Left);
    }
}

/// Returns the height of a heat map.
pub fn heat_height(panel: &Panel) -> f64 {
    panel.shown().count() as f64 * HEAT_ROW + BOTTOM
}

/// Returns a row of a heat map: the largest number in each piece of x.
pub fn heat_cells(curve: &Curve, (from, to): (f64, f64), cells: usize) -> Vec<Option<f64>> {
    let mut row = vec![None; cells];
    for point in curve.points.iter().filter(|point| (from..=to).contains(&point.x) && !point.y.is_nan()) {
        let cell = (fraction(point.x, from, to) * cells as f64) as usize;
        if let Some(largest) = row.get_mut(cell.min(cells.saturating_sub(1))) {
            *largest = Some(largest.map_or(point.y, |largest: f64| largest.max(point.y)));
        }
    }
    row
}

/// Returns how many cells a row of a heat map has: as many as there are x, and at most `max`.
pub fn cell_count(panel: &Panel, max: usize) -> usize {
    panel.shown().map(|curve| curve.points.len()).max().unwrap_or(1).clamp(1, max.max(1))
}

/// Draws a heat map, and returns its left and right ends and its bottom.
pub fn heat(area: &Area<'_>, picture: &Picture, panel: &Panel, (left, top): (f64, f64), width: f64) -> (f64, f64, f64) {
    let names = panel.shown().map(|curve| width_of(&curve.name, 12.0) + 10.0).fold(0.0, f64::max).min(HEAT_NAME);
    let (from, to) = (left + names, left + width - 12.0);
    let axis = x_axis(picture.axis, picture.from, picture.to, to - from);
    let count = cell_count(panel, ((to - from) / HEAT_CELL) as usize);
    let (least, greatest) = panel.value_range().unwrap_or((0.0, 0.0));
    let cell = (to - from) / count as f64;
    let mut bottom = top;
    for curve in panel.shown() {
        text(
            area,
            &fitting(&curve.name, 12.0, names - 8.0),
            (left, bottom + HEAT_ROW / 2.0),
            12.0,
            Ink::Text,
            Align::Left,
        );
        for (number, value) in heat_cells(curve, (axis.from, axis.to), count).into_iter().enumerate() {
            let Some(value) = value else { continue };
            let x = from + number as f64 * cell;
            fill(
                area,
                (x, bottom + 1.0),
                (x + cell, bottom + HEAT_ROW - 1.0),
                heat_colour(fraction(value, least, greatest)),
            );
        }
        bottom += HEAT_ROW;
    }
    for (place, label) in axis.ticks.places.iter().zip(&axis.ticks.labels) {
        let x = from + fraction(*place, axis.from, axis.to) * (to - from);
        path(area, vec![(x, bottom), (x, bottom + 4.0)], Ink::Soft, 1.0);
        let start = (x - width_of(label, 11.0) / 2.0).min(to + 10.0 - width_of(label, 11.0));
        text(area, label, (start, bottom + 13.0), 11.0, Ink::Soft, Align::Left);
    }
    heat_key(area, (least, greatest), (to, top - 14.0));
    (from, to, bottom)
}

/// What the colours mean, at the right end of the heading.
fn heat_key(area: &Area<'_>, (least, greatest): (f64, f64), (right, middle): (f64, f64)) {
    let largest = short(greatest);
    text(area, &largest, (right, middle), 11.0, Ink::Soft, Align::Right);
    let end = right - width_of(&largest, 11.0) - 6.0;
    for step in 0..HEAT.len() {
        let x = end - (HEAT.len() - step) as f64 * 5.0;
        fill(area, (x, middle - 5.0), (x + 5.0, middle + 5.0), heat_colour(step as f64 / 15.0));
    }
    text(area, &short(least), (end - 86.0, middle), 11.0, Ink::Soft, Align::Right);
}

fn heat_colour(part: f64) -> RGBColor {
    let step = (part * (HEAT.len() - 1) as f64).round() as usize;
    let (red, green, blue) = HEAT.get(step.min(HEAT.len() - 1)).copied().unwrap_or_default();
    RGBColor(red, green, blue)
}

/// Returns the height of a table.
pub fn table_height(panel: &Panel) -> f64 {
    let rows = panel.table.as_ref().map_or(0, |table| table.rows.len());
    (rows + 1) as f64 * TABLE_ROW
}

/// Draws a table; numbers end at the right of their column.
pub fn table(area: &Area<'_>, panel: &Panel, (left, top): (f64, f64), width: f64) {
    let Some(table) = &panel.table else { return };
    let columns = table.columns.len().max(1);
    let column = (width / columns as f64).min(190.0);
    let all = std::iter::once(&table.columns).chain(&table.rows);
    for (row, cells) in all.enumerate() {
        let middle = top + (row as f64 + 0.5) * TABLE_ROW;
        let ink = if row == 0 { Ink::Soft } else { Ink::Text };
        for (number, cell) in cells.iter().enumerate() {
            let x = left + number as f64 * column;
            let shown = fitting(cell, 12.0, column - 12.0);
            match table.is_number(number) {
                true => text(area, &shown, (x + column - 12.0, middle), 12.0, ink, Align::Right),
                false => text(area, &shown, (x, middle), 12.0, ink, Align::Left),
            }
        }
        if row == 0 {
            let right = left + column * columns as f64 - 12.0;
            path(area, vec![(left, top + TABLE_ROW), (right, top + TABLE_ROW)], Ink::Grid, 1.0);
        }
    }
}
