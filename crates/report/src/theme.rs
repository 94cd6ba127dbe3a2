//! Colours. A drawing has names of colours (CSS variables), so one drawing is light or dark as its reader wants it.
//!
//! The colours of series are those of Okabe and Ito (Color Universal Design, 2008), which people with any kind of colour vision tell
//! apart, without the yellow that is too light on white. From the ninth series on they come again, with dashes. Heat maps have
//! viridis, whose lightness grows evenly.

use std::fmt::Write;

/// Colours of series until they come again.
pub const COLOURS: usize = 8;

const LIGHT: [&str; COLOURS] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00", "#666666"];
const DARK: [&str; COLOURS] = ["#4da6e0", "#ff8a3d", "#2bc79a", "#e59cc5", "#f5b83d", "#8fd0f7", "#d8c04a", "#bbbbbb"];

/// Viridis from dark to light.
pub const HEAT: [(u8, u8, u8); 16] = [
    (68, 1, 84),
    (72, 23, 105),
    (72, 42, 119),
    (68, 60, 129),
    (62, 76, 138),
    (55, 91, 141),
    (48, 105, 142),
    (42, 118, 142),
    (37, 132, 142),
    (31, 146, 140),
    (31, 160, 136),
    (48, 173, 129),
    (81, 186, 116),
    (124, 198, 96),
    (173, 207, 68),
    (253, 231, 37),
];

/// What has a colour of its own. In a drawing that is not finished it is an RGB value that no picture has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Background,
    Text,
    /// Text that matters less.
    Soft,
    Grid,
    /// Anomalies.
    Mark,
    Series(usize),
}

/// The first byte of the RGB values that stand for names.
const STANDS_FOR: u8 = 0x51;
const SERIES: u8 = 5;

impl Ink {
    /// Returns the RGB value that stands for it until the drawing is finished.
    #[must_use]
    pub fn rgb(self) -> (u8, u8, u8) {
        let (kind, number) = match self {
            Ink::Background => (0, 0),
            Ink::Text => (1, 0),
            Ink::Soft => (2, 0),
            Ink::Grid => (3, 0),
            Ink::Mark => (4, 0),
            Ink::Series(slot) => (SERIES, (slot % (2 * COLOURS)) as u8),
        };
        (STANDS_FOR, kind, number)
    }

    /// Returns the name of its variable.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Ink::Background => "bg".to_owned(),
            Ink::Text => "ink".to_owned(),
            Ink::Soft => "soft".to_owned(),
            Ink::Grid => "grid".to_owned(),
            Ink::Mark => "mark".to_owned(),
            Ink::Series(slot) => format!("s{}", slot % COLOURS),
        }
    }

    fn is_dashed(self) -> bool {
        matches!(self, Ink::Series(slot) if slot % (2 * COLOURS) >= COLOURS)
    }

    /// The ink that an RGB value in hexadecimal stands for.
    fn of_rgb(hex: &str) -> Option<Self> {
        let byte = |from: usize| u8::from_str_radix(hex.get(from..from + 2)?, 16).ok();
        match (byte(0)?, byte(2)?, byte(4)?) {
            (STANDS_FOR, 0, _) => Some(Ink::Background),
            (STANDS_FOR, 1, _) => Some(Ink::Text),
            (STANDS_FOR, 2, _) => Some(Ink::Soft),
            (STANDS_FOR, 3, _) => Some(Ink::Grid),
            (STANDS_FOR, 4, _) => Some(Ink::Mark),
            (STANDS_FOR, SERIES, slot) => Some(Ink::Series(slot.into())),
            _ => None,
        }
    }
}

/// Puts names in the place of the RGB values that stand for them.
#[must_use]
pub fn with_names(svg: &str) -> String {
    let mut text = String::with_capacity(svg.len() + svg.len() / 8);
    let mut rest = svg;
    while let Some(at) = rest.find("=\"#") {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let hex = after.get(3..9).unwrap_or_default();
        match Ink::of_rgb(hex) {
            Some(ink) => {
                let _ = write!(text, "=\"var(--{})", ink.name());
                if ink.is_dashed() && before.ends_with("stroke") {
                    text.push_str("\" stroke-dasharray=\"24 14");
                }
                rest = after.get(9..).unwrap_or_default();
            }
            None => {
                text.push_str("=\"#");
                rest = &after[3..];
            }
        }
    }
    text.push_str(rest);
    text
}

/// Puts the light colours in the place of the names, for readers of SVG that know no variables.
#[must_use]
pub fn with_light_colours(svg: &str) -> String {
    values(&LIGHT, false)
        .into_iter()
        .fold(svg.to_owned(), |svg, (name, colour)| svg.replace(&format!("var(--{name})"), colour))
}

/// Writes the variables of both themes for a CSS selector: dark where the reader has a dark screen, or where the element has
/// `data-theme="dark"`.
#[must_use]
pub fn css(selector: &str) -> String {
    let list = |values: Vec<(String, &str)>| {
        values.iter().map(|(name, colour)| format!("--{name}:{colour};")).collect::<String>()
    };
    let (light, dark) = (list(values(&LIGHT, false)), list(values(&DARK, true)));
    format!(
        "{selector}{{{light}color-scheme:light dark}}\n@media(prefers-color-scheme:dark){{{selector}:not([data-theme=light]){{{dark}}}}}\n\
         {selector}[data-theme=dark]{{{dark}}}\n@media print{{{selector}{{{light}}}}}\n"
    )
}

fn values(series: &[&'static str; COLOURS], is_dark: bool) -> Vec<(String, &'static str)> {
    let own = match is_dark {
        false => [("bg", "#ffffff"), ("ink", "#1a1a1a"), ("soft", "#5a5a5a"), ("grid", "#e3e3e3"), ("mark", "#c0143c")],
        true => [("bg", "#16181c"), ("ink", "#eeeeee"), ("soft", "#a8adb5"), ("grid", "#33373e"), ("mark", "#ff6b81")],
    };
    let series = series.iter().enumerate().map(|(slot, colour)| (format!("s{slot}"), *colour));
    own.into_iter().map(|(name, colour)| (name.to_owned(), colour)).chain(series).collect()
}
