//! The windows of lines, and which keys are in them.

use std::collections::BTreeMap;

use event_time::{SLICE, Scale, WINDOW, Window, parse_rfc3339};
use line_values::Found;
use millpipe::Fault;
use values::key;

/// The members of a line that name its window, and one of a slice.
pub const NAMES: [&str; 3] = [WINDOW[0], WINDOW[1], SLICE[0]];

/// Reads the window of a line; it remembers the last one.
#[derive(Debug, Default)]
pub struct WindowReader {
    /// The texts of start and end, one behind the other, and where the second begins.
    text: Vec<u8>,
    second: usize,
    window: Window,
    /// `"START"\n"END"\n`: what keys in the window begin with.
    prefix: Vec<u8>,
}

impl WindowReader {
    /// The window, by the expressions from number `first` on, and what keys in it begin with.
    pub fn read(&mut self, found: &Found<'_>, first: usize) -> Result<(Window, &[u8]), Fault> {
        let (Some(start), Some(end)) = (found.get(first), found.get(first + 1)) else {
            return Err(no_window(found.get(first + 2).is_some()));
        };
        let (start, end) = (start.text(), end.text());
        let (known_start, known_end) = self.text.split_at(self.second);
        if (known_start, known_end) != (start, end) {
            let (start_ms, end_ms) = (time(NAMES[0], start)?, time(NAMES[1], end)?);
            if start_ms >= end_ms {
                return Err(Fault::bad("\"window_start\" is not before \"window_end\""));
            }
            self.window = Window::new(start_ms, end_ms);
            self.text = [start, end].concat();
            self.second = start.len();
            self.prefix = prefix(self.window);
        }
        Ok((self.window, &self.prefix))
    }
}

fn prefix(window: Window) -> Vec<u8> {
    let mut prefix = Vec::new();
    for time_ms in [window.start_ms, window.end_ms] {
        Scale::Time.write(time_ms, &mut prefix);
        prefix.push(b'\n');
    }
    prefix
}

/// The window that a key begins with.
pub fn window_of(key: &[u8]) -> Option<Window> {
    let mut bounds = key::cells(key).map(|cell| time("", cell).ok());
    let (start_ms, end_ms) = (bounds.next()??, bounds.next()??);
    (start_ms < end_ms).then_some(Window::new(start_ms, end_ms))
}

fn time(name: &str, text: &[u8]) -> Result<i64, Fault> {
    let body = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    body.and_then(parse_rfc3339).ok_or_else(|| {
        let shown = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
        Fault::bad(format_args!("{name:?} is not an RFC 3339 time: {shown}; --window is for windows of time"))
    })
}

#[cold]
fn no_window(has_slice: bool) -> Fault {
    Fault::bad(match has_slice {
        true => "the line is in several windows: window --expand writes it once for each, aggregate puts them together",
        false => {
            "no fields \"window_start\" and \"window_end\": --window takes lines from window, or from aggregate behind it"
        }
    })
}

/// Numbers of keys by window.
#[derive(Debug, Default)]
pub struct Windows {
    open: BTreeMap<Window, Vec<u32>>,
}

impl Windows {
    pub fn add(&mut self, window: Window, id: u32) {
        self.open.entry(window).or_default().push(id);
    }

    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// The first window that is closed at this watermark, with its keys.
    pub fn pop(&mut self, watermark_ms: i64) -> Option<Vec<u32>> {
        let first = self.open.first_entry()?;
        first.key().is_closed_by(watermark_ms).then(|| first.remove())
    }
}
