//! A jq filter as a map over lines.

use std::cell::RefCell;
use std::sync::Arc;

use jaq_core::{Ctx, Exn, Vars};
use jaq_json::{Val, read};
use millpipe::{Error, Fault, Map, Out, PREFIX};

use crate::program::{Arguments, Data};
use crate::write::write_json;

/// How much of jq's message is shown: it may contain the whole value.
const MESSAGE_CHARS_MAX: usize = 300;

/// A compiled filter with what one worker needs to run it.
pub struct Filter {
    compiled: Arc<jaq_core::Filter<Data>>,
    arguments: Vars<Val>,
    output_bytes_max: usize,
    results: RefCell<Results>,
}

/// The results of one line, kept back until it is sure that there is no error behind them.
#[derive(Default)]
struct Results {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Filter {
    pub(crate) fn new(compiled: Arc<jaq_core::Filter<Data>>, arguments: &Arguments, output_bytes_max: usize) -> Self {
        let arguments = Vars::new(arguments.values());
        Self { compiled, arguments, output_bytes_max, results: RefCell::default() }
    }

    fn run(&self, line: &[u8], results: &mut Results) -> Result<(), Fault> {
        // What jq reads is wider than JSON: comments, NaN, numbers with a plus.
        json_fields::validate(line).map_err(Fault::bad)?;
        let input = read::parse_single(line).map_err(Fault::bad)?;
        let context = Ctx::<Data>::new(&self.compiled.lut, self.arguments.clone());
        for result in self.compiled.id.run((context, input)) {
            let value = result.map_err(fault)?;
            results.push(&value)?;
            if results.bytes.len() > self.output_bytes_max {
                let limit = self.output_bytes_max;
                return Err(Fault::bad(format_args!("its results are longer than {limit} bytes (--max-output)")));
            }
        }
        Ok(())
    }
}

impl Map for Filter {
    fn map(&self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let mut results = self.results.borrow_mut();
        results.clear();
        self.run(line, &mut results)?;
        let mut start = 0;
        for &end in &results.ends {
            out.buffer().extend_from_slice(&results.bytes[start..end]);
            out.end_result();
            start = end;
        }
        out.settle(1);
        Ok(())
    }
}

impl Results {
    fn push(&mut self, value: &Val) -> Result<(), Fault> {
        let start = self.bytes.len();
        write_json(value, &mut self.bytes).map_err(Fault::Bad)?;
        if self.bytes[start..].starts_with(PREFIX) {
            // Data never becomes a mark.
            self.bytes.insert(start + 1, b' ');
        }
        self.ends.push(self.bytes.len());
        Ok(())
    }

    /// Keeps the buffers, but not the memory of one giant line for ever.
    fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(1 << 20);
        self.ends.clear();
        self.ends.shrink_to(1 << 16);
    }
}

/// jq's error of this line; `halt` ends the run.
fn fault(exception: Exn<'_, Val>) -> Fault {
    match exception.get_err() {
        Ok(error) => Fault::Bad(shortened(&message(error.into_val()))),
        Err(exception) => match exception.get_halt() {
            Ok(code) => Error::data(format_args!("the filter halted with status {code}")).into(),
            Err(_) => Fault::bad("the filter broke off"),
        },
    }
}

/// A string is shown without its quotes, as jq does.
fn message(value: Val) -> String {
    match value {
        Val::TStr(text) => String::from_utf8_lossy(&text).into_owned(),
        value => value.to_string(),
    }
}

fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_CHARS_MAX) {
        None => message.to_owned(),
        Some((end, _)) => format!("{} …", &message[..end]),
    }
}

#[cfg(test)]
mod tests;
