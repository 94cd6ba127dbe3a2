//! The terminal: the one place that draws on it and reads its keys.
#![allow(clippy::disallowed_methods)]

use std::io::{self, ErrorKind, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use millpipe::Error;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use signal_hook::consts::{SIGHUP, SIGTERM};

use crate::top::state::Key;

/// Columns of a snapshot where no terminal and no COLUMNS say them.
const SNAPSHOT_WIDTH: usize = 132;

/// The screen in its own mode; when it is dropped, the terminal is as it was.
pub struct Screen {
    terminal: DefaultTerminal,
    /// A signal asks to end.
    ends: Arc<AtomicBool>,
}

/// What has happened on the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happened {
    Nothing,
    Key(Key),
    /// Ctrl-C, or a signal.
    End,
}

/// True when stdout is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// True when colours are wanted: `NO_COLOR` is not set.
pub fn has_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The width of a snapshot: that of the terminal, else COLUMNS.
pub fn snapshot_width() -> usize {
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse::<usize>().ok());
    let size = is_terminal().then(|| ratatui::crossterm::terminal::size().ok()).flatten();
    size.map(|(columns, _)| usize::from(columns)).or(asked).unwrap_or(SNAPSHOT_WIDTH).clamp(20, 1_000)
}

impl Screen {
    /// Takes the terminal.
    ///
    /// # Errors
    /// When it cannot be set.
    pub fn open() -> Result<Self, Error> {
        let ends = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, Arc::clone(&ends)).map_err(|error| terminal(&error))?;
        }
        let terminal = ratatui::try_init().map_err(|error| terminal(&error))?;
        Ok(Self { terminal, ends })
    }

    /// Draws the lines that `lines` makes for a width and a height.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn draw(&mut self, lines: impl FnOnce(usize, usize) -> Vec<Line<'static>>) -> Result<(), Error> {
        let drawn = self.terminal.draw(|frame| {
            let area = frame.area();
            frame.render_widget(Paragraph::new(lines(area.width.into(), area.height.into())), area);
        });
        drawn.map(drop).map_err(|error| terminal(&error))
    }

    /// Waits for a key, at most so long.
    ///
    /// # Errors
    /// When the terminal has gone.
    pub fn wait(&self, for_ms: i64) -> Result<Happened, Error> {
        let for_ms = u64::try_from(for_ms).unwrap_or_default();
        let has_come = match event::poll(Duration::from_millis(for_ms)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => false,
            polled => polled.map_err(|error| terminal(&error))?,
        };
        if self.ends.load(Ordering::Relaxed) {
            return Ok(Happened::End);
        }
        if !has_come {
            return Ok(Happened::Nothing);
        }
        Ok(happened(event::read().map_err(|error| terminal(&error))?))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

fn terminal(error: &io::Error) -> Error {
    Error::io("the terminal", error).hint("pipes top --once needs none")
}

fn happened(event: Event) -> Happened {
    let Event::Key(KeyEvent { code, modifiers, kind: KeyEventKind::Press | KeyEventKind::Repeat, .. }) = event else {
        return Happened::Nothing;
    };
    let is_control = modifiers.contains(KeyModifiers::CONTROL);
    let key = match code {
        KeyCode::Char('c' | 'd') if is_control => return Happened::End,
        KeyCode::Char(_) if is_control => return Happened::Nothing,
        KeyCode::Char(c) => Key::Char(c),
        KeyCode::Enter => Key::Enter,
        KeyCode::Esc => Key::Escape,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return Happened::Nothing,
    };
    Happened::Key(key)
}
