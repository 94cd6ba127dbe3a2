//! Patterns that take a value apart: in jq `[$x]` fails on an object, and `{$x}` on an array; jaq binds null.
//!
//! So a pattern becomes a chain of variables, each of which takes its part by the function for `.[…]`.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};

use crate::function_names::AT;
use crate::rewrite;
use crate::syntax::{bound, piped};

/// Names that no filter can have, as many as its largest pattern has parts, and numbers for as many elements.
pub struct Names {
    variables: Vec<String>,
    numbers: Vec<String>,
}

impl Names {
    pub fn of(term: &Term<&str>) -> Names {
        let mut most = 0;
        rewrite::any(term, &mut |term| {
            if let Term::BinOp(_, BinaryOp::Pipe(Some(pattern)), _) | Term::Fold(_, _, pattern, _) = term
                && !matches!(pattern, Pattern::Var(_))
            {
                most = most.max(parts(pattern));
            }
            false
        });
        Names {
            variables: (0..most).map(|number| format!("$!part {number}")).collect(),
            numbers: (0..most).map(|number| number.to_string()).collect(),
        }
    }
}

fn parts(of: &Pattern<&str>) -> usize {
    1 + match of {
        Pattern::Var(_) => 0,
        Pattern::Arr(items) => items.iter().map(parts).sum(),
        Pattern::Obj(members) => members.iter().map(|(_, of)| parts(of)).sum::<usize>(),
    }
}

/// The term with variables in place of its pattern.
pub fn term<'s>(term: Term<&'s str>, names: &'s Names) -> Term<&'s str> {
    match term {
        Term::BinOp(of, BinaryOp::Pipe(Some(pattern @ (Pattern::Arr(_) | Pattern::Obj(_)))), rest) => {
            Parts::of(pattern, *of, names).bind(*rest)
        }
        Term::Fold(name, of, pattern @ (Pattern::Arr(_) | Pattern::Obj(_)), arguments) => {
            let mut variables = Vec::new();
            variables_of(&pattern, &mut variables);
            // An array of as many elements fits.
            let items = variables
                .iter()
                .map(|name| Term::Var(*name))
                .reduce(|first, second| Term::BinOp(Box::new(first), BinaryOp::Comma, Box::new(second)));
            let of = Parts::of(pattern, *of, names).bind(Term::Arr(items.map(Box::new)));
            let pattern = Pattern::Arr(variables.into_iter().map(Pattern::Var).collect());
            Term::Fold(name, Box::new(of), pattern, arguments)
        }
        term => term,
    }
}

fn variables_of<'s>(of: &Pattern<&'s str>, all: &mut Vec<&'s str>) {
    match of {
        Pattern::Var(name) => all.push(name),
        Pattern::Arr(items) => items.iter().for_each(|of| variables_of(of, all)),
        Pattern::Obj(members) => members.iter().for_each(|(_, of)| variables_of(of, all)),
    }
}

/// What is bound, in order.
struct Parts<'s> {
    names: std::slice::Iter<'s, String>,
    numbers: &'s [String],
    bound: Vec<(Term<&'s str>, &'s str)>,
    /// The variables of the filter, where a key that is computed must not see them, with what is bound in their place.
    last: Option<Vec<(&'s str, &'s str)>>,
}

impl<'s> Parts<'s> {
    fn of(pattern: Pattern<&'s str>, value: Term<&'s str>, names: &'s Names) -> Parts<'s> {
        let last = has_computed_key(&pattern).then(Vec::new);
        let mut parts = Parts { names: names.variables.iter(), numbers: &names.numbers, bound: Vec::new(), last };
        parts.add(pattern, value);
        parts
    }

    fn add(&mut self, pattern: Pattern<&'s str>, value: Term<&'s str>) {
        let name = match (pattern_name(&pattern), &self.last) {
            (Some(name), None) => name,
            _ => self.names.next().map_or("$!part", String::as_str),
        };
        self.bound.push((value, name));
        let part = |key| piped(Term::Var(name), Term::Call(AT, vec![key]));
        match pattern {
            Pattern::Var(of_filter) => self.last.iter_mut().for_each(|last| last.push((of_filter, name))),
            Pattern::Arr(items) => {
                let numbers = self.numbers.iter();
                items.into_iter().zip(numbers).for_each(|(item, number)| self.add(item, part(Term::Num(number))));
            }
            Pattern::Obj(members) => members.into_iter().for_each(|(key, member)| self.add(member, part(key))),
        }
    }

    fn bind(self, rest: Term<&'s str>) -> Term<&'s str> {
        let last = self.last.into_iter().flatten().map(|(of_filter, name)| (Term::Var(name), of_filter));
        let all: Vec<_> = self.bound.into_iter().chain(last).collect();
        all.into_iter().rev().fold(rest, |rest, (value, name)| bound(value, name, rest))
    }
}

fn pattern_name<'s>(of: &Pattern<&'s str>) -> Option<&'s str> {
    match of {
        Pattern::Var(name) => Some(name),
        _ => None,
    }
}

fn has_computed_key(of: &Pattern<&str>) -> bool {
    let is_constant = |key: &Term<&str>| match key {
        Term::Str(None, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
        _ => false,
    };
    match of {
        Pattern::Var(_) => false,
        Pattern::Arr(items) => items.iter().any(has_computed_key),
        Pattern::Obj(members) => members.iter().any(|(key, of)| !is_constant(key) || has_computed_key(of)),
    }
}
