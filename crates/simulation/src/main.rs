//! The soak mode: schedules for a time, and a failure played again from its seed.
// A tool for developers, outside any pipe: it has a clock and prints.
#![allow(clippy::disallowed_methods)]

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use clap::Parser;
use simulation::arguments::Cli;
use simulation::{Limits, Settings, play, soak};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let told = run(&cli, &mut io::stdout().lock());
    match told {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(io::stderr(), "simulation: {error}");
            ExitCode::from(2)
        }
    }
}

/// Each step of a schedule.
fn tell(settings: Settings, out: &mut impl Write) -> io::Result<()> {
    play(Settings { is_told: true, ..settings }).story.iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// Another one each time.
fn seed_of_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() << 20
}

/// False when a schedule failed.
fn run(cli: &Cli, out: &mut impl Write) -> io::Result<bool> {
    let seed = cli.seed.unwrap_or_else(seed_of_now);
    let pipeline = cli.pipeline().map_err(io::Error::other)?;
    let settings = Settings { seed, broken: cli.broken, is_told: false, pipeline, target: None };
    let (schedules, seconds) = cli.limits();
    let begin = Instant::now();
    let mut goes_on = |_: &_| begin.elapsed().as_secs() < seconds;
    let report = soak(settings, Limits { schedules, goes_on: &mut goes_on });
    let mut summary = report.tally.json();
    let rate = report.tally.schedules as f64 / begin.elapsed().as_secs_f64().max(1e-9);
    summary["schedules_per_second"] = (rate.round() as u64).into();
    summary["found_by_count"] = report.found_by_count.into();
    let Some(failure) = report.failure else {
        if cli.verbose && schedules == 1 {
            tell(settings, out)?;
        }
        writeln!(out, "{summary}")?;
        return Ok(true);
    };
    if cli.verbose {
        tell(Settings { seed: failure.seed, ..settings }, out)?;
    }
    writeln!(out, "{summary}")?;
    writeln!(out, "{failure}")?;
    Ok(false)
}
