//! Characters beyond U+FFFF in a filter's texts, which JSON escapes as a pair of surrogates: jaq's reader takes no half of one.

use std::borrow::Cow;

const REPLACEMENT: char = '\u{fffd}';

/// The filter with each pair of escaped surrogates as its character. One without the other is U+FFFD, as in jq.
pub fn joined(code: &str) -> Cow<'_, str> {
    let mut all = String::new();
    let (mut copied, mut at) = (0, 0);
    let bytes = code.as_bytes();
    // A backslash stands in texts alone, and in comments, where nothing counts.
    while let Some(next) = memchr::memchr(b'\\', &bytes[at..]) {
        let start = at + next;
        let Some(first) = unit(code, start).filter(|unit| (0xd800..0xe000).contains(unit)) else {
            at = (start + 2).min(bytes.len());
            continue;
        };
        let pair = unit(code, start + 6).and_then(|second| char::decode_utf16([first, second]).next()?.ok());
        at = start + if pair.is_some() { 12 } else { 6 };
        all.push_str(&code[copied..start]);
        all.push(pair.unwrap_or(REPLACEMENT));
        copied = at;
    }
    match copied {
        0 => Cow::Borrowed(code),
        _ => Cow::Owned(all + &code[copied..]),
    }
}

/// What `\uXXXX` at a place stands for.
fn unit(code: &str, at: usize) -> Option<u16> {
    let digits = code.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::joined;

    #[test]
    fn pairs_are_one_character_and_halves_are_replaced() {
        for (code, want) in [
            (r#""\ud83d\ude00""#, "\"😀\""),
            (r#""a\uD83D\uDE00b\u0041""#, "\"a😀b\\u0041\""),
            (r#""\ud83d""#, "\"\u{fffd}\""),
            (r#""\ude00\ud83d""#, "\"\u{fffd}\u{fffd}\""),
            (r#""\ud83d\ud83d\ude00""#, "\"\u{fffd}😀\""),
            (r#""\ud83d\u0041""#, "\"\u{fffd}\\u0041\""),
            (r#""\\ud83d\ude00""#, "\"\\\\ud83d\u{fffd}\""),
            (r#""\ud83""#, r#""\ud83""#),
            ("\"é\\", "\"é\\"),
            ("\"\\é", "\"\\é"),
        ] {
            assert_eq!(joined(code), want, "{code}");
        }
    }
}
