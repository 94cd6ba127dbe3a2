//! What a page asks for: its part of x, the series that it hides, its width.

use crate::picture::View;

/// Series that a page may hide.
const HIDDEN_MAX: usize = 1000;
const WIDTH: f64 = 900.0;

/// A request's query.
#[derive(Clone, Debug)]
pub struct Query {
    pub view: View,
    /// In units of a pixel.
    pub width: f64,
    pub token: Option<String>,
    /// The id of the frame that the page shows.
    pub seen: Option<String>,
    /// The name that the page has given itself.
    pub page: Option<String>,
}

impl Query {
    /// Reads a query. What it does not know, or cannot read, it leaves out.
    #[must_use]
    pub fn of_pairs(pairs: &[(String, String)]) -> Self {
        let first = |name: &str| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str());
        let number =
            |name: &str| first(name).and_then(|text| text.parse::<f64>().ok()).filter(|number| number.is_finite());
        let hidden = pairs.iter().filter(|pair| pair.0 == "off").take(HIDDEN_MAX).map(|pair| pair.1.clone());
        let (from, to) = match (number("from"), number("to")) {
            (Some(from), Some(to)) if from >= to => (None, None),
            ends => ends,
        };
        Self {
            view: View { from, to, hidden: hidden.collect() },
            width: number("width").unwrap_or(WIDTH).clamp(240.0, 2400.0),
            token: first("token").map(str::to_owned),
            seen: first("seen").map(str::to_owned),
            page: first("page").map(str::to_owned),
        }
    }
}
