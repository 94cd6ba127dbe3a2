//! Which windows a time belongs to, and how slices make windows.
//!
//! A slice is a piece of time that no window's edge cuts: what is aggregated per slice can be put
//! together to every window (Carbone et al., "Cutty", 2016; Traub et al., "Scotty", 2018).

use crate::{Calendar, CalendarUnit, Timezone, Window, WindowSize};
use units::format_duration;

/// The most windows that one line may be in.
const WINDOWS_MAX: i64 = 10_000;
/// The most slices that one window may be made of.
const SLICES_MAX: i64 = 1_000_000;
/// The longest window: a hundred years.
const SIZE_MS_MAX: i64 = 36_525 * DAY_MS;
const DAY_MS: i64 = 86_400_000;
/// From the epoch, a Thursday, to the first Monday.
const MONDAY_MS: i64 = 4 * DAY_MS;

/// Sizes that do not go together; the text says what would.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}: {hint}")]
pub struct WindowingError {
    pub message: String,
    pub hint: String,
}

fn wrong<T>(message: String, hint: &str) -> Result<T, WindowingError> {
    let hint = hint.to_owned();
    Err(WindowingError { message, hint })
}

/// An assignment of times to windows. Times lie in the years 0000 to 9999.
///
/// Windows are aligned to the epoch, or to midnight in the timezone where one is given, plus the
/// offset. Without a timezone days are UTC days, and weeks start on Monday.
#[derive(Debug, Clone)]
pub struct Windowing {
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Windows of `size` every `slide`; tumbling when the two are equal.
    Sliding {
        size_ms: i64,
        slide_ms: i64,
        slice_ms: i64,
        offset_ms: i64,
    },
    /// From a frame's start to each of its steps.
    Cumulating {
        size_ms: i64,
        step_ms: i64,
        offset_ms: i64,
    },
    Calendar(Calendar),
    /// A calendar window cut into steps from its start, the last one cut at its end; windows are
    /// the steps, or when cumulating all from the start up to each of them.
    CalendarSteps {
        calendar: Calendar,
        step_ms: i64,
        cumulating: bool,
    },
}

impl Windowing {
    /// Windows that follow each other. A fixed size with a timezone starts anew at each midnight
    /// there, and must divide a day.
    pub fn tumbling(size: WindowSize, zone: Option<Timezone>, offset_ms: i64) -> Result<Self, WindowingError> {
        let kind = match (size, zone) {
            (WindowSize::Fixed { size_ms }, Some(zone)) => {
                if !(1..=DAY_MS).contains(&size_ms) || DAY_MS % size_ms != 0 {
                    let message = format!("size {size} does not divide a day");
                    return wrong(message, "a timezone needs a size of days, weeks, months or one that divides a day");
                }
                let calendar = Calendar::new(CalendarUnit::Day, 1, zone, offset_ms);
                Kind::CalendarSteps { calendar, step_ms: size_ms, cumulating: false }
            }
            (WindowSize::Calendar { unit, count }, zone) if zone.is_some() || unit == CalendarUnit::Month => {
                Kind::Calendar(Calendar::new(unit, count, zone.unwrap_or(Timezone::UTC), offset_ms))
            }
            _ => {
                let (size_ms, aligned_ms) = plain_size(size)?;
                let offset_ms = aligned_ms + offset_ms;
                Kind::Sliding { size_ms, slide_ms: size_ms, slice_ms: size_ms, offset_ms }
            }
        };
        Ok(Self { kind })
    }

    /// Windows of `size` that start every `slide_ms`.
    pub fn hopping(size: WindowSize, slide_ms: i64, offset_ms: i64) -> Result<Self, WindowingError> {
        let (size_ms, aligned_ms) = plain_size(size)?;
        let slide = format_duration(slide_ms);
        if slide_ms <= 0 {
            return wrong(format!("slide {slide} is zero"), "say 1s or more");
        }
        if slide_ms > size_ms {
            let message = format!("slide {slide} is longer than size {size}");
            return wrong(message, "times between two windows would be in none");
        }
        let slice_ms = greatest_common_divisor(size_ms, slide_ms);
        if size_ms / slide_ms > WINDOWS_MAX || size_ms / slice_ms > SLICES_MAX {
            let message = format!("slide {slide} is too fine for size {size}");
            return wrong(message, "a line may be in 10000 windows, a window have 1000000 slices");
        }
        let offset_ms = aligned_ms + offset_ms;
        Ok(Self { kind: Kind::Sliding { size_ms, slide_ms, slice_ms, offset_ms } })
    }

    /// Windows from the start of each `size` up to each step in it.
    pub fn cumulate(
        size: WindowSize,
        step_ms: i64,
        zone: Option<Timezone>,
        offset_ms: i64,
    ) -> Result<Self, WindowingError> {
        let (least_ms, aligned_ms) = match (size, &zone) {
            (WindowSize::Calendar { unit, count }, Some(_))
            | (WindowSize::Calendar { unit: unit @ CalendarUnit::Month, count }, None) => (unit.least_ms() * count, 0),
            (WindowSize::Fixed { .. }, Some(_)) => {
                let message = format!("size {size} in a timezone cannot cumulate");
                return wrong(message, "say 1d, 1w or 1mo, or leave the timezone away");
            }
            _ => plain_size(size)?,
        };
        let step = format_duration(step_ms);
        if step_ms <= 0 || least_ms % step_ms != 0 {
            let message = format!("step {step} does not divide size {size}");
            return wrong(message, "every window must end on a step");
        }
        if least_ms / step_ms > WINDOWS_MAX {
            let message = format!("step {step} is too fine for size {size}");
            return wrong(message, "a line may be in 10000 windows");
        }
        let kind = match size {
            WindowSize::Calendar { unit, count } if zone.is_some() || unit == CalendarUnit::Month => {
                let calendar = Calendar::new(unit, count, zone.unwrap_or(Timezone::UTC), offset_ms);
                Kind::CalendarSteps { calendar, step_ms, cumulating: true }
            }
            _ => Kind::Cumulating { size_ms: least_ms, step_ms, offset_ms: aligned_ms + offset_ms },
        };
        Ok(Self { kind })
    }

    /// Whether every time is in exactly one window.
    pub fn is_tumbling(&self) -> bool {
        match &self.kind {
            Kind::Sliding { size_ms, slide_ms, .. } => size_ms == slide_ms,
            Kind::Cumulating { size_ms, step_ms, .. } => size_ms == step_ms,
            Kind::Calendar(_) => true,
            Kind::CalendarSteps { cumulating, .. } => !cumulating,
        }
    }

    /// Puts the windows that hold `time_ms` into `windows`, in ascending order.
    pub fn windows_of(&mut self, time_ms: i64, windows: &mut Vec<Window>) {
        windows.clear();
        match &mut self.kind {
            Kind::Sliding { size_ms, slide_ms, offset_ms, .. } => {
                let last_ms = floor(time_ms, *slide_ms, *offset_ms);
                let count = (*size_ms - (time_ms - last_ms) - 1) / *slide_ms;
                let starts = (0..=count).rev().map(|i| last_ms - i * *slide_ms);
                windows.extend(starts.map(|start_ms| Window::new(start_ms, start_ms + *size_ms)));
            }
            Kind::Cumulating { size_ms, step_ms, offset_ms } => {
                let start_ms = floor(time_ms, *size_ms, *offset_ms);
                cumulated(Window::new(start_ms, start_ms + *size_ms), time_ms, *step_ms, windows);
            }
            Kind::Calendar(calendar) => windows.push(calendar.window_of(time_ms)),
            Kind::CalendarSteps { calendar, step_ms, cumulating } => {
                let frame = calendar.window_of(time_ms);
                if *cumulating {
                    cumulated(frame, time_ms, *step_ms, windows);
                } else {
                    windows.push(step_of(frame, time_ms, *step_ms));
                }
            }
        }
    }

    /// The slice that holds `time_ms`. Every window is a union of slices; a tumbling one is one.
    #[inline]
    pub fn slice_of(&mut self, time_ms: i64) -> Window {
        match &mut self.kind {
            Kind::Sliding { slice_ms, offset_ms, .. } => {
                let start_ms = floor(time_ms, *slice_ms, *offset_ms);
                Window::new(start_ms, start_ms + *slice_ms)
            }
            Kind::Cumulating { size_ms, step_ms, offset_ms } => {
                let start_ms = floor(time_ms, *size_ms, *offset_ms);
                step_of(Window::new(start_ms, start_ms + *size_ms), time_ms, *step_ms)
            }
            Kind::Calendar(calendar) => calendar.window_of(time_ms),
            Kind::CalendarSteps { calendar, step_ms, .. } => step_of(calendar.window_of(time_ms), time_ms, *step_ms),
        }
    }
}

/// The length of a size where days have 24 hours, and how far its windows are from the epoch.
fn plain_size(size: WindowSize) -> Result<(i64, i64), WindowingError> {
    let (size_ms, aligned_ms) = match size {
        WindowSize::Fixed { size_ms } => (size_ms, 0),
        WindowSize::Calendar { unit: CalendarUnit::Day, count } => (count * DAY_MS, 0),
        WindowSize::Calendar { unit: CalendarUnit::Week, count } => (count * 7 * DAY_MS, MONDAY_MS),
        WindowSize::Calendar { unit: CalendarUnit::Month, .. } => {
            let message = format!("size {size} cannot hop");
            return wrong(message, "months differ in length, say 30d");
        }
    };
    if size_ms <= 0 {
        return wrong(format!("size {size} is zero"), "say 1ms or more");
    }
    if size_ms > SIZE_MS_MAX {
        return wrong(format!("size {size} is too long"), "a hundred years at most");
    }
    Ok((size_ms, aligned_ms))
}

#[inline]
fn floor(time_ms: i64, unit_ms: i64, offset_ms: i64) -> i64 {
    time_ms - (time_ms - offset_ms).rem_euclid(unit_ms)
}

fn step_of(frame: Window, time_ms: i64, step_ms: i64) -> Window {
    let start_ms = floor(time_ms, step_ms, frame.start_ms);
    Window::new(start_ms, frame.end_ms.min(start_ms + step_ms))
}

fn cumulated(frame: Window, time_ms: i64, step_ms: i64, windows: &mut Vec<Window>) {
    let mut end_ms = step_of(frame, time_ms, step_ms).end_ms;
    windows.push(Window::new(frame.start_ms, end_ms));
    while end_ms < frame.end_ms {
        end_ms = frame.end_ms.min(end_ms + step_ms);
        windows.push(Window::new(frame.start_ms, end_ms));
    }
}

fn greatest_common_divisor(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests;
