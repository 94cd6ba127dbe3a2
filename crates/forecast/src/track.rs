//! What is kept of a series, and its text in a checkpoint: `[first,[time,value,…],0 or 1,live]`.

use values::state_text::{StateReader, write_float, write_items, write_number, write_signed};

use forecasting::Model;
use forecasting::accuracy::Accuracy;

use crate::history::History;
use crate::live::Live;
use crate::rows::Expected;

/// The values of a series, and with `--emit update` or `--check` its model.
#[derive(Debug, Default)]
pub struct Track {
    /// The number of the first line of its key.
    pub first: u64,
    pub history: History,
    /// Values came since rows were written at the end of an input.
    pub is_fresh: bool,
    pub live: Option<Box<Live>>,
}

impl Track {
    pub fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.first, out);
        out.extend_from_slice(b",[");
        for (number, (time_ms, value)) in self.history.points().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write_signed(time_ms, out);
            out.push(b',');
            write_float(value, out);
        }
        out.extend_from_slice(if self.is_fresh { b"],1," } else { b"],0," });
        match &self.live {
            Some(live) => live.write(out),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b']');
    }

    pub fn read(from: &mut StateReader<'_>) -> Option<Track> {
        from.literal(b"[")?;
        let first = from.number()?;
        from.literal(b",")?;
        let mut history = History::default();
        from.items(|from| {
            let time_ms = from.signed()?;
            from.literal(b",")?;
            history.restore(time_ms, from.float().filter(|value| value.is_finite())?)
        })?;
        from.literal(b",")?;
        let is_fresh = from.number().filter(|number| *number < 2)? == 1;
        from.literal(b",")?;
        let live = match from.literal(b"null") {
            Some(()) => None,
            None => Some(Box::new(Live::read(from)?)),
        };
        from.literal(b"]")?;
        Some(Track { first, history, is_fresh, live })
    }
}

/// Appends the series of a key: of several values as an array.
pub fn write_all(tracks: &[Track], out: &mut Vec<u8>) {
    match tracks {
        [track] => track.write(out),
        _ => write_items(tracks, out, Track::write),
    }
}

/// Reads what [`write_all`] wrote of so many values.
pub fn read_all(from: &mut StateReader<'_>, values: usize) -> Option<Vec<Track>> {
    if values == 1 {
        return Some(vec![Track::read(from)?]);
    }
    let mut tracks = Vec::with_capacity(values);
    from.items(|from| {
        tracks.push(Track::read(from)?);
        Some(())
    })?;
    (tracks.len() == values).then_some(tracks)
}

impl Live {
    /// `[fitted,since,[numbers of the accuracy, scale],[numbers of the model],[[mean,lower,upper,…],…]]`
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        write_number(self.fitted, out);
        out.push(b',');
        write_number(self.since, out);
        out.push(b',');
        let mut accuracy = self.accuracy.numbers();
        accuracy.push(self.scale);
        write_floats(&accuracy, out);
        out.push(b',');
        write_floats(&self.model.as_ref().map(Model::numbers).unwrap_or_default(), out);
        out.extend_from_slice(b",[");
        for (number, expected) in self.expected.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write_floats(&expected.as_ref().map(numbers).unwrap_or_default(), out);
        }
        out.extend_from_slice(b"]]");
    }

    fn read(from: &mut StateReader<'_>) -> Option<Live> {
        from.literal(b"[")?;
        let fitted = from.number()?;
        from.literal(b",")?;
        let since = from.number()?;
        from.literal(b",")?;
        let mut accuracy = read_floats(from)?;
        let scale = accuracy.pop()?;
        let accuracy = Accuracy::of_numbers(&accuracy)?;
        from.literal(b",")?;
        let model = read_floats(from)?;
        let model = if model.is_empty() { None } else { Some(Model::of_numbers(&model)?) };
        from.literal(b",")?;
        let mut live = Live { model, fitted, since, scale, accuracy, ..Live::default() };
        from.items(|from| {
            live.expected.push_back(expected(&read_floats(from)?));
            Some(())
        })?;
        from.literal(b"]")?;
        Some(live)
    }
}

fn numbers(expected: &Expected) -> Vec<f64> {
    let bounds = expected.bounds.iter().flat_map(|(lower, upper)| [*lower, *upper]);
    std::iter::once(expected.mean).chain(bounds).collect()
}

/// None for a step of which nothing was expected.
fn expected(numbers: &[f64]) -> Option<Expected> {
    let (mean, bounds) = numbers.split_first()?;
    Some(Expected { mean: *mean, bounds: bounds.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect() })
}

fn write_floats(floats: &[f64], out: &mut Vec<u8>) {
    write_items(floats, out, |float, out| write_float(*float, out));
}

fn read_floats(from: &mut StateReader<'_>) -> Option<Vec<f64>> {
    let mut floats = Vec::new();
    from.items(|from| {
        floats.push(from.float()?);
        Some(())
    })?;
    Some(floats)
}
