//! What to compute: the text form `[NAME=]FUNC[:FIELD][?FILTER]`.

use std::str::FromStr;

use json_fields::split_once_outside;

use crate::argument::Argument;
use crate::bounds::{BOUNDS_MAX, Bounds};
use crate::function::Function;

/// Most values of a `list`.
pub const LIST_MAX: usize = 10_000;
/// Most entries of a `top`.
pub const TOP_MAX: usize = 1_000;
/// Entries of `top:FIELD` and values of `list:FIELD`.
const BOUND_DEFAULT: usize = 10;

/// One result: its name, function and field.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub name: String,
    pub function: Function,
    pub field: Option<Argument>,
    /// The second field of functions of two.
    pub given: Option<Argument>,
    /// Of a histogram.
    pub bounds: Option<Bounds>,
    /// Only lines for which this filter is true count. The caller knows its language.
    pub condition: Option<String>,
}

/// Why a spec, or a set of them, cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SpecError {
    #[error("unknown function {0:?}")]
    UnknownFunction(String),
    #[error("{0} needs a field, as in {0}:FIELD")]
    NoField(String),
    #[error("percentile {0:?} is not between p0 and p100")]
    Percentile(String),
    #[error("{spec:?}: the bound is a whole number from 1 to {max}")]
    Bound { spec: String, max: usize },
    #[error("{0:?}: the name before = is empty")]
    EmptyName(String),
    #[error("{0:?}: there is no filter behind the question mark")]
    NoFilter(String),
    #[error("{0} needs two fields, as in {0}:{fields}", fields = example(.0))]
    TwoFields(String),
    #[error("{spec:?}: {reason}")]
    Field { spec: String, reason: String },
    #[error("{spec:?}: {wrong:?} is not log2, nor ascending numbers with commas between them, at most {max}")]
    Histogram { spec: String, wrong: String, max: usize },
    #[error("two results are named {0:?}")]
    SameName(String),
    #[error("unknown kind of percentiles {0:?}")]
    Percentiles(String),
    #[error("unknown way of counting different values {0:?}")]
    Distinct(String),
}

impl SpecError {
    /// A way out, where there is one.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            SpecError::UnknownFunction(text) if text.ends_with(')') => {
                let (function, field) = text.trim_end_matches(')').split_once('(')?;
                Some(format!("{function}:{field}"))
            }
            SpecError::UnknownFunction(_) => Some(
                "count sum avg min max min_by max_by stddev var first last distinct pNN median top:K list:N mode rate delta \
                 corr covar covar_pop slope intercept r2 skewness kurtosis mad iqr geomean wavg twa entropy histogram:BOUNDS \
                 ohlc"
                    .into(),
            ),
            SpecError::SameName(name) => Some(format!("name one of them: NAME={name}:FIELD")),
            SpecError::Percentiles(_) => {
                Some("ddsketch:0.01 (relative error, 0.001 to 0.2), tdigest, exact:1000000, reservoir:1000".into())
            }
            SpecError::Distinct(_) => Some("hyperloglog, exact or exact:1000000".into()),
            SpecError::Histogram { .. } => Some("histogram:1,10,100:FIELD or histogram:log2:FIELD".into()),
            SpecError::NoFilter(_) => Some("count?FILTER to count lines; jq's own question mark goes in brackets, (.a?)".into()),
            _ => None,
        }
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Spec, SpecError> {
        let (text, condition) = match split_once_outside(text, '?') {
            Some((_, filter)) if filter.trim().is_empty() => return Err(SpecError::NoFilter(text.into())),
            Some((text, filter)) => (text, Some(filter.trim().to_owned())),
            None => (text, None),
        };
        let (name, rest) = split_name(text)?;
        let (word, field) = match rest.split_once(':') {
            Some((word, field)) => (word, Some(field)),
            None => (rest, None),
        };
        let (mut function, mut field, mut bounds) = (Function::Histogram, field, None);
        match word {
            "top" | "list" => (function, field) = bounded(word, field, text)?,
            "histogram" => (bounds, field) = with_bounds(field, text)?,
            _ => function = plain(word)?,
        }
        if field.is_none() && !function.counts_lines() {
            return Err(SpecError::NoField(word.into()));
        }
        let (field, given) = match (field, function.second()) {
            (Some(field), Some(_)) => {
                let (field, given) =
                    split_once_outside(field, ':').ok_or_else(|| SpecError::TwoFields(word.to_owned()))?;
                (Some(field), Some(given))
            }
            (field, _) => (field, None),
        };
        let field = field.map(|field| parse_field(field, text)).transpose()?;
        let given = given.map(|given| parse_field(given, text)).transpose()?;
        Ok(Spec { name: name.unwrap_or(word).into(), function, field, given, bounds, condition })
    }
}

/// Splits `NAME=` off. A name holds no colon and no quote, so an equals sign inside a quoted field is none of it.
fn split_name(text: &str) -> Result<(Option<&str>, &str), SpecError> {
    match text.split_once('=') {
        Some(("", _)) => Err(SpecError::EmptyName(text.into())),
        Some((name, rest)) if !name.contains([':', '"']) => Ok((Some(name), rest)),
        _ => Ok((None, text)),
    }
}

fn plain(word: &str) -> Result<Function, SpecError> {
    Function::of_word(word).map_or_else(|| percentile(word), Ok)
}

fn percentile(word: &str) -> Result<Function, SpecError> {
    let digits = word.strip_prefix('p').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let Some(digits) = digits else { return Err(SpecError::UnknownFunction(word.into())) };
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    match digits.parse::<f64>() {
        Ok(percent) if plain && percent <= 100.0 => Ok(Function::Percentile(percent)),
        _ => Err(SpecError::Percentile(word.into())),
    }
}

/// `top:K:FIELD` or `top:FIELD`. A number with nothing after it is a bound without a field.
fn bounded<'a>(word: &str, rest: Option<&'a str>, text: &str) -> Result<(Function, Option<&'a str>), SpecError> {
    let rest = rest.ok_or_else(|| SpecError::NoField(word.into()))?;
    let (bound, field) = match rest.split_once(':') {
        Some((bound, field)) if is_number(bound) => (Some(bound), field),
        _ if is_number(rest) => return Err(SpecError::NoField(format!("{word}:{rest}"))),
        _ => (None, rest),
    };
    let max = if word == "top" { TOP_MAX } else { LIST_MAX };
    let bound = match bound.map(str::parse) {
        None => BOUND_DEFAULT,
        Some(Ok(bound)) if (1..=max).contains(&bound) => bound,
        Some(_) => return Err(SpecError::Bound { spec: text.into(), max }),
    };
    let function = if word == "top" { Function::Top(bound) } else { Function::List(bound) };
    Ok((function, Some(field)))
}

/// `histogram:BOUNDS:FIELD`.
fn with_bounds<'a>(rest: Option<&'a str>, text: &str) -> Result<(Option<Bounds>, Option<&'a str>), SpecError> {
    let wrong = |wrong: &str| SpecError::Histogram { spec: text.into(), wrong: wrong.into(), max: BOUNDS_MAX };
    let rest = rest.ok_or_else(|| wrong(""))?;
    let (bounds, field) = rest.split_once(':').ok_or_else(|| match Bounds::parse(rest) {
        Some(_) => SpecError::NoField(format!("histogram:{rest}")),
        None => wrong(rest),
    })?;
    Ok((Some(Bounds::parse(bounds).ok_or_else(|| wrong(bounds))?), Some(field)))
}

/// The fields of an example of a function of two.
fn example(word: &str) -> &'static str {
    match word {
        "min_by" | "max_by" => "price:bidder",
        "wavg" => "price:amount",
        "twa" => "level:time",
        _ => "x:y",
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn parse_field(path: &str, spec: &str) -> Result<Argument, SpecError> {
    path.parse().map_err(|error| SpecError::Field { spec: spec.into(), reason: format!("{error}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(text: &str) -> Result<(String, Function, bool), SpecError> {
        text.parse::<Spec>().map(|spec| (spec.name, spec.function, spec.field.is_some()))
    }

    #[test]
    fn a_spec_without_a_name_is_named_after_its_function() {
        assert_eq!(spec("count"), Ok(("count".into(), Function::Count, false)));
        assert_eq!(spec("sum:tweets"), Ok(("sum".into(), Function::Sum, true)));
        assert_eq!(spec("p99.9:a.b"), Ok(("p99.9".into(), Function::Percentile(99.9), true)));
        assert_eq!(spec("median:v"), Ok(("median".into(), Function::Percentile(50.0), true)));
        assert_eq!(spec("top:5:path"), Ok(("top".into(), Function::Top(5), true)));
        assert_eq!(spec("top:path"), Ok(("top".into(), Function::Top(10), true)));
        assert_eq!(spec("list:3:path"), Ok(("list".into(), Function::List(3), true)));
        assert_eq!(spec("rate"), Ok(("rate".into(), Function::Rate, false)));
    }

    #[test]
    fn a_name_stands_before_the_equals_sign() {
        assert_eq!(spec("n=count"), Ok(("n".into(), Function::Count, false)));
        assert_eq!(spec("total eur=sum:v"), Ok(("total eur".into(), Function::Sum, true)));
        assert_eq!(spec(r#"sum:."a=b""#), Ok(("sum".into(), Function::Sum, true)));
        assert_eq!(spec(r#"sum:."a:b""#), Ok(("sum".into(), Function::Sum, true)));
    }

    #[test]
    fn a_condition_is_all_behind_the_first_question_mark_outside() {
        let condition = |text: &str| text.parse::<Spec>().map(|spec| (spec.name, spec.condition));
        assert_eq!(condition("rank1=count?.price<10000"), Ok(("rank1".into(), Some(".price<10000".into()))));
        assert_eq!(condition("count?.a==1"), Ok(("count".into(), Some(".a==1".into()))));
        assert_eq!(condition(r#"sum:."a?b"? .c? "#), Ok(("sum".into(), Some(".c?".into()))));
        assert_eq!(condition("max:(.a?)"), Ok(("max".into(), None)));
        assert_eq!(condition("sum:a?"), Err(SpecError::NoFilter("sum:a?".into())));
    }

    #[test]
    fn the_best_of_a_field_gives_another() {
        let spec: Spec = "max_by:.t[11:16]:bidder".parse().unwrap();
        assert_eq!(spec.field, Some(Argument::Expression(".t[11:16]".into())));
        assert_eq!(spec.given, Some("bidder".parse().unwrap()));
        assert_eq!("min_by:a".parse::<Spec>(), Err(SpecError::TwoFields("min_by".into())));
        assert_eq!("max_by".parse::<Spec>(), Err(SpecError::NoField("max_by".into())));
    }

    #[test]
    fn two_fields_stand_side_by_side() {
        for word in ["corr", "covar", "covar_pop", "slope", "intercept", "r2", "wavg", "twa"] {
            let spec: Spec = format!("{word}:a.x:.t[11:16]").parse().unwrap();
            assert_eq!((spec.name.as_str(), spec.field, spec.given.is_some()), (word, "a.x".parse().ok(), true));
            assert_eq!(format!("{word}:a").parse::<Spec>(), Err(SpecError::TwoFields(word.into())));
        }
        let error = "wavg:a".parse::<Spec>().unwrap_err();
        assert_eq!(error.to_string(), "wavg needs two fields, as in wavg:price:amount");
    }

    #[test]
    fn bounds_of_a_histogram_ascend() {
        let bounds = |text: &str| text.parse::<Spec>().map(|spec| spec.bounds.unwrap().to_string());
        assert_eq!(bounds("histogram:-1,0.50,1e3:v"), Ok("-1,0.5,1000".into()));
        assert_eq!(bounds("h=histogram:log2:.a[1:2]"), Ok("log2".into()));
        assert_eq!(bounds("histogram:1,2"), Err(SpecError::NoField("histogram:1,2".into())));
        for wrong in
            ["histogram", "histogram:v", "histogram:2,1:v", "histogram:1,1.0:v", "histogram::v", "histogram:1,x:v"]
        {
            assert!(matches!(bounds(wrong), Err(SpecError::Histogram { .. })), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_said() {
        assert_eq!(spec("summ:v"), Err(SpecError::UnknownFunction("summ".into())));
        assert_eq!(spec("p101:v"), Err(SpecError::Percentile("p101".into())));
        assert_eq!(spec("p1e1:v"), Err(SpecError::Percentile("p1e1".into())));
        assert_eq!(spec("sum"), Err(SpecError::NoField("sum".into())));
        assert_eq!(spec("p50"), Err(SpecError::NoField("p50".into())));
        assert_eq!(spec("path"), Err(SpecError::UnknownFunction("path".into())));
        assert_eq!(spec("top:5"), Err(SpecError::NoField("top:5".into())));
        assert_eq!(spec("top:0:v"), Err(SpecError::Bound { spec: "top:0:v".into(), max: TOP_MAX }));
        assert!(matches!(spec("list:99999999999999999999:v"), Err(SpecError::Bound { max: LIST_MAX, .. })));
        assert_eq!(spec("=count"), Err(SpecError::EmptyName("=count".into())));
        assert!(matches!(spec("sum:"), Err(SpecError::Field { .. })));
    }
}
