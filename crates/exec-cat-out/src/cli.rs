//! The command line of `exec-cat-out`.

use std::ffi::OsString;

use millpipe::{CheckedArgs, InputArgs, RunArgs};
use units::{ByteSize, DurationMs};

use crate::sink::Limits;

const EXAMPLES: &str = "\
Examples:
  Results of each minute to a program, with each commit those that it has:
    generate --lines 10000 --exactly-once --state state \\
      | window --size 1m | aggregate --by key count | exec-cat-out -- sh -c 'cat > epoch-$CHECKPOINT_ID.ndjson'

  Into SQLite, each epoch once: a table of ids makes the command idempotent, in the same transaction as the lines:
    cat > load.sh << 'END'
    set -euo pipefail
    seen=$(sqlite3 counts.db \"select id from epochs where id = '$CHECKPOINT_ID'\")
    [[ -z $seen ]] || exit 0
    { echo 'begin;'
      jq -r '\"insert into counts values(\\u0027\\(.key)\\u0027, \\(.count));\"'
      echo \"insert into epochs values('$CHECKPOINT_ID'); commit;\"
    } | sqlite3 -bail counts.db
    END
    sqlite3 counts.db 'create table counts(key, count); create table epochs(id primary key)'
    generate --lines 10000 --exactly-once --state state | aggregate --by key count | exec-cat-out -- bash load.sh

  A plain stream is one epoch:
    exec-cat-out --retries 3 -- sort -o sorted.ndjson < events.ndjson

Exit codes: 0 CMD has had every epoch, 1 a bad line or no such CMD, 2 usage, 75 CMD failed, disk full or stream cut
short: start the pipeline again.";

/// Give the lines of each epoch to a command
///
/// Behind a source with --exactly-once, CMD is run at each commit that has lines: they are its stdin, and the id of the
/// checkpoint is CHECKPOINT_ID in its environment. An exit status of 0 means that it has them. When CMD fails, or anything
/// else dies before that is known, it gets the same lines under the same id again, at the latest at the next start, before
/// any others. So every epoch is given at least once, and a CMD that leaves out an id that it has seen takes it
/// exactly once. CMD's stdout is this tool's.
///
/// In a plain stream CMD is run once, at the end, without CHECKPOINT_ID; after an error it is not run.
///
/// Lines are spooled in the state folder (in a plain stream, in the folder for temporary files) until CMD has had them.
/// CMD does not outlive this tool, and a new one waits until what CMD had started has ended too.
#[derive(clap::Parser)]
#[command(name = "exec-cat-out", version, after_help = EXAMPLES, override_usage = "exec-cat-out [OPTIONS] -- CMD [ARG]...")]
pub struct Cli {
    /// The command for the lines of an epoch, and its arguments
    #[arg(value_name = "CMD", last = true, required = true)]
    pub command: Vec<OsString>,

    /// Give an epoch to CMD up to N more times when it has failed with it
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub retries: u32,

    /// A CMD that needs longer for an epoch is ended and has failed; default: none
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<DurationMs>,

    /// The most bytes of lines in one epoch; more stops the run
    #[arg(long, value_name = "SIZE", default_value = "1GiB")]
    pub max_epoch: ByteSize,

    /// Run CMD for epochs without lines too
    #[arg(long)]
    pub empty: bool,

    /// Lines may be any text; otherwise a line that is not JSON is a bad line
    #[arg(long)]
    pub text: bool,

    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub checked: CheckedArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

impl Cli {
    /// What the sink needs to know of the flags.
    pub fn limits(&self) -> Limits {
        Limits { epoch_bytes_max: self.max_epoch.0, gives_empty: self.empty, checks_json: !self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_command_stands_behind_two_dashes() {
        let cli =
            |arguments: &str| Cli::try_parse_from(["exec-cat-out"].into_iter().chain(arguments.split_whitespace()));
        assert!(cli("").is_err() && cli("--").is_err() && cli("cat").is_err());
        assert_eq!(cli("-- cat -n").unwrap().command, ["cat", "-n"]);
    }
}
