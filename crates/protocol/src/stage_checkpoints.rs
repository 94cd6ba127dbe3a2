//! What a stage or sink has in the state folder, and its part in each checkpoint.

use checkpoint::{Changes, Part, Snapshot};
use stream::{Error, Fault, Mark};

use crate::config::Config;
use crate::hello::{Barrier, Hello};
use crate::keeper::{Keeper, folder_name};
use crate::loss::Loss;
use crate::out::Out;
use crate::saving::Watch;
use crate::station::Station;

/// The checkpoints of a stream, as one stage takes part in them.
#[derive(Default)]
pub struct StageCheckpoints {
    pub keeper: Keeper,
    /// None before the stream has said that it has checkpoints.
    kept: Option<Kept>,
}

struct Kept {
    run: String,
    /// The stage's own folder in the state folder; a stage without state has none.
    folder: Option<String>,
    flags: String,
}

impl StageCheckpoints {
    /// Returns true once the stream has said that it has checkpoints.
    pub fn are_on(&self) -> bool {
        self.kept.is_some()
    }

    /// Opens the state folder, and restores the checkpoint that the source has chosen.
    ///
    /// # Errors
    /// A folder or a target that does not fit.
    pub fn open<S: Station>(
        &mut self,
        stage: &mut S,
        out: &mut Out,
        hello: &Hello,
        config: &Config,
    ) -> Result<(), Fault> {
        let mut kept = Kept { run: hello.run.clone(), folder: None, flags: String::new() };
        if let Some(state) = stage.state() {
            let selection = config.selection.as_ref().map(|selection| selection.flag());
            kept.folder = Some(folder_name(hello, &config.name, config.state_name.as_deref()));
            kept.flags = state.flags() + &selection.unwrap_or_default();
            state.begin_checkpoints()?;
        }
        self.keeper.open(&hello.state, &hello.run, kept.folder.as_deref())?;
        if let Some(target) = stage.target() {
            self.keeper.show_sink()?;
            let truth = target.open(hello, out)?;
            self.keeper.compare(hello, truth, target, out.now_ms())?;
        } else if let Some(state) = stage.state().filter(|_| hello.restore.id.is_some()) {
            self.keeper.load(hello, &config.name, &kept.flags, &mut |part| match part {
                Part::Head(mut head) => state.restore(&mut head),
                Part::Entry { key, value } => state.restore_entry(key, value),
            })?;
            out.counts.restored = stage.held();
        }
        self.kept = Some(kept);
        Ok(())
    }

    /// Reads a barrier; none if the stream has no checkpoints.
    ///
    /// # Errors
    /// When it is of another run.
    pub fn barrier(&self, mark: &Mark, line_number: u64) -> Result<Option<Barrier>, Error> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let barrier = Barrier::read(mark)?;
        if barrier.id.run == kept.run {
            return Ok(Some(barrier));
        }
        Err(Error::data(format_args!("line {line_number}: barrier {} in run {}", barrier.id, kept.run)))
    }

    /// Commits what the sink has got, once all snapshots are safe; or returns why they never will be.
    ///
    /// # Errors
    /// What the target says: the epoch is not committed.
    pub fn commit<S: Station>(&self, stage: &mut S, out: &mut Out, barrier: &Barrier) -> Result<Option<Loss>, Fault> {
        let (waits, began_us) = (out.waits().clone(), out.waits().now_us());
        let loss = waits.for_commit(|| self.commit_now(stage, out, barrier))?;
        if loss.is_none() {
            let took_ms = waits.now_us().saturating_sub(began_us) / 1000;
            out.figures().commit(&barrier.id, out.now_ms(), i64::try_from(took_ms).unwrap_or(i64::MAX));
        }
        Ok(loss)
    }

    fn commit_now<S: Station>(&self, stage: &mut S, out: &mut Out, barrier: &Barrier) -> Result<Option<Loss>, Fault> {
        if let Some(why) = self.keeper.wait_for(barrier)? {
            return Ok(Some(Loss { why, since_ms: out.now_ms() }));
        }
        let Some(target) = stage.target() else { return Ok(None) };
        target.commit(barrier, out)?;
        self.keeper.set_committed(barrier, target.name(), out.now_ms())?;
        Ok(None)
    }

    /// Saves the stage's state of now under the barrier's id, beside the stream, and leaves the folder's name on the mark.
    ///
    /// # Errors
    /// When another stage of the pipeline has the same folder, or a save before it has failed.
    pub fn save<S: Station>(
        &mut self,
        stage: &mut S,
        out: &Out,
        mut barrier: Barrier,
        mark: &mut Mark,
        name: &str,
    ) -> Result<(), Fault> {
        let Some(kept) = &self.kept else { return Ok(()) };
        let (Some(folder), Some(state)) = (&kept.folder, stage.state()) else { return Ok(()) };
        if barrier.snapshots.contains(folder) {
            return Err(Error::usage(format_args!("two stages of this pipeline keep their state as \"{folder}\""))
                .hint("each --as NAME once")
                .into());
        }
        let mut snapshot = Snapshot {
            id: barrier.id,
            stage: name.to_owned(),
            flags: kept.flags.clone(),
            head: Vec::new(),
            changes: Changes::default(),
        };
        state.snapshot(&mut snapshot.head).map_err(|error| Error::io("snapshot", &error))?;
        state.changes(&mut snapshot.changes)?;
        barrier.snapshots.push(folder.clone());
        self.keeper.save(snapshot, Watch::new(out))?;
        mark.set("snapshots", barrier.snapshots);
        Ok(())
    }
}
