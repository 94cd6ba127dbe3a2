use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use testkit::{run, wait_until};

const LOOKUP: &str = env!("CARGO_BIN_EXE_lookup");

#[test]
fn wrong_flags_teach_the_right_ones() {
    let fails = |flags: &[&str], words: &str| run(LOOKUP, flags, "").fails_with(2, words);
    fails(&["--on", "a=b"], "lookup: no table\nlookup: hint: say --table FILE, or --table-where FILTER");
    fails(&["--table", "t.csv", "--on", "a"], "\"a\" has no column: say EXPRESSION = COLUMN");
    fails(&["--table", "t.txt", "--on", "a=b"], "what is in \"t.txt\" cannot be told by its name");
    fails(&["--table", "t.ndjson", "--on", "a=b", "--csv-numbers"], "flags of a CSV with an NDJSON table");
    fails(&["--table", "t.csv", "--on", "a=b", "--delimiter", "é"], "--delimiter 'é' is not one ASCII character");
    fails(&["--table", "t.csv", "--on", "a=b", "--time", "t"], "flags of time with --table");
    fails(&["--table-where", ".x", "--on", "a=b"], "--table-where without --fields");
    fails(&["--table-where", ".x", "--on", "a=b", "--fields", "c", "--lateness", "1s"], "flags of time without --time");
    fails(&["--table-where", ".x", "--on", "a=b", "--fields", "c", "--late", "pass"], "--late without --time");
}

#[test]
fn a_table_that_is_not_there_or_wrong_ends_the_run_at_once() {
    run(LOOKUP, &["--table", "/nowhere.csv", "--on", "a=b"], "").fails_with(1, "lookup: /nowhere.csv: No such file");
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("t.csv");
    fs::write(&table, "id,v\n1,a\n1,b\n").unwrap();
    let ran = run(LOOKUP, &["--table", table.to_str().unwrap(), "--on", "k=id"], "{\"k\":1}\n");
    ran.fails_with(
        1,
        "t.csv: line 3: the key \"1\" is in the table already\nlookup: hint: --duplicates first, last or all",
    );
    fs::write(&table, "id,v\n1,\"a\n2,b\n").unwrap();
    let ran = run(LOOKUP, &["--table", table.to_str().unwrap(), "--on", "k=id"], "{\"k\":1}\n");
    ran.fails_with(1, "t.csv: line 2: the quote that opens here is never closed");
}

#[test]
fn a_table_that_is_empty_or_has_other_delimiters_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("t.csv");
    let told = |text: &str, flags: &[&str], words: &str| {
        fs::write(&table, text).unwrap();
        let args = [&["--table", table.to_str().unwrap(), "--on", "user=user"], flags].concat();
        run(LOOKUP, &args, "{\"user\":1}\n").fails_with(1, words);
    };
    told("", &[], "t.csv: is empty: a CSV begins with a header\nlookup: hint: --columns");
    told("user;age\n1;2\n", &[], "no column \"user\"; there is only \"user;age\"\nlookup: hint: --delimiter ';' says");
    told("user\tage\n", &[], "lookup: hint: --delimiter $'\\t' says");
    told("user|age\n", &[], "lookup: hint: --delimiter '|' says");
    told("user,age\n", &["--delimiter", ";"], "lookup: hint: --delimiter , says");
    told("name\n", &[], "no column \"user\"; there is only \"name\"\n");
    told("name,age\n", &[], "no column \"user\"; there are name, age\n");
}

#[test]
fn a_folder_and_a_compressed_file_are_told_by_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let lookup = |table: &str| run(LOOKUP, &["--table", table, "--on", "user=user"], "{\"user\":1}\n");
    fs::create_dir(at("d.csv")).unwrap();
    lookup(".").fails_with(1, "lookup: .: is a folder\nlookup: hint: --table FILE takes one file");
    lookup(&at("d.csv")).fails_with(1, "d.csv: is a folder");
    let pack = format!("cd '{}'; printf 'user,age\\n1,7\\n' > u.csv; gzip u.csv; cp u.csv.gz z.csv", at(""));
    testkit::bash(&[], &pack).ok();
    for name in ["u.csv.gz", "z.csv"] {
        let hint = format!("lookup: hint: --table <(gzip -dc {}) --table-format csv", at(name));
        lookup(&at(name)).fails_with(1, &format!("{name}: is compressed (gzip)\n{hint}"));
    }
    let line = "echo '{\"user\":1}'";
    let table = format!("<(sleep 0.2; gzip -dc {}) --table-format csv", at("u.csv.gz"));
    let job = format!("{{ {line}; sleep 3; {line}; }} | lookup --table {table} --on user=user");
    let ran = testkit::bash(&["lookup"], &job);
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        (&*"{\"user\":1,\"age\":\"7\"}\n".repeat(2), ""),
        "a pipe is read once"
    );
}

/// A run that is asked again and again until the answer is this one.
struct Asked {
    child: Child,
    answers: std::io::Lines<BufReader<std::process::ChildStdout>>,
    said: tempfile::NamedTempFile,
}

impl Asked {
    fn new(table: &std::path::Path) -> Asked {
        let said = tempfile::NamedTempFile::new().unwrap();
        let mut child = Command::new(LOOKUP)
            .args(["--table", table.to_str().unwrap(), "--on", "k=id"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said.reopen().unwrap())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap()).lines();
        Asked { child, answers, said }
    }

    fn answer(&mut self) -> String {
        self.child.stdin.as_mut().unwrap().write_all(b"{\"k\":1}\n").unwrap();
        self.answers.next().unwrap().unwrap()
    }

    fn until(&mut self, expected: &str) {
        wait_until(&format!("the answer is {expected}"), || self.answer() == expected);
    }

    fn said(&self) -> String {
        fs::read_to_string(self.said.path()).unwrap()
    }
}

#[test]
fn a_file_that_changes_is_read_again_and_at_sighup_too() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("t.csv");
    fs::write(&table, "id,v\n1,a\n").unwrap();
    let mut asked = Asked::new(&table);
    asked.until("{\"k\":1,\"v\":\"a\"}");
    fs::write(&table, "id,v\n1,changed\n").unwrap();
    asked.until("{\"k\":1,\"v\":\"changed\"}");

    // The same size and time: nobody can see that it is another.
    let modified = fs::metadata(&table).unwrap().modified().unwrap();
    fs::write(&table, "id,v\n1,CHANGED\n").unwrap();
    fs::File::options().write(true).open(&table).unwrap().set_modified(modified).unwrap();
    let pid = asked.child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    asked.until("{\"k\":1,\"v\":\"CHANGED\"}");

    fs::remove_file(&table).unwrap();
    wait_until("it is told", || {
        assert_eq!(asked.answer(), "{\"k\":1,\"v\":\"CHANGED\"}");
        asked.said().contains("No such file or directory; the table stays as it was")
    });
    // Once, however often it looks.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(asked.answer(), "{\"k\":1,\"v\":\"CHANGED\"}");
    drop(asked.child.stdin.take());
    assert!(asked.child.wait().unwrap().success());
    let said = asked.said();
    assert_eq!(said.matches("stays as it was").count(), 1, "{said}");
}

#[test]
fn a_key_that_no_line_had_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("t.csv");
    fs::write(&table, "id,name\n1,one\n").unwrap();
    let ran = run(LOOKUP, &["--table", table.to_str().unwrap(), "--on", "usr=id"], "{\"user\":\"1\"}\n");
    let said = "lookup: 1 line, none had \"usr\"; the lines have: user\nlookup: hint: did you mean \"user\"?\n";
    assert_eq!(ran.stderr, said);
}
