//! What to write in place of a text that is no field path.

use crate::key_spelling::KeySpelling;

/// Returns the path with quotes around the names that need them: `.labels."k8s-pod/app"`. None where the text looks like
/// an expression, or has quotes or brackets.
#[cold]
#[must_use]
pub fn with_quotes(text: &str) -> Option<String> {
    let has_other_meaning = text.contains(|c: char| "=|()[]{}+*<>,\"'\\".contains(c) || c.is_control())
        || ["/.", " .", "//"].iter().any(|operator| text.contains(operator));
    let is_name =
        |word: &str| word.contains(|c: char| !c.is_ascii_punctuation()) && !["and", "or", "if"].contains(&word);
    if has_other_meaning || !text.split(' ').all(is_name) {
        return None;
    }
    let names = text.strip_prefix('.').unwrap_or(text).split('.');
    let is_path = names.clone().all(|name| !name.is_empty());
    is_path.then(|| names.map(|name| KeySpelling(name).to_string()).collect())
}

/// Ends the message about a text that is no path; empty where nobody knows what was meant.
#[cold]
pub(crate) fn advice(text: &str) -> String {
    if let Some(quoted) = with_quotes(text) {
        return format!("; a name with such characters goes in quotes: {quoted}");
    }
    let is_slice = text.contains('[') && text.contains(':');
    if !is_slice && !text.contains(['=', '|', '(', '+', '*', '<', '>']) && !text.contains("//") {
        return String::new();
    }
    let (name, expression) = match text.split_once('=') {
        Some((name, rest)) if KeySpelling(name).to_string() == format!(".{name}") => (name, rest.trim()),
        _ => ("NAME", text.trim()),
    };
    let expression = if expression.contains('\'') || expression.is_empty() { "EXPRESSION" } else { expression };
    format!("; a field is wanted here: parallel-map '.{name} = {expression}' makes one")
}
