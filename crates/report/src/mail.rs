//! A mail with the picture in it, for `sendmail -t` and its like.
//!
//! Mail programs show neither SVG nor scripts, and some leave out `data:` images; so the picture is a PNG that the HTML part refers to
//! by its `cid:` (RFC 2387, RFC 2392). A text part stands before it.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::escape;
use crate::html::tables;
use crate::picture::Picture;
use crate::terminal::text;

const OUTER: &str = "=_report_alternative";
const INNER: &str = "=_report_related";
/// Letters of a line of base64 (RFC 2045).
const LINE: usize = 76;
const TEXT_COLUMNS: u16 = 76;

/// What stands at the top of a mail.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// None: whoever sends it adds it.
    pub to: Option<String>,
    /// Seconds since the epoch.
    pub date_s: i64,
}

/// Writes a mail.
#[must_use]
pub fn mail(head: &Head, picture: &Picture, png: &[u8]) -> String {
    let to = head.to.as_ref().map(|to| format!("To: {}\r\n", one_line(to))).unwrap_or_default();
    let title = escape::xml(&picture.title);
    let html = format!(
        "<!doctype html><html><body><h1 style=\"font:600 17px sans-serif\">{title}</h1>\
         <p><img src=\"cid:picture@report\" alt=\"{title}\" style=\"max-width:100%;height:auto\"></p>{}</body></html>",
        tables(picture)
    );
    let text = format!("{}\n", text(picture, TEXT_COLUMNS, false));
    format!(
        "{to}Subject: {}\r\nDate: {}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"{OUTER}\"\r\n\r\n\
         --{OUTER}\r\n{}\
         --{OUTER}\r\nContent-Type: multipart/related; type=\"text/html\"; boundary=\"{INNER}\"\r\n\r\n\
         --{INNER}\r\n{}\
         --{INNER}\r\nContent-ID: <picture@report>\r\nContent-Disposition: inline; filename=\"report.png\"\r\n{}\
         --{INNER}--\r\n--{OUTER}--\r\n",
        encoded_words(&picture.title),
        date(head.date_s),
        part("text/plain; charset=utf-8", text.as_bytes()),
        part("text/html; charset=utf-8", html.as_bytes()),
        part("image/png", png),
    )
}

fn part(kind: &str, bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    let mut text = format!("Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    for line in encoded.as_bytes().chunks(LINE) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push_str("\r\n");
    }
    text
}

/// A line break in a header would begin another one.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A header's text, of any letters (RFC 2047): words of at most 75 letters, none cut in a letter.
fn encoded_words(text: &str) -> String {
    let text = one_line(text);
    if text.is_ascii() && text.len() < 200 && !text.contains("=?") {
        return text;
    }
    let mut words = vec![String::new()];
    for character in text.chars() {
        match words.last_mut() {
            Some(word) if word.len() + character.len_utf8() <= 42 => word.push(character),
            _ => words.push(character.to_string()),
        }
    }
    let words: Vec<String> = words.iter().map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode(word))).collect();
    words.join("\r\n ")
}

/// `Tue, 01 Dec 2026 00:00:00 +0000` (RFC 5322).
fn date(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = time_text::civil_from_days(days);
    let day_name = DAYS.get(days.rem_euclid(7) as usize).unwrap_or(&"Thu");
    let month_name = MONTHS.get((month - 1).rem_euclid(12) as usize).unwrap_or(&"Jan");
    let mut text = format!("{day_name}, {day:02} {month_name} {year} ");
    let _ = write!(text, "{:02}:{:02}:{:02} +0000", rest / 3600, rest / 60 % 60, rest % 60);
    text
}

#[cfg(test)]
mod tests;
