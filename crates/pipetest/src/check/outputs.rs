//! The lines that came out.

use std::fs;
use std::sync::LazyLock;

use jq_filters::{Arguments, Filter, Program};
use kafka_cat_in::Incoming;
use kafka_ends::envelope::{self, Envelope};
use millpipe::Error;

use crate::broker::{Broker, Record};
use crate::check::problem::{self, Place, Problem};
use crate::compare::{Expected, compare};
use crate::job::Job;
use crate::model::{Order, Output, SourceText, TopicOutput};
use crate::running::Observed;
use crate::script_lines;

/// What a filter may give for a line, or all lines together for a check.
const RESULT_BYTES_MAX: usize = 64 << 20;
/// So much of an unexpected output is shown.
const SHOWN_MAX: usize = 5;

/// Lines that came out somewhere, with their keys where the place has some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    pub lines: Vec<String>,
    pub keys: Vec<String>,
}

static NOTHING: LazyLock<Output> = LazyLock::new(Output::default);

/// Something that is expected: where, what, and where in the file that is written.
struct Wanted<'a> {
    place: Place,
    output: &'a Output,
    span: std::ops::Range<usize>,
    came: Came,
}

pub fn check(job: &Job, observed: &Observed, is_ordered: bool, problems: &mut Vec<Problem>) -> Result<(), Error> {
    for wanted in wanted(job, observed)? {
        check_output(job, &wanted, is_ordered, problems)?;
    }
    check_unexpected(job, observed, problems)
}

fn wanted<'a>(job: &'a Job, observed: &Observed) -> Result<Vec<Wanted<'a>>, Error> {
    let mut all = Vec::new();
    let broker = Broker::at(&observed.scene.broker_folder())?;
    for (topic, spanned) in &job.test.out {
        let TopicOutput { whole, parts, envelope, .. } = spanned.get_ref();
        for (number, part) in parts {
            let came = topic_lines(&broker, topic, *number..number + 1, *envelope)?;
            let place = Place::Topic(topic.clone(), Some(*number));
            all.push(Wanted { place, output: part.get_ref(), span: part.span(), came });
        }
        // Partitions that are not spoken of beside others must stay empty.
        let others = (0..broker.count(topic)).filter(|number| !parts.is_empty() && !parts.contains_key(number));
        for number in others.filter(|_| !whole.ignore) {
            let came = topic_lines(&broker, topic, number..number + 1, *envelope)?;
            all.push(Wanted { place: Place::Topic(topic.clone(), Some(number)), output: &NOTHING, span: 0..0, came });
        }
        if parts.is_empty() || whole.ignore || !whole.check.is_empty() {
            let came = topic_lines(&broker, topic, 0..broker.count(topic), *envelope)?;
            all.push(Wanted { place: Place::Topic(topic.clone(), None), output: whole, span: spanned.span(), came });
        }
    }
    for (path, spanned) in &job.test.file {
        let bytes = file_bytes(&observed.scene.work().join(path))?;
        let came = Came { lines: lines(&bytes), keys: Vec::new() };
        all.push(Wanted { place: Place::File(path.clone()), output: &spanned.get_ref().0, span: spanned.span(), came });
    }
    if let Some(spanned) = &job.test.stdout {
        let came = Came { lines: lines(&observed.stdout), keys: Vec::new() };
        all.push(Wanted { place: Place::Stdout, output: &spanned.get_ref().0, span: spanned.span(), came });
    }
    Ok(all)
}

fn topic_lines(broker: &Broker, topic: &str, numbers: std::ops::Range<i32>, is_envelope: bool) -> Result<Came, Error> {
    let mut came = Came::default();
    for number in numbers {
        for record in broker.committed(topic, number)? {
            came.keys.push(record.key().map(|key| String::from_utf8_lossy(key).into_owned()).unwrap_or_default());
            came.lines.push(if is_envelope { message_text(&record) } else { value_text(&record) });
        }
    }
    Ok(came)
}

fn value_text(record: &Record) -> String {
    record.value().map_or_else(|| "null".to_owned(), |value| String::from_utf8_lossy(value).into_owned())
}

/// The envelope, without what is another one in each run.
fn message_text(record: &Record) -> String {
    let envelope = Envelope {
        topic: record.topic(),
        partition: record.partition(),
        offset: 0,
        timestamp_ms: None,
        key: record.key(),
        value: record.value(),
    };
    let mut line = Vec::new();
    envelope::write(&envelope, record.headers(), &mut line);
    let text = String::from_utf8_lossy(&line).into_owned();
    text.replacen(",\"offset\":0,\"timestamp\":null", "", 1)
}

/// A file that is not there is empty; of a folder the files in the order of their names.
fn file_bytes(path: &std::path::Path) -> Result<Vec<u8>, Error> {
    if !path.is_dir() {
        return if path.exists() { script_lines::read(path) } else { Ok(Vec::new()) };
    }
    let entries = fs::read_dir(path).map_err(|error| Error::io(path.display(), &error))?;
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
    paths.sort();
    Ok(paths.iter().map(|path| file_bytes(path)).collect::<Result<Vec<_>, _>>()?.concat())
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

fn check_output(job: &Job, wanted: &Wanted<'_>, is_ordered: bool, problems: &mut Vec<Problem>) -> Result<(), Error> {
    let Wanted { place, output, came, .. } = wanted;
    if output.ignore {
        return Ok(());
    }
    let came =
        filtered(output, came).map_err(|what| job.source.error(wanted.span.start, format_args!("{place}: {what}")))?;
    for check in &output.check {
        if let Some(why) = broken_rule(check, &came.lines) {
            problems.push(
                Problem::new(format_args!("{place}: check '{check}' {why}")).with_shown(first_lines(&came.lines)),
            );
        }
    }
    if !output.has_lines() && !output.check.is_empty() {
        return Ok(());
    }
    let expected = expected(&job.source, output, &wanted.span)?;
    let order = if is_ordered || output.order == Order::ByKey { output.order } else { Order::Any };
    let keys = match order {
        Order::ByKey => keys(output, &expected, &came)?,
        _ => (Vec::new(), Vec::new()),
    };
    if let Some(difference) = compare(&expected, &came.lines, order, (&keys.0, &keys.1)) {
        let problem = Problem::new(format_args!("{place}: {}", difference.words())).with_shown(difference.shown);
        problems.push(Problem { came: Some((place.clone(), came.lines)), ..problem });
    }
    Ok(())
}

/// The results of the filter in place of the lines; each as compact as can be, so that spaces do not differ.
fn filtered(output: &Output, came: &Came) -> Result<Came, String> {
    let Some(code) = &output.filter else {
        return Ok(Came { lines: came.lines.iter().map(|line| compact(line)).collect(), keys: came.keys.clone() });
    };
    let mut filter = filter(code)?;
    let mut results = Came::default();
    for (at, line) in came.lines.iter().enumerate() {
        let made = filter.run(line.as_bytes()).map_err(|failure| format!("where '{code}' on {line}: {failure}"))?;
        for result in made.iter() {
            results.lines.push(compact(&String::from_utf8_lossy(result)));
            results.keys.push(came.keys.get(at).cloned().unwrap_or_default());
        }
    }
    Ok(results)
}

fn filter(code: &str) -> Result<Filter, String> {
    Ok(Program::new(code, Arguments::default()).map_err(|wrong| wrong.message)?.filter(RESULT_BYTES_MAX))
}

/// JSON without spaces between its tokens; all else as it is.
fn compact(line: &str) -> String {
    let mut compact = Vec::new();
    match json_fields::compact(line.as_bytes(), &mut compact) {
        Ok(()) => String::from_utf8_lossy(&compact).into_owned(),
        Err(_) => line.trim_end_matches('\r').to_owned(),
    }
}

/// Why a rule does not hold for all lines together.
fn broken_rule(code: &str, lines: &[String]) -> Option<String> {
    let array = format!("[{}]", lines.join(","));
    let truth =
        filter(code).and_then(|mut filter| filter.truth(array.as_bytes()).map_err(|failure| failure.to_string()));
    match truth {
        Ok(truth) if truth.passes => None,
        Ok(_) => Some(format!("is not true of {}", counted(lines))),
        Err(why) => Some(format!("fails: {why}")),
    }
}

/// The lines that the test tells, with the numbers of their lines.
fn expected(source: &SourceText, output: &Output, span: &std::ops::Range<usize>) -> Result<Vec<Expected>, Error> {
    let (text, first) = match (&output.lines, &output.file) {
        (Some(lines), _) => {
            let span = if lines.span().is_empty() { span.clone() } else { lines.span() };
            (lines.get_ref().clone(), source.first_line_of(&span))
        }
        (None, Some(file)) => {
            let bytes = script_lines::read(&source.folder().join(file))?;
            (String::from_utf8_lossy(&bytes).into_owned(), 1)
        }
        (None, None) => (String::new(), 1),
    };
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    Ok(numbered.map(|(at, line)| Expected { text: compact(line), line: first + at }).collect())
}

/// The keys of the expected lines, and of those that came.
fn keys(output: &Output, expected: &[Expected], came: &Came) -> Result<(Vec<String>, Vec<String>), Error> {
    let Some(code) = &output.by else {
        // The lines of a topic: an expected one has the key of the message with the same value.
        let of =
            |line: &Expected| came.lines.iter().position(|other| *other == line.text).map(|at| came.keys[at].clone());
        return Ok((expected.iter().map(|line| of(line).unwrap_or_default()).collect(), came.keys.clone()));
    };
    let mut filter = filter(code).map_err(Error::usage)?;
    let mut key = |line: &str| match filter.run(line.as_bytes()) {
        Ok(results) => String::from_utf8_lossy(&results.iter().collect::<Vec<_>>().concat()).into_owned(),
        Err(failure) => failure.to_string(),
    };
    Ok((expected.iter().map(|line| key(&line.text)).collect(), came.lines.iter().map(|line| key(line)).collect()))
}

/// Whatever comes out that the test does not speak of is a difference too.
fn check_unexpected(job: &Job, observed: &Observed, problems: &mut Vec<Problem>) -> Result<(), Error> {
    let broker = Broker::at(&observed.scene.broker_folder())?;
    for (topic, count) in broker.topics()? {
        if job.test.out.contains_key(&topic) || job.test.inputs.contains_key(&topic) {
            continue;
        }
        let came = topic_lines(&broker, &topic, 0..count, false)?;
        if !came.lines.is_empty() {
            let what = format!("topic {topic}: {}, and the test does not speak of it", counted(&came.lines));
            let hint =
                format!("     [test.out.{topic}] says what must be there; ignore = true: whatever comes is right");
            problems.push(Problem::new(what).with_shown([vec![hint], first_lines(&came.lines)].concat()));
        }
    }
    let stdout = lines(&observed.stdout);
    if job.test.stdout.is_none() && !stdout.is_empty() {
        let what = format!("stdout: {}, and the test does not speak of it", counted(&stdout));
        let hint = "     [test.stdout] says what must be there; ignore = true: whatever comes is right".to_owned();
        problems.push(Problem::new(what).with_shown([vec![hint], first_lines(&stdout)].concat()));
    }
    Ok(())
}

fn counted(of: &[String]) -> String {
    problem::lines(of.len() as u64, "")
}

fn first_lines(lines: &[String]) -> Vec<String> {
    lines.iter().take(SHOWN_MAX).map(|line| format!("     + {line}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(lines: &[&str]) -> Came {
        Came { lines: lines.iter().map(|line| (*line).to_owned()).collect(), keys: Vec::new() }
    }

    #[test]
    fn spaces_between_tokens_make_no_difference_and_numbers_keep_their_spelling() {
        assert_eq!(compact("{ \"a\": 1.50, \"b\": \"x y\" }"), "{\"a\":1.50,\"b\":\"x y\"}");
        assert_eq!(compact("no json \r"), "no json ");
    }

    #[test]
    fn a_filter_stands_in_for_the_lines() {
        let output = Output { filter: Some("select(.n > 1) | del(.at)".to_owned()), ..Output::default() };
        let results = filtered(&output, &came(&["{\"n\":1,\"at\":5}", "{\"n\":2, \"at\":6}"])).unwrap();
        assert_eq!(results.lines, ["{\"n\":2}"]);
        assert!(filtered(&output, &came(&["nonsense"])).unwrap_err().starts_with("where 'select"));
    }

    #[test]
    fn a_rule_holds_for_all_lines_together() {
        let lines = came(&["{\"n\":1}", "{\"n\":2}"]).lines;
        assert_eq!(broken_rule("map(.n) | add == 3", &lines), None);
        assert_eq!(broken_rule("all(.n > 1)", &lines).unwrap(), "is not true of 2 lines");
        assert!(broken_rule("all(.n > 1)", &["x".to_owned()]).unwrap().starts_with("fails: "));
        assert_eq!(broken_rule("length == 0", &[]), None);
    }
}
