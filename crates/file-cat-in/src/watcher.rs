//! Looks at open files and folders: files that came, were renamed, truncated or deleted.

use std::collections::{HashMap, HashSet};

use millpipe::{Error, Fault, Out};

use crate::argument_list::ArgumentList;
use crate::cli::{Cli, Order};
use crate::content::Change;
use crate::found::{FileId, Found};
use crate::new_files::NewFiles;
use crate::part_list::{PartList, PieceIndex};
use crate::piece::Opened;
use crate::rotation;
use crate::settings::Settings;
use crate::truncation;

/// Time between two looks at open files, as long as there are not very many.
const WATCH_MS: i64 = 25;
/// Time between two looks through folders, as long as there are not very many files.
const LOOK_MS: i64 = 500;

pub struct Watcher {
    settings: Settings,
    arguments: ArgumentList,
    new_files: NewFiles,
    /// When open files are looked at next.
    watch_at_ms: i64,
    /// When folders are looked through next.
    look_at_ms: i64,
}

/// Files that one look through the folders has found.
#[derive(Default)]
struct Look {
    /// Places of those that were known before.
    known: HashMap<FileId, PieceIndex>,
    there: HashSet<FileId>,
    named_twice: HashSet<FileId>,
    /// Those whose argument means a file that was written to later.
    with_newer: HashSet<FileId>,
    /// Those that were not known before, with their arguments.
    new: Vec<(usize, Found)>,
}

impl Look {
    fn note_older(&mut self, listed: &[Found]) {
        let newest_ns = listed.iter().map(|found| found.stamp.changed_ns).max();
        let is_older = |found: &&Found| Some(found.stamp.changed_ns) < newest_ns;
        self.with_newer.extend(listed.iter().filter(is_older).map(|found| found.id));
    }

    /// Takes note that a file is there; false if another name of it was found before.
    fn is_first(&mut self, id: FileId) -> bool {
        let is_first = self.there.insert(id);
        if !is_first {
            self.named_twice.insert(id);
        }
        is_first
    }
}

impl Watcher {
    /// # Errors
    /// A glob that makes no sense.
    pub fn new(cli: &Cli) -> Result<Self, Error> {
        let settings = Settings::new(cli);
        let (arguments, new_files) = (ArgumentList::new(&cli.files)?, NewFiles::new(settings));
        Ok(Self { settings, arguments, new_files, watch_at_ms: i64::MIN, look_at_ms: i64::MIN })
    }

    /// Time when open files are looked at next.
    pub fn watch_at_ms(&self) -> i64 {
        self.watch_at_ms
    }

    /// Returns true, once, if there is a file that could not be taken before others were read to their ends.
    pub fn take_looks_again(&mut self) -> bool {
        self.new_files.take_looks_again()
    }

    /// Names the files that are waited for.
    pub fn report_waiting(&self, out: &mut Out) {
        self.new_files.report_waiting(out);
    }

    /// With --follow: looks at open files and folders when it is time.
    ///
    /// # Errors
    /// When a file or folder cannot be read.
    pub fn watch(&mut self, parts: &mut PartList, out: &mut Out) -> Result<(), Fault> {
        let now_ms = out.now_ms();
        if now_ms < self.watch_at_ms {
            return Ok(());
        }
        let files = i64::try_from(parts.pieces().count()).unwrap_or(i64::MAX);
        self.watch_at_ms = now_ms + WATCH_MS.max(files / 20);
        self.watch_parts(parts, out)?;
        if now_ms >= self.look_at_ms {
            self.look_at_ms = now_ms + LOOK_MS.max(files / 10);
            self.look_around(parts, out)?;
            // What has grown since is not forgotten.
            self.watch_parts(parts, out)?;
            parts.retire(out)?;
        }
        Ok(())
    }

    fn watch_parts(&self, parts: &mut PartList, out: &mut Out) -> Result<(), Error> {
        (0..parts.len()).try_for_each(|part| self.watch_part(parts, part, out))
    }

    fn watch_part(&self, parts: &mut PartList, part: usize, out: &mut Out) -> Result<(), Error> {
        let limits = self.settings.limits;
        let mut index = 0;
        while index < parts.part(part).pieces().len() {
            index += truncation::copied_away(parts, PieceIndex { part, piece: index }, limits, out)?;
            let at = PieceIndex { part, piece: index };
            let piece = parts.piece_mut(at);
            if piece.lines().rests() {
                let was_unsure = piece.lines().is_unsure();
                match piece.look(out.now_ms())? {
                    Change::None if !was_unsure => {}
                    Change::None | Change::Grown => parts.part_mut(part).look_again(),
                    Change::Replaced => index += truncation::replaced(parts, at, limits, out)?,
                }
            }
            index += 1;
        }
        Ok(())
    }

    /// Looks which files there are, and adds those that are new.
    ///
    /// # Errors
    /// When a file or folder cannot be read; where there is no file, unless it is waited for.
    pub fn look_around(&mut self, parts: &mut PartList, out: &mut Out) -> Result<(), Error> {
        self.new_files.begin_look();
        let look = self.look(parts, out)?;
        if !look.new.is_empty() {
            let known = look.known.into_keys().collect();
            if self.new_files.add_all(parts, look.new, known, out)? {
                self.look_at_ms = self.watch_at_ms;
            }
        }
        self.new_files.end_look();
        for piece in parts.pieces_mut() {
            piece.set_has_newer(look.with_newer.contains(&piece.id()));
        }
        self.arguments.report_named_twice(&look.named_twice, out)?;
        self.note_departures(parts, &look.there, out)
    }

    fn look(&mut self, parts: &mut PartList, out: &mut Out) -> Result<Look, Error> {
        let mut look = Look { known: parts.places(|piece| piece.id()), ..Look::default() };
        for index in 0..self.arguments.len() {
            let listed = self.arguments.list(index, self.settings.follow, parts, out)?;
            look.note_older(&listed);
            for found in listed {
                if !look.is_first(found.id) {
                    continue;
                }
                self.check_regular(&found)?;
                match look.known.get(&found.id) {
                    Some(at) => self.met_again(parts, *at, &found, out)?,
                    None => look.new.push((index, found)),
                }
            }
        }
        if self.settings.order == Order::Time {
            look.new.sort_by(|(_, a), (_, b)| (a.stamp.changed_ns, &a.path).cmp(&(b.stamp.changed_ns, &b.path)));
        }
        Ok(look)
    }

    fn check_regular(&self, found: &Found) -> Result<(), Error> {
        if found.is_regular || !self.settings.exactly_once {
            return Ok(());
        }
        let path = found.path.display();
        Err(Error::usage(format_args!("{path}: is no regular file: it cannot be read again after a crash")))
    }

    /// A known file is there, perhaps under another name, perhaps grown.
    fn met_again(&self, parts: &mut PartList, at: PieceIndex, found: &Found, out: &mut Out) -> Result<(), Error> {
        let Settings { follow, limits, .. } = self.settings;
        let piece = parts.piece_mut(at);
        piece.note_path(&found.path);
        if !found.is_regular || piece.lines().closed_as().is_none_or(|stamp| stamp == found.stamp) {
            return Ok(());
        }
        if piece.is_copy() {
            piece.stays_closed_as(found.stamp);
            return Ok(());
        }
        match piece.open(follow, limits)? {
            Opened::Here => parts.part_mut(at.part).look_again(),
            // The next look will tell.
            Opened::Gone => {}
            Opened::Replaced => {
                truncation::replaced(parts, at, limits, out)?;
            }
        }
        Ok(())
    }

    /// With --follow: takes note of files that no argument means any more.
    fn note_departures(&self, parts: &mut PartList, there: &HashSet<FileId>, out: &mut Out) -> Result<(), Error> {
        if !self.settings.follow {
            return Ok(());
        }
        let mut changed = Vec::new();
        for (at, piece) in parts.places_mut() {
            if there.contains(&piece.id()) || piece.has_departed() {
                continue;
            }
            piece.depart();
            // A closed one cannot be looked at by itself.
            if piece.lines().closed_as().is_some()
                && let Ok(Some(found)) = rotation::by_id(piece.path(), piece.id())
            {
                changed.push((at, found));
            }
        }
        for (at, found) in changed {
            self.met_again(parts, at, &found, out)?;
            parts.piece_mut(at).depart();
        }
        Ok(())
    }
}
