//! From file to files, killed at random: nothing lost, nothing doubled, every cell exact. `crash.rs` tells of the long form.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, clippy::cast_precision_loss)]

mod crash;

use crash::{Job, STAGES};

const TOOLS: [&str; 15] = [
    "file-cat-in",
    "window",
    "aggregate",
    "parallel-map",
    "file-cat-out",
    "watermark",
    "shard",
    "merge",
    "match-pattern",
    "derive",
    "decompose",
    "reorder",
    "resample",
    "detect",
    "forecast",
];
const BETWEEN: &str = "--between 50ms..400ms";

/// From the job's file to its output folder.
fn through(stages: &str, dir: &str) -> String {
    format!(
        "file-cat-in {dir}/in --exactly-once --state \"$CRASH_TEST_DIR/state\" --interval 200ms | {stages} \
         | file-cat-out \"$CRASH_TEST_DIR/output\""
    )
}

fn survives(job: &Job, stages: &str, what: &str, flags: &str) {
    let pipeline = through(stages, &job.path().display().to_string());
    job.survives(&TOOLS, &pipeline, what, &format!("{BETWEEN} {flags}"));
    job.run(&[], "cat runs/disturbed/output/* > result").ok();
}

#[test]
fn the_standard_job_survives_kills_of_one_stage_and_of_all() {
    let Some(job) = Job::new(10) else { return };
    survives(&job, STAGES, "any=7,all=3", "--seed 1 --by window_start,key");
    job.is_exact("result");
}

#[test]
fn stages_that_wake_up_beside_the_next_run_change_nothing() {
    let Some(job) = Job::new(8) else { return };
    survives(&job, STAGES, "any=1,zombie=1", "--seed 2 --zombie-for 800ms");
    job.is_exact("result");
}

/// Lines as they are: each commit has some, not only those at which windows end.
#[test]
fn a_copy_survives_kills_and_stopped_stages() {
    let Some(job) = Job::new(10) else { return };
    let flags = format!("--seed 5 --zombie-for 800ms --expect {}/in", job.path().display());
    survives(&job, "pace", "any=2,all=1,zombie=1", &flags);
}

/// The results of ten seconds are the lines of a minute.
#[test]
fn windows_over_windows_survive_kills() {
    let Some(job) = Job::new(8) else { return };
    let (ten_seconds, _) = STAGES.split_once("| aggregate").unwrap();
    let stages = format!(
        "{ten_seconds} | aggregate --keep-marks --by key n=count total=sum:value \
         | window --size 1m --time window_start | aggregate --by key n=sum:n total=sum:total"
    );
    survives(&job, &stages, "any=3,all=1", "--seed 3");
    job.run(&[], &format!("python3 -c '{MINUTES}'")).ok();
}

/// The oracle's cells, added up by key and minute, are the result.
const MINUTES: &str = r#"
import collections, datetime, json
right = collections.Counter(); cents = collections.Counter()
for cell in map(json.loads, open("oracle")):
    place = (cell["w"] // 60000, cell["k"])
    right[place] += cell["n"]; cents[place] += cell["s"]
for line in map(json.loads, open("result")):
    place = (int(datetime.datetime.fromisoformat(line["window_start"]).timestamp()) // 60, line["key"])
    assert right.pop(place) == line["n"] and abs(cents[place] - 100 * line["total"]) < 0.5, line
assert not right, right
"#;

#[test]
fn a_foreign_program_in_the_middle_survives_kills() {
    let Some(job) = Job::new(8) else { return };
    let stages = format!("parallel-map -- sed 's/\"status\":200/\"status\":299/' | {STAGES}");
    survives(&job, &stages, "any=3,all=1", "--seed 4");
    job.is_exact("result");
}

/// The two stages with state are in shards, each with a state of its own; their results come in another order.
#[test]
fn a_sharded_job_survives_kills_of_one_stage_and_of_all() {
    let Some(job) = Job::new(8) else { return };
    let (window, aggregate) = STAGES.split_once("| pace").unwrap();
    let sub_pipe = format!("{} {aggregate}", window.replace(" --lateness 2s", ""));
    let stages =
        format!("watermark --time timestamp --lateness 2s --every 0s | pace | shard --by key -n 2 -- '{sub_pipe}'");
    survives(&job, &stages, "any=5,all=3", "--seed 6 --by window_start,key");
    job.is_exact("result");
}

/// Detectors change with each line; forecasts are made of their scores at the end.
#[test]
fn anomalies_and_forecasts_survive_kills() {
    let Some(job) = Job::new(20) else { return };
    let stages = "pace | detect --by key --time timestamp --late pass \
        | forecast --by key --value anomaly_score --time timestamp --every 10s --horizon 2";
    survives(&job, stages, "any=3,all=1", "--seed 8");
}

/// Each line changes the windows of its key.
#[test]
fn derived_members_survive_kills() {
    let Some(job) = Job::new(20) else { return };
    let stages = "pace | reorder --time timestamp --lateness 2s \
        | derive --by key --time timestamp --late pass n=count before=shift:path d=delta:value e=ewma:5s:value \
        m=mean:20s:value p=median:20s:value sd=stddev:50:value s=slope:20s:value r=rate:20s:value";
    survives(&job, stages, "any=3,all=1", "--seed 9");
}

/// Seasons change with each line; what is left of them waits for the end, and is taken apart once more.
#[test]
fn decompositions_survive_kills() {
    let Some(job) = Job::new(20) else { return };
    let stages = "pace | decompose --by key --time timestamp --season 7,24 --late pass \
        | decompose --by key --value rest=.remainder --time timestamp --season 12 --batch";
    survives(&job, stages, "any=3,all=1", "--seed 9");
}

/// Steps are open for seconds, and rows of gaps wait for the number that ends them.
#[test]
fn resampled_series_survive_kills() {
    let Some(job) = Job::new(20) else { return };
    let stages = "watermark --time timestamp --lateness 2s | pace \
        | resample --by key --every 5s --take mean,count --fill linear --max-gap 30s | detect --by key --value value_mean";
    survives(&job, stages, "any=3,all=1", "--seed 10");
}

/// Rows of many keys are held, and matches come all the time.
#[test]
fn patterns_survive_kills() {
    let Some(job) = Job::new(20) else { return };
    let stages = "watermark --time timestamp --lateness 2s | pace | match-pattern --by key --order timestamp --within 20s \
        --pattern 'A B+ C' --define 'B: .value > PREV(.value), C: .value < FIRST(A.value)' \
        --measures 'n=MATCH_NUMBER(), rows=COUNT(*), from=FIRST(.timestamp), sum=SUM(.value)'";
    survives(&job, stages, "any=3,all=1", "--seed 7");
}

/// Two branches of one stream, brought together again: each line twice, and marks once.
#[test]
fn two_branches_and_a_merge_survive_kills() {
    let Some(job) = Job::new(6) else { return };
    let dir = job.path().display().to_string();
    let left = format!(
        "window --as left --size 10s --time timestamp --lateness 2s | aggregate --as left-sums --by key count sum:value avg:value min:value max:value p50:value p90:value p95:value p99:value > {dir}/left"
    );
    let stages = format!(
        "pace | {{ rm -f {dir}/left; mkfifo {dir}/left; tee >({left}) | parallel-map 'empty' | merge {dir}/left -; }}"
    );
    survives(&job, &stages, "any=4,all=2", "--seed 7 --by window_start,key");
    job.is_exact("result");
}
