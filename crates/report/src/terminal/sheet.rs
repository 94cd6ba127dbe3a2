//! A buffer of cells to write on, and its text.

use std::fmt::Write;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

/// Colours of series, in their order: the plain ones that each terminal has, in its own theme.
const SERIES: [Color; 6] = [Color::Blue, Color::Red, Color::Green, Color::Magenta, Color::Yellow, Color::Cyan];

/// What a text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Bold,
    /// Matters less.
    Soft,
    /// A heading.
    Under,
    Series(usize),
    Mark,
    /// A cell of a heat map, from 0 to 15.
    Heat(usize),
}

impl Tone {
    /// Returns it as ratatui takes it.
    #[must_use]
    pub fn style(self) -> Style {
        match self {
            Tone::Plain => Style::new(),
            Tone::Bold => Style::new().add_modifier(Modifier::BOLD),
            Tone::Soft => Style::new().add_modifier(Modifier::DIM),
            Tone::Under => Style::new().add_modifier(Modifier::UNDERLINED),
            Tone::Series(slot) => Style::new().fg(SERIES.get(slot % SERIES.len()).copied().unwrap_or_default()),
            Tone::Mark => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Heat(step) => {
                let (red, green, blue) = crate::theme::HEAT.get(step).copied().unwrap_or_default();
                Style::new().fg(Color::Rgb(red, green, blue))
            }
        }
    }
}

/// A buffer that takes texts at any place, and cuts off what is outside.
#[derive(Debug)]
pub struct Sheet<'a> {
    buffer: &'a mut Buffer,
}

impl<'a> Sheet<'a> {
    /// Writes on a buffer.
    pub fn new(buffer: &'a mut Buffer) -> Self {
        Self { buffer }
    }

    /// Returns how many columns there are.
    #[must_use]
    pub fn columns(&self) -> u16 {
        self.buffer.area.width
    }

    /// Writes a text from a place on.
    pub fn text(&mut self, column: u16, row: u16, text: &str, tone: Tone) {
        if row < self.buffer.area.height && column < self.buffer.area.width {
            let room = usize::from(self.buffer.area.width - column);
            self.buffer.set_stringn(column, row, text, room, tone.style());
        }
    }

    /// Returns the buffer.
    pub fn buffer(&mut self) -> &mut Buffer {
        self.buffer
    }
}

/// Writes a buffer as lines of text, each with its newline, without blanks at their ends.
#[must_use]
pub fn text(buffer: &Buffer, has_colours: bool) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let mut text = String::new();
    for row in buffer.content.chunks(width) {
        let used = row.iter().rposition(|cell| cell.symbol() != " ").map_or(0, |last| last + 1);
        let mut style = Style::reset();
        for cell in row.iter().take(used) {
            if has_colours && cell.style() != style {
                style = cell.style();
                text.push_str(&escape(style));
            }
            text.push_str(cell.symbol());
        }
        if has_colours && style != Style::reset() {
            text.push_str("\x1b[0m");
        }
        text.push('\n');
    }
    text
}

/// The sequence that turns a style on (ECMA-48, select graphic rendition).
fn escape(style: Style) -> String {
    let mut text = "\x1b[0".to_owned();
    for (modifier, code) in [(Modifier::BOLD, ";1"), (Modifier::DIM, ";2"), (Modifier::UNDERLINED, ";4")] {
        if style.add_modifier.contains(modifier) {
            text.push_str(code);
        }
    }
    match style.fg {
        Some(Color::Rgb(red, green, blue)) => drop(write!(text, ";38;2;{red};{green};{blue}")),
        Some(Color::Red) => text.push_str(";31"),
        Some(Color::Green) => text.push_str(";32"),
        Some(Color::Yellow) => text.push_str(";33"),
        Some(Color::Blue) => text.push_str(";34"),
        Some(Color::Magenta) => text.push_str(";35"),
        Some(Color::Cyan) => text.push_str(";36"),
        _ => {}
    }
    text.push('m');
    text
}
