//! Whether as many lines have arrived as were sent.

use stream::{Error, Mark};

pub enum Miscount {
    Missing(Error),
    Different(Error),
}

impl From<Miscount> for Error {
    fn from(miscount: Miscount) -> Self {
        match miscount {
            Miscount::Missing(error) | Miscount::Different(error) => error,
        }
    }
}

/// The sender counted its lines, `receiver` counted those that arrived.
pub fn check_count(mark: &Mark, arrived: u64, receiver: &str) -> Result<(), Miscount> {
    let Some(sent) = mark.number("lines") else {
        return Err(Miscount::Missing(Error::data(format_args!("a {} mark without lines", mark.kind()))));
    };
    if sent == arrived {
        return Ok(());
    }
    let hops = mark.get("hops").and_then(serde_json::Value::as_array);
    let upstream = hops.and_then(|h| h.last()).and_then(serde_json::Value::as_str).unwrap_or("the source");
    let what = if arrived < sent { "dropped" } else { "added" };
    let error = Error::data(format_args!(
        "{upstream} sent {sent} lines since the last barrier, {arrived} arrived: a program between {upstream} and {receiver} {what} {}",
        sent.abs_diff(arrived),
    ));
    Err(Miscount::Different(error.hint("run that program inside parallel-map -- CMD, which keeps the counts right")))
}
