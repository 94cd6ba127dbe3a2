//! `manual write` renews the pages of the tools; `manual check` says which are stale.

use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use manual::{page, root, tools};

fn main() -> ExitCode {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let result = match mode.as_str() {
        "write" => write(),
        "check" => check(),
        _ => Err("write or check".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            #[allow(clippy::disallowed_methods)] // A tool for developers, outside any pipe.
            let _ = writeln!(std::io::stderr(), "manual: {why}");
            ExitCode::FAILURE
        }
    }
}

fn write() -> Result<(), String> {
    for tool in tools() {
        let path = root().join(page::path(&tool));
        fs::write(&path, page::render(&tool)).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    Ok(())
}

fn check() -> Result<(), String> {
    let stale: Vec<String> = tools()
        .iter()
        .filter(|tool| fs::read_to_string(root().join(page::path(tool))).ok() != Some(page::render(tool)))
        .map(page::path)
        .collect();
    if stale.is_empty() {
        return Ok(());
    }
    Err(format!("stale: {}; renew with: cargo run --release -p manual -- write", stale.join(", ")))
}
