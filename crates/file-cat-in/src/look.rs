//! What has changed in the folders: files that came, were renamed, truncated or deleted.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;

use millpipe::{Error, Fault, Out};

use crate::bookmark::Trace;
use crate::cli::{Order, Parts};
use crate::content::{Change, Content, Limits};
use crate::copies::Copied;
use crate::failure;
use crate::found::{FileId, Found};
use crate::missed::{Elsewhere, State, missed};
use crate::part::{Idle, Part};
use crate::piece::{Opened, Piece, QUIET_MS};
use crate::rotation;
use crate::source::FileSource;

/// Open files are looked at so often, as long as there are not very many.
const WATCH_MS: i64 = 25;
/// Folders are looked through so often, as long as there are not very many files.
const LOOK_MS: i64 = 500;
/// So many renamed files of one path are still watched: a program may keep writing to one.
const RENAMED_MAX: usize = 4;

/// Where a file is in the source: part and piece.
pub(crate) type Place = (usize, usize);

impl FileSource {
    /// With --follow: looks at open files and folders when it is time.
    pub(crate) fn watch(&mut self, out: &mut Out) -> Result<(), Fault> {
        let now_ms = out.now_ms();
        if now_ms < self.watch_at_ms {
            return Ok(());
        }
        let files = i64::try_from(self.parts.iter().map(|part| part.pieces.len()).sum::<usize>()).unwrap_or(i64::MAX);
        self.watch_at_ms = now_ms + WATCH_MS.max(files / 20);
        self.watch_parts(out)?;
        if now_ms >= self.look_at_ms {
            self.look_at_ms = now_ms + LOOK_MS.max(files / 10);
            self.look_around(out)?;
            // What has grown since is not forgotten.
            self.watch_parts(out)?;
            self.retire(out)?;
        }
        Ok(())
    }

    fn watch_parts(&mut self, out: &mut Out) -> Result<(), Fault> {
        (0..self.parts.len()).try_for_each(|part| self.watch_part(part, out))
    }

    fn watch_part(&mut self, part: usize, out: &mut Out) -> Result<(), Fault> {
        let mut index = 0;
        while index < self.parts[part].pieces.len() {
            index += self.copied_away((part, index), out)?;
            let piece = &mut self.parts[part].pieces[index];
            if piece.rests() {
                let was_unsure = piece.is_unsure;
                let change = piece.look(out.now_ms()).map_err(|error| failure::error(&piece.path, &error))?;
                match change {
                    Change::None if !was_unsure => {}
                    Change::None | Change::Grown => self.parts[part].look_again(),
                    Change::Replaced => index += self.replaced((part, index), out)?,
                }
            }
            index += 1;
        }
        Ok(())
    }

    /// A file was truncated, or written anew. What was left of it may be in a copy (as logrotate's copytruncate makes
    /// it), which is read first. Returns how many pieces were put in front of it.
    fn replaced(&mut self, (part, index): Place, out: &mut Out) -> Result<usize, Fault> {
        let known: HashSet<FileId> = self.places(|piece| piece.id).into_keys().collect();
        let pieces = self.parts.iter().flat_map(|part| &part.pieces);
        let originals = pieces.filter(|piece| !piece.is_copy).map(|piece| piece.id).collect();
        let part = &mut self.parts[part];
        part.look_again();
        let piece = &mut part.pieces[index];
        let (named, bookmark) = (piece.named.clone(), piece.bookmark());
        let (name, id, offset) = (piece.name(), piece.id, bookmark.offset);
        let copy = copy(piece, &originals, self.settings.limits).map_err(|error| failure::error(&named, &error))?;
        let changed_ns = piece.changed_ns().map_err(|error| failure::error(&named, &error))?;
        let (is_skipping, took_unfinished) = (piece.is_skipping, piece.took_unfinished);
        let Some((found, content, trace)) = copy else {
            self.writer.turn_to(&part.name);
            piece.give_if_whole(&mut self.writer, out);
            piece.restart();
            out.warn(format_args!(
                "{name}: truncated or replaced after byte {offset}: read from its start; what was written after that byte is lost"
            ));
            return Ok(0);
        };
        piece.restart();
        let copy = found.path.display().to_string();
        out.warn(format_args!(
            "{name}: truncated after byte {offset}: what was left is read from {copy}, then it from its start"
        ));
        let mut before = vec![Piece::copied(&found, &named, content, trace)];
        (before[0].is_skipping, before[0].took_unfinished) = (is_skipping, took_unfinished);
        let elsewhere = Elsewhere { there: id, known: &known, limits: self.settings.limits };
        for missed in missed(&before[0], &part.pieces, &elsewhere)? {
            // What is later is so by renaming.
            if missed.state != State::Untold && missed.found.stamp.changed_ns < changed_ns {
                before.push(Piece::renamed(&missed.found, &named));
            }
        }
        let count = before.len();
        part.pieces.splice(index..index, before);
        Ok(count)
    }

    /// Looks which files there are, and adds those that are new.
    pub(crate) fn look_around(&mut self, out: &mut Out) -> Result<(), Fault> {
        let known: HashMap<FileId, Place> = self.places(|piece| piece.id);
        let mut there = HashSet::new();
        let mut with_newer = HashSet::new();
        let (mut new, mut named_twice) = (Vec::new(), HashSet::new());
        self.unwhole.begin_look();
        for index in 0..self.arguments.len() {
            let listed = self.arguments[index].list()?;
            if listed.is_empty() {
                self.nothing_there(index, out)?;
            } else {
                self.waited_for.remove(&index);
            }
            let newest_ns = listed.iter().map(|found| found.stamp.changed_ns).max();
            let is_older = |found: &&Found| Some(found.stamp.changed_ns) < newest_ns;
            with_newer.extend(listed.iter().filter(is_older).map(|found| found.id));
            for found in listed {
                if !there.insert(found.id) {
                    named_twice.insert(found.id);
                    continue;
                }
                self.check_regular(&found)?;
                match known.get(&found.id) {
                    Some(place) => self.met_again(*place, &found, out)?,
                    None => new.push((index, found)),
                }
            }
        }
        if self.settings.order == Order::Time {
            new.sort_by(|(_, a), (_, b)| (a.stamp.changed_ns, &a.path).cmp(&(b.stamp.changed_ns, &b.path)));
        }
        if !new.is_empty() {
            self.add_all(new, known.into_keys().collect(), out)?;
        }
        self.unwhole.end_look();
        for piece in self.parts.iter_mut().flat_map(|part| &mut part.pieces) {
            piece.has_newer = with_newer.contains(&piece.id);
        }
        self.say_named_twice(&named_twice, out)?;
        self.note_departures(&there, out)
    }

    pub(crate) fn places<K: Eq + std::hash::Hash>(&self, key: impl Fn(&Piece) -> K) -> HashMap<K, Place> {
        let mut places = HashMap::new();
        for (part_index, part) in self.parts.iter().enumerate() {
            places.extend(part.pieces.iter().enumerate().map(|(index, piece)| (key(piece), (part_index, index))));
        }
        places
    }

    fn nothing_there(&mut self, argument: usize, out: &mut Out) -> Result<(), Error> {
        let text = self.arguments[argument].text.clone();
        let is_glob = self.arguments[argument].is_glob();
        if self.settings.follow {
            if self.waited_for.insert(argument) {
                out.warn(format_args!(
                    "{text}: {}: waiting for it",
                    if is_glob { "no file matches" } else { "not there" }
                ));
            }
            return Ok(());
        }
        let is_known = is_glob && self.was_restored
            || self.parts.iter().any(|part| part.pieces.iter().any(|piece| piece.named.as_os_str() == text.as_str()));
        match (is_known, is_glob) {
            (true, _) => Ok(()),
            (false, true) => Err(Error::data(format_args!("no file matches \"{text}\""))),
            (false, false) => Err(Error::data(format_args!("{text}: No such file or directory"))),
        }
    }

    fn check_regular(&self, found: &Found) -> Result<(), Error> {
        if found.is_regular || !self.settings.exactly_once {
            return Ok(());
        }
        let path = found.path.display();
        Err(Error::usage(format_args!("{path}: is no regular file: it cannot be read again after a crash")))
    }

    /// A known file is there, perhaps under another name, perhaps grown.
    fn met_again(&mut self, (part, index): Place, found: &Found, out: &mut Out) -> Result<(), Fault> {
        let piece = &mut self.parts[part].pieces[index];
        piece.path.clone_from(&found.path);
        piece.has_departed = false;
        if !found.is_regular || piece.closed_as.is_none_or(|stamp| stamp == found.stamp) {
            return Ok(());
        }
        if piece.is_copy {
            piece.closed_as = Some(found.stamp);
            return Ok(());
        }
        let opened = piece
            .open(self.settings.follow, self.settings.limits)
            .map_err(|error| failure::error(&found.path, &error))?;
        match opened {
            Opened::Here => self.parts[part].look_again(),
            // The next look will tell.
            Opened::Gone => {}
            Opened::Replaced => {
                self.replaced((part, index), out)?;
            }
        }
        Ok(())
    }

    /// Adds files in this order, each behind what rotation has put between it and the last one of its path.
    fn add_all(&mut self, new: Vec<(usize, Found)>, mut known: HashSet<FileId>, out: &mut Out) -> Result<(), Error> {
        let before = known.clone();
        let lasts: HashMap<PathBuf, Place> = self.places(|piece| piece.named.clone());
        for (argument, found) in new {
            if known.contains(&found.id) {
                continue;
            }
            let part = self.part_of(argument, &found);
            if let Some(last) = lasts.get(&found.path) {
                let Some(missed) = self.missed_before(&found, *last, &known, out)? else { continue };
                for missed in missed {
                    known.insert(missed.id);
                    self.add(part, Piece::renamed(&missed, &found.path))?;
                }
            }
            match self.copied(&found, &before)? {
                Copied::No => self.add(part, Piece::new(&found, &found.path))?,
                Copied::From(bookmark) => {
                    let mut piece = Piece::closed(&found, &found.path, bookmark);
                    piece.is_copy = true;
                    self.parts[part].pieces.push(piece);
                }
                Copied::NotYetKnown => {
                    self.looks_again = true;
                    continue;
                }
                Copied::NotYetWhole => {
                    self.unwhole.note(&found, out.now_ms());
                    continue;
                }
            }
            known.insert(found.id);
        }
        Ok(())
    }

    /// With --follow it is opened at once: it may be renamed before its turn. One that was just renamed is left to the
    /// next look.
    fn add(&mut self, part: usize, mut piece: Piece) -> Result<(), Error> {
        if self.settings.follow
            && piece.open(true, self.settings.limits).map_err(|error| failure::error(&piece.path, &error))?
                != Opened::Here
        {
            return Ok(());
        }
        self.parts[part].pieces.push(piece);
        self.parts[part].look_again();
        Ok(())
    }

    fn part_of(&mut self, argument: usize, found: &Found) -> usize {
        match self.settings.parts {
            Parts::One => 0,
            Parts::Arguments => argument,
            Parts::Files => self.part_named(&found.path.to_string_lossy()),
        }
    }

    /// The part of this name, which is made if it is not there.
    pub(crate) fn part_named(&mut self, name: &str) -> usize {
        if let Some(index) = self.parts.iter().position(|part| part.name == name) {
            return index;
        }
        self.parts.push(Part::new(name));
        self.parts.len() - 1
    }

    fn note_departures(&mut self, there: &HashSet<FileId>, out: &mut Out) -> Result<(), Fault> {
        let mut changed = Vec::new();
        for (part_index, part) in self.parts.iter_mut().enumerate() {
            for (index, piece) in part.pieces.iter_mut().enumerate() {
                let departs = !there.contains(&piece.id) && !piece.has_departed;
                if !departs || !self.settings.follow {
                    continue;
                }
                piece.has_departed = true;
                // A closed one cannot be looked at by itself.
                if piece.closed_as.is_some()
                    && let Ok(Some(found)) = rotation::by_id(&piece.path, piece.id)
                {
                    changed.push(((part_index, index), found));
                }
            }
        }
        for (place, found) in changed {
            self.met_again(place, &found, out)?;
            self.parts[place.0].pieces[place.1].has_departed = true;
        }
        Ok(())
    }

    /// Forgets files from which nothing more will come.
    fn retire(&mut self, out: &mut Out) -> Result<(), Fault> {
        for part in &mut self.parts {
            let mut index = 0;
            while index < part.pieces.len() {
                part.give_if_quiet(index, &mut self.writer, out);
                if !is_over(part, index, out.now_ms())? {
                    index += 1;
                    continue;
                }
                let mut piece = part.pieces.remove(index);
                self.writer.turn_to(&part.name);
                piece.give_torn(&mut self.writer, out);
                part.idle = Idle::No;
                part.look_again();
            }
            if part.pieces.is_empty() && self.settings.parts == Parts::Files {
                part.rest(Idle::Finally, &mut self.writer, out);
            }
        }
        if self.settings.parts == Parts::Files {
            let turn = self.parts.get(self.turn).map(|part| part.name.clone());
            self.parts.retain(|part| !part.pieces.is_empty());
            self.turn = turn.and_then(|name| self.parts.iter().position(|part| part.name == name)).unwrap_or(0);
        }
        Ok(())
    }
}

/// The old file of a piece's path that has what was read of the piece: a copy, perhaps compressed, that may go on after it.
fn copy(piece: &Piece, originals: &HashSet<FileId>, limits: Limits) -> io::Result<Option<(Found, Content, Trace)>> {
    let (bookmark, next) = (piece.bookmark(), piece.unfinished());
    if !piece.is_begun() {
        return Ok(None);
    }
    for found in rotation::siblings(&piece.named)? {
        // Half a line tells little.
        let may_be = bookmark.offset > 0 || found.stamp.changed_ns >= piece.found_changed_ns;
        if may_be
            && !originals.contains(&found.id)
            && let Some((content, trace)) = rotation::fit_with(&found, &bookmark, next, limits)
        {
            return Ok(Some((found, content, trace)));
        }
    }
    Ok(None)
}

fn is_over(part: &Part, index: usize, now_ms: i64) -> Result<bool, Error> {
    let piece = &part.pieces[index];
    if !piece.has_departed || !piece.at_end {
        return Ok(false);
    }
    let is_deleted = piece.is_unreachable().map_err(|error| failure::error(&piece.path, &error))?;
    let later = part.pieces[index + 1..].iter().filter(|other| other.named == piece.named).count();
    Ok((is_deleted && now_ms - piece.grown_at_ms >= QUIET_MS) || later > RENAMED_MAX)
}
