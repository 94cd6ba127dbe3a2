//! Colours, and what a screen looks like without them.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Title,
    Dim,
    Busy,
    Input,
    Output,
    Other,
    Bad,
}

/// Whether there are colours. Without (`NO_COLOR`) all is told by words and signs, as it is with them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Paint {
    pub has_colour: bool,
}

impl Paint {
    pub fn style(self, tone: Tone) -> Style {
        let bold = Style::new().add_modifier(Modifier::BOLD);
        if !self.has_colour {
            return if tone == Tone::Title { bold } else { Style::new() };
        }
        match tone {
            Tone::Plain => Style::new(),
            Tone::Title => bold,
            Tone::Dim => Style::new().fg(Color::DarkGray),
            Tone::Busy => Style::new().fg(Color::Green),
            Tone::Input => Style::new().fg(Color::DarkGray),
            Tone::Output => Style::new().fg(Color::Red),
            Tone::Other => Style::new().fg(Color::Yellow),
            Tone::Bad => bold.fg(Color::Red),
        }
    }
}
