//! How deep a filter may be nested: it is parsed, compiled and run on the stack of a thread.

use crate::failure::Wrong;

/// Brackets, `if`, `reduce`, `def` and strings inside of each other.
const LEVELS_MAX: usize = 200;
/// Parts that stand side by side: a chain of operators is a tree as deep as it is long.
const OPERATORS_MAX: usize = 4_000;

/// # Errors
/// When the filter is nested too deep, or has too many parts.
pub fn check(code: &str) -> Result<(), Wrong> {
    let wrong = |what: String| Wrong { message: format!("the filter: {what}"), hint: None };
    let (levels, operators) = measured(code);
    if levels > LEVELS_MAX {
        return Err(wrong(format!("it is nested deeper than {LEVELS_MAX} levels")));
    }
    if operators > OPERATORS_MAX {
        let hint = "a long list is better an argument: --argjson list '[…]' and IN($list[])".to_owned();
        return Err(Wrong { hint: Some(hint), ..wrong(format!("it has more than {OPERATORS_MAX} operators")) });
    }
    Ok(())
}

/// What is open while the text is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Bracket,
    /// `if`, until `end`.
    Word,
    /// `def`, until its semicolon.
    Definition,
    String,
}

/// The deepest nesting, and how many operators there are.
fn measured(code: &str) -> (usize, usize) {
    let bytes = code.as_bytes();
    let mut open: Vec<Open> = Vec::new();
    let (mut most, mut operators) = (0, 0_usize);
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if open.last() == Some(&Open::String) {
            match byte {
                b'\\' if bytes.get(at + 1) == Some(&b'(') => {
                    open.push(Open::Bracket);
                    at += 1;
                }
                b'\\' => at += 1,
                b'"' => drop(open.pop()),
                _ => (),
            }
        } else {
            match byte {
                b'#' => at += bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at),
                b'"' => open.push(Open::String),
                b'(' | b'[' | b'{' => open.push(Open::Bracket),
                b')' | b']' | b'}' => drop(open.pop()),
                b';' if open.last() == Some(&Open::Definition) => drop(open.pop()),
                b'-' | b'|' | b',' | b'+' | b'*' | b'/' | b'%' | b'=' | b'<' | b'>' | b'.' | b'?' => operators += 1,
                b if b.is_ascii_alphabetic() || b == b'_' => {
                    let len = bytes[at..].iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_').count();
                    match &code[at..at + len] {
                        "if" => open.push(Open::Word),
                        "end" if open.last() == Some(&Open::Word) => drop(open.pop()),
                        "def" => open.push(Open::Definition),
                        "and" | "or" | "try" | "as" | "label" | "reduce" | "foreach" => operators += 1,
                        _ => (),
                    }
                    at += len - 1;
                }
                _ => (),
            }
        }
        most = most.max(open.len());
        at += 1;
    }
    (most, operators)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::Arguments;
    use crate::program::Program;

    #[test]
    fn what_is_nested_too_deep_or_too_long_is_refused_before_it_is_parsed() {
        let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(limits_hold).unwrap();
        thread.join().unwrap();
    }

    fn limits_hold() {
        let around = |open: &str, close: &str, count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
        for (open, close) in
            [("(", ")"), ("[", "]"), ("{a:", "}"), ("if 1 then ", " end"), ("def a: ", "; a"), ("\"\\(", ")\"")]
        {
            let deep = Program::new(&around(open, close, 100_000), Arguments::default()).err().unwrap();
            assert_eq!(deep.message, "the filter: it is nested deeper than 200 levels", "{open}");
            assert!(Program::new(&around(open, close, 90), Arguments::default()).is_ok(), "{open}");
        }
        for long in ["1,", "-", "try ", "1+", ".a|", "1 as $x|", "label $x|", ".a//", "1 and "] {
            let filter = |count: usize| format!("{}1", long.repeat(count));
            let wrong = Program::new(&filter(200_000), Arguments::default()).err().unwrap();
            assert_eq!(wrong.message, "the filter: it has more than 4000 operators", "{long}");
            assert!(Program::new(&filter(1_000), Arguments::default()).is_ok(), "{long}");
        }
    }

    #[test]
    fn signs_in_texts_and_comments_are_none() {
        assert_eq!(measured("\"((((\" # ((((\n| [1]"), (1, 1));
        assert_eq!(measured("def f: 1; def g: 2; f"), (1, 0));
        assert_eq!(measured("\"a\\(\"b\\(1)\")\""), (4, 0));
    }
}
