//! Which of the old files of a log is the newer one: their numbers and times in names tell, whatever their own times say,
//! as those of a copy are new. Only where names cannot tell, the files' times do.

use std::cmp::Ordering;
use std::path::Path;
use std::time::SystemTime;

use crate::found::Found;
use crate::rotation;

/// A longer number than this counts no files.
const NUMBER_DIGITS_MAX: usize = 5;
/// Seconds of the epoch, and dates without anything between.
const TIME_DIGITS_MIN: usize = 8;

/// What a rotated name says of the age of its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rank {
    /// `app.log.2`: mostly it becomes 3 when the next one comes, and in some logs the newest has the highest.
    Number(u64),
    /// Its numbers, the year first.
    Time(Vec<u64>),
}

/// The last file of a path that is known.
pub struct Last {
    /// When it was changed (nanoseconds of the epoch); if it is a copy, when that was made.
    pub changed_ns: i64,
    /// It was written to then, or later.
    pub written_ns: Option<i64>,
    /// None for a copy.
    pub created: Option<SystemTime>,
    /// Also of a copy, if it is known.
    pub begun: Option<SystemTime>,
    pub rank: Option<Rank>,
    /// The rank is its own, not that of an older one.
    pub is_own_rank: bool,
}

impl Last {
    /// Nothing but its time is known.
    pub fn changed(changed_ns: i64, created: Option<SystemTime>) -> Self {
        Self { changed_ns, written_ns: Some(changed_ns), created, begun: created, rank: None, is_own_rank: false }
    }
}

impl Rank {
    /// None where the name says nothing.
    pub fn of(path: &Path, found: &Path) -> Option<Self> {
        let count = rotation::count_of(path, found.file_name()?)?;
        let text = count.get(1..)?;
        if rotation::is_date(text) {
            // What comes after a date counts up in some logs, and down in others.
            let date = text.split('.').next().filter(|date| rotation::is_date(date)).unwrap_or(text);
            return numbers(date).map(Self::Time);
        }
        let numbers = numbers(text)?;
        match (numbers[..].first(), numbers.len()) {
            (Some(number), 1) if text.len() <= NUMBER_DIGITS_MAX => Some(Self::Number(*number)),
            (Some(_), 1) if text.len() >= TIME_DIGITS_MIN => Some(Self::Time(numbers)),
            _ => None,
        }
    }

    /// Less: it is older. None if the two say nothing of each other.
    fn age(&self, other: &Self, is_rising: bool) -> Option<Ordering> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) if is_rising => Some(a.cmp(b)),
            (Self::Number(a), Self::Number(b)) => Some(b.cmp(a)),
            (Self::Time(a), Self::Time(b)) if a.len() == b.len() => Some(a.cmp(b)),
            _ => None,
        }
    }
}

fn numbers(text: &str) -> Option<Vec<u64>> {
    let groups = text.split(|letter: char| !letter.is_ascii_digit()).filter(|group| !group.is_empty());
    groups.map(|group| group.parse().ok()).collect()
}

/// Those of the old files of a path that were written after the last one that is known: it was rotated more than once
/// while nobody looked. The oldest first.
pub fn newer(files: Vec<Found>, path: &Path, last: &Last) -> Vec<Found> {
    let mut ranked: Vec<(Option<Rank>, Found)> =
        files.into_iter().map(|found| (Rank::of(path, &found.path), found)).collect();
    let is_rising = are_numbers_rising(&ranked, last);
    ranked.retain(|(rank, found)| is_newer(rank.as_ref(), found, last, is_rising));
    let by_time = |a: &Found, b: &Found| (a.stamp.changed_ns, &a.path).cmp(&(b.stamp.changed_ns, &b.path));
    let age = |a: &Option<Rank>, b: &Option<Rank>| a.as_ref()?.age(b.as_ref()?, is_rising);
    // By name only if all can be told so: else the order would depend on where one begins.
    let by_name = ranked.first().is_some_and(|(first, _)| ranked.iter().all(|(rank, _)| age(first, rank).is_some()));
    ranked.sort_by(|(a, one), (b, other)| {
        let names = if by_name { age(a, b).unwrap_or(Ordering::Equal) } else { Ordering::Equal };
        names.then_with(|| by_time(one, other))
    });
    ranked.into_iter().map(|(_, found)| found).collect()
}

fn is_newer(rank: Option<&Rank>, found: &Found, last: &Last, is_rising: bool) -> bool {
    // One that is older may have been written to for longer.
    if found.created.zip(last.created).is_some_and(|(theirs, ours)| theirs < ours) {
        return false;
    }
    let by_time = found.stamp.changed_ns >= last.changed_ns;
    let age = rank.zip(last.rank.as_ref()).and_then(|(rank, last)| rank.age(last, is_rising));
    match age {
        Some(Ordering::Less) => false,
        Some(Ordering::Greater) if last.is_own_rank => {
            !is_rising || found.stamp.changed_ns >= last.written_ns.unwrap_or(last.changed_ns)
        }
        _ => by_time,
    }
}

/// True if the newest file has the highest number. Without a sign of it the newest one has the lowest, as with logrotate.
///
/// Neighbours are compared: so one file with a wrong time counts no more than one with a right one.
fn are_numbers_rising(files: &[(Option<Rank>, Found)], last: &Last) -> bool {
    let number = |rank: &Option<Rank>| if let Some(Rank::Number(number)) = rank { Some(*number) } else { None };
    let of_last = number(&last.rank).filter(|_| last.is_own_rank);
    let mut numbered: Vec<(u64, Option<&Found>)> = of_last.map(|of_last| (of_last, None)).into_iter().collect();
    let mut signs = 0i64;
    for (rank, found) in files {
        let Some(number) = number(rank).filter(|number| Some(*number) != of_last) else { continue };
        if has_own_time(found) {
            numbered.push((number, Some(found)));
        } else if let Some(of_last) = of_last
            && age_to_last(found, last) == Some(Ordering::Less)
        {
            // A time that is too late is early enough to tell.
            signs += if number < of_last { 1 } else { -1 };
        }
    }
    numbered.sort_by_key(|(number, _)| *number);
    for pair in numbered.windows(2) {
        let age = match (pair[0].1, pair[1].1) {
            (Some(lower), Some(higher)) => age_by_time(lower, higher),
            (Some(lower), None) => age_to_last(lower, last),
            (None, Some(higher)) => age_to_last(higher, last).map(Ordering::reverse),
            (None, None) => None,
        };
        signs += match age.filter(|_| pair[0].0 != pair[1].0) {
            Some(Ordering::Less) => 1,
            Some(Ordering::Greater) => -1,
            Some(Ordering::Equal) | None => 0,
        };
    }
    signs > 0
}

/// Whether the time of its last change is that of its content. A compressed file was made before that, unless it has the
/// time of what it was made of.
fn has_own_time(found: &Found) -> bool {
    let changed_ns = found.stamp.changed_ns;
    !rotation::has_compressed_name(&found.path) || found.born_ns().is_some_and(|born_ns| changed_ns < born_ns)
}

/// What both times say, if they agree.
fn age_by_time(a: &Found, b: &Found) -> Option<Ordering> {
    let changed = a.stamp.changed_ns.cmp(&b.stamp.changed_ns);
    let is_packed = [a, b].iter().any(|found| rotation::has_compressed_name(&found.path));
    agreed(changed, if is_packed { None } else { a.created.zip(b.created) })
}

fn age_to_last(found: &Found, last: &Last) -> Option<Ordering> {
    let changed = found.stamp.changed_ns.cmp(&last.written_ns?);
    let is_packed = rotation::has_compressed_name(&found.path);
    agreed(changed, if is_packed { None } else { found.created.zip(last.begun) })
}

fn agreed(changed: Ordering, created: Option<(SystemTime, SystemTime)>) -> Option<Ordering> {
    let created = created.map_or(changed, |(a, b)| a.cmp(&b));
    (created == changed || created == Ordering::Equal).then_some(changed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::found::{FileId, Stamp};

    fn found(name: &str, changed_ns: i64) -> Found {
        Found {
            path: name.into(),
            id: FileId { dev: 1, ino: 1 },
            stamp: Stamp { size: 1, changed_ns },
            created: None,
            is_regular: true,
        }
    }

    fn names_of_newer(files: &[(&str, i64)], at: &str, written_ns: i64) -> Vec<String> {
        let path = Path::new("l");
        let last = Last { rank: Rank::of(path, Path::new(at)), is_own_rank: true, ..Last::changed(written_ns, None) };
        let files = files.iter().map(|(name, changed_ns)| found(name, *changed_ns)).collect();
        newer(files, path, &last).iter().map(|found| found.path.display().to_string()).collect()
    }

    #[test]
    fn numbers_and_dates_in_names_tell_age_whatever_the_times_of_the_files_say() {
        assert_eq!(names_of_newer(&[("l.1", 5), ("l.2.gz", 9), ("l.4.gz", 9)], "l.3", 3), ["l.2.gz", "l.1"]);
        assert_eq!(names_of_newer(&[("l.1", 5), ("l.3.gz", 9)], "l.2.gz", 3), ["l.1"]);
        let dated = [("l-20260103", 1), ("l-20260102.gz", 9), ("l-20251231", 9)];
        assert_eq!(names_of_newer(&dated, "l-20260101", 5), ["l-20260102.gz", "l-20260103"]);
        assert_eq!(names_of_newer(&[("l-1700000300", 1), ("l-1700000100", 9)], "l-1700000200", 5), ["l-1700000300"]);
        assert_eq!(names_of_newer(&[("l.10", 9), ("l.9", 8)], "l.11", 7), ["l.10", "l.9"]);
    }

    #[test]
    fn where_the_highest_number_is_the_newest_the_times_of_the_files_show_it() {
        assert_eq!(names_of_newer(&[("l.1", 1), ("l.3", 3), ("l.4", 4)], "l.2", 2), ["l.3", "l.4"]);
        assert_eq!(names_of_newer(&[("l.1.gz", 1), ("l.2.gz", 2)], "l.3", 3), Vec::<String>::new());
    }

    #[test]
    fn where_names_cannot_tell_the_times_of_the_files_do() {
        assert_eq!(names_of_newer(&[("l.1", 7), ("l-20260101", 6), ("l.gz", 5)], "l", 6), ["l-20260101", "l.1"]);
        assert_eq!(
            names_of_newer(&[("l-20260101.1", 7), ("l-20260101.2", 6)], "l-20260101", 6),
            ["l-20260101.2", "l-20260101.1"]
        );
    }
}
