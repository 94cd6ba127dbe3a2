//! New expectations in the files of tests. Comments and all else stay as they are.

use std::fs;
use std::path::Path;

use millpipe::Error;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use crate::check::Place;
use crate::outcome::{Outcome, Way};

/// Puts what came into the files. Returns how many expectations are new; problems of other kinds are left.
///
/// # Errors
/// The disk's; a file that has its tests in a form that is not understood here.
pub fn update(outcomes: &[Outcome]) -> Result<usize, Error> {
    let mut count = 0;
    for outcome in outcomes {
        let Some(failure) = outcome.failure.as_ref().filter(|failure| failure.way == Way::Plain) else { continue };
        let new = failure.problems.iter().filter_map(|problem| problem.came.as_ref());
        for (place, lines) in new {
            renew(&outcome.file, outcome.index, place, lines)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Returns true if new expectations have mended all that was wrong.
#[must_use]
pub fn is_mended(outcome: &Outcome) -> bool {
    let all_renewed = |failure: &crate::outcome::Failure| failure.problems.iter().all(|problem| problem.came.is_some());
    outcome.failure.as_ref().is_none_or(all_renewed)
}

fn renew(file: &Path, test: usize, place: &Place, lines: &[String]) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::io(file.display(), &error);
    let text = fs::read_to_string(file).map_err(failed)?;
    let not_so = || {
        Error::usage(format_args!("{}: {place} cannot be put in there: write the tests as [[test]]", file.display()))
    };
    let mut document: DocumentMut = text.parse().map_err(|_| not_so())?;
    let found = entry(&mut document, test, place).ok_or_else(not_so)?;
    if let Some(path) = found.as_table_like().and_then(|table| table.get("file")).and_then(Item::as_str) {
        let path = file.parent().unwrap_or(Path::new("")).join(path);
        return fs::write(&path, joined(lines)).map_err(|error| Error::io(path.display(), &error));
    }
    set(found, lines);
    fs::write(file, document.to_string()).map_err(failed)
}

/// The item that says what is expected there.
fn entry<'d>(document: &'d mut DocumentMut, test: usize, place: &Place) -> Option<&'d mut Item> {
    let test: &mut Table = document.get_mut("test")?.as_array_of_tables_mut()?.get_mut(test)?;
    match place {
        Place::Stdout => test.get_mut("stdout"),
        Place::File(path) => test.get_mut("file")?.as_table_like_mut()?.get_mut(path),
        Place::Topic(topic, number) => {
            let topic = test.get_mut("out")?.as_table_like_mut()?.get_mut(topic)?;
            match number {
                None => Some(topic),
                Some(number) => topic.as_table_like_mut()?.get_mut(&number.to_string()),
            }
        }
    }
}

fn set(item: &mut Item, lines: &[String]) {
    let new = value(lines);
    match item.as_table_like_mut() {
        Some(table) => match table.get_mut("lines").and_then(Item::as_value_mut) {
            Some(old) => replace(old, new),
            None => insert(table, new),
        },
        None => {
            if let Some(old) = item.as_value_mut() {
                replace(old, new);
            }
        }
    }
}

fn insert(table: &mut dyn TableLike, new: Value) {
    table.insert("lines", Item::Value(new));
}

/// What stood around the value stays.
fn replace(old: &mut Value, new: Value) {
    let decor = old.decor().clone();
    *old = new;
    *old.decor_mut() = decor;
}

/// Lines as they are read best: between three quotes.
fn value(lines: &[String]) -> Value {
    let text = joined(lines);
    let literal = format!("'''\n{text}'''");
    let is_plain = !text.contains("'''") && !text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    let parsed = if is_plain { literal.parse().ok() } else { None };
    parsed.unwrap_or_else(|| Value::from(text))
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renewed(text: &str, place: &Place, lines: &[&str]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.pipetest.toml");
        fs::write(&file, text).unwrap();
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        renew(&file, 0, place, &lines).unwrap();
        fs::read_to_string(&file).unwrap()
    }

    const TOPIC: &str =
        "# why\n[[test]]\nname = 'x' # one\n[test.out.t] # out\nlines = '''\nold\n''' # these\norder = 'any'\n";

    #[test]
    fn new_lines_stand_in_place_of_the_old_and_comments_stay() {
        let topic = Place::Topic("t".to_owned(), None);
        assert_eq!(renewed(TOPIC, &topic, &["a", "b"]), TOPIC.replace("old\n", "a\nb\n"));
        let short = "[[test]]\nname = 'x'\nout.t = 'old'\nstdout = '' # nothing\n";
        assert_eq!(renewed(short, &topic, &["{\"a\":1}"]), short.replace("'old'", "'''\n{\"a\":1}\n'''"));
        assert_eq!(renewed(short, &Place::Stdout, &["z"]), short.replace("''", "'''\nz\n'''"));
    }

    #[test]
    fn a_partition_and_a_place_without_lines_get_theirs() {
        let parts = "[[test]]\nname = 'x'\n[test.out.t]\n0 = 'a'\n1 = { lines = 'b', order = 'any' }\n";
        let one = Place::Topic("t".to_owned(), Some(1));
        assert!(renewed(parts, &one, &["c"]).contains("1 = { lines = '''\nc\n''', order = 'any' }"));
        let none = "[[test]]\nname = 'x'\n[test.file.\"out.ndjson\"]\norder = 'any'\n";
        let file = Place::File("out.ndjson".to_owned());
        assert_eq!(renewed(none, &file, &["c"]), format!("{none}lines = '''\nc\n'''\n"));
    }

    #[test]
    fn lines_with_three_quotes_are_written_otherwise() {
        let text = renewed(TOPIC, &Place::Topic("t".to_owned(), None), &["it's '''so'''"]);
        let read: toml::Table = toml::from_str(&text).unwrap();
        assert_eq!(read["test"][0]["out"]["t"]["lines"].as_str(), Some("it's '''so'''\n"));
    }

    #[test]
    fn a_file_of_lines_is_written_anew() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.pipetest.toml");
        fs::write(&file, "[[test]]\nname = 'x'\nstdout = { file = 'right.ndjson' }\n").unwrap();
        renew(&file, 0, &Place::Stdout, &["a".to_owned()]).unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("right.ndjson")).unwrap(), "a\n");
    }
}
