//! Splitting `90min` into its digits and its unit.

/// The leading ASCII digits of `text`, and what comes after them.
pub(crate) fn split_digits(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}

/// The leading part of `text` without ASCII digits, and what comes after it.
pub(crate) fn split_unit(text: &str) -> (&str, &str) {
    let end = text.bytes().position(|b| b.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(end)
}
