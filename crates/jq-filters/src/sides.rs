//! The order in which the sides of an operator are worked out: in jq the right one first, and the left one for each of its results.
//!
//! jaq does it the other way round. That shows only where a side gives several results, or none, so other operators are left as they are.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::{Opt, Part};

use crate::function_names::{ASSIGN, TEXT, UPDATE, is_operator};
use crate::rewrite;
use crate::syntax::bound;

/// Names that no filter can have.
const RIGHT: &str = "$!right side";
const LEFT: &str = "$!left side";

/// Functions that give one result or fail, whatever their arguments give.
const OF_ONE_RESULT: [(&str, usize); 13] = [
    ("map", 1),
    ("map_values", 1),
    ("with_entries", 1),
    ("del", 1),
    ("any", 1),
    ("all", 1),
    ("sort_by", 1),
    ("group_by", 1),
    ("unique_by", 1),
    ("min_by", 1),
    ("max_by", 1),
    ("add", 1),
    (UPDATE, 2),
];

/// Functions that give one result or fail, for each result of their arguments.
const OF_ONE_RESULT_EACH: [&str; 56] = [
    "abs",
    "add",
    "all",
    "any",
    "ascii_downcase",
    "ascii_upcase",
    "ceil",
    "contains",
    "endswith",
    "false",
    "first",
    "flatten",
    "floor",
    "from_entries",
    "fromdate",
    "getpath",
    "has",
    "in",
    "index",
    "indices",
    "infinite",
    "isarray",
    "isboolean",
    "isnumber",
    "isobject",
    "isstring",
    "join",
    "keys",
    "keys_unsorted",
    "last",
    "length",
    "ltrimstr",
    "max",
    "min",
    "mktime",
    "nan",
    "not",
    "now",
    "null",
    "reverse",
    "rindex",
    "round",
    "rtrimstr",
    "sort",
    "split",
    "sqrt",
    "startswith",
    "strptime",
    "time_ms",
    "to_entries",
    "todate",
    "tojson",
    "tonumber",
    "tostring",
    "true",
    "type",
];

/// What is known of the functions that a filter calls.
#[derive(Clone, Copy)]
pub enum Calls {
    /// They are those of the library.
    Library,
    /// The filter has functions of its own, maybe of the same names.
    Unknown,
}

impl Calls {
    pub fn of(term: &Term<&str>) -> Calls {
        match rewrite::any(term, &mut |term| matches!(term, Term::Def(..))) {
            true => Calls::Unknown,
            false => Calls::Library,
        }
    }
}

/// An operator, and its sides taken out of it.
pub struct Sides<'s> {
    right: Term<&'s str>,
    left: Term<&'s str>,
    /// Between variables for them.
    pub operator: Term<&'s str>,
}

impl<'s> Sides<'s> {
    /// The operator for each result of the right side, and for each of the left one.
    pub fn around(self, operator: Term<&'s str>) -> Term<&'s str> {
        bound(self.right, RIGHT, bound(self.left, LEFT, operator))
    }
}

/// The sides of an operator; the term as it was where their order does not show.
pub fn right_first<'s>(term: Term<&'s str>, calls: Calls) -> Result<Sides<'s>, Term<&'s str>> {
    let order_shows = |left: &Term<&'s str>, right: &Term<&'s str>| {
        !(is_sure(left) || is_sure(right) || gives_one(left, calls) && gives_one(right, calls))
    };
    match term {
        Term::BinOp(left, operator @ (BinaryOp::Math(_) | BinaryOp::Cmp(_)), right) if order_shows(&left, &right) => {
            let operator = Term::BinOp(Box::new(Term::Var(LEFT)), operator, Box::new(Term::Var(RIGHT)));
            Ok(Sides { right: *right, left: *left, operator })
        }
        term => Err(term),
    }
}

/// It is a constant that is compared at once.
pub fn is_small(term: &Term<&str>) -> bool {
    match term {
        Term::Call("null" | "true" | "false", arguments) => arguments.is_empty(),
        Term::Id | Term::Var(_) => false,
        term => is_sure(term),
    }
}

/// It gives one result and cannot fail.
fn is_sure(term: &Term<&str>) -> bool {
    match term {
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
        Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
        Term::Neg(of) => matches!(**of, Term::Num(_)),
        _ => false,
    }
}

/// It gives one result or fails. The parts of the term are in jaq's meaning already.
fn gives_one(term: &Term<&str>, calls: Calls) -> bool {
    let one = |term: &Term<&str>| gives_one(term, calls);
    match term {
        Term::Id | Term::Num(_) | Term::Var(_) | Term::Arr(_) => true,
        Term::Str(_, parts) => parts.iter().all(|part| !matches!(part, StrPart::Term(of) if !one(of))),
        Term::Obj(members) => {
            members.iter().all(|(key, value)| one(key) && value.as_ref().is_none_or(|value| gives_one(value, calls)))
        }
        Term::Neg(of) => one(of),
        Term::BinOp(left, BinaryOp::Pipe(None | Some(Pattern::Var(_))), right)
        | Term::BinOp(left, BinaryOp::Math(_) | BinaryOp::Cmp(_) | BinaryOp::Alt, right)
        | Term::BinOp(left, BinaryOp::And | BinaryOp::Or, right) => one(left) && one(right),
        Term::IfThenElse(cases, otherwise) => {
            cases.iter().all(|(condition, then)| one(condition) && one(then))
                && otherwise.as_ref().is_none_or(|otherwise| one(otherwise))
        }
        Term::Path(of, path) => one(of) && path.0.iter().all(|(part, opt)| part_gives_one(part, *opt, calls)),
        Term::Call(name, arguments) => call_gives_one(name, arguments, calls),
        _ => false,
    }
}

fn part_gives_one(part: &Part<Term<&str>>, opt: Opt, calls: Calls) -> bool {
    matches!(opt, Opt::Essential)
        && match part {
            Part::Range(None, None) => false,
            Part::Index(index) => gives_one(index, calls),
            Part::Range(from, to) => from.iter().chain(to).all(|bound| gives_one(bound, calls)),
        }
}

fn call_gives_one(name: &str, arguments: &[Term<&str>], calls: Calls) -> bool {
    let each = || arguments.iter().all(|argument| gives_one(argument, calls));
    if is_operator(name) || name == TEXT {
        return each();
    }
    if let (ASSIGN, [_, right]) = (name, arguments) {
        return gives_one(right, calls);
    }
    match calls {
        Calls::Unknown => false,
        Calls::Library if OF_ONE_RESULT.contains(&(name, arguments.len())) => true,
        Calls::Library => {
            let many = matches!((name, arguments.len()), ("first" | "last" | "any" | "all" | "add", 1..));
            !many && OF_ONE_RESULT_EACH.contains(&name) && each()
        }
    }
}
