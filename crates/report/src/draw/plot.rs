//! Lines, bands and dots between two axes.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::prelude::*;

use crate::draw::canvas::{Area, colour, font, pixels};
use crate::picture::{Curve, Panel, Picture};
use crate::points::{Point, thinned};
use crate::scale::{AxisKind, Ticks, fraction, number_ticks, ticks};
use crate::theme::Ink;

/// Units that the labels of y take.
pub const LEFT: f64 = 54.0;
/// Units beside the plot, so that the last label of x has room.
pub const RIGHT: f64 = 26.0;
/// Units that the labels of x take.
pub const BOTTOM: f64 = 22.0;
/// Units from tick to tick, at least.
const TICK: f64 = 90.0;
const LABEL: f64 = 11.0;
/// Two points of a line in so many units of x, at most.
const PIECE: f64 = 1.5;

/// An axis for plotters, with ticks that are ours.
#[derive(Clone, Debug)]
pub struct Axis {
    pub from: f64,
    pub to: f64,
    pub ticks: Ticks,
}

impl Axis {
    fn label(&self, place: f64) -> String {
        let found = self.ticks.places.iter().position(|tick| *tick == place);
        found.and_then(|at| self.ticks.labels.get(at).cloned()).unwrap_or_default()
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let length = f64::from(limit.1) - f64::from(limit.0);
        (f64::from(limit.0) + fraction(*value, self.from, self.to) * length).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.places.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        self.label(*value)
    }
}

/// Makes the axis of x for a plot of so many units.
#[must_use]
pub fn x_axis(kind: AxisKind, from: f64, to: f64, width: f64) -> Axis {
    let (from, to) = if from < to { (from, to) } else { widened(from, 0.5) };
    Axis { from, to, ticks: ticks(kind, from, to, ((width / TICK) as usize).max(1)) }
}

/// Makes the axis of y for a plot of so many units of height.
#[must_use]
pub fn y_axis(panel: &Panel, height: f64) -> Axis {
    let (least, greatest) = panel.y_range().unwrap_or((0.0, 1.0));
    let (from, to) = match (least, greatest) {
        (least, greatest) if least >= greatest => widened(least, least.abs() * 0.1),
        // What is not far from 0 is shown with it.
        (least, greatest) if least >= 0.0 && least < greatest / 2.0 => (0.0, greatest * 1.05),
        (least, greatest) => {
            let room = (greatest / 2.0 - least / 2.0) * 0.1;
            (least - room, greatest + room)
        }
    };
    let finite = |y: f64| y.clamp(f64::MIN, f64::MAX);
    Axis { from: finite(from), to: finite(to), ticks: number_ticks(finite(from), finite(to), (height / 36.0) as usize) }
}

fn widened(value: f64, by: f64) -> (f64, f64) {
    let by = if by > 0.0 { by } else { 1.0 };
    (value - by, value + by)
}

/// Draws the curves of a panel into an area of so many units.
pub fn plot(area: &Area<'_>, picture: &Picture, panel: &Panel, size: (f64, f64)) {
    let (width, height) = (size.0 - LEFT - RIGHT, size.1 - BOTTOM);
    let x = x_axis(picture.axis, picture.from, picture.to, width);
    let y = y_axis(panel, height);
    let (from, to) = (x.from, x.to);
    let mut builder = ChartBuilder::on(area);
    builder.margin_right(pixels(RIGHT)).margin_top(pixels(4.0)).margin_bottom(0).margin_left(0);
    builder.x_label_area_size(pixels(BOTTOM)).y_label_area_size(pixels(LEFT));
    let Ok(mut chart) = builder.build_cartesian_2d(x.clone(), y.clone()) else { return };
    let _ = chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(colour(Ink::Grid).stroke_width(pixels(1.0) as u32))
        .axis_style(colour(Ink::Soft).stroke_width(pixels(1.0) as u32))
        .label_style(font(LABEL, Ink::Soft))
        .set_tick_mark_size(LabelAreaPosition::Left, pixels(5.0))
        .set_tick_mark_size(LabelAreaPosition::Bottom, pixels(5.0))
        .x_label_formatter(&|place| x.label(*place))
        .y_label_formatter(&|place| y.label(*place))
        .draw();
    for curve in panel.shown() {
        let pieces = ((width / PIECE) as usize).max(1);
        let points =
            if curve.points.len() > 2 * pieces { thinned(&curve.points, pieces) } else { curve.points.clone() };
        let ink = colour(Ink::Series(curve.slot));
        for band in bands(&points, from, to) {
            let _ = chart.draw_series(std::iter::once(Polygon::new(band, ink.mix(0.18))));
        }
        for run in runs(&points, from, to) {
            let style = ink.stroke_width(pixels(1.75) as u32);
            let _ = match run.as_slice() {
                [one] => chart.draw_series(std::iter::once(Circle::new(*one, pixels(2.5), ink.filled()))).map(drop),
                _ => chart.draw_series(LineSeries::new(run, style)).map(drop),
            };
        }
    }
    let dot =
        |dot: &Point| Circle::new((dot.x, dot.y), pixels(4.5), colour(Ink::Mark).stroke_width(pixels(2.0) as u32));
    let dots = panel.shown().flat_map(|curve: &Curve| &curve.dots).filter(|dot| (from..=to).contains(&dot.x));
    let _ = chart.draw_series(dots.map(dot));
}

/// The pieces of a curve between its gaps, cut off at both ends of x.
fn runs(points: &[Point], from: f64, to: f64) -> Vec<Vec<(f64, f64)>> {
    let pieces = points.split(|point| point.y.is_nan());
    pieces
        .map(|piece| inside(piece.iter().map(|point| (point.x, point.y)), from, to))
        .filter(|run| !run.is_empty())
        .collect()
}

/// The bands as polygons: along the upper ends, and back along the lower ones.
fn bands(points: &[Point], from: f64, to: f64) -> Vec<Vec<(f64, f64)>> {
    let pieces = points.split(|point| point.low.is_nan()).filter(|piece| piece.len() > 1);
    let polygon = |piece: &[Point]| {
        let mut polygon = inside(piece.iter().map(|point| (point.x, point.high)), from, to);
        let back = inside(piece.iter().map(|point| (point.x, point.low)), from, to);
        polygon.extend(back.into_iter().rev());
        polygon
    };
    pieces.map(polygon).filter(|polygon| polygon.len() > 2).collect()
}

/// The part of a line from `from` to `to`, with points at the ends where the line goes on.
fn inside(line: impl Iterator<Item = (f64, f64)>, from: f64, to: f64) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    let mut before: Option<(f64, f64)> = None;
    for point in line {
        if let Some(before) = before {
            for edge in [from, to] {
                if before.0 < edge && edge < point.0 {
                    kept.push((edge, before.1 + (point.1 - before.1) * fraction(edge, before.0, point.0)));
                }
            }
        }
        if (from..=to).contains(&point.0) {
            kept.push(point);
        }
        before = Some(point);
    }
    kept
}
