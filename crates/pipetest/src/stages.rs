//! The stages of a run, as their metrics tell of them.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// One stage that has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    pub pid: u64,
    pub tool: String,
    /// The name of `--as`.
    pub name: Option<String>,
    pub role: String,
    /// Its place among the stages that were started, from 1.
    pub place: usize,
    pub code: Option<i64>,
    pub lines_in: u64,
    pub lines_out: u64,
    pub late: u64,
    pub rejected: u64,
    pub held: u64,
    pub restored: u64,
    pub settled: u64,
    pub left_out: u64,
    /// The pipe to it and the one from it, by the kernel's numbers.
    pub pipe_in: Option<u64>,
    pub pipe_out: Option<u64>,
    /// What it did when it last told.
    pub doing: String,
    pub is_shard: bool,
}

impl Stage {
    fn read(sheet: &Value) -> Option<Self> {
        let number = |name: &str| sheet[name].as_u64().unwrap_or(0);
        let text = |name: &str| sheet[name].as_str().unwrap_or_default().to_owned();
        Some(Self {
            pid: sheet["pid"].as_u64()?,
            tool: sheet["stage"].as_str()?.to_owned(),
            name: name_of(sheet["args"].as_array()?),
            role: text("role"),
            place: 0,
            code: sheet["ended"]["code"].as_i64(),
            lines_in: number("lines_in"),
            lines_out: number("lines_out"),
            late: number("lines_late"),
            rejected: number("lines_rejected"),
            held: number("lines_held"),
            restored: number("lines_restored"),
            settled: number("lines_settled"),
            left_out: number("lines_left_out"),
            pipe_in: sheet["in"]["pipe"].as_u64(),
            pipe_out: sheet["out"]["pipe"].as_u64(),
            doing: text("now"),
            is_shard: sheet.get("shard").is_some(),
        })
    }

    /// Returns what it is called in a report: its place and its tool.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} {}", self.place, self.tool)
    }

    /// Returns true if a name of a test means it: its tool's, that of `--as`, or its place and its tool's.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        self.tool == name || self.name.as_deref() == Some(name) || format!("{}-{}", self.place, self.tool) == name
    }

    /// Returns true if all that came in is somewhere. A stage that has failed was at a line.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let given = self.lines_in + self.restored;
        let found = self.settled + self.left_out + self.late + self.rejected + self.held;
        self.role == "source" || given == found || (self.code.is_some_and(|code| code != 0) && found < given)
    }

    /// Returns its books in words.
    #[must_use]
    pub fn books(&self) -> String {
        let mut words = Vec::new();
        let mut say = |name: &str, count: u64, always: bool| {
            if always || count > 0 {
                words.push(format!("{name} {count}"));
            }
        };
        say("in", self.lines_in, self.role != "source");
        say("restored", self.restored, false);
        say("out", self.lines_out, self.role != "sink");
        if self.role == "sink" {
            say("written", self.settled, true);
        }
        say("late", self.late, false);
        say("rejected", self.rejected, false);
        say("held", self.held, false);
        match self.code {
            Some(0) => {}
            Some(code) => words.push(format!("exit {code}")),
            None => words.push("did not end in order".to_owned()),
        }
        words.join(", ")
    }
}

fn name_of(args: &[Value]) -> Option<String> {
    let mut args = args.iter().filter_map(Value::as_str);
    while let Some(arg) = args.next() {
        match arg.strip_prefix("--as=") {
            Some(name) => return Some(name.to_owned()),
            None if arg == "--as" => return args.next().map(str::to_owned),
            None => {}
        }
    }
    None
}

/// Reads a folder of metrics. A shell starts the programs of a pipe from the left, and their numbers rise: so they are in order.
#[must_use]
pub fn read(folder: &Path) -> Vec<Stage> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let texts = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "json"));
    let sheets = texts.filter_map(|file| serde_json::from_slice(&fs::read(file.path()).ok()?).ok());
    let mut stages: Vec<Stage> = sheets.filter_map(|sheet: Value| Stage::read(&sheet)).collect();
    stages.sort_by_key(|stage| stage.pid);
    for (at, stage) in stages.iter_mut().enumerate() {
        stage.place = at + 1;
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_read_in_the_order_of_their_processes() {
        let dir = tempfile::tempdir().unwrap();
        let sheet = |pid: u32, tool: &str, more: &str| {
            let text =
                format!("{{\"stage\":\"{tool}\",\"pid\":{pid},\"args\":[\"--as\",\"w\"],\"role\":\"stage\"{more}}}");
            fs::write(dir.path().join(format!("{tool}.{pid}.json")), text).unwrap();
        };
        sheet(
            70,
            "window",
            ",\"lines_in\":5,\"lines_settled\":4,\"lines_late\":1,\"lines_out\":4,\"ended\":{\"code\":0}",
        );
        sheet(9, "generate", "");
        fs::write(dir.path().join("x.new"), "{").unwrap();
        let stages = read(dir.path());
        let titles: Vec<String> = stages.iter().map(Stage::title).collect();
        assert_eq!(titles, ["1 generate", "2 window"]);
        assert!(stages[1].is_called("window") && stages[1].is_called("w") && stages[1].is_called("2-window"));
        assert!(stages[1].adds_up());
        assert_eq!(stages[1].books(), "in 5, out 4, late 1");
        assert_eq!(stages[0].books(), "in 0, out 0, did not end in order");
    }

    #[test]
    fn a_lost_or_doubled_line_does_not_add_up() {
        let stage = |settled, code| Stage {
            lines_in: 3,
            settled,
            code: Some(code),
            role: "stage".to_owned(),
            ..Stage::default()
        };
        assert!(stage(3, 0).adds_up() && !stage(2, 0).adds_up() && !stage(4, 0).adds_up());
        assert!(stage(2, 1).adds_up(), "the line that it failed at");
        assert!(!stage(4, 1).adds_up());
    }
}
