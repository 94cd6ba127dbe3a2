//! The text of `--pattern` as a tree.
//!
//! ```text
//! alternation = sequence { "|" sequence }
//! sequence    = { factor }
//! factor      = primary [ quantifier [ "?" ] ]
//! primary     = NAME | "(" alternation ")" | "()" | "^" | "$" | "{-" alternation "-}"
//!             | "PERMUTE(" alternation { "," alternation } ")"
//! quantifier  = "*" | "+" | "?" | "{" [ n ] "," [ m ] "}" | "{" n "}"
//! ```

use crate::variables::{VARIABLES_MAX, Variables, is_name_byte};

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// No row.
    Empty,
    /// One row of this variable.
    Row(u8),
    /// Before the first row of a key.
    Start,
    /// After its last row.
    End,
    Sequence(Vec<Node>),
    /// The first that leads to a match is preferred.
    Alternation(Vec<Node>),
    Repeat {
        body: Box<Node>,
        min: u32,
        max: Option<u32>,
        is_greedy: bool,
    },
    /// All orders, those that follow the list preferred.
    Permute(Vec<Node>),
    /// Rows that belong to the match and are not written.
    Excluded(Box<Node>),
}

/// What is wrong with a pattern, and where: the number of its character, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("character {at}: {what}")]
pub struct WrongPattern {
    at: usize,
    what: String,
}

/// A pattern may be nested so deep.
const DEPTH_MAX: usize = 100;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
    variables: Variables,
}

/// Reads a pattern; the variables are numbered as they come.
///
/// # Errors
/// What is wrong, and where.
pub fn parse(text: &str) -> Result<(Node, Variables), WrongPattern> {
    let mut parser = Parser { text, at: 0, depth: 0, variables: Variables::default() };
    let node = parser.alternation()?;
    match parser.peek() {
        None => Ok((node, parser.variables)),
        Some(other) => Err(parser.wrong(format!("{other:?} closes nothing"))),
    }
}

impl Parser<'_> {
    fn wrong(&self, what: impl Into<String>) -> WrongPattern {
        let at = self.text.get(..self.at).unwrap_or(self.text).chars().count() + 1;
        WrongPattern { at, what: what.into() }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.rest().chars().next()
    }

    fn takes(&mut self, token: &str) -> bool {
        self.peek();
        let is_there = self.rest().starts_with(token);
        self.at += if is_there { token.len() } else { 0 };
        is_there
    }

    fn must(&mut self, token: &str) -> Result<(), WrongPattern> {
        if self.takes(token) { Ok(()) } else { Err(self.wrong(format!("expected {token:?}"))) }
    }

    fn deeper(&mut self) -> Result<(), WrongPattern> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(self.wrong(format!("nested deeper than {DEPTH_MAX}"))) } else { Ok(()) }
    }

    fn alternation(&mut self) -> Result<Node, WrongPattern> {
        self.deeper()?;
        let mut choices = vec![self.sequence()?];
        while self.takes("|") {
            choices.push(self.sequence()?);
        }
        self.depth -= 1;
        Ok(one_or(choices, Node::Alternation))
    }

    fn sequence(&mut self) -> Result<Node, WrongPattern> {
        let mut parts = Vec::new();
        while let Some(next) = self.peek() {
            if matches!(next, '|' | ')' | ',') || self.rest().starts_with("-}") {
                break;
            }
            parts.push(self.factor()?);
        }
        Ok(one_or(parts, Node::Sequence))
    }

    fn factor(&mut self) -> Result<Node, WrongPattern> {
        let body = self.primary()?;
        let Some((min, max)) = self.quantifier()? else { return Ok(body) };
        let is_greedy = !self.takes("?");
        if let Some('*' | '+' | '?') = self.peek() {
            return Err(self.wrong("a second quantifier: put the part in parentheses"));
        }
        Ok(Node::Repeat { body: Box::new(body), min, max, is_greedy })
    }

    fn primary(&mut self) -> Result<Node, WrongPattern> {
        if self.takes("{-") {
            let inner = self.alternation()?;
            self.must("-}")?;
            return Ok(Node::Excluded(Box::new(inner)));
        }
        for (token, node) in [("^", Node::Start), ("$", Node::End)] {
            if self.takes(token) {
                return Ok(node);
            }
        }
        if self.takes("(") {
            let inner = self.alternation()?;
            self.must(")")?;
            return Ok(inner);
        }
        self.name()
    }

    fn name(&mut self) -> Result<Node, WrongPattern> {
        let len = self.rest().bytes().take_while(|byte| is_name_byte(*byte)).count();
        let name = self.rest()[..len].to_owned();
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
            let found = self.rest().chars().next().map_or("the end".to_owned(), |next| format!("{next:?}"));
            return Err(self.wrong(format!("expected a variable, found {found}")));
        }
        self.at += len;
        if name == "PERMUTE" && self.takes("(") {
            return self.permute();
        }
        let number = self.variables.number(&name);
        number.map(Node::Row).ok_or_else(|| self.wrong(format!("more than {VARIABLES_MAX} variables")))
    }

    fn permute(&mut self) -> Result<Node, WrongPattern> {
        let mut parts = vec![self.alternation()?];
        while self.takes(",") {
            parts.push(self.alternation()?);
        }
        self.must(")")?;
        Ok(one_or(parts, Node::Permute))
    }

    fn quantifier(&mut self) -> Result<Option<(u32, Option<u32>)>, WrongPattern> {
        for (token, bounds) in [("*", (0, None)), ("+", (1, None)), ("?", (0, Some(1)))] {
            if self.takes(token) {
                return Ok(Some(bounds));
            }
        }
        if self.peek() != Some('{') || self.rest().starts_with("{-") {
            return Ok(None);
        }
        self.must("{")?;
        let min = self.count()?;
        let max = if self.takes(",") { self.count()? } else { min };
        let is_bare = max.is_none() && min.is_none() && !self.text[..self.at].trim_end().ends_with(',');
        self.must("}")?;
        match max {
            _ if is_bare => Err(self.wrong("{} says no number")),
            Some(max) if max < min.unwrap_or(0) => Err(self.wrong("the bounds are the wrong way round")),
            Some(0) => Err(self.wrong("at most 0 times")),
            _ => Ok(Some((min.unwrap_or(0), max))),
        }
    }

    fn count(&mut self) -> Result<Option<u32>, WrongPattern> {
        self.peek();
        let len = self.rest().bytes().take_while(u8::is_ascii_digit).count();
        let digits = &self.rest()[..len];
        let count = if digits.is_empty() { Ok(None) } else { digits.parse().map(Some) };
        let count = count.map_err(|_| self.wrong("the number is too large"))?;
        self.at += len;
        Ok(count)
    }
}

/// The one part, or all of them as a node; no part is [`Node::Empty`].
fn one_or(mut parts: Vec<Node>, all: impl Fn(Vec<Node>) -> Node) -> Node {
    match parts.len() {
        0 => Node::Empty,
        1 => parts.remove(0),
        _ => all(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(text: &str) -> Node {
        parse(text).unwrap().0
    }

    fn repeat(min: u32, max: Option<u32>, is_greedy: bool) -> Node {
        Node::Repeat { body: Box::new(Node::Row(0)), min, max, is_greedy }
    }

    #[test]
    fn quantifiers_have_bounds_and_a_preference() {
        for (text, expected) in [
            ("A*", repeat(0, None, true)),
            ("A *?", repeat(0, None, false)),
            ("A+", repeat(1, None, true)),
            ("A??", repeat(0, Some(1), false)),
            ("A{2}", repeat(2, Some(2), true)),
            ("A{,}", repeat(0, None, true)),
            ("A{ 2 , }?", repeat(2, None, false)),
            ("A{,5}", repeat(0, Some(5), true)),
            ("A{1,5}", repeat(1, Some(5), true)),
        ] {
            assert_eq!(node(text), expected, "{text}");
        }
    }

    #[test]
    fn parts_nest() {
        assert_eq!(node("() | A"), Node::Alternation(vec![Node::Empty, Node::Row(0)]));
        assert_eq!(node("^A B$"), Node::Sequence(vec![Node::Start, Node::Row(0), Node::Row(1), Node::End]));
        assert_eq!(node("PERMUTE(B, C)"), Node::Permute(vec![Node::Row(0), Node::Row(1)]));
        assert_eq!(node("A {- {- B -} -}").clone(), {
            let inner = Node::Excluded(Box::new(Node::Row(1)));
            Node::Sequence(vec![Node::Row(0), Node::Excluded(Box::new(inner))])
        });
        let (node, variables) = parse("login fail{3,} login").unwrap();
        assert!(matches!(node, Node::Sequence(parts) if parts.len() == 3 && parts[0] == parts[2]));
        assert_eq!(variables.listed(), "login, fail");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, why) in [
            ("A)", "character 2: ')' closes nothing"),
            ("(A", "character 3: expected \")\""),
            ("A{3,2}", "character 7: the bounds are the wrong way round"),
            ("A{}", "character 4: {} says no number"),
            ("A{0}", "character 5: at most 0 times"),
            ("*", "character 1: expected a variable, found '*'"),
            ("A**", "character 3: a second quantifier: put the part in parentheses"),
            ("A & B", "character 3: expected a variable, found '&'"),
            ("A{99999999999}", "character 3: the number is too large"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), why, "{text}");
        }
        let deep = format!("{}A{}", "(".repeat(200), ")".repeat(200));
        assert!(parse(&deep).unwrap_err().to_string().contains("nested deeper than 100"));
    }
}
