//! The flags of `thin`.

use std::num::NonZeroU64;

use clap::Parser;
use keyed_state::KeyArgs;
use line_values::Expressions;
use millpipe::{Config, StageArgs, StateFlags};
use selection::WhereArgs;

use crate::Thin;

const AFTER_HELP: &str = "\
The key is made of fields (user,.meta.site) or jq expressions (.at[:10]); a missing field is null. A key takes about 50 bytes.

Examples:
  thin -n 100 --by sensor < readings.ndjson
  thin -n 10 --by host,path --where '.status == 200' < requests.ndjson";

/// Pass every Nth line of each key
///
/// The first line of a key passes, and after it every Nth. Lines pass as they are, in their order.
#[derive(Parser, Clone, Debug)]
#[command(name = "thin", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// Of so many lines of a key, pass one
    #[arg(short, long = "every", value_name = "N")]
    pub n: NonZeroU64,

    /// The fields or expressions that make the key, with commas between them
    #[arg(long, value_name = "FIELDS")]
    pub by: Expressions,

    #[command(flatten)]
    pub keys: KeyArgs,

    #[command(flatten)]
    pub selection: WhereArgs,

    #[command(flatten)]
    pub stage: StageArgs,
}

impl Cli {
    /// Returns what the runtime needs to know.
    #[must_use]
    pub fn config(&self) -> Config {
        self.selection.select(self.stage.config("thin"))
    }

    /// Makes the operator.
    #[must_use]
    pub fn thin(&self) -> Thin {
        Thin::new(self.n, self.by.0.clone(), self.keys.limit(""), self.flags())
    }

    /// Writes the flags that the state depends on.
    fn flags(&self) -> StateFlags {
        StateFlags::new().with("-n", self.n).quoted("--by", &self.by)
    }
}
