mod busy;
mod flow;

use super::*;
use crate::facts::{Facts, Pipe};
use crate::machine::Look;
use crate::machine::stage::{Kernel, Life, Moved, Stage, Wait};

/// 1970-01-12T13:46:40Z
const NOW: i64 = 1_000_000_000;

/// Files as stages write them, in the order of the pipe.
#[derive(Default)]
struct Scene(Vec<Stage>);

impl Scene {
    /// A stage of ours with these members in its file.
    fn ours(mut self, name: &str, members: &str) -> Self {
        let pid = 100 + self.0.len() as u32;
        let comma = if members.is_empty() { "" } else { "," };
        let facts = Facts::parse(&format!(r#"{{"stage":"{name}","pid":{pid}{comma}{members}}}"#)).unwrap();
        let life = match facts.ended {
            Some(ended) => Life::Ended { at_ms: ended.at.unwrap_or(NOW - 3_000), code: ended.code },
            None => Life::Running,
        };
        self.0.push(Stage {
            name: name.to_owned(),
            pid,
            life,
            facts: Some(facts.into()),
            written_ms: NOW,
            ..Stage::default()
        });
        self
    }

    fn foreign(mut self, command: &str, state: char, waits: Option<Wait>, written: u64) -> Self {
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let moved = Some(Moved { read: 5_000, written });
        let kernel = Some(Kernel { state, waits, cpu_ticks: 1, moved });
        let pid = 100 + self.0.len() as u32;
        self.0.push(Stage { name: words[0].clone(), pid, words, kernel, ..Stage::default() });
        self
    }

    fn change(mut self, change: impl FnOnce(&mut Stage)) -> Self {
        change(self.0.last_mut().unwrap());
        self
    }

    fn pipeline(mut self) -> Pipeline {
        let last = self.0.len() - 1;
        for (at, stage) in self.0.iter_mut().enumerate() {
            let pipe = |pipe: usize| Some(Pipe { pipe: pipe as u64, bytes: Some(0), size: Some(65_536) });
            stage.input = pipe(at).filter(|_| at > 0);
            stage.output = pipe(at + 1).filter(|_| at < last);
        }
        Pipeline { name: "job".to_owned(), stages: self.0 }
    }

    /// Two looks have seen the same.
    fn findings(self) -> Vec<Finding> {
        let pipeline = self.pipeline();
        let before = Look { pipelines: vec![pipeline.clone()], ..Look::default() };
        findings(&pipeline, Some(&before), NOW)
    }

    /// The rules that have something to say, the stuck ones with `!`.
    fn rules(self) -> Vec<String> {
        let told = self.findings().into_iter();
        told.map(|finding| format!("{}{}", finding.rule, if finding.is_stuck { "!" } else { "" })).collect()
    }

    #[track_caller]
    fn says_first(self, rule: &str, text: &str, mend: &str) {
        let findings = self.findings();
        let first = &findings[0];
        assert_eq!((first.rule, first.text.as_str()), (rule, text), "{findings:?}");
        assert!(first.mend.contains(mend), "{:?}", first.mend);
    }
}

fn scene() -> Scene {
    Scene::default()
}

const WAITS_INPUT: &str = r#""now":"input","now_ms":12000"#;
const WAITS_OUTPUT: &str = r#""now":"output","now_ms":12000"#;
const FLOWING: &str = r#""now":"work","now_ms":0,"rates":{"10s":{"lines_in":100,"lines_out":100}}"#;

const LOST: &str = r#""now":"work","rates":{"10s":{"lines_in":100,"lines_out":0}},"lines_out":0"#;

#[test]
fn a_killed_stage_is_the_cause_and_those_cut_short_are_not() {
    let cut = r#""ended":{"at":"1970-01-12T13:46:30Z","code":75},"messages":[{"text":"the stream was cut short"}]"#;
    scene()
        .ours("kafka-cat-in", r#""run":"r","now":"work""#)
        .ours("window", "")
        .change(|stage| stage.life = Life::Killed { seen_ms: NOW - 5_000 })
        .ours("aggregate", cut)
        .says_first(
            "died",
            "window (pid 101) was killed; it was last seen 5s ago",
            "start the pipeline again: it goes on from its last commit; dmesg",
        );
}

#[test]
fn a_failed_stage_says_why() {
    let failed = r#""ended":{"at":"1970-01-12T13:46:35Z","code":1},"messages":[{"text":"line 12: no field \"ts\""}]"#;
    let cut = r#""ended":{"at":"1970-01-12T13:46:30Z","code":75},"messages":[{"text":"the stream was cut short"}]"#;
    scene().ours("window", failed).ours("aggregate", cut).says_first(
        "died",
        "window failed 5s ago with exit code 1: line 12: no field \"ts\"",
        "a new start gives the same",
    );
}

#[test]
fn the_error_is_told_and_its_first_hint_is_what_to_do() {
    let failed = r#""ended":{"at":"1970-01-12T13:46:35Z","code":1},"messages":[{"level":"info","text":"a new state"},
        {"level":"error","text":"no field \"ts\""},{"level":"hint","text":"--time timestamp"},{"level":"hint","text":"--on-error skip"}]"#;
    scene().ours("window", failed).says_first(
        "died",
        "window failed 5s ago with exit code 1: no field \"ts\"",
        "--time timestamp",
    );
    let again = failed.replace("\"code\":1", "\"code\":75");
    let told = scene().ours("window", &again).findings();
    assert_eq!(told[0].mend, "start the pipeline again; --time timestamp");
}

#[test]
fn an_exactly_once_pipeline_has_a_sink() {
    let source = r#""role":"source","args":["--exactly-once","--state","s"],"elapsed_ms":5000,"now":"work""#;
    scene().ours("generate", source).ours("window", FLOWING).says_first(
        "no-sink",
        "nothing of this pipeline is committed: generate is exactly-once, and no sink is at the end, but window",
        "file-cat-out PATH --exactly-once",
    );
    let with = |sink: &str| scene().ours("generate", source).ours(sink, r#""role":"sink","now":"work""#).rules();
    assert_eq!(with("file-cat-out"), ["flows"]);
    let young = source.replace("5000", "900");
    assert_eq!(scene().ours("generate", &young).ours("window", FLOWING).rules(), ["flows"]);
    let plain = source.replace("\"--exactly-once\",", "");
    assert_eq!(scene().ours("generate", &plain).ours("window", FLOWING).rules(), ["flows"]);
}

#[test]
fn what_a_stage_has_said_of_its_times_and_fields_is_told() {
    let said = |text: &str, hint: &str| {
        format!(
            r#""now":"work","messages":[{{"level":"info","text":"{text}"}},{{"level":"hint","text":"{hint}"}},{{"level":"info","text":"x"}}]"#
        )
    };
    let unit =
        said("the number 1781064800 is taken for the time 1970-01-21T14:44:24.800Z (--time-unit ms)", "--time-unit s");
    scene().ours("window", &unit).says_first(
        "time-unit",
        "window: the number 1781064800 is taken for the time 1970-01-21T14:44:24.800Z (--time-unit ms)",
        "--time-unit s",
    );
    let named = said(r#"50000 lines, none had \"pathh\"; the lines have: path, ms"#, r#"did you mean \"path\"?"#);
    scene().ours("aggregate", &format!("{named},\"ended\":{{\"code\":0}}")).says_first(
        "misnamed",
        r#"aggregate: 50000 lines, none had "pathh"; the lines have: path, ms"#,
        "did you mean \"path\"?",
    );
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    let ended = |code: i32| format!(r#""ended":{{"at":"1970-01-12T13:46:30Z","code":{code}}}"#);
    let scene = scene().ours("generate", &ended(141)).ours("window", &ended(0));
    scene.says_first("ended", "all stages have ended 10s ago; none has failed", "");
    let gone = Scene::default().ours("generate", "").change(|stage| stage.life = Life::Gone { seen_ms: NOW - 9_000 });
    gone.says_first("ended", "all stages are gone, 9s ago; whether they ended well is not in their metrics files", "");
}

#[test]
fn a_stopped_stage_is_told_to_go_on() {
    let stop = |stage: &mut Stage| {
        stage.kernel = Some(Kernel { state: 'T', waits: None, cpu_ticks: 0, moved: None });
    };
    scene().ours("generate", WAITS_OUTPUT).ours("window", FLOWING).change(stop).says_first(
        "stopped",
        "window is stopped: by Ctrl-Z, SIGSTOP, or a debugger",
        "kill -CONT 101",
    );
    let foreign = scene().ours("window", WAITS_OUTPUT).foreign("jq .", 'T', None, 0);
    assert_eq!(foreign.rules(), ["stopped!"]);
}

#[test]
fn lines_in_no_count_are_told_only_of_a_stage_at_rest() {
    let counts = r#""lines_in":10,"lines_settled":7,"lines_held":0,"lines_late":0,"lines_rejected":1,"lines_out":7"#;
    scene().ours("generate", FLOWING).ours("window", &format!("{WAITS_INPUT},{counts}")).says_first(
        "counts-broken",
        "window has taken 2 lines that are in none of its counts",
        "report it",
    );
    let working = Scene::default().ours("window", &format!(r#""now":"work",{counts}"#));
    assert_eq!(working.rules(), ["flows"]);
    let right = counts.replace("\"lines_held\":0", "\"lines_held\":2");
    let at_rest = Scene::default().ours("generate", FLOWING).ours("window", &format!("{WAITS_INPUT},{right}"));
    assert!(!at_rest.rules().contains(&"counts-broken!".to_owned()));
}

fn barrier(seq: u32) -> String {
    format!(r#""barrier":{{"id":"019a-1/{seq}","snapshot_bytes":45211}}"#)
}

#[test]
fn a_commit_waits_for_the_stage_that_the_barrier_has_not_passed() {
    let commit = format!(r#""role":"sink","now":"commit","now_ms":8000,{}"#, barrier(11));
    scene()
        .ours("kafka-cat-in", &format!(r#""role":"source","now":"output","now_ms":4000,{}"#, barrier(12)))
        .ours("window", &format!(r#"{WAITS_OUTPUT},{}"#, barrier(12)))
        .ours("aggregate", &format!(r#""now":"work","now_ms":7000,{}"#, barrier(11)))
        .ours("kafka-cat-out", &commit)
        .says_first(
            "commit-waits-for-snapshot",
            "the commit has been waiting 8s for aggregate: the last barrier has not passed it, as it works on the lines before, or saves its state (its last snapshot has 44.2KiB)",
            "a longer --interval",
        );
}

#[test]
fn a_commit_that_all_barriers_have_passed_waits_for_the_brokers() {
    let commit = format!(r#""role":"sink","now":"commit","now_ms":8000,{}"#, barrier(12));
    scene()
        .ours("kafka-cat-in", &format!(r#""role":"source",{WAITS_OUTPUT},{}"#, barrier(12)))
        .ours("window", &format!(r#"{WAITS_OUTPUT},{}"#, barrier(12)))
        .ours("kafka-cat-out", &commit)
        .says_first(
            "commit-waits-for-target",
            "kafka-cat-out has been waiting 8s for the brokers to commit",
            "are the brokers up",
        );
    let short = Scene::default().ours("kafka-cat-out", r#""role":"sink","now":"commit","now_ms":900"#);
    assert_eq!(short.rules(), ["flows"]);
}

#[test]
fn a_reader_that_does_not_read_is_named() {
    scene().ours("generate", WAITS_OUTPUT).ours("window", WAITS_OUTPUT).foreign("less", 'S', None, 0).says_first(
        "reader-blocked",
        "window has been waiting 12s for less (pid 102), which does not read",
        "a pager waits for a key",
    );
    scene().ours("generate", WAITS_OUTPUT).says_first(
        "reader-blocked",
        "generate has been waiting 12s for what reads its output: a terminal, or a program that pipes cannot see",
        "Ctrl-Q",
    );
}

#[test]
fn the_reader_behind_a_reader_is_the_cause() {
    let scene = scene()
        .ours("window", WAITS_OUTPUT)
        .foreign("jq .", 'S', Some(Wait::PipeWrite), 70_000)
        .foreign("less", 'S', None, 0);
    scene.says_first("reader-blocked", "window has been waiting 12s for less (pid 102), which does not read", "");
}

#[test]
fn a_slow_foreign_reader_is_slow_and_not_stuck() {
    let scene = scene().ours("window", WAITS_OUTPUT).foreign("awk {}", 'R', None, 70_000);
    assert_eq!(scene.rules()[0], "reader-slow");
    let broken = r#""now":"output","now_ms":90,"shares":{"10s":{"busy":0.01,"input":0,"output":0.99}}"#;
    Scene::default().ours("window", broken).foreign("python3 x", 'S', None, 0).says_first(
        "reader-slow",
        "window waits nearly all of its time for python3 (pid 101), which takes its lines slowly",
        "throttle",
    );
}

#[test]
fn a_reader_under_which_the_pipe_moves_reads() {
    let pipeline = Scene::default().ours("window", WAITS_OUTPUT).foreign("bash", 'S', None, 0).pipeline();
    let mut before = pipeline.clone();
    before.stages[0].output = before.stages[0].output.map(|pipe| Pipe { bytes: Some(9), ..pipe });
    let looks = [Some(Look { pipelines: vec![before], ..Look::default() }), None];
    let told = looks.map(|before| findings(&pipeline, before.as_ref(), NOW).remove(0));
    assert!(told.iter().all(|finding| finding.rule == "reader-slow" && !finding.is_stuck), "{told:?}");
}

#[test]
fn tee_waits_for_all_of_its_readers() {
    let scene = Scene::default().ours("generate", WAITS_OUTPUT).foreign("tee side", 'S', Some(Wait::PipeWrite), 70_000);
    scene.ours("window", WAITS_INPUT).says_first(
        "reader-blocked",
        "generate has been waiting 12s for tee (pid 101), which does not read",
        "another reader of tee",
    );
}

#[test]
fn what_gives_no_lines_is_advised_by_what_it_is() {
    let mend = |command: &str| {
        let scene = Scene::default().foreign(command, 'S', None, 0).ours("window", WAITS_INPUT);
        scene.findings().into_iter().find(|finding| finding.rule == "starved").unwrap().mend
    };
    assert!(mend("tail -n0 -F log").contains("gets no lines"));
    assert!(mend("tail -n 5 log").contains("end of its input"));
    assert!(mend("bash x.sh").contains("FIFO"));
}

#[test]
fn a_disk_that_is_full_needs_room_first() {
    let failed = r#""ended":{"at":"1970-01-12T13:46:35Z","code":75},"messages":[{"level":"error","text":"out: No space left on device"}]"#;
    let told = Scene::default().ours("file-cat-out", failed).findings();
    assert_eq!(told[0].mend, "make room on that disk, then start the pipeline again");
}

#[test]
fn a_stage_that_waits_for_its_sub_pipe_does_not_wait_for_its_reader() {
    let pipeline = |depth| {
        let mut pipeline = Scene::default().ours("shard", WAITS_OUTPUT).ours("filter", FLOWING).pipeline();
        pipeline.stages[0].output = None;
        pipeline.stages[1].depth = depth;
        findings(&pipeline, None, NOW).remove(0).rule
    };
    assert_eq!((pipeline(1), pipeline(0)), ("flows", "reader-blocked"));
}

#[test]
fn an_aggregate_without_windows_writes_at_the_end() {
    let members = r#""now":"input","now_ms":5,"lines_in":90,"lines_held":90,"lines_out":0,"rates":{"10s":{"lines_in":9,"lines_out":0}}"#;
    Scene::default().ours("aggregate", members).says_first(
        "no-window",
        "aggregate keeps 90 lines, and writes at the end of its input: no windows come to it",
        "window --size 1m before aggregate",
    );
}

#[test]
fn a_reader_of_ours_is_no_unseen_reader() {
    let busy = r#""now":"work","now_ms":1,"shares":{"10s":{"busy":0.98,"input":0.01,"output":0.01}}"#;
    let waits = r#""now":"output","now_ms":2500,"shares":{"10s":{"busy":0.2,"input":0,"output":0.8}}"#;
    scene().ours("generate", waits).ours("aggregate", busy).says_first(
        "busy",
        "aggregate is the bottleneck: it works 98 % of the time, and the stage before it waits",
        "--threads 3",
    );
    let mut shard = scene().ours("shard", WAITS_OUTPUT).ours("window", WAITS_OUTPUT).0;
    shard[0].held = vec![77];
    shard[1].output = Some(Pipe { pipe: 77, ..Pipe::default() });
    let pipeline = Pipeline { name: "job".to_owned(), stages: shard };
    let told: Vec<String> = findings(&pipeline, None, NOW).into_iter().map(|finding| finding.stage).collect();
    assert_eq!(told, ["shard"]);
}

#[test]
fn a_throttle_holds_its_rate() {
    let pace = r#""now":"pace","now_ms":90,"shares":{"10s":{"busy":0.01,"pace":0.99}},"args":["--rate","100/s"],
        "rates":{"10s":{"lines_in":100,"lines_out":100}},"facts":{"queue_lines":900}"#;
    scene().ours("throttle", pace).says_first(
        "pace",
        "throttle keeps to its rate limit of 100 lines/s (--rate 100/s); 900 lines wait in its queue",
        "a higher --rate at throttle",
    );
}

#[test]
fn results_wait_for_their_commit() {
    let sink = r#""role":"sink","now":"work","rates":{"10s":{"lines_in":100}},"commit":{"id":"r/3","at":"1970-01-12T13:45:40Z","ms":15}"#;
    scene().ours("kafka-cat-in", r#""role":"source","now":"work""#).ours("kafka-cat-out", sink).says_first(
        "commit-is-old",
        "results are seen when they are committed; the last commit was 1m ago, which took 15ms",
        "a shorter --interval",
    );
}

#[test]
fn what_flows_flows_and_old_numbers_are_told() {
    let pipe = || scene().ours("generate", &format!(r#""role":"source",{FLOWING}"#)).ours("window", FLOWING);
    pipe().says_first("flows", "lines flow: generate gives 100 lines/s, window writes 100", "");
    assert_eq!(pipe().change(|stage| stage.written_ms = NOW - 60_000).rules(), ["flows", "stale"]);
    scene().ours("window", r#""elapsed_ms":900"#).says_first("flows", "it has just begun", "");
    let simple = scene().ours("window", r#""lines_in":5,"lines_out":5,"elapsed_ms":90000,"wait_input_ms":3"#);
    simple.says_first("flows", "nothing holds it up, as far as the metrics tell", "");
}

#[test]
fn a_stage_that_holds_all_of_its_lines_is_told() {
    let holds = r#""elapsed_ms":9000,"lines_in":4000,"lines_held":4000,"lines_out":0,"rates":{"10s":{"lines_in":500,"lines_out":0}}"#;
    scene().ours("reorder", holds).says_first(
        "held-back",
        "reorder holds 4,000 lines back, until time has passed them, and writes none",
        "a shorter --lateness",
    );
    assert_eq!(scene().ours("dedup", holds).rules(), ["flows"]);
}

#[test]
fn causes_come_before_what_follows_from_them() {
    let late = format!(r#"{LOST},"lines_in":5000,"lines_late":4990"#);
    let open = r#""rates":{"10s":{"lines_in":10,"lines_out":0}},"watermark":"1970-01-12T13:46:35Z",
        "facts":{"open_windows":3,"next_end":"1970-01-12T13:46:40Z"}"#;
    let pace = r#""now":"pace","now_ms":9000"#;
    let all = scene().ours("throttle", pace).ours("window", &late).ours("aggregate", open);
    assert_eq!(all.rules(), ["late", "pace", "window-is-open"]);
    let killed = scene()
        .ours("throttle", pace)
        .ours("window", &late)
        .change(|stage| stage.life = Life::Killed { seen_ms: NOW })
        .ours("aggregate", open);
    assert_eq!(killed.rules(), ["died!", "late", "pace", "window-is-open"]);
}

#[test]
fn two_stages_of_one_name_are_told_apart() {
    let none = format!(r#"{LOST},"lines_in":50000,"lines_left_out":50000"#);
    let scene = scene().ours("filter", FLOWING).ours("filter", &none);
    scene.says_first("filtered", "filter (pid 101) lets no line pass: 50,000 lines were left out", "");
}

#[test]
fn a_pipeline_is_found_by_its_name_run_or_process() {
    let pipeline = Scene::default().ours("window", r#""run":"019a-1""#).pipeline();
    let superseded = Pipeline { name: "job-9".to_owned(), ..pipeline.clone() };
    let mut look = Look { pipelines: vec![pipeline, superseded], ..Look::default() };
    let count = |look: &Look, asked: Option<&str>| look.chosen(asked).map(|chosen| chosen.len());
    assert_eq!(["job", "019a-1", "100", "job-9"].map(|asked| count(&look, Some(asked)).unwrap()), [1, 2, 2, 1]);
    assert_eq!(count(&look, None), Ok(2));
    look.pipelines[1].stages[0].life = Life::Killed { seen_ms: NOW };
    assert_eq!(count(&look, None), Ok(1));
    let error = count(&look, Some("nojob")).unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.hint.as_deref()),
        ("no pipeline \"nojob\"", Some("there are: job, job-9"))
    );
}
