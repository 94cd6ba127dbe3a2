//! The store: all series and rows that are kept, within limits.

use std::collections::{HashMap, VecDeque};

use crate::picture::{Curve, Panel, Picture, View};
use crate::points::{Point, Points};
use crate::record::{Number, Op, Record};
use crate::rows::Rows;
use crate::scale::AxisKind;
use crate::spec::{Kind, PanelSpec, Rank, Settings};

/// Anomalies that are kept of a series.
const DOTS_MAX: usize = 200;

/// The store. It takes one line after the other; what comes out depends on the lines alone, but for the colours, which stay with a
/// series as long as it is shown.
#[derive(Clone, Debug)]
pub struct Panels {
    settings: Settings,
    /// What x is, by the first line that has one.
    axis: Option<AxisKind>,
    newest: f64,
    places: HashMap<Vec<u8>, usize>,
    keys: Vec<Key>,
    rows: Vec<Rows>,
    /// Whose colour the first is, the second, …: a name has the same one in all panels.
    colours: Vec<Option<String>>,
    lines: u64,
    lines_not_drawn: u64,
    lines_beyond: u64,
}

/// What is kept of a key: a series for each value.
#[derive(Clone, Debug)]
struct Key {
    name: String,
    series: Vec<Series>,
}

#[derive(Clone, Debug)]
struct Series {
    points: Points,
    total: f64,
    dots: VecDeque<Point>,
}

impl Panels {
    /// Makes an empty store.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let tables = settings.panels.iter().filter(|panel| panel.kind == Kind::Table);
        let rows = tables.map(|panel| Rows::new(panel, &settings)).collect();
        Self {
            settings,
            axis: None,
            newest: f64::NEG_INFINITY,
            places: HashMap::new(),
            keys: Vec::new(),
            rows,
            colours: Vec::new(),
            lines: 0,
            lines_not_drawn: 0,
            lines_beyond: 0,
        }
    }

    /// Takes what was read of a line.
    pub fn take(&mut self, record: &Record) {
        self.lines += 1;
        let Some((_, x)) = record.x.filter(|(axis, _)| *self.axis.get_or_insert(*axis) == *axis) else {
            self.lines_not_drawn += 1;
            return;
        };
        if record.op != Op::Remove {
            self.newest = self.newest.max(x);
        }
        self.rows.iter_mut().for_each(|rows| rows.take(record));
        let is_drawn = record.numbers.iter().any(|number| *number != Number::None);
        self.lines_not_drawn += u64::from(!is_drawn);
        let oldest = self.oldest();
        let Some(place) = self.place(record) else {
            self.lines_beyond += 1;
            return;
        };
        let mut extra = Extra::of(record);
        for (series, number) in self.keys[place].series.iter_mut().zip(&record.numbers) {
            series.take(*number, x, record.op, oldest, &mut extra);
        }
    }

    /// The least x that is still wanted.
    fn oldest(&self) -> f64 {
        self.settings.span_ms.map_or(f64::NEG_INFINITY, |span_ms| self.newest - span_ms)
    }

    /// The place of the record's key, which may be a new one.
    fn place(&mut self, record: &Record) -> Option<usize> {
        if let Some(place) = self.places.get(&record.key) {
            return Some(*place);
        }
        if self.keys.len() >= self.settings.keys_max {
            return None;
        }
        let series = Series { points: Points::new(self.settings.points_max), total: 0.0, dots: VecDeque::new() };
        let series = vec![series; self.settings.values.len()];
        self.keys.push(Key { name: record.name.clone(), series });
        self.places.insert(record.key.clone(), self.keys.len() - 1);
        Some(self.keys.len() - 1)
    }

    /// Counts the lines that it has taken.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Returns what is to be drawn of a view.
    pub fn picture(&mut self, view: &View) -> Picture {
        let from = view.from.unwrap_or(f64::NEG_INFINITY).max(self.oldest());
        let to = view.to.unwrap_or(f64::INFINITY);
        let mut tables = 0;
        let mut panels = Vec::new();
        let mut more = 0;
        for spec in &self.settings.panels {
            let (panel, rest) = match spec.kind {
                Kind::Table => {
                    tables += 1;
                    self.table(spec, tables - 1)
                }
                _ => self.panel(spec, (from, to), view),
            };
            panels.push(panel);
            more = more.max(rest);
        }
        colour(&mut self.colours, &mut panels);
        let (least, greatest) = range(&panels);
        Picture {
            title: self.settings.title.clone(),
            axis: self.axis.unwrap_or_default(),
            from: view.from.unwrap_or(least.max(from)),
            to: view.to.unwrap_or(greatest),
            panels,
            notes: self.notes(more),
            lines: self.lines,
        }
    }

    fn table(&self, spec: &PanelSpec, number: usize) -> (Panel, usize) {
        let x_name = match (&self.settings.x, self.axis) {
            (Some(x), _) => x.name(),
            (None, Some(AxisKind::Time)) => "time".to_owned(),
            (None, _) => "line".to_owned(),
        };
        let (table, more) =
            self.rows.get(number).map(|rows| rows.table(self.settings.top, &x_name)).unwrap_or_default();
        // Rows without a key are never counted: those not shown are simply older.
        let more = if self.settings.by.is_empty() { 0 } else { more };
        (Panel { kind: spec.kind, title: spec.title.clone(), curves: Vec::new(), table: Some(table) }, more)
    }

    fn panel(&self, spec: &PanelSpec, range: (f64, f64), view: &View) -> (Panel, usize) {
        let mut ranked = self.ranks(spec);
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.name.cmp(&b.1.name)));
        let more = ranked.len().saturating_sub(self.settings.top);
        ranked.truncate(self.settings.top);
        let of_key = |(_, key): &(f64, &Key)| {
            let series = spec.values.iter().zip(&spec.names).map(|(value, name)| (&key.series[*value], name));
            let with_points = series.filter(|(series, _)| series.has_points());
            with_points
                .map(|(series, value)| series.curve(self.name(key, value, spec), range, view))
                .collect::<Vec<_>>()
        };
        let curves = ranked.iter().flat_map(of_key).collect();
        (Panel { kind: spec.kind, title: spec.title.clone(), curves, table: None }, more)
    }

    fn name(&self, key: &Key, value: &str, spec: &PanelSpec) -> String {
        match (self.settings.by.is_empty(), spec.values.len()) {
            (true, _) => value.to_owned(),
            (false, 1) => key.name.clone(),
            (false, _) => format!("{} · {value}", key.name),
        }
    }

    /// The keys that have points in this panel, each with its rank: that of its first value with points.
    fn ranks(&self, spec: &PanelSpec) -> Vec<(f64, &Key)> {
        let rank = |key: &Key| {
            let mut series = spec.values.iter().map(|value| &key.series[*value]);
            series.find(|series| series.has_points()).map(|series| series.rank(self.settings.rank))
        };
        self.keys.iter().filter_map(|key| Some((rank(key)?, key))).collect()
    }

    fn notes(&self, more: usize) -> Vec<String> {
        let note = |count: u64, text: String| (count > 0).then_some(text);
        let by = match self.settings.rank {
            Rank::Last => "last value",
            Rank::Total => "total",
        };
        let first = match self.settings.top {
            1 => "the first".to_owned(),
            top => format!("the first {top}"),
        };
        let mut notes = Vec::new();
        let others = counted(more as u64, "other key");
        notes.extend(note(more as u64, format!("{first} by {by}; {others} not shown")));
        let beyond = counted(self.lines_beyond, "line");
        let keys = self.settings.keys_max;
        notes.extend(note(self.lines_beyond, format!("{beyond} of keys beyond --max-keys {keys} not shown")));
        let lines = counted(self.lines_not_drawn, "line");
        notes.extend(note(self.lines_not_drawn, format!("{lines} without an x or a number not shown")));
        notes
    }
}

/// `1 line`, `2 lines`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Gives each name a colour: the one it had, or the first that is free.
fn colour(taken: &mut Vec<Option<String>>, panels: &mut [Panel]) {
    let names: Vec<String> = panels.iter().flat_map(|panel| &panel.curves).map(|curve| curve.name.clone()).collect();
    taken.iter_mut().for_each(|owner| *owner = owner.take().filter(|owner| names.contains(owner)));
    for curve in panels.iter_mut().flat_map(|panel| &mut panel.curves) {
        let own = taken.iter().position(|owner| owner.as_deref() == Some(&curve.name));
        curve.slot = own.or_else(|| taken.iter().position(Option::is_none)).unwrap_or(taken.len());
        match taken.get_mut(curve.slot) {
            Some(owner) => *owner = Some(curve.name.clone()),
            None => taken.push(Some(curve.name.clone())),
        }
    }
}

/// The least and the greatest x of all points.
fn range(panels: &[Panel]) -> (f64, f64) {
    let points = panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
    let (least, greatest) = points.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, greatest), point| {
        (least.min(point.x), greatest.max(point.x))
    });
    if least <= greatest { (least, greatest) } else { (0.0, 0.0) }
}

/// What a line has only once, whatever its number of values: the first value that is there has it.
struct Extra {
    band: Option<(f64, f64)>,
    is_anomaly: bool,
}

impl Extra {
    fn of(record: &Record) -> Self {
        let band = (!record.low.is_nan()).then_some((record.low, record.high));
        Self { band, is_anomaly: record.is_anomaly }
    }
}

impl Series {
    fn take(&mut self, number: Number, x: f64, op: Op, oldest: f64, extra: &mut Extra) {
        let mut point = Point::new(x, f64::NAN);
        match number {
            Number::None => return,
            Number::Gap => {}
            Number::Is(y) => {
                point.y = y;
                (point.low, point.high) = extra.band.take().unwrap_or((f64::NAN, f64::NAN));
                self.total += if op == Op::Remove { -y } else { y };
            }
        }
        match op {
            Op::Remove => self.points.remove(x),
            Op::Set => self.points.replace(point, oldest),
            Op::None => self.points.add(point, oldest),
        }
        if op != Op::Remove && !point.y.is_nan() && std::mem::take(&mut extra.is_anomaly) {
            self.dots.push_back(point);
            if self.dots.len() > DOTS_MAX {
                self.dots.pop_front();
            }
        }
    }

    fn has_points(&self) -> bool {
        self.points.last().is_some()
    }

    fn rank(&self, rank: Rank) -> f64 {
        match rank {
            Rank::Last => self.points.last().map_or(f64::NEG_INFINITY, |point| point.y),
            Rank::Total => self.total,
        }
    }

    fn curve(&self, name: String, (from, to): (f64, f64), view: &View) -> Curve {
        Curve {
            is_hidden: view.hidden.contains(&name),
            name,
            slot: 0,
            points: self.points.between(from, to).to_vec(),
            dots: self.dots.iter().filter(|dot| (from..=to).contains(&dot.x)).copied().collect(),
            last: self.points.last().map_or(f64::NAN, |point| point.y),
        }
    }
}

#[cfg(test)]
mod tests;
