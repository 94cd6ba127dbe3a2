//! `--batch`: holds all lines to the end of the input, and takes whole series apart.

use std::io::{self, BufRead, Write};

use keyed_state::{KeyLimit, Keyed, hash};
use millpipe::{Changes, Divides, Error, Fault, Head, Mark, MarkKind, Out, Stage, Stateful};
use series::{FrontMembers, SeriesReader};

use crate::Flags;
use crate::held::Held;
use crate::members::Members;
use crate::parts::Parts;
use crate::whole::{self, Method, Whole};

/// The operator that holds lines to the end.
pub struct Batch {
    reader: SeriesReader,
    method: Method,
    held: Held,
    keys: Keys,
    front: FrontMembers,
    members: Members,
    has_other_lines: bool,
    flags: Flags,
}

/// The keys of the lines that are held, each with a number.
struct Keys {
    keyed: Keyed<()>,
    limit: KeyLimit,
}

impl Keys {
    fn number(&mut self, key: &[u8]) -> Result<u32, Error> {
        let hash = hash(key);
        match self.keyed.find(key, hash) {
            Some(id) => Ok(id),
            None => self.keyed.insert(key, hash, ()),
        }
    }

    fn clear(&mut self) {
        self.keyed = Keyed::new(self.limit);
    }
}

impl Batch {
    pub(crate) fn new(
        reader: SeriesReader,
        method: Method,
        (held, keys): (Held, KeyLimit),
        (front, members): (FrontMembers, Members),
        has_other_lines: bool,
        flags: Flags,
    ) -> Self {
        let keys = Keys { keyed: Keyed::new(keys), limit: keys };
        Self { reader, method, held, keys, front, members, has_other_lines, flags }
    }

    /// The points of each series in the order of their times: those of a key one after the other, one series for each number.
    fn series(&self) -> Vec<Vec<whole::Point>> {
        let numbers = self.members.numbers();
        let mut series = vec![Vec::new(); self.keys.keyed.len() * numbers];
        for (line, held) in self.held.lines().iter().enumerate() {
            for (number, value) in self.held.numbers(line).iter().enumerate() {
                let point = whole::Point { time_ms: held.time_ms, number: *value, line };
                series[held.key as usize * numbers + number].push(point);
            }
        }
        series.iter_mut().for_each(|points| points.sort_by_key(|point| point.time_ms));
        series
    }

    /// Writes all lines; returns how many numbers are too old to have parts.
    fn write(&mut self, wholes: &[Whole], out: &mut Out) -> usize {
        let numbers = self.members.numbers();
        let mut places = vec![None; self.held.lines().len() * numbers];
        for (at, whole) in wholes.iter().enumerate() {
            whole.places().iter().for_each(|(line, place)| places[line * numbers + at % numbers] = *place);
        }
        let mut parts: Vec<Option<Parts>> = Vec::with_capacity(numbers);
        let mut too_old = 0;
        for (at, held) in self.held.lines().iter().enumerate() {
            let wholes = &wholes[held.key as usize * numbers..][..numbers];
            let of_line = self.held.numbers(at).iter().zip(&places[at * numbers..]).zip(wholes);
            too_old += of_line
                .clone()
                .filter(|((n, place), whole)| n.is_some() && place.is_none() && whole.has_parts())
                .count();
            parts.clear();
            parts.extend(of_line.map(|((number, place), whole)| whole.at(*place, *number)));
            let members = self.members.of(&parts);
            self.front.write(&held.line, held.object, held.has_members, members, out.buffer());
            out.end_line();
        }
        too_old
    }
}

impl Stage for Batch {
    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        let point = self.reader.read(line, out.now_ms())?;
        let key = self.keys.number(point.key)?;
        self.held.push(line, &point, key)?;
        if let Some(text) = self.reader.time_mut().take_warning() {
            out.warn(text);
        }
        Ok(())
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        match mark.kind() {
            MarkKind::Watermark | MarkKind::From | MarkKind::Idle if !self.has_other_lines => {}
            _ => out.mark(mark),
        }
        Ok(())
    }

    fn end(&mut self, out: &mut Out) -> Result<(), Fault> {
        let wholes: Vec<Whole> = self.series().iter().map(|points| Whole::of(points, &self.method)).collect();
        let too_old = self.write(&wholes, out);
        if too_old > 0 {
            let what = "numbers older than the last --history steps of their key have no parts";
            out.warn(format_args!("{what}: {too_old}\nhint: --history N takes more steps apart"));
        }
        let without = wholes.iter().filter(|whole| !whole.has_parts()).count();
        if without > 0 {
            let hint = "a series needs two of its longest season, or with auto three that show; --every says how long a step is";
            out.warn(format_args!(
                "series without parts, as they are too short or have no season: {without}\nhint: {hint}"
            ));
        }
        self.held.clear();
        self.keys.clear();
        Ok(())
    }

    fn remark(&self) -> Option<String> {
        self.reader.remark()
    }

    fn held(&self) -> u64 {
        self.held.len()
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Batch {
    fn flags(&self) -> String {
        self.flags.text.clone()
    }

    fn begin_checkpoints(&mut self) -> Result<(), Fault> {
        self.held.begin_checkpoints();
        Ok(())
    }

    fn snapshot(&self, to: &mut dyn Write) -> io::Result<()> {
        let divides = Divides::heads().lines("", "", "/next_line").sum("/next_line");
        let time = self.reader.time();
        Head::new()
            .with("time", time.snapshot())
            .with("next_line", self.held.next())
            .divided(divides.any(time.of_any_shard()))
            .write(to)
    }

    fn restore(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let head = Head::read(from, "decompose")?;
        self.held.restored(head.count("next_line")?);
        head.must(self.reader.time_mut().restore(head.value("time")))
    }

    fn changes(&mut self, to: &mut Changes) -> Result<(), Error> {
        self.held.save(to);
        Ok(())
    }

    fn restore_entry(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let damaged = || Error::damaged_entry(key);
        let line: String = serde_json::from_slice(value).map_err(|_| damaged())?;
        let point = self.reader.read(line.as_bytes(), i64::MAX).map_err(|_| damaged())?;
        let id = self.keys.number(point.key)?;
        self.held.load(key, &line, &point, id)
    }
}
