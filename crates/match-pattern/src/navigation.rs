//! Functions that look at other rows, found in the text of an expression.
//!
//! What they give is bound to names (`$__0`, …), so that the rest of the text is a jq filter on a row. They are written in
//! capitals, which no function of jq is.

use line_values::Expression;

use crate::registers::{Kept, Spec};
use crate::tokens::{Kind, Token, split, tokens};
use crate::variables::{ANY, Mask, Variables};

/// A value that is bound to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A cell of the row that is so many rows after a place.
    Cell { place: Place, offset: i64, cell: usize, is_final: bool },
    /// The variable of a row.
    Classifier { place: Place, is_final: bool },
    /// What a register has counted or added up.
    Aggregate { register: usize, function: Function, is_final: bool },
    /// The number of the match among those of its key.
    MatchNumber,
}

/// Where a row is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The row that the expression is about.
    Current,
    /// The row of a register.
    Register(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Count,
    Sum,
    Avg,
    /// Least or largest: the cell of the row that has it.
    Best(usize),
}

/// How far FIRST, LAST, PREV and NEXT may look.
const OFFSET_MAX: u32 = 10_000;

/// The text with names in place of functions, and the value of each name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    pub text: String,
    pub values: Vec<Value>,
    /// The text looks at the row beside its names.
    pub needs_row: bool,
}

/// Collects what expressions want: cells of rows, and registers.
#[derive(Clone, Debug)]
pub struct Collector<'v> {
    variables: &'v Variables,
    pub cells: Vec<Expression>,
    pub registers: Vec<Spec>,
    /// The variable whose condition it is: the current row is its last one. None for measures.
    own: Option<u8>,
}

/// A call with the tokens between its parentheses.
struct Call<'c, 't> {
    function: &'t str,
    arguments: Vec<&'t str>,
    is_final: bool,
    /// All tokens of it.
    tokens: &'c [Token<'t>],
}

impl<'v> Collector<'v> {
    #[must_use]
    pub fn new(variables: &'v Variables, cells: Vec<Expression>) -> Collector<'v> {
        Collector { variables, cells, registers: Vec::new(), own: None }
    }

    /// Finds the functions in a text. `own` is the variable whose condition it is.
    ///
    /// # Errors
    /// What is wrong with a function.
    pub fn parse(&mut self, text: &str, own: Option<u8>) -> Result<Parsed, String> {
        self.own = own;
        let all = tokens(text);
        let (mut parsed, mut at, mut copied) = (Parsed::default(), 0, 0);
        while at < all.len() {
            let Some((value, len)) = self.value_at(text, &all[at..])? else {
                at += 1;
                continue;
            };
            parsed.text += &text[copied..all[at].start];
            parsed.text += &format!("$__{}", number_of(&mut parsed.values, value));
            at += len;
            copied = all[at - 1].end();
        }
        parsed.text += &text[copied..];
        parsed.needs_row = true;
        Ok(parsed)
    }

    /// Binds the fields of the row to names too, where the text is no more than a computation with them: so it is worked out on
    /// a few values, and not on the line.
    ///
    /// # Errors
    /// What is wrong with a field.
    pub fn bind_fields(&mut self, mut parsed: Parsed) -> Result<Parsed, String> {
        let text = std::mem::take(&mut parsed.text);
        let all = tokens(&text);
        let follows = |at: usize| at > 0 && all[at - 1].end() == all[at].start && is_value(&all[at - 1]);
        parsed.needs_row =
            !all.iter().enumerate().all(|(at, token)| is_plain(token) && !(token.kind == Kind::Field && follows(at)));
        if parsed.needs_row {
            return Ok(Parsed { text, ..parsed });
        }
        let mut copied = 0;
        for token in all.iter().filter(|token| token.kind == Kind::Field) {
            let value = Value::Cell { place: Place::Current, offset: 0, cell: self.cell(token.text)?, is_final: false };
            parsed.text += &text[copied..token.start];
            parsed.text += &format!("$__{}", number_of(&mut parsed.values, value));
            copied = token.end();
        }
        parsed.text += &text[copied..];
        Ok(parsed)
    }

    /// The value that begins at the first token, and how many tokens it takes.
    fn value_at<'t>(&mut self, text: &'t str, rest: &[Token<'t>]) -> Result<Option<(Value, usize)>, String> {
        if rest[0].kind != Kind::Word {
            return Ok(None);
        }
        if let Some(call) = call(text, rest)? {
            return Ok(Some((self.call(&call)?, call.tokens.len())));
        }
        let Some(variables) = self.variables.mask(rest[0].text) else { return Ok(None) };
        let len = path_len(rest);
        if len == 1 {
            return Ok(None);
        }
        let path = &text[rest[1].start..rest[len - 1].end()];
        let cell = self.cell(path)?;
        let place = self.last(variables, 0);
        Ok(Some((Value::Cell { place, offset: 0, cell, is_final: false }, len)))
    }

    fn call(&mut self, call: &Call<'_, '_>) -> Result<Value, String> {
        let is_final = call.is_final;
        if is_final && self.own.is_some() {
            return Err("FINAL is for measures: a condition does not know how the match ends".into());
        }
        match (call.function, call.arguments.as_slice()) {
            ("MATCH_NUMBER", [""]) => Ok(Value::MatchNumber),
            ("CLASSIFIER", [name]) => self.classifier(name, None, 0, is_final),
            ("FIRST", [of]) => self.logical(of, Some(0), 0, is_final),
            ("FIRST", [of, offset]) => self.logical(of, Some(number(offset)?), 0, is_final),
            ("LAST", [of]) => self.logical(of, None, 0, is_final),
            ("LAST", [of, offset]) => self.logical(of, None, number(offset)?, is_final),
            ("PREV", [of]) => self.physical(of, -1, is_final),
            ("PREV", [of, offset]) => self.physical(of, -i64::from(number(offset)?), is_final),
            ("NEXT", [of]) => self.physical(of, 1, is_final),
            ("NEXT", [of, offset]) => self.physical(of, i64::from(number(offset)?), is_final),
            ("COUNT" | "SUM" | "AVG" | "MIN" | "MAX", [of]) => self.aggregate(call.function, of, is_final),
            (name, arguments) => Err(format!("{name} does not take {} arguments", arguments.len())),
        }
    }

    /// FIRST with an offset from the first row, or LAST with one back from the last.
    fn logical(&mut self, of: &str, first: Option<u32>, back: u32, is_final: bool) -> Result<Value, String> {
        if let Some(name) = classifier_of(of) {
            return self.classifier(name, first, back, is_final);
        }
        let (variables, cell) = self.argument(of)?;
        let place = match first {
            Some(offset) => Place::Register(self.register(Spec { variables, kept: Kept::First(offset) })),
            None => self.last(variables, back),
        };
        Ok(Value::Cell { place, offset: 0, cell, is_final })
    }

    /// PREV and NEXT: from a place that FIRST or LAST finds, or from the last row.
    fn physical(&mut self, of: &str, by: i64, is_final: bool) -> Result<Value, String> {
        let inner = tokens(of);
        if let Some(call) = call(of, &inner)?.filter(|call| call.tokens.len() == inner.len())
            && matches!(call.function, "FIRST" | "LAST" | "PREV" | "NEXT")
        {
            let is_final = is_final || call.is_final;
            return match self.call(&call)? {
                Value::Cell { place, offset, cell, .. } => {
                    Ok(Value::Cell { place, offset: offset + by, cell, is_final })
                }
                _ => Err("CLASSIFIER() cannot be looked for around FIRST or LAST".into()),
            };
        }
        if let Some(name) = classifier_of(of) {
            let back = u32::try_from(-by).map_err(|_| "NEXT(CLASSIFIER()): the next row has no variable yet")?;
            return if name.is_empty() {
                self.classifier(name, None, back, is_final)
            } else {
                Err("PREV(CLASSIFIER()) goes without a variable".into())
            };
        }
        let (variables, cell) = self.argument(of)?;
        Ok(Value::Cell { place: self.last(variables, 0), offset: by, cell, is_final })
    }

    fn classifier(&mut self, name: &str, first: Option<u32>, back: u32, is_final: bool) -> Result<Value, String> {
        let name = name.trim();
        let variables = if name.is_empty() { ANY } else { self.mask(name)? };
        let place = match first {
            Some(offset) => Place::Register(self.register(Spec { variables, kept: Kept::First(offset) })),
            None => self.last(variables, back),
        };
        Ok(Value::Classifier { place, is_final })
    }

    fn aggregate(&mut self, function: &str, of: &str, is_final: bool) -> Result<Value, String> {
        let of = of.trim();
        let rows = of.strip_suffix('*').map(|name| name.trim_end_matches('.').trim());
        let (variables, cell) = match rows {
            Some(_) if function != "COUNT" => return Err(format!("{function}({of}): only COUNT counts rows")),
            Some("") => (ANY, None),
            Some(name) => (self.mask(name)?, None),
            None => {
                let (variables, cell) = self.argument(of)?;
                (variables, Some(cell))
            }
        };
        let of = cell.unwrap_or_default();
        let (kept, function) = match function {
            "COUNT" => (Kept::Count(cell), Function::Count),
            "SUM" => (Kept::Sum(of), Function::Sum),
            "AVG" => (Kept::Sum(of), Function::Avg),
            "MIN" => (Kept::Least(of), Function::Best(of)),
            _ => (Kept::Largest(of), Function::Best(of)),
        };
        Ok(Value::Aggregate { register: self.register(Spec { variables, kept }), function, is_final })
    }

    /// An expression on one row, with the variables that it is of: `fail.ip`, `.ip`, `fail.price + fail.tax`.
    fn argument(&mut self, text: &str) -> Result<(Mask, usize), String> {
        let all = tokens(text);
        let (mut on_row, mut copied, mut name) = (String::new(), 0, None);
        for (at, token) in all.iter().enumerate() {
            if call(text, &all[at..])?.is_some() {
                return Err(format!("{} inside of a function: only PREV and NEXT take FIRST or LAST", token.text));
            }
            if token.kind != Kind::Word || path_len(&all[at..]) == 1 || self.variables.mask(token.text).is_none() {
                continue;
            }
            if *name.get_or_insert(token.text) != token.text {
                return Err(format!("{text:?} is of more than one variable"));
            }
            on_row += &text[copied..token.start];
            copied = token.end();
        }
        on_row += &text[copied..];
        let variables = name.map_or(Ok(ANY), |name| self.mask(name))?;
        Ok((variables, self.cell(on_row.trim())?))
    }

    fn mask(&self, name: &str) -> Result<Mask, String> {
        self.variables.mask(name).ok_or_else(|| self.variables.unknown(name))
    }

    fn cell(&mut self, text: &str) -> Result<usize, String> {
        let expression: Expression = text.parse().map_err(|wrong| format!("{wrong}"))?;
        let known = self.cells.iter().position(|cell| cell.to_string() == expression.to_string());
        Ok(known.unwrap_or_else(|| {
            self.cells.push(expression);
            self.cells.len() - 1
        }))
    }

    /// The row so many before the last one of these variables, which may be the current one.
    fn last(&mut self, variables: Mask, back: u32) -> Place {
        let has_current = self.own.map_or(variables == ANY, |own| variables >> own & 1 == 1);
        if back == 0 && has_current {
            return Place::Current;
        }
        Place::Register(self.register(Spec { variables, kept: Kept::Last(back) }))
    }

    fn register(&mut self, spec: Spec) -> usize {
        let known = self.registers.iter().position(|known| *known == spec);
        known.unwrap_or_else(|| {
            self.registers.push(spec);
            self.registers.len() - 1
        })
    }
}

const FUNCTIONS: [&str; 11] =
    ["FIRST", "LAST", "PREV", "NEXT", "COUNT", "SUM", "AVG", "MIN", "MAX", "CLASSIFIER", "MATCH_NUMBER"];

/// The call of a function of ours that begins at the first token.
fn call<'c, 't>(text: &'t str, rest: &'c [Token<'t>]) -> Result<Option<Call<'c, 't>>, String> {
    let Some(first) = rest.first().filter(|token| token.kind == Kind::Word) else { return Ok(None) };
    let prefix = usize::from(matches!(first.text, "RUNNING" | "FINAL"));
    let Some(name) = rest.get(prefix).filter(|name| FUNCTIONS.contains(&name.text)) else {
        return if prefix == 1 { Err(format!("{} goes before a function", first.text)) } else { Ok(None) };
    };
    let Some(open) = rest.get(prefix + 1).filter(|open| open.is("(")) else { return Ok(None) };
    let close = rest.iter().position(|token| token.is(")") && token.depth == open.depth);
    let Some(close) = close else { return Err(format!("the parenthesis of {} is not closed", name.text)) };
    let arguments = split(&text[open.end()..rest[close].start], ",").into_iter().map(str::trim).collect();
    Ok(Some(Call { function: name.text, arguments, is_final: first.is("FINAL"), tokens: &rest[..=close] }))
}

/// Returns the fields of a row that a computation looks at; none where the text is more than a computation.
#[must_use]
pub fn fields(text: &str) -> Vec<Expression> {
    let all = tokens(text);
    let begins = |at: &usize| {
        let is_part = *at > 0 && all[at - 1].end() == all[*at].start && is_value(&all[at - 1]);
        all[*at].kind == Kind::Field && !is_part
    };
    let path = |at: usize| text[all[at].start..all[at + path_len(&all[at..]) - 1].end()].parse().ok();
    let is_computation = all.iter().all(is_plain);
    (0..all.len()).filter(|_| is_computation).filter(begins).filter_map(path).collect()
}

/// Such tokens make a computation on fields, names and constants.
fn is_plain(token: &Token<'_>) -> bool {
    const OPERATORS: [&str; 13] = ["==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "(", ")"];
    match token.kind {
        Kind::Field => true,
        Kind::Text => !token.text.contains('\\'),
        Kind::Word => ["and", "or", "null", "true", "false"].contains(&token.text),
        Kind::Other => {
            let is_name = token.text.starts_with("$__");
            is_name || OPERATORS.contains(&token.text) || token.text.starts_with(|first: char| first.is_ascii_digit())
        }
    }
}

/// A field may stand at such a token, and be one of its value.
fn is_value(token: &Token<'_>) -> bool {
    token.kind != Kind::Other || token.is(")") || token.text.starts_with('$')
}

/// How many tokens a name with its path takes, which follow each other without blanks; 1 for a name alone.
fn path_len(rest: &[Token<'_>]) -> usize {
    let mut len = 1;
    while let Some(next) = rest.get(len).filter(|next| next.start == rest[len - 1].end()) {
        let is_quoted = next.is(".") && rest.get(len + 1).is_some_and(|text| text.kind == Kind::Text);
        match next.kind {
            Kind::Field => len += 1,
            _ if is_quoted => len += 2,
            _ => break,
        }
    }
    len
}

/// What is between the parentheses of `CLASSIFIER(…)`, if that is all there is.
fn classifier_of(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("CLASSIFIER")?.trim_start().strip_prefix('(')?.strip_suffix(')')?;
    (!inner.contains('(')).then(|| inner.trim())
}

fn number(text: &str) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| *number <= OFFSET_MAX);
    number.ok_or_else(|| format!("{text:?} is no number of rows from 0 to {OFFSET_MAX}"))
}

fn number_of(values: &mut Vec<Value>, value: Value) -> usize {
    let known = values.iter().position(|known| *known == value);
    known.unwrap_or_else(|| {
        values.push(value);
        values.len() - 1
    })
}

#[cfg(test)]
mod tests;
