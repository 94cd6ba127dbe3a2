//! The command line of `crash-test`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use json_fields::FieldPaths;
use millpipe::Error;
use units::DurationMs;

use crate::choice::{Span, Target, Targets};

const EXAMPLES: &str = "\
Examples:
  Three kills of random stages; the script keeps its state and its output in the folder that it is given:
    cat > job.sh << 'END'
    set -o pipefail
    generate --lines 30000 --rate 30000/s --exactly-once --state \"$CRASH_TEST_DIR/state\" --interval 50ms \\
      | window --size 1s --lateness 1s | aggregate --by key n=count | file-cat-out \"$CRASH_TEST_DIR/output\"
    END
    crash-test -v --kills 3 --between 50ms..200ms -- job.sh

  All at once, as when the power fails, and stopped processes that wake up later; the result is known from elsewhere:
    generate --lines 30000 --event-rate 30000/s > right.ndjson
    crash-test --kills 3 --between 50ms..150ms --what all=2,zombie=1 --zombie-for 300ms --expect right.ndjson -- \\
      bash -o pipefail -c 'generate --lines 30000 --rate 30000/s --exactly-once --state \"$CRASH_TEST_DIR/state\" \\
        --interval 50ms | file-cat-out \"$CRASH_TEST_DIR/output\"'

From topic to topic, with the broker killed too, the script would write to \"out-$CRASH_TEST_RUN\" under the group
\"job-$CRASH_TEST_RUN\", and the flags be: --what any=8,zombie=1,broker=1 --broker-dir DIR --zombie-for 10s
--output-command 'kafka-cat-in -b HOST -t \"out-$CRASH_TEST_RUN\" -e'.

Exit codes: 0 all kills were done and nothing is lost, doubled or wrong; 1 something is, or the pipeline is broken, or it
was over before all kills were done; 2 usage.";

/// Kill a pipeline's processes at random, start it again, and compare its output with that of a quiet run
///
/// SCRIPT is any program that starts a pipeline and ends with 0 when all input is done. It finds in the environment
/// CRASH_TEST_DIR (a folder for its state and output, empty at the first start and kept over the others), CRASH_TEST_RUN
/// (undisturbed or disturbed; for the names of topics), CRASH_TEST_START (1 for the first start of a run, 2, …) and
/// CRASH_TEST_KILLS_LEFT (how many kills are still to come when it starts: a script that is slow while there are some, and
/// fast at 0, is never over too early and does not take longer than it must). First it is run undisturbed, for the expected
/// output (not with --expect). Then it is run and killed, and started again, until it ends with 0 by itself. Then the two
/// outputs are compared: as sets of lines with their numbers, since the order between keys or partitions may differ
/// (--ordered if it must not).
///
/// A line is lost when there are fewer of it than expected, doubled when there are more, and wrong when it was not expected
/// at all. With --by, a wrong line that stands for a lost one of the same key is one wrong line, and one whose key was
/// there already is a doubled one.
///
/// The pipeline is started again when it died by a signal (also by its shell's account, 128 and above), ended as
/// --restart-on says, or ended anyhow after one of its processes was killed. What then still runs of it is killed first, as
/// systemd does. Any other end is a broken pipeline, and ends the test.
///
/// One kill in four comes while the pipeline starts, the others when it flows: --between after its first commit. That is
/// known from a file that changes at a commit (--committed); without one, a pipeline flows when it is started. The same seed
/// makes the same choices in the same order. What they meet depends on the clock: no two runs are the same.
///
/// On stdout comes one JSON object: kills by kind and by process, starts, how they ended, the time from a kill to the next
/// commit, lines compared. Differences are shown on stderr. What the script writes to stdout and stderr is in
/// DIR/undisturbed.log and DIR/disturbed.log. Memory: about 50 bytes for each different line of output.
///
/// Nothing that the script has started outlives the test.
#[derive(clap::Parser)]
#[command(name = "crash-test", version, after_help = EXAMPLES, override_usage = "crash-test [OPTIONS] -- SCRIPT [ARG]...")]
pub struct Cli {
    /// The program that runs the pipeline, and its arguments; a file that is not executable is given to bash
    #[arg(value_name = "SCRIPT", last = true, required = true)]
    pub script: Vec<OsString>,

    /// How many kills
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub kills: u64,

    /// What is killed, with commas between: any (a process that is not a shell), a process's name, all (the whole pipeline
    /// at once), zombie (some or all processes are stopped, the others killed, the pipeline is started again, and they wake up
    /// beside it), broker. any=8,zombie=1 says how often
    #[arg(long, value_name = "LIST", default_value = "any")]
    pub what: Targets,

    /// Another seed makes other choices
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u64,

    /// How long the pipeline flows before the next kill: at random between these two
    #[arg(long, value_name = "DURATION..DURATION", default_value = "200ms..2s")]
    pub between: Span,

    /// How long a zombie is stopped; say more than the transaction time-out
    #[arg(long, value_name = "DURATION", default_value = "5s")]
    pub zombie_for: DurationMs,

    /// An exit code after which the pipeline is started again, several with commas between
    #[arg(long, value_name = "CODES", value_delimiter = ',', default_value = "75")]
    pub restart_on: Vec<u8>,

    /// Give up when for so long nothing was committed
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub stuck_after: DurationMs,

    /// Where the two runs keep what they write: DIR/undisturbed and DIR/disturbed. It must be empty [default: a new folder
    /// in the system's place for temporary ones, which goes at the end if all is well]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,

    /// On stderr, tell each start, kill and end as it happens
    #[arg(short, long)]
    pub verbose: bool,

    /// The committed output: a file, or a folder of files (in the order of their names, without hidden ones; of .gz and .zst
    /// what is in them). In CRASH_TEST_DIR, if it does not begin with /
    #[arg(long, value_name = "PATH", default_value = "output", help_heading = "Output")]
    pub output: PathBuf,

    /// The committed output is what CMD writes to stdout; bash runs it when the pipeline has ended, with the same environment
    #[arg(long, value_name = "CMD", conflicts_with = "output", help_heading = "Output")]
    pub output_command: Option<OsString>,

    /// Compare with this file or folder instead of an undisturbed run
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub expect: Option<PathBuf>,

    /// The fields that make the key of an output line, with commas between them: tells wrong lines from lost ones
    #[arg(long, value_name = "FIELDS", help_heading = "Output")]
    pub by: Option<FieldPaths>,

    /// The order of lines matters too
    #[arg(long, help_heading = "Output")]
    pub ordered: bool,

    /// The file (or folder) that changes at each commit, in CRASH_TEST_DIR [default: all files there that are named committed]
    #[arg(long, value_name = "PATH", help_heading = "Output")]
    pub committed: Option<PathBuf>,

    /// The broker that `scripts/kafka start --dir DIR` started: it is killed by its pid, if that process is this broker, and
    /// started again by that script, so run this in the project's folder
    #[arg(long, value_name = "DIR", conflicts_with = "kill_command", help_heading = "Broker")]
    pub broker_dir: Option<PathBuf>,

    /// Run by bash to kill the broker, or anything else that the pipeline needs
    #[arg(long, value_name = "CMD", requires = "restore_command", help_heading = "Broker")]
    pub kill_command: Option<OsString>,

    /// Run by bash to start it again; the next kill of it comes after this has ended
    #[arg(long, value_name = "CMD", help_heading = "Broker")]
    pub restore_command: Option<OsString>,

    /// How long it is gone: at random between these two
    #[arg(long, value_name = "DURATION..DURATION", default_value = "500ms..3s", help_heading = "Broker")]
    pub down_for: Span,
}

impl Cli {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<(), Error> {
        let broker = self.what.contains(&Target::Broker);
        let has_hooks = self.broker_dir.is_some() || self.kill_command.is_some();
        if broker && !has_hooks {
            let hint = "--broker-dir DIR, or --kill-command CMD --restore-command CMD";
            return Err(Error::usage("--what broker needs to know how to kill it").hint(hint));
        }
        if !broker && (has_hooks || self.restore_command.is_some()) {
            return Err(Error::usage("commands for a broker, and --what has none").hint("--what any,broker"));
        }
        if self.what.contains(&Target::Zombie) && self.zombie_for.0 >= self.stuck_after.0 {
            let message = format!("--zombie-for {} and --stuck-after {}", self.zombie_for, self.stuck_after);
            return Err(
                Error::usage(message).hint("a pipeline that waits for a zombie would be given up: let it wait longer")
            );
        }
        if self.output.is_absolute() && self.expect.is_none() && self.output_command.is_none() {
            let message = format!("--output \"{}\" would be the same for both runs", self.output.display());
            return Err(Error::usage(message).hint("let the script write into \"$CRASH_TEST_DIR\", or give --expect"));
        }
        Ok(())
    }

    /// The commands that kill the broker and start it again.
    pub fn broker_commands(&self) -> Option<(OsString, OsString)> {
        let (kill, restore) = match &self.broker_dir {
            Some(dir) => {
                let dir = quoted(dir);
                (format!("scripts/kafka kill --dir {dir}").into(), format!("scripts/kafka start --dir {dir}").into())
            }
            None => (self.kill_command.clone()?, self.restore_command.clone()?),
        };
        Some((kill, self.restore_command.clone().unwrap_or(restore)))
    }
}

/// A path as a word of the shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn cli(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["crash-test"].into_iter().chain(arguments.split_whitespace()).chain(["--", "job"]))
    }

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_broker_that_is_to_die_needs_commands_and_commands_need_the_broker() {
        assert!(cli("--what any,broker").unwrap().check().is_err());
        assert!(cli("--broker-dir x").unwrap().check().is_err());
        assert!(cli("--what broker --kill-command x").is_err());
        assert!(cli("--what broker --kill-command x --restore-command y").unwrap().check().is_ok());
    }

    #[test]
    fn a_broker_in_a_folder_is_that_of_the_script() {
        let cli = cli("--what broker --broker-dir a'b").unwrap();
        let (kill, restore) = cli.broker_commands().unwrap();
        assert_eq!(kill, r"scripts/kafka kill --dir 'a'\''b'");
        assert_eq!(restore, r"scripts/kafka start --dir 'a'\''b'");
    }

    #[test]
    fn two_runs_cannot_share_an_output() {
        assert!(cli("--output /tmp/x").unwrap().check().is_err());
        assert!(cli("--output /tmp/x --expect y").unwrap().check().is_ok());
    }
}
