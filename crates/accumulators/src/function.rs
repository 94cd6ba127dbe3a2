//! The aggregate functions, by name.

/// An aggregate function.
///
/// | text | result | of no values |
/// |---|---|---|
/// | `count` | lines | 0 |
/// | `count:F` | values that are not null | 0 |
/// | `sum:F` | exact for integers and decimals of up to 38 digits, else compensated f64 | null |
/// | `avg:F` | | null |
/// | `min:F` `max:F` | of numbers, and of strings, which come behind them | null |
/// | `min_by:F:G` `max_by:F:G` | G of the line with the least or largest F, of equal ones the first | null |
/// | `var:F` `stddev:F` | of a sample (n - 1), as SQL's VAR_SAMP and STDDEV | null, also of one value |
/// | `first:F` `last:F` | in order of arrival; any JSON value, as written in the line | null |
/// | `distinct:F` | number of different values | 0 |
/// | `pNN:F` `median:F` | percentile, NN from 0 to 100, also `p99.9` | null |
/// | `top:K:F` | the K most frequent values, `[{"value":…,"count":…},…]` | [] |
/// | `list:N:F` | the first N values in order of arrival | [] |
/// | `mode:F` | the most frequent value | null |
/// | `rate` `rate:F` | lines, or sum, per second of window | 0, null |
/// | `delta:F` | last minus first, in order of arrival | null |
/// | `corr:X:Y` | Pearson's correlation, -1 to 1 | null, also if X or Y is constant |
/// | `covar:X:Y` | covariance of a sample (n - 1) | null, also of one pair |
/// | `covar_pop:X:Y` | covariance of all (n) | null |
/// | `slope:X:Y` `intercept:X:Y` | of the line of least squares, Y over X | null, also if X is constant |
/// | `r2:X:Y` | what part of Y's variance that line explains; 1 if Y is constant | null, also if X is constant |
/// | `skewness:F` | of a sample: G1 of Joanes and Gill (1998) | null, also of two values, or equal ones |
/// | `kurtosis:F` | of a sample, 0 for a normal distribution: G2 of the same | null, also of three values, or equal ones |
/// | `mad:F` | median of the distances from the median, not scaled | null |
/// | `iqr:F` | p75 minus p25 | null |
/// | `geomean:F` | geometric mean; 0 with a zero | null, also with a negative value |
/// | `wavg:F:W` | sum of F times W by sum of W | null, also if the weights sum to 0 |
/// | `twa:F:T` | average over time, each value from its time T to that of the next | null |
/// | `entropy:F` | Shannon's, of the values' frequencies, in bits | null |
/// | `histogram:B1,B2,…:F` | values up to each bound and above the one before, `[{"le":B1,"count":…},…,{"le":null,"count":…}]` | counts of 0 |
/// | `histogram:log2:F` | the same up to powers of two, without empty ones | [] |
/// | `ohlc:F` | `{"open":…,"high":…,"low":…,"close":…}`: first, largest, least, last | null |
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    MinBy,
    MaxBy,
    Var,
    StdDev,
    First,
    Last,
    Distinct,
    /// In percent, 0 to 100.
    Percentile(f64),
    Top(usize),
    List(usize),
    Mode,
    Rate,
    Delta,
    Corr,
    Covar,
    CovarPop,
    Slope,
    Intercept,
    R2,
    Skewness,
    Kurtosis,
    Mad,
    Iqr,
    GeoMean,
    WeightedAvg,
    TimeWeightedAvg,
    Entropy,
    Histogram,
    Ohlc,
}

/// Those that are a word and nothing else.
const WORDS: [(&str, Function); 31] = [
    ("count", Function::Count),
    ("sum", Function::Sum),
    ("avg", Function::Avg),
    ("min", Function::Min),
    ("max", Function::Max),
    ("min_by", Function::MinBy),
    ("max_by", Function::MaxBy),
    ("var", Function::Var),
    ("stddev", Function::StdDev),
    ("first", Function::First),
    ("last", Function::Last),
    ("distinct", Function::Distinct),
    ("median", Function::Percentile(50.0)),
    ("mode", Function::Mode),
    ("rate", Function::Rate),
    ("delta", Function::Delta),
    ("corr", Function::Corr),
    ("covar", Function::Covar),
    ("covar_pop", Function::CovarPop),
    ("slope", Function::Slope),
    ("intercept", Function::Intercept),
    ("r2", Function::R2),
    ("skewness", Function::Skewness),
    ("kurtosis", Function::Kurtosis),
    ("mad", Function::Mad),
    ("iqr", Function::Iqr),
    ("geomean", Function::GeoMean),
    ("wavg", Function::WeightedAvg),
    ("twa", Function::TimeWeightedAvg),
    ("entropy", Function::Entropy),
    ("ohlc", Function::Ohlc),
];

/// What the second field of a function must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Second {
    /// Anything, as it is only given; missing is null.
    Any,
    /// A number. A line without one does not count.
    Number,
    /// A time. A line without one does not count.
    Time,
}

impl Function {
    /// The function of this name, if it has no bound.
    pub(crate) fn of_word(word: &str) -> Option<Function> {
        WORDS.iter().find(|(name, _)| *name == word).map(|(_, function)| *function)
    }

    /// Whether its field must be a number.
    #[must_use]
    pub fn needs_numbers(&self) -> bool {
        use Function::{Count, Distinct, Entropy, First, Last, List, Max, MaxBy, Min, MinBy, Mode, Top};
        let any = matches!(self, Count | First | Last | Distinct | Top(_) | List(_) | Mode | Entropy);
        !any && !matches!(self, Min | Max | MinBy | MaxBy)
    }

    /// Whether its field must be a number or a string.
    #[must_use]
    pub fn needs_order(&self) -> bool {
        matches!(self, Function::Min | Function::Max | Function::MinBy | Function::MaxBy)
    }

    /// Whether it works without a field.
    pub(crate) fn counts_lines(&self) -> bool {
        matches!(self, Function::Count | Function::Rate)
    }

    /// What its second field must be, if it has two.
    pub(crate) fn second(&self) -> Option<Second> {
        use Function::{Corr, Covar, CovarPop, Intercept, MaxBy, MinBy, R2, Slope, TimeWeightedAvg, WeightedAvg};
        match self {
            MinBy | MaxBy => Some(Second::Any),
            Corr | Covar | CovarPop | Slope | Intercept | R2 | WeightedAvg => Some(Second::Number),
            TimeWeightedAvg => Some(Second::Time),
            _ => None,
        }
    }

    /// Whether a line can be taken back from its results; `keeps_lines` if the lines that stay are known.
    pub(crate) fn can_take_back(&self, keeps_lines: bool) -> bool {
        use Function::{Avg, Count, Delta, First, GeoMean, Histogram, Last, Max, Min, Ohlc, Sum, WeightedAvg};
        match self {
            Count | Sum | Avg | GeoMean | WeightedAvg | Histogram => true,
            Min | Max | First | Last | Delta | Ohlc => keeps_lines,
            _ => false,
        }
    }
}
