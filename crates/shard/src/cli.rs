//! The command line of `shard`.

use std::ffi::OsString;

use alignment::{Aligned, Kin};
use line_values::{Expressions, WrongExpression};
use millpipe::{Error, Shards, StageArgs};
use units::ByteSize;

const EXAMPLES: &str = "\
Examples:
  Percentiles on two cores:
    window --size 10s < events.ndjson | shard --by key -n 2 -- 'aggregate --by key n=count p99:value'

  A program that has something to remember for each key, and lines that come back in their order:
    shard --by key -n 4 --ordered -- 'jq --unbuffered -c \".shard = env.SHARD\"' < events.ndjson

  In order of time again, behind windows:
    watermark --lateness 2s < events.ndjson | shard --by key -- 'window --size 10s | aggregate --by key count' \\
      | sort";

/// Run copies of a sub-pipeline side by side, each for its part of the keys
///
/// SUBPIPE is a command line for bash (with pipefail). Each line goes to one of N copies of it, by a hash of its key, so that all
/// lines of a key go to the same one, in their order; equal values are one key however they are written (1, 1.0). Every mark
/// goes to all of them. What they write comes out in one stream: each copy's lines in their order, between copies as they arrive. The
/// watermark that comes out is the least of all copies', a barrier comes out when all copies have given it, other marks once.
///
/// So a sub-pipeline that works on each key by itself gives the same lines as without shard, in another order; sort them by
/// window and key to compare. With --ordered they come out in the order of the input, if every line gives exactly one line, at
/// once (a program that holds its output back must be told not to: jq --unbuffered); anything else stops with an error.
///
/// Make time before the lines are divided (watermark | shard, or window | shard): a copy sees only its own lines, and
/// what it takes for late depends on them.
///
/// In an exactly-once pipeline each copy keeps state of its own, in DIR/STAGE.shard-0 and so on; state reshard changes their
/// number. SHARD (from 0) and SHARDS are in the environment of each copy. When one fails, all others are ended, and the message has its
/// status and its last words; status 75, or death by a signal, is 75 here, and anything else 1.
///
/// Memory: about a megabyte for each copy, and what it takes itself. A copy that is slow stops the reader.
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "shard", version, after_help = EXAMPLES)]
pub struct Cli {
    /// The key: fields, or jq expressions, with commas between them
    #[arg(long, value_name = "F,…")]
    pub by: String,

    /// How many copies; default: one for each core
    #[arg(short = 'n', long = "shards", value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub shards: Option<u16>,

    /// Bring lines back in the order of the input; for a sub-pipeline that gives exactly one line for each
    #[arg(long)]
    pub ordered: bool,

    /// With --ordered: the most memory for lines that have come back before their turn
    #[arg(long, value_name = "SIZE", default_value = "64MiB", requires = "ordered")]
    pub buffer: ByteSize,

    /// A command line for bash, in one argument
    #[arg(value_name = "SUBPIPE", last = true, required = true)]
    pub sub_pipe: OsString,

    #[command(flatten)]
    pub stage: StageArgs,
}

impl Cli {
    fn count(&self) -> usize {
        self.shards.map_or_else(millpipe::Jobs::workers_default, usize::from)
    }

    /// Reads the expressions that make the key.
    ///
    /// # Errors
    /// An expression that is none.
    pub fn by(&self) -> Result<Expressions, Error> {
        self.by.parse().map_err(|wrong: WrongExpression| {
            let text = wrong.to_string();
            match text.split_once('\n') {
                Some((what, hint)) => Error::usage(what).hint(hint),
                None => Error::usage(text),
            }
        })
    }

    /// How what comes back is one stream.
    pub fn aligned(&self) -> Aligned {
        let names = (0..self.count()).map(|number| format!("shard {number}")).collect();
        Aligned::trusted(names, Kin::Copies)
    }

    pub fn shards(&self) -> Shards {
        Shards {
            script: self.sub_pipe.clone(),
            count: self.count(),
            ordered_bytes: self.ordered.then(|| self.buffer.as_usize()),
        }
    }
}
