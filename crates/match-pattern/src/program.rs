//! A pattern as a small program, as of a machine for regular expressions (Pike; Thompson 1968).
//!
//! A fork tries its first way before its second: so the order in which ways are tried is the order of preference that SQL
//! has. Repetitions with bounds are written out, PERMUTE of single rows as a graph of what is left, so that n of them take
//! about n·2ⁿ steps and not n!.

use crate::pattern::Node;

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Takes a row, if the condition of the variable holds.
    Row {
        variable: u8,
        is_excluded: bool,
    },
    /// Goes on at both, the first preferred.
    Fork(u32, u32),
    Jump(u32),
    /// A repetition of this number begins that need not take a row.
    Enter(u8),
    /// It ends: goes on if it has taken a row, as another that takes none leads nowhere new.
    Check(u8),
    /// Goes on before the first row of a key only.
    Start,
    /// Goes on after the last row of a key only.
    End,
    Match,
}

/// The steps, of which the first is the beginning.
#[derive(Clone, Debug)]
pub struct Program {
    steps: Vec<Step>,
    has_start: bool,
    has_end: bool,
}

/// A pattern that is too large.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the pattern is too large: written out it takes more than {STEPS_MAX} steps, or {REPETITIONS_MAX} repetitions of what may be empty"
)]
pub struct TooLarge;

/// So many repetitions may be of a part that need not take a row.
const REPETITIONS_MAX: u8 = 64;

/// So many steps a pattern may take.
pub const STEPS_MAX: usize = 20_000;

impl Program {
    /// Writes a pattern out.
    ///
    /// # Errors
    /// When that takes too many steps.
    pub fn new(pattern: &Node) -> Result<Program, TooLarge> {
        let mut writer = Writer { steps: Vec::new(), is_excluded: false, repetitions: 0 };
        writer.node(pattern)?;
        writer.push(Step::Match)?;
        let has = |wanted: Step| writer.steps.contains(&wanted);
        Ok(Program { has_start: has(Step::Start), has_end: has(Step::End), steps: writer.steps })
    }

    #[inline]
    #[must_use]
    pub fn step(&self, at: u32) -> Step {
        self.steps[at as usize]
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Returns true if it asks for the first row of a key.
    #[must_use]
    pub fn has_start(&self) -> bool {
        self.has_start
    }

    /// Returns true if it asks for the last row of a key.
    #[must_use]
    pub fn has_end(&self) -> bool {
        self.has_end
    }

    /// Returns the variables that a first row can have; none if it can match no row at all, or asks where it is.
    #[must_use]
    pub fn first_variables(&self) -> Option<u64> {
        let (mut variables, mut seen, mut left) = (0, vec![false; self.len()], vec![0]);
        while let Some(at) = left.pop() {
            if std::mem::replace(&mut seen[at as usize], true) {
                continue;
            }
            match self.step(at) {
                Step::Row { variable, .. } => variables |= 1 << variable,
                Step::Fork(first, second) => left.extend([second, first]),
                Step::Jump(to) => left.push(to),
                Step::Enter(_) | Step::Check(_) => left.push(at + 1),
                Step::Start | Step::End | Step::Match => return None,
            }
        }
        Some(variables)
    }
}

struct Writer {
    steps: Vec<Step>,
    is_excluded: bool,
    /// So many are of a part that need not take a row.
    repetitions: u8,
}

impl Writer {
    fn push(&mut self, step: Step) -> Result<u32, TooLarge> {
        if self.steps.len() >= STEPS_MAX {
            return Err(TooLarge);
        }
        self.steps.push(step);
        Ok(self.next() - 1)
    }

    fn next(&self) -> u32 {
        self.steps.len() as u32
    }

    fn node(&mut self, node: &Node) -> Result<(), TooLarge> {
        match node {
            Node::Empty => Ok(()),
            Node::Row(variable) => {
                self.push(Step::Row { variable: *variable, is_excluded: self.is_excluded }).map(drop)
            }
            Node::Start => self.push(Step::Start).map(drop),
            Node::End => self.push(Step::End).map(drop),
            Node::Sequence(parts) => parts.iter().try_for_each(|part| self.node(part)),
            Node::Alternation(choices) => self.alternation(choices),
            Node::Repeat { body, min, max, is_greedy } => self.repeat(body, *min, *max, *is_greedy),
            Node::Permute(parts) if parts.iter().all(is_rigid) => self.permute(parts),
            Node::Permute(parts) => self.alternation(&orders(parts)?),
            Node::Excluded(inner) => {
                let before = std::mem::replace(&mut self.is_excluded, true);
                self.node(inner)?;
                self.is_excluded = before;
                Ok(())
            }
        }
    }

    fn alternation(&mut self, choices: &[Node]) -> Result<(), TooLarge> {
        let mut ends = Vec::new();
        for (number, choice) in choices.iter().enumerate() {
            if number + 1 == choices.len() {
                self.node(choice)?;
                break;
            }
            let fork = self.push(Step::Fork(self.next() + 1, 0))?;
            self.node(choice)?;
            ends.push(self.push(Step::Jump(0))?);
            self.steps[fork as usize] = Step::Fork(fork + 1, self.next());
        }
        let end = self.next();
        ends.into_iter().for_each(|jump| self.steps[jump as usize] = Step::Jump(end));
        Ok(())
    }

    fn repeat(&mut self, body: &Node, min: u32, max: Option<u32>, is_greedy: bool) -> Result<(), TooLarge> {
        for _ in 0..min {
            let before = self.next();
            self.node(body)?;
            // What takes no steps takes none however often it comes.
            if self.next() == before {
                return Ok(());
            }
        }
        let fork = |body: u32, out: u32| if is_greedy { Step::Fork(body, out) } else { Step::Fork(out, body) };
        let number = self.number(body)?;
        let Some(max) = max else {
            let first = self.push(Step::Fork(0, 0))?;
            self.checked(body, number)?;
            self.push(Step::Jump(first))?;
            self.steps[first as usize] = fork(first + 1, self.next());
            return Ok(());
        };
        let mut forks = Vec::new();
        for _ in min..max {
            forks.push(self.push(Step::Fork(0, 0))?);
            self.checked(body, number)?;
        }
        let out = self.next();
        forks.into_iter().for_each(|at| self.steps[at as usize] = fork(at + 1, out));
        Ok(())
    }

    /// A number for the repetitions of a part that need not take a row.
    fn number(&mut self, body: &Node) -> Result<Option<u8>, TooLarge> {
        if !is_optional(body) {
            return Ok(None);
        }
        let number = self.repetitions;
        self.repetitions += 1;
        if number < REPETITIONS_MAX { Ok(Some(number)) } else { Err(TooLarge) }
    }

    /// The part once, which has to take a row.
    fn checked(&mut self, body: &Node, number: Option<u8>) -> Result<(), TooLarge> {
        let Some(number) = number else { return self.node(body) };
        self.push(Step::Enter(number))?;
        self.node(body)?;
        self.push(Step::Check(number)).map(drop)
    }

    /// A place for each set of parts that are done: from it each of the others leads on, in the order of the list.
    fn permute(&mut self, parts: &[Node]) -> Result<(), TooLarge> {
        // Each place takes two steps at least.
        let all = if parts.len() < 20 { (1usize << parts.len()) - 1 } else { return Err(TooLarge) };
        let (mut places, mut jumps) = (Vec::with_capacity(all), Vec::new());
        for done in 0..all {
            places.push(self.next());
            let left: Vec<usize> = (0..parts.len()).filter(|part| done >> part & 1 == 0).collect();
            for (number, part) in left.iter().enumerate() {
                let is_last = number + 1 == left.len();
                let fork = if is_last { None } else { Some(self.push(Step::Fork(self.next() + 1, 0))?) };
                self.node(&parts[*part])?;
                jumps.push((self.push(Step::Jump(0))?, done | 1 << part));
                if let Some(fork) = fork {
                    self.steps[fork as usize] = Step::Fork(fork + 1, self.next());
                }
            }
        }
        places.push(self.next());
        for (jump, to) in jumps {
            self.steps[jump as usize] = Step::Jump(places[to]);
        }
        Ok(())
    }
}

/// There is one way to match it at most, so that it does not matter whether it is tried once or for each order.
fn is_rigid(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Row(_) | Node::Start | Node::End => true,
        Node::Sequence(parts) => parts.iter().all(is_rigid),
        Node::Repeat { body, min, max, .. } => Some(*min) == *max && is_rigid(body),
        Node::Excluded(inner) => is_rigid(inner),
        Node::Alternation(_) | Node::Permute(_) => false,
    }
}

/// It can be matched without a row.
fn is_optional(node: &Node) -> bool {
    match node {
        Node::Empty | Node::Start | Node::End => true,
        Node::Row(_) => false,
        Node::Sequence(parts) | Node::Permute(parts) => parts.iter().all(is_optional),
        Node::Alternation(choices) => choices.iter().any(is_optional),
        Node::Repeat { body, min, .. } => *min == 0 || is_optional(body),
        Node::Excluded(inner) => is_optional(inner),
    }
}

/// All orders of the parts, as the list has them first.
fn orders(parts: &[Node]) -> Result<Vec<Node>, TooLarge> {
    let mut all = vec![Vec::new()];
    for _ in parts {
        let mut longer = Vec::new();
        for order in &all {
            let left = (0..parts.len()).filter(|part| !order.contains(part));
            longer.extend(left.map(|part| [order.as_slice(), &[part]].concat()));
        }
        if longer.len() > STEPS_MAX {
            return Err(TooLarge);
        }
        all = longer;
    }
    let sequence = |order: Vec<usize>| Node::Sequence(order.into_iter().map(|part| parts[part].clone()).collect());
    Ok(all.into_iter().map(sequence).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::parse;

    fn program(text: &str) -> Result<Program, TooLarge> {
        Program::new(&parse(text).unwrap().0)
    }

    const fn row(variable: u8) -> Step {
        Step::Row { variable, is_excluded: false }
    }

    #[test]
    fn a_fork_tries_what_is_preferred_first() {
        let [greedy, reluctant] = ["A*", "A*?"].map(|text| program(text).unwrap().steps);
        assert_eq!(greedy, [Step::Fork(1, 3), row(0), Step::Jump(0), Step::Match]);
        assert_eq!(reluctant, [Step::Fork(3, 1), row(0), Step::Jump(0), Step::Match]);
        let choice = program("A | {- B -}").unwrap().steps;
        let excluded = Step::Row { variable: 1, is_excluded: true };
        assert_eq!(choice, [Step::Fork(1, 3), row(0), Step::Jump(4), excluded, Step::Match]);
        let bounded = program("A{1,2}").unwrap().steps;
        assert_eq!(bounded, [row(0), Step::Fork(2, 3), row(0), Step::Match]);
    }

    #[test]
    fn the_first_variables_are_known_unless_no_row_is_needed() {
        assert_eq!(program("A* (B | C) D").unwrap().first_variables(), Some(0b111));
        assert_eq!(["A*", "^A", "()"].map(|text| program(text).unwrap().first_variables()), [None; 3]);
    }

    #[test]
    fn permutations_are_a_graph_where_that_is_the_same() {
        assert!(program("PERMUTE(A, B, C, D, E, F, G, H, I, J)").unwrap().len() < STEPS_MAX);
        let many: Vec<String> = (0..30).map(|n| format!("V{n}")).collect();
        assert!(program(&format!("PERMUTE({})", many.join(","))).is_err());
        assert!(program(&format!("PERMUTE({})", many[..14].join(","))).is_err());
        // 6 orders of 3 parts: 5 forks, 5 jumps, 6 times three rows and a loop.
        assert_eq!(program("PERMUTE(A*, B, C)").unwrap().len(), 5 + 5 + 6 * 5 + 1);
        assert!(program(&format!("PERMUTE({})", many[..9].join("+,"))).is_err());
    }

    #[test]
    fn a_pattern_that_is_too_large_is_refused_and_an_empty_one_is_not() {
        assert_eq!(program("((A{100}){100}){100}").unwrap_err(), TooLarge);
        assert_eq!(program("A{4000000000}").unwrap_err(), TooLarge);
        assert_eq!(program("(){4000000000}").unwrap().len(), 1);
        assert!(program("(){0,4000000000}").is_err());
    }
}
