//! Where the time of a line stands: a field, or what a jq expression gives.

use json_fields::{FieldPath, Kind, Outline, Scanner, Token};
use line_values::{BadLine, Expression, LineValues};
use time_text::read_spelled;

/// Finds the time of line after line.
pub struct TimeField {
    expression: Expression,
    /// For a field, as most are.
    scanner: Scanner,
    /// For what is no field.
    filter: Option<Box<LineValues>>,
}

/// What was found in a line.
#[derive(Clone, Copy, Debug)]
pub struct TimeOf<'a> {
    /// The JSON text; none if the line has no time.
    pub text: Option<&'a [u8]>,
    pub is_object: bool,
}

impl TimeField {
    #[must_use]
    pub fn new(expression: &Expression) -> TimeField {
        let path = expression.path();
        TimeField {
            scanner: Scanner::new(path.map_or(&[], std::slice::from_ref)),
            filter: path.is_none().then(|| Box::new(LineValues::new([expression]))),
            expression: expression.clone(),
        }
    }

    /// Reads a line, and checks that it is JSON.
    ///
    /// # Errors
    /// When it is not, or an expression fails on it or gives more than one value.
    #[inline]
    pub fn find<'a>(&'a mut self, line: &'a [u8]) -> Result<TimeOf<'a>, BadLine> {
        if self.filter.is_some() {
            return self.work_out(line);
        }
        let fields = self.scanner.scan(line).map_err(|why| BadLine::new(why.to_string()))?;
        let text = fields.get(0).map(|field| field.text(line));
        Ok(TimeOf { text, is_object: fields.object().is_some() })
    }

    /// The way of expressions. It is apart, so that the compiler puts the scanner into the loop of those who look for a field.
    #[inline(never)]
    fn work_out<'a>(&'a mut self, line: &'a [u8]) -> Result<TimeOf<'a>, BadLine> {
        let Some(filter) = &mut self.filter else { return Ok(TimeOf { text: None, is_object: false }) };
        let found = filter.read(line)?;
        let value = found.get(0).filter(|value| !value.is_null());
        Ok(TimeOf { text: value.map(|value| value.text()), is_object: found.object().is_some() })
    }

    /// Returns why a line has no time, with a hint in a second line.
    #[cold]
    #[must_use]
    pub fn missing(&self, line: &[u8]) -> String {
        no_time(&self.expression, line)
    }
}

/// Members that a message shows.
const SHOWN_MAX: usize = 8;
/// From 2001 on: what is smaller is rather a count or a status.
const SECONDS_MIN: f64 = 1e9;

/// Returns why a line has no time, as it says which members it has; with a hint in a second line that names `--time`.
#[cold]
#[must_use]
pub fn no_time(time: &Expression, line: &[u8]) -> String {
    let members = Members::of(line);
    let what = match time.path() {
        Some(path) => format!("no field {:?}", path.name()),
        None => format!("no value of {time}"),
    };
    let shown = members.names.iter().take(SHOWN_MAX).map(|name| format!("{name:?}")).collect::<Vec<_>>();
    let more = if members.names.len() > SHOWN_MAX { ", …" } else { "" };
    let has = if shown.is_empty() { String::new() } else { format!("; the line has {}{more}", shown.join(", ")) };
    let hint = match (time.path().and_then(|path| other_spelling(path, line)), &members.likely) {
        (Some(spelled), _) => format!("--time '{spelled}'"),
        (None, Some(likely)) => format!("--time {}", argument(likely)),
        (None, None) => "--time FIELD says where the time is".to_owned(),
    };
    format!("{what}{has}\nhint: {hint}")
}

/// The path to a field that has the same name, where a member's own name has dots: `.fields."evt.time"` for `fields.evt.time`.
fn other_spelling(path: &FieldPath, line: &[u8]) -> Option<String> {
    let mut outline = Outline::default();
    outline.read(line).ok()?;
    let spelled = spelled(outline.tokens(), 0, &path.name(), line)?;
    (spelled != path.to_string() && !spelled.contains('\'')).then_some(spelled)
}

/// Goes down as many members as `name` has dots.
fn spelled(tokens: &[Token], object: usize, name: &str, line: &[u8]) -> Option<String> {
    if tokens[object].field.kind != Kind::Object {
        return None;
    }
    let mut at = object + 1;
    while at + 1 < tokens[object].next {
        let own = json_fields::decode_string(tokens[at].field.text(line));
        let value = at + 1;
        at = tokens[value].next;
        let Some(rest) = name.strip_prefix(&*own) else { continue };
        let below = match rest.strip_prefix('.') {
            None if rest.is_empty() && tokens[value].field.kind != Kind::Null => Some(String::new()),
            None => None,
            Some(rest) => spelled(tokens, value, rest, line),
        };
        if let Some(below) = below {
            return Some(format!("{}{below}", FieldPath::key(&own)));
        }
    }
    None
}

/// As it is typed in a shell.
fn argument(name: &str) -> String {
    match name.parse::<FieldPath>() {
        Ok(path) if path == FieldPath::key(name) && !name.contains('$') => name.to_owned(),
        _ => format!("'{}'", FieldPath::key(name)),
    }
}

/// The members of a line, and that which looks most like its time.
struct Members {
    names: Vec<String>,
    likely: Option<String>,
}

impl Members {
    fn of(line: &[u8]) -> Members {
        let mut members = Members { names: Vec::new(), likely: None };
        let mut outline = Outline::default();
        if outline.read(line).is_err() || outline.tokens()[0].field.kind != Kind::Object {
            return members;
        }
        let tokens = outline.tokens();
        let (mut at, mut rank) = (1, 0);
        while at + 1 < tokens.len() {
            let name = json_fields::decode_string(tokens[at].field.text(line)).into_owned();
            let value = &tokens[at + 1];
            let likeness = likeness(&name, value.field.kind, value.field.string_body(line));
            if likeness > rank {
                (rank, members.likely) = (likeness, Some(name.clone()));
            }
            members.names.push(name);
            at = value.next;
        }
        members
    }
}

/// How much a value looks like a time: 0 for not at all.
fn likeness(name: &str, kind: Kind, text: &[u8]) -> u8 {
    let name = name.to_ascii_lowercase();
    let is_named = ["time", "ts", "date", "at"].iter().any(|word| name.starts_with(word) || name.ends_with(word));
    let is_epoch =
        || str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok()).is_some_and(|n| n >= SECONDS_MIN);
    match kind {
        Kind::String if read_spelled(text).is_some() => 2 + u8::from(is_named),
        Kind::String | Kind::Number if is_named && is_epoch() => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Expression {
        text.parse().unwrap()
    }

    #[test]
    fn a_time_is_found_by_path_and_by_expression() {
        let line = br#"{"eventTime":"b","first":null,"t":{"$date":"c"}}"#;
        for (time, text) in [
            ("eventTime", Some("\"b\"")),
            (".first // .eventTime", Some("\"b\"")),
            (".t.\"$date\"", Some("\"c\"")),
            (".t | .[\"$date\"]", Some("\"c\"")),
            (".gone", None),
            (".gone // .first", None),
            ("empty", None),
        ] {
            let mut field = TimeField::new(&expression(time));
            for _ in 0..2 {
                let found = field.find(line).unwrap();
                assert_eq!(found.text.map(|text| str::from_utf8(text).unwrap()), text, "{time}");
                assert!(found.is_object);
            }
            assert!(field.find(b"{").is_err());
        }
        assert!(TimeField::new(&expression(".a, .b")).find(b"{}").is_err());
    }

    #[test]
    fn a_line_without_a_time_is_told_what_it_has() {
        let why = |time: &str, line: &str| no_time(&expression(time), line.as_bytes());
        assert_eq!(
            why("timestamp", r#"{"host":"a","ms":12,"time":"2026-06-10T06:13:20Z"}"#),
            "no field \"timestamp\"; the line has \"host\", \"ms\", \"time\"\nhint: --time time"
        );
        assert_eq!(
            why("timestamp", r#"{"@timestamp":"2026-06-10 06:13:20,1","seen_at":1781064800,"n":1781064800000}"#),
            "no field \"timestamp\"; the line has \"@timestamp\", \"seen_at\", \"n\"\nhint: --time @timestamp"
        );
        assert!(why(".t", r#"{"the time":1781064800}"#).ends_with("hint: --time '.\"the time\"'"));
        assert!(why(".t", r#"{"ts":"1781064800.5","x":2}"#).ends_with("hint: --time ts"));
        assert_eq!(why(".a // .b", "{}"), "no value of .a // .b\nhint: --time FIELD says where the time is");
        assert_eq!(why("t", "[1]"), "no field \"t\"\nhint: --time FIELD says where the time is");
        let falco = r#"{"time":"2026-06-10T06:13:20Z","output_fields":{"evt":1,"evt.time":1781064800000000000}}"#;
        assert!(
            why("output_fields.evt.time", falco).ends_with("hint: --time '.output_fields.\"evt.time\"'"),
            "a member whose name has dots: {}",
            why("output_fields.evt.time", falco)
        );
        let null = r#"{"time":"2026-06-10T06:13:20Z","a":{"b":null,"b.c":null}}"#;
        assert!(why("a.b", null).ends_with("hint: --time time") && why("a.b.c", null).ends_with("hint: --time time"));
        let many = format!("{{{}}}", (0..20).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(","));
        assert!(why("t", &many).contains("\"k7\", …\nhint"), "{}", why("t", &many));
    }
}
