//! `pipes top`: all pipelines on the screen, renewed each second.
//!
//! The screen is a pure function of what was seen, of what the keys have changed, and of its size.

mod columns;
mod detail;
mod numbers;
mod overview;
mod paint;
mod state;
mod terminal;

use millpipe::Fault;
use printer::Printer;
use ratatui::text::Line;

use crate::cli;
use crate::clock::{now_ms, pause};
use crate::list::{as_json, first_look, look};
use crate::machine::Machine;
use crate::machine::stage::Stage;
use paint::Paint;
use state::State;
use terminal::{Happened, Screen};

/// How often the screen is renewed, in milliseconds.
const RENEWED_MS: i64 = 1_000;

/// Between the two looks that tell the rates of a foreign program, in milliseconds.
const SECOND_LOOK_MS: u64 = 200;

/// Runs the command.
///
/// # Errors
/// When the folder cannot be read, or the terminal cannot be set.
pub fn run(top: &cli::Top, to: &mut Printer) -> Result<(), Fault> {
    if top.json {
        let look = look(&top.metrics, to)?;
        return look.pipelines.iter().try_for_each(|pipeline| to.json(&as_json(pipeline, look.at_ms)));
    }
    if top.once || !terminal::is_terminal() {
        return snapshot(top, to);
    }
    let machine = Machine::new(&top.metrics.dir);
    let mut state = State::default();
    state.take(machine.look(now_ms())?);
    watch(&machine, &mut state)
}

fn snapshot(top: &cli::Top, to: &mut Printer) -> Result<(), Fault> {
    let mut state = State::default();
    let machine = Machine::new(&top.metrics.dir);
    state.take(first_look(&machine, &top.metrics, to)?);
    let is_foreign = |stage: &Stage| !stage.is_ours();
    if state.look.pipelines.iter().any(|pipeline| pipeline.stages.iter().any(is_foreign)) {
        pause(SECOND_LOOK_MS);
        state.take(machine.look(now_ms())?);
    }
    for line in overview::snapshot(&state, terminal::snapshot_width()) {
        to.bytes(format!("{}\n", line.to_string().trim_end()).as_bytes())?;
    }
    Ok(())
}

fn watch(machine: &Machine, state: &mut State) -> Result<(), Fault> {
    let mut screen = Screen::open()?;
    let paint = Paint { has_colour: terminal::has_colour() };
    let mut due_ms = now_ms() + RENEWED_MS;
    loop {
        screen.draw(|width, height| lines(state, paint, width, height))?;
        match screen.wait(due_ms - now_ms())? {
            Happened::End => return Ok(()),
            Happened::Key(key) if state.key(key) => return Ok(()),
            Happened::Key(_) | Happened::Nothing => {}
        }
        if now_ms() >= due_ms {
            state.take(machine.look(now_ms())?);
            due_ms = now_ms() + RENEWED_MS;
        }
    }
}

fn lines(state: &State, paint: Paint, width: usize, height: usize) -> Vec<Line<'static>> {
    if state.is_detail { detail::lines(state, paint, height) } else { overview::lines(state, paint, width, height) }
}

#[cfg(test)]
mod tests;
