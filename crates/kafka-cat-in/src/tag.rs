//! `--tag`: the topic's name as a member in front of each line.

use std::str::FromStr;

use json_fields::{FieldPath, Scanner, compact, splice_behind, without_members, write_string};
use memchr::memchr;
use millpipe::without_byte_order_mark;

/// The name of the member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagName(String);

impl FromStr for TagName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path: FieldPath = text.parse().map_err(|error: json_fields::PathError| error.to_string())?;
        match path.top_level_key() {
            // A line that begins with it would be a mark.
            Some("$") => Err("\"$\" is the name that marks have".to_owned()),
            Some(key) if path.is_top_level() => Ok(Self(key.to_owned())),
            _ => Err("the topic is put into the line itself, not into something inside it".to_owned()),
        }
    }
}

/// Writes lines with the name of their topic. A member of that name that a line had before is replaced.
pub struct Tagger {
    name: String,
    /// Looks for such a member.
    scanner: Scanner,
    /// The last topic, and its member.
    topic: String,
    member: Vec<u8>,
    /// Kept for the next time.
    on_one_line: Vec<u8>,
    without: Vec<u8>,
}

impl Tagger {
    pub fn new(name: &TagName) -> Self {
        let mut tagger = Self {
            name: name.0.clone(),
            scanner: Scanner::new(&[FieldPath::key(&name.0)]),
            topic: String::new(),
            member: Vec::new(),
            on_one_line: Vec::new(),
            without: Vec::new(),
        };
        tagger.begin("");
        tagger
    }

    fn begin(&mut self, topic: &str) {
        topic.clone_into(&mut self.topic);
        self.member.clear();
        write_string(&self.name, &mut self.member);
        self.member.push(b':');
        write_string(topic, &mut self.member);
    }

    /// Appends a value that is a JSON object, without a newline behind it.
    ///
    /// # Errors
    /// Why it is none; nothing is appended.
    pub fn write(&mut self, value: &[u8], topic: &str, out: &mut Vec<u8>) -> Result<(), String> {
        if self.topic != topic {
            self.begin(topic);
        }
        let value = without_byte_order_mark(value);
        let mut line = value;
        if memchr(b'\n', value).is_some() {
            self.on_one_line.clear();
            compact(value, &mut self.on_one_line).map_err(|error| error.to_string())?;
            line = &self.on_one_line;
        }
        let fields = self.scanner.scan(line).map_err(|error| error.to_string())?;
        let object = fields.object().ok_or("no object, and so without a place for --tag")?;
        if fields.get(0).is_some() {
            self.without.clear();
            without_members(line, &[&self.name], &mut self.without);
            line = &self.without;
        }
        splice_behind(line, object, &self.member, out);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(name: &str, lines: &[&str]) -> Vec<Result<String, String>> {
        let mut tagger = Tagger::new(&name.parse().unwrap());
        let write = |line: &&str| {
            let mut out = Vec::new();
            tagger.write(line.as_bytes(), "a-b", &mut out).map(|()| String::from_utf8(out).unwrap())
        };
        lines.iter().map(write).collect()
    }

    fn good(name: &str, line: &str) -> String {
        tagged(name, &[line]).remove(0).unwrap()
    }

    #[test]
    fn the_topic_stands_in_front_and_all_else_keeps_its_bytes() {
        assert_eq!(good("kind", "{\"a\": 1.50}\r"), "{\"kind\":\"a-b\",\"a\": 1.50}\r");
        assert_eq!(good("kind", "\u{feff}{\"a\":1}"), "{\"kind\":\"a-b\",\"a\":1}");
        assert_eq!(good(".kind", "{}"), "{\"kind\":\"a-b\"}");
        assert_eq!(good("kind", " { } "), " {\"kind\":\"a-b\" } ");
        assert_eq!(good(".\"a \\\"b\"", "{\"a\":1}"), "{\"a \\\"b\":\"a-b\",\"a\":1}");
    }

    #[test]
    fn a_member_of_that_name_is_replaced() {
        assert_eq!(good("kind", "{\"kind\":{\"x\":1},\"a\":1,\"k\\u0069nd\":2}"), "{\"kind\":\"a-b\",\"a\":1}");
        assert_eq!(good("kind", "{\"kind\":null}"), "{\"kind\":\"a-b\"}");
        assert_eq!(good("kind", "{\"a\":{\"kind\":1}}"), "{\"kind\":\"a-b\",\"a\":{\"kind\":1}}");
    }

    #[test]
    fn a_value_over_several_lines_is_put_on_one_and_one_like_a_mark_is_none_any_more() {
        assert_eq!(good("kind", "{\n  \"a\": [1, 2]\n}\n"), "{\"kind\":\"a-b\",\"a\":[1,2]}");
        assert_eq!(good("kind", "{\"$\":\"end\"}"), "{\"kind\":\"a-b\",\"$\":\"end\"}");
    }

    #[test]
    fn what_is_no_object_has_no_place_for_it() {
        for line in ["1", "[{}]", "\"x\"", "null"] {
            assert_eq!(tagged("kind", &[line])[0].as_ref().unwrap_err(), "no object, and so without a place for --tag");
        }
        assert!(tagged("kind", &["{\"a"])[0].as_ref().unwrap_err().starts_with("not JSON at byte 3: "));
        assert!(tagged("kind", &[""])[0].is_err());
    }

    #[test]
    fn each_topic_has_its_own() {
        let mut tagger = Tagger::new(&"t".parse().unwrap());
        let mut out = Vec::new();
        for topic in ["a", "b", "b", "a"] {
            tagger.write(b"{}", topic, &mut out).unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "{\"t\":\"a\"}{\"t\":\"b\"}{\"t\":\"b\"}{\"t\":\"a\"}");
    }

    #[test]
    fn a_name_is_that_of_a_member_of_the_line_itself() {
        assert!("kind".parse::<TagName>().is_ok() && ".\"a.b\"".parse::<TagName>().is_ok());
        for name in [".", "a.b", "[0]", ".[0]", "$", ".\"$\"", ""] {
            assert!(name.parse::<TagName>().is_err(), "{name}");
        }
    }
}
