//! The sentences of a page.

use manual::markdown::cells;

/// Returns the words of each sentence, without punctuation around them. Code is one word, and blocks of code are left out.
pub fn sentences(page: &str) -> Vec<Vec<String>> {
    texts(page).iter().flat_map(|text| sentences_of(&without_targets(&without_code(text)))).collect()
}

/// The paragraphs, headings, items of lists and cells of tables.
fn texts(page: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut is_code = false;
    for line in page.lines().map(str::trim) {
        let is_fence = line.starts_with("```");
        is_code ^= is_fence;
        let cells = cells(line);
        if is_code || is_fence || line.is_empty() || line.starts_with("<!--") || !cells.is_empty() {
            texts.extend(cells);
            texts.push(String::new());
            continue;
        }
        let is_heading = line.starts_with('#');
        if is_heading || is_item(line) {
            texts.push(String::new());
        }
        let line = if is_item(line) { line.split_once(' ').unwrap_or_default().1 } else { line };
        *texts.last_mut().unwrap() += &format!("{line} ");
        if is_heading {
            texts.push(String::new());
        }
    }
    texts
}

fn is_item(line: &str) -> bool {
    let (mark, _) = line.split_once(' ').unwrap_or_default();
    let number = mark.strip_suffix('.').unwrap_or_default();
    ["-", "*"].contains(&mark) || !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
}

fn without_code(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join("code")
}

/// `[text](target)` as `[text]`.
fn without_targets(text: &str) -> String {
    let mut parts = text.split("](");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}]{}", part.split_once(')').unwrap_or_default().1))
}

fn sentences_of(text: &str) -> Vec<Vec<String>> {
    let mut sentences = vec![Vec::new()];
    for word in text.split_whitespace() {
        let plain = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if !plain.is_empty() {
            sentences.last_mut().unwrap().push(plain);
        }
        let is_end = word.trim_end_matches([')', '*', '_', '"', ']']).ends_with(['.', '!', '?']);
        if is_end && !["e.g.", "i.e.", "al."].contains(&word) {
            sentences.push(Vec::new());
        }
    }
    sentences.retain(|words| !words.is_empty());
    sentences
}

#[test]
fn a_sentence_is_what_a_reader_reads() {
    let page = "# A `b` c\nOne two. (Three\nfour!)\n```sh\necho five\n```\n- [six](seven.md) *8*\n| nine | ten |\n";
    let read: Vec<String> = sentences(page).iter().map(|words| words.join(" ")).collect();
    assert_eq!(read, ["a code c", "one two", "three four", "six 8", "nine", "ten"]);
}
