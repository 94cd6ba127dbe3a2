//! Kept values as text, for snapshots.

use values::state_text::{StateReader, write_base64, write_number, write_text};

/// Appends `sequence,"value"`.
pub(crate) fn save_arrival(at: u64, text: &[u8], out: &mut Vec<u8>) {
    write_number(at, out);
    out.push(b',');
    write_text(text, out);
}

/// Reads `sequence,"value"`.
pub(crate) fn load_arrival(from: &mut StateReader<'_>) -> Option<(u64, Vec<u8>)> {
    let at = from.number()?;
    from.literal(b",")?;
    let text = from.string()?.into_owned();
    (!text.is_empty()).then_some((at, text))
}

/// Appends `{"name":"base64"}`.
pub(crate) fn save_bytes(name: &str, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
    write_base64(bytes, out);
    out.push(b'}');
}
