//! Small pieces of a filter's syntax tree.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};

/// `value as $name | rest`
pub fn bound<'s>(value: Term<&'s str>, name: &'s str, rest: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(value), BinaryOp::Pipe(Some(Pattern::Var(name))), Box::new(rest))
}

/// `first | second`
pub fn piped<'s>(first: Term<&'s str>, second: Term<&'s str>) -> Term<&'s str> {
    Term::BinOp(Box::new(first), BinaryOp::Pipe(None), Box::new(second))
}

/// Returns the text of a string; none where something is computed in it.
pub fn constant_text(term: &Term<&str>) -> Option<String> {
    let Term::Str(None, parts) = term else { return None };
    let mut all = String::new();
    for part in parts {
        match part {
            StrPart::Str(text) => all.push_str(text),
            StrPart::Char(char) => all.push(*char),
            StrPart::Term(_) => return None,
        }
    }
    Some(all)
}
