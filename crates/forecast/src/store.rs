//! Keeps what is known of all keys.

use keyed_state::{Expiry, KeyLimit, Keyed, hash};
use millpipe::{Changes, Error};
use values::state_text::{StateReader, write_signed};

use crate::history::Taken;
use crate::track::{self, Track};

/// The series of all keys, and with `--ttl` when they are forgotten.
pub struct Store {
    keys: Keyed<KeyState>,
    expiry: Option<Expiry<()>>,
    /// How many series a key has.
    values: usize,
    /// How many points all histories have.
    points: usize,
}

/// What is kept of a key.
#[derive(Debug, Default)]
struct KeyState {
    /// The latest time of its lines; of interest with `--ttl` only.
    last_ms: i64,
    /// One for each value.
    tracks: Vec<Track>,
}

impl KeyState {
    fn points(&self) -> usize {
        self.tracks.iter().map(|track| track.history.len()).sum()
    }
}

impl Store {
    #[must_use]
    pub fn new(values: usize, keys: KeyLimit, ttl_ms: Option<i64>) -> Self {
        Self { keys: Keyed::new(keys), expiry: ttl_ms.map(Expiry::new), values, points: 0 }
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
                let tracks = tracks(self.values, first);
                let id = self.keys.insert(key, hash, KeyState { last_ms: time_ms, tracks })?;
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
        let state = self.keys.change(id);
        if time_ms >= state.last_ms.saturating_add(expiry.within_ms()) {
            self.points -= state.points();
            state.tracks = tracks(self.values, first);
        }
        state.last_ms = state.last_ms.max(time_ms);
    }

    /// Forgets the keys that are over at this watermark.
    pub fn forget(&mut self, watermark_ms: i64) {
        let Some(expiry) = &mut self.expiry else { return };
        while let Some((time_ms, (), id)) = expiry.pop(watermark_ms) {
            let last_ms = self.keys.get(id).last_ms;
            if last_ms == time_ms {
                self.points -= self.keys.remove(id).points();
            } else {
                expiry.push(last_ms, (), id);
            }
        }
    }

    #[must_use]
    pub fn key(&self, id: u32) -> &[u8] {
        self.keys.key(id)
    }

    #[must_use]
    pub fn tracks(&self, id: u32) -> &[Track] {
        &self.keys.get(id).tracks
    }

    /// Returns the series of a value of a key, to be changed.
    pub fn change(&mut self, id: u32, value: usize) -> &mut Track {
        &mut self.keys.change(id).tracks[value]
    }

    /// Returns how many points all histories have.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// Keeps a value in the history of a series, which has at most `max`.
    pub fn keep(&mut self, id: u32, value: usize, time_ms: i64, number: f64, max: usize) -> Taken {
        let track = &mut self.keys.change(id).tracks[value];
        let taken = track.history.take(time_ms, number, max);
        track.is_fresh |= taken != Taken::TooOld;
        self.points += usize::from(taken == Taken::Added);
        taken
    }

    /// Forgets the history of a series and its model.
    pub fn begin_anew(&mut self, id: u32, value: usize) {
        let track = &mut self.keys.change(id).tracks[value];
        self.points -= track.history.len();
        track.history.clear();
        track.live.get_or_insert_default().forget();
    }

    /// Returns the series with values since the last call, keys in the order of their first lines. From now on they have none:
    /// a run that goes on after an end writes no row twice.
    pub fn take_fresh(&mut self) -> Vec<(u32, usize)> {
        let keys = &self.keys;
        let mut fresh: Vec<(u64, u32, usize)> = Vec::new();
        for id in keys.ids() {
            let tracks = keys.get(id).tracks.iter().enumerate().filter(|(_, track)| track.is_fresh);
            fresh.extend(tracks.map(|(value, track)| (track.first, id, value)));
        }
        fresh.sort_unstable();
        for (_, id, value) in &fresh {
            self.keys.change(*id).tracks[*value].is_fresh = false;
        }
        fresh.into_iter().map(|(_, id, value)| (id, value)).collect()
    }

    /// Gives what changed since the last call: of a key `[last,state]` with `--ttl`, else its state.
    pub fn save(&mut self, to: &mut Changes) {
        let is_timed = self.expiry.is_some();
        self.keys.save(to, |state, out| {
            if is_timed {
                out.push(b'[');
                write_signed(state.last_ms, out);
                out.push(b',');
            }
            track::write_all(&state.tracks, out);
            if is_timed {
                out.push(b']');
            }
        });
    }

    /// Takes an entry of a checkpoint.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn load(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let (is_timed, values) = (self.expiry.is_some(), self.values);
        let id = self.keys.load(name, value, |from| read(from, is_timed, values))?;
        let state = self.keys.get(id);
        self.points += state.points();
        if let Some(expiry) = &mut self.expiry {
            expiry.push(state.last_ms, (), id);
        }
        Ok(())
    }
}

/// Series that begin at the line of this number.
fn tracks(values: usize, first: u64) -> Vec<Track> {
    (0..values).map(|_| Track { first, ..Track::default() }).collect()
}

fn read(from: &mut StateReader<'_>, is_timed: bool, values: usize) -> Option<KeyState> {
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
    Some(KeyState { last_ms, tracks })
}
