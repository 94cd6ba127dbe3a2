//! Rewrites a filter's syntax tree, from the leaves up.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Part, Path};

/// What is put in the place of a term whose parts have been rewritten already.
pub type Each<'e, 's> = &'e mut dyn FnMut(Term<&'s str>) -> Term<&'s str>;

/// The term with `each` applied to all of it.
pub fn bottom_up<'s>(of: Term<&'s str>, each: Each<'_, 's>) -> Term<&'s str> {
    let of = parts(of, each);
    each(of)
}

fn boxed<'s>(of: Term<&'s str>, each: Each<'_, 's>) -> Box<Term<&'s str>> {
    Box::new(bottom_up(of, each))
}

fn all<'s>(of: Vec<Term<&'s str>>, each: Each<'_, 's>) -> Vec<Term<&'s str>> {
    of.into_iter().map(|term| bottom_up(term, each)).collect()
}

fn parts<'s>(of: Term<&'s str>, each: Each<'_, 's>) -> Term<&'s str> {
    match of {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Arr(None) | Term::Break(_) | Term::Var(_) => of,
        Term::Str(format, parts) => Term::Str(format, parts.into_iter().map(|part| string_part(part, each)).collect()),
        Term::Arr(Some(of)) => Term::Arr(Some(boxed(*of, each))),
        Term::Obj(members) => {
            let member = |(key, value): (Term<&'s str>, Option<Term<&'s str>>)| {
                let key = bottom_up(key, each);
                (key, value.map(|value| bottom_up(value, each)))
            };
            Term::Obj(members.into_iter().map(member).collect())
        }
        Term::Neg(of) => Term::Neg(boxed(*of, each)),
        Term::BinOp(left, BinaryOp::Pipe(Some(over)), right) => {
            let (left, over) = (boxed(*left, each), pattern(over, each));
            Term::BinOp(left, BinaryOp::Pipe(Some(over)), boxed(*right, each))
        }
        Term::BinOp(left, operator, right) => Term::BinOp(boxed(*left, each), operator, boxed(*right, each)),
        Term::Label(name, of) => Term::Label(name, boxed(*of, each)),
        Term::Fold(name, of, over, arguments) => {
            Term::Fold(name, boxed(*of, each), pattern(over, each), all(arguments, each))
        }
        Term::TryCatch(of, catch) => {
            let of = boxed(*of, each);
            Term::TryCatch(of, catch.map(|catch| boxed(*catch, each)))
        }
        Term::IfThenElse(cases, otherwise) => {
            let cases = cases.into_iter().map(|(condition, then)| (bottom_up(condition, each), bottom_up(then, each)));
            let cases = cases.collect();
            Term::IfThenElse(cases, otherwise.map(|of| boxed(*of, each)))
        }
        Term::Def(defs, of) => {
            let defs = defs.into_iter().map(|def| definition(def, each)).collect();
            Term::Def(defs, boxed(*of, each))
        }
        Term::Call(name, arguments) => Term::Call(name, all(arguments, each)),
        Term::Path(of, path) => {
            let of = boxed(*of, each);
            let parts = path.0.into_iter().map(|(part, opt)| {
                let part = match part {
                    Part::Index(index) => Part::Index(bottom_up(index, each)),
                    Part::Range(from, to) => {
                        let from = from.map(|from| bottom_up(from, each));
                        Part::Range(from, to.map(|to| bottom_up(to, each)))
                    }
                };
                (part, opt)
            });
            Term::Path(of, Path(parts.collect()))
        }
    }
}

/// A definition with its body rewritten.
pub fn definition<'s>(def: Def<&'s str>, each: Each<'_, 's>) -> Def<&'s str> {
    Def { name: def.name, args: def.args, body: bottom_up(def.body, each) }
}

fn pattern<'s>(of: Pattern<&'s str>, each: Each<'_, 's>) -> Pattern<&'s str> {
    match of {
        Pattern::Var(name) => Pattern::Var(name),
        Pattern::Arr(items) => Pattern::Arr(items.into_iter().map(|item| pattern(item, each)).collect()),
        Pattern::Obj(members) => {
            let member = |(key, value)| (bottom_up(key, each), pattern(value, each));
            Pattern::Obj(members.into_iter().map(member).collect())
        }
    }
}

fn string_part<'s>(part: StrPart<&'s str, Term<&'s str>>, each: Each<'_, 's>) -> StrPart<&'s str, Term<&'s str>> {
    match part {
        StrPart::Term(of) => StrPart::Term(bottom_up(of, each)),
        other => other,
    }
}

/// Calls `each` with the term and all terms in it, the outer ones first, until it says that it has seen enough.
pub fn any<'t, 's>(of: &'t Term<&'s str>, each: &mut dyn FnMut(&'t Term<&'s str>) -> bool) -> bool {
    if each(of) {
        return true;
    }
    match of {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Arr(None) | Term::Break(_) | Term::Var(_) => false,
        Term::Str(_, parts) => parts.iter().any(|part| matches!(part, StrPart::Term(of) if any(of, each))),
        Term::Arr(Some(of)) | Term::Neg(of) | Term::Label(_, of) => any(of, each),
        Term::Obj(members) => {
            members.iter().any(|(key, value)| any(key, each) || value.as_ref().is_some_and(|value| any(value, each)))
        }
        Term::BinOp(left, operator, right) => {
            let bound = match operator {
                BinaryOp::Pipe(Some(over)) => any_of_pattern(over, each),
                _ => false,
            };
            bound || any(left, each) || any(right, each)
        }
        Term::Fold(_, of, over, arguments) => {
            any(of, each) || any_of_pattern(over, each) || arguments.iter().any(|of| any(of, each))
        }
        Term::TryCatch(of, catch) => any(of, each) || catch.as_ref().is_some_and(|catch| any(catch, each)),
        Term::IfThenElse(cases, otherwise) => {
            cases.iter().any(|(condition, then)| any(condition, each) || any(then, each))
                || otherwise.as_ref().is_some_and(|of| any(of, each))
        }
        Term::Def(defs, of) => defs.iter().any(|def| any(&def.body, each)) || any(of, each),
        Term::Call(_, arguments) => arguments.iter().any(|of| any(of, each)),
        Term::Path(of, path) => {
            let part = |part: &'t Part<Term<&'s str>>| match part {
                Part::Index(index) => vec![index],
                Part::Range(from, to) => from.iter().chain(to).collect(),
            };
            any(of, each) || path.0.iter().flat_map(|(of, _)| part(of)).any(|of| any(of, each))
        }
    }
}

fn any_of_pattern<'t, 's>(of: &'t Pattern<&'s str>, each: &mut dyn FnMut(&'t Term<&'s str>) -> bool) -> bool {
    match of {
        Pattern::Var(_) => false,
        Pattern::Arr(items) => items.iter().any(|item| any_of_pattern(item, each)),
        Pattern::Obj(members) => members.iter().any(|(key, value)| any(key, each) || any_of_pattern(value, each)),
    }
}
