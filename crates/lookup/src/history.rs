//! The rows of one key in the stream, by their time.

use json_fields::write_string;
use values::state_text::{StateReader, write_signed};

/// What is known of a key.
#[derive(Debug, Default)]
pub struct History {
    /// By time, which differs.
    versions: Vec<Version>,
    /// Versions before the first one were forgotten.
    is_cut: bool,
}

/// A row, or that there is none, from a time on.
#[derive(Debug)]
struct Version {
    from_ms: i64,
    members: Option<Box<[u8]>>,
}

/// What a key's row was at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf<'a> {
    Row(&'a [u8]),
    NoRow,
    /// It is not known any more.
    Forgotten,
}

impl History {
    /// What a row takes beside its members.
    pub const VERSION_BYTES: usize = size_of::<Version>();

    /// From this time on the row is this one. Of equal times the last one counts. Lines that are not late have times from
    /// the watermark on: what none of them needs is forgotten.
    pub fn put(&mut self, from_ms: i64, members: Option<&[u8]>, watermark_ms: Option<i64>) {
        let at = self.versions.partition_point(|version| version.from_ms < from_ms);
        if at == 0 && self.is_cut && self.versions.first().is_none_or(|first| first.from_ms != from_ms) {
            return;
        }
        let version = Version { from_ms, members: members.map(Into::into) };
        match self.versions.get_mut(at) {
            Some(known) if known.from_ms == from_ms => *known = version,
            _ => self.versions.insert(at, version),
        }
        let Some(watermark_ms) = watermark_ms else { return };
        let past = self.versions.partition_point(|version| version.from_ms <= watermark_ms);
        if past > 1 {
            self.versions.drain(..past - 1);
            self.is_cut = true;
        }
    }

    pub fn as_of(&self, time_ms: i64) -> AsOf<'_> {
        let past = self.versions.partition_point(|version| version.from_ms <= time_ms);
        match past.checked_sub(1).map(|last| &self.versions[last].members) {
            Some(Some(members)) => AsOf::Row(members),
            Some(None) => AsOf::NoRow,
            None if self.is_cut => AsOf::Forgotten,
            None => AsOf::NoRow,
        }
    }

    pub fn bytes(&self) -> usize {
        let of_members = |version: &Version| version.members.as_ref().map_or(0, |members| members.len());
        self.versions.iter().map(|version| Self::VERSION_BYTES + of_members(version)).sum()
    }

    /// Writes `[CUT,[[TIME,"members"],[TIME,null]]]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.is_cut { b"[1,[" } else { b"[0,[" });
        for (number, version) in self.versions.iter().enumerate() {
            out.extend_from_slice(if number > 0 { b",[" } else { b"[" });
            write_signed(version.from_ms, out);
            out.push(b',');
            match &version.members {
                // Lines were scanned: they are UTF-8.
                Some(members) => write_string(&String::from_utf8_lossy(members), out),
                None => out.extend_from_slice(b"null"),
            }
            out.push(b']');
        }
        out.extend_from_slice(b"]]");
    }

    pub fn load(from: &mut StateReader<'_>) -> Option<History> {
        from.literal(b"[")?;
        let mut history = History { versions: Vec::new(), is_cut: from.number()? == 1 };
        from.literal(b",")?;
        from.items(|from| {
            from.literal(b"[")?;
            let from_ms = from.signed()?;
            from.literal(b",")?;
            let members = match from.literal(b"null") {
                Some(()) => None,
                None => Some(from.string()?.into_owned().into_boxed_slice()),
            };
            history.versions.push(Version { from_ms, members });
            from.literal(b"]")
        })?;
        from.literal(b"]")?;
        let is_sorted = history.versions.is_sorted_by(|a, b| a.from_ms < b.from_ms);
        is_sorted.then_some(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(history: &History, time_ms: i64) -> Option<&str> {
        match history.as_of(time_ms) {
            AsOf::Row(members) => str::from_utf8(members).ok(),
            AsOf::NoRow => None,
            AsOf::Forgotten => Some("forgotten"),
        }
    }

    #[test]
    fn a_line_gets_the_row_of_its_time() {
        let mut history = History::default();
        history.put(20, Some(b"b"), None);
        history.put(10, Some(b"a"), None);
        history.put(30, None, None);
        history.put(20, Some(b"c"), None);
        let rows: Vec<_> = [9, 10, 19, 20, 29, 30].iter().map(|time| row(&history, *time)).collect();
        assert_eq!(rows, [None, Some("a"), Some("a"), Some("c"), Some("c"), None]);
    }

    #[test]
    fn what_no_line_needs_any_more_is_forgotten() {
        let mut history = History::default();
        [10, 20, 30, 40].iter().for_each(|time| history.put(*time, Some(b"x"), Some(29)));
        assert_eq!(history.versions.len(), 3);
        assert_eq!(row(&history, 19), Some("forgotten"));
        assert_eq!(row(&history, 20), Some("x"));
        history.put(15, Some(b"late"), Some(29));
        assert_eq!(row(&history, 19), Some("forgotten"));
        let mut text = Vec::new();
        history.save(&mut text);
        assert_eq!(text, b"[1,[[20,\"x\"],[30,\"x\"],[40,\"x\"]]]");
        assert_eq!(row(&History::load(&mut StateReader::new(&text)).unwrap(), 19), Some("forgotten"));
        for wrong in ["[1]", "[1,[[20]]]", "[1,[[20,1]]]", "[1,[[20,null],[10,null]]]", "[0,[]]x"] {
            let mut from = StateReader::new(wrong.as_bytes());
            assert!(History::load(&mut from).filter(|_| from.end().is_some()).is_none(), "{wrong}");
        }
    }
}
