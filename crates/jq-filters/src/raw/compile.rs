//! From jaq's syntax tree to a raw filter, where the filter is one.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;
use json_fields::FieldPath;

use super::compute::negative;
use super::expression::{Change, ChangeKind, Expression, Key, Search, Step, Stream};
use super::patterns;
use super::terms::{constant, constant_index, constant_number, field_path, json_constant, known_key, path_of};
use super::value::Value;
use crate::arguments::Arguments;
use crate::syntax::constant_text;

/// Longer filters are jaq's. It also limits how many levels a filter can put around a value.
const NODES_MAX: usize = 200;

/// A filter, or a part of one, with the fields of the line and the patterns that it wants.
#[derive(Debug)]
pub struct Compiled {
    pub stream: Stream,
    pub paths: Vec<FieldPath>,
    pub patterns: Vec<patterns::Pattern>,
}

/// All of a filter, if all of it can be done raw.
pub fn whole(term: &Term<&str>, arguments: &Arguments) -> Option<Compiled> {
    let mut compiler = Compiler::new(arguments);
    let stream = compiler.stream(term, &Input::LINE, &mut Compiler::result)?;
    Some(Compiled { stream, paths: compiler.paths, patterns: compiler.patterns })
}

/// The conditions of the `select`s in front of a filter, as a filter that gives `true` when all hold.
pub fn guard(mut term: &Term<&str>, arguments: &Arguments) -> Option<Compiled> {
    let mut compiler = Compiler::new(arguments);
    let mut conditions = Vec::new();
    while let Term::BinOp(first, BinaryOp::Pipe(None), rest) = term
        && let Term::Call("select", condition) = &**first
        && let Some(condition) = compiler.expression(condition.first()?, &Input::LINE)
    {
        conditions.push(condition);
        term = rest;
    }
    if conditions.is_empty() {
        return None;
    }
    let yes = Stream::One(constant(Value::Bool(true)));
    let all = |stream, condition| Stream::If(condition, Box::new(stream), Box::new(Stream::Nothing));
    let stream = conditions.into_iter().rev().fold(yes, all);
    Some(Compiled { stream, paths: compiler.paths, patterns: compiler.patterns })
}

/// What a filter works on.
#[derive(Clone, Debug)]
pub enum Input {
    /// A field of the line, or with no steps the line.
    Path(Vec<Step>),
    /// What [`Expression::Input`] is.
    Value,
}

impl Input {
    pub const LINE: Input = Input::Path(Vec::new());

    pub fn leaf(&self) -> Leaf {
        match self {
            Input::Path(steps) => Leaf::Path(steps.clone()),
            Input::Value => Leaf::Value(Expression::Input),
        }
    }
}

/// What comes out of a filter at one of its ends.
pub enum Leaf {
    Path(Vec<Step>),
    Value(Expression),
}

pub struct Compiler<'t> {
    arguments: &'t Arguments,
    paths: Vec<FieldPath>,
    pub patterns: Vec<patterns::Pattern>,
    /// The variables around, the innermost last; those that cannot be seen from here have no name.
    bound: Vec<Option<String>>,
    nodes: usize,
}

pub type Rest<'r, 't> = &'r mut dyn FnMut(&mut Compiler<'t>, Leaf) -> Option<Stream>;

impl<'t> Compiler<'t> {
    fn new(arguments: &'t Arguments) -> Compiler<'t> {
        Compiler { arguments, paths: Vec::new(), patterns: Vec::new(), bound: Vec::new(), nodes: 0 }
    }

    /// The rest of a filter that ends here.
    pub fn result(&mut self, leaf: Leaf) -> Option<Stream> {
        self.leaf(leaf).map(Stream::One)
    }

    fn count(&mut self) -> Option<()> {
        self.nodes += 1;
        (self.nodes <= NODES_MAX).then_some(())
    }

    /// The term, with the rest of the filter at each of its ends.
    pub fn stream(&mut self, term: &Term<&str>, input: &Input, rest: Rest<'_, 't>) -> Option<Stream> {
        self.count()?;
        match term {
            Term::Id => rest(self, input.leaf()),
            Term::BinOp(first, BinaryOp::Pipe(None), second) => {
                if let Some(count) = self.counted(first, second, input) {
                    return rest(self, Leaf::Value(count?));
                }
                self.stream(first, input, &mut |this, leaf| this.pipe(leaf, second, rest))
            }
            Term::BinOp(first, BinaryOp::Pipe(Some(Pattern::Var(name))), second) => {
                let value = self.expression(first, input)?;
                let place = self.bound.len();
                self.bound.push(Some((*name).to_owned()));
                let body = self.stream(second, input, &mut |this, leaf| {
                    // The name ends with the parentheses around it.
                    let name = this.bound[place].take();
                    let stream = rest(this, leaf);
                    this.bound[place] = name;
                    stream
                });
                self.bound.pop();
                Some(Stream::Bind(value, Box::new(body?)))
            }
            Term::BinOp(first, BinaryOp::Comma, second) => {
                let first = self.stream(first, input, rest)?;
                Some(Stream::Both(Box::new(first), Box::new(self.stream(second, input, rest)?)))
            }
            Term::IfThenElse(cases, otherwise) => {
                let last = match otherwise {
                    Some(otherwise) => self.stream(otherwise, input, rest)?,
                    None => rest(self, input.leaf())?,
                };
                cases.iter().rev().try_fold(last, |last, (condition, then)| {
                    let condition = self.expression(condition, input)?;
                    Some(Stream::If(condition, Box::new(self.stream(then, input, rest)?), Box::new(last)))
                })
            }
            Term::TryCatch(tried, _) => self.stream(tried, input, rest),
            Term::Path(base, path) => self.stream(base, input, &mut |this, leaf| this.path(leaf, &path.0, input, rest)),
            Term::Call(name, arguments) => self.call(name, arguments, input, rest),
            _ => {
                let value = self.simple(term, input)?;
                rest(self, Leaf::Value(value))
            }
        }
    }

    /// What comes out of the first part of a pipe, and the second part.
    fn pipe(&mut self, leaf: Leaf, second: &Term<&str>, rest: Rest<'_, 't>) -> Option<Stream> {
        match leaf {
            // A field of a field can fail, and so can an element of the line; then it must be looked at even if the rest does not.
            Leaf::Path(steps) if matches!(&steps[..], [] | [Step::Key(_)]) => {
                self.stream(second, &Input::Path(steps), rest)
            }
            leaf => {
                let value = self.leaf(leaf)?;
                Some(Stream::Then(value, Box::new(self.stream(second, &Input::Value, rest)?)))
            }
        }
    }

    fn path(
        &mut self,
        leaf: Leaf,
        parts: &[(Part<Term<&str>>, jaq_core::path::Opt)],
        input: &Input,
        rest: Rest<'_, 't>,
    ) -> Option<Stream> {
        let Some(((part, _), parts)) = parts.split_first() else { return rest(self, leaf) };
        match part {
            Part::Index(index) => {
                if let Some(step) =
                    constant_text(index).map(Step::Key).or_else(|| constant_index(index).map(Step::Index))
                {
                    let leaf = self.group(leaf, &step).unwrap_or_else(|leaf| down(leaf, step));
                    return self.path(leaf, parts, input, rest);
                }
                let value = Expression::Index(Box::new(self.leaf(leaf)?), Box::new(self.expression(index, input)?));
                self.path(Leaf::Value(value), parts, input, rest)
            }
            Part::Range(None, None) => {
                let value = self.leaf(leaf)?;
                let each = self.path(Leaf::Value(Expression::Input), parts, &Input::Value, rest)?;
                Some(Stream::Each(value, Box::new(each)))
            }
            Part::Range(from, to) => {
                let bound = |bound: &Option<Term<&str>>| bound.as_ref().map(constant_index);
                let (from, to) = (bound(from), bound(to));
                if from == Some(None) || to == Some(None) {
                    return None;
                }
                let value = Box::new(self.leaf(leaf)?);
                self.path(Leaf::Value(Expression::Slice(value, from.flatten(), to.flatten())), parts, input, rest)
            }
        }
    }

    /// `capture(p).name` needs no object.
    fn group(&self, leaf: Leaf, step: &Step) -> Result<Leaf, Leaf> {
        if let (Leaf::Value(Expression::Search(Search::Capture, _, pattern)), Step::Key(name)) = (&leaf, step)
            && let Some(group) = self.patterns[*pattern].group(name)
            && let Leaf::Value(Expression::Search(_, input, pattern)) = leaf
        {
            return Ok(Leaf::Value(Expression::Search(Search::Group(group), input, pattern)));
        }
        Err(leaf)
    }

    /// A term with at most one result.
    pub fn expression(&mut self, term: &Term<&str>, input: &Input) -> Option<Expression> {
        self.stream(term, input, &mut Compiler::result)?.into_expression()
    }

    /// A term that is none of those that can have many ends.
    fn simple(&mut self, term: &Term<&str>, input: &Input) -> Option<Expression> {
        match term {
            Term::Num(text) => constant_number(text).map(constant),
            Term::Str(None, parts) => self.string(parts, input),
            Term::Arr(None) => json_constant("[]"),
            Term::Arr(Some(of)) => Some(Expression::Array(Box::new(self.stream(of, input, &mut Compiler::result)?))),
            Term::Obj(members) => self.object(members, input),
            Term::Neg(of) => Some(match self.expression(of, input)? {
                Expression::Constant(value, _) => constant(negative(value).ok()?),
                of => Expression::Negative(Box::new(of)),
            }),
            Term::Var(name) => self.variable(name),
            Term::BinOp(left, operator, right) => self.operation(left, operator, right, input),
            _ => None,
        }
    }

    fn operation(
        &mut self,
        left: &Term<&str>,
        operator: &BinaryOp<&str>,
        right: &Term<&str>,
        input: &Input,
    ) -> Option<Expression> {
        let change = match operator {
            BinaryOp::Assign => Some(ChangeKind::Assign(self.expression(right, input)?)),
            BinaryOp::Update => Some(ChangeKind::Update(self.expression(right, &Input::Value)?)),
            BinaryOp::UpdateMath(math) => Some(ChangeKind::Math(*math, self.expression(right, input)?)),
            BinaryOp::UpdateAlt => Some(ChangeKind::Alternative(self.expression(right, input)?)),
            _ => None,
        };
        if let Some(kind) = change {
            let change = Change { key: path_of(left)?, kind };
            return Some(Expression::Edit(Box::new(self.leaf(input.leaf())?), vec![change]));
        }
        let left = Box::new(self.expression(left, input)?);
        let right = Box::new(self.expression(right, input)?);
        Some(match operator {
            BinaryOp::Alt => Expression::Alternative(left, right),
            BinaryOp::Or => Expression::Logic(left, true, right),
            BinaryOp::And => Expression::Logic(left, false, right),
            BinaryOp::Math(math) => Expression::Math(left, *math, right),
            BinaryOp::Cmp(cmp) => Expression::Compare(left, *cmp, right),
            _ => return None,
        })
    }

    pub fn delete(&mut self, mut paths: &Term<&str>, input: &Input) -> Option<Expression> {
        let mut changes = Vec::new();
        while let Term::BinOp(first, BinaryOp::Comma, last) = paths {
            changes.push(Change { key: path_of(last)?, kind: ChangeKind::Delete });
            paths = first;
        }
        changes.push(Change { key: path_of(paths)?, kind: ChangeKind::Delete });
        changes.reverse();
        Some(Expression::Edit(Box::new(self.leaf(input.leaf())?), changes))
    }

    fn string(&mut self, parts: &[StrPart<&str, Term<&str>>], input: &Input) -> Option<Expression> {
        let mut all = Vec::new();
        for part in parts {
            all.push(match part {
                StrPart::Str(text) => constant(Value::Text(text.as_bytes().to_vec().into())),
                StrPart::Char(char) => constant(Value::Text(char.to_string().into_bytes().into())),
                StrPart::Term(term) => self.expression(term, input)?,
            });
        }
        if parts.iter().any(|part| matches!(part, StrPart::Term(_))) {
            return Some(Expression::Join(all));
        }
        constant_text(&Term::Str(None, parts.to_vec())).map(|text| constant(Value::Text(text.into_bytes().into())))
    }

    fn object(&mut self, members: &[(Term<&str>, Option<Term<&str>>)], input: &Input) -> Option<Expression> {
        let mut all: Vec<(Key, Expression)> = Vec::new();
        for (key, value) in members {
            let (key, value) = match (key, value) {
                (Term::Var(name), None) => (known_key(name.get(1..)?), self.variable(name)?),
                (key, None) => {
                    let key = constant_text(key)?;
                    (known_key(&key), self.leaf(down(input.leaf(), Step::Key(key)))?)
                }
                (key, Some(value)) => {
                    let key = match self.expression(key, input)? {
                        Expression::Constant(Value::Text(text), _) => known_key(std::str::from_utf8(&text).ok()?),
                        key => Key::Computed(key),
                    };
                    (key, self.expression(value, input)?)
                }
            };
            if let Key::Known(name, _) = &key
                && all.iter().any(|(other, _)| matches!(other, Key::Known(other, _) if other == name))
            {
                return None;
            }
            all.push((key, value));
        }
        let constants: Option<Vec<String>> = all.iter().map(constant_member).collect();
        if let Some(members) = constants {
            return json_constant(&format!("{{{}}}", members.join(",")));
        }
        Some(Expression::Object(all))
    }

    fn variable(&mut self, name: &str) -> Option<Expression> {
        let bound = self.bound.iter().rev().position(|other| other.as_deref() == Some(name));
        if let Some(index) = bound {
            return Some(Expression::Variable(index));
        }
        json_constant(self.arguments.json(name)?)
    }

    pub fn leaf(&mut self, leaf: Leaf) -> Option<Expression> {
        match leaf {
            Leaf::Path(steps) if steps.is_empty() => Some(Expression::Line),
            Leaf::Path(steps) => self.field(steps),
            Leaf::Value(value) => Some(value),
        }
    }

    /// A field of the line: found in the scan as far as that goes.
    pub fn field(&mut self, steps: Vec<Step>) -> Option<Expression> {
        let backwards = steps.iter().position(|step| matches!(step, Step::Index(index) if *index < 0));
        let (found, rest) = steps.split_at(backwards.unwrap_or(steps.len()));
        if found.is_empty() || matches!(found.first(), Some(Step::Index(_))) {
            return None;
        }
        let path = field_path(found)?;
        let known = self.paths.iter().position(|other| *other == path);
        let slot = known.unwrap_or_else(|| {
            self.paths.push(path);
            self.paths.len() - 1
        });
        let field = Expression::Field(slot, found.to_vec());
        Some(if rest.is_empty() { field } else { Expression::Get(Box::new(field), rest.to_vec()) })
    }
}

pub fn down(leaf: Leaf, step: Step) -> Leaf {
    match leaf {
        Leaf::Path(mut steps) => {
            steps.push(step);
            Leaf::Path(steps)
        }
        Leaf::Value(Expression::Get(from, mut steps)) => {
            steps.push(step);
            Leaf::Value(Expression::Get(from, steps))
        }
        Leaf::Value(value) => Leaf::Value(Expression::Get(Box::new(value), vec![step])),
    }
}

fn constant_member((key, value): &(Key, Expression)) -> Option<String> {
    let (Key::Known(_, key), Expression::Constant(_, value)) = (key, value) else { return None };
    String::from_utf8([&key[..], value].concat()).ok()
}
