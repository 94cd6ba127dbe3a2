//! From a line to the folder that it belongs into.

use json_fields::{Field, FieldPath, Kind, Scanner, Unseen, decode_string};
use values::{is_canonical, write_canonical};

/// What file systems take as the name of one folder.
const NAME_BYTES_MAX: usize = 255;
/// The value of a field that is missing or null. Text of these letters has its first one escaped.
const NULL: &str = "__null__";

/// `--partition-by`: folders `NAME=VALUE`, one in the other.
pub struct Folders {
    scanner: Scanner,
    names: Vec<String>,
    folder: String,
    unseen: Unseen,
}

impl Folders {
    pub fn new(fields: &[FieldPath]) -> Self {
        let names = fields.iter().map(|field| escaped(&field.name())).collect();
        let unseen = Unseen::new(fields.iter().map(FieldPath::name).enumerate());
        Self { scanner: Scanner::new(fields), names, folder: String::new(), unseen }
    }

    /// Which of the fields no line had, if so.
    pub fn remark(&self) -> Option<String> {
        self.unseen.remark("lines")
    }

    /// The line's folder, as a path with `/`. The line is checked to be JSON.
    ///
    /// # Errors
    /// Why the line has none.
    pub fn of(&mut self, line: &[u8]) -> Result<&str, String> {
        let fields = self.scanner.scan(line).map_err(|error| error.to_string())?;
        self.unseen.look(line, |index| fields.get(index).is_some_and(|field| field.kind != Kind::Null));
        self.folder.clear();
        for (index, name) in self.names.iter().enumerate() {
            if index > 0 {
                self.folder.push('/');
            }
            let start = self.folder.len();
            self.folder.push_str(name);
            self.folder.push('=');
            push_value(fields.get(index), line, &mut self.folder).map_err(|why| format!("field {name} {why}"))?;
            let bytes = self.folder.len() - start;
            if bytes > NAME_BYTES_MAX {
                return Err(format!(
                    "field {name} makes a folder name of {bytes} bytes, {NAME_BYTES_MAX} are the most"
                ));
            }
        }
        Ok(&self.folder)
    }
}

fn push_value(field: Option<Field>, line: &[u8], folder: &mut String) -> Result<(), String> {
    let Some(field) = field.filter(|field| field.kind != Kind::Null) else {
        folder.push_str(NULL);
        return Ok(());
    };
    match field.kind {
        Kind::Object | Kind::Array => return Err("is neither text nor number".to_owned()),
        Kind::String => match &*decode_string(field.text(line)) {
            NULL => folder.push_str("%5F_null__"),
            text => push_escaped(text, folder),
        },
        _ if is_canonical(&field, line) => push_escaped(&String::from_utf8_lossy(field.text(line)), folder),
        _ => {
            // Equal numbers are one folder, as they are one key everywhere.
            let mut text = Vec::new();
            write_canonical(Some(&field), line, &mut text);
            push_escaped(&String::from_utf8_lossy(&text), folder);
        }
    }
    Ok(())
}

fn escaped(text: &str) -> String {
    let mut name = String::new();
    push_escaped(text, &mut name);
    name
}

/// Appends the text with everything as `%XX` that no name should have: what separates paths and `NAME=VALUE`, what
/// shells expand, what cannot be seen, and a dot in front. So no value leads out of its folder.
fn push_escaped(text: &str, name: &mut String) {
    for (at, character) in text.char_indices() {
        let is_good = match character {
            '/' | '\\' | '=' | '%' | '"' | '\'' | '#' | '*' | '?' | ':' | '{' | '[' | ']' | '^' => false,
            '.' => at > 0,
            _ => !character.is_control(),
        };
        if is_good {
            name.push(character);
        } else {
            let mut buffer = [0; 4];
            for byte in character.encode_utf8(&mut buffer).bytes() {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(fields: &str, line: &str) -> Result<String, String> {
        Folders::new(&FieldPath::parse_list(fields).unwrap()).of(line.as_bytes()).map(str::to_owned)
    }

    #[test]
    fn a_value_is_text_or_a_number_in_its_shortest_spelling() {
        let some = |text: &str| Ok(text.to_owned());
        assert_eq!(folder("a,b.c", r#"{"b":{"c":1.50},"a":"x y"}"#), some("a=x y/b.c=1.5"));
        assert_eq!(folder("a", r#"{"a":1.0}"#), folder("a", r#"{"a":1}"#));
        assert_eq!(folder("a", r#"{"a":1e2}"#), some("a=100"));
        let long = "340282366920938463463374607431768211455";
        assert_eq!(folder("a", &format!(r#"{{"a":{long}.0}}"#)), some(&format!("a={long}")));
        assert_eq!(folder("a", r#"{"a":"\u00e9"}"#), some("a=é"));
        assert_eq!(folder("a", r#"{"a":true}"#), some("a=true"));
        assert_eq!(folder("a", r#"{"a":""}"#), some("a="));
    }

    #[test]
    fn nothing_has_a_name_that_no_text_has() {
        for line in [r#"{"a":null}"#, "{}", "17"] {
            assert_eq!(folder("a", line), Ok("a=__null__".to_owned()));
        }
        assert_eq!(folder("a", r#"{"a":"__null__"}"#), Ok("a=%5F_null__".to_owned()));
        assert_eq!(folder("a", r#"{"a":"%5F_null__"}"#), Ok("a=%255F_null__".to_owned()));
    }

    #[test]
    fn no_value_leads_out_of_its_folder() {
        assert_eq!(folder("a", r#"{"a":"../../etc"}"#), Ok("a=%2E.%2F..%2Fetc".to_owned()));
        assert_eq!(folder("a", r#"{"a":"b=c\u0000\n"}"#), Ok("a=b%3Dc%00%0A".to_owned()));
        assert_eq!(folder(r#""..""#, "{}"), Ok("%2E.=__null__".to_owned()));
        assert_eq!(folder(r#""a/b""#, "{}"), Ok("a%2Fb=__null__".to_owned()));
    }

    #[test]
    fn what_names_no_folder_is_a_bad_line() {
        assert_eq!(folder("a", r#"{"a":[1]}"#), Err("field a is neither text nor number".to_owned()));
        let long = folder("a", &format!(r#"{{"a":"{}"}}"#, "x".repeat(300))).unwrap_err();
        assert_eq!(long, "field a makes a folder name of 302 bytes, 255 are the most");
        assert!(folder("a", "{").is_err());
    }
}
