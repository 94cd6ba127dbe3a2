//! Reads the numbers of lines.

use json_fields::Kind;
use line_values::{Expression, Value};
use millpipe::Fault;
use values::Number;

/// Longest piece of a wrong value that a message shows, in characters.
const SHOWN_MAX: usize = 60;

/// Returns the number that an expression gave; none where it is missing or null. `flag` is what stands before an expression
/// on the command line, such as `--value '`.
///
/// # Errors
/// `Bad` for something else, and for a number beyond the range of `f64`.
#[inline]
pub fn number(value: Option<Value<'_>>, expression: &Expression, flag: &str) -> Result<Option<Number>, Fault> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let number = if value.kind() == Kind::Number { Number::parse(value.text()).ok() } else { None };
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(wrong_number(value, expression, flag)),
    }
}

#[cold]
fn wrong_number(value: Value<'_>, expression: &Expression, flag: &str) -> Fault {
    let text = String::from_utf8_lossy(value.text());
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    let name = expression.name();
    if value.kind() == Kind::Number {
        return Fault::bad(format_args!("field {name:?}: number out of range: {shown}"));
    }
    let is_in_quotes = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let hint = match is_in_quotes.map(|text| Number::parse(text.as_bytes())) {
        Some(Ok(_)) => format!("\nhint: tonumber makes a number of a text: {flag}.{name} | tonumber'"),
        _ => String::new(),
    };
    Fault::bad(format_args!("field {name:?} is not a number: {shown}{hint}"))
}
