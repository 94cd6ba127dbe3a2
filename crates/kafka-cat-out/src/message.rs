//! From a line to a message: which fields say what.

use std::borrow::Cow;

use json_fields::{Field, FieldPath, Kind, Scanner, Unseen, decode_string, front, without_members};
use kafka_ends::{Headers, envelope};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::BaseRecord;

use crate::cli::Cli;

/// A message to send, as far as the line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Draft<'a> {
    pub topic: Option<Cow<'a, str>>,
    pub partition: Option<i32>,
    /// None: now. -1: none.
    pub timestamp_ms: Option<i64>,
    pub key: Option<Cow<'a, [u8]>>,
    pub headers: Headers,
    pub value: Option<Cow<'a, [u8]>>,
}

impl Draft<'_> {
    /// Returns the message as the client takes it.
    pub fn record<'a>(&'a self, topic: &'a str) -> BaseRecord<'a, [u8], [u8]> {
        let mut record = BaseRecord::to(topic);
        record.partition = self.partition;
        record.timestamp = self.timestamp_ms;
        record.key = self.key.as_deref();
        record.payload = self.value.as_deref();
        record.headers = native_headers(&self.headers);
        record
    }
}

fn native_headers(headers: &Headers) -> Option<OwnedHeaders> {
    if headers.0.is_empty() {
        return None;
    }
    let with_room = OwnedHeaders::new_with_capacity(headers.0.len());
    let insert = |list: OwnedHeaders, (name, value): &(String, Option<Vec<u8>>)| {
        list.insert(Header { key: name, value: value.as_ref() })
    };
    Some(headers.0.iter().fold(with_room, insert))
}

/// Reads lines as messages.
pub enum Reader {
    Envelope,
    Line(Box<LineReader>),
}

/// A line whose value is itself, and whose fields may say more.
pub struct LineReader {
    scanner: Scanner,
    key: Option<Wanted>,
    topic: Option<Wanted>,
    /// The topic's member, when messages do not have it.
    dropped: Option<String>,
    partition: Option<Wanted>,
    headers: Option<Wanted>,
    unseen: Unseen,
}

/// A field, and where the scanner has it.
struct Wanted {
    index: usize,
    name: String,
}

impl Reader {
    pub fn new(cli: &Cli) -> Self {
        if cli.envelope {
            return Self::Envelope;
        }
        let mut paths = Vec::new();
        let mut want = |path: &Option<FieldPath>| {
            path.as_ref().map(|path| {
                paths.push(path.clone());
                Wanted { index: paths.len() - 1, name: path.to_string() }
            })
        };
        let (key, topic) = (want(&cli.key), want(&cli.topic_field));
        let (partition, headers) = (want(&cli.partition_field), want(&cli.headers));
        let dropped = cli.topic_field.as_ref().filter(|_| cli.drop_topic_field);
        let dropped = dropped.and_then(FieldPath::top_level_key).map(str::to_owned);
        let unseen = Unseen::new(paths.iter().map(FieldPath::name).enumerate());
        let scanner = Scanner::new(&paths);
        Self::Line(Box::new(LineReader { scanner, key, topic, dropped, partition, headers, unseen }))
    }

    /// Which of the fields no line had, if so.
    pub fn remark(&self) -> Option<String> {
        match self {
            Self::Envelope => None,
            Self::Line(reader) => reader.unseen.remark("lines"),
        }
    }

    /// # Errors
    /// Why the line is no message.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Result<Draft<'a>, String> {
        match self {
            Self::Envelope => read_envelope(line),
            Self::Line(reader) => reader.read(line),
        }
    }
}

fn read_envelope(line: &[u8]) -> Result<Draft<'static>, String> {
    let message = envelope::read(line).map_err(|error| error.to_string())?;
    let timestamp_ms = match message.timestamp_ms {
        Some(None) => Some(-1),
        // For the client 0 means now: rather no message than one with another time.
        Some(Some(0)) => return Err("timestamp 0 cannot be written".to_owned()),
        Some(Some(ms)) if ms < 0 => return Err(format!("timestamp {ms} is negative")),
        said => said.flatten(),
    };
    Ok(Draft {
        topic: message.topic.map(Cow::Owned),
        partition: message.partition,
        timestamp_ms,
        key: message.key.map(Cow::Owned),
        headers: message.headers,
        value: message.value.map(Cow::Owned),
    })
}

impl LineReader {
    fn read<'w, 'a>(&'w mut self, line: &'a [u8]) -> Result<Draft<'a>, String> {
        let Self { scanner, unseen, .. } = self;
        let fields = scanner.scan(line).map_err(|error| error.to_string())?;
        unseen.look(line, |index| fields.get(index).is_some_and(|field| field.kind != Kind::Null));
        let mut draft = Draft { value: Some(Cow::Borrowed(line)), ..Draft::default() };
        let find = |wanted: &'w Option<Wanted>| -> Option<(Field, &'w str)> {
            let wanted = wanted.as_ref()?;
            let field = fields.get(wanted.index)?;
            (field.kind != Kind::Null).then_some((field, wanted.name.as_str()))
        };
        if let Some((field, name)) = find(&self.key) {
            draft.key = Some(key(field, name, line)?);
        }
        if let Some((field, name)) = find(&self.topic) {
            draft.topic = Some(topic(field, name, line)?);
        }
        if let (Some(name), Some(wanted)) = (&self.dropped, &self.topic)
            && let Some(field) = fields.get(wanted.index)
        {
            draft.value = Some(Cow::Owned(without(line, name, field)));
        }
        if let Some((field, name)) = find(&self.partition) {
            draft.partition = Some(partition(field, name, line)?);
        }
        if let Some((field, name)) = find(&self.headers) {
            draft.headers = headers(field, name, line)?;
        }
        Ok(draft)
    }
}

fn key<'a>(field: Field, name: &str, line: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
    match field.kind {
        Kind::String if field.escaped => Ok(Cow::Owned(decode_string(field.text(line)).into_owned().into_bytes())),
        Kind::Object | Kind::Array => Err(format!("key {name} is neither text nor number: {}", shown(field, line))),
        _ => Ok(Cow::Borrowed(field.string_body(line))),
    }
}

fn topic<'a>(field: Field, name: &str, line: &'a [u8]) -> Result<Cow<'a, str>, String> {
    match field.kind {
        Kind::String => Ok(decode_string(field.text(line))),
        _ => Err(format!("topic {name} is no text: {}", shown(field, line))),
    }
}

/// The line without its member of this name, which has this value. Most stand in front, as `kafka-cat-in --tag` puts it.
fn without(line: &[u8], name: &str, field: Field) -> Vec<u8> {
    if let Some(next) = front(line, &[(name, field)]).filter(|next| field.end + 1 == *next) {
        return [b"{", &line[next..]].concat();
    }
    let mut rest = Vec::with_capacity(line.len());
    without_members(line, &[name], &mut rest);
    rest
}

fn partition(field: Field, name: &str, line: &[u8]) -> Result<i32, String> {
    let number = std::str::from_utf8(field.text(line)).ok().and_then(|text| text.parse::<i32>().ok());
    number
        .filter(|number| *number >= 0)
        .ok_or_else(|| format!("partition {name} is no number of a partition: {}", shown(field, line)))
}

fn headers(field: Field, name: &str, line: &[u8]) -> Result<Headers, String> {
    let value = serde_json::from_slice(field.text(line)).map_err(|_| format!("headers {name}: nested too deep"))?;
    Headers::read(&value).map_err(|error| format!("{name}: {error}"))
}

fn shown(field: Field, line: &[u8]) -> String {
    let text = String::from_utf8_lossy(field.text(line));
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn reader(arguments: &str) -> Reader {
        let cli = Cli::try_parse_from(["kafka-cat-out", "-t", "t"].into_iter().chain(arguments.split_whitespace()));
        Reader::new(&cli.unwrap())
    }

    fn key_of(line: &str) -> Result<Option<String>, String> {
        let mut reader = reader("--key k");
        let draft = reader.read(line.as_bytes())?;
        Ok(draft.key.map(|key| String::from_utf8(key.into_owned()).unwrap()))
    }

    #[test]
    fn a_key_is_text_or_a_number_as_it_stands() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(key_of(r#"{"k":"a\u00e9\n"}"#), some("aé\n"));
        assert_eq!(key_of(r#"{"k":""}"#), some(""));
        assert_eq!(key_of(r#"{"k":1.50}"#), some("1.50"));
        assert_eq!(key_of(r#"{"k":true}"#), some("true"));
        assert_eq!(key_of(r#"{"k":null}"#), Ok(None));
        assert_eq!(key_of(r#"{"x":1}"#), Ok(None));
        assert_eq!(key_of(r#"{"k":[1]}"#), Err("key .k is neither text nor number: [1]".to_owned()));
    }

    #[test]
    fn the_value_is_the_line() {
        let line = br#" {"a": 1.0} "#;
        assert_eq!(reader("").read(line).unwrap().value.as_deref(), Some(&line[..]));
        assert!(reader("").read(b"{").is_err());
    }

    #[test]
    fn fields_say_topic_partition_and_headers() {
        let mut reader = reader("--topic-field t --partition-field p --headers h");
        let draft = reader.read(br#"{"t":"x","p":3,"h":{"a":"b"}}"#).unwrap();
        assert_eq!((draft.topic.as_deref(), draft.partition), (Some("x"), Some(3)));
        assert_eq!(draft.headers.0, [("a".to_owned(), Some(b"b".to_vec()))]);
        let mut wrong = |line: &str| reader.read(line.as_bytes()).unwrap_err();
        assert_eq!(wrong(r#"{"t":1}"#), "topic .t is no text: 1");
        assert_eq!(wrong(r#"{"p":-1}"#), "partition .p is no number of a partition: -1");
        assert_eq!(wrong(r#"{"p":1.5}"#), "partition .p is no number of a partition: 1.5");
        assert_eq!(wrong(r#"{"h":"x"}"#), ".h: headers are neither an array nor an object");
    }

    #[test]
    fn the_topics_field_is_taken_out_wherever_it_stands() {
        let mut reader = reader("--topic-field t --drop-topic-field --key k");
        let mut value = |line: &str| {
            let draft = reader.read(line.as_bytes()).unwrap();
            (draft.topic.map(Cow::into_owned), String::from_utf8(draft.value.unwrap().into_owned()).unwrap())
        };
        let x = Some("x".to_owned());
        assert_eq!(value(r#"{"t":"x","a": 1}"#), (x.clone(), r#"{"a": 1}"#.to_owned()));
        assert_eq!(value(r#"{"t":"x"}"#), (x.clone(), "{}".to_owned()));
        assert_eq!(value(r#"{"a": 1, "t" : "x"}"#), (x.clone(), r#"{"a": 1}"#.to_owned()));
        assert_eq!(value(r#"{"t":"x","a":{"t":2},"t":"x"}"#), (x, r#"{"a":{"t":2}}"#.to_owned()));
        let twice = value(r#"{"t":"x","a":1,"t":"x","b":2}"#);
        assert_eq!(twice.1, r#"{"a":1,"b":2}"#);
        assert_eq!(value(r#"{"t":null,"a":1}"#), (None, r#"{"a":1}"#.to_owned()));
        assert_eq!(value(r#"{"a":1}"#), (None, r#"{"a":1}"#.to_owned()));
    }

    #[test]
    fn an_envelope_may_say_that_there_is_no_time_but_not_zero() {
        let read = |line: &str| read_envelope(line.as_bytes()).map(|draft| draft.timestamp_ms);
        assert_eq!(read(r#"{"value":1}"#), Ok(None));
        assert_eq!(read(r#"{"value":1,"timestamp":null}"#), Ok(Some(-1)));
        assert_eq!(read(r#"{"value":1,"timestamp":5}"#), Ok(Some(5)));
        assert_eq!(read(r#"{"value":1,"timestamp":0}"#), Err("timestamp 0 cannot be written".to_owned()));
    }

    #[test]
    fn a_key_that_no_line_had_is_told() {
        let mut reader = reader("--key usr");
        for line in [&b"{\"user\":1}"[..], b"{\"user\":2}"] {
            reader.read(line).unwrap();
        }
        let said = "2 lines, none had \"usr\"; the lines have: user\nhint: did you mean \"user\"?";
        assert_eq!(reader.remark().as_deref(), Some(said));
    }
}
