//! What flags take for a value of a line.

use std::fmt;
use std::str::FromStr;

use jq_filters::{Arguments, Program, Wrong};
use json_fields::{FieldPath, may_be_difference, split_outside, with_quotes};

/// A field path, or a jq filter that gives one value; with a name or without.
#[derive(Clone)]
pub struct Expression {
    name: Option<String>,
    text: String,
    pub(crate) source: Source,
}

#[derive(Clone)]
pub(crate) enum Source {
    Path(FieldPath),
    Filter(Program),
}

/// A text that is no expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongExpression(String);

impl WrongExpression {
    pub(crate) fn of(wrong: &Wrong, text: &str) -> WrongExpression {
        let hint = wrong.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
        let quoted = with_quotes(text).map(|path| format!("; a name with such characters goes in quotes: {path}"));
        let quoted = quoted.unwrap_or_default();
        WrongExpression(format!("{}; fields begin with a dot there: .user{quoted}{hint}", wrong.message))
    }
}

impl Expression {
    /// Expressions with commas between them; a comma in brackets or in quotes belongs to its expression.
    ///
    /// # Errors
    /// The first that is none.
    pub fn parse_list(list: &str) -> Result<Vec<Expression>, WrongExpression> {
        split_outside(list, ',').into_iter().map(str::parse).collect()
    }

    /// The name given, else that of the path, else the text.
    #[must_use]
    pub fn name(&self) -> String {
        match (&self.name, &self.source) {
            (Some(name), _) => name.clone(),
            (None, Source::Path(path)) => path.name(),
            (None, Source::Filter(_)) => self.text.clone(),
        }
    }

    /// Whether a result would have a name that somebody chose.
    #[must_use]
    pub fn has_name(&self) -> bool {
        self.name.is_some() || self.path().is_some()
    }

    /// The path, if it is no more than one.
    #[must_use]
    pub fn path(&self) -> Option<&FieldPath> {
        match &self.source {
            Source::Path(path) => Some(path),
            Source::Filter(_) => None,
        }
    }
}

impl From<FieldPath> for Expression {
    fn from(path: FieldPath) -> Expression {
        Expression { name: None, text: path.to_string(), source: Source::Path(path) }
    }
}

impl FromStr for Expression {
    type Err = WrongExpression;

    fn from_str(text: &str) -> Result<Expression, WrongExpression> {
        let (name, body) = split_name(text);
        let body = body.trim();
        if body.is_empty() {
            return Err(WrongExpression(format!("expression {text:?} is empty")));
        }
        let program = || Program::new(body, Arguments::default());
        let source = match body.parse::<FieldPath>() {
            Ok(path) => match may_be_difference(body).then(program) {
                Some(Ok(program)) => Source::Filter(program),
                _ => Source::Path(path),
            },
            Err(_) => Source::Filter(program().map_err(|wrong| WrongExpression::of(&wrong, body))?),
        };
        let text = match &source {
            Source::Path(path) => path.to_string(),
            Source::Filter(_) => body.to_owned(),
        };
        Ok(Expression { name: name.map(str::to_owned), text, source })
    }
}

/// As a user would write it, without its name: what a state depends on.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?}, {:?})", self.name, self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        (&self.name, &self.text) == (&other.name, &other.text)
    }
}

/// `NAME=EXPR`: the name is a word, and no `==` follows it.
fn split_name(text: &str) -> (Option<&str>, &str) {
    let is_word = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    match text.split_once('=') {
        Some((name, rest)) if is_word(name.trim()) && !rest.starts_with('=') => (Some(name.trim()), rest),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_filter() {
        for (text, path, name) in [
            ("user", ".user", "user"),
            (".meta.site", ".meta.site", "meta.site"),
            ("day=.at", ".at", "day"),
            (".\"a b\"", ".\"a b\"", "a b"),
            ("first-name", ".\"first-name\"", "first-name"),
            (".first-name", ".\"first-name\"", "first-name"),
            (".\"a-1\"", ".\"a-1\"", "a-1"),
        ] {
            let expression: Expression = text.parse().unwrap();
            assert!(expression.path().is_some(), "{text}");
            assert_eq!((expression.to_string().as_str(), expression.name().as_str()), (path, name));
        }
    }

    #[test]
    fn what_is_no_path_is_a_filter() {
        for (text, shown, name) in [
            ("day=.at[:10]", ".at[:10]", "day"),
            (".a == 1", ".a == 1", ".a == 1"),
            ("same = .a==.b", ".a==.b", "same"),
            ("d=.a-.b", ".a-.b", "d"),
            (".a-1", ".a-1", ".a-1"),
            ("-.a", "-.a", "-.a"),
            (".\"x y\"-.b", ".\"x y\"-.b", ".\"x y\"-.b"),
            (".a,.b | length", ".a,.b | length", ".a,.b | length"),
        ] {
            let expression: Expression = text.parse().unwrap();
            assert!(expression.path().is_none(), "{text}");
            assert_eq!((expression.to_string().as_str(), expression.name().as_str()), (shown, name));
        }
    }

    #[test]
    fn a_list_is_cut_at_its_own_commas() {
        let list = Expression::parse_list(r#"a,b=[.b, ","],.c | test("x,\"[(]")"#).unwrap();
        let shown: Vec<String> = list.iter().map(ToString::to_string).collect();
        assert_eq!(shown, [".a", r#"[.b, ","]"#, r#".c | test("x,\"[(]")"#]);
    }

    #[test]
    fn a_wrong_expression_says_where_and_how_fields_are_written() {
        let error = Expression::parse_list("a,auction % 10").unwrap_err().to_string();
        let start =
            "the filter, line 1, column 1: there is no filter auction/0; fields begin with a dot there: .user\n";
        assert!(error.starts_with(start), "{error}");
        let error = "resource.labels.k8s-pod/app".parse::<Expression>().unwrap_err().to_string();
        let quoted = "; a name with such characters goes in quotes: .resource.labels.\"k8s-pod/app\"\n";
        assert!(error.contains(quoted), "{error}");
        assert!("".parse::<Expression>().is_err() && "x=".parse::<Expression>().is_err());
    }
}
