//! Message headers: a list of names with values; order and duplicates matter, a value can be null.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use json_fields::write_string;

/// Headers in the order of the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(pub Vec<(String, Option<Vec<u8>>)>);

/// Why a JSON value is not a list of headers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeadersError {
    #[error("headers are neither an array nor an object")]
    NoList,
    #[error("header {0} has no \"name\"")]
    NoName(usize),
    #[error("header \"{0}\": a zero byte in a name")]
    ZeroByte(String),
    #[error("header \"{0}\": neither \"value\" nor \"value_base64\", or both")]
    NoValue(String),
    #[error("header \"{0}\": \"value_base64\" is not base64")]
    NoBase64(String),
}

impl Headers {
    /// Appends the JSON array: `[{"name":"a","value":"x"},{"name":"b","value_base64":"/w=="}]`.
    pub fn write<'a>(list: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, (name, value)) in list.enumerate() {
            out.extend_from_slice(if index == 0 { b"{\"name\":" } else { b",{\"name\":" });
            write_string(name, out);
            out.extend_from_slice(b",");
            write_bytes("value", value, out);
            out.push(b'}');
        }
        out.push(b']');
    }

    /// Reads the array that [`Headers::write`] writes, or an object of name and value; null is no headers.
    /// Values that are neither text nor null are taken as their JSON text.
    ///
    /// # Errors
    /// When it is neither, or a member is missing.
    pub fn read(value: &Value) -> Result<Self, HeadersError> {
        let list = match value {
            Value::Null => Vec::new(),
            Value::Object(members) => {
                members.iter().map(|(name, value)| Ok((name.clone(), plain(value)))).collect::<Result<_, _>>()?
            }
            Value::Array(entries) => {
                entries.iter().enumerate().map(|(index, entry)| read_entry(index, entry)).collect::<Result<_, _>>()?
            }
            _ => return Err(HeadersError::NoList),
        };
        match list.iter().find(|(name, _): &&(String, _)| name.contains('\0')) {
            Some((name, _)) => Err(HeadersError::ZeroByte(name.escape_default().to_string())),
            None => Ok(Self(list)),
        }
    }
}

fn read_entry(index: usize, entry: &Value) -> Result<(String, Option<Vec<u8>>), HeadersError> {
    let name = entry.get("name").and_then(Value::as_str).ok_or(HeadersError::NoName(index))?;
    let value = match (entry.get("value"), entry.get("value_base64")) {
        (Some(value), None) => plain(value),
        (None, Some(coded)) => {
            let decoded = coded.as_str().and_then(|text| STANDARD.decode(text).ok());
            Some(decoded.ok_or_else(|| HeadersError::NoBase64(name.to_owned()))?)
        }
        _ => return Err(HeadersError::NoValue(name.to_owned())),
    };
    Ok((name.to_owned(), value))
}

fn plain(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(other.to_string().into_bytes()),
    }
}

/// Appends `"NAME":"text"`, `"NAME":null`, or `"NAME_base64":"…"` for what is not UTF-8.
pub(crate) fn write_bytes(name: &str, bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    out.push(b'"');
    out.extend_from_slice(name.as_bytes());
    match bytes.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
        None => out.extend_from_slice(b"\":null"),
        Some((_, Ok(text))) => {
            out.extend_from_slice(b"\":");
            write_string(text, out);
        }
        Some((bytes, Err(_))) => {
            out.extend_from_slice(b"_base64\":\"");
            out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_taken_as_headers_too() {
        let headers = Headers::read(&json!({"b": "x", "a": 1, "n": null})).unwrap();
        let expected =
            vec![("b".to_owned(), Some(b"x".to_vec())), ("a".to_owned(), Some(b"1".to_vec())), ("n".to_owned(), None)];
        assert_eq!(headers.0, expected);
    }

    #[test]
    fn what_is_no_header_is_named() {
        assert_eq!(Headers::read(&json!(1)), Err(HeadersError::NoList));
        assert_eq!(Headers::read(&json!([{"value": "x"}])), Err(HeadersError::NoName(0)));
        assert_eq!(Headers::read(&json!([{"name": "x"}])), Err(HeadersError::NoValue("x".to_owned())));
        let twice = json!([{"name": "x", "value": "", "value_base64": ""}]);
        assert_eq!(Headers::read(&twice), Err(HeadersError::NoValue("x".to_owned())));
        let coded = json!([{"name": "x", "value_base64": "*"}]);
        assert_eq!(Headers::read(&coded), Err(HeadersError::NoBase64("x".to_owned())));
    }
}
