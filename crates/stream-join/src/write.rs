//! Writing results.

use millpipe::{Fault, Out};

use crate::StreamJoin;
use crate::bodies::{write_object, write_without};
use crate::job::Bound;
use crate::pairings::Names;
use crate::side::Side;
use crate::span::Span;

impl StreamJoin {
    /// A pair of what the reader of a side has read last and a row of the other.
    pub(crate) fn write_pair(&mut self, side: Side, number: u32, out: &mut Out) -> Result<(), Fault> {
        let span = self.span(number);
        let StreamJoin { rows, buffer, pairings, names, readers, window, job, .. } = self;
        let own = (names[side as usize], &readers[side as usize].body[..]);
        let bytes = match rows.bytes(number, buffer) {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.disk_error(&error).into()),
        };
        let other = if pairings.is_some() { Names::split(bytes) } else { (Names::UNKNOWN, bytes) };
        let (left, right) = if side == Side::Left { (own, other) } else { (other, own) };
        let mut right_rest = Vec::new();
        let mut right_body = right.1;
        if let Some(pairings) = pairings {
            let without: Vec<&str> = pairings.without(left, right)?.iter().map(String::as_str).collect();
            if !without.is_empty() {
                write_without(right.1, &without, &mut right_rest);
                right_body = &right_rest;
            }
        }
        if job.bound == Bound::Window {
            write_object(&[window.of(span), left.1, right_body], out.buffer());
        } else {
            write_object(&[left.1, right_body], out.buffer());
        }
        out.end_result();
        Ok(())
    }

    /// A row alone.
    pub(crate) fn write_row(&mut self, number: u32, out: &mut Out) -> Result<(), Fault> {
        let span = self.span(number);
        let StreamJoin { rows, buffer, pairings, window, job, .. } = self;
        let bytes = match rows.bytes(number, buffer) {
            Ok(bytes) => bytes,
            Err(error) => return Err(self.disk_error(&error).into()),
        };
        let body = if pairings.is_some() { Names::split(bytes).1 } else { bytes };
        write_alone(body, job.bound, span, window, out);
        Ok(())
    }

    /// What the reader of a side has read last, alone.
    pub(crate) fn write_line(&mut self, side: Side, span: Span, out: &mut Out) {
        let StreamJoin { readers, window, job, .. } = self;
        write_alone(&readers[side as usize].body, job.bound, span, window, out);
    }
}

fn write_alone(body: &[u8], bound: Bound, span: Span, window: &mut crate::window_text::WindowText, out: &mut Out) {
    if bound == Bound::Window {
        write_object(&[window.of(span), body], out.buffer());
    } else {
        write_object(&[body], out.buffer());
    }
    out.end_result();
}
