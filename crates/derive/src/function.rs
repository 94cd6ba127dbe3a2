//! The functions, by name.

use crate::span::Span;

/// How a member is made from a line and those before it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    /// Any value, of so many values before.
    Shift(usize),
    /// Less the value of so many before.
    Delta(usize),
    /// By the value of so many before.
    Ratio(usize),
    /// 100 times delta by the value of so many before.
    PercentChange(usize),
    /// Less the first value.
    FromFirst,
    /// By how much a counter grew since the value before.
    Increase,
    /// The same for each second.
    Rate,
    /// The product of all values.
    Product,
    /// A statistic of the last lines.
    Over(Statistic, Span),
    /// Weighted averages: of what share the current value is, or after how many milliseconds a value counts half.
    Ewma(f64),
    HalfLife(i64),
    /// Holt's linear smoothing, by the shares of the level and of the trend.
    HoltLevel(f64, f64),
    HoltTrend(f64, f64),
    /// The end of a polynomial of a degree through so many values.
    Savgol(usize, usize),
    /// The level of a random walk that is seen through noise, by both variances.
    Kalman(f64, f64),
}

/// What is worked out of the lines of a span.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    Var,
    Stddev,
    Zscore,
    Slope,
    Increase,
    Rate,
    /// In percent.
    Percentile(f64),
}

impl Statistic {
    /// Returns the statistic of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Statistic> {
        Some(match word {
            "count" => Statistic::Count,
            "sum" => Statistic::Sum,
            "mean" | "avg" => Statistic::Mean,
            "min" => Statistic::Min,
            "max" => Statistic::Max,
            "var" => Statistic::Var,
            "stddev" => Statistic::Stddev,
            "zscore" => Statistic::Zscore,
            "slope" => Statistic::Slope,
            "median" => Statistic::Percentile(50.0),
            _ => return percentile(word),
        })
    }

    /// Returns true if it needs the times of lines.
    #[must_use]
    pub fn is_timed(self) -> bool {
        matches!(self, Statistic::Slope | Statistic::Rate)
    }
}

/// `p95`, `p99.9`.
fn percentile(word: &str) -> Option<Statistic> {
    let digits = word.strip_prefix('p').filter(|digits| digits.starts_with(|first: char| first.is_ascii_digit()))?;
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let percent = digits.parse().ok().filter(|percent| is_plain && *percent <= 100.0)?;
    Some(Statistic::Percentile(percent))
}

impl Function {
    /// Returns true if the times of lines count.
    #[must_use]
    pub fn is_timed(self) -> bool {
        match self {
            Function::Rate | Function::HalfLife(_) => true,
            Function::Over(statistic, span) => statistic.is_timed() || span.is_timed(),
            _ => false,
        }
    }

    /// Returns how many lines or values of a key it keeps at least.
    #[must_use]
    pub fn lines(self) -> usize {
        match self {
            Function::Shift(lines)
            | Function::Delta(lines)
            | Function::Ratio(lines)
            | Function::PercentChange(lines) => lines,
            Function::Over(_, Span::Lines(lines)) | Function::Savgol(lines, _) => lines,
            _ => 1,
        }
    }
}

/// The words that there are, for people; of percentiles one of many.
pub const WORDS: [&str; 27] = [
    "shift",
    "delta",
    "ratio",
    "percent_change",
    "from_first",
    "increase",
    "rate",
    "rsum",
    "rprod",
    "counter",
    "count",
    "sum",
    "mean",
    "avg",
    "min",
    "max",
    "var",
    "stddev",
    "zscore",
    "slope",
    "median",
    "p95",
    "ewma",
    "holt_level",
    "holt_trend",
    "savgol",
    "kalman",
];

/// What other programs call a function.
pub const ELSEWHERE: [(&str, &str); 14] = [
    ("lag", "shift"),
    ("lead", "shift_lead"),
    ("diff", "delta"),
    ("pct_change", "percent_change"),
    ("cumsum", "rsum"),
    ("cumprod", "rprod"),
    ("cumcount", "counter"),
    ("std", "stddev"),
    ("average", "mean"),
    ("irate", "rate"),
    ("holt", "holt_level"),
    ("savitzky_golay", "savgol"),
    ("from-first", "from_first"),
    ("variance", "var"),
];
