//! A tool's page, made from its command line.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// Returns the path of a tool's page, from the root.
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
        args.into_iter().for_each(|arg| page.push_str(&flag(arg)));
    }
    for subcommand in subcommands(&tool) {
        page.push_str(&of_subcommand(tool.get_name(), subcommand));
    }
    page
}

/// Returns the subcommands of a tool.
pub fn subcommands(tool: &Command) -> impl Iterator<Item = &Command> {
    tool.get_subcommands().filter(|subcommand| subcommand.get_name() != "help")
}

fn of_subcommand(tool: &str, subcommand: &Command) -> String {
    let about = subcommand.get_long_about().or(subcommand.get_about()).map(ToString::to_string).unwrap_or_default();
    let mut section = format!("\n## {tool} {}\n\n{}\n", subcommand.get_name(), about.trim());
    let usage = subcommand.clone().bin_name(format!("{tool} {}", subcommand.get_name())).render_usage().to_string();
    let _ = writeln!(section, "\n```text\n{}\n```\n", usage.trim_start_matches("Usage: ").trim());
    let args = headings(subcommand).into_iter().flat_map(|(_, args)| args);
    args.for_each(|arg| section.push_str(&flag(arg)));
    section
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

/// Renders the text after the flags: lines indented by four are commands, the rest is prose.
fn after_help(text: &str) -> String {
    let mut page = String::new();
    let indent = command_indent(text);
    let mut in_command = false;
    for line in text.lines().filter(|line| line.trim() != "Examples:") {
        let is_command = line.starts_with(&" ".repeat(indent));
        match (in_command, is_command) {
            (false, true) => page.push_str("\n```text\n"),
            (true, false) => page.push_str("```\n\n"),
            _ => {}
        }
        in_command = is_command;
        page.push_str(if is_command { &line[indent..] } else { line.trim() });
        page.push('\n');
    }
    if in_command {
        page.push_str("```\n");
    }
    while page.contains("\n\n\n") {
        page = page.replace("\n\n\n", "\n\n");
    }
    page.trim_start().to_owned()
}

/// A command of the `Examples:` in a tool's help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The text above it, or nothing.
    pub intro: String,
    pub command: String,
}

/// The examples of a tool: what is indented by four, under text indented by two; or, without such, each line indented
/// by two.
pub fn examples(tool: &Command) -> Vec<Example> {
    let help = tool.get_after_help().or(tool.get_after_long_help()).map(ToString::to_string).unwrap_or_default();
    let examples = help.split_once("Examples:\n").map(|(_, text)| text).unwrap_or_default();
    if command_indent(examples) == 4 { under_text(examples) } else { line_by_line(examples) }
}

/// Four, when commands stand under text; two when there are only commands, some of which may go on in the next line.
fn command_indent(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let under_text = lines.windows(2).any(|pair| pair[1].starts_with("    ") && !pair[0].ends_with('\\'));
    if under_text { 4 } else { 2 }
}

fn under_text(examples: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    let mut intro = String::new();
    let mut in_command = false;
    for line in examples.lines() {
        match (line.strip_prefix("    "), in_command) {
            (Some(command), true) => {
                let last = &mut found.last_mut().unwrap().command;
                *last = format!("{last}{command}\n");
            }
            (Some(command), false) => {
                found.push(Example { intro: std::mem::take(&mut intro), command: format!("{command}\n") });
            }
            (None, _) => intro = format!("{intro} {}", line.trim()).trim().to_owned(),
        }
        in_command = line.starts_with("    ");
    }
    found
}

fn line_by_line(examples: &str) -> Vec<Example> {
    let mut found: Vec<Example> = Vec::new();
    for line in examples.lines().take_while(|line| line.starts_with("  ")) {
        match found.last_mut() {
            Some(last) if last.command.ends_with("\\\n") || line.trim_start().starts_with('|') => {
                last.command = format!("{}{}\n", last.command, line.trim());
            }
            _ => found.push(Example { intro: String::new(), command: format!("{}\n", line.trim()) }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands(help: &'static str) -> Vec<String> {
        examples(&Command::new("tool").after_help(help)).into_iter().map(|example| example.command).collect()
    }

    #[test]
    fn an_example_is_what_stands_below_its_text() {
        let help = "Examples:\n  First:\n    a |\n    b\n\n  Second:\n    c\n\nExit codes: 0";
        assert_eq!(commands(help), ["a |\nb\n", "c\n"]);
    }

    #[test]
    fn without_text_each_line_is_one_and_may_go_on() {
        let help = "Words.\n\nExamples:\n  a \\\n    | b\n  c";
        assert_eq!(commands(help), ["a \\\n| b\n", "c\n"]);
        assert_eq!(commands("Examples:\n  a\n  b\n"), ["a\n", "b\n"]);
    }
}
