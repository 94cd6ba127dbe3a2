//! Numbers of things: `1`, `10000`.

use std::num::NonZeroU64;

use crate::QuantityError;

/// Reads how many things there are, 1 or more; `N` is [`NonZeroU64`] or [`std::num::NonZeroUsize`].
///
/// # Errors
/// A text that is no whole number, or one that is less than 1 or does not fit.
pub fn parse_count<N: TryFrom<NonZeroU64>>(text: &str) -> Result<N, QuantityError> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(QuantityError::new(format!("{text:?} is no whole number"), "say 1 or more, without a unit"));
    }
    let is_too_little = digits.len() < text.len() || digits.bytes().all(|byte| byte == b'0');
    let count = text.parse::<NonZeroU64>().ok().and_then(|count| N::try_from(count).ok());
    count.ok_or_else(|| match is_too_little {
        true => QuantityError::new(format!("{text} is too little"), "at least 1"),
        false => QuantityError::new(format!("{text} is too much"), "it must fit in 64 bits"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZeroUsize;

    #[test]
    fn a_count_is_one_or_more() {
        assert_eq!(parse_count::<NonZeroUsize>("1").unwrap().get(), 1);
        assert_eq!(parse_count::<NonZeroU64>("18446744073709551615").unwrap().get(), u64::MAX);
        let told = |text: &str| parse_count::<NonZeroU64>(text).unwrap_err().to_string();
        assert_eq!(told("0"), "0 is too little: at least 1");
        assert_eq!(told("-5"), "-5 is too little: at least 1");
        assert_eq!(told("18446744073709551616"), "18446744073709551616 is too much: it must fit in 64 bits");
        for text in ["", "-", "x", "1h", "1.5", "1e3", "+1", " 1"] {
            assert!(told(text).ends_with("is no whole number: say 1 or more, without a unit"), "{text}");
        }
    }
}
