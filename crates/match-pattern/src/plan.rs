//! Puts an operator together from what its flags say.

use event_time::EventTime;
use keyed_state::{BufferLimit, KeyLimit};
use line_values::Expression;
use millpipe::Error;

use crate::MatchPattern;
use crate::definitions::{Defined, Definitions, json_names, reach};
use crate::engine::{Engine, Limits};
use crate::measures::Measures;
use crate::navigation::Value;
use crate::pattern::{Node, parse};
use crate::program::{Program, Step};
use crate::reader::Reader;
use crate::search::{AfterMatch, Search};
use crate::seen::Seen;
use crate::variables::Variables;
use crate::writer::{Which, Writer};

/// Where the next match may begin, by the names of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Skip {
    PastLastRow,
    NextRow,
    First(String),
    Last(String),
}

/// What the flags say.
pub struct Job {
    pub by: Vec<Expression>,
    pub time: EventTime,
    pub pattern: String,
    pub define: Vec<String>,
    pub subset: Vec<String>,
    pub measures: Vec<String>,
    pub within_ms: Option<i64>,
    pub ttl_ms: Option<i64>,
    pub which: Which,
    pub skip: Skip,
    pub partial_max: usize,
    pub keys: KeyLimit,
    pub buffer: BufferLimit,
    pub has_other_lines: bool,
    pub flags: String,
}

impl Job {
    /// Makes the operator.
    ///
    /// # Errors
    /// `Usage` when the pattern, a condition or a measure is wrong.
    pub fn operator(self) -> Result<MatchPattern, Error> {
        let (node, variables) = self.pattern()?;
        let program = Program::new(&node).map_err(|wrong| wrong_flag("--pattern", wrong))?;
        let after = after_match(&self.skip, &variables)?;
        let defined = Definitions::read(&self.define, &variables).map_err(|wrong| wrong_flag("--define", wrong))?;
        let Defined { definitions, on_lines, cells, fields } = defined;
        let (measures, cells) =
            Measures::read(&self.measures, &variables, cells).map_err(|wrong| wrong_flag("--measures", wrong))?;
        let values: Vec<Value> = definitions.values().chain(measures.values()).copied().collect();
        let (history, lookahead) = reach(values.iter());
        // With these a match may be decided later than it is too old.
        let waits = lookahead > 0 || program.has_end();
        let has_number = values.contains(&Value::MatchNumber);
        let limits = Limits {
            keys: self.keys,
            buffer: self.buffer,
            ttl_ms: self.ttl_ms,
            first: program.first_variables().filter(|_| history == 0 && !self.which.unmatched && !program.has_start()),
            forgets: history == 0 && !has_number && !program.has_start(),
        };
        if self.which.unmatched && excludes(&program) {
            return Err(wrong_flag(
                "--unmatched",
                "rows between {- and -} are in a match and are left out: it has no meaning",
            ));
        }
        let search = Search {
            seen: Seen::new(program.len(), self.within_ms.is_some()),
            definitions,
            within_ms: self.within_ms,
            after,
            history,
            lookahead,
            partial_max: self.partial_max,
            threads: Vec::new(),
            steps: Vec::new(),
            program,
        };
        let reader = Reader::new(&self.by, &self.time, &cells, on_lines, self.which.all_rows).watching(&fields);
        let writer = Writer::new(self.which, measures, &self.by, json_names(&variables));
        Ok(MatchPattern {
            time: self.time,
            reader,
            engine: Engine::new(search, writer, limits),
            sequence: 0,
            by: self.by.iter().map(ToString::to_string).collect(),
            delay_ms: self.within_ms.filter(|_| !waits),
            has_other_lines: self.has_other_lines,
            flags: self.flags,
        })
    }

    fn pattern(&self) -> Result<(Node, Variables), Error> {
        let (node, mut variables) = parse(&self.pattern).map_err(|wrong| wrong_flag("--pattern", wrong))?;
        for subset in &self.subset {
            variables.add_subset(subset).map_err(|wrong| wrong_flag("--subset", wrong))?;
        }
        Ok((node, variables))
    }
}

fn wrong_flag(flag: &str, why: impl std::fmt::Display) -> Error {
    Error::usage(format_args!("{flag}: {why}"))
}

fn after_match(skip: &Skip, variables: &Variables) -> Result<AfterMatch, Error> {
    let mask = |name: &str| variables.mask(name).ok_or_else(|| wrong_flag("--after-match", variables.unknown(name)));
    Ok(match skip {
        Skip::PastLastRow => AfterMatch::PastLastRow,
        Skip::NextRow => AfterMatch::NextRow,
        Skip::First(name) => AfterMatch::First(mask(name)?),
        Skip::Last(name) => AfterMatch::Last(mask(name)?),
    })
}

fn excludes(program: &Program) -> bool {
    (0..program.len() as u32).any(|at| matches!(program.step(at), Step::Row { is_excluded: true, .. }))
}
