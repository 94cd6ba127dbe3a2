//! What to add: the text form `[NAME=]FUNC[:ARG][:FIELD]`.

use std::str::FromStr;

use json_fields::is_like;
use line_values::Expression;
use units::parse_duration;

use crate::function::{ELSEWHERE, Function, Statistic, WORDS};
use crate::span::{self, Span};

/// Values of a Savitzky-Golay filter: each line takes as many multiplications.
const POINTS_MAX: usize = 1_001;
const DEGREE_MAX: usize = 9;

/// One member: its name, function and field.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    pub name: String,
    pub function: Function,
    /// None for a count of lines.
    pub field: Option<Expression>,
    /// As it was written, without the name: what the state depends on.
    pub text: String,
    /// The part of it before the field.
    pub before_field: String,
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Spec, String> {
        let (name, text) = split_name(text)?;
        let (word, rest) = match text.split_once(':') {
            Some((word, rest)) => (word, Some(rest)),
            None => (text, None),
        };
        let (function, field) = function(word, rest)?;
        let before_field = text.strip_suffix(field.unwrap_or_default()).unwrap_or(text).to_owned();
        let field = match field {
            Some(field) => Some(field.parse::<Expression>().map_err(|error| format!("{text:?}: {error}"))?),
            None => None,
        };
        let name = match (name, &field) {
            (Some(name), _) => name.to_owned(),
            (None, Some(field)) if field.has_name() => format!("{word}_{}", field.name()),
            (None, Some(_)) => return Err(format!("{text:?} has no name; a name stands before it: NAME={text}")),
            (None, None) => word.to_owned(),
        };
        if name == "$" {
            return Err("\"$\" is the name that marks have".to_owned());
        }
        Ok(Spec { name, function, field, text: text.to_owned(), before_field })
    }
}

/// Splits `NAME=` off. A name holds no colon and no quote, so an equals sign inside an expression is none of it.
fn split_name(text: &str) -> Result<(Option<&str>, &str), String> {
    match text.split_once('=') {
        Some(("", _)) => Err(format!("{text:?}: the name before = is empty")),
        Some((name, rest)) if !name.contains([':', '"']) => Ok((Some(name), rest)),
        _ => Ok((None, text)),
    }
}

type Parsed<'a> = Result<(Function, Option<&'a str>), String>;

/// A function, and the text of its field.
fn function<'a>(word: &str, rest: Option<&'a str>) -> Parsed<'a> {
    match word {
        "shift" | "shift_lag" => lagged(word, rest, Function::Shift),
        "delta" => lagged(word, rest, Function::Delta),
        "ratio" => lagged(word, rest, Function::Ratio),
        "percent_change" => lagged(word, rest, Function::PercentChange),
        "shift_lead" => Err(ahead(word)),
        "from_first" => plain(word, rest, Function::FromFirst),
        "rprod" => plain(word, rest, Function::Product),
        "rsum" => plain(word, rest, Function::Over(Statistic::Sum, Span::All)),
        "counter" => plain(word, rest, Function::Over(Statistic::Count, Span::All)),
        "increase" => spanned(word, rest, Statistic::Increase, Function::Increase),
        "rate" => spanned(word, rest, Statistic::Rate, Function::Rate),
        "count" => count(rest),
        "ewma" => given(word, rest, "0.3", ewma),
        "holt_level" => given(word, rest, "0.5,0.1", |arg| pair(arg, is_share).map(|(a, b)| Function::HoltLevel(a, b))),
        "holt_trend" => given(word, rest, "0.5,0.1", |arg| pair(arg, is_share).map(|(a, b)| Function::HoltTrend(a, b))),
        "kalman" => given(word, rest, "0.1,2", |arg| pair(arg, is_variance).map(|(q, r)| Function::Kalman(q, r))),
        "savgol" => given(word, rest, "7,2", savgol),
        _ if word.starts_with("slwin_") => Err(ahead(word)),
        _ => match Statistic::of_word(word) {
            Some(statistic) => given(word, rest, "10", |arg| over(word, statistic, arg)),
            None => Err(unknown(word)),
        },
    }
}

fn ahead(word: &str) -> String {
    format!(
        "{word} would look ahead: a line passes at once, before those after it are known; mean:10:FIELD is of the last 10 lines, \
         shift:FIELD gives the value before to the line after it"
    )
}

fn unknown(word: &str) -> String {
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == word).map(|(_, ours)| *ours);
    let meant = elsewhere.or_else(|| WORDS.into_iter().find(|known| is_like(known, word)));
    let meant = meant.map(|meant| format!("did you mean {meant}? ")).unwrap_or_default();
    format!("unknown function {word:?}; {meant}There are {}", WORDS.join(" "))
}

fn no_field(text: &str) -> String {
    format!("{text} needs a field, as in {text}:FIELD")
}

fn plain<'a>(word: &str, rest: Option<&'a str>, function: Function) -> Parsed<'a> {
    rest.map(|field| (function, Some(field))).ok_or_else(|| no_field(word))
}

/// `FUNC:FIELD` or `FUNC:N:FIELD`. A number with nothing after it is one without a field.
fn lagged<'a>(word: &str, rest: Option<&'a str>, function: fn(usize) -> Function) -> Parsed<'a> {
    let rest = rest.ok_or_else(|| no_field(word))?;
    let (lag, field) = match rest.split_once(':') {
        Some((lag, field)) if is_whole(lag) => (lag, Some(field)),
        _ if is_whole(rest) => (rest, None),
        _ => ("1", Some(rest)),
    };
    if lag.starts_with('-') {
        return Err(ahead(&format!("{word}:{lag}")));
    }
    let function = function(span::lines(lag).map_err(|error| format!("{word}:{rest}: {error}"))?);
    field.map(|field| (function, Some(field))).ok_or_else(|| no_field(&format!("{word}:{lag}")))
}

fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `FUNC:FIELD`, which is of the line before, or `FUNC:SPAN:FIELD`.
fn spanned<'a>(word: &str, rest: Option<&'a str>, statistic: Statistic, before: Function) -> Parsed<'a> {
    let rest = rest.ok_or_else(|| no_field(word))?;
    match rest.split_once(':').map(|(arg, field)| (Span::read(arg), field)) {
        Some((Some(span), field)) => {
            let span = span.map_err(|error| format!("{word}:{rest}: {error}"))?;
            Ok((Function::Over(statistic, span), Some(field)))
        }
        _ if Span::read(rest).is_some() => Err(no_field(&format!("{word}:{rest}"))),
        _ => Ok((before, Some(rest))),
    }
}

/// `count` and `count:5m` are of lines, `count:FIELD` and `count:5m:FIELD` of those that have a value.
fn count(rest: Option<&str>) -> Parsed<'_> {
    let Some(rest) = rest else { return Ok((Function::Over(Statistic::Count, Span::All), None)) };
    let (arg, field) = match rest.split_once(':') {
        Some((arg, field)) => (arg, Some(field)),
        None => (rest, None),
    };
    match Span::read(arg) {
        Some(span) => {
            let span = span.map_err(|error| format!("count:{rest}: {error}"))?;
            Ok((Function::Over(Statistic::Count, span), field))
        }
        None => Ok((Function::Over(Statistic::Count, Span::All), Some(rest))),
    }
}

/// `FUNC:ARG:FIELD`.
fn given<'a>(
    word: &str,
    rest: Option<&'a str>,
    example: &str,
    read: impl Fn(&str) -> Result<Function, String>,
) -> Parsed<'a> {
    let says = |why: &str| {
        format!(
            "{word}{}{}: {why}; say {word}:{example}:FIELD",
            if rest.is_some() { ":" } else { "" },
            rest.unwrap_or("")
        )
    };
    let (arg, field) = match rest.unwrap_or("").split_once(':') {
        Some((arg, field)) => (arg, Some(field)),
        None => (rest.unwrap_or(""), None),
    };
    let function = read(arg).map_err(|why| says(&why))?;
    field.map(|field| (function, Some(field))).ok_or_else(|| no_field(&format!("{word}:{arg}")))
}

fn over(word: &str, statistic: Statistic, arg: &str) -> Result<Function, String> {
    let span = Span::read(arg).unwrap_or_else(|| {
        Err(format!("{word} is of the last lines (10), of those of a time (5m) or of all so far (all)"))
    })?;
    match (statistic, span) {
        (Statistic::Percentile(_), Span::All) => {
            Err("it would keep every line; aggregate --emit update estimates percentiles of all".to_owned())
        }
        _ => Ok(Function::Over(statistic, span)),
    }
}

fn ewma(arg: &str) -> Result<Function, String> {
    let alpha = number(arg).filter(|alpha| is_share(*alpha));
    let half_life = parse_duration(arg).ok().filter(|within_ms| *within_ms > 0);
    match (alpha, half_life) {
        (Some(alpha), _) => Ok(Function::Ewma(alpha)),
        (None, Some(within_ms)) => Ok(Function::HalfLife(within_ms)),
        (None, None) => Err("it needs what a new value counts, above 0 to 1, or a half-life (5m)".to_owned()),
    }
}

fn savgol(arg: &str) -> Result<Function, String> {
    let parts = arg.split_once(',').and_then(|(points, degree)| Some((points.parse().ok()?, degree.parse().ok()?)));
    match parts {
        Some((points, degree)) if degree < points && points <= POINTS_MAX && degree <= DEGREE_MAX => {
            Ok(Function::Savgol(points, degree))
        }
        _ => Err(format!(
            "it needs a number of values, at most {POINTS_MAX}, and a degree below it, at most {DEGREE_MAX}"
        )),
    }
}

fn pair(arg: &str, may_be: fn(f64) -> bool) -> Result<(f64, f64), String> {
    let parts = arg.split_once(',').and_then(|(first, second)| Some((number(first)?, number(second)?)));
    let parts = parts.filter(|(first, second)| may_be(*first) && may_be(*second));
    parts.ok_or_else(|| match may_be(2.0) {
        true => "it needs two variances above 0, of the level's steps and of the noise".to_owned(),
        false => "it needs two numbers above 0 to 1, for the level and for the trend".to_owned(),
    })
}

fn number(text: &str) -> Option<f64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'-'));
    text.parse().ok().filter(|_| is_plain)
}

fn is_share(value: f64) -> bool {
    value > 0.0 && value <= 1.0
}

fn is_variance(value: f64) -> bool {
    (1e-150..1e150).contains(&value)
}
