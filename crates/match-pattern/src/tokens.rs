//! The text of a jq expression as tokens: enough of its grammar to find names in it, and where it can be cut.

use crate::variables::is_name_byte;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `and`, `FIRST`, `login`.
    Word,
    /// `.name`
    Field,
    /// A string, with what is interpolated.
    Text,
    /// An operator, a bracket, a number, `$name`, `@name`.
    Other,
}

/// A token with its place.
#[derive(Clone, Copy, Debug)]
pub struct Token<'t> {
    pub kind: Kind,
    pub text: &'t str,
    pub start: usize,
    /// How many brackets are open around it; a bracket is outside of itself.
    pub depth: usize,
}

impl Token<'_> {
    #[must_use]
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.text == text && self.kind != Kind::Text
    }
}

/// Cuts a text into tokens; comments and blanks are in none. What is not jq makes tokens too: jq will say so.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut found, mut at, mut depth) = (Vec::new(), 0, 0usize);
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        if first == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        let (kind, len) = token(rest, first);
        depth -= usize::from(matches!(first, ')' | ']' | '}') && depth > 0);
        found.push(Token { kind, text: &rest[..len], start: at, depth });
        depth += usize::from(matches!(first, '(' | '[' | '{'));
        at += len;
    }
    found
}

/// Operators of more than one character, the longest first.
const OPERATORS: [&str; 15] =
    ["?//=", "?//", "//=", "==", "!=", "<=", ">=", "//", "|=", "+=", "-=", "*=", "/=", "%=", ".."];

fn token(rest: &str, first: char) -> (Kind, usize) {
    let name = |from: usize| rest.bytes().skip(from).take_while(|byte| is_name_byte(*byte)).count();
    let begins_name =
        |at: usize| rest.as_bytes().get(at).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_');
    match first {
        '"' => (Kind::Text, string(rest)),
        '.' if begins_name(1) => (Kind::Field, 1 + name(1)),
        '$' | '@' => (Kind::Other, 1 + name(1)),
        _ if begins_name(0) => (Kind::Word, name(0)),
        '0'..='9' => (Kind::Other, rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count()),
        _ => {
            let operator = OPERATORS.iter().find(|operator| rest.starts_with(**operator));
            (Kind::Other, operator.map_or(first.len_utf8(), |operator| operator.len()))
        }
    }
}

/// How long a string is that begins here.
fn string(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' if bytes.get(at + 1) == Some(&b'(') => at += 1 + interpolation(&rest[at + 1..]),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

/// How long parentheses with all in them are.
fn interpolation(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        at += if *byte == b'"' { string(&rest[at..]) } else { 1 };
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Cuts a text at such tokens outside of brackets.
#[must_use]
pub fn split<'t>(text: &'t str, at: &str) -> Vec<&'t str> {
    let mut start = 0;
    let mut parts = Vec::new();
    for token in tokens(text).into_iter().filter(|token| token.depth == 0 && token.is(at)) {
        parts.push(&text[start..token.start]);
        start = token.end();
    }
    parts.push(&text[start..]);
    parts
}

/// What binds less than `and`, so that a text with it cannot be cut there.
const LOOSER: [&str; 24] = [
    "|", ",", "or", "//", "=", "|=", "+=", "-=", "*=", "/=", "%=", "//=", "?//", "?//=", "as", "def", "if", "then",
    "reduce", "foreach", "try", "label", "import", ";",
];

/// The parts of a condition that all have to hold: those between `and`, where the text can be cut there.
#[must_use]
pub fn conjuncts(text: &str) -> Vec<&str> {
    let is_looser = |token: &Token<'_>| token.depth == 0 && LOOSER.iter().any(|looser| token.is(looser));
    if tokens(text).iter().any(is_looser) { vec![text] } else { split(text, "and") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_comments_and_fields_are_told_apart() {
        let text = r#".a.b == "x \"(\( "," ) )" and FIRST(v.x, 2) # FIRST("#;
        let shown: Vec<&str> = tokens(text).iter().map(|token| token.text).collect();
        let string = r#""x \"(\( "," ) )""#;
        assert_eq!(shown, [".a", ".b", "==", string, "and", "FIRST", "(", "v", ".x", ",", "2", ")"]);
        let depths: Vec<usize> = tokens("(a[1])").iter().map(|token| token.depth).collect();
        assert_eq!(depths, [0, 1, 1, 2, 1, 0]);
        assert_eq!(tokens("é ] ..").len(), 3);
    }

    #[test]
    fn a_condition_is_cut_where_it_may_be() {
        assert_eq!(conjuncts(".a == 1 and (.b or .c) and .d"), [".a == 1 ", " (.b or .c) ", " .d"]);
        for whole in
            [".a and .b or .c", ".a | . and true", ".a and .b // 1", "if .a and .b then 1 else 2 end", "\" and \""]
        {
            assert_eq!(conjuncts(whole), [whole]);
        }
        assert_eq!(split("a: f(1, 2), b: \",\"", ","), ["a: f(1, 2)", " b: \",\""]);
    }
}
