//! Tells which other format the bytes of a line that is not JSON are in. Only bad lines come here.

use serde_json::{Deserializer, Value};

/// A format, and how its data becomes lines of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherFormat {
    /// Ends the sentence of why the line is bad.
    pub what: &'static str,
    pub hint: &'static str,
    /// All of the input must be so: to keep bad lines aside does not help.
    pub is_all: bool,
}

/// So much of a line is looked through.
const LOOKED_BYTES: usize = 64 * 1024;

/// By their first bytes: what, by which program.
const BY_START: [(&[u8], &str, &str); 11] = [
    (
        b"\x1f\x8b",
        "this is gzip data",
        "file-cat-in reads gzip and zstd, from FILE or - (standard input); or: gzip -dc FILE | …",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "this is zstd data",
        "file-cat-in reads gzip and zstd, from FILE or - (standard input); or: zstd -dc FILE | …",
    ),
    (b"\xfd7zXZ\x00", "this is xz data", "xz -dc FILE | …"),
    (b"\x04\x22\x4d\x18", "this is lz4 data", "lz4 -dc FILE | …"),
    (b"PK\x03\x04", "this is a zip archive", "unzip -p FILE | …"),
    (b"PAR1", "this is a Parquet file", "duckdb -c \"COPY (FROM 'FILE') TO '/dev/stdout' (FORMAT json)\" | …"),
    (b"Obj\x01", "this is an Avro file", "avro cat FILE | …, or another program that writes it as lines of JSON"),
    (b"\xff\xfe", "this is UTF-16", UTF_16),
    (b"\xfe\xff", "this is UTF-16", UTF_16),
    (b"\x1e", "it begins with a record separator, as in a JSON text sequence (RFC 7464)", "tr -d '\\036' < FILE | …"),
    (
        b"\xef\xbb\xbf",
        "it begins with a byte order mark, which only the first line may",
        "sed 's/^\\xEF\\xBB\\xBF//' FILE | …",
    ),
];

const UTF_16: &str = "iconv -f UTF-16 -t UTF-8 FILE | …";
const LINES_OF_VALUES: &str = "jq -c . FILE | … makes one line of each value";
const LINES_OF_ELEMENTS: &str = "jq -c '.[]' FILE | … makes one line of each element";

/// What a line is that could not be read for this reason; nothing when it is JSON, or nobody knows.
pub fn recognise(why: &str, line: &[u8]) -> Option<OtherFormat> {
    if why.starts_with("not an object") && line.trim_ascii_start().starts_with(b"[") {
        return Some(this("it is an array", LINES_OF_ELEMENTS));
    }
    let is_json_too_deep = why.starts_with("not JSON") && why.contains("nesting deeper than");
    if is_json_too_deep || !why.starts_with("not JSON") && !why.starts_with("not UTF-8") {
        return None;
    }
    let line = &line[..line.len().min(LOOKED_BYTES)];
    binary(line).or_else(|| text(std::str::from_utf8(line).ok()?.trim()))
}

fn all(what: &'static str, hint: &'static str) -> OtherFormat {
    OtherFormat { what, hint, is_all: true }
}

fn this(what: &'static str, hint: &'static str) -> OtherFormat {
    OtherFormat { what, hint, is_all: false }
}

fn binary(line: &[u8]) -> Option<OtherFormat> {
    if let Some((_, what, hint)) = BY_START.iter().find(|(start, ..)| line.starts_with(start)) {
        return Some(all(what, hint));
    }
    if line.starts_with(b"BZh") && line.get(4..).is_some_and(|rest| rest.starts_with(b"1AY&SY")) {
        return Some(all("this is bzip2 data", "bzip2 -dc FILE | …"));
    }
    // A newline in UTF-16 leaves its other half in front of the next line.
    let zeros_at = |rest: usize| line.len() >= 4 && line.iter().skip(rest).step_by(2).take(4).all(|byte| *byte == 0);
    match (zeros_at(0), zeros_at(1)) {
        (true, false) => return Some(all("this is UTF-16", "iconv -f UTF-16BE -t UTF-8 FILE | … (or UTF-16LE)")),
        (false, true) => return Some(all("this is UTF-16", "iconv -f UTF-16LE -t UTF-8 FILE | …")),
        _ => {}
    }
    if line.first() == Some(&0) && line.len() > 5 && line[1..5] != [0; 4] {
        return Some(all(
            "it begins with the five bytes of a Schema Registry (0 and the number of a schema)",
            "for JSON after them: kafka-cat-in --text … | parallel-map '.[5:] | fromjson'; Avro and Protobuf need a program that knows the schema",
        ));
    }
    line.contains(&0).then(|| {
        all("it has NUL bytes, as GELF between its values, or a file after a crash", "tr '\\0' '\\n' < FILE | …")
    })
}

fn text(line: &str) -> Option<OtherFormat> {
    several_values(line).or_else(|| several_lines(line)).or_else(|| other_text(line))
}

/// One value over several lines.
fn several_lines(line: &str) -> Option<OtherFormat> {
    let is_element = |element: &str| is_json(element) || element.strip_prefix('[').is_some_and(is_json);
    match line {
        "[" => return Some(all("this is an array over several lines", LINES_OF_ELEMENTS)),
        "{" | "[{" => return Some(all("this is JSON over several lines", LINES_OF_VALUES)),
        _ if line.strip_suffix(',').is_some_and(is_element) => {
            return Some(this("this is an element of an array over several lines", LINES_OF_ELEMENTS));
        }
        _ => {}
    }
    let closes = !line.is_empty() && line.chars().all(|c| "[]{}, ".contains(c)) && !is_balanced(line);
    let is_member = line.starts_with('"') && line.contains("\":");
    let is_begun = line.starts_with('{') && line.ends_with([',', '{', '[']);
    let is_cut = line.len() + 3 > LOOKED_BYTES;
    (!is_cut && (closes || is_member || is_begun))
        .then(|| this("this looks like JSON over several lines", LINES_OF_VALUES))
}

/// As many brackets close as open, and none closes before: a value that is bad for another reason, such as its depth.
fn is_balanced(brackets: &str) -> bool {
    let mut open = Vec::new();
    let fits = brackets.bytes().all(|byte| match byte {
        b'[' | b'{' => {
            open.push(byte);
            true
        }
        b']' => open.pop() == Some(b'['),
        b'}' => open.pop() == Some(b'{'),
        _ => true,
    });
    fits && open.is_empty()
}

/// Several values on one line.
fn several_values(line: &str) -> Option<OtherFormat> {
    if !line.starts_with(['{', '[', '"']) {
        return None;
    }
    let values: Vec<_> = Deserializer::from_str(line).into_iter::<Value>().take(2).collect();
    (values.len() > 1 && values[0].is_ok() && (values[1].is_ok() || line.len() + 3 > LOOKED_BYTES))
        .then(|| this("there are several values on one line", LINES_OF_VALUES))
}

fn other_text(line: &str) -> Option<OtherFormat> {
    let first = line.chars().next()?;
    if ["data:", "event:", "retry:", "id:"].iter().any(|field| line.starts_with(field)) {
        return Some(this(
            "this is a line of server-sent events",
            "sed -un 's/^data: *//p' takes their data: curl -N URL | sed … | …",
        ));
    }
    if line.starts_with("{'") {
        return Some(this("these are quotes of Python", "json.dumps(x) writes JSON, print(x) does not"));
    }
    if line.starts_with(['{', '[']) {
        let has = |word: &str| line.contains(&format!(":{word}")) || line.contains(&format!(": {word}"));
        let is_number = ["NaN", "Infinity", "-Infinity"].iter().any(|word| has(word));
        return is_number.then(|| {
            this(
                "JSON has no NaN and no Infinity",
                "have it written as null; Python: json.dumps(x, allow_nan=False) finds it",
            )
        });
    }
    if line.starts_with('<') && !line[1..].starts_with(|c: char| c.is_ascii_digit()) {
        return Some(all("this is XML or HTML", "a server may have answered with a page: look at it"));
    }
    if line.find('{').is_some_and(|at| is_json(&line[at..])) {
        return Some(this("there is text before the JSON", "sed -u 's/^[^{]*//' takes that away"));
    }
    if is_logfmt(line) {
        return Some(this(
            "this looks like logfmt",
            "jq -Rc '[scan(\"([^ =]+)=(\\\"[^\\\"]*\\\"|[^ ]*)\") | {(.[0]): .[1]}] | add' FILE | …",
        ));
    }
    let is_word = first.is_alphanumeric() || ['"', '#', '_'].contains(&first);
    let is_csv = is_word && [',', ';', '\t'].iter().any(|comma| line.matches(*comma).count() > 0);
    if is_csv {
        return Some(this(
            "this looks like CSV",
            "python3 -c 'import csv, json, sys; [print(json.dumps(row)) for row in csv.DictReader(sys.stdin)]' < FILE | …",
        ));
    }
    let is_number = first.is_ascii_digit() || first == '-';
    (!is_number || line.contains(' ')).then(|| {
        this(
            "this is text",
            "file-cat-in --text FILE (or -) makes a JSON string of each line, which parallel-map takes apart",
        )
    })
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<Value>(text).is_ok()
}

/// Two members at least, such as `level=info msg="all is well"`.
fn is_logfmt(line: &str) -> bool {
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "._-".contains(c));
    let members = line.split(' ').filter(|word| word.split_once('=').is_some_and(|(name, _)| is_name(name)));
    members.count() >= 2 && line.split('=').next().is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &[u8]) -> (&'static str, &'static str) {
        let why = "not JSON at byte 0: expected a value";
        recognise(why, line).map_or(("", ""), |format| (format.what, format.hint))
    }

    #[test]
    fn the_first_bytes_tell_what_else_a_line_is() {
        let cases: [(&[u8], &str, &str); 18] = [
            (b"\x1f\x8b\x08\x00abc", "gzip", "gzip -dc"),
            (b"\x28\xb5\x2f\xfdabc", "zstd", "zstd -dc"),
            (b"\xfd7zXZ\x00abc", "xz", "xz -dc"),
            (b"BZh91AY&SYabc", "bzip2", "bzip2 -dc"),
            (b"PK\x03\x04abc", "zip archive", "unzip -p"),
            (b"PAR1abc", "Parquet", "duckdb"),
            (b"\xff\xfe{\0\"\0a\0", "UTF-16", "iconv -f UTF-16 "),
            (b"\xfe\xff\0{\0\"\0a", "UTF-16", "iconv -f UTF-16 "),
            (b"{\0\"\0a\0\"\0:\x001\0", "UTF-16", "iconv -f UTF-16LE"),
            (b"\0{\0\"\0a\0\"", "UTF-16", "iconv -f UTF-16BE"),
            (b"\0\0\0\0\x11{\"a\":1}", "five bytes of a Schema Registry", "fromjson"),
            (b"\x1e{\"a\":1}", "record separator", "tr -d '\\036'"),
            (b"\xef\xbb\xbf{\"a\":1}", "byte order mark", "sed"),
            (b"{\"a\":1}\0{\"b\":2}\0", "NUL bytes", "tr '\\0' '\\n'"),
            (b"{\"a\":1}{\"a\":2}", "several values", "jq -c ."),
            (b"{\"a\":1} [2] {\"a\":3}", "several values", "jq -c ."),
            (b"{}{}", "several values", "jq -c ."),
            (b"{\"a\":1},", "an element of an array", "jq -c '.[]'"),
        ];
        for (line, what, hint) in cases {
            let shown = String::from_utf8_lossy(line);
            assert!(said(line).0.contains(what) && said(line).1.contains(hint), "{shown}: {:?}", said(line));
        }
    }

    #[test]
    fn text_tells_what_else_a_line_is() {
        let cases = [
            ("{", "several lines", "jq -c . "),
            ("[", "an array over several lines", "jq -c '.[]'"),
            ("[{\"a\":1},", "an element of an array", "jq -c '.[]'"),
            ("  \"a\": 1,", "several lines", "jq -c . "),
            ("{ \"a\": [", "several lines", "jq -c . "),
            ("data: {\"a\":1}", "server-sent events", "sed -un"),
            ("event: message", "server-sent events", "sed -un"),
            ("{'a': 1, 'b': None}", "Python", "json.dumps"),
            ("{\"a\": NaN}", "NaN", "null"),
            ("<html><body>404", "HTML", "look"),
            ("web-1  | {\"a\":1}", "text before the JSON", "sed"),
            ("<134>1 2026-01-01T00:00:00Z host app - - - {\"a\":1}", "text before the JSON", "sed"),
            ("level=info msg=\"all is well\" n=3", "logfmt", "jq -Rc"),
            ("id,name,price", "CSV", "csv.DictReader"),
            ("\"id\",\"name\"", "CSV", "csv.DictReader"),
            ("1;Ada;3,5", "CSV", "csv.DictReader"),
            ("panic: at the disco", "text", "--text"),
            ("127.0.0.1 - - [10/Jun/2026:06:13:20 +0200] \"GET / HTTP/1.1\" 200 612", "text", "--text"),
        ];
        for (line, what, hint) in cases {
            let said = said(line.as_bytes());
            assert!(said.0.contains(what) && said.1.contains(hint), "{line}: {said:?}");
        }
    }

    #[test]
    fn json_that_is_only_broken_or_bad_for_another_reason_is_not_taken_for_something_else() {
        for line in ["{\"a\":1", "{\"a\":}", "01", "{\"a\":\"x", "", "-", "[1,]", "\u{e9}"] {
            assert!(matches!(said(line.as_bytes()).0, "" | "this is text"), "{line}: {:?}", said(line.as_bytes()));
        }
        assert_eq!(said(&[0; 20]).0, said(b"1\0").0, "no schema has the number 0");
        assert_eq!(recognise("not an object", b"[{}]").map(|format| format.what), Some("it is an array"));
        assert_eq!(recognise("not an object", b"17"), None);
        assert_eq!(said(b"{\"a\":1").0, "");
        let deep = format!("{}{}", "[".repeat(600), "]".repeat(600));
        assert_eq!(said(deep.as_bytes()).0, "", "a whole value that is nested too deep");
        let why = "not JSON at byte 512: nesting deeper than 512";
        assert_eq!(recognise(why, "[".repeat(100_000).as_bytes()), None);
        let cut = format!("{{\"a\":\"{}\",\"b\"}}", "x".repeat(LOOKED_BYTES - 8));
        assert_eq!(said(cut.as_bytes()).0, "", "it goes on behind what is looked through");
        assert!(said(&deep.as_bytes()[..700]).0.contains("several lines"));
        assert_eq!(said(b"]}").0, "this looks like JSON over several lines");
        assert_eq!(recognise("no field \"t\"", b"\x1f\x8b"), None);
        assert!(recognise("not JSON at byte 0", b"BZh").is_some_and(|format| !format.is_all), "three letters are text");
    }
}
