#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use checkpoint::{
    Changes, CheckpointId, Committed, RealDisk, SAVEPOINT, Snapshot, StageFolder, read_committed, write_committed,
};
use tempfile::TempDir;
use testkit::{Ran, run};

const STATE: &str = env!("CARGO_BIN_EXE_state");

/// A pipeline's folder, and its stages in one run.
struct Pipeline {
    dir: PathBuf,
    stages: Vec<(&'static str, StageFolder)>,
    seq: u64,
    _place: TempDir,
}

const STAGES: [(&str, &str, &str); 2] =
    [("1-generate", "generate", "--seed 42"), ("2-aggregate", "aggregate", "--by key count")];

impl Pipeline {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("clicks");
        let open = |name| StageFolder::open(Arc::new(RealDisk), &dir, name, "0a-1").unwrap();
        let stages = STAGES.map(|(name, ..)| (name, open(name))).into();
        fs::create_dir(&dir).unwrap();
        Self { dir, stages, seq: 0, _place: place }
    }

    /// Saves a checkpoint; the aggregate's entries are those given.
    fn save(&mut self, entries: &[(&str, Option<&str>)]) {
        self.seq += 1;
        for (at, (_, folder)) in self.stages.iter_mut().enumerate() {
            let mut changes = Changes::default();
            for (key, value) in entries.iter().filter(|_| at == 1) {
                match value {
                    Some(value) => changes.put(key, |to| to.extend_from_slice(value.as_bytes())),
                    None => changes.remove(key),
                }
            }
            let (_, stage, flags) = STAGES[at];
            let head = format!("{{\"line\":{}}}\n", self.seq * 10).into_bytes();
            let id = CheckpointId::new("0a-1", self.seq);
            folder.save(Snapshot { id, stage: stage.to_owned(), flags: flags.to_owned(), head, changes }).unwrap();
        }
    }

    fn commit(&mut self, sink: &str) {
        let id = CheckpointId::new("0a-1", self.seq);
        let snapshots = STAGES.map(|(name, ..)| name.to_owned()).into();
        let at = "2026-01-01T00:00:00.000Z".to_owned();
        write_committed(&RealDisk, &self.dir, &Committed { id: id.clone(), sink: sink.to_owned(), snapshots, at })
            .unwrap();
        for (_, folder) in &mut self.stages {
            folder.prune(&id).unwrap();
            if let Some(merge) = folder.merge_due() {
                folder.merged(merge.run().unwrap());
            }
        }
    }

    /// Two checkpoints, the second committed.
    fn with_two() -> Self {
        let mut pipeline = Self::new();
        pipeline.save(&[("a", Some("1")), ("b\"", Some("[2.50]")), ("c", Some("null"))]);
        pipeline.commit("files");
        pipeline.save(&[("a", Some("2")), ("c", None), ("d", Some("4"))]);
        pipeline.commit("files");
        pipeline
    }

    fn state(&self, arguments: &str) -> Ran {
        let dir = self.dir.to_string_lossy();
        let words: Vec<_> = arguments.split(' ').map(|word| word.replace("DIR", &dir)).collect();
        run(STATE, &words.iter().map(String::as_str).collect::<Vec<_>>(), "")
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.join(file)
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A bit that rots in the 1 of a number.
fn damage(path: &Path) {
    let text = fs::read_to_string(path).unwrap();
    let damaged = text.replace("\"line\":1", "\"line\":5");
    assert_ne!(text, damaged);
    fs::write(path, damaged).unwrap();
}

#[test]
fn show_has_a_line_for_each_stage() {
    let shown = Pipeline::with_two().state("show DIR").ok();
    let lines: Vec<_> = shown.lines().map(|line| line.split_once(",\"bytes\":").unwrap().0).collect();
    let begin = "{\"id\":\"0a-1.2\",\"at\":\"2026-01-01T00:00:00.000Z\",\"sink\":\"files\"";
    assert_eq!(
        lines,
        [
            format!(
                "{begin},\"name\":\"1-generate\",\"stage\":\"generate\",\"flags\":\"--seed 42\",\"head\":1,\"entries\":0,\"files\":1"
            ),
            format!(
                "{begin},\"name\":\"2-aggregate\",\"stage\":\"aggregate\",\"flags\":\"--by key count\",\"head\":1,\"entries\":3,\"files\":2"
            ),
        ]
    );
}

#[test]
fn show_sums_up_what_a_stage_remembers() {
    let pipeline = Pipeline::with_two();
    let shown = "{\"line\":20}\n[\"a\",2]\n[\"b\\\"\",[2.50]]\n[\"d\",4]\n";
    assert_eq!(pipeline.state("show DIR --stage 2-aggregate").ok(), shown);
    assert_eq!(pipeline.state("show DIR --stage aggregate").ok(), shown);
    assert_eq!(pipeline.state("show DIR --stage aggregate --entries").ok(), shown.split_once('\n').unwrap().1);
    let before = "{\"line\":10}\n[\"a\",1]\n[\"b\\\"\",[2.50]]\n[\"c\",null]\n";
    assert_eq!(pipeline.state("show DIR --id 0a-1.1 --stage aggregate").ok(), before);
}

#[test]
fn show_of_what_is_not_there_says_what_is() {
    let pipeline = Pipeline::with_two();
    let hint = "state: hint: there are: 1-generate, 2-aggregate";
    pipeline.state("show DIR --stage window").fails_with(2, "state: no stage \"window\" in checkpoint 0a-1.2");
    pipeline.state("show DIR --stage window").fails_with(2, hint);
    pipeline.state("show DIR --id 0a-1.7").fails_with(1, "state: no checkpoint 0a-1.7 in \"");
    pipeline.state("show DIR --id 7").fails_with(2, "\"7\" is no checkpoint id (RUN.SEQ)");
    pipeline.state("show DIR/no").fails_with(1, "clicks/no: No such file or directory");
    pipeline.state("show DIR/committed").fails_with(1, "clicks/committed\" is not a folder");
    pipeline.state("show DIR --entries").fails_with(2, "--stage <NAME>");
}

#[test]
fn a_folder_without_a_commit_is_a_pipeline_that_starts_from_the_beginning() {
    let mut pipeline = Pipeline::new();
    pipeline.save(&[]);
    let ran = pipeline.state("show DIR");
    assert!(ran.stderr.contains("nothing is committed in"), "{}", ran.stderr);
    assert_eq!(ran.ok(), "");
    let checked = pipeline.state("check DIR").ok();
    assert!(checked.starts_with("{\"restores\":null,\"sink\":null,\"at\":null}\n"), "{checked}");
    pipeline.state("save DIR DIR-copy").fails_with(1, "nothing is committed in");
    pipeline.state("diff DIR").fails_with(1, "nothing is committed in");
}

#[test]
fn a_kafka_sinks_truth_is_elsewhere() {
    let mut pipeline = Pipeline::with_two();
    pipeline.commit("kafka");
    let ran = pipeline.state("show DIR");
    assert!(ran.stderr.contains("the truth is in the offsets of the consumer group"), "{}", ran.stderr);
    assert!(ran.ok().contains("\"sink\":\"kafka\""));
}

#[test]
fn diff_tells_what_the_last_epoch_has_changed() {
    let pipeline = Pipeline::with_two();
    let expected = r#"{"name":"1-generate","what":"head","line":1,"from":{"line":10},"to":{"line":20}}
{"name":"2-aggregate","what":"head","line":1,"from":{"line":10},"to":{"line":20}}
{"name":"2-aggregate","what":"entry","key":"a","from":1,"to":2}
{"name":"2-aggregate","what":"entry","key":"c","from":null}
{"name":"2-aggregate","what":"entry","key":"d","to":4}
"#;
    let ran = pipeline.state("diff DIR");
    assert_eq!(ran.stderr, "state: from 0a-1.1 to 0a-1.2\n");
    assert_eq!(ran.ok(), expected);
    assert_eq!(pipeline.state("diff DIR 0a-1.1").ok(), expected);
    assert_eq!(pipeline.state("diff DIR 0a-1.1 0a-1.2").ok(), expected);
    assert_eq!(pipeline.state("diff DIR 0a-1.2 0a-1.2").ok(), "");
    pipeline.state("diff DIR yesterday").fails_with(2, "\"yesterday\" is no checkpoint id (RUN.SEQ)");
}

#[test]
fn diff_of_two_folders_tells_of_stages_and_flags_too() {
    let pipeline = Pipeline::with_two();
    let other = Pipeline::new();
    let save = |name: &str, flags: &str| {
        let id = CheckpointId::new("0b-2", 1);
        let mut folder = StageFolder::open(Arc::new(RealDisk), &other.dir, name, "0b-2").unwrap();
        let (stage, flags, head) = ("aggregate".to_owned(), flags.to_owned(), b"{\"line\":20}\n".to_vec());
        let mut changes = Changes::default();
        for (key, value) in [("a", "2"), ("b\"", "[2.50]"), ("d", "4")] {
            changes.put(key, |to| to.extend_from_slice(value.as_bytes()));
        }
        folder.save(Snapshot { id, stage, flags, head, changes }).unwrap();
        name.to_owned()
    };
    let snapshots = vec![save("2-aggregate", "--by user count"), save("3-more", "")];
    let committed =
        Committed { id: CheckpointId::new("0b-2", 1), sink: "files".to_owned(), snapshots, at: String::new() };
    write_committed(&RealDisk, &other.dir, &committed).unwrap();
    let expected = r#"{"name":"1-generate","what":"stage","from":true}
{"name":"2-aggregate","what":"flags","from":"--by key count","to":"--by user count"}
{"name":"3-more","what":"stage","to":true}
"#;
    assert_eq!(pipeline.state(&format!("diff DIR {}", other.dir.display())).ok(), expected);
}

#[test]
fn check_says_what_would_be_restored_and_what_else_there_is() {
    let pipeline = Pipeline::with_two();
    for file in [".tmp-7-0a-1.3.ndjson", "notes.txt"] {
        fs::write(pipeline.path("1-generate").join(file), "x").unwrap();
    }
    let expected = r#"{"restores":"0a-1.2","sink":"files","at":"2026-01-01T00:00:00.000Z"}
{"name":"1-generate","id":"0a-1.2","ok":true,"entries":0,"files":["0a-1.2.ndjson"]}
{"name":"2-aggregate","id":"0a-1.2","ok":true,"entries":3,"files":["0a-1.1.ndjson","0a-1.2.ndjson"]}
{"name":"1-generate","file":".tmp-7-0a-1.3.ndjson","kind":"leftover"}
{"name":"1-generate","file":"0a-1.1.ndjson","kind":"snapshot","ok":true,"entries":0}
{"name":"1-generate","file":"notes.txt","kind":"other"}
"#;
    assert_eq!(pipeline.state("check DIR").ok(), expected);
}

#[test]
fn check_finds_a_changed_byte_in_what_is_needed() {
    let pipeline = Pipeline::with_two();
    damage(&pipeline.path("2-aggregate/0a-1.1.ndjson"));
    let ran = pipeline.state("check DIR");
    ran.fails_with(1, "clicks/2-aggregate/0a-1.1.ndjson: damaged: the checksum");
    ran.fails_with(1, "state: hint: go on from a copy that state save made");
    assert!(
        ran.stdout.contains("{\"name\":\"2-aggregate\",\"id\":\"0a-1.2\",\"ok\":false,\"why\":\""),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("{\"name\":\"1-generate\",\"id\":\"0a-1.2\",\"ok\":true"), "{}", ran.stdout);
    pipeline.state("show DIR").fails_with(1, "damaged: the checksum");
    pipeline.state("show DIR --stage aggregate").fails_with(1, "damaged: the checksum");
}

#[test]
fn check_finds_a_changed_byte_in_what_is_not_needed() {
    let pipeline = Pipeline::with_two();
    damage(&pipeline.path("1-generate/0a-1.1.ndjson"));
    let ran = pipeline.state("check DIR");
    ran.fails_with(1, "a damaged file, which the committed checkpoint does not need");
    assert!(
        ran.stdout.contains("\"file\":\"0a-1.1.ndjson\",\"kind\":\"snapshot\",\"ok\":false,\"why\":"),
        "{}",
        ran.stdout
    );
    pipeline.state("show DIR").ok();
}

#[test]
fn check_finds_what_is_missing_or_torn() {
    let pipeline = Pipeline::with_two();
    fs::remove_file(pipeline.path("1-generate/0a-1.2.ndjson")).unwrap();
    pipeline.state("check DIR").fails_with(1, "1-generate/0a-1.2: there is no such snapshot, only 0a-1.1");
    let pipeline = Pipeline::with_two();
    fs::write(pipeline.path("committed"), "{\"id\":").unwrap();
    pipeline.state("check DIR").fails_with(1, "clicks/committed: damaged");
}

#[test]
fn save_makes_a_folder_that_is_the_same_in_one_file_a_stage() {
    let pipeline = Pipeline::with_two();
    let copy = pipeline.path("../deep/copy");
    let said = pipeline.state("save DIR DIR/../deep/copy").ok();
    let to = pipeline.path("../deep/copy").to_string_lossy().into_owned();
    assert_eq!(said, format!("{{\"saved\":\"0a-1.2\",\"to\":\"{to}\",\"stages\":2}}\n"));
    assert_eq!(names(&copy), ["1-generate", "2-aggregate", "committed"]);
    assert_eq!(names(&copy.join("2-aggregate")), ["0a-1.2.ndjson"]);
    assert_eq!(read_committed(&RealDisk, &copy).unwrap().unwrap().sink, SAVEPOINT);
    let diff = pipeline.state("diff DIR DIR/../deep/copy");
    assert_eq!((diff.code, diff.stdout.as_str()), (Some(0), ""), "{}", diff.stderr);
    pipeline.state("check DIR/../deep/copy").ok();
    pipeline.state("save DIR DIR/../deep/copy").fails_with(1, "copy\" is not empty");

    let mut folder = StageFolder::open(Arc::new(RealDisk), &copy, "2-aggregate", "0c-3").unwrap();
    let mut keys = Vec::new();
    let take = &mut |part: checkpoint::Part<'_>| {
        if let checkpoint::Part::Entry { key, .. } = part {
            keys.push(key.to_owned());
        }
        Ok::<(), checkpoint::Error>(())
    };
    folder.load(&CheckpointId::new("0a-1", 2), "--by key count", take).unwrap();
    assert_eq!(keys, ["a", "b\"", "d"]);
}

#[test]
fn save_of_another_checkpoint_than_the_committed_one() {
    let pipeline = Pipeline::with_two();
    pipeline.state("save DIR DIR-before --id 0a-1.1").ok();
    let shown =
        run(STATE, &["show", &format!("{}-before", pipeline.dir.display()), "--stage", "aggregate", "--entries"], "")
            .ok();
    assert_eq!(shown, "[\"a\",1]\n[\"b\\\"\",[2.50]]\n[\"c\",null]\n");
}

#[test]
fn a_save_that_fails_leaves_nothing() {
    let pipeline = Pipeline::with_two();
    damage(&pipeline.path("2-aggregate/0a-1.1.ndjson"));
    fs::create_dir(pipeline.path("../copy")).unwrap();
    pipeline.state("save DIR DIR/../copy").fails_with(1, "damaged: the checksum");
    assert!(names(&pipeline.path("../copy")).is_empty());
}

/// Also when the test fails.
struct Stops<'a>(&'a AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_running_pipeline_does_not_disturb() {
    let mut pipeline = Pipeline::with_two();
    pipeline.save(&[("a", Some("2")), ("b", Some("2"))]);
    pipeline.commit("files");
    let dir = pipeline.dir.clone();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let stops = Stops(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let value = pipeline.seq.to_string();
                pipeline.save(&[("a", Some(&value)), ("b", Some(&value))]);
                pipeline.commit("files");
            }
        });
        for number in 0..20 {
            let (dir, to) = (dir.to_string_lossy(), dir.with_file_name(format!("copy-{number}")));
            for command in ["show", "check", "diff"] {
                run(STATE, &[command, &dir], "").ok();
            }
            run(STATE, &["save", &dir, &to.to_string_lossy()], "").ok();
            let shown = run(STATE, &["show", &to.to_string_lossy(), "--stage", "aggregate", "--entries"], "").ok();
            let values: Vec<_> =
                shown.lines().filter(|line| !line.contains("b\\\"") && !line.contains("\"d\"")).collect();
            assert_eq!(values[0].replace("\"a\"", ""), values[1].replace("\"b\"", ""), "of one checkpoint: {shown}");
        }
        drop(stops);
    });
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let pipeline = Pipeline::with_two();
    let script = "set -o pipefail; \"$0\" show \"$1\" --stage aggregate | true; exit $((${PIPESTATUS[0]}))";
    let ran = run("bash", &["-c", script, STATE, &pipeline.dir.to_string_lossy()], "");
    assert!([Some(0), Some(141)].contains(&ran.code), "{ran:?}");
    assert_eq!(ran.stderr, "");
}
