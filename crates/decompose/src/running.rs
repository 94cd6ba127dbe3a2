//! Trend and seasons that go along with a series.
//!
//! Exponential smoothing with a trend and several seasons, in its error-correction form (Holt 1957, Winters 1960; several seasons:
//! Taylor, "Short-term electricity demand forecasting using double seasonal exponential smoothing", 2003). Each point is
//! compared with what was expected; level, slope and seasons take a share of the difference. Errors are cut off at three times
//! their usual size (after Gelper, Fried and Croux, "Robust forecasting with exponential and Holt-Winters smoothing", 2010),
//! so that an outlier moves nothing much; what does not go away is believed: a level that stays ([`Shift`]), and a place
//! of the season that is other three times in a row ([`Season::judge`]).

use values::state_text::{StateReader, write_finite, write_items, write_number};

use crate::parts::{Parts, SEASONS_MAX, strength};
use crate::season::Season;
use crate::shift::Shift;

/// The largest error that counts, in multiples of the usual one.
const ERROR_MAX: f64 = 3.0;
/// Below this share of the seasons' size an error is not unusual, however small errors usually are.
const UNUSUAL_MIN: f64 = 0.01;
/// The standard deviation of normal errors in units of their mean size.
const DEVIATIONS: f64 = 1.253_314_137_315_500_3;
/// The points for each season through which a straight line would smooth the trend as much.
const TREND_PACE: f64 = 1.5;
const TREND_WEIGHT_MAX: f64 = 0.25;

/// The state after the last point.
#[derive(Clone, Debug, PartialEq)]
pub struct Running {
    /// How many steps there were, those without a point too.
    points: u64,
    level: f64,
    slope: f64,
    /// The mean size of errors.
    error: f64,
    /// The mean square of errors, and of what the seasons should explain.
    rest_power: f64,
    all_power: f64,
    shift: Shift,
    /// The shortest first; at least one.
    seasons: Vec<Season>,
}

/// What a series begins with.
#[derive(Clone, Debug)]
pub struct Start {
    pub points: u64,
    pub level: f64,
    pub slope: f64,
    pub error: f64,
    pub rest_power: f64,
    pub all_power: f64,
    pub seasons: Vec<Season>,
}

impl Running {
    pub fn new(start: Start) -> Self {
        let Start { points, level, slope, error, rest_power, all_power, seasons } = start;
        Self { points, level, slope, error, rest_power, all_power, shift: Shift::default(), seasons }
    }

    /// Returns how many seasons there are.
    pub fn seasons(&self) -> usize {
        self.seasons.len()
    }

    /// Returns the lengths of the seasons.
    pub fn lengths(&self) -> impl Iterator<Item = usize> {
        self.seasons.iter().map(Season::len)
    }

    fn longest(&self) -> f64 {
        self.seasons.last().map_or(1.0, |season| season.len() as f64)
    }

    /// Takes a point that comes a number of steps (at least one) after the last one. Those between count as expected.
    pub fn take(&mut self, value: f64, steps: u64) -> Parts {
        self.points += steps;
        self.level += self.slope * steps as f64;
        self.seasons.iter_mut().for_each(|season| season.go(steps));
        let season: f64 = self.seasons.iter().map(Season::value).sum();
        let mut error = value - self.level - season;
        let usual = DEVIATIONS * self.error;
        let limit = (ERROR_MAX * usual).max(UNUSUAL_MIN * self.all_power.sqrt());
        error -= self.believe(error, limit);
        if let Some(height) = self.shift.take(error, usual) {
            self.level += height;
            error -= height;
        }
        let cut = if limit > 0.0 { error.clamp(-limit, limit) } else { error };
        self.observe(cut);
        self.correct(cut);
        self.parts(value)
    }

    /// Corrects the places of seasons that are other than they were three times in a row. Returns by how much in all.
    #[inline]
    fn believe(&mut self, error: f64, limit: f64) -> f64 {
        let mut rest = error;
        for season in &mut self.seasons {
            let wrong = season.judge(self.points, rest, rest.abs() > limit);
            if wrong != 0.0 {
                rest -= wrong;
                self.level += season.add(wrong);
            }
        }
        error - rest
    }

    /// Takes the sizes of errors, against the seasons as they were before this point: what follows noise explains nothing.
    #[inline]
    fn observe(&mut self, cut: f64) {
        let longest = self.longest();
        let points = self.points as f64;
        // An error that is cut off makes the usual size grow, so that a series that has become noisier is ordinary again.
        self.error += (cut.abs() - self.error) / points.min((4.0 * longest).max(40.0));
        let rate = 1.0 / points.min(10.0 * longest);
        let season: f64 = self.seasons.iter().map(Season::value).sum();
        let all = season + cut;
        self.rest_power += rate * (cut * cut - self.rest_power);
        self.all_power += rate * (all * all - self.all_power);
    }

    #[inline]
    fn correct(&mut self, cut: f64) {
        let weight = (TREND_PACE / self.longest()).min(TREND_WEIGHT_MAX);
        self.level += weight * (2.0 - weight) * cut;
        self.slope += weight * weight * cut;
        for season in &mut self.seasons {
            let change = season.rate(self.points) * cut;
            self.level += season.add(change);
        }
    }

    /// Returns the parts of the last point.
    pub fn parts(&self, value: f64) -> Parts {
        let mut parts = Parts { trend: self.level, ..Parts::default() };
        let places = parts.seasons.iter_mut().zip(&mut parts.lengths);
        for ((part, length), season) in places.zip(&self.seasons) {
            *part = season.value();
            *length = season.len() as u32;
        }
        parts.season = parts.seasons.iter().sum();
        parts.remainder = value - parts.trend - parts.season;
        parts.strength = strength(self.rest_power, self.all_power, self.level);
        parts
    }

    /// Returns what it takes in memory beside its own size, about.
    pub fn heap_bytes(&self) -> usize {
        self.seasons.capacity() * size_of::<Season>() + self.seasons.iter().map(Season::heap_bytes).sum::<usize>()
    }

    /// Appends `[points,level,slope,error,rest,all,shift,[season,…]]`.
    pub fn save(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.points, out);
        for value in [self.level, self.slope, self.error, self.rest_power, self.all_power] {
            out.push(b',');
            write_finite(value, out);
        }
        out.push(b',');
        self.shift.save(out);
        out.push(b',');
        write_items(&self.seasons, out, Season::save);
        out.push(b']');
    }

    /// Takes what `save` wrote.
    pub fn load(from: &mut StateReader<'_>) -> Option<Self> {
        from.literal(b"[")?;
        let points = from.count()?;
        let mut numbers = [0.0; 5];
        for number in &mut numbers {
            from.literal(b",")?;
            *number = from.finite()?;
        }
        let [level, slope, error, rest_power, all_power] = numbers;
        from.literal(b",")?;
        let shift = Shift::load(from)?;
        from.literal(b",")?;
        let mut seasons = Vec::new();
        from.items(|from| {
            seasons.push(Season::load(from)?);
            Some(())
        })?;
        from.literal(b"]")?;
        let is_right = (1..=SEASONS_MAX).contains(&seasons.len());
        is_right.then_some(Self { points, level, slope, error, rest_power, all_power, shift, seasons })
    }
}
