//! Which members two lines have in common, and what that means for a pair.

use std::collections::HashMap;

use json_fields::Outline;
use millpipe::{Error, Fault};

use crate::bodies;
use crate::job::Job;
use crate::side::Side;

/// Lists of names are remembered up to so many; lines with others are looked at for each pair.
const LISTS_MAX: usize = 4096;
const PAIRINGS_MAX: usize = 1 << 16;

/// A list of names, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Names(u32);

impl Names {
    pub const UNKNOWN: Names = Names(u32::MAX);

    pub fn to_bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// Splits what is kept of a row.
    #[inline]
    pub fn split(bytes: &[u8]) -> (Names, &[u8]) {
        match bytes.split_first_chunk() {
            Some((names, body)) => (Names(u32::from_le_bytes(*names)), body),
            None => (Names::UNKNOWN, bytes),
        }
    }
}

/// The members that are left out of a pair's right line, because the left one has them.
type Without = Box<[String]>;

/// Decides for pair after pair.
pub struct Pairings {
    /// Members that pairs have once.
    shared: Vec<String>,
    merge: bool,
    lists: HashMap<Vec<u8>, Names>,
    known: HashMap<(Names, Names), Without>,
    outline: Outline,
    raw: Vec<u8>,
    last: [(Vec<u8>, Names); 2],
}

impl Pairings {
    /// None where no pair can have a name twice.
    ///
    /// # Errors
    /// `Usage` when each pair would have one.
    pub fn new(job: &Job) -> Result<Option<Pairings>, Error> {
        if !job.kind.pairs() {
            return Ok(None);
        }
        let pairings = Pairings {
            shared: job.shared_keys(),
            merge: job.merge,
            lists: HashMap::new(),
            known: HashMap::new(),
            outline: Outline::default(),
            raw: Vec::new(),
            last: Side::BOTH.map(|_| (Vec::new(), Names::UNKNOWN)),
        };
        let [Some(left), Some(right)] = Side::BOTH.map(|side| given_names(job, side)) else {
            return Ok(Some(pairings));
        };
        let common = common(&left, &right);
        pairings.check(&common).map_err(|error| Error { exit: millpipe::Exit::Usage, ..error })?;
        Ok((!common.is_empty()).then_some(pairings))
    }

    /// The list of names of what the reader has read.
    pub fn names(&mut self, side: Side, body: &[u8]) -> Names {
        self.raw.clear();
        bodies::write_raw_names(body, &mut self.outline, &mut self.raw);
        let (raw, names) = &mut self.last[side as usize];
        if *raw == self.raw && !raw.is_empty() {
            return *names;
        }
        let number = self.lists.len();
        let known = match self.lists.get(&self.raw) {
            Some(known) => *known,
            None if number >= LISTS_MAX => Names::UNKNOWN,
            None => *self.lists.entry(self.raw.clone()).or_insert(Names(number as u32)),
        };
        raw.clone_from(&self.raw);
        *names = known;
        known
    }

    /// What is to be left out of the right line.
    ///
    /// # Errors
    /// `Stop` when both lines have a member that may not be left out.
    pub fn without(&mut self, left: (Names, &[u8]), right: (Names, &[u8])) -> Result<&[String], Fault> {
        let pair = (left.0, right.0);
        let is_new = pair.0 == Names::UNKNOWN || pair.1 == Names::UNKNOWN || !self.known.contains_key(&pair);
        if is_new {
            let left = bodies::names(left.1, &mut self.outline);
            let right = bodies::names(right.1, &mut self.outline);
            let common = common(&left, &right);
            self.check(&common)?;
            if self.known.len() >= PAIRINGS_MAX {
                self.known.clear();
            }
            self.known.insert(pair, common.into());
        }
        Ok(self.known.get(&pair).map(|names| &names[..]).unwrap_or_default())
    }

    fn check(&self, common: &[String]) -> Result<(), Error> {
        if self.merge {
            return Ok(());
        }
        let clashing: Vec<&String> = common.iter().filter(|name| !self.shared.contains(name)).collect();
        if clashing.is_empty() {
            return Ok(());
        }
        let shown: Vec<String> = clashing.iter().map(|name| format!("{name:?}")).collect();
        let hint = "--right-fields id,at=date_time takes only these members and renames them, --prefix-right right_ renames \
                    all, --merge keeps the left ones";
        Err(Error::data(format_args!("both sides have {}", shown.join(", "))).hint(hint))
    }
}

/// The names of a side's members where they do not depend on the line.
fn given_names(job: &Job, side: Side) -> Option<Vec<String>> {
    let side = job.side(side);
    let prefix = side.prefix.as_deref().unwrap_or_default();
    side.fields.as_ref().map(|fields| fields.iter().map(|field| format!("{prefix}{}", field.name())).collect())
}

fn common(left: &[String], right: &[String]) -> Vec<String> {
    left.iter().filter(|name| right.contains(name)).cloned().collect()
}
