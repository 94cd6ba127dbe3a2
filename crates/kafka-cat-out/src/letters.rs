//! Rejected lines as messages. One may be too large for a message itself: then its line is cut.

use millpipe::Mark;
use serde_json::{Map, Value};

/// The members that hold the line, as text or not.
const LINES: [&str; 2] = ["line", "line_base64"];
/// Says how long the line was that was cut.
const LINE_BYTES: &str = "line_bytes";
/// So much of other texts stays when it is too long.
const TEXT_BYTES: usize = 500;

/// The reject's message, in at most `room` bytes as far as that can be.
pub fn letter(reject: &Mark, room: usize) -> Vec<u8> {
    let whole = reject.as_data();
    if whole.len() <= room {
        return whole.into_bytes();
    }
    match serde_json::from_str(&whole) {
        Ok(members) => cut(members, room),
        Err(_) => whole.into_bytes(),
    }
}

fn cut(mut members: Map<String, Value>, room: usize) -> Vec<u8> {
    for (name, value) in &mut members {
        if !LINES.contains(&name.as_str())
            && let Value::String(text) = value
        {
            text.truncate(text.floor_char_boundary(TEXT_BYTES));
        }
    }
    let Some(name) = LINES.into_iter().find(|name| members.contains_key(*name)) else { return written(&members) };
    let Some(Value::String(line)) = members.get(name).cloned() else { return written(&members) };
    let bytes = if name == "line" { line.len() } else { line.trim_end_matches('=').len() * 3 / 4 };
    members.insert(LINE_BYTES.to_owned(), bytes.into());
    members.insert(name.to_owned(), String::new().into());
    let room = room.saturating_sub(written(&members).len());
    // Four letters are three bytes.
    let keep = if name == "line" { fitting(&line, room) } else { room.min(line.len()) / 4 * 4 };
    members.insert(name.to_owned(), line[..keep].into());
    written(&members)
}

/// How many bytes of a text make at most `room` bytes of a JSON string.
fn fitting(text: &str, room: usize) -> usize {
    let mut taken = 0;
    let beyond = text.char_indices().find(|(_, letter)| {
        taken += match letter {
            '"' | '\\' | '\u{8}' | '\u{c}' | '\n' | '\r' | '\t' => 2,
            '\0'..='\u{1f}' => 6,
            letter => letter.len_utf8(),
        };
        taken > room
    });
    beyond.map_or(text.len(), |(at, _)| at)
}

fn written(members: &Map<String, Value>) -> Vec<u8> {
    serde_json::to_vec(members).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(name: &str, line: &str) -> Mark {
        Mark::new("reject").with("by", "window").with("why", "no \"t\"").with("at", "line 3").with(name, line)
    }

    fn cut_to(room: usize, mark: &Mark) -> Value {
        let letter = letter(mark, room);
        assert!(letter.len() <= room, "{} of {room}", letter.len());
        assert!(letter.len() + 16 > room, "{} of {room}: as much as goes", letter.len());
        serde_json::from_slice(&letter).unwrap()
    }

    #[test]
    fn a_letter_that_has_room_is_whole() {
        let text = String::from_utf8(letter(&reject("line", "{\"a\":1}"), 1000)).unwrap();
        assert_eq!(text, r#"{"by":"window","why":"no \"t\"","at":"line 3","line":"{\"a\":1}"}"#);
    }

    #[test]
    fn a_line_without_room_is_cut_and_its_length_told() {
        let plain = "x".repeat(1000);
        let cut = cut_to(300, &reject("line", &plain));
        assert!(plain.starts_with(cut["line"].as_str().unwrap()));
        assert_eq!((&cut["by"], &cut["line_bytes"]), (&"window".into(), &1000.into()));
        let quotes = "\"é\u{1}".repeat(500);
        let cut = cut_to(301, &reject("line", &quotes));
        assert!(quotes.starts_with(cut["line"].as_str().unwrap()));
        let cut = cut_to(302, &reject("line_base64", &"/wAA".repeat(300)));
        assert_eq!(cut["line_base64"].as_str().unwrap().len() % 4, 0);
        assert_eq!(cut["line_bytes"], 900);
    }

    #[test]
    fn a_long_reason_is_cut_too() {
        let mark = Mark::new("reject").with("why", "y".repeat(5000)).with("line", "{}");
        let letter: Value = serde_json::from_slice(&letter(&mark, 1000)).unwrap();
        assert_eq!((letter["why"].as_str().unwrap().len(), &letter["line"]), (500, &"{}".into()));
    }
}
