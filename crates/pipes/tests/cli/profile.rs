//! `pipes profile` with a perf that says what a real one once said, and with ones that refuse.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use testkit::{Ran, wait_until};

use crate::scene::{Folder, NOBODY, PIPES, Program, start_ticks};

/// What `perf script` has printed of a real pipeline; WINDOW, JQ, CHILD and MAP stand for its processes.
const SAMPLES: &str = include_str!("perf.txt");

/// It takes what it is asked for apart, as the real one does, and shows what is kept.
const PERF: &str = r#"#!/bin/bash
echo "$*" >> DIR/asked
case $1 in
  record) while [[ $1 != -o ]]; do shift; done; echo data > "$2" ;;
  script) [[ $(< "${@: -1}") == data ]] && cat DIR/samples ;;
esac
"#;

/// A pipeline of which two stages are ours and run (they sleep), with a foreign one between and a child below the last.
struct Pipeline {
    folder: Folder,
    /// The place of perf.
    bin: TempDir,
    /// The processes: window, jq, parallel-map and its child.
    pids: [u32; 4],
    _program: Program,
}

impl Pipeline {
    fn start() -> Self {
        let folder = Folder::new();
        let bin = tempfile::tempdir().unwrap();
        let script = "(echo $BASHPID > DIR/a; exec sleep 60) | (echo $BASHPID > DIR/b; exec sleep 61) \
            | (echo $BASHPID > DIR/c; sleep 62 & echo $! > DIR/d; wait); true";
        let program = Program::start(&script.replace("DIR", bin.path().to_str().unwrap()));
        let pid = |name| fs::read_to_string(bin.path().join(name)).ok()?.trim().parse::<u32>().ok();
        let all = || Some([pid("a")?, pid("b")?, pid("c")?, pid("d")?]);
        wait_until("the processes", || all().is_some());
        let pids = all().unwrap();
        for (name, pid) in [("window", pids[0]), ("parallel-map", pids[2])] {
            folder.stage(
                name,
                pid,
                &format!("\"start_ticks\":{},\"role\":\"stage\",\"args\":[\"-G\",\"job\"]", start_ticks(pid)),
            );
        }
        Self { folder, bin, pids, _program: program }
    }

    /// Puts a perf in place.
    fn perf(&self, script: &str) -> &Self {
        let path = self.bin.path().join("perf");
        fs::write(&path, script.replace("DIR", self.bin.path().to_str().unwrap())).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self
    }

    /// Puts the kept samples in place, with these processes in them.
    fn samples(&self) -> &Self {
        let names = ["WINDOW", "JQ", "MAP", "CHILD"].into_iter().zip(self.pids);
        let samples = names.fold(SAMPLES.to_owned(), |text, (name, pid)| text.replace(name, &pid.to_string()));
        fs::write(self.bin.path().join("samples"), samples).unwrap();
        self
    }

    fn profile(&self, arguments: &[&str]) -> Ran {
        let output: Output = self.command(arguments).output().unwrap();
        output.into()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let path = format!("{}:{}", self.bin.path().display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(PIPES);
        command.arg("profile").args(arguments).arg("--metrics").arg(self.folder.path());
        command.env("PATH", path).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.bin.path().join("asked")).unwrap_or_default()
    }
}

/// A frame of a picture: from where to where it goes, in percent, and how high it stands.
#[derive(Debug)]
struct Frame {
    name: String,
    from: f64,
    to: f64,
    height: i64,
}

fn frames(svg: &str) -> Vec<Frame> {
    let of = |rest: &str| {
        let (title, rest) = rest.split_once("</title>").unwrap();
        let value = |name: &str| rest.split_once(&format!(" {name}=\"")).unwrap().1.split(['%', '"']).next().unwrap();
        let from: f64 = value("x").parse().unwrap();
        let name = title.rsplit_once(" (").unwrap().0.to_owned();
        Frame {
            name,
            from,
            to: from + value("width").parse::<f64>().unwrap(),
            height: -value("y").parse::<i64>().unwrap(),
        }
    };
    svg.split("<title>").skip(1).map(of).collect()
}

#[test]
fn a_picture_has_all_stages_the_foreign_ones_and_what_they_have_started() {
    let pipeline = Pipeline::start();
    let ran = pipeline.perf(PERF).samples().profile(&["job", "--seconds", "3"]);
    assert!(ran.stderr.starts_with("pipes: perf looks at 4 processes of job for 3s"), "{ran:?}");
    let svg = ran.ok();
    assert!(svg.starts_with("<?xml") && svg.trim_end().ends_with("</svg>"), "{svg}");
    let frames = frames(&svg);
    let ground = frames.iter().map(|frame| frame.height).min().unwrap();
    let mut level: Vec<&Frame> = frames.iter().filter(|frame| frame.height == ground + 16).collect();
    level.sort_by(|a, b| a.from.total_cmp(&b.from));
    let names: Vec<&str> = level.iter().map(|frame| frame.name.as_str()).collect();
    // Stages in the order of the pipe; the one in the middle is foreign.
    assert_eq!(names, ["window", "sleep", "parallel-map"]);
    let map = level[2];
    let is_on_map = |frame: &&Frame| frame.height == ground + 32 && frame.from >= map.from && frame.to <= map.to + 0.01;
    let on_map: Vec<&str> = frames.iter().filter(is_on_map).map(|frame| frame.name.as_str()).collect();
    // The child that was there, one that began while perf looked, and what the stage did itself.
    assert!(on_map.contains(&"sleep") && on_map.contains(&"jq") && on_map.len() > 2, "{on_map:?}");
    assert!(svg.contains("<title>millpipe::"), "functions have names");
    let asked = pipeline.asked();
    let pids: Vec<String> = pipeline.pids.iter().map(u32::to_string).collect();
    let mut told: Vec<&str> = asked.split(" -p ").nth(1).unwrap().split(' ').next().unwrap().split(',').collect();
    told.sort_unstable_by_key(|pid| pids.iter().position(|own| own == pid));
    assert_eq!(told, pids);
    assert!(asked.contains("-- sleep 3\n"), "{asked}");
}

#[test]
fn a_picture_is_put_in_place_whole_and_the_same_samples_give_the_same() {
    let pipeline = Pipeline::start();
    let file = pipeline.bin.path().join("job.svg");
    let to_file = ["job", "--output", file.to_str().unwrap()];
    let told = pipeline.perf(PERF).samples().profile(&to_file);
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stdout.is_empty() && told.stderr.contains(" samples: window "), "{told:?}");
    assert!(pipeline.asked().contains("-- sleep 10\n"));
    assert_eq!(fs::read_to_string(&file).unwrap(), pipeline.profile(&["job"]).ok());
    let nowhere = pipeline.profile(&["job", "--output", "no/such/job.svg"]);
    nowhere.fails_with(1, "pipes: no/such/job.svg: No such file or directory");
}

#[test]
fn a_perf_that_is_missing_or_may_not_look_is_told_in_a_line_with_what_to_do() {
    let pipeline = Pipeline::start();
    let refuse = |said: &str| {
        let script = format!("#!/bin/bash\ncat >&2 <<'END'\n{said}\nEND\nexit 255\n");
        pipeline.perf(&script).profile(&["job"])
    };
    let limited = "Error:\nAccess to performance monitoring and observability operations is limited.\n\
        Consider adjusting /proc/sys/kernel/perf_event_paranoid setting to open\nperf_event_paranoid setting is 4:";
    let refused = refuse(limited);
    refused.fails_with(1, "pipes: perf may not look at job: ");
    assert!(refused.stderr.lines().last().unwrap().starts_with("pipes: hint: "), "{}", refused.stderr);
    refuse("WARNING: perf not found for kernel 6.8.0").fails_with(1, "pipes: hint: it is in the package linux-perf");
    refuse("failed to mmap").fails_with(1, "pipes: perf record: failed to mmap\n");
    refuse("Couldn't create thread/CPU maps: No such process")
        .fails_with(1, "pipes: a stage of job has ended before perf looked\npipes: hint: pipes explain job");
    // On an empty PATH there is no perf.
    let missing: Ran = pipeline.command(&["job"]).env("PATH", "/nowhere").output().unwrap().into();
    missing.fails_with(1, "pipes: perf is not installed\npipes: hint: it is in the package linux-perf (Debian)");
}

#[test]
fn what_perf_prints_may_be_nothing_or_nonsense() {
    let pipeline = Pipeline::start();
    pipeline.perf(PERF);
    let with = |samples: &str| {
        fs::write(pipeline.bin.path().join("samples"), samples).unwrap();
        pipeline.profile(&["job", "--seconds", "1"])
    };
    let none = with("");
    none.fails_with(
        1,
        "pipes: no stage of job has worked for 1s: there is nothing to draw\npipes: hint: pipes explain job",
    );
    for nonsense in ["\n\n", "x", "\u{1}\n12/\n", "sleep 7/7 1.5: cpu-clock:\n\tnothing\n\n"] {
        assert_eq!(with(nonsense).code, Some(1), "{nonsense:?}");
    }
    let fails = PERF.replace("script) ", "script) echo 'incompatible file format' >&2; exit 1; ");
    pipeline.perf(&fails).profile(&["job"]).fails_with(1, "pipes: perf script: incompatible file format\n");
}

#[test]
fn a_pipeline_that_has_ended_or_is_not_there_is_told() {
    let folder = Folder::new();
    folder.stage("window", NOBODY, r#""start_ticks":1,"ended":{"code":0}"#);
    folder.pipes("profile nojob").fails_with(2, "pipes: no pipeline \"nojob\"");
    let ended = folder.pipes(&format!("profile window-{NOBODY}"));
    ended.fails_with(1, &format!("pipes: window-{NOBODY} has ended: there is nothing to look at"));
    folder.pipes("profile job --seconds 0").fails_with(2, "0 is not in 1..=3600");
}

/// perf gets the Ctrl-C too, and has samples up to then.
#[test]
fn ctrl_c_draws_what_there_is() {
    let pipeline = Pipeline::start();
    let waits = PERF.replace(
        r#"echo data > "$2""#,
        r#"echo data > "$2"; trap 'exit 130' INT; touch DIR/began; sleep 60 2>&- & wait"#,
    );
    pipeline.perf(&waits).samples();
    let child = pipeline.command(&["job"]).process_group(0).spawn().unwrap();
    let began: &Path = &pipeline.bin.path().join("began");
    wait_until("perf", || began.exists());
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-INT", "--", &group]).status().unwrap().success());
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert!(ran.ok().contains("<title>window ("));
}
