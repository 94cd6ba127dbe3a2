//! Text that is cut where a character stands by itself, as in flags with expressions in them.

/// Splits at a character where it stands in no brackets and no quotes.
#[must_use]
pub fn split_outside(text: &str, at: char) -> Vec<&str> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((part, behind)) = split_once_outside(rest, at) {
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    parts
}

/// The same at the first such character; none if there is none.
#[must_use]
pub fn split_once_outside(text: &str, at: char) -> Option<(&str, &str)> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (place, char) in text.char_indices() {
        match char {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if char == at && depth == 0 => return Some((&text[..place], &text[place + char.len_utf8()..])),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_and_quotes_hold_together() {
        for (text, at, parts) in [
            ("a,b", ',', &["a", "b"][..]),
            ("", ',', &[""]),
            (",a,", ',', &["", "a", ""]),
            (r#"a,[.b, ","],.c | test("x,\"(")"#, ',', &["a", r#"[.b, ","]"#, r#".c | test("x,\"(")"#]),
            ("a)b,(c,d", ',', &["a)b", "(c,d"]),
        ] {
            assert_eq!(split_outside(text, at), parts, "{text}");
        }
    }

    #[test]
    fn the_first_cut_leaves_the_rest_as_it_is() {
        assert_eq!(split_once_outside("sum:v?.a?", '?'), Some(("sum:v", ".a?")));
        assert_eq!(split_once_outside(r#"sum:."a?\"?"?.b"#, '?'), Some((r#"sum:."a?\"?""#, ".b")));
        assert_eq!(split_once_outside("max:(.a?)[1:2]", '?'), None);
        assert_eq!(split_once_outside(".t[11:16]:.b", ':'), Some((".t[11:16]", ".b")));
    }
}
