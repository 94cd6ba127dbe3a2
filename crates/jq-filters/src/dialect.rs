//! What jq means where jaq means something else: assignments, indices and `*` become calls of functions of ours, and operators work
//! out their right side first (`sides`).
//!
//! jaq walks down the value and changes it on the way, so below null there is nothing to walk in. jq works out the paths of the left
//! side, and then sets each: what is missing on the way is made.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Term};
use jaq_core::ops::Math;
use jaq_core::path::{Opt, Part, Path};

use crate::destructure::{self, Names};
use crate::function_names::{
    ASSIGN, AT, AT_OPTIONAL, PRODUCT, ROUND, SLICE, SLICE_OPTIONAL, STEP, SUM, TEXT, UPDATE, is_operator, of_comparison,
};
use crate::rewrite;
use crate::sides::{self, Calls};
use crate::syntax::{bound, piped};

/// Texts, arrays and objects in a filter without loops whose results are not looked at before they are written.
const CONSTRUCTIONS_MAX: usize = 20;

/// Names that no filter can have: the right side of an assignment, and the input of a path.
const RIGHT: &str = "$!right";
const INPUT: &str = "$!input";

/// What operators become.
#[derive(Clone, Copy)]
struct Way {
    /// They are left to the exact operators.
    exact: bool,
    /// Values may grow so that there is no end of writing or comparing them.
    grows: bool,
}

/// The term with jq's meaning. `exact`: products, sums and comparisons are left to the exact operators.
pub fn term<'s>(of: Term<&'s str>, exact: bool, names: &'s Names) -> Term<&'s str> {
    let (calls, way) = (Calls::of(&of), Way { exact, grows: may_grow(&of) });
    rewrite::bottom_up(of, &mut |term| match sides::right_first(term, calls) {
        // The operator is inside of its bindings.
        Ok(mut sides) => {
            let operator = one(std::mem::take(&mut sides.operator), way);
            sides.around(operator)
        }
        Err(term) => one(destructure::term(term, names), way),
    })
}

/// A definition of the library with jq's meaning. Its operators have one result on each side, or do not care.
pub fn definition(def: Def<&'static str>) -> Def<&'static str> {
    let in_texts = |term| if let Term::Str(..) = term { text(term) } else { term };
    guarded(rewrite::definition(def, &mut |term| in_texts(one(term, Way { exact: false, grows: false }))))
}

fn one(term: Term<&str>, way: Way) -> Term<&str> {
    match term {
        Term::BinOp(left, BinaryOp::Assign, right) => Term::Call(ASSIGN, vec![*left, *right]),
        Term::BinOp(left, BinaryOp::Update, right) => Term::Call(UPDATE, vec![*left, *right]),
        Term::BinOp(left, BinaryOp::UpdateMath(math), right) => {
            let computed = Term::BinOp(Box::new(Term::Id), BinaryOp::Math(math), Box::new(Term::Var(RIGHT)));
            update(*left, *right, one(computed, way))
        }
        Term::BinOp(left, BinaryOp::UpdateAlt, right) => {
            let other = Term::BinOp(Box::new(Term::Id), BinaryOp::Alt, Box::new(Term::Var(RIGHT)));
            update(*left, *right, other)
        }
        Term::BinOp(left, BinaryOp::Math(Math::Mul), right) if !way.exact => Term::Call(PRODUCT, vec![*left, *right]),
        // A number makes nothing longer.
        Term::BinOp(left, BinaryOp::Math(Math::Add), right)
            if !way.exact && !matches!((&*left, &*right), (Term::Num(_), _) | (_, Term::Num(_))) =>
        {
            Term::Call(SUM, vec![*left, *right])
        }
        Term::BinOp(left, BinaryOp::Cmp(cmp), right)
            if way.grows && !way.exact && !sides::is_small(&left) && !sides::is_small(&right) =>
        {
            Term::Call(of_comparison(cmp), vec![*left, *right])
        }
        Term::Str(..) if way.grows => text(term),
        Term::Path(of, path) => path_of(*of, path.0),
        Term::Def(defs, of) => Term::Def(defs.into_iter().map(guarded).collect(), of),
        Term::Fold(name, of, over, mut arguments) => {
            if let Some(update) = arguments.get_mut(1)
                && may_nest(update)
            {
                *update = piped(Term::Call(ROUND, Vec::new()), std::mem::take(update));
            }
            Term::Fold(name, of, over, arguments)
        }
        other => other,
    }
}

/// A text as the sum of its parts.
fn text(of: Term<&str>) -> Term<&str> {
    let Term::Str(format, parts) = of else { return of };
    if !parts.iter().any(|part| matches!(part, StrPart::Term(_))) {
        return Term::Str(format, parts);
    }
    let part = |part| match part {
        StrPart::Term(of) => piped(of, Term::Call(format.unwrap_or(TEXT), Vec::new())),
        part => Term::Str(None, vec![part]),
    };
    let sum = parts.into_iter().map(part).reduce(|first, second| Term::Call(SUM, vec![first, second]));
    sum.unwrap_or_default()
}

/// A loop puts what it made into itself, or there are many constructions, each of which may double it.
fn may_grow(filter: &Term<&str>) -> bool {
    let mut constructions = 0;
    rewrite::any(filter, &mut |term| {
        constructions += usize::from(matches!(term, Term::Arr(Some(_)) | Term::Obj(_) | Term::Str(..)));
        match term {
            Term::Fold(..) | Term::Def(..) => true,
            Term::Call(name, _) => matches!(*name, "recurse" | "until" | "while" | "repeat" | "walk"),
            _ => constructions > CONSTRUCTIONS_MAX,
        }
    })
}

/// `right as $x | left |= with`
fn update<'s>(left: Term<&'s str>, right: Term<&'s str>, with: Term<&'s str>) -> Term<&'s str> {
    bound(right, RIGHT, Term::Call(UPDATE, vec![left, with]))
}

/// A path whose parts are jaq's where they mean the same: members by a constant name, and `.[]`.
fn path_of<'s>(of: Term<&'s str>, parts: Vec<(Part<Term<&'s str>>, Opt)>) -> Term<&'s str> {
    let is_first = matches!(of, Term::Id);
    let mut needs_input = false;
    let mut value = of;
    let mut same = Vec::new();
    for (number, (part, opt)) in parts.into_iter().enumerate() {
        let is_line = is_first && number == 0;
        // What stands in brackets is worked out on the input of the whole path.
        let mut inner = |term: Term<&'s str>| match term {
            Term::Str(None, _) | Term::Num(_) | Term::Var(_) => term,
            other if is_line => other,
            other => {
                needs_input = true;
                piped(Term::Var(INPUT), other)
            }
        };
        let call = match (part, opt) {
            (part @ (Part::Range(None, None) | Part::Index(Term::Str(None, _))), opt) => {
                same.push((part, opt));
                continue;
            }
            (Part::Index(index), Opt::Essential) => Term::Call(AT, vec![inner(index)]),
            (Part::Index(index), Opt::Optional) => Term::Call(AT_OPTIONAL, vec![inner(index)]),
            (Part::Range(from, to), opt) => {
                let mut bound = |term: Option<Term<&'s str>>| term.map_or(Term::Call("null", Vec::new()), &mut inner);
                let bounds = vec![bound(from), bound(to)];
                Term::Call(if matches!(opt, Opt::Essential) { SLICE } else { SLICE_OPTIONAL }, bounds)
            }
        };
        value = with_parts(value, &mut same);
        value = if matches!(value, Term::Id) { call } else { piped(value, call) };
    }
    value = with_parts(value, &mut same);
    if needs_input { bound(Term::Id, INPUT, value) } else { value }
}

fn with_parts<'s>(of: Term<&'s str>, parts: &mut Vec<(Part<Term<&'s str>>, Opt)>) -> Term<&'s str> {
    match parts.is_empty() {
        true => of,
        false => Term::Path(Box::new(of), Path(std::mem::take(parts))),
    }
}

/// A function that calls itself counts its calls.
fn guarded(def: Def<&str>) -> Def<&str> {
    let calls =
        |term: &Term<&str>| matches!(term, Term::Call(name, args) if *name == def.name && args.len() == def.args.len());
    match rewrite::any(&def.body, &mut |term| calls(term)) {
        true => Def { body: piped(Term::Call(STEP, Vec::new()), def.body), ..def },
        false => def,
    }
}

/// The next round of a loop may put the value of the last one into another.
fn may_nest(update: &Term<&str>) -> bool {
    rewrite::any(update, &mut |term| match term {
        Term::Arr(Some(_)) | Term::Obj(_) => true,
        Term::Call(name, arguments) => !arguments.is_empty() && !is_operator(name),
        _ => false,
    })
}
