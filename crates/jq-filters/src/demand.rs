//! Which members of a line a filter can ask for.

use std::collections::BTreeSet;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;
use json_fields::FieldPath;

use crate::syntax::constant_text;

/// More members than this are not looked for one by one.
const MEMBERS_MAX: usize = 32;

/// The top-level members that a run of the filter on an object can depend on, as long as it does not fail; none when
/// it may be all of them.
pub fn of(term: &Term<&str>) -> Option<Vec<FieldPath>> {
    let mut demand = Demand::default();
    // What comes out is written in full.
    if demand.passes_line(term)? || demand.keys.len() > MEMBERS_MAX {
        return None;
    }
    Some(demand.keys.iter().map(|key| FieldPath::key(key)).collect())
}

#[derive(Default)]
struct Demand {
    keys: BTreeSet<String>,
}

impl Demand {
    /// Collects what the term, given the line, asks for. The answer is whether the line itself can come out of it, or
    /// none when it may ask for anything.
    fn passes_line(&mut self, term: &Term<&str>) -> Option<bool> {
        match term {
            Term::Id => Some(true),
            Term::Num(_) | Term::Var(_) | Term::Arr(None) => Some(false),
            Term::Str(_, parts) => {
                for part in parts {
                    if let StrPart::Term(term) = part {
                        self.takes(term)?;
                    }
                }
                Some(false)
            }
            Term::Arr(Some(of)) | Term::Neg(of) => self.takes(of).map(|()| false),
            Term::Obj(members) => self.object(members),
            Term::BinOp(left, operator, right) => self.operation(left, operator, right),
            Term::IfThenElse(cases, otherwise) => {
                let mut passes = otherwise.is_none();
                for (condition, then) in cases {
                    // The line is true, whatever is in it.
                    self.passes_line(condition)?;
                    passes |= self.passes_line(then)?;
                }
                if let Some(otherwise) = otherwise {
                    passes |= self.passes_line(otherwise)?;
                }
                Some(passes)
            }
            Term::Call("select", arguments) => {
                self.passes_line(arguments.first()?)?;
                Some(true)
            }
            Term::Call("empty" | "true" | "false" | "null" | "not", arguments) if arguments.is_empty() => Some(false),
            Term::Path(of, path) => self.path(of, &path.0),
            _ => None,
        }
    }

    /// The same for a place that does not let the line through, but looks at it.
    fn takes(&mut self, term: &Term<&str>) -> Option<()> {
        (!self.passes_line(term)?).then_some(())
    }

    fn object(&mut self, members: &[(Term<&str>, Option<Term<&str>>)]) -> Option<bool> {
        for (key, value) in members {
            match value {
                Some(value) => {
                    self.takes(key)?;
                    self.takes(value)?;
                }
                None if matches!(key, Term::Var(_)) => (),
                None => self.key(key)?,
            }
        }
        Some(false)
    }

    fn operation(&mut self, left: &Term<&str>, operator: &BinaryOp<&str>, right: &Term<&str>) -> Option<bool> {
        match operator {
            BinaryOp::Pipe(None) => match self.passes_line(left)? {
                // It may be the line or something else.
                true => self.passes_line(right),
                false => Some(false),
            },
            BinaryOp::Pipe(Some(Pattern::Var(_))) => {
                self.takes(left)?;
                self.passes_line(right)
            }
            BinaryOp::Comma | BinaryOp::Alt => {
                let left = self.passes_line(left)?;
                Some(self.passes_line(right)? || left)
            }
            BinaryOp::Or | BinaryOp::And => {
                self.passes_line(left)?;
                self.passes_line(right)?;
                Some(false)
            }
            BinaryOp::Math(_) | BinaryOp::Cmp(_) => {
                self.takes(left)?;
                self.takes(right)?;
                Some(false)
            }
            // Changes, and patterns, which may have filters in them.
            _ => None,
        }
    }

    fn path(&mut self, of: &Term<&str>, parts: &[(Part<Term<&str>>, jaq_core::path::Opt)]) -> Option<bool> {
        for (part, _) in parts {
            // What stands in brackets is worked out on the line.
            match part {
                Part::Index(index) => self.takes(index)?,
                Part::Range(from, to) => from.iter().chain(to).try_for_each(|bound| self.takes(bound))?,
            }
        }
        if self.passes_line(of)? {
            let (Part::Index(index), _) = parts.first()? else { return None };
            self.key(index)?;
        }
        Some(false)
    }

    fn key(&mut self, key: &Term<&str>) -> Option<()> {
        self.keys.insert(constant_text(key)?);
        Some(())
    }
}
