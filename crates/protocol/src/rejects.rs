//! The way of lines that a stage cannot take, and of lines that come too late.

use std::fmt::Display;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use stream::{Error, Fault, MarkKind};

/// `--on-error`: what happens to a bad line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnError {
    /// Stop with an error that names the line (default on a plain stream)
    Stop,
    /// Keep the line aside with the reason: --rejects FILE, else stderr; in a checked stream a reject mark (default there)
    Reject,
    /// Leave the line out and count it
    Skip,
}

/// `--late`: what happens to a line that comes after its window closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Late {
    /// Leave the line out, count it, warn at the first
    Drop,
    /// Keep the line aside with the reason, as --on-error reject does
    Reject,
    /// Let the line through, counted
    Pass,
}

/// The flags that decide on bad and late lines. What is `None` depends on the stream.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub on_error: Option<OnError>,
    pub late: Option<Late>,
    pub rejects: Option<PathBuf>,
}

/// Who reads what a tool has to say: people, as a rule, on its standard error.
pub trait Audience: Send {
    /// Shows a warning.
    fn warn(&mut self, text: &str);

    /// Shows a rejected line that is kept nowhere else.
    ///
    /// # Errors
    /// When nobody can see it.
    fn reject(&mut self, object: &str) -> Result<(), Fault>;
}

/// Where rejects and warnings go.
pub struct Rejects {
    name: String,
    to: To,
    /// None in a test: warnings are kept.
    audience: Option<Box<dyn Audience>>,
    said: Vec<String>,
}

enum To {
    Audience,
    File(BufWriter<File>, PathBuf),
    Stream,
    /// To the sink itself, which keeps them in its commit.
    Sink(Vec<String>),
    Memory(Vec<String>),
}

impl Rejects {
    /// Keeps rejects in the file of `--rejects` (appended to), else shows them to the audience.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(name: &str, policy: &Policy, audience: Box<dyn Audience>) -> Result<Self, Error> {
        let to = match &policy.rejects {
            None => To::Audience,
            Some(path) => {
                let file = File::options().create(true).append(true).open(path);
                let file = file.map_err(|e| Error::io(Path::new(path).display(), &e))?;
                To::File(BufWriter::new(file), path.clone())
            }
        };
        Ok(Self { name: name.to_owned(), to, audience: Some(audience), said: Vec::new() })
    }

    /// To memory, for tests.
    pub fn in_memory(name: &str) -> Self {
        Self { name: name.to_owned(), to: To::Memory(Vec::new()), audience: None, said: Vec::new() }
    }

    /// Takes the reject lines kept in memory.
    pub fn take(&mut self) -> Vec<String> {
        match &mut self.to {
            To::Memory(lines) => std::mem::take(lines),
            _ => Vec::new(),
        }
    }

    /// Takes the warnings kept in memory.
    pub fn warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.said)
    }

    /// Rejects travel as marks, but for a file that the user named.
    pub fn go_into_stream(&mut self) {
        if !matches!(self.to, To::File(..)) {
            self.to = To::Stream;
        }
    }

    /// The same at a sink, which no stream leaves.
    pub fn go_to_sink(&mut self) {
        if !matches!(self.to, To::File(..)) {
            self.to = To::Sink(Vec::new());
        }
    }

    /// Reject marks that the sink is to take.
    pub fn for_sink(&mut self) -> Vec<String> {
        match &mut self.to {
            To::Sink(marks) => std::mem::take(marks),
            _ => Vec::new(),
        }
    }

    /// False when they are shown only.
    pub fn have_a_place(&self) -> bool {
        !matches!(self.to, To::Audience)
    }

    pub fn reject(
        &mut self,
        line: &[u8],
        at: &dyn Display,
        why: &dyn Display,
        stream: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        let as_mark = matches!(self.to, To::Stream | To::Sink(_));
        let object = reject_object(&self.name, line, at, why, as_mark);
        match &mut self.to {
            To::Stream => {
                stream.extend_from_slice(object.as_bytes());
                stream.push(b'\n');
            }
            To::File(file, path) => {
                writeln!(file, "{object}").map_err(|e| Error::io(path.display(), &e))?;
            }
            To::Audience => self.audience.iter_mut().try_for_each(|audience| audience.reject(&object))?,
            To::Sink(lines) | To::Memory(lines) => lines.push(object),
        }
        Ok(())
    }

    /// Warns, or keeps the warning in memory for a test.
    pub fn warn(&mut self, text: &str) {
        match &mut self.audience {
            Some(audience) => audience.warn(text),
            None => self.said.push(text.to_owned()),
        }
    }

    pub fn flush(&mut self) -> Result<(), Fault> {
        if let To::File(file, path) = &mut self.to {
            file.flush().map_err(|e| Error::io(path.display(), &e))?;
        }
        Ok(())
    }
}

/// One reject: its line as a JSON string, so that `jq -r .line` gives back the very bytes; base64 when
/// they are not UTF-8.
fn reject_object(by: &str, line: &[u8], at: &dyn Display, why: &dyn Display, as_mark: bool) -> String {
    let mut object = serde_json::Map::new();
    if as_mark {
        object.insert("$".into(), MarkKind::Reject.name().into());
    }
    object.insert("by".into(), by.into());
    object.insert("why".into(), why.to_string().into());
    object.insert("at".into(), at.to_string().into());
    match std::str::from_utf8(line) {
        Ok(text) => object.insert("line".into(), text.into()),
        Err(_) => object.insert("line_base64".into(), base64(line).into()),
    };
    serde_json::Value::Object(object).to_string()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reject_keeps_the_bytes_of_its_line() {
        let text = reject_object("window", br#"{"a":"\u0041"}"#, &"line 3", &"no field \"t\"", true);
        assert_eq!(
            text,
            r#"{"$":"reject","by":"window","why":"no field \"t\"","at":"line 3","line":"{\"a\":\"\\u0041\"}"}"#
        );
        assert!(reject_object("window", b"\xff", &"line 3", &"x", false).contains(r#""line_base64":"/w==""#));
    }

    #[test]
    fn a_reject_file_that_cannot_be_opened_is_named() {
        let policy = Policy { rejects: Some("/nowhere/at/all".into()), ..Policy::default() };
        struct Nobody;
        impl Audience for Nobody {
            fn warn(&mut self, _text: &str) {}
            fn reject(&mut self, _object: &str) -> Result<(), Fault> {
                Ok(())
            }
        }
        let error = Rejects::open("window", &policy, Box::new(Nobody)).err().unwrap();
        assert_eq!(error.message, "/nowhere/at/all: No such file or directory");
    }
}
