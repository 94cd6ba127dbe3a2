//! What a tool says to people: on standard error, as text or with `MILLPIPE_LOG=json` as JSON lines; the last messages are kept
//! for those who watch the run.
//!
//! Standard error is one for the process, and so is this.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use protocol::Figures;
use serde_json::{Value, json};
use stream::Error;
use time_text::format_rfc3339;

use crate::clock::now_ms;

/// So many messages are kept.
const KEPT_MAX: usize = 10;

/// Says in which form messages are written: `json`, anything else is text.
const LOG_VARIABLE: &str = "MILLPIPE_LOG";

const HINT: &str = "hint: ";

static MESSAGES: LazyLock<Mutex<Messages>> = LazyLock::new(|| Mutex::new(Messages::new()));

struct Messages {
    as_json: bool,
    last: VecDeque<Value>,
    /// Know the run that messages belong to.
    figures: Figures,
}

/// How grave a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Info,
    Error,
    Hint,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Error => "error",
            Self::Hint => "hint",
        }
    }
}

impl Messages {
    fn new() -> Self {
        let as_json = std::env::var_os(LOG_VARIABLE).is_some_and(|form| form == "json");
        Self { as_json, last: VecDeque::new(), figures: Figures::default() }
    }

    fn say(&mut self, level: Level, name: &str, text: &str) {
        let at = format_rfc3339(now_ms());
        let line = if self.as_json {
            self.json(level, name, text, &at).to_string()
        } else if level == Level::Hint {
            format!("{name}: {HINT}{text}")
        } else {
            format!("{name}: {text}")
        };
        let _ = writeln!(io::stderr(), "{line}");
        self.keep(level, text, &at);
    }

    fn keep(&mut self, level: Level, text: &str, at: &str) {
        if self.last.len() == KEPT_MAX {
            self.last.pop_front();
        }
        self.last.push_back(json!({ "at": at, "level": level.name(), "text": text }));
    }

    fn json(&self, level: Level, name: &str, text: &str, at: &str) -> Value {
        let mut object = json!({
            "at": at, "level": level.name(), "stage": name, "pid": std::process::id(), "text": text,
        });
        if let Some((run, hop)) = self.figures.seldom().run {
            object["run"] = run.into();
            object["hop"] = hop.into();
        }
        object
    }
}

fn messages() -> MutexGuard<'static, Messages> {
    MESSAGES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Prints `name: text` on stderr, each further line with the name too.
pub fn warn(name: &str, text: &str) {
    for line in text.lines() {
        match line.strip_prefix(HINT) {
            Some(hint) => messages().say(Level::Hint, name, hint),
            None => messages().say(Level::Info, name, line),
        }
    }
}

/// Prints what ends a run.
pub fn print_error(name: &str, error: &Error) {
    let mut messages = messages();
    messages.say(Level::Error, name, &error.message);
    for hint in error.hint.iter().flat_map(|hint| hint.lines()) {
        messages.say(Level::Hint, name, hint);
    }
}

/// Keeps an error that has been printed in a form of its own.
pub fn keep_error(text: &str) {
    messages().keep(Level::Error, text, &format_rfc3339(now_ms()));
}

/// Messages are of this run from now on.
pub fn of_run(figures: &Figures) {
    messages().figures = figures.clone();
}

/// Returns true when messages say of which run they are.
#[must_use]
pub fn name_the_run() -> bool {
    messages().as_json
}

/// Returns the last messages, oldest first.
#[must_use]
pub fn last() -> Vec<Value> {
    messages().last.iter().cloned().collect()
}
