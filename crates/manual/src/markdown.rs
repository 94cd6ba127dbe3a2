//! The shell blocks of a page, and what the page says they print.

/// One part of a page, from a `## ` heading to the next: its blocks share a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    pub blocks: Vec<Block>,
}

/// A ```` ```sh ```` block and the ```` ```output ```` block after it; or a command of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The line of the page at which it begins, from 1.
    pub line: usize,
    pub script: String,
    pub output: Option<Output>,
}

/// The output that the page shows for a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub text: String,
    /// The lines between the fences, counted from 0, the end exclusive.
    pub lines: std::ops::Range<usize>,
}

/// The column of a table whose cells are commands to run.
const COMMANDS: &str = "millpipe command";

/// Reads a page.
pub fn sections(page: &str) -> Vec<Section> {
    let mut sections = vec![Section { title: "start".to_owned(), blocks: Vec::new() }];
    for fence in fences(page) {
        match fence {
            Item::Heading(title) => sections.push(Section { title, blocks: Vec::new() }),
            Item::Command { script, line } => {
                sections.last_mut().unwrap().blocks.push(Block { line, script, output: None });
            }
            Item::Fence { language, text, lines } => {
                let blocks = &mut sections.last_mut().unwrap().blocks;
                match language.as_str() {
                    "sh" => blocks.push(Block { line: lines.start + 1, script: text, output: None }),
                    "output" => blocks.last_mut().unwrap().output = Some(Output { text, lines }),
                    _ => {}
                }
            }
        }
    }
    sections.retain(|section| !section.blocks.is_empty());
    sections
}

enum Item {
    Heading(String),
    Command { script: String, line: usize },
    Fence { language: String, text: String, lines: std::ops::Range<usize> },
}

fn fences(page: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut open: Option<(String, usize, Vec<&str>)> = None;
    let mut column = None;
    for (at, line) in page.lines().enumerate() {
        match &mut open {
            Some((language, start, lines)) if line == "```" => {
                let text = lines.iter().map(|line| format!("{line}\n")).collect();
                items.push(Item::Fence { language: language.clone(), text, lines: *start..at });
                open = None;
            }
            Some((_, _, lines)) => lines.push(line),
            None => {
                if let Some(language) = line.strip_prefix("```") {
                    open = Some((language.to_owned(), at + 1, Vec::new()));
                } else if let Some(title) = line.strip_prefix("## ") {
                    items.push(Item::Heading(title.to_owned()));
                }
                let cells = cells(line);
                if let Some(script) = column.and_then(|column| command(&cells, column)) {
                    items.push(Item::Command { script, line: at + 1 });
                }
                // A column lasts as long as its table.
                column = if cells.is_empty() {
                    None
                } else {
                    column.or_else(|| cells.iter().position(|cell| cell == COMMANDS))
                };
            }
        }
    }
    assert!(open.is_none(), "a fence that nothing closes, or two in one: {open:?}");
    items
}

/// The cells of a row of a table; none of any other line. In a table a `|` that separates nothing is written `\\|`.
pub fn cells(line: &str) -> Vec<String> {
    let Some(row) = line.strip_prefix('|').and_then(|row| row.strip_suffix('|')) else { return Vec::new() };
    row.replace("\\|", "\0").split('|').map(|cell| cell.trim().replace('\0', "|")).collect()
}

/// The command that is all of a cell.
fn command(cells: &[String], column: usize) -> Option<String> {
    let code = cells.get(column)?.strip_prefix('`')?.strip_suffix('`')?;
    Some(format!("{code}\n"))
}

/// Returns true when `actual` is the text that `expected` shows. A `…` matches any characters of a line; a line that is only `…`
/// matches any number of lines.
pub fn matches(expected: &str, actual: &str) -> bool {
    let (expected, actual): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), actual.lines().collect());
    lines_match(&expected, &actual)
}

fn lines_match(expected: &[&str], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((&"…", rest)) => (0..=actual.len()).any(|skipped| lines_match(rest, &actual[skipped..])),
        Some((line, rest)) => {
            actual.first().is_some_and(|first| line_matches(line, first)) && lines_match(rest, &actual[1..])
        }
    }
}

fn line_matches(expected: &str, actual: &str) -> bool {
    match expected.split_once('…') {
        None => expected == actual,
        Some((start, rest)) => actual.strip_prefix(start).is_some_and(|tail| {
            tail.char_indices().map(|(at, _)| at).chain([tail.len()]).any(|at| line_matches(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n\n```sh\necho a\n```\n\n## Two\n\n```output\n```\n";

    #[test]
    fn a_block_is_found_with_its_section_and_output() {
        let page = "# P\n## One\n```sh\necho a\n```\nprints\n```output\na\n```\n## None\n```json\n{}\n```\n";
        let found = sections(page);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].title.as_str(), found[0].blocks[0].line), ("One", 4));
        assert_eq!(found[0].blocks[0].script, "echo a\n");
        assert_eq!(found[0].blocks[0].output, Some(Output { text: "a\n".to_owned(), lines: 7..8 }));
    }

    #[test]
    fn a_command_of_a_table_is_run_after_the_blocks_above_it() {
        let page = "## One\n```sh\necho a\n```\n| SQL | millpipe command |\n|---|---|\n| `a` | `b \\| c` |\n| d | none |\n\n| `x` | `y` |\n";
        let scripts: Vec<String> = sections(page).remove(0).blocks.into_iter().map(|block| block.script).collect();
        assert_eq!(scripts, ["echo a\n", "b | c\n"]);
    }

    #[test]
    #[should_panic(expected = "unwrap")]
    fn an_output_without_a_command_is_a_mistake_of_the_page() {
        sections(PAGE);
    }

    #[test]
    fn an_ellipsis_matches_parts_that_differ_from_run_to_run() {
        assert!(matches("a … c\n…\nz\n", "a b c\n1\n2\nz\n"));
        assert!(matches("…\nz", "z"));
        assert!(!matches("a … c\n", "a b d\n"));
        assert!(!matches("a\n", "a\nb\n"));
        assert!(!matches("a\nb\n", "a\n"));
    }
}
