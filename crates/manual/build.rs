//! Makes the list of the tools' command lines from the manifest: a dependency with a path is a tool.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=Cargo.toml");
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    let tools = manifest.lines().filter_map(|line| line.split_once(" = { path = ")).map(|(name, _)| name);
    let commands: String = tools.map(|name| format!("{}::cli::Cli::command(),\n", name.replace('-', "_"))).collect();
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("tools.rs"), format!("vec![{commands}]")).unwrap();
}
