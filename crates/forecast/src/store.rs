//! Keeps what is known of all keys.

use keyed_state::{Expiry, Footprint, KeyLimit, SpillingKeyed, hash};
use millpipe::{Changes, Error, Out};
use sorted_runs::Scratch;
use units::ByteSize;
use values::state_text::{StateReader, write_signed};

use crate::history::Taken;
use crate::live::Live;
use crate::track::{self, Track};

/// The series of all keys, and with `--ttl` when they are forgotten.
pub struct Store {
    keys: SpillingKeyed<Head, Tracks>,
    expiry: Option<Expiry<()>>,
    /// How many series a key has.
    values: usize,
    /// How many points the histories in memory have.
    points: usize,
}

/// What stays in memory of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// The latest time of its lines; of interest with `--ttl` only.
    last_ms: i64,
    /// The number of its first line.
    first: u64,
    /// A series has values that rows are to be written of.
    is_fresh: bool,
}

/// The series of a key, one for each value.
#[derive(Debug, Default)]
struct Tracks(Vec<Track>);

impl Tracks {
    /// Series that begin at the line of this number.
    fn new(values: usize, first: u64) -> Self {
        Self((0..values).map(|_| Track { first, ..Track::default() }).collect())
    }

    fn points(&self) -> usize {
        self.0.iter().map(|track| track.history.len()).sum()
    }

    fn write(&self, out: &mut Vec<u8>) {
        track::write_all(&self.0, out);
    }
}

impl Footprint for Tracks {
    fn heap_bytes(&self) -> usize {
        let of_track = |track: &Track| {
            let live = track.live.as_ref().map_or(0, |live| size_of::<Live>() + live.heap_bytes());
            size_of::<Track>() + track.history.heap_bytes() + live
        };
        self.0.iter().map(of_track).sum()
    }
}

impl Store {
    #[must_use]
    pub fn new(values: usize, keys: KeyLimit, ttl_ms: Option<i64>) -> Self {
        Self { keys: SpillingKeyed::new(keys), expiry: ttl_ms.map(Expiry::new), values, points: 0 }
    }

    /// Counts the keys.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Keeps about so much in memory, and the rest in the scratch: see [`Store::relieve`].
    ///
    /// # Errors
    /// When the scratch does not work.
    pub fn spill_to(&mut self, memory: ByteSize, scratch: Box<dyn Scratch>) -> Result<(), Error> {
        self.keys.spill_to(memory, scratch)
    }

    /// Returns the number of a line's key; none for a line as old as those that are forgotten. A key that is new, or whose last
    /// line is `--ttl` older, begins at this line, which is the one of number `first`. The watermark is that of the lines before.
    ///
    /// # Errors
    /// At the limit of keys.
    pub fn place(
        &mut self,
        key: &[u8],
        time_ms: i64,
        watermark_ms: Option<i64>,
        first: u64,
    ) -> Result<Option<u32>, Error> {
        let over_ms = self.expiry.as_ref().map(|expiry| time_ms.saturating_add(expiry.within_ms()));
        if over_ms.zip(watermark_ms).is_some_and(|(over_ms, watermark_ms)| over_ms <= watermark_ms) {
            return Ok(None);
        }
        let hash = hash(key);
        match self.keys.find(key, hash) {
            Some(id) => {
                self.renew(id, time_ms, first);
                Ok(Some(id))
            }
            None => {
                let head = Head { last_ms: time_ms, first, is_fresh: false };
                let id = self.keys.insert(key, hash, head, Tracks::new(self.values, first))?;
                if let Some(expiry) = &mut self.expiry {
                    expiry.push(time_ms, (), id);
                }
                Ok(Some(id))
            }
        }
    }

    /// Notes the time of a line of a key that is there.
    fn renew(&mut self, id: u32, time_ms: i64, first: u64) {
        let Some(expiry) = &self.expiry else { return };
        let head = self.keys.change_head(id);
        let is_over = time_ms >= head.last_ms.saturating_add(expiry.within_ms());
        head.last_ms = head.last_ms.max(time_ms);
        if is_over {
            (head.first, head.is_fresh) = (first, false);
            self.points -= self.keys.value_in_memory(id).map_or(0, Tracks::points);
            self.keys.replace(id, Tracks::new(self.values, first));
        }
    }

    /// Forgets the keys that are over at this watermark.
    pub fn forget(&mut self, watermark_ms: i64) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some((time_ms, (), id)) = expiry.pop(watermark_ms) {
            let last_ms = self.keys.head(id).last_ms;
            if last_ms == time_ms {
                self.points -= self.keys.remove(id).map_or(0, |tracks| tracks.points());
            } else {
                expiry.push(last_ms, (), id);
            }
        }
    }

    #[must_use]
    pub fn key(&self, id: u32) -> &[u8] {
        self.keys.key(id)
    }

    /// Returns the series of a key, to be changed. [`Store::relieve`] has to be called before those of the next key.
    ///
    /// # Errors
    /// When they cannot be read from disk.
    pub fn tracks(&mut self, id: u32) -> Result<&mut [Track], Error> {
        let Self { keys, values, points, .. } = self;
        let tracks = keys.change(id, |from| {
            let tracks = Tracks(track::read_all(from, *values)?);
            *points += tracks.points();
            Some(tracks)
        })?;
        Ok(&mut tracks.0)
    }

    /// Returns the series of a value of a key, to be changed.
    ///
    /// # Errors
    /// When it cannot be read from disk.
    pub fn change(&mut self, id: u32, value: usize) -> Result<&mut Track, Error> {
        Ok(&mut self.tracks(id)?[value])
    }

    /// Sends series to disk if memory is short.
    ///
    /// # Errors
    /// The disk's; when what finds the keys takes all of the memory.
    #[inline]
    pub fn relieve(&mut self) -> Result<(), Error> {
        let points = &mut self.points;
        self.keys.relieve(Tracks::write, |tracks| *points -= tracks.points())
    }

    /// Tells people, at the end, what went to disk.
    pub fn report(&self, out: &mut Out) {
        let written = self.keys.written();
        if written.0 > 0 {
            out.warn(format_args!("{written} of states went to disk"));
        }
    }

    /// Returns how many points the histories in memory have.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Keeps a value in the history of a series, which has at most `max`.
    ///
    /// # Errors
    /// When it cannot be read from disk.
    pub fn keep(&mut self, id: u32, value: usize, time_ms: i64, number: f64, max: usize) -> Result<Taken, Error> {
        let track = self.change(id, value)?;
        let taken = track.history.take(time_ms, number, max);
        track.is_fresh |= taken != Taken::TooOld;
        self.points += usize::from(taken == Taken::Added);
        self.keys.change_head(id).is_fresh |= taken != Taken::TooOld;
        Ok(taken)
    }

    /// Forgets the history of a series and its model.
    ///
    /// # Errors
    /// When it cannot be read from disk.
    pub fn begin_anew(&mut self, id: u32, value: usize) -> Result<(), Error> {
        let track = self.change(id, value)?;
        let points = track.history.len();
        track.history.clear();
        track.live.get_or_insert_default().forget();
        self.points -= points;
        Ok(())
    }

    /// Returns the keys with values since the last call, in the order of their first lines: see [`Store::take_fresh_values`].
    pub fn take_fresh(&mut self) -> Vec<u32> {
        let mut fresh: Vec<(u64, u32)> = Vec::new();
        for id in self.keys.ids() {
            let head = self.keys.head(id);
            if head.is_fresh {
                fresh.push((head.first, id));
            }
        }
        fresh.sort_unstable();
        fresh.into_iter().map(|(_, id)| id).collect()
    }

    /// Returns which series of a key have values since the last call. From now on they have none: a run that goes on after an end
    /// writes no row twice.
    ///
    /// # Errors
    /// When they cannot be read from disk.
    pub fn take_fresh_values(&mut self, id: u32) -> Result<Vec<usize>, Error> {
        self.keys.change_head(id).is_fresh = false;
        let tracks = self.tracks(id)?.iter_mut().enumerate();
        Ok(tracks.filter_map(|(value, track)| std::mem::take(&mut track.is_fresh).then_some(value)).collect())
    }

    /// Gives what changed since the last call: of a key `[last,state]` with `--ttl`, else its state.
    ///
    /// # Errors
    /// When a state cannot be read from disk.
    pub fn save(&mut self, to: &mut Changes) -> Result<(), Error> {
        let is_timed = self.expiry.is_some();
        self.keys.save(to, Tracks::write, |head, out, state| {
            if is_timed {
                out.push(b'[');
                write_signed(head.last_ms, out);
                out.push(b',');
            }
            state(out);
            if is_timed {
                out.push(b']');
            }
        })
    }

    /// Takes an entry of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged; those of [`Store::relieve`].
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let (is_timed, values) = (self.expiry.is_some(), self.values);
        let id = self.keys.load(name, value, |from| read(from, is_timed, values))?;
        self.points += self.keys.value_in_memory(id).map_or(0, Tracks::points);
        if let Some(expiry) = &mut self.expiry {
            expiry.push(self.keys.head(id).last_ms, (), id);
        }
        self.relieve()
    }
}

fn read(from: &mut StateReader<'_>, is_timed: bool, values: usize) -> Option<(Head, Tracks)> {
    let mut last_ms = 0;
    if is_timed {
        from.literal(b"[")?;
        last_ms = from.signed()?;
        from.literal(b",")?;
    }
    let tracks = track::read_all(from, values)?;
    if is_timed {
        from.literal(b"]")?;
    }
    let first = tracks.first().map_or(0, |track| track.first);
    let is_fresh = tracks.iter().any(|track| track.is_fresh);
    Some((Head { last_ms, first, is_fresh }, Tracks(tracks)))
}
