//! What one line may take: how deep functions call each other, how many steps they take, how deep a value is nested.
//!
//! jaq recurses on the stack of the thread, so a filter that goes as deep as its data say would end the process. Functions that call
//! themselves are counted (see `dialect`), and look how much of the stack is used. A limit ends the work on the line; no `try`
//! goes on after it.

use std::cell::Cell;

use jaq_core::{Cv, Exn, ValX};
use jaq_json::Val;

use crate::data::Data;
use crate::products::{self, BYTES_MAX};

/// Half of what a thread has at least.
pub const STACK_BYTES: usize = 4 << 20;
/// A number of `range` is a step.
const STEPS_MAX: u32 = 10_000_000;
/// A call of a function that calls itself takes as much time as so many numbers.
const STEPS_OF_A_CALL: u32 = 10;
/// A line is nested less deep, and so is what is written.
const DEPTH_MAX: usize = 2_000;
/// So many bytes of JSON that are written, or values that are compared, are a step.
const BYTES_OF_A_STEP: usize = 64;
/// How many steps lie between two looks at the value: looking takes time.
const STEPS_BETWEEN_LOOKS: u32 = 64;
/// A value is looked at no longer than this.
const LOOKED_AT_MAX: usize = 100_000;
/// No filter halts with that.
pub const EXIT_OF_A_LIMIT: i32 = i32::MIN;

#[derive(Clone, Copy)]
struct Line {
    steps: u32,
    rounds: u32,
    stack: usize,
    stack_bytes_max: usize,
    over: Option<&'static str>,
}

thread_local! {
    static LINE: Cell<Line> = const { Cell::new(Line { steps: 0, rounds: 0, stack: 0, stack_bytes_max: STACK_BYTES, over: None }) };
}

/// A place on the stack.
fn place() -> usize {
    let here = 0_u8;
    std::ptr::from_ref(&here).addr()
}

/// A line begins, the work on which may take so much of the stack.
pub fn begin(stack_bytes_max: usize) {
    LINE.set(Line { steps: 0, rounds: 0, stack: place(), stack_bytes_max, over: None });
}

/// Why the work on the line was ended, if a limit was met.
pub fn met() -> Option<&'static str> {
    LINE.get().over
}

/// Ends the work on the line.
pub fn exceeded<'a>(why: &'static str) -> Exn<'a, Val> {
    LINE.set(Line { over: Some(why), ..LINE.get() });
    Exn::halt(EXIT_OF_A_LIMIT)
}

/// One more step, on this value.
pub fn step(cv: Cv<'_, Data>) -> ValX<'_, Val> {
    spend(STEPS_OF_A_CALL)?;
    let line = LINE.get();
    if line.stack.abs_diff(place()) > line.stack_bytes_max {
        return Err(exceeded("the filter's functions call each other too deep on this line"));
    }
    looked_at(cv.1)
}

/// One more round of a loop, on this value.
pub fn round(cv: Cv<'_, Data>) -> ValX<'_, Val> {
    looked_at(cv.1)
}

/// One more number of `range`.
pub fn number<'a>() -> Result<(), Exn<'a, Val>> {
    spend(1)
}

/// Counts what a value takes to be written, or compared, before that is done: the same part many times in another is soon more than
/// a machine can do.
///
/// # Errors
/// When it is too much for the line, or the text would be too long.
pub fn looked_through<'a>(value: &Val) -> Result<(), Exn<'a, Val>> {
    let mut left = BYTES_MAX;
    let fits = takes(value, &mut left);
    spend(((BYTES_MAX - left) / BYTES_OF_A_STEP) as u32)?;
    if fits { Ok(()) } else { Err(products::too_long().into()) }
}

/// Counts what two values of the same kind take to be compared.
///
/// # Errors
/// When it is too much for the line.
pub fn compared<'a>(left: &Val, right: &Val) -> Result<(), Exn<'a, Val>> {
    match (left, right) {
        (Val::Arr(_), Val::Arr(_)) | (Val::Obj(_), Val::Obj(_)) => {
            // The smaller of the two ends it.
            let mut most = [BYTES_MAX; 2];
            let fits = takes(left, &mut most[0]) || takes(right, &mut most[1]);
            spend(((BYTES_MAX - most[0]) / BYTES_OF_A_STEP) as u32)?;
            if fits { Ok(()) } else { Err(exceeded("the filter compares values that are too large on this line")) }
        }
        _ => Ok(()),
    }
}

/// Takes the bytes that the value has at least as JSON from those that are left; false when there are not so many.
fn takes(value: &Val, left: &mut usize) -> bool {
    let bytes = match value {
        Val::TStr(text) | Val::BStr(text) => text.len() + 2,
        _ => 1,
    };
    let Some(rest) = left.checked_sub(bytes) else { return false };
    *left = rest;
    match value {
        Val::Arr(items) => items.iter().all(|item| takes(item, left)),
        Val::Obj(members) => members.iter().all(|(key, member)| takes(key, left) && takes(member, left)),
        _ => true,
    }
}

fn spend<'a>(steps: u32) -> Result<(), Exn<'a, Val>> {
    let line = LINE.get();
    let steps = line.steps + steps;
    if steps > STEPS_MAX {
        return Err(exceeded("the filter takes more than 10000000 steps on this line"));
    }
    LINE.set(Line { steps, ..line });
    Ok(())
}

/// Looks at the depth of each so many-th value.
fn looked_at<'a>(value: Val) -> ValX<'a, Val> {
    let line = LINE.get();
    let rounds = line.rounds.wrapping_add(1);
    LINE.set(Line { rounds, ..line });
    if rounds.is_multiple_of(STEPS_BETWEEN_LOOKS) && is_deeper(&value, DEPTH_MAX, &mut LOOKED_AT_MAX.clone()) {
        return Err(exceeded("the filter makes a value that is nested too deep on this line"));
    }
    Ok(value)
}

fn is_deeper(value: &Val, levels: usize, left: &mut usize) -> bool {
    let mut inner = |value: &Val| {
        *left = left.saturating_sub(1);
        *left > 0 && levels > 0 && is_deeper(value, levels - 1, left)
    };
    match value {
        Val::Arr(items) => levels == 0 || items.iter().any(&mut inner),
        Val::Obj(members) => levels == 0 || members.values().any(inner),
        _ => false,
    }
}
