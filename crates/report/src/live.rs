//! A terminal that is drawn on while lines come.
#![allow(clippy::disallowed_methods, reason = "a viewer beside the stream: what it writes is no line of it")]

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use millpipe::Error;

use crate::picture::View;
use crate::shared::Shared;
use crate::terminal::{height, text, text_of_height};

/// From frame to frame.
const FRAME: Duration = Duration::from_millis(250);
/// Where nothing tells how wide the reader's screen is.
const COLUMNS: u16 = 100;

/// Where the panels are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On standard output, which is a terminal: lines are not written there.
    Stdout,
    /// On standard error, which is a terminal, while lines go to standard output.
    Stderr,
    /// On standard error, once, at the end.
    AtEnd,
}

impl Place {
    /// Chooses by what standard output and standard error are.
    #[must_use]
    pub fn choose() -> Self {
        let can_move = std::env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb");
        match (io::stdout().is_terminal(), io::stderr().is_terminal()) {
            (true, _) if can_move => Place::Stdout,
            (false, true) if can_move => Place::Stderr,
            _ => Place::AtEnd,
        }
    }
}

/// A thread that draws.
#[derive(Debug)]
pub struct Screen {
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

impl Screen {
    /// Begins to draw.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn start(place: Place, shared: &Arc<Shared>) -> Result<Self, Error> {
        let own = Arc::clone(shared);
        let thread = match place {
            Place::AtEnd => None,
            _ => {
                let run = move || draw_until_closed(place, &own);
                let thread = std::thread::Builder::new().name("terminal".to_owned()).spawn(run);
                Some(thread.map_err(|e| Error::io("the terminal", &e))?)
            }
        };
        Ok(Self { thread, shared: Arc::clone(shared) })
    }

    /// Draws for the last time: after a run that went well, or where it was drawn before.
    pub fn end(self, went_well: bool) {
        match self.thread {
            // A panic there has been told, and nothing here depends on it.
            Some(thread) => drop(thread.join()),
            None if went_well => {
                let columns = columns_said().unwrap_or(COLUMNS);
                let picture = self.shared.picture(&View::default());
                // Nobody reads it: the lines are what counts.
                drop(io::stderr().write_all(text(&picture, columns, false).as_bytes()));
            }
            None => {}
        }
    }
}

fn columns_said() -> Option<u16> {
    std::env::var("COLUMNS").ok()?.trim().parse().ok().filter(|columns| (1..=1000).contains(columns))
}

fn draw_until_closed(place: Place, shared: &Shared) {
    let has_colours = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut drawn = Drawn::default();
    loop {
        let is_over = shared.wait(FRAME);
        let now = (shared.version(), size(place));
        if drawn.of != Some(now) || is_over {
            let (columns, rows) = now.1;
            let picture = shared.picture(&View::default());
            let rows = rows.saturating_sub(1).max(1).min(height(&picture, columns));
            let frame = drawn.over(&text_of_height(&picture, columns, rows, has_colours), now);
            let written = match place {
                Place::Stdout => write_all(io::stdout().lock(), &frame),
                _ => write_all(io::stderr().lock(), &frame),
            };
            if written.is_err() {
                return;
            }
        }
        if is_over {
            return;
        }
    }
}

fn write_all(mut to: impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}

fn size(place: Place) -> (u16, u16) {
    let size = match place {
        Place::Stdout => rustix::termios::tcgetwinsize(rustix::stdio::stdout()),
        _ => rustix::termios::tcgetwinsize(rustix::stdio::stderr()),
    };
    let size = size.ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    size.map_or((80, 24), |size| (size.ws_col, size.ws_row))
}

type Now = (u64, (u16, u16));

/// What stands on the terminal.
#[derive(Debug, Default)]
struct Drawn {
    of: Option<Now>,
    rows: usize,
}

impl Drawn {
    /// Returns the bytes that put a frame in the place of the one before; after a change of size it is a new screen.
    fn over(&mut self, text: &str, now: Now) -> String {
        let back = match self.of {
            Some((_, size)) if size != now.1 => "\x1b[2J\x1b[H".to_owned(),
            Some(_) if self.rows > 0 => format!("\r\x1b[{}A", self.rows),
            _ => String::new(),
        };
        self.of = Some(now);
        self.rows = text.lines().count();
        // A frame is shown at once by terminals that know how (synchronized output).
        format!("\x1b[?2026h{back}{}\x1b[J\x1b[?2026l", text.replace('\n', "\x1b[K\r\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_goes_over_the_one_before() {
        let mut drawn = Drawn::default();
        assert_eq!(drawn.over("a\nb\n", (1, (80, 24))), "\x1b[?2026ha\x1b[K\r\nb\x1b[K\r\n\x1b[J\x1b[?2026l");
        assert_eq!(drawn.over("c\n", (2, (80, 24))), "\x1b[?2026h\r\x1b[2Ac\x1b[K\r\n\x1b[J\x1b[?2026l");
        assert_eq!(drawn.over("d\n", (2, (60, 24))), "\x1b[?2026h\x1b[2J\x1b[Hd\x1b[K\r\n\x1b[J\x1b[?2026l");
    }
}
