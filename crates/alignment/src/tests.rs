use crate::{Aligned, Alignment, Kin, Tags};
use millpipe::{Fault, Mark, Merge, Out, Policy, Rejects, Stage, Stateful};
use testkit::every_way;

/// Plays `NUMBER TEXT` lines to streams; a `NUMBER.` is the end of a stream.
fn play(stage: &mut Aligned, script: &[&str]) -> String {
    let mut out = Out::new(&Policy::default(), Rejects::in_memory("stage"));
    stage.start(&mut out).unwrap();
    for item in script {
        let (number, text) = item.split_at(1);
        let stream = number.parse().unwrap();
        stage.at_input(stream);
        match text.trim() {
            "." => stage.input_ended(stream, &mut out).unwrap(),
            mark if mark.starts_with("{\"$\"") => stage.mark(&Mark::parse(mark.as_bytes()).unwrap(), &mut out).unwrap(),
            line => stage.line(line.as_bytes(), &mut out).unwrap(),
        }
    }
    let text = String::from_utf8(out.take()).unwrap();
    text.replace("{\"$\":", "").replace("1970-01-01T00:00:", "").replace('\n', " ").trim_end().to_owned()
}

fn names(streams: usize) -> Vec<String> {
    ["a", "b", "c"][..streams].iter().map(|name| (*name).to_owned()).collect()
}

fn strangers(streams: usize) -> Aligned {
    Aligned::checked(names(streams), None, false, String::new())
}

fn copies(streams: usize) -> Aligned {
    Aligned::trusted(names(streams), Kin::Copies)
}

macro_rules! w {
    ($stream:literal, $second:literal) => {
        concat!($stream, "{\"$\":\"watermark\",\"time\":\"1970-01-01T00:00:", $second, "Z\"}")
    };
}
macro_rules! from {
    ($stream:literal, $part:literal) => {
        concat!($stream, "{\"$\":\"from\",\"part\":\"", $part, "\"}")
    };
}
macro_rules! idle {
    ($stream:literal, $part:literal) => {
        concat!($stream, "{\"$\":\"idle\",\"part\":\"", $part, "\",\"final\":true}")
    };
}

#[test]
fn the_watermark_is_the_least_of_all_and_never_goes_back() {
    let script = [w!("0", "05"), "0 1", w!("1", "03"), "1 2", w!("0", "09"), w!("1", "07"), w!("1", "06")];
    let first = "\"watermark\",\"time\":null}";
    let expected = format!("{first} 1 \"watermark\",\"time\":\"03Z\"}} 2 \"watermark\",\"time\":\"07Z\"}}");
    assert_eq!(play(&mut strangers(2), &script), expected);
    assert_eq!(play(&mut copies(2), &script), expected);
}

#[test]
fn a_stream_without_watermarks_holds_time_back_until_it_ends() {
    let script = ["1 2", w!("0", "05"), "1 3", "1."];
    let expected = "2 \"watermark\",\"time\":null} 3 \"watermark\",\"time\":\"05Z\"}";
    assert_eq!(play(&mut strangers(2), &script), expected);
}

#[test]
fn a_stream_whose_partitions_are_idle_holds_nothing_back() {
    let script = [from!("1", "x"), w!("0", "05"), idle!("1", "x"), w!("0", "06"), from!("1", "x"), w!("0", "07")];
    let out = play(&mut strangers(2), &script);
    assert!(out.contains("\"idle\",\"part\":\"b:x\",\"final\":true} \"watermark\",\"time\":\"05Z\"}"), "{out}");
    assert!(out.contains("06Z") && !out.contains("07Z"), "{out}");
}

#[test]
fn a_from_mark_is_written_again_when_another_stream_came_between() {
    let script = [
        from!("0", "x"),
        "0 1",
        "0 2",
        "1 3",
        "1 4",
        "0 5",
        from!("0", "y"),
        "0 6",
        from!("0", "x"),
        "1 7",
        "0 8",
        "0.",
        "1.",
    ];
    let expected = "\"from\",\"part\":\"a:x\"} 1 2 \"from\",\"part\":\"b\"} 3 4 \"from\",\"part\":\"a:x\"} 5 \
                    \"from\",\"part\":\"a:y\"} 6 \"from\",\"part\":\"b\"} 7 \"from\",\"part\":\"a:x\"} 8 \
                    \"idle\",\"part\":\"a:x\",\"final\":true} \"idle\",\"part\":\"a:y\",\"final\":true} \"idle\",\"part\":\"b\",\"final\":true}";
    assert_eq!(play(&mut strangers(2), &script), expected);
}

#[test]
fn copies_have_the_same_partitions() {
    let script = [
        from!("0", "x"),
        "0 1",
        from!("0", "y"),
        from!("1", "x"),
        "1 2",
        "0 3",
        from!("1", "y"),
        "1 4",
        idle!("0", "x"),
        "1 5",
        idle!("1", "x"),
    ];
    let expected = "\"from\",\"part\":\"x\"} 1 \"from\",\"part\":\"y\"} \"from\",\"part\":\"x\"} 2 \"from\",\"part\":\"y\"} 3 4 5 \
                    \"idle\",\"part\":\"x\",\"final\":true}";
    assert_eq!(play(&mut copies(2), &script), expected);
}

#[test]
fn an_idle_mark_that_waits_for_a_stream_passes_when_that_ends() {
    let script = [from!("0", "x"), idle!("0", "x"), "1."];
    assert!(play(&mut copies(2), &script).ends_with("\"idle\",\"part\":\"x\",\"final\":true}"));
}

#[test]
fn other_marks_pass_once_if_they_are_copies() {
    let script = ["0{\"$\":\"sonar\"}", "0 1", "1{\"$\":\"sonar\"}", "1 2", "1{\"$\":\"sonar\"}", "0{\"$\":\"sonar\"}"];
    assert_eq!(play(&mut copies(2), &script), "\"sonar\"} 1 2 \"sonar\"}");
    assert_eq!(play(&mut strangers(2), &script), "\"sonar\"} 1 \"sonar\"} 2 \"sonar\"} \"sonar\"}");
}

#[test]
fn with_marks_each_stream_is_a_partition_from_the_start() {
    let mut stage = Aligned::checked(names(2), None, true, String::new());
    let out = play(&mut stage, &["1 2", "0 1", "0."]);
    assert_eq!(
        out,
        "\"from\",\"part\":\"a\"} \"from\",\"part\":\"b\"} 2 \"from\",\"part\":\"a\"} 1 \"idle\",\"part\":\"a\",\"final\":true}"
    );
}

#[test]
fn a_tag_stands_in_front_and_replaces_a_member_of_its_name() {
    let mut stage = Aligned::checked(names(2), Some(Tags::new("of", &names(2))), false, String::new());
    let out = play(&mut stage, &["0{\"v\":1}", "1{}", "0{ \"v\":1, \"of\" : 7, \"w\":2}"]);
    assert_eq!(out, "{\"of\":\"a\",\"v\":1} {\"of\":\"b\"} {\"of\":\"a\", \"v\":1, \"w\":2}");
    let mut out = Out::new(&Policy::default(), Rejects::in_memory("stage"));
    assert!(matches!(stage.line(b"17", &mut out), Err(Fault::Bad(_))));
}

#[test]
fn broken_marks_are_errors() {
    let mut out = Out::new(&Policy::default(), Rejects::in_memory("stage"));
    let mut alignment = Alignment::new(names(1), Kin::Strangers, false);
    for (mark, why) in [
        (r#"{"$":"watermark","time":5}"#, "watermark 5 is not RFC 3339"),
        (r#"{"$":"watermark","time":"now"}"#, "watermark \"now\" is not RFC 3339"),
        (r#"{"$":"from"}"#, "from mark without a part"),
    ] {
        let error = alignment.mark(0, &Mark::parse(mark.as_bytes()).unwrap(), &mut out).unwrap_err();
        assert_eq!(error.message, why);
    }
}

/// A stage whose input says, by its first byte, which stream it is of.
struct Numbered(Aligned);

impl Stage for Numbered {
    fn start(&mut self, out: &mut Out) -> Result<(), Fault> {
        self.0.start(out)
    }

    fn line(&mut self, line: &[u8], out: &mut Out) -> Result<(), Fault> {
        self.0.at_input(usize::from(line[0] - b'0'));
        self.0.line(line, out)
    }

    fn mark(&mut self, mark: &Mark, out: &mut Out) -> Result<(), Fault> {
        self.0.at_input(mark.number("of").unwrap_or(0) as usize);
        self.0.mark(mark, out)
    }

    fn state(&mut self) -> Option<&mut dyn Stateful> {
        Some(self)
    }
}

impl Stateful for Numbered {
    fn snapshot(&self, to: &mut dyn std::io::Write) -> std::io::Result<()> {
        self.0.snapshot(to)
    }

    fn restore(&mut self, from: &mut dyn std::io::BufRead) -> Result<(), millpipe::Error> {
        self.0.restore(from)
    }
}

#[test]
fn every_way_of_running_gives_the_same_bytes() {
    let mut input = String::new();
    for i in 0..200u32 {
        let of = i * 7 % 3;
        match i % 9 {
            2 => input += &format!("{{\"$\":\"from\",\"part\":\"p{}\",\"of\":{of}}}\n", i % 2),
            5 => input += &format!("{{\"$\":\"watermark\",\"time\":\"1970-01-01T00:{:02}:00Z\",\"of\":{of}}}\n", i / 5),
            7 => input += &format!("{{\"$\":\"idle\",\"part\":\"p{}\",\"final\":{},\"of\":{of}}}\n", i % 2, i % 4 == 3),
            _ => input += &format!("{of}{i}\n"),
        }
    }
    every_way(|| Numbered(strangers(3)), &input);
}
