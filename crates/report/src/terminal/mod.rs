//! Pictures for a terminal: text with or without colours, of any size.
//!
//! ratatui draws into a buffer; that is written as lines of text, so a snapshot and a live frame are the same. Lines are braille dots,
//! bars are eighths of a block, cells of a heat map are shades. Nothing is asked of the terminal and no key is read; a live frame is
//! drawn over the one before, so what other stages write on stderr stays above it, and a killed run leaves the terminal as it was.

mod panels;
mod sheet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::picture::{Panel, Picture};
use crate::spec::Kind;

use panels::{bars, heat, lines, numbers, table};
use sheet::{Sheet, Tone};

/// Rows of a plot where there is no limit.
const PLOT_ROWS: u16 = 14;
const ROWS_MAX: u16 = 2000;

/// Draws a picture as text, as high as it wants to be.
#[must_use]
pub fn text(picture: &Picture, columns: u16, has_colours: bool) -> String {
    sheet::text(&screen(picture, columns, height(picture, columns)), has_colours)
}

/// Returns how many rows a picture wants to have.
#[must_use]
pub fn height(picture: &Picture, columns: u16) -> u16 {
    let rows = wanted(picture, columns).iter().map(|rows| u32::from(*rows)).sum::<u32>() + 1;
    (rows as usize + notes(picture).len()).min(ROWS_MAX.into()) as u16
}

/// Draws a picture as text of at most so many rows.
#[must_use]
pub fn text_of_height(picture: &Picture, columns: u16, rows: u16, has_colours: bool) -> String {
    sheet::text(&screen(picture, columns, rows), has_colours)
}

/// Draws a picture on a screen of this size. What does not fit is left out from below.
#[must_use]
pub fn screen(picture: &Picture, columns: u16, rows: u16) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, columns.max(1), rows.max(1)));
    let mut sheet = Sheet::new(&mut buffer);
    let mut row = 0;
    if rows > 3 {
        sheet.text(0, 0, &picture.title, Tone::Bold);
        row = 1;
    }
    let notes = notes(picture);
    let notes = if rows > 12 || rows >= height(picture, columns) { notes } else { Vec::new() };
    let room = rows.saturating_sub(row + notes.len() as u16);
    let wanted = wanted(picture, columns);
    for ((panel, height), wanted) in picture.panels.iter().zip(shares(&wanted, room)).zip(&wanted) {
        draw(&mut sheet, picture, panel, (row, height), height > 2 || height >= *wanted);
        row += height;
    }
    for note in notes {
        sheet.text(0, row, &note, Tone::Soft);
        row += 1;
    }
    buffer
}

fn draw(sheet: &mut Sheet<'_>, picture: &Picture, panel: &Panel, (row, height): (u16, u16), has_heading: bool) {
    if height == 0 {
        return;
    }
    if has_heading {
        sheet.text(0, row, &panel.title, Tone::Under);
    }
    let top = row + u16::from(has_heading);
    let area = Rect::new(0, top, sheet.columns(), row + height - top);
    if panel.curves.is_empty() && panel.table.as_ref().is_none_or(|table| table.rows.is_empty()) {
        return sheet.text(0, top, "no numbers yet", Tone::Soft);
    }
    match panel.kind {
        Kind::Number => numbers(sheet, panel, area),
        Kind::Line => lines(sheet, picture, panel, area),
        Kind::Bar => bars(sheet, picture, panel, area),
        Kind::Heat => heat(sheet, picture, panel, area),
        Kind::Table => table(sheet, panel, area),
    }
}

/// The rows that each panel would take, its heading too.
fn wanted(picture: &Picture, columns: u16) -> Vec<u16> {
    let count = |panel: &Panel| panel.shown().count().min(1000) as u16;
    let rows = |panel: &Panel| match panel.kind {
        Kind::Number => count(panel).div_ceil((columns / panels::NUMBER_COLUMNS).max(1)) * 2,
        Kind::Line => PLOT_ROWS + 2,
        Kind::Bar => panels::bar_count(picture, panel) as u16,
        Kind::Heat => count(panel) + 1,
        Kind::Table => panel.table.as_ref().map_or(0, |table| table.rows.len().min(1000) as u16) + 1,
    };
    picture.panels.iter().map(|panel| 1 + rows(panel).max(1)).collect()
}

/// Divides the rows there are: to each what it wants, or the same part of it, at least two rows as long as there are some.
fn shares(wanted: &[u16], room: u16) -> Vec<u16> {
    let total: u32 = wanted.iter().map(|rows| u32::from(*rows)).sum();
    let mut left = room;
    let mut shares = Vec::new();
    for rows in wanted {
        let part =
            if total <= u32::from(room) { *rows } else { (u32::from(*rows) * u32::from(room) / total.max(1)) as u16 };
        let share = part.max(2).min(left);
        shares.push(share);
        left -= share;
    }
    if let Some(last) = shares.iter_mut().rev().find(|share| **share > 0).filter(|_| total > u32::from(room)) {
        *last += left;
    }
    shares
}

fn notes(picture: &Picture) -> Vec<String> {
    std::iter::once(picture.summary()).chain(picture.notes.iter().cloned()).collect()
}

#[cfg(test)]
mod tests;
