//! A sheet to draw on: lengths in units of a pixel, inks in place of colours, SVG when it is done.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::theme::{Ink, with_names};

/// plotters draws whole pixels; so it draws four times as large as the picture is shown.
pub const SCALE: i32 = 4;
/// What plotters takes for the size of a font is that of its box.
const FONT_BOX: f64 = 1.24;
/// The mean width of a letter, as a part of the size of the font.
const LETTER: f64 = 0.56;

pub type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// Where a text stands, seen from its place.
#[derive(Clone, Copy, Debug)]
pub enum Align {
    Left,
    Right,
}

/// Returns the colour that stands for an ink.
#[must_use]
pub fn colour(ink: Ink) -> RGBColor {
    let (red, green, blue) = ink.rgb();
    RGBColor(red, green, blue)
}

/// Returns a length in the pixels of plotters.
#[must_use]
pub fn pixels(units: f64) -> i32 {
    (units * f64::from(SCALE)).round() as i32
}

/// Returns the style of a text of so many units of height.
#[must_use]
pub fn font(size: f64, ink: Ink) -> TextStyle<'static> {
    ("sans-serif", size * FONT_BOX * f64::from(SCALE)).into_font().color(&colour(ink))
}

/// Returns about how wide a text is, in units.
#[must_use]
pub fn width_of(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

/// Returns as much of a text as fits a width.
#[must_use]
pub fn fitting(text: &str, size: f64, width: f64) -> String {
    if width_of(text, size) <= width {
        return text.to_owned();
    }
    let letters = ((width / (size * LETTER)).floor() as usize).saturating_sub(1);
    text.chars().take(letters).chain(['…']).collect()
}

/// Draws a text; its place is its left or right end, and its middle from top to bottom.
pub fn text(area: &Area<'_>, text: &str, place: (f64, f64), size: f64, ink: Ink, align: Align) {
    let horizontal = match align {
        Align::Left => HPos::Left,
        Align::Right => HPos::Right,
    };
    let style = font(size, ink).pos(Pos::new(horizontal, VPos::Center));
    // Writing to memory cannot fail.
    let _ = area.draw_text(text, &style, (pixels(place.0), pixels(place.1)));
}

/// Fills a rectangle.
pub fn fill(area: &Area<'_>, from: (f64, f64), to: (f64, f64), colour: RGBColor) {
    let corners = [(pixels(from.0), pixels(from.1)), (pixels(to.0), pixels(to.1))];
    let _ = area.draw(&Rectangle::new(corners, colour.filled()));
}

/// Draws lines from point to point.
pub fn path(area: &Area<'_>, points: Vec<(f64, f64)>, ink: Ink, width: f64) {
    let points: Vec<(i32, i32)> = points.into_iter().map(|(x, y)| (pixels(x), pixels(y))).collect();
    let _ = area.draw(&PathElement::new(points, colour(ink).stroke_width(pixels(width) as u32)));
}

/// Draws on a sheet of this size, and returns its SVG with the names of colours; `label` says what it shows to those who do not
/// see it.
#[must_use]
pub fn sheet(size: (f64, f64), label: &str, draw: impl FnOnce(&Area<'_>)) -> String {
    let mut svg = String::new();
    let (width, height) = (pixels(size.0).max(1) as u32, pixels(size.1).max(1) as u32);
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        draw(&area);
        let _ = area.present();
    }
    let body = svg.find('>').and_then(|end| svg.get(end + 1..)).unwrap_or_default();
    let head = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
        size.0,
        size.1,
        crate::escape::xml(label)
    );
    head + &with_names(body)
}
