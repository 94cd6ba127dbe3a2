//! The jaq way: a line becomes values, and jaq runs the filter on them.

use std::fmt::Write as _;
use std::sync::Arc;

use jaq_core::{Ctx, Exn, ValT, Vars};
use jaq_json::{Map, Val};
use json_fields::{FieldPath, Kind, Outline, Scanner};

use crate::arguments::Arguments;
use crate::data::Data;
use crate::failure::Failure;
use crate::limits;
use crate::read;
use crate::results::Results;
use crate::truth::Truth;
use crate::write::write_json;

/// How much of jq's message is shown: it may contain the whole value.
const MESSAGE_CHARS_MAX: usize = 300;
/// More than so many characters have.
const MESSAGE_BYTES_MAX: usize = 1 << 16;

/// jaq with what one thread needs to run it.
pub struct Interpreter {
    compiled: Arc<jaq_core::Filter<Data>>,
    arguments: Vars<Val>,
    outline: Outline,
    demand: Option<Demand>,
    pub stack_bytes_max: usize,
}

/// The members of a line that the filter can ask for.
struct Demand {
    scanner: Scanner,
    names: Vec<Val>,
}

impl Interpreter {
    /// Where a demand is given, values are made of the members of a line that are in it, and of no others.
    pub fn new(
        compiled: &Arc<jaq_core::Filter<Data>>,
        arguments: &Arguments,
        demand: Option<&[FieldPath]>,
    ) -> Interpreter {
        Interpreter {
            compiled: Arc::clone(compiled),
            arguments: Vars::new(arguments.values()),
            outline: Outline::default(),
            demand: demand.map(Demand::new),
            stack_bytes_max: limits::STACK_BYTES,
        }
    }

    /// Writes the results of the line.
    ///
    /// # Errors
    /// Why the filter fails on the line, or has halted.
    pub fn run(&mut self, line: &[u8], results: &mut Results) -> Result<(), Failure> {
        self.each(line, results, &|results| results.clear(), &|value, results| {
            let bytes_max = results.bytes_max();
            results.append(|out| write_json(value, out, bytes_max).map_err(Failure::Line))
        })
    }

    /// Whether one of the results is true.
    ///
    /// # Errors
    /// As for `run`.
    pub fn passes(&mut self, line: &[u8]) -> Result<Truth, Failure> {
        let mut truth = Truth::default();
        self.each(line, &mut truth, &|truth| *truth = Truth::default(), &|value, truth| {
            truth.add(value.as_bool(), matches!(value, Val::Bool(_) | Val::Null));
            Ok(())
        })?;
        Ok(truth)
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
        limits::begin(self.stack_bytes_max);
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
        Demand { scanner: Scanner::exact(paths), names: names.map(|name| Val::utf8_str(name.into_bytes())).collect() }
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
        Ok(error) => {
            let mut start = Start(String::new());
            if write!(start, "{error}").is_err() {
                return Failure::Line(shortened(&start.0));
            }
            let message = message(error.into_val());
            let advice = of_texts(&message)
                .map(|text| format!("; {text} is a text: tonumber makes a number of it, as does validate --coerce"));
            Failure::Line(shortened(&message) + &advice.unwrap_or_default())
        }
        Err(exception) => match exception.get_halt() {
            Ok(limits::EXIT_OF_A_LIMIT) => Failure::line(limits::met().unwrap_or("the filter halted")),
            Ok(code) => Failure::Halt(code),
            Err(_) => Failure::line("the filter broke off"),
        },
    }
}

/// The start of a message, in which there may be a value that nobody can write to its end.
struct Start(String);

impl std::fmt::Write for Start {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.push_str(text);
        if self.0.len() > MESSAGE_BYTES_MAX { Err(std::fmt::Error) } else { Ok(()) }
    }
}

/// A text that is a number, where jaq says that it cannot calculate with it: `cannot calculate "5" + 1`.
fn of_texts(message: &str) -> Option<&str> {
    let mut rest = message.strip_prefix("cannot calculate ")?;
    if message.len() > MESSAGE_CHARS_MAX {
        return None;
    }
    loop {
        let (_, after) = rest.split_once('"')?;
        let (text, behind) = after.split_once('"')?;
        if text.trim().parse::<f64>().is_ok() {
            let start = message.len() - after.len() - 1;
            return message.get(start..start + text.len() + 2);
        }
        rest = behind;
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
