//! The points of one series: at most so many, over all of its x.

/// One point. What is not there is NaN: `y` where the line had null, which leaves a gap, `low` and `high` without a band.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub x: f64,
    pub y: f64,
    pub low: f64,
    pub high: f64,
}

impl Point {
    /// Makes a point without a band.
    #[must_use]
    pub fn new(x: f64, y: f64) -> Self {
        Self { x, y, low: f64::NAN, high: f64::NAN }
    }
}

/// The points of a series in the order of x, those of one x in the order in which they came.
///
/// When there are more than `max`, the range of x is divided into `max / 4` pieces, and of each piece the least and the
/// greatest y stay (a min-max decimation), and one gap if there is one; so a peak is never lost. It happens again and again; so old points are sparse, and the
/// newest are all there. A point costs a constant time on average.
#[derive(Clone, Debug)]
pub struct Points {
    kept: Vec<Point>,
    max: usize,
}

impl Points {
    /// Keeps at most `max` points, or eight where that is less.
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { kept: Vec::new(), max: max.max(8) }
    }

    /// Adds a point. `oldest` is the least x that is still wanted.
    pub fn add(&mut self, point: Point, oldest: f64) {
        let place = match self.kept.last() {
            Some(last) if last.x > point.x => self.kept.partition_point(|kept| kept.x <= point.x),
            _ => self.kept.len(),
        };
        self.kept.insert(place, point);
        if self.kept.len() > self.max {
            self.forget_before(oldest);
        }
        let mut pieces = self.max / 4;
        while self.kept.len() > self.max && pieces > 0 {
            self.kept = thinned(&self.kept, pieces);
            pieces /= 2;
        }
    }

    /// Puts a point in the place of those with its x.
    pub fn replace(&mut self, point: Point, oldest: f64) {
        self.remove(point.x);
        self.add(point, oldest);
    }

    /// Removes the points with this x.
    pub fn remove(&mut self, x: f64) {
        let start = self.kept.partition_point(|kept| kept.x < x);
        let end = self.kept.partition_point(|kept| kept.x <= x);
        self.kept.drain(start..end);
    }

    fn forget_before(&mut self, oldest: f64) {
        let start = self.kept.partition_point(|kept| kept.x < oldest);
        self.kept.drain(..start);
    }

    /// Returns the points from `from` to `to`, and one beyond each end, so that lines go on to the edge.
    #[must_use]
    pub fn between(&self, from: f64, to: f64) -> &[Point] {
        let start = self.kept.partition_point(|kept| kept.x < from).saturating_sub(1);
        let end = (self.kept.partition_point(|kept| kept.x <= to) + 1).min(self.kept.len());
        self.kept.get(start..end).unwrap_or_default()
    }

    /// Returns the last point that has a number.
    #[must_use]
    pub fn last(&self) -> Option<&Point> {
        self.kept.iter().rev().find(|point| !point.y.is_nan())
    }

    /// Returns all points.
    #[must_use]
    pub fn all(&self) -> &[Point] {
        &self.kept
    }
}

/// Divides the range of x into pieces, and keeps of each the least and the greatest y, and one gap, in the order of x.
#[must_use]
pub fn thinned(points: &[Point], pieces: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    let per_piece = pieces as f64 / (last.x - first.x);
    // A cast of NaN gives 0: all of one x are one piece.
    let piece_of = |point: &Point| (((point.x - first.x) * per_piece) as usize).min(pieces.saturating_sub(1));
    let mut kept = Vec::with_capacity(2 * pieces.min(points.len()));
    for piece in points.chunk_by(|a, b| piece_of(a) == piece_of(b)) {
        keep_extremes(piece, &mut kept);
    }
    kept
}

fn keep_extremes(piece: &[Point], kept: &mut Vec<Point>) {
    let numbers = || piece.iter().enumerate().filter(|(_, point)| !point.y.is_nan());
    let least = numbers().min_by(|a, b| a.1.y.total_cmp(&b.1.y)).map(|(place, _)| place);
    let greatest = numbers().max_by(|a, b| a.1.y.total_cmp(&b.1.y)).map(|(place, _)| place);
    let gap = piece.iter().position(|point| point.y.is_nan());
    let mut places: Vec<usize> = [least, greatest, gap].into_iter().flatten().collect();
    places.sort_unstable();
    places.dedup();
    kept.extend(places.into_iter().filter_map(|place| piece.get(place)));
}

#[cfg(test)]
mod tests;
