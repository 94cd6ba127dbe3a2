//! The terminal: the one place that draws on it and reads its keys.
#![allow(clippy::disallowed_methods)]

use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use millpipe::Error;
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use ratatui::text::Line;
use ratatui::widgets::Paragraph;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use crate::top::state::Key;

/// Columns of a snapshot where no terminal and no COLUMNS say them.
const SNAPSHOT_WIDTH: usize = 132;

/// The screen in its own mode; when it is dropped, the terminal is as it was.
pub struct Screen {
    terminal: DefaultTerminal,
    keys: Keys,
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
        for signal in [SIGTERM, SIGHUP, SIGINT, SIGQUIT] {
            signal_hook::flag::register(signal, Arc::clone(&ends)).map_err(|error| terminal(&error))?;
        }
        let keys = Keys::open().map_err(|error| terminal(&error))?;
        let terminal = ratatui::try_init().map_err(|error| terminal(&error))?;
        Ok(Self { terminal, keys, ends })
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
        let coming = self.keys.wait(for_ms).map_err(|error| terminal(&error))?;
        if self.ends.load(Ordering::Relaxed) {
            return Ok(Happened::End);
        }
        match coming {
            Coming::Gone => Ok(Happened::End),
            Coming::Nothing => Ok(Happened::Nothing),
            // Bytes may be a part of a key only.
            Coming::Bytes => match event::poll(Duration::ZERO) {
                Ok(true) => Ok(happened(event::read().map_err(|error| terminal(&error))?)),
                Ok(false) => Ok(Happened::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Happened::Nothing),
                Err(error) => Err(terminal(&error)),
            },
        }
    }
}

/// Where keys come from. It is asked before crossterm is, which reads on and on from a terminal that has gone.
enum Keys {
    Stdin,
    Terminal(File),
}

enum Coming {
    Nothing,
    Bytes,
    /// The terminal has been closed.
    Gone,
}

impl Keys {
    /// As crossterm has it.
    fn open() -> io::Result<Self> {
        if io::stdin().is_terminal() { Ok(Self::Stdin) } else { File::open("/dev/tty").map(Self::Terminal) }
    }

    fn wait(&self, for_ms: i64) -> io::Result<Coming> {
        let stdin = io::stdin();
        let keys: BorrowedFd = match self {
            Self::Stdin => stdin.as_fd(),
            Self::Terminal(terminal) => terminal.as_fd(),
        };
        let mut polled = [PollFd::new(&keys, PollFlags::IN)];
        let timeout = Timespec::try_from(Duration::from_millis(for_ms.try_into().unwrap_or_default())).ok();
        match poll(&mut polled, timeout.as_ref()) {
            // Also the signal of a terminal that has another size.
            Err(rustix::io::Errno::INTR) => return Ok(Coming::Nothing),
            polled => polled?,
        };
        let happened = polled[0].revents();
        Ok(if happened.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            Coming::Gone
        } else if happened.contains(PollFlags::IN) {
            Coming::Bytes
        } else {
            Coming::Nothing
        })
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
