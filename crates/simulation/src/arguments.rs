//! The command line of the soak mode.

use crate::broken::Broken;
use crate::pipelines::PIPELINES;

/// Play schedules of crashing pipes in one process, and say whether anything was lost, doubled or wrong
#[derive(clap::Parser, Clone, Debug)]
#[command(name = "simulation")]
pub struct Cli {
    /// The seed of the first schedule; later ones count on
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// How many schedules to play [default: one with --seed, else as many as fit into --seconds]
    #[arg(long, value_name = "N")]
    pub schedules: Option<u64>,

    /// Play no new schedule after so many seconds
    #[arg(long, value_name = "N")]
    pub seconds: Option<u64>,

    /// Print each step
    #[arg(long)]
    pub verbose: bool,

    /// Break this rule of the protocol
    #[arg(long = "break", value_name = "RULE")]
    pub broken: Option<Broken>,

    /// Play this pipeline only
    #[arg(long, value_name = "NAME")]
    pub pipeline: Option<String>,
}

/// The time budget where nothing is said.
pub const DEFAULT_SECONDS: u64 = 60;

impl Cli {
    /// How many schedules, and how many seconds.
    pub fn limits(&self) -> (u64, u64) {
        let schedules = self.schedules.or_else(|| (self.seed.is_some() && self.seconds.is_none()).then_some(1));
        let seconds = self.seconds.unwrap_or(if schedules.is_some() { u64::MAX } else { DEFAULT_SECONDS });
        (schedules.unwrap_or(u64::MAX), seconds)
    }

    /// The pipeline as it is known.
    ///
    /// # Errors
    /// When there is no such pipeline.
    pub fn pipeline(&self) -> Result<Option<&'static str>, String> {
        let Some(name) = &self.pipeline else { return Ok(None) };
        let known = PIPELINES.iter().find(|pipeline| pipeline.name == name);
        known.map(|pipeline| Some(pipeline.name)).ok_or_else(|| {
            let names: Vec<&str> = PIPELINES.iter().map(|pipeline| pipeline.name).collect();
            format!("no pipeline \"{name}\"; there are {}", names.join(", "))
        })
    }
}
