//! Assignments, and what leads to a place in a value, as jq has them: what is missing on the way is made.

use jaq_core::box_iter::box_once;
use jaq_core::native::{Fun, bome, v};
use jaq_core::{Bind, Ctx, Cv, Error, Exn, Native, ValR, ValT as _, ValX};
use jaq_json::{Map, Num, Val};
use jaq_std::ValT as _;

use crate::data::Data;
use crate::delete::{delpaths, place};
use crate::function_names;

/// A longer array is not made by setting one of its elements.
const ELEMENTS_MAX: usize = 1 << 24;
/// What is nested deeper cannot be written.
const PATH_KEYS_MAX: usize = 1_000;

const NO_ARRAY: &str = "a part of an array can only be set to an array";

type Range = jaq_core::val::Range<Val>;

/// The functions that stand for the operators, `getpath` and `setpath`.
pub fn functions() -> Vec<Fun<Data>> {
    let (var, fun) = (|| Bind::Var(()), || Bind::Fun(()));
    let at = Native::new(|mut cv| {
        let key = cv.0.pop_var();
        bome(index(cv.1, &key))
    });
    let at = at.with_paths(|mut cv| {
        let key = cv.0.pop_var();
        let (value, path) = cv.1;
        box_once(index(value, &key).map(|value| (value, path.cons(key))).map_err(Exn::from))
    });
    let at_optional = Native::new(|mut cv| {
        let key = cv.0.pop_var();
        Box::new(index(cv.1, &key).into_iter().map(Ok))
    });
    let at_optional = at_optional.with_paths(|mut cv| {
        let key = cv.0.pop_var();
        let (value, path) = cv.1;
        Box::new(index(value, &key).into_iter().map(move |value| Ok((value, path.clone().cons(key.clone())))))
    });
    let part = Native::new(|mut cv| {
        let range = range(&mut cv.0);
        bome(slice(cv.1, &range))
    });
    let part = part.with_paths(|mut cv| {
        let range = range(&mut cv.0);
        let (value, path) = cv.1;
        box_once(slice(value, &range).map(|value| (value, path.cons(key_of(&range)))).map_err(Exn::from))
    });
    let part_optional = Native::new(|mut cv| {
        let range = range(&mut cv.0);
        Box::new(slice(cv.1, &range).into_iter().map(Ok))
    });
    let part_optional = part_optional.with_paths(|mut cv| {
        let range = range(&mut cv.0);
        let (value, path) = cv.1;
        Box::new(slice(value, &range).into_iter().map(move |value| Ok((value, path.clone().cons(key_of(&range))))))
    });
    let getpath = Native::new(|mut cv| {
        let path = cv.0.pop_var();
        bome(keys(&path).and_then(|keys| get(cv.1, keys)))
    });
    let getpath = getpath.with_paths(|mut cv| {
        let to = cv.0.pop_var();
        let (value, path) = cv.1;
        let found = keys(&to).and_then(|keys| Ok((get(value, keys)?, path.extend(keys.iter().cloned()))));
        box_once(found.map_err(Exn::from))
    });
    let setpath = Native::new(|mut cv: Cv<'_, Data>| {
        let (new, path) = (cv.0.pop_var(), cv.0.pop_var());
        box_once(keys(&path).map_err(Exn::from).and_then(|keys| set(cv.1, keys, &new)))
    });
    vec![
        (function_names::AT, v(1), at),
        (function_names::AT_OPTIONAL, v(1), at_optional),
        (function_names::SLICE, v(2), part),
        (function_names::SLICE_OPTIONAL, v(2), part_optional),
        ("getpath", v(1), getpath),
        ("setpath", v(2), setpath),
        (function_names::ASSIGN, [fun(), var()].into(), Native::new(|cv| box_once(assign(cv)))),
        (function_names::UPDATE, [fun(), fun()].into(), Native::new(|cv| box_once(update(cv)))),
    ]
}

fn range(context: &mut Ctx<'_, Data>) -> Range {
    let (end, start) = (context.pop_var(), context.pop_var());
    let bound = |bound: Val| (bound != Val::Null).then_some(bound);
    bound(start)..bound(end)
}

/// A part as the key of a path.
fn key_of(range: &Range) -> Val {
    let bound = |name: &str, bound: &Option<Val>| (Val::utf8_str(name.to_owned()), bound.clone().unwrap_or_default());
    Val::obj(Map::from_iter([bound("start", &range.start), bound("end", &range.end)]))
}

/// `.[key]`: below null there is null, and a key must be of the kind that the value has.
fn index(value: Val, key: &Val) -> ValR<Val> {
    match (&value, key) {
        (Val::Null, Val::TStr(_) | Val::Num(_) | Val::Obj(_)) => Ok(Val::Null),
        (Val::Obj(_), Val::TStr(_)) | (Val::Arr(_), Val::Arr(_) | Val::Obj(_)) | (Val::TStr(_), Val::Obj(_)) => {
            value.index(key)
        }
        (Val::Arr(items), Val::Num(_)) => {
            let place = whole(key).and_then(|at| place(at, items.len()));
            Ok(place.and_then(|at| items.get(at)).cloned().unwrap_or_default())
        }
        (Val::BStr(_), _) => value.index(key),
        _ => Err(Error::index(value, key.clone())),
    }
}

/// `.[from:to]`: the start is rounded down, the end up.
fn slice(value: Val, range: &Range) -> ValR<Val> {
    let bound = |bound: &Option<Val>, round: fn(f64) -> f64| match bound {
        Some(Val::Num(Num::Float(_) | Num::Dec(_))) => {
            bound.as_ref().and_then(Val::as_f64).map(|float| Val::from(round(float) as isize))
        }
        other => other.clone(),
    };
    let is_bound = |bound: &Option<Val>| bound.as_ref().is_none_or(|bound| matches!(bound, Val::Num(_)));
    match value {
        Val::Null if is_bound(&range.start) && is_bound(&range.end) => Ok(Val::Null),
        value => {
            let (start, end) = (bound(&range.start, f64::floor), bound(&range.end, f64::ceil));
            value.range(start.as_ref()..end.as_ref())
        }
    }
}

/// A number as an index: rounded towards zero. None is at not-a-number.
fn whole(number: &Val) -> Option<isize> {
    number.as_isize().or_else(|| number.as_f64().filter(|float| !float.is_nan()).map(|float| float as isize))
}

fn keys(path: &Val) -> Result<&[Val], Error<Val>> {
    match path {
        Val::Arr(keys) => short(keys),
        _ => Err(Error::str("path must be specified as an array")),
    }
}

fn get(value: Val, keys: &[Val]) -> ValR<Val> {
    keys.iter().try_fold(value, |value, key| match value {
        Val::Null => Ok(Val::Null),
        value => index(value, key),
    })
}

fn set<'a>(value: Val, keys: &[Val], new: &Val) -> ValX<'a, Val> {
    Ok(change(value, keys, &mut |_| Ok(Some(new.clone())))?.unwrap_or_default())
}

fn short(keys: &[Val]) -> Result<&[Val], Error<Val>> {
    match keys.len() <= PATH_KEYS_MAX {
        true => Ok(keys),
        false => Err(Error::str(format_args!("a path has more than {PATH_KEYS_MAX} keys"))),
    }
}

/// The paths of the left side of an assignment, the first key of each first.
fn left_paths<'a>(context: &mut Ctx<'a, Data>, value: &Val) -> ValX<'a, Vec<Vec<Val>>, Val> {
    let (left, of_left) = context.pop_fun();
    let paths = left.paths((of_left, (value.clone(), Default::default())));
    let keys = paths.map(|found| {
        let mut keys: Vec<Val> = found?.1.iter().cloned().collect();
        keys.reverse();
        short(&keys)?;
        Ok(keys)
    });
    keys.collect()
}

/// `paths = new`, for one of the values of the right side.
fn assign(mut cv: Cv<'_, Data>) -> ValX<'_, Val> {
    let new = cv.0.pop_var();
    let paths = left_paths(&mut cv.0, &cv.1)?;
    paths.iter().try_fold(cv.1, |value, path| set(value, path, &new))
}

/// `paths |= with`: the first of its results; places for which there is none are taken out in the end, all at once.
fn update(mut cv: Cv<'_, Data>) -> ValX<'_, Val> {
    let (with, context) = cv.0.pop_fun();
    let paths = left_paths(&mut cv.0, &cv.1)?;
    let (mut value, mut gone) = (cv.1, Vec::new());
    for path in paths {
        let mut is_gone = false;
        let new = change(value, &path, &mut |old| {
            let new = with.run((context.clone(), old)).next().transpose()?;
            is_gone = new.is_none();
            Ok(new)
        })?;
        value = new.unwrap_or_default();
        if is_gone {
            gone.push(path.into_iter().collect::<Val>());
        }
    }
    match gone.is_empty() {
        true => Ok(value),
        false => Ok(delpaths(value, &gone.into_iter().collect())?),
    }
}

/// The value with what is at a path changed; none where there was nothing, and nothing is to be.
///
/// What was there is taken out before it is changed, so that nothing has to be copied for it.
fn change<'a>(
    mut value: Val,
    path: &[Val],
    with: &mut dyn FnMut(Val) -> ValX<'a, Option<Val>, Val>,
) -> ValX<'a, Option<Val>, Val> {
    let Some((key, rest)) = path.split_first() else { return with(value) };
    match (&mut value, key) {
        (Val::Null, Val::TStr(_)) => {
            let new = change(Val::Null, rest, with)?;
            return Ok(new.map(|new| Val::obj(Map::from_iter([(key.clone(), new)]))));
        }
        (Val::Obj(members), Val::TStr(_)) => match std::rc::Rc::make_mut(members).get_mut(key) {
            Some(member) => *member = change(std::mem::take(member), rest, with)?.unwrap_or_default(),
            None => {
                if let Some(new) = change(Val::Null, rest, with)? {
                    std::rc::Rc::make_mut(members).insert(key.clone(), new);
                }
            }
        },
        (Val::Null, Val::Num(_)) => return change_element(Vec::new().into(), key, rest, with),
        (Val::Arr(items), Val::Num(_)) => return change_element(std::mem::take(items), key, rest, with),
        (Val::Null, Val::Obj(_)) => {
            return match change(Val::Null, rest, with)? {
                new @ (None | Some(Val::Arr(_))) => Ok(new),
                Some(_) => Err(Error::str(NO_ARRAY).into()),
            };
        }
        (Val::Arr(items), Val::Obj(_)) => return change_slice(std::mem::take(items), key, rest, with),
        (Val::TStr(_), Val::Obj(_)) => return Err(Error::str("a part of a text cannot be set").into()),
        _ => return Err(Error::index(value, key.clone()).into()),
    }
    Ok(Some(value))
}

type Items = std::rc::Rc<Vec<Val>>;

fn change_element<'a>(
    mut items: Items,
    key: &Val,
    rest: &[Val],
    with: &mut dyn FnMut(Val) -> ValX<'a, Option<Val>, Val>,
) -> ValX<'a, Option<Val>, Val> {
    let at = whole(key).ok_or_else(|| Error::str("an element cannot be set at an index that is no number"))?;
    let at =
        place(at, items.len()).ok_or_else(|| Error::str(format_args!("index {at} is before the array's begin")))?;
    if let Some(item) = std::rc::Rc::make_mut(&mut items).get_mut(at) {
        *item = change(std::mem::take(item), rest, with)?.unwrap_or_default();
        return Ok(Some(Val::Arr(items)));
    }
    if at >= ELEMENTS_MAX {
        return Err(Error::str(format_args!("index {at} is beyond the longest array, {ELEMENTS_MAX}")).into());
    }
    let Some(new) = change(Val::Null, rest, with)? else {
        return Ok((!items.is_empty()).then_some(Val::Arr(items)));
    };
    let all = std::rc::Rc::make_mut(&mut items);
    all.resize(at, Val::Null);
    all.push(new);
    Ok(Some(Val::Arr(items)))
}

fn change_slice<'a>(
    mut items: Items,
    key: &Val,
    rest: &[Val],
    with: &mut dyn FnMut(Val) -> ValX<'a, Option<Val>, Val>,
) -> ValX<'a, Option<Val>, Val> {
    let (start, count) = bounds(&items, key)?;
    let part = items[start..start + count].iter().cloned().collect();
    let new = match change(part, rest, with)? {
        None => return Ok((!items.is_empty()).then_some(Val::Arr(items))),
        Some(Val::Arr(new)) => new,
        Some(_) => return Err(Error::str(NO_ARRAY).into()),
    };
    std::rc::Rc::make_mut(&mut items).splice(start..start + count, new.iter().cloned());
    Ok(Some(Val::Arr(items)))
}

/// Where a part begins, and how many elements it has.
fn bounds(items: &[Val], key: &Val) -> Result<(usize, usize), Error<Val>> {
    let Val::Obj(range) = key else { return Err(Error::str("start and end of a part must be numbers")) };
    let bound = |name: &str, other: usize, round: fn(f64) -> f64| match range.get(&Val::utf8_str(name.to_owned())) {
        None | Some(Val::Null) => Ok(other),
        Some(bound) => {
            let at = bound.as_isize().or_else(|| bound.as_f64().map(|float| round(float) as isize));
            let at = at.ok_or_else(|| Error::str("start and end of a part must be numbers"))?;
            Ok(place(at, items.len()).unwrap_or(0).min(items.len()))
        }
    };
    let start = bound("start", 0, f64::floor)?;
    Ok((start, bound("end", items.len(), f64::ceil)?.saturating_sub(start)))
}
