//! The help as it is shown: as wide as the terminal, and no wider than reads well.

use clap::Command;

/// Where nobody says how wide it is.
const WIDTH: usize = 100;
const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 120;

/// Stands for a space in an example while clap breaks lines: a command that is broken cannot be pasted.
const SPACE: char = '\u{e000}';

/// A line of prose in the source that is longer than this has more of its paragraph after it.
const FULL_LINE: usize = 60;

/// The command with its help made for this terminal.
pub(crate) fn for_terminal(command: Command) -> Command {
    let columns = std::env::var("COLUMNS").ok();
    let terminal = [rustix::stdio::stdout(), rustix::stdio::stderr()];
    let terminal = terminal.into_iter().find_map(|fd| rustix::termios::tcgetwinsize(fd).ok());
    let width = width(columns.as_deref(), terminal.map(|size| size.ws_col.into()));
    flowing_command(command).term_width(width)
}

fn flowing_command(mut command: Command) -> Command {
    if let Some(text) = command.get_after_help().map(ToString::to_string) {
        command = command.after_help(flowing(&text));
    }
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, flowing_command))
}

/// `COLUMNS`, if it says a width at all, else the terminal's.
fn width(columns: Option<&str>, terminal: Option<usize>) -> usize {
    let said = columns.and_then(|columns| columns.trim().parse().ok());
    let width = [said, terminal].into_iter().flatten().find(|width| *width > 0);
    width.unwrap_or(WIDTH).clamp(WIDTH_MIN, WIDTH_MAX)
}

/// The text as it is to be shown, once its lines are broken.
pub(crate) fn shown(help: &str) -> String {
    help.replace(SPACE, " ")
}

/// Paragraphs of prose as one line each; what is indented (tables) stays as it is, and examples are not broken at all.
fn flowing(text: &str) -> String {
    let mut flowing = String::with_capacity(text.len());
    let (mut is_open, mut are_examples) = (false, false);
    for line in text.lines() {
        let is_prose = line.starts_with(|first: char| !first.is_whitespace());
        if !flowing.is_empty() {
            flowing.push(if is_open && is_prose { ' ' } else { '\n' });
        }
        if is_prose {
            are_examples = line.starts_with("Example");
        }
        if are_examples && !is_prose {
            flowing.extend(line.chars().map(|letter| if letter == ' ' { SPACE } else { letter }));
        } else {
            flowing.push_str(line);
        }
        is_open = is_prose && line.chars().count() > FULL_LINE;
    }
    flowing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_by_the_terminal_alone() {
        let line = "word ".repeat(20);
        let line = line.trim();
        let text = format!(
            "Results: these\n  count      lines\n{line}\n{line}\nend.\n\n{line}\nend.\n\nExamples:\n  {line}\n  b"
        );
        let expected = format!(
            "Results: these\n  count      lines\n{line} {line} end.\n\n{line} end.\n\nExamples:\n  {line}\n  b"
        );
        assert_eq!(shown(&flowing(&text)), expected);
    }

    #[test]
    fn commands_of_examples_are_not_broken() {
        let command = format!("    generate | {}", "word ".repeat(40));
        let text = format!("Examples:\n  What it does:\n{}", command.trim_end());
        let mut clap = flowing_command(Command::new("tool").after_help(text)).term_width(60);
        let help = shown(&clap.render_help().to_string());
        assert!(help.lines().any(|line| line == command.trim_end()), "{help}");
    }

    #[test]
    fn a_width_that_is_none_is_not_taken() {
        for (columns, terminal, expected) in [
            (None, None, 100),
            (Some("0"), None, 100),
            (Some(""), Some(0), 100),
            (Some("many"), Some(80), 80),
            (Some("-5"), None, 100),
            (Some("0"), Some(90), 90),
            (Some("80"), Some(90), 80),
            (Some("1"), Some(90), 40),
            (Some("99999999999999999999999"), Some(90), 90),
            (Some("5000"), None, 120),
        ] {
            assert_eq!(width(columns, terminal), expected, "{columns:?}, {terminal:?}");
        }
    }
}
