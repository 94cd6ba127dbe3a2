//! A tool's page, made from its command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// Where the page of a tool is, from the root.
pub fn path(tool: &Command) -> String {
    format!("docs/tools/{}.md", tool.get_name())
}

/// The page.
pub fn render(tool: &Command) -> String {
    let mut tool = tool.clone();
    let mut page = format!(
        "<!-- Made from `{0} --help` by `cargo run --release -p manual -- write`. -->\n# {0}\n",
        tool.get_name()
    );
    let about = tool.get_long_about().or(tool.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(page, "\n{}", about.trim());
    let usage = tool.render_usage().to_string();
    let _ = writeln!(page, "\n```text\n{}\n```", usage.trim_start_matches("Usage: ").trim());
    if let Some(examples) = tool.get_after_help().or(tool.get_after_long_help()) {
        let _ = write!(page, "\n## Examples\n\n{}", after_help(&examples.to_string()));
    }
    for (heading, args) in headings(&tool) {
        let _ = writeln!(page, "\n## {heading}\n");
        for arg in args {
            page.push_str(&flag(arg));
        }
    }
    page
}

/// The arguments that are shown, by heading, in the order of `--help`.
fn headings(tool: &Command) -> Vec<(String, Vec<&Arg>)> {
    let mut headings: Vec<(String, Vec<&Arg>)> = Vec::new();
    for arg in tool.get_arguments().filter(|arg| !arg.is_hide_set()) {
        let positional = if arg.is_positional() { "Arguments" } else { "Flags" };
        let heading = arg.get_help_heading().unwrap_or(positional);
        match headings.iter_mut().find(|(name, _)| name == heading) {
            Some((_, args)) => args.push(arg),
            None => headings.push((heading.to_owned(), vec![arg])),
        }
    }
    headings
}

/// ``- `-n, --lines N`: Stop after N lines. Default `1`.``
fn flag(arg: &Arg) -> String {
    let values: Vec<&str> = arg.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    let takes_value = arg.get_action().takes_values();
    let mut names: Vec<String> = Vec::new();
    names.extend(arg.get_short().map(|short| format!("-{short}")));
    names.extend(arg.get_long().map(|long| format!("--{long}")));
    let mut shown = names.join(", ");
    if takes_value {
        let _ = write!(shown, "{}{}", if shown.is_empty() { "" } else { " " }, values.join(" "));
    }
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut text = format!("- `{shown}`: {}", help.trim().replace('\n', "\n  "));
    let defaults: Vec<String> = arg.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
    if takes_value && !defaults.is_empty() {
        let _ = write!(text, ". Default: `{}`", defaults.join(" "));
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(text, ". Environment: `{}`", variable.to_string_lossy());
    }
    text.push('\n');
    for value in arg.get_possible_values().iter().filter(|value| takes_value && !value.is_hide_set()) {
        let help = value.get_help().map(|help| format!(": {help}")).unwrap_or_default();
        let _ = writeln!(text, "  - `{}`{help}", value.get_name());
    }
    text
}

/// Text behind the flags: what is indented by four is a command, the rest is prose.
fn after_help(text: &str) -> String {
    let mut page = String::new();
    let mut in_command = false;
    for line in text.lines().filter(|line| line.trim() != "Examples:") {
        let is_command = line.starts_with("    ");
        match (in_command, is_command) {
            (false, true) => page.push_str("```text\n"),
            (true, false) => page.push_str("```\n"),
            _ => {}
        }
        in_command = is_command;
        page.push_str(if is_command { &line[4..] } else { line.trim() });
        page.push('\n');
    }
    if in_command {
        page.push_str("```\n");
    }
    page
}

/// The commands of the `Examples:` in a tool's help, each with the line of text above it.
pub fn examples(tool: &Command) -> Vec<String> {
    let help = tool.get_after_help().or(tool.get_after_long_help()).map(ToString::to_string).unwrap_or_default();
    let mut examples: Vec<String> = Vec::new();
    let mut intro = String::new();
    let mut in_command = false;
    for line in help.lines() {
        if let Some(command) = line.strip_prefix("    ") {
            if in_command {
                let last = examples.last_mut().unwrap();
                last.push_str(command);
                last.push('\n');
            } else {
                examples.push(format!("# {}\n{command}\n", intro.trim()));
            }
            in_command = true;
        } else {
            if in_command {
                intro.clear();
            }
            in_command = false;
            intro = format!("{intro} {}", line.trim());
        }
    }
    examples
}
