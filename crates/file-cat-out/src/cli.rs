//! The command line of `file-cat-out`.

use std::path::PathBuf;

use clap::ValueEnum;
use json_fields::{FieldPath, FieldPaths};
use millpipe::{CheckedArgs, Error, InputArgs, RunArgs};
use units::{ByteSize, DurationMs};

use crate::pack::Compress;

const EXAMPLES: &str = "\
Examples:
  Lines into a folder, in parts of about 100 MB:
    file-cat-out out --part-size 100MB < events.ndjson

  A folder for each service and user, compressed:
    file-cat-out out --partition-by service,user --compress zst < events.ndjson

  A folder for each hour, of a field that parallel-map makes:
    parallel-map '.hour = .at[:13]' < events.ndjson | file-cat-out out --partition-by hour

  Exactly-once without a server: results of each minute, a new part each ten seconds; kill it and start it again:
    generate --lines 100000 --exactly-once --state state --interval 10s \\
      | window --size 1m | aggregate --by key count | file-cat-out results --dead-letter rejects

  The same into one file:
    generate --lines 100000 --exactly-once --state state \\
      | window --size 1m | aggregate --by key count | file-cat-out --single results.ndjson

Exit codes: 0 everything is visible, 1 a bad line, a damaged manifest or another output than before, 2 usage, 75 disk
full, output in use or stream cut short: start the pipeline again.";

/// Write lines to files, each exactly once
///
/// Behind a source with --exactly-once, what is visible in DIR is what is committed: after any crash of any stage, and a
/// restart of the pipeline, each line is there once. Lines go into hidden parts; at each commit those with lines become
/// part-RUN-NNNNNNNN.ndjson by a rename, whose names sort in the order of commits. With --part-size or --part-age a
/// part goes on over commits, hidden, until one finds it large or old enough, or the stream ends; so do give
/// --part-age where lines may cease to come for a folder. A visible part is never touched again: take it, move it, delete it.
///
/// With --single, lines are appended to FILE at each commit, and bytes behind the last commit are cut off at the next
/// start. A program that reads FILE meanwhile may see lines that are not committed yet.
///
/// A plain stream commits by itself each second, and parts become visible at its end, or by --part-size and --part-age.
///
/// One file-cat-out at a time can write to DIR or FILE. What it remembers is in DIR/.millpipe, or FILE.millpipe.
#[derive(clap::Parser)]
#[command(name = "file-cat-out", version, after_help = EXAMPLES, override_usage = "file-cat-out [OPTIONS] DIR\n       file-cat-out [OPTIONS] --single FILE")]
pub struct Cli {
    /// The folder for parts; made if it is not there
    #[arg(value_name = "DIR", required_unless_present = "single", conflicts_with = "single")]
    pub dir: Option<PathBuf>,

    /// Append to FILE; what it has from before stays
    #[arg(long, value_name = "FILE")]
    pub single: Option<PathBuf>,

    /// A folder NAME=VALUE for each value of these fields, with commas between them; null or missing is __null__, and
    /// characters that names should not have become %XX
    #[arg(long, value_name = "FIELDS", conflicts_with = "single")]
    pub partition_by: Option<FieldPaths>,

    /// Compress, each commit by itself
    #[arg(long, value_name = "HOW")]
    pub compress: Option<Compress>,

    /// Keep reject marks, as {"by","why","at","line"}, in the same commit: in parts in the folder PATH, with --single
    /// in the file PATH. The path is for this output alone
    #[arg(long, value_name = "PATH")]
    pub dead_letter: Option<PathBuf>,

    /// A part becomes visible at the first commit at which it is this large
    #[arg(long, value_name = "SIZE", help_heading = "Parts", conflicts_with = "single")]
    pub part_size: Option<ByteSize>,

    /// A part becomes visible at the first commit this long after its first line
    #[arg(long, value_name = "DURATION", help_heading = "Parts", conflicts_with = "single")]
    pub part_age: Option<DurationMs>,

    /// The most hidden parts at a time; one more stops the run
    #[arg(long, value_name = "N", default_value_t = 10_000, help_heading = "Parts", conflicts_with = "single",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_parts: u32,

    /// How much may wait in memory before it is written to hidden parts
    #[arg(long, value_name = "SIZE", default_value = "64MiB", help_heading = "Running")]
    pub buffer: ByteSize,

    /// Lines may be any text; otherwise a line that is not JSON is a bad line
    #[arg(long, conflicts_with = "partition_by")]
    pub text: bool,

    #[command(flatten)]
    pub input: InputArgs,

    #[command(flatten)]
    pub checked: CheckedArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

impl Cli {
    /// Checks what clap cannot.
    ///
    /// # Errors
    /// Usage.
    pub fn check(&self) -> Result<(), Error> {
        let output = self.dir.as_ref().or(self.single.as_ref());
        if output.is_some() && output == self.dead_letter.as_ref() {
            return Err(Error::usage("--dead-letter is the output itself").hint("give it a path of its own"));
        }
        if let Some(file) = self.dir.as_ref().filter(|dir| dir.is_file()) {
            return Err(Error::data(format_args!("\"{}\" is a file, and lines go into a folder", file.display()))
                .hint("--single FILE appends to one file"));
        }
        let mut names: Vec<String> = self.fields().iter().map(FieldPath::name).collect();
        names.sort_unstable();
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::usage(format_args!("two fields of --partition-by are named {:?}", pair[0]))),
            None => Ok(()),
        }
    }

    /// Where lines go, and by which flags that was said.
    pub fn paths(&self) -> Vec<(&'static str, PathBuf)> {
        let named = [("the output", &self.dir), ("--single", &self.single), ("--dead-letter", &self.dead_letter)];
        named.into_iter().filter_map(|(flag, path)| Some((flag, path.clone()?))).collect()
    }

    /// What `--partition-by` says.
    pub fn fields(&self) -> &[FieldPath] {
        self.partition_by.as_ref().map_or(&[], |fields| &fields.0)
    }

    /// The flags that a part is made with, as a user would write them: under others it is not gone on with.
    pub fn part_flags(&self) -> String {
        let names: Vec<String> = self.fields().iter().map(ToString::to_string).collect();
        let by = (!names.is_empty()).then(|| format!("--partition-by {}", names.join(",")));
        let how = self.compress.and_then(|how| Some(format!("--compress {}", how.to_possible_value()?.get_name())));
        by.into_iter().chain(how).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};

    fn cli(arguments: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["file-cat-out"].into_iter().chain(arguments.split_whitespace()))
    }

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }

    #[test]
    fn lines_go_into_a_folder_or_into_one_file() {
        assert!(cli("").is_err() && cli("d --single f").is_err());
        assert!(cli("d").is_ok() && cli("--single f").is_ok());
    }

    #[test]
    fn one_file_has_no_parts() {
        for flags in ["--partition-by a", "--part-size 1MiB", "--part-age 1s", "--max-parts 7"] {
            assert!(cli(&format!("--single f {flags}")).is_err(), "{flags}");
            assert!(cli(&format!("d {flags}")).is_ok(), "{flags}");
        }
    }

    #[test]
    fn text_has_no_fields() {
        assert!(cli("d --text --partition-by a").is_err());
    }

    #[test]
    fn a_part_knows_its_flags() {
        assert_eq!(
            cli("d --partition-by a,b.c --compress zst").unwrap().part_flags(),
            "--partition-by .a,.b.c --compress zst"
        );
        assert_eq!(cli("d --part-size 1MiB").unwrap().part_flags(), "");
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused() {
        assert!(cli("d --dead-letter d").unwrap().check().is_err());
        assert!(cli("d --dead-letter e").unwrap().check().is_ok());
        assert!(cli("d --partition-by a.b,\"a.b\"").unwrap().check().is_err());
    }
}
