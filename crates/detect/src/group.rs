//! The members of a key that are compared with each other, and their lines of one time.

use std::collections::{BTreeMap, BTreeSet};

use surprise::{Evidence, Interval, Verdict};
use values::state_text::{StateReader, write_items, write_number, write_signed, write_text};

use crate::alarms::Alarms;
use crate::judged::Judged;
use crate::models::{Method, Models};
use crate::peers::Peers;
use crate::series_state::{Finding, Judging, rank};

/// After so many points the own past of a member counts too.
const OWN_POINTS: u32 = 60;
/// What a line that is held takes beside its text, about, in bytes.
const LINE_BYTES: usize = 120;
/// The largest number that is compared.
const NUMBER_MAX: f64 = 1e290;

/// A line that waits for its peers.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldLine {
    pub text: Box<[u8]>,
    /// The canonical text of the member that it is of.
    pub member: Box<[u8]>,
    pub numbers: Box<[Option<f64>]>,
    /// The offset after its opening brace.
    pub object: usize,
    /// It has members that are written anew.
    pub has_members: bool,
}

/// What is known of a member: how far it was from the median of its peers.
#[derive(Clone, Debug, PartialEq)]
struct Member {
    last_ms: i64,
    models: Models,
    alarms: Alarms,
}

/// The state of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// The time of the lines that are held, or of the last that were.
    pub time_ms: i64,
    /// The number of the first line that is held, among all.
    pub first_line: u64,
    pub lines: Vec<HeldLine>,
    members: BTreeMap<Box<[u8]>, Member>,
}

/// How members are compared.
#[derive(Clone, Copy, Debug)]
pub struct Comparing {
    pub judging: Judging,
    /// With fewer peers nothing is said.
    pub peers: usize,
    /// A member is forgotten after so long.
    pub ttl_ms: Option<i64>,
}

impl HeldLine {
    /// Returns what it takes in memory, about.
    pub fn bytes(&self) -> usize {
        LINE_BYTES + self.text.len() + self.member.len() + size_of_val(&*self.numbers)
    }
}

impl Member {
    fn new(time_ms: i64, values: usize) -> Self {
        Self { last_ms: time_ms, models: Models::new(Method::Robust, values), alarms: Alarms::default() }
    }

    fn save(&self, out: &mut Vec<u8>) {
        write_signed(self.last_ms, out);
        out.push(b',');
        self.models.save(out);
        out.push(b',');
        self.alarms.save(out);
    }

    fn load(from: &mut StateReader<'_>, judging: &Judging) -> Option<Self> {
        let last_ms = from.signed()?;
        from.literal(b",")?;
        let models = Models::load(from, Method::Robust, judging.values)?;
        from.literal(b",")?;
        let alarms = Alarms::load(from, judging.rule)?;
        Some(Self { last_ms, models, alarms })
    }
}

impl Group {
    /// Makes one that had no line yet.
    pub fn new() -> Self {
        Self { time_ms: i64::MIN, ..Self::default() }
    }

    /// Returns how many members are known.
    pub fn members(&self) -> usize {
        self.members.len()
    }

    /// Takes the lines that are held out, in their order, with what is said of each; none of a line without a number.
    pub fn judge(&mut self, comparing: &Comparing) -> Vec<(HeldLine, Option<Finding>)> {
        let (time_ms, values) = (self.time_ms, comparing.judging.values);
        if let Some(ttl_ms) = comparing.ttl_ms {
            self.members.retain(|_, member| member.last_ms.saturating_add(ttl_ms) > time_ms);
        }
        let lines = std::mem::take(&mut self.lines);
        let peers: Vec<Option<Peers>> = (0..values).map(|value| peers(&lines, value, comparing.peers)).collect();
        let judged = lines.into_iter().map(|line| {
            if !self.members.contains_key(&line.member) {
                self.members.insert(line.member.clone(), Member::new(time_ms, values));
            }
            let member = self.members.get_mut(&line.member);
            let finding = member.and_then(|member| member.judge(&line, &peers, time_ms, &comparing.judging));
            (line, finding)
        });
        judged.collect()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_signed(self.time_ms, out);
        out.push(b',');
        write_number(self.first_line, out);
        out.push(b',');
        write_items(&self.lines, out, |line, out| write_text(&line.text, out));
        out.push(b',');
        let members: Vec<_> = self.members.iter().collect();
        write_items(&members, out, |(name, member), out| {
            out.push(b'[');
            write_text(name, out);
            out.push(b',');
            member.save(out);
            out.push(b']');
        });
        out.push(b']');
    }

    /// Takes what `save` wrote; `read` makes a line of its text.
    pub fn load(
        from: &mut StateReader<'_>,
        judging: &Judging,
        mut read: impl FnMut(&[u8]) -> Option<HeldLine>,
    ) -> Option<Self> {
        let mut group = Self::default();
        from.literal(b"[")?;
        group.time_ms = from.signed()?;
        from.literal(b",")?;
        group.first_line = from.count()?;
        from.literal(b",")?;
        from.items(|from| {
            group.lines.push(read(&from.string()?)?);
            Some(())
        })?;
        from.literal(b",")?;
        from.items(|from| {
            from.literal(b"[")?;
            let name = from.string()?.into_owned().into_boxed_slice();
            from.literal(b",")?;
            group.members.insert(name, Member::load(from, judging)?);
            from.literal(b"]")
        })?;
        from.literal(b"]")?;
        Some(group)
    }
}

impl Member {
    fn judge(&mut self, line: &HeldLine, peers: &[Option<Peers>], time_ms: i64, judging: &Judging) -> Option<Finding> {
        self.last_ms = time_ms;
        let mut found: Option<Finding> = None;
        let mut apart = vec![None; peers.len()];
        for (value, number) in line.numbers.iter().enumerate() {
            let (Some(number), Some(peers)) = (*number, peers.get(value)?) else { continue };
            let number = number.clamp(-NUMBER_MAX, NUMBER_MAX);
            apart[value] = Some(number - peers.median);
            let verdict = self.compare(value, number, peers, time_ms)?;
            if found.is_none_or(|best| rank(&verdict) > rank(&best.verdict)) {
                found = Some(Finding { value, number, verdict, alarm: None, change: None });
            }
        }
        let Some(finding) = found else { return without_peers(line) };
        // An alarm goes on beside the median, wherever that goes.
        let beside = Interval { expected: 0.0, lower: 0.0, upper: 0.0 };
        let verdict = Verdict { interval: Some(beside), ..finding.verdict };
        let judged = Judged { numbers: &apart, value: finding.value, verdict: &verdict, time_ms, is_after_gap: false };
        let alarm = self.alarms.take(&judged, judging.rule, judging.warm_up);
        Some(Finding { alarm, ..finding })
    }

    /// What is unlike the peers, and unlike what it was beside them before, is a surprise: the smaller one of both.
    fn compare(&mut self, value: usize, number: f64, peers: &Peers, time_ms: i64) -> Option<Verdict> {
        let own = self.models.take(value, number - peers.median, time_ms)?;
        let among = peers.surprise(number);
        let is_known = self.alarms.points() >= OWN_POINTS;
        let surprise = if is_known { among.min(own.surprise) } else { among };
        let [below, above] = own.interval.map_or([0.0; 2], |own| [own.lower, own.upper]);
        let (lower, upper) = (below.min(-peers.reach()), above.max(peers.reach()));
        let interval = Interval {
            expected: peers.median,
            lower: (peers.median + lower).max(f64::MIN),
            upper: (peers.median + upper).min(f64::MAX),
        };
        let counts = own.counts || !is_known;
        let evidence = Evidence::Peers;
        let interval = Some(interval);
        Some(Verdict { surprise, counts, evidence, interval, seasonal: None, is_unsteady: false, is_flat: false })
    }
}

/// Returns what the numbers with this place have in common; none if there are too few members with one.
fn peers(lines: &[HeldLine], value: usize, fewest: usize) -> Option<Peers> {
    let with_number = lines.iter().filter_map(|line| Some((&line.member, (*line.numbers.get(value)?)?)));
    let members: BTreeSet<&[u8]> = with_number.clone().map(|(member, _)| &**member).collect();
    if members.len() < fewest {
        return None;
    }
    let mut numbers: Vec<f64> = with_number.map(|(_, number)| number.clamp(-NUMBER_MAX, NUMBER_MAX)).collect();
    Peers::of(&mut numbers)
}

/// Too few have a number at this time: what they have is ordinary.
fn without_peers(line: &HeldLine) -> Option<Finding> {
    let (value, number) = line.numbers.iter().enumerate().find_map(|(value, number)| Some((value, (*number)?)))?;
    let verdict = Verdict {
        surprise: 0.0,
        counts: false,
        evidence: Evidence::Peers,
        interval: None,
        seasonal: None,
        is_unsteady: false,
        is_flat: false,
    };
    Some(Finding { value, number, verdict, alarm: None, change: None })
}
