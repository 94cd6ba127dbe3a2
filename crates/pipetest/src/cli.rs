//! The command line of `pipetest`.

use std::path::PathBuf;

use millpipe::Error;

use crate::model::Pattern;

const EXAMPLES: &str = "\
Examples:
  A script and a test of it: the topics are in the file, no broker is asked:
    printf '%s\\n' 'set -o pipefail' 'kafka-cat-in -b \"$BROKERS\" -t clicks | window --size 10s \\
      | aggregate --by user n=count | kafka-cat-out -b \"$BROKERS\" -t counts' > job.sh
    cat > job.pipetest.toml << 'END'
    run = \"job.sh\"
    env = { BROKERS = \"kafka:9092\" }
    [[test]]
    name = \"clicks are counted by user\"
    in.clicks = '''
    {\"timestamp\":\"2026-01-01T00:00:01Z\",\"user\":\"ada\"}
    {\"timestamp\":\"2026-01-01T00:00:02Z\",\"user\":\"ada\"}
    '''
    out.counts = { lines = '{\"user\":\"ada\",\"n\":2}', where = '{user, n}' }
    also.cuts = 5
    END
    pipetest job.pipetest.toml

  A pipeline in one line, on standard input; what came out is put into the file, to be looked at and kept:
    cat > late.pipetest.toml << 'END'
    [[test]]
    name = \"a late line is told\"
    run = \"window --size 10s | aggregate n=count\"
    stdin = '''
    {\"timestamp\":\"2026-01-01T00:00:01Z\"}
    {\"timestamp\":\"2026-01-01T00:00:25Z\"}
    {\"timestamp\":\"2026-01-01T00:00:02Z\"}
    '''
    stdout = ''
    expect = { late = 1, messages = [\"late\"] }
    END
    pipetest --update late.pipetest.toml

  All tests below a folder whose names have a word, for a CI server:
    mkdir -p tests
    printf '%s\\n' '[[test]]' 'name = \"lines of host-0\"' 'run = \"filter .ok\"' \\
      \"stdin = '{\\\"ok\\\":true}'\" \"stdout = '{\\\"ok\\\":true}'\" > tests/ok.pipetest.toml
    pipetest tests --filter host --tap --junit report.xml

Exit codes: 0 all tests passed, 1 one did not, 2 usage, or a file of tests that is wrong.";

/// Test a pipeline: run its script, unchanged, on inputs that a file tells, and compare what comes out
///
/// A file of tests (TOML) says what is run, what is in topics, files and standard input, and what must come out. Each test has
/// a folder of its own, in which bash runs the script. Stand-ins for kafka-cat-in and kafka-cat-out are first on the PATH: they take
/// all their flags, on topics that are files. The other tools come from the folder of this one, or from the PATH.
///
/// The output must be what is expected, in its order, and no more. A topic or standard output that the test does not name must
/// stay empty. The numbers of late and rejected lines must be those of the test. At each stage in = out + late + rejected + held
/// must be true.
///
/// Other ways to run the test: also.cuts cuts every stage's input at random, with other numbers of threads. also.shuffle gives the
/// lines out of order, also.shards changes the number of shards. also.kills kills processes and starts the script again (by crash-test).
#[derive(clap::Parser)]
#[command(name = "pipetest", version, after_help = EXAMPLES)]
pub struct Cli {
    /// Files of tests, or folders: all files below them that are called *.pipetest.toml
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,

    /// Run only tests whose name, or file, has these words; between slashes a regular expression
    #[arg(long, value_name = "WORDS", value_parser = Pattern::new)]
    pub filter: Option<Pattern>,

    /// How many tests are run at the same time; default: one for each core
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    /// Another seed cuts, shuffles and kills elsewhere; a failure tells its own
    #[arg(long, value_name = "S", default_value_t = 42)]
    pub seed: u64,

    /// Put what came out into the files in place of what was expected, and show the difference
    #[arg(long)]
    pub update: bool,

    /// Keep what each stage wrote, in the last run that passed and the last that failed. A failure then names the first stage
    /// that wrote something else
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub keep: Option<PathBuf>,

    /// Write TAP 14 on stdout
    #[arg(long, conflicts_with = "json", help_heading = "Reports")]
    pub tap: bool,

    /// Print JSON, one object a line: one for each test
    #[arg(long, help_heading = "Reports")]
    pub json: bool,

    /// Write a report as CI servers read it
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub junit: Option<PathBuf>,
}

impl Cli {
    /// Returns how many tests are run at the same time.
    #[must_use]
    pub fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.jobs.map_or_else(cores, usize::from)
    }

    /// Checks what clap cannot.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<(), Error> {
        match self.paths.iter().find(|path| !path.exists()) {
            Some(path) => Err(Error::usage(format_args!("{}: no such file or folder", path.display()))),
            None => Ok(()),
        }
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
    fn a_path_that_is_not_there_is_told() {
        let cli = Cli::try_parse_from(["pipetest", "no-such.pipetest.toml"]).unwrap();
        assert_eq!(cli.check().unwrap_err().message, "no-such.pipetest.toml: no such file or folder");
        assert!(Cli::try_parse_from(["pipetest"]).is_err());
        assert!(Cli::try_parse_from(["pipetest", "x", "--tap", "--json"]).is_err());
        assert!(Cli::try_parse_from(["pipetest", "x", "--filter", "/(/"]).is_err());
    }
}
