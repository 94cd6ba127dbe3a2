//! What several filters make of a line, worked out together.

use jq_filters::{Arguments, Failure, Filter, Program};
use json_fields::{Field, validate};

use crate::expression::{Expression, Source, WrongExpression};
use crate::reader::{BadLine, field};

/// A filter that is true of a line, or not: when one of its results is neither `false` nor `null`.
#[derive(Clone)]
pub struct Condition {
    text: String,
    program: Program,
}

impl std::str::FromStr for Condition {
    type Err = WrongExpression;

    fn from_str(text: &str) -> Result<Condition, WrongExpression> {
        let program = Program::new(text, Arguments::default()).map_err(|wrong| WrongExpression::of(&wrong, text))?;
        Ok(Condition { text: text.to_owned(), program })
    }
}

impl std::fmt::Debug for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}

/// Values of expressions and truths of conditions.
///
/// Filters that are simple enough are put together into one that gives an array for each of them: so a line is scanned
/// once for all of them, and not once for each.
pub struct Computed {
    filters: Vec<Together>,
    texts: Vec<String>,
    values: Vec<Option<Field>>,
    truths: Vec<bool>,
    /// What the values count from.
    text: Vec<u8>,
}

struct Together {
    filter: Filter,
    parts: Vec<Part>,
}

#[derive(Clone, Copy)]
enum Part {
    /// By number among the expressions.
    Value(usize),
    /// By number among the conditions.
    Truth(usize),
}

/// One result may be as long as a line.
const RESULT_BYTES_MAX: usize = 64 << 20;

impl std::fmt::Debug for Computed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Computed({:?})", self.texts)
    }
}

impl Computed {
    /// Expressions may be paths too, though those are found faster elsewhere.
    #[must_use]
    pub fn new(expressions: &[Expression], conditions: &[Condition]) -> Computed {
        let path = |text: &str| Program::new(text, Arguments::default()).ok();
        let values = expressions.iter().enumerate().filter_map(|(number, expression)| {
            let program = match &expression.source {
                Source::Filter(program) => Some(program.clone()),
                Source::Path(_) => path(&expression.to_string()),
            };
            Some((Part::Value(number), expression.to_string(), program?))
        });
        let truths = (0..)
            .zip(conditions)
            .map(|(number, condition)| (Part::Truth(number), condition.text.clone(), condition.program.clone()));
        let (raw, others): (Vec<_>, Vec<_>) = values.chain(truths).partition(|(_, _, program)| program.is_raw());
        let filters = match together(&raw) {
            Some(all) => vec![all],
            None => raw.iter().filter_map(|one| together(std::slice::from_ref(one))).collect(),
        };
        let others = others.iter().filter_map(|one| together(std::slice::from_ref(one)));
        Computed {
            filters: filters.into_iter().chain(others).collect(),
            texts: expressions.iter().map(ToString::to_string).collect(),
            values: vec![None; expressions.len()],
            truths: vec![false; conditions.len()],
            text: Vec::new(),
        }
    }

    /// Reads a line, given without its newline.
    ///
    /// # Errors
    /// When it is not JSON, when a filter fails on it, or when an expression gives more than one value.
    #[inline]
    pub fn read(&mut self, line: &[u8]) -> Result<(), BadLine> {
        let Computed { filters, texts, values, truths, text } = self;
        text.clear();
        for Together { filter, parts } in filters {
            let results = filter.run(line).map_err(|failure| match failure {
                Failure::Line(why) => BadLine::new(why),
                halt @ Failure::Halt(_) => BadLine::new(halt.to_string()),
            })?;
            for (part, result) in parts.iter().zip(results.iter()) {
                let inside = result.get(1..result.len() - 1).unwrap_or_default();
                match *part {
                    Part::Truth(number) => truths[number] = is_true(inside),
                    Part::Value(number) if is_one(inside) => {
                        let start = text.len();
                        text.extend_from_slice(inside);
                        values[number] = (!inside.is_empty()).then(|| field(text, start));
                    }
                    Part::Value(number) => {
                        return Err(BadLine::new(format!("{} gives more than one value", texts[number])));
                    }
                }
            }
        }
        Ok(())
    }

    /// The expressions' values in the line read last, none where there is none.
    #[must_use]
    pub fn values(&self) -> &[Option<Field>] {
        &self.values
    }

    /// The text that they are in.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Of the conditions.
    #[must_use]
    pub fn truths(&self) -> &[bool] {
        &self.truths
    }
}

/// One filter with an array of results for each part. A newline ends what may be a comment.
fn together(parts: &[(Part, String, Program)]) -> Option<Together> {
    if parts.is_empty() {
        return None;
    }
    let code: Vec<String> = parts.iter().map(|(_, text, _)| format!("[{text}\n]")).collect();
    let program = Program::new(&code.join(","), Arguments::default()).ok()?;
    // A single one has no other way to go.
    if parts.len() > 1 && !program.is_raw() {
        return None;
    }
    let filter = program.filter(RESULT_BYTES_MAX);
    Some(Together { filter, parts: parts.iter().map(|(part, ..)| *part).collect() })
}

/// What stands in an array: whether an element is neither false nor null. A piece of any other element is neither, too.
fn is_true(inside: &[u8]) -> bool {
    match inside {
        b"true" => true,
        b"false" | b"null" | b"" => false,
        _ => inside.split(|byte| *byte == b',').any(|piece| piece != b"false" && piece != b"null"),
    }
}

/// What stands in an array: whether it is one element at most.
fn is_one(inside: &[u8]) -> bool {
    !inside.contains(&b',') || validate(inside).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn computed(expressions: &[&str], conditions: &[&str]) -> Computed {
        let expressions: Vec<Expression> = expressions.iter().map(|text| text.parse().unwrap()).collect();
        let conditions: Vec<Condition> = conditions.iter().map(|text| text.parse().unwrap()).collect();
        Computed::new(&expressions, &conditions)
    }

    fn shown(computed: &Computed) -> (Vec<Option<&str>>, &[bool]) {
        let text = |field: &Option<Field>| field.map(|field| str::from_utf8(field.text(computed.text())).unwrap());
        (computed.values().iter().map(text).collect(), computed.truths())
    }

    #[test]
    fn raw_filters_are_one_and_others_stand_alone() {
        let mut computed = computed(
            &[".a[:2]", "a", ".a | ascii_downcase | sub(\"b\";\"c\")"],
            &[".n > 1", ".n > 2 # why", ".n | tojson == \"2\""],
        );
        assert!(computed.filters.len() < 6, "{}", computed.filters.len());
        computed.read(br#"{"a":"ABC","n":2}"#).unwrap();
        let expected = (vec![Some("\"AB\""), Some("\"ABC\""), Some("\"acc\"")], &[true, false, true][..]);
        assert_eq!(shown(&computed), expected);
        computed.read(br#"{"a":"x, y","n":3}"#).unwrap();
        let expected = (vec![Some("\"x,\""), Some("\"x, y\""), Some("\"x, y\"")], &[true, true, false][..]);
        assert_eq!(shown(&computed), expected);
    }

    #[test]
    fn a_condition_is_true_if_one_of_its_results_is() {
        let conditions = ["empty", "null,false", "false,0", "[false,null]", "\"a,false\"", "{}", ".a", "[.a,.a] | .[]"];
        let mut computed = computed(&[], &conditions);
        computed.read(br#"{"a":null}"#).unwrap();
        assert_eq!(computed.truths(), [false, false, true, true, true, true, false, false]);
    }

    #[test]
    fn a_failing_filter_and_a_second_value_are_bad_lines() {
        let error = |expression: &str, condition: &str| {
            computed(&[expression], &[condition]).read(br#"{"a":"x","b":1}"#).map_err(|error| error.to_string())
        };
        assert_eq!(error(".a", "true"), Ok(()));
        assert_eq!(error("empty", ".b"), Ok(()));
        assert_eq!(error(".a,.b", "true"), Err(".a,.b gives more than one value".into()));
        assert!(error(".a - 1", "true").unwrap_err().contains("cannot"), "{:?}", error(".a - 1", "true"));
        assert!(error(".a", ".a[0:\"x\"]").is_err());
        assert!(computed(&[".a + 1"], &[]).read(b"{").is_err());
    }
}
