//! A pattern of jq's engine, Oniguruma, as the same pattern of the crate `regex`.
//!
//! Both know Perl's syntax. What one of them has that means something else to the other, or nothing, is written anew here:
//!
//! | Oniguruma | meaning | here |
//! |---|---|---|
//! | `[[:alpha:]]` and its like | of Unicode | a class of Unicode: to `regex` they are ASCII |
//! | `\<`, `\>` | the sign itself | the sign: to `regex` the edge of a word |
//! | `[`, `&&`, `--`, `~~` in a class | the signs themselves | escaped: to `regex` a class in it, and operators |
//! | a blank or `#` in a class, with `x` | the sign itself | escaped: `regex` leaves it out |

use std::iter::Peekable;
use std::str::Chars;

/// The pattern for `regex`. With `extended`, a `#` begins a comment.
pub fn for_regex(pattern: &str, extended: bool) -> String {
    let mut text = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern.chars().peekable();
    while let Some(char) = rest.next() {
        match char {
            '\\' => escape(&mut rest, &mut text),
            '[' => class(&mut rest, extended, &mut text),
            '#' if extended => {
                text.push('#');
                for char in rest.by_ref() {
                    text.push(char);
                    if char == '\n' {
                        break;
                    }
                }
            }
            other => text.push(other),
        }
    }
    text
}

fn escape(rest: &mut Peekable<Chars<'_>>, text: &mut String) {
    match rest.next() {
        Some(sign @ ('<' | '>')) => text.push(sign),
        Some(other) => text.extend(['\\', other]),
        None => text.push('\\'),
    }
}

/// What follows an opening bracket, to the closing one.
fn class(rest: &mut Peekable<Chars<'_>>, extended: bool, text: &mut String) {
    text.push('[');
    if let Some('^') = rest.peek() {
        text.extend(rest.next());
    }
    // First in a class, a closing bracket is a sign.
    if let Some(']') = rest.peek() {
        text.push('\\');
        text.extend(rest.next());
    }
    while let Some(char) = rest.next() {
        match char {
            ']' => {
                text.push(']');
                return;
            }
            '\\' => escape(rest, text),
            '[' => match named(rest) {
                Some(class) => text.push_str(&class),
                None => text.push_str("\\["),
            },
            sign @ ('&' | '-' | '~') if rest.peek() == Some(&sign) => {
                rest.next();
                match sign {
                    // The first may be that of a range.
                    '-' => text.push_str("-\\-"),
                    _ => text.extend(['\\', sign, '\\', sign]),
                }
            }
            sign if extended && (sign == '#' || sign.is_ascii_whitespace()) => {
                text.push_str(&format!("\\x{:02x}", u32::from(sign)));
            }
            other => text.push(other),
        }
    }
}

/// `:alpha:]`, and what it means.
fn named(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let ahead: String = rest.clone().take_while(|char| *char != ']').collect();
    let name = ahead.strip_prefix(':')?.strip_suffix(':')?;
    let (not, name) = name.strip_prefix('^').map_or(("", name), |name| ("^", name));
    let members = match name {
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "alpha" => r"\p{Alphabetic}",
        "ascii" => r"\x00-\x7F",
        "blank" => r"\t\p{Zs}",
        "cntrl" => r"\p{Cc}",
        "digit" => r"\p{Nd}",
        "graph" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}",
        "lower" => r"\p{Lowercase}",
        "print" => r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs}",
        "punct" => r"\p{P}$+<=>^`|~",
        "space" => r"\s",
        "upper" => r"\p{Uppercase}",
        "word" => r"\w",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    };
    // The brackets and the name between them.
    rest.nth(ahead.chars().count());
    Some(format!("[{not}{members}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_that_mean_something_else_are_written_anew() {
        for (pattern, text) in [
            ("a[b-c]d", "a[b-c]d"),
            ("[[:alpha:]_]", r"[[\p{Alphabetic}]_]"),
            ("[^[:^space:]x]", r"[^[^\s]x]"),
            ("[[:nothing:]]", r"[\[:nothing:]]"),
            ("[[]", r"[\[]"),
            ("[]a]", r"[\]a]"),
            ("[^]]", r"[^\]]"),
            ("[a&&b~~c]", r"[a\&\&b\~\~c]"),
            ("[+--]", r"[+-\-]"),
            (r"\<\>\[\]", r"<>\[\]"),
            (r"[\]\w]", r"[\]\w]"),
        ] {
            assert_eq!(for_regex(pattern, false), text, "{pattern}");
        }
        assert_eq!(for_regex("a # [x\n[ #]", true), "a # [x\n[\\x20\\x23]");
        assert_eq!(for_regex("# [", false), "# [");
    }
}
