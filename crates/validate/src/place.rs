//! Places in a line, as jq and the flags of all tools write them: `.items[2]."odd key"`.

use json_fields::write_string;
use jsonschema::paths::{Location, LocationSegment};

/// The path of a place; `.` is the whole line.
pub(crate) fn of(location: &Location) -> String {
    let mut path = String::new();
    for segment in location.segments() {
        match segment {
            LocationSegment::Property(name) => push_name(&name, &mut path),
            LocationSegment::Index(index) => {
                path.push_str(&format!("{}[{index}]", if path.is_empty() { "." } else { "" }))
            }
        }
    }
    if path.is_empty() { ".".to_owned() } else { path }
}

fn push_name(name: &str, path: &mut String) {
    path.push('.');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.is_empty() && !name.as_bytes()[0].is_ascii_digit() && name.bytes().all(is_plain) {
        path.push_str(name);
    } else {
        let mut quoted = Vec::new();
        write_string(name, &mut quoted);
        path.push_str(&String::from_utf8_lossy(&quoted));
    }
}
