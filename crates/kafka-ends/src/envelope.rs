//! One message of a topic as one JSON line, from which the same bytes can be made again.
//!
//! ```text
//! {"topic":"t","partition":0,"offset":17,"timestamp":1700000000000,"key":"k","headers":[{"name":"h","value":"x"}],"value":{"a":1}}
//! ```
//!
//! - `timestamp`: milliseconds of the epoch, null when the message has none.
//! - `key`: the text, null for no key; `key_base64` instead when it is not UTF-8.
//! - `headers`: always there, in the message's order, duplicates kept; `value_base64` as for keys.
//! - The value is exactly one of
//!   - `"value":null` when the message has none (a tombstone);
//!   - `"value":JSON` when its bytes are one JSON value on one line: embedded byte by byte;
//!   - `"value_text":"…"` for other UTF-8 text: not JSON, JSON over several lines, with space around it, the
//!     four bytes `null`, or empty;
//!   - `"value_base64":"…"` for everything else.
//!
//! Reading takes members in any order, leaves out those it does not know, and takes a missing or null
//! `timestamp` as "now" and "none" respectively.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::header::{Headers, HeadersError, write_bytes};
use json_fields::write_string;

/// What an envelope says of a message, besides its headers.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'a> {
    pub topic: &'a str,
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
}

/// A message to send, read from an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub topic: Option<String>,
    pub partition: Option<i32>,
    /// Outer None: not said. Inner None: said to be none.
    pub timestamp_ms: Option<Option<i64>>,
    pub key: Option<Vec<u8>>,
    pub headers: Headers,
    pub value: Option<Vec<u8>>,
}

/// Why a line is not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    #[error(transparent)]
    Json(#[from] json_fields::ScanError),
    #[error("not an envelope: {0}")]
    Members(String),
    #[error("not an envelope: no object")]
    NoObject,
    #[error("not an envelope: neither \"value\" nor \"value_text\" nor \"value_base64\"")]
    NoValue,
    #[error("more than one of \"{0}\", \"{0}_text\" and \"{0}_base64\"")]
    Twice(&'static str),
    #[error("\"{0}_base64\" is not base64")]
    NoBase64(&'static str),
    #[error("\"key\" is neither text nor number nor null")]
    Key,
    #[error(transparent)]
    Headers(#[from] HeadersError),
}

/// Appends the envelope, without a newline.
pub fn write<'h>(
    envelope: &Envelope<'_>,
    headers: impl Iterator<Item = (&'h str, Option<&'h [u8]>)>,
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"topic\":");
    write_string(envelope.topic, out);
    out.extend_from_slice(format!(",\"partition\":{},\"offset\":{}", envelope.partition, envelope.offset).as_bytes());
    match envelope.timestamp_ms {
        Some(ms) => out.extend_from_slice(format!(",\"timestamp\":{ms},").as_bytes()),
        None => out.extend_from_slice(b",\"timestamp\":null,"),
    }
    write_bytes("key", envelope.key, out);
    out.extend_from_slice(b",\"headers\":");
    Headers::write(headers, out);
    out.push(b',');
    write_value(envelope.value, out);
    out.push(b'}');
}

fn write_value(value: Option<&[u8]>, out: &mut Vec<u8>) {
    match value {
        Some(json) if embeds(json) => {
            out.extend_from_slice(b"\"value\":");
            out.extend_from_slice(json);
        }
        Some(bytes) if std::str::from_utf8(bytes).is_ok() => write_bytes("value_text", value, out),
        _ => write_bytes("value", value, out),
    }
}

/// Whether the bytes can stand in a line as they are and be found there again.
fn embeds(value: &[u8]) -> bool {
    let (Some(first), Some(last)) = (value.first(), value.last()) else {
        return false;
    };
    !first.is_ascii_whitespace()
        && !last.is_ascii_whitespace()
        && value != b"null"
        && json_fields::validate(value).is_ok()
        && !value.contains(&b'\n')
        && !value.contains(&b'\r')
}

#[derive(Deserialize)]
struct Wire<'a> {
    topic: Option<String>,
    partition: Option<i32>,
    #[serde(default, deserialize_with = "said")]
    timestamp: Option<Option<i64>>,
    #[serde(borrow)]
    key: Option<&'a RawValue>,
    key_base64: Option<String>,
    headers: Option<serde_json::Value>,
    #[serde(borrow, default, deserialize_with = "raw")]
    value: Option<&'a RawValue>,
    value_text: Option<String>,
    value_base64: Option<String>,
}

fn said<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::<i64>::deserialize(from).map(Some)
}

/// Keeps null apart from a missing member.
fn raw<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// Reads an envelope.
///
/// # Errors
/// When the line is no JSON object, says a thing twice, or says no value.
pub fn read(line: &[u8]) -> Result<Message, EnvelopeError> {
    json_fields::validate(line)?;
    if line.trim_ascii_start().first() != Some(&b'{') {
        return Err(EnvelopeError::NoObject);
    }
    let wire: Wire<'_> = serde_json::from_slice(line).map_err(|error| EnvelopeError::Members(plain(&error)))?;
    Ok(Message {
        key: read_key(wire.key, wire.key_base64)?,
        value: read_value(wire.value, wire.value_text, wire.value_base64)?,
        headers: wire.headers.as_ref().map_or(Ok(Headers::default()), Headers::read)?,
        topic: wire.topic,
        partition: wire.partition,
        timestamp_ms: wire.timestamp,
    })
}

fn read_key(key: Option<&RawValue>, coded: Option<String>) -> Result<Option<Vec<u8>>, EnvelopeError> {
    match (key.map(RawValue::get), coded) {
        (Some(_), Some(_)) => Err(EnvelopeError::Twice("key")),
        (None, Some(coded)) => decode("key", &coded).map(Some),
        (None | Some("null"), None) => Ok(None),
        (Some(json), None) if json.starts_with('"') => {
            let text: String = serde_json::from_str(json).map_err(|error| EnvelopeError::Members(plain(&error)))?;
            Ok(Some(text.into_bytes()))
        }
        (Some(json), None) if json.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Ok(Some(json.as_bytes().to_vec()))
        }
        _ => Err(EnvelopeError::Key),
    }
}

fn read_value(
    json: Option<&RawValue>,
    text: Option<String>,
    coded: Option<String>,
) -> Result<Option<Vec<u8>>, EnvelopeError> {
    match (json.map(RawValue::get), text, coded) {
        (Some("null"), None, None) => Ok(None),
        (Some(json), None, None) => Ok(Some(json.as_bytes().to_vec())),
        (None, Some(text), None) => Ok(Some(text.into_bytes())),
        (None, None, Some(coded)) => decode("value", &coded).map(Some),
        (None, None, None) => Err(EnvelopeError::NoValue),
        _ => Err(EnvelopeError::Twice("value")),
    }
}

fn decode(name: &'static str, coded: &str) -> Result<Vec<u8>, EnvelopeError> {
    STANDARD.decode(coded).map_err(|_| EnvelopeError::NoBase64(name))
}

/// serde_json's reason, with its line left out: it is always 1.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.find(" at line ") {
        Some(end) => format!("{} at byte {}", &text[..end], error.column()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..20),
            any::<String>().prop_map(String::into_bytes),
            "[ \\[\\]{}\",:0-9a-z\\\\\n\r\t]{0,12}".prop_map(String::into_bytes),
            proptest::sample::select(vec![
                &b"null"[..],
                b" null",
                b"{}",
                b"{\"a\": 1e999}",
                b"[1,\n2]",
                b"\"x\"",
                b"\"\\ud800\"",
                b"0",
                b"{\"$\":\"end\"}",
                b"",
            ])
            .prop_map(<[u8]>::to_vec),
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        any::<String>().prop_filter("no zero byte", |name| !name.contains('\0'))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn every_message_comes_back_as_it_was(
            topic in any::<String>(),
            partition in 0..i32::MAX,
            timestamp_ms in any::<Option<i64>>(),
            key in proptest::option::of(bytes()),
            headers in proptest::collection::vec((name(), proptest::option::of(bytes())), 0..4),
            value in proptest::option::of(bytes()),
        ) {
            let envelope = Envelope {
                topic: &topic, partition, offset: 7, timestamp_ms, key: key.as_deref(), value: value.as_deref(),
            };
            let mut line = Vec::new();
            write(&envelope, headers.iter().map(|(n, v)| (n.as_str(), v.as_deref())), &mut line);
            prop_assert!(!line.contains(&b'\n'));
            prop_assert!(json_fields::validate(&line).is_ok());
            let expected = Message {
                topic: Some(topic), partition: Some(partition), timestamp_ms: Some(timestamp_ms),
                key, headers: Headers(headers), value,
            };
            prop_assert_eq!(read(&line).unwrap(), expected);
        }
    }

    fn line(value: Option<&[u8]>) -> String {
        let envelope = Envelope { topic: "t", partition: 0, offset: 17, timestamp_ms: Some(5), key: Some(b"k"), value };
        let mut out = Vec::new();
        write(&envelope, [("h", Some(&b"\xff"[..]))].into_iter(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_value_is_embedded_when_it_is_json_on_one_line() {
        let head = r#"{"topic":"t","partition":0,"offset":17,"timestamp":5,"key":"k","headers":[{"name":"h","value_base64":"/w=="}],"#;
        let tails: [(Option<&[u8]>, &str); 7] = [
            (Some(b"{\"a\": 1.0}"), r#""value":{"a": 1.0}}"#),
            (None, r#""value":null}"#),
            (Some(b"null"), r#""value_text":"null"}"#),
            (Some(b""), r#""value_text":""}"#),
            (Some(b"hello"), r#""value_text":"hello"}"#),
            (Some(b"[1,\n2]"), r#""value_text":"[1,\n2]"}"#),
            (Some(b"\xff"), r#""value_base64":"/w=="}"#),
        ];
        for (value, tail) in tails {
            assert_eq!(line(value), format!("{head}{tail}"));
        }
    }

    #[test]
    fn members_may_be_missing_or_unknown_but_the_value_may_not() {
        let message = read(br#"{"window_start":"x","value":{"a":1},"key":12}"#).unwrap();
        assert_eq!(message.key.as_deref(), Some(&b"12"[..]));
        assert_eq!((message.topic, message.partition, message.timestamp_ms), (None, None, None));
        let said = |line: &[u8]| read(line).unwrap_err().to_string();
        assert_eq!(said(b"{}"), "not an envelope: neither \"value\" nor \"value_text\" nor \"value_base64\"");
        assert_eq!(
            said(br#"{"value":1,"value_text":""}"#),
            "more than one of \"value\", \"value_text\" and \"value_base64\""
        );
        assert_eq!(said(br#"{"value":1,"key":[]}"#), "\"key\" is neither text nor number nor null");
        assert_eq!(said(b"[1"), "not JSON at byte 2: end of line, expected ',' or ']'");
        assert_eq!(said(b"[1]"), "not an envelope: no object");
        assert_eq!(
            said(br#"{"topic":1,"value":1}"#),
            "not an envelope: invalid type: integer `1`, expected a string at byte 10"
        );
        assert_eq!(said(br#"{"value_base64":"*"}"#), "\"value_base64\" is not base64");
    }
}
