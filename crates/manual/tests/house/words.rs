//! Plain words: long sentences and odd turns, counted; their number may only fall.

use std::fs;

use manual::{page, root, tools};

use super::prose::sentences;

/// A sentence with more words is long.
const WORDS_MAX: usize = 25;

/// Turns that a reader from elsewhere has to decode, as "behind" for after or downstream, "is told" for is reported.
const ODD_TURNS: [&str; 27] = [
    "anew",
    "are of",
    "are told",
    "as it was",
    "becomes of",
    "behind",
    "beside",
    "for good",
    "go on",
    "goes on",
    "in front of",
    "is none",
    "is of",
    "is told",
    "nobody",
    "so many",
    "so much",
    "somebody",
    "stand",
    "stands",
    "stood",
    "tells of",
    "the place of",
    "told of",
    "went on",
    "whatever",
    "whoever",
];

/// The most that there may be. A change that makes it less lowers the limit too.
struct Limits {
    odd_turns_per_10_000_words: usize,
    long_sentences: usize,
}

const OF_DOCUMENTS: Limits = Limits { odd_turns_per_10_000_words: 3, long_sentences: 6 };
const OF_HELP: Limits = Limits { odd_turns_per_10_000_words: 60, long_sentences: 217 };

#[test]
fn documents_are_in_plain_words() {
    let folders = ["docs", "docs/guide"].into_iter().flat_map(|folder| {
        let files = fs::read_dir(root().join(folder)).unwrap();
        files.map(move |file| format!("{folder}/{}", file.unwrap().file_name().to_string_lossy()))
    });
    let pages = folders.filter(|path| path.ends_with(".md")).chain(["README.md", "CONTRIBUTING.md"].map(str::to_owned));
    check(pages.map(|path| (fs::read_to_string(root().join(&path)).unwrap(), path)), &OF_DOCUMENTS);
}

#[test]
fn help_is_in_plain_words() {
    check(tools().iter().map(|tool| (page::render(tool), page::path(tool))), &OF_HELP);
}

fn check(pages: impl Iterator<Item = (String, String)>, limits: &Limits) {
    let (mut words, mut odd, mut long) = (0, Vec::new(), Vec::new());
    for (text, path) in pages {
        for sentence in sentences(&text) {
            words += sentence.len();
            let shown = format!(" {} ", sentence.join(" "));
            if sentence.len() > WORDS_MAX {
                long.push(format!("{path}:{shown}"));
            }
            for turn in ODD_TURNS.map(|turn| format!(" {turn} ")) {
                odd.extend(shown.matches(&turn).map(|_| format!("{path}: \"{}\" in{shown}", turn.trim())));
            }
        }
    }
    // Rounded up, so that the last one counts.
    let odd_turns = (odd.len() * 10_000).div_ceil(words);
    ratchet("odd turns per 10,000 words", odd_turns, limits.odd_turns_per_10_000_words, &odd);
    ratchet("sentences of more than 25 words", long.len(), limits.long_sentences, &long);
}

fn ratchet(what: &str, found: usize, limit: usize, places: &[String]) {
    assert!(found <= limit, "{found} {what}, and the limit is {limit}:\n{}", places.join("\n"));
    // A tenth of slack, so that two changes can meet.
    assert!(found * 10 >= limit * 9, "{found} {what}: lower the limit of {limit} to that");
}

/// Checks one page, without any odd turns allowed.
fn check_page(text: &str, long_sentences: usize) {
    let limits = Limits { odd_turns_per_10_000_words: 0, long_sentences };
    check([(text.to_owned(), "a page".to_owned())].into_iter(), &limits);
}

#[test]
#[should_panic(expected = "1 sentences of more than 25 words")]
fn a_long_sentence_is_found() {
    check_page(&"word ".repeat(26), 0);
}

#[test]
#[should_panic(expected = "a page: \"so many\" in there are so many ")]
fn an_odd_turn_is_found() {
    check_page("There are so many.", 0);
}

#[test]
#[should_panic(expected = "lower the limit of 20 to that")]
fn a_limit_falls_with_the_figure() {
    check_page("Plain.", 20);
}
