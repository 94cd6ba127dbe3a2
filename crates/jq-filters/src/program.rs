//! A jq filter and its arguments: compiled once, shared by all workers.

use std::sync::{Arc, LazyLock};

use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::Fun;
use jaq_core::{Compiler, compile};
use json_fields::FieldPath;

use crate::arguments::Arguments;
use crate::data::Data;
use crate::failure::Wrong;
use crate::filter::Filter;
use crate::interpreter::Interpreter;
use crate::numbers::Numbers;
use crate::{demand, destructure, dialect, exact, natives, nesting, raw, regexes, surrogates};

/// What a filter with exact operators is called among the definitions.
const MAIN: &str = "__filter";

/// A compiled filter with its arguments.
#[derive(Clone)]
pub struct Program {
    compiled: Arc<jaq_core::Filter<Data>>,
    arguments: Arguments,
    raw: Arc<raw::Plan>,
    demand: Option<Arc<[FieldPath]>>,
    numbers: Numbers,
}

impl Program {
    /// Compiles a filter.
    ///
    /// # Errors
    /// Where and why the filter is wrong.
    pub fn new(code: &str, arguments: Arguments) -> Result<Self, Wrong> {
        Self::with_numbers(code, arguments, Numbers::Doubles)
    }

    /// Compiles a filter that computes with such numbers.
    ///
    /// # Errors
    /// Where and why the filter is wrong.
    pub fn with_numbers(code: &str, arguments: Arguments, numbers: Numbers) -> Result<Self, Wrong> {
        nesting::check(code)?;
        let code = &*surrogates::joined(code);
        // What is wrong is told of the filter as it was written.
        let mut compiled = compile(code, &arguments, definitions(), functions())?;
        // `module` and `import` parse as no term.
        let term = load::parse(code, |parser| parser.term());
        match &term {
            Some(term) => {
                patterns_of(term, &arguments).map_err(|(what, at)| wrong(code, &Some((what, at))))?;
                compiled = compile_term(term.clone(), &arguments, numbers)?;
            }
            None if numbers == Numbers::Decimals => {
                let message = "the filter: modules cannot compute with decimals".to_owned();
                return Err(Wrong { message, hint: None });
            }
            None => (),
        }
        let raw = term.as_ref().map_or(raw::Plan::Nothing, |term| raw::Plan::new(term, &arguments));
        let demand = term.as_ref().and_then(demand::of).map(Arc::from);
        Ok(Self { compiled: Arc::new(compiled), arguments, raw: Arc::new(raw), demand, numbers })
    }

    /// The same filter without what works on bytes: for tests and measurements.
    #[must_use]
    pub fn without_raw(self) -> Self {
        Self { raw: Arc::new(raw::Plan::Nothing), demand: None, ..self }
    }

    /// A filter for one thread. More results of one line than so many bytes are a failure of the line.
    #[must_use]
    pub fn filter(&self, output_bytes_max: usize) -> Filter {
        let interpreter = Interpreter::new(&self.compiled, &self.arguments, self.demand.as_deref());
        Filter::new(raw::Raw::new(&self.raw, self.numbers), interpreter, output_bytes_max)
    }

    /// Simple enough to be worked out on the bytes of a line.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        matches!(*self.raw, raw::Plan::Whole(_))
    }
}

fn library() -> impl Iterator<Item = Def<&'static str>> {
    jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs())
}

/// The library, read and given jq's meaning once in a process: each filter is compiled with a copy.
static LIBRARY: LazyLock<Vec<Def<&'static str>>> = LazyLock::new(|| {
    natives::definitions(library()).into_iter().chain(natives::additions()).map(dialect::definition).collect()
});

fn definitions() -> Vec<Def<&'static str>> {
    LIBRARY.clone()
}

fn functions() -> Vec<Fun<Data>> {
    natives::functions().into_iter().chain(jaq_functions()).collect()
}

/// Patterns that are known now are checked now, and not once a line.
fn patterns_of<'t>(term: &Term<&'t str>, arguments: &Arguments) -> Result<(), (String, &'t str)> {
    regexes::check(term, |name| serde_json::from_str::<String>(arguments.json(name)?).ok())
}

/// The filter with jq's meaning, and with exact operators if asked: jaq takes no tree, but for definitions.
fn compile_term(term: Term<&str>, arguments: &Arguments, numbers: Numbers) -> Result<jaq_core::Filter<Data>, Wrong> {
    let names: Vec<&str> = arguments.names().collect();
    let call = match names.is_empty() {
        true => MAIN.to_owned(),
        false => format!("{MAIN}({})", names.join(";")),
    };
    let exact = numbers == Numbers::Decimals;
    let variables = destructure::Names::of(&term);
    let mut body = dialect::term(term, exact, &variables);
    let mut definitions: Vec<Def<&str>> = definitions();
    let mut ours = functions();
    if exact {
        body = exact::term(body);
        definitions.extend(exact::definitions());
        let mut first = exact::functions();
        first.append(&mut ours);
        ours = first;
    }
    definitions.push(Def { name: MAIN, args: names, body });
    compile(&call, arguments, definitions, ours)
}

fn jaq_functions() -> impl Iterator<Item = Fun<Data>> {
    jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs())
}

fn compile<'s>(
    code: &'s str,
    arguments: &Arguments,
    library: Vec<Def<&'s str>>,
    functions: impl IntoIterator<Item = Fun<Data>>,
) -> Result<jaq_core::Filter<Data>, Wrong> {
    let arena = Arena::default();
    let modules = Loader::new(library)
        .load(&arena, File { code, path: () })
        .map_err(|errors| wrong(code, &load_error(&errors)))?;
    Compiler::default()
        .with_funs(functions)
        .with_global_vars(arguments.names())
        .compile(modules)
        .map_err(|errors| wrong(code, &compile_error(&errors)))
}

/// What is wrong, and the part of the code where it shows.
type Place<'a> = (String, &'a str);

fn load_error<'a>(errors: &load::Errors<&'a str, ()>) -> Option<Place<'a>> {
    let (_, error) = errors.first()?;
    match error {
        load::Error::Io(errors) => errors.first().map(|(at, why)| (why.clone(), *at)),
        load::Error::Lex(errors) => errors.first().map(|(expected, at)| (expected_but(expected.as_str(), at), *at)),
        load::Error::Parse(errors) => errors.first().map(|(expected, at)| (expected_but(expected.as_str(), at), *at)),
    }
}

fn compile_error<'a>(errors: &compile::Errors<&'a str, ()>) -> Option<Place<'a>> {
    let (at, undefined) = errors.first()?.1.first()?;
    let what = match undefined {
        compile::Undefined::Filter(arity) => return Some((format!("there is no filter {at}/{arity}"), at)),
        other => other.as_str(),
    };
    Some((format!("there is no {what} {at}"), at))
}

fn expected_but(expected: &str, found: &str) -> String {
    match found.split_whitespace().next() {
        None => format!("expected {expected}, but the filter ends"),
        Some(word) => format!("expected {expected}, but found {:?}", word.chars().take(20).collect::<String>()),
    }
}

/// `the filter, line 1, column 7: expected …`, and the line of the code.
fn wrong(code: &str, wrong: &Option<Place<'_>>) -> Wrong {
    let Some((what, at)) = wrong else { return Wrong { message: "the filter is wrong".to_owned(), hint: None } };
    let start = load::span(code, at).start.min(code.len());
    let before = code.get(..start).unwrap_or_default();
    let line = before.matches('\n').count();
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let text = code.lines().nth(line).unwrap_or_default();
    Wrong {
        message: format!("the filter, line {}, column {column}: {what}", line + 1),
        hint: Some(format!("{text}\n{}^", " ".repeat(column - 1))),
    }
}
