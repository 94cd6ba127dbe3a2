//! `shard` runs copies of a shell sub-pipeline side by side, each for its part of the keys.
//!
//! This crate says where a line goes: to the shard that its key's hash names. The runtime divides the stream, runs the
//! sub-pipes and brings what they write together ([`millpipe::run_shard`]); `alignment` makes the marks of all shards those
//! of one stream.
//!
//! The hash (XXH3, 64 bits, of the key's canonical text) never changes: what a shard has in its state stays its own. Nothing is
//! kept from line to line.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod cli;

use line_values::{Expression, LineValues};
use millpipe::{Fault, Route};
use values::shard_of;

/// Runs what the command line says.
///
/// # Errors
/// Usage; what ended the run early.
pub fn run_cli(cli: cli::Cli) -> Result<(), Fault> {
    let (by, shards) = (cli.by()?, cli.shards());
    let config = cli.stage.config("shard").with_keys(Some(&by));
    let route = ByKey::new(&by.0, shards.count);
    millpipe::run_shard(route, cli.aligned(), &shards, config, &cli.stage).map_err(with_way_out)
}

/// Another number of shards is what flags differ in most often.
fn with_way_out(fault: Fault) -> Fault {
    match fault {
        Fault::Stop(error) if error.message.contains(": made with other flags: --by ") => {
            error.hint("state reshard DIR TO -n N makes a folder of state for another number of shards").into()
        }
        fault => fault,
    }
}

/// Lines by the hash of their key.
pub struct ByKey {
    values: LineValues,
    cells: usize,
    shards: usize,
    /// For keys that must be written.
    key: Vec<u8>,
    flags: String,
}

impl ByKey {
    /// # Panics
    /// Never, for one shard or more.
    pub fn new(by: &[Expression], shards: usize) -> Self {
        let texts: Vec<String> = by.iter().map(ToString::to_string).collect();
        let flags = format!("--by {} -n {shards}", texts.join(","));
        Self { values: LineValues::new(by).watching(by.len()), cells: by.len(), shards, key: Vec::new(), flags }
    }
}

impl Route for ByKey {
    #[inline]
    fn shard(&mut self, line: &[u8]) -> Result<usize, Fault> {
        let found = self.values.read(line).map_err(Fault::bad)?;
        let key = found.key(0..self.cells, &mut self.key);
        Ok(shard_of(key, self.shards))
    }

    fn flags(&self) -> String {
        self.flags.clone()
    }

    fn remark(&self) -> Option<String> {
        self.values.remark("lines")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_key(by: &str, shards: usize) -> ByKey {
        ByKey::new(&Expression::parse_list(by).unwrap(), shards)
    }

    #[test]
    fn equal_keys_are_in_one_shard_however_they_are_written() {
        let mut route = by_key("k,.n % 10", 1000);
        let same = [r#"{"k":1,"n":13}"#, r#"{ "n" : 3, "k":1.0}"#, r#"{"k":1e0,"n":23}"#];
        let shards = same.map(|line| route.shard(line.as_bytes()).unwrap());
        assert_eq!(shards, [shards[0]; 3]);
        assert_ne!(route.shard(br#"{"k":"1","n":3}"#).unwrap(), shards[0]);
        assert!(matches!(route.shard(b"{\"k\":"), Err(Fault::Bad(_))));
        assert_eq!(route.flags(), "--by .k,.n % 10 -n 1000");
    }

    #[test]
    fn keys_are_spread_evenly() {
        let mut lines = [0; 7];
        let mut route = by_key("k", 7);
        for k in 0..70_000 {
            lines[route.shard(format!("{{\"k\":\"user-{k}\"}}").as_bytes()).unwrap()] += 1;
        }
        assert!(lines.iter().all(|lines| (9_600..10_400).contains(lines)), "{lines:?}");
    }
}
