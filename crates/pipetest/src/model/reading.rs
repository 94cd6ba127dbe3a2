//! Reading a file of tests, and telling what is wrong with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use jq_filters::{Arguments, Program};
use millpipe::Error;
use toml::Spanned;

use crate::model::output::{Order, Output, TopicOutput};
use crate::model::source::SourceText;
use crate::model::test::{Test, TestFile};

/// Reads a file of tests.
///
/// # Errors
/// Usage, with file and line: it is no TOML, says what no test can say, or contradicts itself.
pub fn read(path: &Path) -> Result<(SourceText, TestFile), Error> {
    let text = fs::read_to_string(path).map_err(|error| {
        let Error { message, .. } = Error::io(path.display(), &error);
        Error::usage(message)
    })?;
    let source = SourceText { path: path.to_owned(), text };
    let file = parse(&source)?;
    Ok((source, file))
}

fn parse(source: &SourceText) -> Result<TestFile, Error> {
    let file: TestFile = toml::from_str(&source.text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        source.error(place, error.message().trim_end())
    })?;
    if file.tests.is_empty() {
        return Err(source.error(0, "no [[test]]").hint("[[test]] with name = \"…\" begins one"));
    }
    let mut names = BTreeSet::new();
    for test in &file.tests {
        let (place, test) = (test.span().start, test.get_ref());
        if !names.insert(&test.name) {
            return Err(source.error(place, format_args!("two tests are called \"{}\"", test.name)));
        }
        check(source, place, &file, test)?;
    }
    Ok(file)
}

fn check(source: &SourceText, place: usize, file: &TestFile, test: &Test) -> Result<(), Error> {
    let wrong = |what: String| source.error(place, format_args!("test \"{}\": {what}", test.name));
    if test.run.is_none() && file.run.is_none() {
        return Err(wrong("nothing is run".to_owned()).hint("run = \"script.sh\", or a pipeline in one line"));
    }
    if !test.expects_something() {
        return Err(wrong("it expects nothing, and so would always pass".to_owned())
            .hint("[test.out.TOPIC], [test.stdout], [test.file.PATH], [test.expect] or [test.stage.NAME]"));
    }
    for (name, output) in &test.out {
        let at = |what: &str| source.error(output.span().start, format_args!("topic {name}: {what}"));
        let TopicOutput { whole, parts, .. } = output.get_ref();
        check_output(whole).map_err(|what| at(&what))?;
        parts.values().try_for_each(|part| check_output(part.get_ref()).map_err(|what| at(&what)))?;
    }
    let files = test.file.iter().map(|(name, output)| (format!("file {name}"), output));
    for (name, output) in files.chain(test.stdout.iter().map(|output| ("stdout".to_owned(), output))) {
        let (place, output): (usize, &Output) = place_of(output);
        let needs_key = output.order == Order::ByKey && output.by.is_none();
        let missing = needs_key.then(|| "order = \"by key\" needs by = \".FIELD\"".to_owned());
        let wrong = missing.map_or_else(|| check_output(output), Err);
        wrong.map_err(|what| source.error(place, format_args!("{name}: {what}")))?;
    }
    Ok(())
}

fn place_of(output: &Spanned<crate::model::output::AnyOutput>) -> (usize, &Output) {
    (output.span().start, &output.get_ref().0)
}

/// Compiles the filters.
fn check_output(output: &Output) -> Result<(), String> {
    let filters = output.filter.iter().chain(&output.by).chain(&output.check);
    for filter in filters {
        Program::new(filter, Arguments::default()).map_err(|wrong| format!("{filter}: {}", wrong.message))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::input::{Input, Origin};

    fn parsed(text: &str) -> Result<TestFile, Error> {
        parse(&SourceText { path: "t.toml".into(), text: text.to_owned() })
    }

    fn said(text: &str) -> String {
        parsed(text).unwrap_err().message
    }

    const START: &str = "run = 'job.sh'\n[[test]]\nname = 'one'\n";

    #[test]
    fn a_test_says_what_goes_in_and_what_comes_out() {
        let file = parsed(&format!(
            "{START}[test.in.requests]\n0 = '''\n{{\"a\":1}}\n@idle\n'''\n1 = {{ file = 'day.ndjson.zst' }}\n\
             [test.in.clicks]\ncommand = 'generate --lines 5'\npartitions = 4\n\
             [test.out.counts]\nlines = '''\n{{\"n\":1}}\n'''\norder = 'by key'\nwhere = 'del(.at)'\ncheck = ['length == 1']\n\
             [test.expect]\nlate = 1\n[test.stage.window]\nlate = 1\nmessages = ['/1 late/']\n[test.also]\ncuts = 3\nshuffle = '5s'\n"
        ))
        .unwrap();
        let test = file.tests[0].get_ref();
        let requests = &test.inputs["requests"];
        let lines = |text: &str| Input { origin: Origin::Lines(text.to_owned()), envelope: false };
        assert_eq!(requests.partitions[&0], lines("{\"a\":1}\n@idle\n"));
        assert_eq!(requests.partitions[&1].origin, Origin::File("day.ndjson.zst".to_owned()));
        assert_eq!((requests.count, test.inputs["clicks"].count), (2, 4));
        let counts = test.out["counts"].get_ref();
        assert_eq!(counts.whole.order, Order::ByKey);
        assert_eq!((test.also.cuts, test.also.shuffle_ms), (3, Some(5000)));
        assert_eq!(file.time_ms, 60_000);
    }

    #[test]
    fn lines_may_stand_alone() {
        let file =
            parsed(&format!("{START}in.a = 'x'\nout.b = '''\ny\n'''\nstdout = 'z'\nfiles = ['p/q.toml']\n")).unwrap();
        let test = file.tests[0].get_ref();
        assert_eq!(test.inputs["a"].partitions.len(), 1);
        assert!(test.out["b"].get_ref().whole.has_lines() && test.stdout.is_some());
        assert_eq!(test.files.0["p/q.toml"].origin, Origin::File("p/q.toml".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_there_is() {
        let unknown = said(&format!("{START}[test.out.counts]\nordr = 'any'\n"));
        assert!(unknown.starts_with("t.toml:"), "{unknown}");
        assert!(unknown.contains("unknown field `ordr`, expected one of `0`, `1, …`, `lines`"), "{unknown}");
        let value = said(&format!("{START}stdout = {{ lines = '', order = 'some' }}\n"));
        assert!(value.starts_with("t.toml:4: ") && value.contains("`exact`, `any`, `by key`"), "{value}");
        let number = said(&format!("{START}time = 5\nstdout = ''\n"));
        assert!(number.starts_with("t.toml:4: ") && number.contains("expected a string"), "{number}");
        assert!(said("run = 'a'\n[[test]\n").starts_with("t.toml:2: "));
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let cases = [
            ("run = 'a'\n", "t.toml:1: no [[test]]"),
            (START, "t.toml:2: test \"one\": it expects nothing, and so would always pass"),
            ("[[test]]\nname = 'one'\nstdout = ''\n", "t.toml:1: test \"one\": nothing is run"),
        ];
        for (text, expected) in cases {
            assert_eq!(said(text), expected);
        }
        let both = said(&format!("{START}stdout = {{ lines = '', file = 'x' }}\n"));
        assert_eq!(both, "t.toml:4: an output says lines or file, not both");
        let input = said(&format!("{START}stdin = {{ lines = '', file = 'x' }}\nstdout = ''\n"));
        assert_eq!(input, "t.toml:4: an input says one of lines, file and command");
        let twice = said(&format!("{START}stdout = ''\n[[test]]\nname = 'one'\nstdout = ''\n"));
        assert_eq!(twice, "t.toml:5: two tests are called \"one\"");
        let filter = said(&format!("{START}stdout = {{ where = 'del(' }}\n"));
        assert!(filter.starts_with("t.toml:4: stdout: del(: the filter, line 1, column"), "{filter}");
        let by = said(&format!("{START}stdout = {{ lines = '', order = 'by key' }}\n"));
        assert_eq!(by, "t.toml:4: stdout: order = \"by key\" needs by = \".FIELD\"");
    }
}
