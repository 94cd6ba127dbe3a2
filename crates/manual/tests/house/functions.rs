//! Functions, found by the indentation that rustfmt gives them.

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    /// The text after `impl`: `Stage for Dedup`; empty outside.
    pub of: String,
    /// From its signature to its closing bracket.
    pub lines: usize,
}

pub fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    let mut of = "";
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            of = line.trim_start_matches("impl").trim_end_matches('{').trim();
        } else if *line == "}" {
            of = "";
        }
        let Some(name) = name(line) else { continue };
        let indent = &line[..line.len() - line.trim_start().len()];
        let closing = format!("{indent}}}");
        let ends = |line: &str| line == closing || line.ends_with(';') && line.starts_with(&format!("{indent})"));
        let is_one_line = line.ends_with('}') || line.ends_with(';');
        let length = if is_one_line { 1 } else { 2 + lines[at + 1..].iter().take_while(|line| !ends(line)).count() };
        let last = lines.get(at + length - 1).copied().unwrap_or_default();
        if last.ends_with('}') {
            found.push(Function { name: name.to_owned(), of: of.to_owned(), lines: length });
        }
    }
    found
}

/// The name in the first line of a signature.
fn name(line: &str) -> Option<&str> {
    let mut words = line.trim_start();
    if words.starts_with("//") {
        return None;
    }
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "unsafe ", "extern \"C\" "] {
        words = words.strip_prefix(word).unwrap_or(words);
    }
    words.strip_prefix("fn ")?.split(['(', '<']).next()
}

#[test]
fn a_function_is_counted_from_its_signature_to_its_end() {
    let text = "impl Stage for Dedup {\n    fn held(&self) -> u64 {\n        0\n    }\n\n    fn one(&self) {}\n}\n\n\
                pub trait T {\n    fn none(&self);\n}\n\npub fn long(\n    a: u8,\n) -> u8 {\n    a\n}\n";
    let told: Vec<(String, String, usize)> =
        functions(text).into_iter().map(|function| (function.name, function.of, function.lines)).collect();
    let expected = [("held", "Stage for Dedup", 3), ("one", "Stage for Dedup", 1), ("long", "", 5)];
    assert_eq!(told, expected.map(|(name, of, lines)| (name.to_owned(), of.to_owned(), lines)));
}
