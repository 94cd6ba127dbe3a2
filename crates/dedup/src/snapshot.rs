//! The head of a checkpoint: the time of the stream, and how many lines have arrived. Keys are entries of their own.

use std::io::{self, BufRead, Write};

use millpipe::Error;
use serde_json::{Value, json};

use crate::Dedup;

impl Dedup {
    pub(crate) fn save_head(&self, to: &mut dyn Write) -> io::Result<()> {
        let time = self.job.time.as_ref().map(|(_, time)| time.snapshot());
        let by: Vec<String> = self.job.by.iter().map(ToString::to_string).collect();
        let any = self.job.time.as_ref().map_or(&[][..], |(_, time)| time.of_no_account());
        let divides = json!({"by": by, "max": ["/lines"], "any": any});
        writeln!(to, "{}", json!({"time": time, "lines": self.sequence, "divides": divides}))
    }

    pub(crate) fn load_head(&mut self, from: &mut dyn BufRead) -> Result<(), Error> {
        let damaged = || Error::data("the snapshot is damaged, or not of dedup");
        let head: Value = serde_json::from_reader(from).map_err(|_| damaged())?;
        self.sequence = head["lines"].as_u64().ok_or_else(damaged)?;
        let restored = self.job.time.as_mut().is_none_or(|(_, time)| time.restore(&head["time"]));
        if restored { Ok(()) } else { Err(damaged()) }
    }
}
