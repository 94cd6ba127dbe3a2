//! The command line of `state`.

use std::path::PathBuf;

use checkpoint::CheckpointId;

use crate::rename::Rename;

const EXAMPLES: &str = "\
Examples:
  What a pipeline would go on from, and what its aggregate remembers:
    generate --lines 3000 --exactly-once --state clicks --no-drain \\
      | window --size 10s | aggregate --by key count | file-cat-out counts
    state show clicks
    state show clicks --stage aggregate | sed -n 1,3p

  The largest states, in entries:
    generate --lines 3000 --exactly-once --state clicks --no-drain \\
      | window --size 10s | aggregate --by key count | file-cat-out counts
    state show clicks | jq -r '\"\\(.entries)\\t\\(.name)\"' | sort -rn

  What the last epoch has changed, and is all of it whole?
    generate --lines 3000 --rate 10000/s --exactly-once --state clicks --interval 100ms | window --size 1s | file-cat-out windows
    state diff clicks
    state check clicks

  A copy of the last checkpoint, also while the pipeline runs:
    generate --lines 3000 --exactly-once --state clicks --no-drain | window --size 10s | file-cat-out windows
    state save clicks clicks-of-today
    state diff clicks clicks-of-today

  A stage is put in between, and those after it get names, so that the next change needs nothing of this:
    generate --lines 3000 --exactly-once --state clicks --no-drain | window --size 10s | file-cat-out windows
    state save clicks clicks-renamed --rename 2-window=w
    generate --lines 3000 --exactly-once --state clicks-renamed | filter true | window --as w --size 10s | file-cat-out windows

  The state of two shards for three:
    job() { generate --lines 3000 --exactly-once --state \"$1\" --no-drain | watermark | shard --by key -n \"$2\" -- \"$3\" | file-cat-out counts; }
    job clicks 2 'window --size 10s | aggregate --by key count'
    state reshard clicks clicks-of-3 -n 3
    job clicks-of-3 3 'window --size 10s | aggregate --by key count'

Exit codes: 0 done; 1 something is damaged or missing; 2 usage; 75 the disk failed.";

/// Show, compare, check, copy and redistribute the state of a pipeline
///
/// DIR is the folder of --state. In it is a folder for each stage, called by its place and tool (3-aggregate) or by --as, with
/// files for each checkpoint that may still be asked for; and `committed`, which says what the pipeline goes on from. All of
/// it is text, one JSON value a line, compressed with zstd when it is large. A file of RUN.SEQ has what changed since the
/// checkpoint before, and names the older files that it builds on; what is shown here is the sum of them.
///
/// Nothing is changed in DIR, and a pipeline may be running on it meanwhile. The truth is at the sink: with Kafka in the
/// offsets of the consumer group, else in the output. `committed` is a copy, and can be one checkpoint behind after a crash.
///
/// On stdout come lines of JSON. Memory: a few buffers, however large the state is.
#[derive(clap::Parser, Debug)]
#[command(name = "state", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(clap::Subcommand, Debug)]
pub enum Command {
    /// Say what is committed, or what a stage remembers
    ///
    /// A line for each stage: the checkpoint (id), when it was committed (at) and by what kind of sink, the stage's folder (name),
    /// its tool (stage) and flags, how many lines of head and how many entries its state has, and in how many files and bytes
    /// on the disk. at and sink are null for a checkpoint that is not the committed one. Without any commit there is no line: a
    /// pipeline would start from the beginning.
    Show(Show),

    /// Tell what differs between two checkpoints
    ///
    /// A line for each difference: {"name","what","from","to"}; what is stage (there is none in the other), tool, flags, head (with the
    /// number of the line) or entry (with its key). from or to is missing where there is none. No line: they are the same.
    Diff(Diff),

    /// Check every byte, and say what a pipeline would restore
    ///
    /// First a line with what a pipeline restores, then one for each stage of that checkpoint, with ok, entries and files; or why it
    /// cannot be restored. Then one for each other file: snapshots and merged files that are not needed now, what a crash has
    /// left half-written (leftover), and what is not of a pipeline (other). Exit code 1 when anything is damaged.
    Check(Check),

    /// Copy the committed checkpoint, to start another pipeline from or to come back to
    ///
    /// TO becomes a state folder, with one file for each stage. A pipeline with the same stages and flags goes on from it with
    /// --state TO. Where stages have moved since, or have names (--as), --rename says which is which. It is safe on the disk when
    /// this ends; when it fails, nothing is left in TO.
    Save(Save),

    /// Copy the committed checkpoint for another number of shards
    ///
    /// TO becomes a state folder from which the same pipeline goes on with shard -n N instead of as many as before, and with the
    /// same output. What the stages of a sub-pipeline remember of a key (aggregate, window, dedup, top-n, stream-join, lookup with a table
    /// in the stream) goes to the shard that has the key now, and so do the lines that reorder and lookup hold. A stage that holds
    /// lines and marks (throttle, merge --by-time), or whose keys do not tell those of shard (aggregate --by user behind shard --by
    /// site), is refused, and so are shards that are not at the same time (make time before the lines are divided: watermark |
    /// shard).
    /// The pipeline must have stopped. Nothing is changed in DIR; when this fails, nothing is left in TO.
    Reshard(Reshard),
}

#[derive(clap::Args, Debug)]
pub struct Show {
    /// The pipeline's folder of state
    #[arg(value_name = "DIR")]
    pub state: PathBuf,

    /// Another checkpoint than the committed one, as RUN.SEQ
    #[arg(long, value_name = "ID")]
    pub id: Option<CheckpointId>,

    /// Show what this stage remembers, as the pipeline would restore it: the lines of its head, then each entry as
    /// ["key",value]. The folder's name, or the tool's if there is one of it
    #[arg(long, value_name = "NAME")]
    pub stage: Option<String>,

    /// Only the entries, without the head
    #[arg(long, requires = "stage")]
    pub entries: bool,
}

#[derive(clap::Args, Debug)]
pub struct Diff {
    /// The pipeline's folder of state
    #[arg(value_name = "DIR")]
    pub state: PathBuf,

    /// Compare these two checkpoints of DIR (RUN.SEQ); with one, it with the committed one; or another folder, to compare
    /// what is committed in both. Without, the committed checkpoint with the one before it
    #[arg(value_name = "ID | DIR2", num_args = 0..=2)]
    pub others: Vec<String>,
}

#[derive(clap::Args, Debug)]
pub struct Check {
    /// The pipeline's folder of state
    #[arg(value_name = "DIR")]
    pub state: PathBuf,
}

#[derive(clap::Args, Debug)]
pub struct Save {
    /// The pipeline's folder of state
    #[arg(value_name = "DIR")]
    pub state: PathBuf,

    /// The folder of the copy: new or empty
    #[arg(value_name = "TO")]
    pub to: PathBuf,

    /// Another checkpoint than the committed one, as RUN.SEQ
    #[arg(long, value_name = "ID")]
    pub id: Option<CheckpointId>,

    /// Give the folder of a stage another name in the copy, for a stage that has moved or gets a name: 2-window=3-window, or
    /// 2-window=w for --as w. As often as needed, all at once; in all shards
    #[arg(long, value_name = "OLD=NEW")]
    pub rename: Vec<Rename>,
}

#[derive(clap::Args, Debug)]
pub struct Reshard {
    /// The pipeline's folder of state
    #[arg(value_name = "DIR")]
    pub state: PathBuf,

    /// The folder of the copy: new or empty
    #[arg(value_name = "TO")]
    pub to: PathBuf,

    /// How many shards there are to be
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub shards: u16,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn clap_finds_no_fault_in_the_flags() {
        Cli::command().debug_assert();
    }
}
