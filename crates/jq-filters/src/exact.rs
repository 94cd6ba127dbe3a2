//! `--decimal` in jaq: the operators of a filter become calls of functions that compute exactly.

use std::cmp::Ordering;

use jaq_core::box_iter::box_once;
use jaq_core::load::parse::{BinaryOp, Def, Term};
use jaq_core::native::{Filter, Fun, bome, run, v};
use jaq_core::ops::{Cmp, Math};
use jaq_core::{Cv, Error, RunPtr, ValR, ValX};
use jaq_json::{Num, Val};

use crate::data::Data;
use crate::decimal::{DIGITS_MAX, Decimal, NoResult, Rounding, Small, compute_small};
use crate::write::write_float;
use crate::{limits, products, rewrite};

/// Sums of the library, once more.
const DEFINITIONS: &str = "def add(f): reduce f as $x (null; . + $x); def add: add(.[]);";

const fn of_math(math: Math) -> &'static str {
    match math {
        Math::Add => "!add",
        Math::Sub => "!sub",
        Math::Mul => "!mul",
        Math::Div => "!div",
        Math::Rem => "!rem",
    }
}

const fn of_cmp(cmp: Cmp) -> &'static str {
    match cmp {
        Cmp::Lt => "!lt",
        Cmp::Le => "!le",
        Cmp::Gt => "!gt",
        Cmp::Ge => "!ge",
        Cmp::Eq => "!eq",
        Cmp::Ne => "!ne",
    }
}

/// Definitions of the library that have to compute exactly too.
pub fn definitions() -> Vec<Def<&'static str>> {
    let definitions = jaq_core::load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    definitions.into_iter().map(|def| Def { body: term(def.body), ..def }).collect()
}

/// The functions, which are to stand in front of others of the same name.
pub fn functions() -> Vec<Fun<Data>> {
    let all: [Filter<RunPtr<Data>>; 15] = [
        (of_math(Math::Add), two(), |cv| bome(math(cv, Math::Add))),
        (of_math(Math::Sub), two(), |cv| bome(math(cv, Math::Sub))),
        (of_math(Math::Mul), two(), |cv| bome(math(cv, Math::Mul))),
        (of_math(Math::Div), two(), |cv| bome(math(cv, Math::Div))),
        (of_math(Math::Rem), two(), |cv| bome(math(cv, Math::Rem))),
        (of_cmp(Cmp::Lt), two(), |cv| box_once(ordered(cv, Ordering::is_lt))),
        (of_cmp(Cmp::Le), two(), |cv| box_once(ordered(cv, Ordering::is_le))),
        (of_cmp(Cmp::Gt), two(), |cv| box_once(ordered(cv, Ordering::is_gt))),
        (of_cmp(Cmp::Ge), two(), |cv| box_once(ordered(cv, Ordering::is_ge))),
        (of_cmp(Cmp::Eq), two(), |cv| box_once(ordered(cv, Ordering::is_eq))),
        (of_cmp(Cmp::Ne), two(), |cv| box_once(ordered(cv, Ordering::is_ne))),
        ("floor", v(0), |cv| bome(rounded(cv.1, Rounding::Floor))),
        ("ceil", v(0), |cv| bome(rounded(cv.1, Rounding::Ceil))),
        ("round", v(0), |cv| bome(rounded(cv.1, Rounding::Round))),
        ("trunc", v(0), |cv| bome(rounded(cv.1, Rounding::Trunc))),
    ];
    all.into_iter().map(run::<Data>).collect()
}

fn two() -> Box<[jaq_core::Bind]> {
    v(2)
}

fn operands(mut cv: Cv<'_, Data>) -> (Val, Val) {
    let right = cv.0.pop_var();
    (cv.0.pop_var(), right)
}

/// A number to compute with; none for what is no finite number.
enum Exact {
    Small(Small),
    Large(Decimal),
}

impl Exact {
    fn of(value: &Val) -> Option<Result<Exact, NoResult>> {
        let Val::Num(number) = value else { return None };
        let text = match number {
            Num::Int(integer) => return Some(Ok(Exact::Small(Small::integer(*integer as i64)))),
            Num::BigInt(integer) => return Some(Ok(Exact::Large(Decimal::integer((**integer).clone())))),
            Num::Dec(text) => text.to_string(),
            Num::Float(float) if float.is_finite() => {
                let mut text = Vec::new();
                write_float(*float, &mut text);
                String::from_utf8_lossy(&text).into_owned()
            }
            Num::Float(_) => return None,
        };
        match Small::parse(text.as_bytes()) {
            Some(small) => Some(Ok(Exact::Small(small))),
            None => Some(Decimal::parse(&text)?.map(Exact::Large)),
        }
    }

    fn large(&self) -> Decimal {
        match self {
            Exact::Small(small) => (*small).into(),
            Exact::Large(large) => large.clone(),
        }
    }
}

fn value(number: &Decimal) -> Val {
    Val::Num(match number.as_integer() {
        Some(integer) => Num::from_str_radix(&integer.to_string(), 10).unwrap_or(Num::Int(0)),
        None => Num::Dec(number.text().into()),
    })
}

fn small_value(number: Small) -> Val {
    match number.as_integer() {
        Some(integer) => Val::from(integer as isize),
        None => value(&number.into()),
    }
}

fn math(cv: Cv<'_, Data>, math: Math) -> ValR<Val> {
    let (left, right) = operands(cv);
    let (Some(a), Some(b)) = (Exact::of(&left), Exact::of(&right)) else { return products::compute(left, math, right) };
    let result = a.and_then(|a| {
        let b = b?;
        if let (Exact::Small(a), Exact::Small(b)) = (&a, &b)
            && let Some(result) = compute_small(*a, math, *b)
        {
            return Ok(small_value(result));
        }
        a.large().compute(math, &b.large()).map(|result| value(&result))
    });
    result.map_err(|no| match no {
        NoResult::DivisionByZero => Error::math(left, math, right),
        NoResult::TooLong => {
            let operator = math.as_str();
            Error::str(format_args!("cannot calculate {left} {operator} {right}: more than {DIGITS_MAX} digits"))
        }
    })
}

fn rounded(number: Val, rounding: Rounding) -> ValR<Val> {
    match Exact::of(&number) {
        Some(Ok(Exact::Small(small))) => {
            let whole = small.rounded(rounding);
            Ok(whole.map_or_else(|| value(&Decimal::from(small).rounded(rounding)), small_value))
        }
        Some(Ok(Exact::Large(large))) => Ok(value(&large.rounded(rounding))),
        Some(Err(_)) => Err(Error::str(format_args!("cannot round {number}: more than {DIGITS_MAX} digits"))),
        None => match number {
            // Not a number stays it, and infinity what it is.
            Val::Num(_) => Ok(number),
            other => Err(Error::typ(other, "number")),
        },
    }
}

fn ordered(cv: Cv<'_, Data>, holds: fn(Ordering) -> bool) -> ValX<'_, Val> {
    let (left, right) = operands(cv);
    limits::compared(&left, &right)?;
    Ok(Val::Bool(holds(compare(&left, &right))))
}

/// jq's order, with numbers by what they are.
fn compare(left: &Val, right: &Val) -> Ordering {
    match (left, right) {
        (Val::Num(_), Val::Num(_)) => match (Exact::of(left), Exact::of(right)) {
            (Some(Ok(Exact::Small(a))), Some(Ok(Exact::Small(b)))) => {
                a.compare(b).unwrap_or_else(|| Decimal::from(a).compare(&b.into()))
            }
            (Some(Ok(a)), Some(Ok(b))) => a.large().compare(&b.large()),
            _ => left.cmp(right),
        },
        (Val::Arr(a), Val::Arr(b)) => in_turn(a.iter(), b.iter()),
        (Val::Obj(a), Val::Obj(b)) => {
            let sorted = |object: &jaq_json::Map<Val, Val>| {
                let mut members: Vec<(Val, Val)> = object.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                members
            };
            let (a, b) = (sorted(a), sorted(b));
            let keys = in_turn(a.iter().map(|(key, _)| key), b.iter().map(|(key, _)| key));
            keys.then_with(|| in_turn(a.iter().map(|(_, value)| value), b.iter().map(|(_, value)| value)))
        }
        _ => left.cmp(right),
    }
}

fn in_turn<'a>(mut left: impl Iterator<Item = &'a Val>, mut right: impl Iterator<Item = &'a Val>) -> Ordering {
    loop {
        match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) => match compare(a, b) {
                Ordering::Equal => (),
                order => return order,
            },
        }
    }
}

/// The term with its operators as calls.
pub fn term(of: Term<&str>) -> Term<&str> {
    rewrite::bottom_up(of, &mut |term| match term {
        Term::BinOp(left, BinaryOp::Math(math), right) => Term::Call(of_math(math), vec![*left, *right]),
        Term::BinOp(left, BinaryOp::Cmp(cmp), right) => Term::Call(of_cmp(cmp), vec![*left, *right]),
        other => other,
    })
}
