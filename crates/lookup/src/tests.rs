//! A table beside the stream.

mod in_stream;

use clap::Parser;
use millpipe::{Config, Driver, Error, Fault, Rejects};
use testkit::{Played, every_way, play};

use crate::cli::Cli;
use crate::{Kind, Lookup, Table, Tables};

/// What a table's file holds at each look; none: it has not changed.
struct Versions {
    cli: Cli,
    texts: std::vec::IntoIter<Option<&'static str>>,
}

impl Versions {
    fn read(&self, text: &str) -> Result<Table, Error> {
        let reader = self.cli.table_reader(self.cli.table.as_ref().unwrap()).unwrap();
        reader.read(&mut text.as_bytes()).map_err(Error::data)
    }
}

impl Tables for Versions {
    fn load(&mut self) -> Result<Table, Error> {
        let text = self.texts.next().unwrap().unwrap();
        self.read(text)
    }

    fn look(&mut self) -> Option<Result<Table, Error>> {
        let text = self.texts.next()??;
        Some(self.read(text))
    }
}

fn cli(flags: &str) -> Cli {
    let words = ["lookup"].into_iter().chain(flags.split_whitespace().map(|word| word.trim_matches('\'')));
    Cli::try_parse_from(words).unwrap()
}

fn lookup_of(flags: &str, texts: Vec<Option<&'static str>>) -> Lookup {
    let cli = cli(flags);
    let (left, kind) = (cli.on.left.clone(), cli.kind);
    Lookup::new(left, kind, Box::new(Versions { cli, texts: texts.into_iter() }))
}

fn ran(flags: &str, table: &'static str, input: &str) -> Played {
    play(lookup_of(flags, vec![Some(table)]), input)
}

fn out(flags: &str, table: &'static str, input: &str) -> String {
    let played = ran(flags, table, input);
    assert_eq!(played.result, Ok(()));
    played.out
}

fn refused(flags: &str, table: &'static str) -> String {
    match play(lookup_of(flags, vec![Some(table)]), "").result {
        Err(Fault::Stop(error)) => error.message,
        other => panic!("{other:?}"),
    }
}

const CSV: &str = "id,name,size\n1,one,1.50\n2,\"two, \"\"too\"\"\",x\nb,,7\n";

#[test]
fn a_row_goes_behind_the_members_of_a_line() {
    let input = "{\"k\":1}\n { \"k\" : 2 , \"v\":1.50 } \n{\"k\":\"b\"}\n{\"k\":3}\n{}\n";
    assert_eq!(
        out("--table t.csv --on k=id", CSV, input),
        "{\"k\":1,\"name\":\"one\",\"size\":\"1.50\"}\n \
         { \"k\" : 2 , \"v\":1.50 ,\"name\":\"two, \\\"too\\\"\",\"size\":\"x\"} \n\
         {\"k\":\"b\",\"name\":\"\",\"size\":\"7\"}\n{\"k\":3}\n{}\n"
    );
}

#[test]
fn lines_without_a_row_can_be_left_out() {
    let played =
        ran("--table t.csv --on k=id --fields name --kind inner", CSV, "{\"k\":1}\n{\"k\":3}\n{\"k\":null}\n{}\n");
    assert_eq!(played.out, "{\"k\":1,\"name\":\"one\"}\n");
    assert_eq!((played.counts.settled, played.counts.left_out), (1, 3));
}

#[test]
fn a_column_called_dollar_makes_no_mark() {
    let prices = "k,$\n1,end\n,hello\n";
    let flags = "--table t.csv --on k=k";
    assert_eq!(out(flags, prices, "{\"k\":\"1\"}\n"), "{\"k\":\"1\",\"$\":\"end\"}\n");
    let mut joined = Vec::new();
    crate::line_reader::write_joined(b"{}", b"\"$\":\"hello\"", &mut joined);
    assert_eq!(joined, b"{ \"$\":\"hello\"}");
}

#[test]
fn columns_are_chosen_and_renamed() {
    let input = "{\"k\":1}\n";
    assert_eq!(
        out("--table t.csv --on k=id --fields size,n=name", CSV, input),
        "{\"k\":1,\"size\":\"1.50\",\"n\":\"one\"}\n"
    );
    assert_eq!(out("--table t.csv --on k=id --fields size --prefix t_", CSV, input), "{\"k\":1,\"t_size\":\"1.50\"}\n");
    assert_eq!(
        out("--table t.csv --on k=id --fields size,i=id --csv-numbers", CSV, input),
        "{\"k\":1,\"size\":1.50,\"i\":1}\n"
    );
    assert_eq!(out("--table t.csv --on k=id --csv-numbers", "id\n1\n", input), input, "no column is left");
}

#[test]
fn a_key_in_a_csv_has_no_type() {
    let table = "id,n\n5,five\n1.0,one\n007,agent\n";
    for (value, name) in [("5", "five"), ("5.0", "five"), ("\"5\"", "five"), ("1", "one"), ("\"007\"", "agent")] {
        let line = format!("{{\"k\":{value}}}\n");
        assert_eq!(out("--table t.csv --on k=id", table, &line), line.replace('}', &format!(",\"n\":\"{name}\"}}")));
    }
    for value in ["7", "\"5.0\"", "\"1\"", "\"7\"", "true", "[5]"] {
        let line = format!("{{\"k\":{value}}}\n");
        assert_eq!(out("--table t.csv --on k=id", table, &line), line);
    }
}

#[test]
fn a_string_finds_a_csvs_text_and_nothing_else() {
    let table = "ver,name\n1.1,Old\n1.10,New\n120000,number\ntrue,yes\n";
    let flags = "--table t.csv --on v=ver";
    assert_eq!(out(flags, table, "{\"v\":\"1.1\"}\n"), "{\"v\":\"1.1\",\"name\":\"Old\"}\n");
    assert_eq!(out(flags, table, "{\"v\":\"1.10\"}\n"), "{\"v\":\"1.10\",\"name\":\"New\"}\n");
    assert_eq!(out(flags, table, "{\"v\":\"\\u00311.1\"}\n"), "{\"v\":\"\\u00311.1\"}\n");
    assert_eq!(out(flags, table, "{\"v\":\"12e4\"}\n"), "{\"v\":\"12e4\"}\n");
    assert_eq!(out(flags, table, "{\"v\":12e4}\n"), "{\"v\":12e4,\"name\":\"number\"}\n");
    assert_eq!(out(flags, table, "{\"v\":true}\n"), "{\"v\":true}\n");
}

#[test]
fn a_number_finds_a_csvs_text_of_its_value() {
    let table = "id,n\n2.50,a\n2.500,b\n2.5,c\n-3.0,d\n-3.00,e\n1e999,f\n-3.0,g\n2.50,h\n";
    let found = |duplicates: &str, value: &str| {
        let flags = format!("--table t.csv --on k=id --duplicates {duplicates}");
        let out = out(&flags, table, &format!("{{\"k\":{value}}}\n"));
        let name = |line: &str| line.split("\"n\":\"").nth(1).unwrap_or("-")[..1].to_owned();
        out.lines().map(name).collect::<String>()
    };
    let cases =
        [("2.5", "c", "c", "abch"), ("2.50", "c", "c", "abch"), ("-3", "d", "g", "deg"), ("1e999", "f", "f", "f")];
    for (value, first, last, all) in cases {
        assert_eq!([found("first", value), found("last", value), found("all", value)], [first, last, all], "{value}");
    }
    assert_eq!([found("all", "\"2.50\""), found("all", "\"2.5\""), found("all", "3")], ["ah", "c", "-"]);
}

#[test]
fn strings_and_numbers_can_make_one_key_of_a_csv() {
    let table = "ver,size,n\n1.1,2.0,a\n1.10,2.0,b\n1.10,2,c\n1.10,02,d\n";
    let found = |line: &str| out("--table t.csv --on v=ver,s=size", table, &format!("{line}\n"));
    for (ver, size, name) in [
        ("\"1.1\"", "2", "a"),
        ("\"1.10\"", "2", "c"),
        ("\"1.10\"", "\"2.0\"", "b"),
        ("1.1", "2", "a"),
        ("1.1", "\"2\"", "c"),
        ("1.1", "\"02\"", "d"),
    ] {
        let line = format!("{{\"v\":{ver},\"s\":{size}}}");
        assert_eq!(found(&line), format!("{},\"n\":\"{name}\"}}\n", &line[..line.len() - 1]));
    }
    let line = "{\"v\":\"1.100\",\"s\":2}";
    assert_eq!(found(line), format!("{line}\n"));
}

#[test]
fn a_key_in_ndjson_has_one() {
    let table =
        "\u{feff}{\"id\":5,\"n\":\"number\"}\n\n{\"n\":\"string\",\"id\":\"5\"}\n{\"id\":[1],\"n\":{\"x\": 1.50}}\n";
    let flags = "--table t.ndjson --on k=id";
    assert_eq!(out(flags, table, "{\"k\":5.0}\n"), "{\"k\":5.0,\"n\":\"number\"}\n");
    assert_eq!(out(flags, table, "{\"k\":\"\\u0035\"}\n"), "{\"k\":\"\\u0035\",\"n\":\"string\"}\n");
    assert_eq!(out(flags, table, "{\"k\":[1]}\n"), "{\"k\":[1],\"n\":{\"x\": 1.50}}\n");
    assert_eq!(
        out("--table t.ndjson --on k=id --fields a=.n.x,b", table, "{\"k\":[1]}\n"),
        "{\"k\":[1],\"a\":1.50,\"b\":null}\n"
    );
    let twice = "{\"id\":1,\"a\":1,\"b\":2,\"\\u0061\":3}\n";
    assert_eq!(out(flags, twice, "{\"k\":1}\n"), "{\"k\":1,\"b\":2,\"a\":3}\n");
}

#[test]
fn several_values_can_make_the_key_and_be_computed() {
    let table = "a,b,n\n1,x,first\n2,x,second\n";
    let on = |on: &str, line: &str| {
        let words = ["lookup", "--table", "t.csv", "--on", on];
        let cli = Cli::try_parse_from(words).unwrap();
        let left = cli.on.left.clone();
        let texts = vec![Some(table)].into_iter();
        play(Lookup::new(left, Kind::Left, Box::new(Versions { cli, texts })), line).out
    };
    assert_eq!(
        on(".v % 10 = a, .w[:1] = b", "{\"v\":32,\"w\":\"xyz\"}\n"),
        "{\"v\":32,\"w\":\"xyz\",\"n\":\"second\"}\n"
    );
}

#[test]
fn a_csv_can_have_no_header_and_any_delimiter() {
    assert_eq!(out("--table t.csv --columns k,v --on a=k", "1,x\n2,y\n", "{\"a\":2}\n"), "{\"a\":2,\"v\":\"y\"}\n");
    assert_eq!(out("--table t.tsv --on a=k", "k\tv\n2\ty,z\n", "{\"a\":2}\n"), "{\"a\":2,\"v\":\"y,z\"}\n");
    assert_eq!(out("--table t.csv --delimiter ; --on a=k", "k;v\n2;y\n", "{\"a\":2}\n"), "{\"a\":2,\"v\":\"y\"}\n");
    assert_eq!(out("--table t.csv --on a=k", "\u{feff}k,v\r\n2,y\r\n", "{\"a\":2}\n"), "{\"a\":2,\"v\":\"y\"}\n");
}

#[test]
fn two_rows_of_a_key_are_an_error_unless_it_is_said_what_to_do() {
    let table = "id,v\n1,a\n2,b\n1.0,c\n1,d\n";
    assert_eq!(refused("--table t.csv --on k=id", table), "line 5: the key \"1\" is in the table already");
    let line = "{\"k\":1}\n";
    assert_eq!(out("--table t.csv --on k=id --duplicates first", table, line), "{\"k\":1,\"v\":\"a\"}\n");
    assert_eq!(out("--table t.csv --on k=id --duplicates last", table, line), "{\"k\":1,\"v\":\"d\"}\n");
    let played = ran("--table t.csv --on k=id --duplicates all", table, line);
    assert_eq!(played.out, "{\"k\":1,\"v\":\"a\"}\n{\"k\":1,\"v\":\"c\"}\n{\"k\":1,\"v\":\"d\"}\n");
    assert_eq!((played.counts.settled, played.counts.lines_out), (1, 3));
}

#[test]
fn a_table_that_makes_no_sense_is_refused_with_its_place() {
    assert_eq!(refused("--table t.csv --on k=key", CSV), "no column \"key\"; there are id, name, size");
    assert_eq!(
        refused("--table t.csv --on k=id --fields a=.size+1", CSV),
        ".size+1 is no column: a CSV has no expressions, only names"
    );
    assert_eq!(
        refused("--table t.csv --on k=id --fields name,name=size", CSV),
        "two columns are named \"name\": --fields chooses and renames"
    );
    assert!(
        refused("--table t.csv --on k=id", "id,v\n1\n").contains("line: 2"),
        "{}",
        refused("--table t.csv --on k=id", "id,v\n1\n")
    );
    assert_eq!(refused("--table t.csv --columns a,b,c --on k=a", "1,2\n"), "line 1: 2 fields for 3 columns");
    let ndjson = "--table t.ndjson --on k=id";
    assert!(refused(ndjson, "{\"id\":1}\n{\"id\":}\n").starts_with("line 2: not JSON"));
    assert_eq!(refused(ndjson, "[1]\n"), "line 1: not an object");
    assert_eq!(refused(ndjson, "{\"id\":null}\n"), "line 1: no .id, which is of the key");
    assert_eq!(refused("--table t.csv --on k=id --max-keys 2", CSV), "line 4: more than 2 keys (--max-keys)");
    assert_eq!(
        refused("--table t.csv --on k=id --buffer 30B", CSV),
        "line 3: the table takes more than 30B (--buffer)"
    );
}

#[test]
fn a_line_that_has_a_members_name_already_is_bad() {
    let error = format!("{:?}", ran("--table t.csv --on k=id", CSV, "{\"k\":9,\"size\":1}\n").result);
    assert!(error.contains("the line has a member \\\"size\\\" already: --prefix"), "{error}");
    assert!(format!("{:?}", ran("--table t.csv --on k=id", CSV, "[1]\n").result).contains("not an object"));
}

fn changing(texts: Vec<Option<&'static str>>) -> Driver<Lookup> {
    let lookup = lookup_of("--table t.csv --on k=id", texts).reporting(true);
    let mut driver = Driver::new(lookup, Config::new("lookup"), Rejects::in_memory("lookup"));
    driver.clock(0).unwrap();
    driver
}

#[test]
fn a_table_that_has_changed_counts_for_the_lines_behind() {
    let mut driver = changing(vec![Some("id,a\n1,old\n"), None, Some("id,b\n1,new\n")]);
    for now_ms in [0, 999, 1_000, 1_500, 1_999, 2_000] {
        driver.clock(now_ms).unwrap();
        driver.feed(b"{\"k\":1}\n").unwrap();
    }
    driver.finish().unwrap();
    let (old, new) = ("{\"k\":1,\"a\":\"old\"}\n", "{\"k\":1,\"b\":\"new\"}\n");
    assert_eq!(String::from_utf8(driver.out.take()).unwrap(), [old, old, old, old, old, new].concat());
    let said = ["the table has changed, and has 1 keys now", "0 of 6 lines have no row in the table"];
    assert_eq!(driver.out.rejects().warnings(), said);
}

#[test]
fn a_table_that_cannot_be_read_leaves_the_old_one() {
    let texts = ["id,a\n1,old\n", "a\n1\n", "id,a\n1,\"new\n2,x\n", "id,a\n1,new\n"];
    let mut driver = changing(texts.map(Some).to_vec());
    for now_ms in [0, 1_000, 2_000, 3_000] {
        driver.clock(now_ms).unwrap();
        driver.feed(b"{\"k\":1}\n").unwrap();
    }
    let (old, new) = ("{\"k\":1,\"a\":\"old\"}\n", "{\"k\":1,\"a\":\"new\"}\n");
    assert_eq!(String::from_utf8(driver.out.take()).unwrap(), [old, old, old, new].concat());
    let said = [
        "no column \"id\"; there is only \"a\"; the table stays as it was",
        "line 2: the quote that opens here is never closed; the table stays as it was",
    ];
    assert_eq!(driver.out.rejects().warnings()[..2], said);
}

#[test]
fn every_way_of_running_gives_the_same_lines() {
    let line =
        |n: u32| format!("{{\"k\":{},\"n\":{n}}}\n{}", n % 5, if n % 20 == 3 { "{\"$\":\"sonar\"}\n" } else { "" });
    let input: String = (0..200).map(line).collect();
    every_way(|| lookup_of("--table t.csv --on k=id --duplicates all", vec![Some("id,v\n1,a\n2,b\n1,c\n")]), &input);
}
