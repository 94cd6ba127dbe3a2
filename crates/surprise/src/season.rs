//! Takes a daily or weekly season out of a value, where that helps.

use values::state_text::{StateReader, write_number};

use crate::mean_error::MeanError;
use crate::state;

const HOUR_MS: i64 = 3_600_000;
const DAY: Cycle = Cycle { length_ms: 24 * HOUR_MS, bins: 48 };
const WEEK: Cycle = Cycle { length_ms: 7 * 24 * HOUR_MS, bins: 168 };
/// A season has to make the mean error less than this part of what it is without.
const HELPS: f64 = 0.5;
/// A new visit of a bin moves its value by this part, at least.
const GAIN_MIN: f64 = 0.3;
/// A visit moves its bin as if it were at most so many mean errors away.
const CLIP: f64 = 3.0;

#[derive(Clone, Copy, Debug)]
struct Cycle {
    length_ms: i64,
    bins: i64,
}

impl Cycle {
    fn bin(self, time_ms: i64) -> usize {
        (time_ms.rem_euclid(self.length_ms) / (self.length_ms / self.bins)) as usize
    }
}

/// A profile of the day in half hours, one of the week in hours, and how well each tells a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Season {
    day: Profile,
    week: Profile,
    /// Of the mean of all values, where the profile of the day has one too.
    plain: MeanError,
    mean: f64,
    count: u64,
}

impl Season {
    /// Takes a value with its time. Returns the value that the better profile had for it; none where no profile halves the
    /// mean error.
    pub fn take(&mut self, value: f64, time_ms: i64) -> Option<f64> {
        let (day_bin, week_bin) = (DAY.bin(time_ms), WEEK.bin(time_ms));
        self.day.enter(day_bin, DAY.bins);
        self.week.enter(week_bin, WEEK.bins);
        let (day, week) = (self.day.bin(day_bin), self.week.bin(week_bin));
        let expected = self.better(day, week);
        if day.visits >= 1 {
            self.day.error.take((value - day.value).abs());
            let mean = if self.count == 0 { value } else { self.mean };
            self.plain.take((value - mean).abs());
        }
        if week.visits >= 1 {
            self.week.error.take((value - week.value).abs());
        }
        self.follow(value);
        self.day.add(value);
        self.week.add(value);
        expected
    }

    fn better(&self, day: Bin, week: Bin) -> Option<f64> {
        let (mut best, mut expected) = (HELPS * self.plain.mean(), None);
        if day.visits >= 2 && self.day.error.mean() < best {
            (best, expected) = (self.day.error.mean(), Some(day.value));
        }
        if week.visits >= 1 && self.week.error.count() > 0 && self.week.error.mean() < best {
            expected = Some(week.value);
        }
        expected
    }

    fn follow(&mut self, value: f64) {
        self.count += 1;
        if self.count == 1 {
            self.mean = value;
        }
        let difference = self.plain.clip_signed(value - self.mean);
        self.mean += MeanError::weight(self.count) * difference;
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        (self.day.bins.capacity() + self.week.bins.capacity()) * size_of::<Bin>()
    }

    /// Appends the state.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        self.day.save(out);
        out.push(b',');
        self.week.save(out);
        out.push(b',');
        self.plain.save(out);
        out.push(b',');
        state::write_floats(&[self.mean], out);
        out.push(b',');
        write_number(self.count, out);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let day = Profile::load(from, DAY.bins)?;
        from.literal(b",")?;
        let week = Profile::load(from, WEEK.bins)?;
        from.literal(b",")?;
        let plain = MeanError::load(from)?;
        from.literal(b",")?;
        let [mean] = state::floats(from)?.try_into().ok()?;
        from.literal(b",")?;
        let count = from.count()?;
        from.literal(b"]")?;
        Some(Self { day, week, plain, mean, count })
    }
}

/// What the visits of a bin had as their mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    value: f64,
    /// Those that have ended.
    visits: u32,
}

/// The visit that has not ended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Visit {
    bin: usize,
    sum: f64,
    points: u32,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Profile {
    /// Empty until the first visit has ended.
    bins: Vec<Bin>,
    visit: Visit,
    error: MeanError,
}

impl Profile {
    fn bin(&self, bin: usize) -> Bin {
        self.bins.get(bin).copied().unwrap_or_default()
    }

    fn enter(&mut self, bin: usize, bins: i64) {
        if self.visit.bin != bin && self.visit.points > 0 {
            if self.bins.is_empty() {
                self.bins.resize(bins as usize, Bin::default());
            }
            self.end_visit();
        }
        self.visit.bin = bin;
    }

    fn end_visit(&mut self) {
        let Visit { bin, sum, points } = std::mem::take(&mut self.visit);
        let mean = sum / f64::from(points);
        let error = self.error.mean();
        let bin = &mut self.bins[bin];
        if bin.visits == 0 {
            bin.value = mean;
        } else {
            let mut difference = mean - bin.value;
            if error > 0.0 && bin.visits > 1 {
                difference = difference.clamp(-CLIP * error, CLIP * error);
            }
            bin.value += GAIN_MIN.max(1.0 / (f64::from(bin.visits) + 1.0)) * difference;
        }
        bin.visits = bin.visits.saturating_add(1);
    }

    fn add(&mut self, value: f64) {
        self.visit.sum += value;
        self.visit.points = self.visit.points.saturating_add(1);
    }

    fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        let values: Vec<f64> = self.bins.iter().map(|bin| bin.value).chain([self.visit.sum]).collect();
        state::write_floats(&values, out);
        out.push(b',');
        let place = [self.visit.bin as u32, self.visit.points];
        let visits: Vec<u32> = self.bins.iter().map(|bin| bin.visits).chain(place).collect();
        state::write_words(&visits, out);
        out.push(b',');
        self.error.save(out);
        out.push(b']');
    }

    fn load(from: &mut StateReader<'_>, bins: i64) -> Option<Self> {
        from.literal(b"[")?;
        let values = state::floats(from)?;
        from.literal(b",")?;
        let visits = state::words(from)?;
        from.literal(b",")?;
        let error = MeanError::load(from)?;
        from.literal(b"]")?;
        let (sum, values) = values.split_last()?;
        let (visits, place) = visits.split_last_chunk::<2>()?;
        let fits = visits.len() == values.len() && (values.is_empty() || values.len() as i64 == bins);
        if !fits || i64::from(place[0]) >= bins {
            return None;
        }
        let visit = Visit { bin: place[0] as usize, sum: *sum, points: place[1] };
        let bins = values.iter().zip(visits).map(|(value, visits)| Bin { value: *value, visits: *visits }).collect();
        Some(Self { bins, visit, error })
    }
}
