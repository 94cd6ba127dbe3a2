//! The jaq way: a line becomes values, and jaq runs the filter on them.

use std::sync::Arc;

use jaq_core::{Ctx, Exn, ValT, Vars};
use jaq_json::{Map, Val};
use json_fields::{FieldPath, Kind, Outline, Scanner};

use crate::failure::Failure;
use crate::program::{Data, Program};
use crate::read;
use crate::results::Results;
use crate::write::write_json;

/// How much of jq's message is shown: it may contain the whole value.
const MESSAGE_CHARS_MAX: usize = 300;

/// jaq with what one thread needs to run it.
pub struct Interpreter {
    compiled: Arc<jaq_core::Filter<Data>>,
    arguments: Vars<Val>,
    outline: Outline,
    demand: Option<Demand>,
}

/// The members of a line that the filter can ask for.
struct Demand {
    scanner: Scanner,
    names: Vec<Val>,
}

impl Interpreter {
    pub fn new(program: &Program) -> Interpreter {
        Interpreter {
            compiled: Arc::clone(&program.compiled),
            arguments: Vars::new(program.arguments.values()),
            outline: Outline::default(),
            demand: program.demand.as_deref().map(Demand::new),
        }
    }

    /// Writes the results of the line.
    ///
    /// # Errors
    /// Why the filter fails on the line, or has halted.
    pub fn run(&mut self, line: &[u8], results: &mut Results) -> Result<(), Failure> {
        self.each(line, results, &|results| results.clear(), &|value, results| {
            write_json(value, &mut results.bytes).map_err(Failure::Line)?;
            results.end()
        })
    }

    /// Whether one of the results is true.
    ///
    /// # Errors
    /// As for `run`.
    pub fn passes(&mut self, line: &[u8]) -> Result<bool, Failure> {
        let mut passes = false;
        self.each(line, &mut passes, &|passes| *passes = false, &|value, passes| {
            *passes |= value.as_bool();
            Ok(())
        })?;
        Ok(passes)
    }

    fn each<T>(
        &mut self,
        line: &[u8],
        to: &mut T,
        forget: &dyn Fn(&mut T),
        each: &dyn Fn(&Val, &mut T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Some(demand) = &mut self.demand
            && let Some(input) = demand.value(line, &mut self.outline)?
        {
            let run = self.run_on(input, to, each);
            if !matches!(run, Err(Failure::Line(_))) {
                return run;
            }
            // The message may show the whole line.
            forget(to);
        }
        self.outline.read(line).map_err(Failure::line)?;
        self.run_on(read::value(&self.outline, line), to, each)
    }

    fn run_on<T>(
        &self,
        input: Val,
        to: &mut T,
        each: &dyn Fn(&Val, &mut T) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let context = Ctx::<Data>::new(&self.compiled.lut, self.arguments.clone());
        for result in self.compiled.id.run((context, input)) {
            each(&result.map_err(failure)?, to)?;
        }
        Ok(())
    }
}

impl Demand {
    fn new(paths: &[FieldPath]) -> Demand {
        let names = paths.iter().map(|path| path.top_level_key().unwrap_or_default().to_owned());
        Demand { scanner: Scanner::new(paths), names: names.map(|name| Val::utf8_str(name.into_bytes())).collect() }
    }

    /// The line with those members alone; none when it is no object.
    fn value(&mut self, line: &[u8], outline: &mut Outline) -> Result<Option<Val>, Failure> {
        let fields = self.scanner.scan(line).map_err(Failure::line)?;
        if fields.object().is_none() {
            return Ok(None);
        }
        let mut members = Map::with_capacity_and_hasher(self.names.len(), Default::default());
        for (name, field) in self.names.iter().zip(fields.as_slice()) {
            let Some(field) = field else { continue };
            let text = field.text(line);
            let value = match field.kind {
                Kind::Object | Kind::Array => {
                    outline.read(text).map_err(Failure::line)?;
                    read::value(outline, text)
                }
                kind => read::scalar(text, kind, field.escaped),
            };
            members.insert(name.clone(), value);
        }
        Ok(Some(Val::obj(members)))
    }
}

/// jq's error of this line; `halt` ends the run.
fn failure(exception: Exn<'_, Val>) -> Failure {
    match exception.get_err() {
        Ok(error) => Failure::Line(shortened(&message(error.into_val()))),
        Err(exception) => match exception.get_halt() {
            Ok(code) => Failure::Halt(code),
            Err(_) => Failure::line("the filter broke off"),
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
