//! Finds the member of a group that differs from its peers at the same time.
//!
//! **A line** is a JSON object with a key, made of `--by`, a member of that key, named by `--among`, a time, and numbers.
//! Lines of one key and time are peers.
//!
//! **What comes out when.** A line is held until the time of its key has moved on: a later line of it came, the watermark is
//! beyond it, or the input has ended. Then all of that time go out as they came, with new members in front. What the watermark
//! lets go is in the order of time and arrival.
//!
//! **Late** is a line with the time of peers that have gone out, or an earlier one; with `--ttl` also one whose own time is so
//! far behind the watermark.
//!
//! **What is kept**: the lines of one time of each key, at most `--buffer` of them, and for each member what a
//! [`surprise::Robust`] takes; at most `--max-keys` members.
//!
//! **Marks** pass, watermarks after the lines that they let go; those of partitions end here, as lines go out later than they came.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};

use keyed_state::{BufferLimit, Expiry, KeyLimit, Keyed, hash};
use millpipe::{Changes, Divides, Error, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use series::{FrontMembers, Late, SeriesReader};

use crate::group::{Comparing, Group, HeldLine};
use crate::members::{self, Members};

/// What to do, as the flags say.
pub struct Job {
    pub comparing: Comparing,
    /// The expressions of the key of a group.
    pub by: Vec<String>,
    pub values: Vec<String>,
    pub keys: KeyLimit,
    pub buffer: BufferLimit,
    pub flags: String,
}

/// The operator.
pub struct Among {
    job: Job,
    reader: SeriesReader,
    groups: Keyed<Group>,
    /// Those with lines that are held: their time, the number of their first line, and which.
    open: BTreeSet<(i64, u64, u32)>,
    expiry: Option<Expiry<()>>,
    front: FrontMembers,
    members: Members,
    /// How many lines came.
    lines: u64,
    held: u64,
    held_bytes: usize,
    known: usize,
    /// The most lines of a group and a time in this run.
    most: usize,
}

impl Among {
    /// Reads lines with `reader`, whose keys are those of groups with the member at the end.
    #[must_use]
    pub(crate) fn new(reader: SeriesReader, job: Job) -> Self {
        Self {
            reader,
            // Members are counted, of which each group has one at least.
            groups: Keyed::default(),
            open: BTreeSet::new(),
            expiry: job.comparing.ttl_ms.map(Expiry::new),
            front: FrontMembers::new(members::names(false)),
            members: Members::new(&job.values),
            lines: 0,
            held: 0,
            held_bytes: 0,
            known: 0,
            most: 0,
            job,
        }
    }

    fn take(&mut self, line: &[u8], out: &mut Out) -> Result<i64, Fault> {
        let watermark_ms = self.reader.time().watermark_ms();
        let point = self.reader.read(line, out.now_ms())?;
        let time_ms = point.time_ms;
        let over_ms = self.expiry.as_ref().map(|expiry| time_ms.saturating_add(expiry.within_ms()));
        if over_ms.zip(watermark_ms).is_some_and(|(over_ms, watermark_ms)| over_ms <= watermark_ms) {
            Late::MayBeForgotten.tell(line, time_ms, out);
            return Ok(time_ms);
        }
        let (key, member) = split(point.key);
        let held = HeldLine {
            text: line.into(),
            member: member.into(),
            numbers: point.numbers.into(),
            object: point.object,
            has_members: point.has_members,
        };
        let hash = hash(key);
        let id = match self.groups.find(key, hash) {
            Some(id) => id,
            None => {
                let id = self.groups.insert(key, hash, Group::new())?;
                if let Some(expiry) = &mut self.expiry {
                    expiry.push(time_ms, (), id);
                }
                id
            }
        };
        self.hold(id, time_ms, held, out)?;
        Ok(time_ms)
    }

    fn hold(&mut self, id: u32, time_ms: i64, line: HeldLine, out: &mut Out) -> Result<(), Fault> {
        let group = self.groups.get(id);
        let (last_ms, is_open) = (group.time_ms, !group.lines.is_empty());
        if time_ms < last_ms || time_ms == last_ms && !is_open {
            Late::BehindPeers(last_ms).tell(&line.text, time_ms, out);
            return Ok(());
        }
        if time_ms > last_ms && is_open {
            self.close(id, out)?;
        }
        self.job.buffer.check(self.held_bytes + line.bytes())?;
        self.held_bytes += line.bytes();
        self.held += 1;
        let group = self.groups.change(id);
        if group.lines.is_empty() {
            (group.time_ms, group.first_line) = (time_ms, self.lines);
            self.open.insert((time_ms, self.lines, id));
        }
        group.lines.push(line);
        Ok(())
    }

    /// Writes the lines of a group that are held.
    fn close(&mut self, id: u32, out: &mut Out) -> Result<(), Error> {
        let group = self.groups.change(id);
        self.open.remove(&(group.time_ms, group.first_line, id));
        let known = group.members();
        let judged = group.judge(&self.job.comparing);
        self.known = self.known + group.members() - known;
        self.most = self.most.max(judged.len());
        for (line, finding) in &judged {
            self.held -= 1;
            self.held_bytes -= line.bytes();
            let members = self.members.of(finding.as_ref());
            self.front.write(&line.text, line.object, line.has_members, members, out.buffer());
            out.end_line();
        }
        // One more than there may be is one too many.
        if self.known > 0 { self.job.keys.check(self.known - 1) } else { Ok(()) }
    }

    /// Writes what is older than this, in the order of time and arrival.
    fn close_before(&mut self, time_ms: i64, out: &mut Out) -> Result<(), Error> {
        while let Some((_, _, id)) = self.open.first().filter(|first| first.0 < time_ms).copied() {
            self.close(id, out)?;
        }
        Ok(())
    }

    fn advance(&mut self, moved_ms: Option<i64>, out: &mut Out) -> Result<(), Error> {
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        let Some(watermark_ms) = moved_ms else { return Ok(()) };
        self.close_before(watermark_ms, out)?;
        self.forget(watermark_ms);
        Ok(())
    }

    /// Forgets the groups that are over at this watermark; they hold nothing.
    fn forget(&mut self, watermark_ms: i64) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some((time_ms, (), id)) = expiry.pop(watermark_ms) {
            let last_ms = self.groups.get(id).time_ms;
            if last_ms == time_ms {
                self.known -= self.groups.remove(id).members();
            } else {
                expiry.push(last_ms, (), id);
            }
        }
    }
}

/// The key of a group and its member, which is the last cell.
fn split(key: &[u8]) -> (&[u8], &[u8]) {
    match key.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => (&key[..at], &key[at + 1..]),
        None => (&key[..0], key),
    }
}

impl Stage for Among {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let time_ms = self.take(line, out)?;
        self.lines += 1;
        let moved_ms = self.reader.time_mut().observe(time_ms);
        Ok(self.advance(moved_ms, out)?)
    }

    fn pass(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        out.line(line);
        let moved_ms = self.reader.time_mut().pass(line, out.now_ms());
        Ok(self.advance(moved_ms, out)?)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.reader.time_mut().mark(mark, out.now_ms())?.flatten();
        self.advance(moved_ms, out)?;
        if !matches!(mark.kind(), MarkKind::From | MarkKind::Idle) {
            out.mark(mark);
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        Ok(self.close_before(i64::MAX, out)?)
    }

    fn wake_at(&self) -> Option<i64> {
        self.reader.time().wake_at()
    }

    fn wake(&mut self, out: &mut Out) -> Result<(), Fault> {
        let moved_ms = self.reader.time_mut().wake(out.now_ms());
        Ok(self.advance(moved_ms, out)?)
    }

    fn remark(&self) -> Option<String> {
        let Self { most, job, .. } = self;
        let peers = job.comparing.peers;
        let too_few = || {
            format!(
                "no time had {peers} lines to compare, at most {most}: nothing is said of any\nhint: --peers N compares \
                 fewer; resample --every gives lines the same times"
            )
        };
        self.reader.remark().or_else(|| (0 < *most && *most < peers).then(too_few))
    }

    fn held(&self) -> u64 {
        self.held
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Among {
    fn flags(&self) -> String {
        self.job.flags.clone()
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::by(self.job.by.iter().cloned()).max("/lines").any(self.reader.time().of_any_shard());
        let head = Head::new().with("lines", self.lines).with("time", self.reader.time().snapshot());
        head.divided(divides).write(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "detect")?;
        self.lines = head.count("lines")?;
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.groups.save(to, Group::save);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let reader = &mut self.reader;
        let read = |line: &[u8]| {
            let point = reader.read(line, i64::MAX).ok()?;
            let (_, member) = split(point.key);
            let (object, has_members) = (point.object, point.has_members);
            Some(HeldLine {
                text: line.into(),
                member: member.into(),
                numbers: point.numbers.into(),
                object,
                has_members,
            })
        };
        let judging = self.job.comparing.judging;
        let id = self.groups.load(key, value, |from| Group::load(from, &judging, read))?;
        let group = self.groups.get(id);
        self.held += group.lines.len() as u64;
        self.held_bytes += group.lines.iter().map(HeldLine::bytes).sum::<usize>();
        self.known += group.members();
        if !group.lines.is_empty() {
            self.open.insert((group.time_ms, group.first_line, id));
        }
        if let Some(expiry) = &mut self.expiry {
            expiry.push(group.time_ms, (), id);
        }
        Ok(())
    }
}
