//! Sharded pipelines against the same without `shard`, and their state moved from some shards to others.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use testkit::{Ran, bash};

const TOOLS: [&str; 22] = [
    "generate",
    "window",
    "watermark",
    "aggregate",
    "decompose",
    "dedup",
    "derive",
    "detect",
    "filter",
    "forecast",
    "lookup",
    "match-pattern",
    "reorder",
    "resample",
    "top-n",
    "stream-join",
    "parallel-map",
    "merge",
    "shard",
    "state",
    "file-cat-in",
    "file-cat-out",
];

/// In a new folder, with `requests` of forty users, up to two seconds out of order.
fn run(script: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let made = "generate --lines 20000 --keys 40 --out-of-order 2s > requests";
    let ran = bash(&TOOLS, &format!("cd {}\n{made}\n{script}", folder.path().display()));
    folder.close().unwrap();
    ran
}

#[test]
fn any_number_of_shards_gives_the_rows_of_none() {
    for (before, sub_pipe) in [
        ("window --size 1s --lateness 2s", "aggregate --by key n=count total=sum:value p99:value"),
        (
            "watermark --lateness 2s --every 0s",
            "window --size 1s | aggregate --by key n=count total=sum:value p99:value",
        ),
        ("watermark --lateness 2s --every 0s", "window --size 2s --slide 500ms | aggregate --by key,status n=count"),
        ("watermark --lateness 2s --every 0s", "window --session 50ms --by key | aggregate --by key n=count"),
        ("window --size 2s --slide 500ms --lateness 2s", "aggregate --by key n=count"),
        (
            "window --size 2s --slide 500ms --lateness 2s",
            "aggregate --by key corr:value:status kurtosis:value mean=wavg:value:status held=twa:value:timestamp mad:value geomean:value \
             entropy:path histogram:log2:value ohlc:value",
        ),
    ] {
        let script = format!(
            "{before} < requests | ({sub_pipe}) | sort > none
            for n in 1 2 3 7; do
                {before} < requests | shard --by key -n $n -- '{sub_pipe}' | sort | cmp none - || exit 1
            done; wc -l < none"
        );
        let rows: u64 = run(&script).ok().trim().parse().unwrap();
        assert!(rows > 50, "{sub_pipe}: {rows} rows");
    }
}

/// The announcements of each window come once, in front of the first line that needs them.
#[test]
fn windows_that_are_made_in_shards_can_be_closed_behind_them() {
    let script = "
        watermark --lateness 2s --every 0s < requests | window --size 2s --slide 500ms | aggregate --by key n=count | sort > none
        watermark --lateness 2s --every 0s < requests | shard --by key -n 3 -- 'window --size 2s --slide 500ms' \\
            | aggregate --by key n=count | sort | cmp none - && wc -l < none";
    assert!(run(script).ok().trim().parse::<u64>().unwrap() > 50);
}

#[test]
fn a_shard_in_a_shard_gives_the_same_rows() {
    let script = "
        window --size 1s --lateness 2s < requests | aggregate --by key n=count | sort > none
        file-cat-in requests --exactly-once --state state --interval 50ms | window --size 1s --lateness 2s \\
            | shard --by key -n 2 -- 'shard --by key,status -n 2 -- \"parallel-map -j 1 .\" | aggregate --by key n=count' \\
            | file-cat-out out
        sort out/*.ndjson | cmp none -; ls state | grep shard | sort | tr '\\n' ' '";
    assert_eq!(run(script).ok(), "3-shard 4-shard.shard-0 4-shard.shard-1 6-aggregate.shard-0 6-aggregate.shard-1 ");
}

const JOB: &str = "
    sub='window --size 1s | aggregate --by status,key n=count p99:value'
    head -n 12000 requests > in
    job() { file-cat-in in --exactly-once --state $1 --interval 50ms ${3-} | watermark --lateness 2s --every 0s \\
        | shard --by key -n $2 -- \"$sub\" | file-cat-out out; }
    job state 2 --no-drain
    tail -n +12001 requests >> in";

/// From two shards, with some lines taken, to five and to one; the rows of `none` in the end.
const MOVES: &str = "
    state reshard state of-5 -n 5 >&2
    job of-5 5 --no-drain
    state reshard of-5 of-1 -n 1 >&2
    state check of-1 > checked
    job of-1 1
    sort out/*.ndjson | cmp none - && wc -l < none";

#[test]
fn a_pipeline_goes_on_with_another_number_of_shards() {
    let script = format!(
        "window --size 1s --lateness 2s < requests | aggregate --by status,key n=count p99:value | sort > none
        {JOB}
        {MOVES}"
    );
    assert!(run(&script).ok().trim().parse::<u64>().unwrap() > 100);
}

#[test]
fn every_stage_with_keys_goes_on_with_another_number_of_shards() {
    let sub_pipes = [
        "window --session 15ms --by key | aggregate --by key n=count first:value last:value",
        "window --session 15ms --by key --plain",
        "window --count 7 --slide-count 3 --by key | aggregate --by key n=count total=sum:value",
        "aggregate --by key,status n=count total=sum:value --last 20",
        "window --size 2s --slide 1s | aggregate --by key slope:value:status skewness:value mean=wavg:value:status held=twa:value:timestamp",
        "aggregate --by key,status n=count total=sum:value --ttl 700ms",
        "aggregate --by key n=count total=sum:value",
        "aggregate --by key n=count total=sum:value --emit every:500ms",
        "aggregate --by key n=count total=sum:value --emit every:500ms --changes",
        "dedup --by key,status --within 500ms --time timestamp",
        "dedup --by key --keep last --within 20ms --time timestamp",
        "dedup --by status,key --keep last --time timestamp",
        "derive --by key,status before=shift:value d=delta:2:value e=ewma:0.3:value m=mean:5:value p=median:5:value",
        "derive --by key --time timestamp --ttl 20s --late pass n=count:1s s=slope:2s:value low=min:2s:value z=zscore:all:value",
        "decompose --by key,status --season 4,7 --late pass",
        "decompose --by key --every 10ms --season 50ms --ttl 20s --late pass",
        "decompose --by key,status --season 5 --batch",
        "detect --by key,status --late pass",
        "detect --by key --alarms 1/1s --ttl 20s --late pass",
        "detect --by key --method robust --change-points --warm-up 3 --late pass",
        "detect --by key --among host --peers 2 --time '.timestamp[:19] + .timestamp[-1:]' --warm-up 0 --late pass",
        "window --size 1s | top-n -n 3 --by key,status --order value:desc --window --rank place",
        "top-n -n 5 --by key --order value:desc,timestamp:asc",
        "forecast --by key,status --time timestamp --every 1s --horizon 2",
        "forecast --by key --time timestamp --every 200ms --horizon 3 --check --late drop",
        "forecast --by key,status --value value,status --time timestamp --every 1s --horizon 2 --ttl 2s --late drop",
        "stream-join --left '.status == 200' --right '.status == 404' --on key --within -300ms..1s --time timestamp --kind full \
            --prefix-right r_",
        "stream-join --left .key --right .user --on key=user --within 0s..20ms --time timestamp --kind anti",
        "match-pattern --by key --order timestamp --pattern 'A B{2,}' --define 'B: .value > PREV(.value)' \
            --measures 'n=MATCH_NUMBER(), rows=COUNT(*), first=FIRST(.value), last=LAST(.value)'",
        "match-pattern --by key,status --order timestamp --within 500ms --after-match next-row --rows all --pattern 'A B+' \
            --define 'A: .value > 20, B: .value < FIRST(A.value)'",
        "resample --by key --every 100ms --take last,mean,count --fill linear --max-gap 1s",
        "resample --by key,status --every 1s --fill last",
        "reorder --time timestamp",
        "filter '.value > 9' | watermark | reorder --time timestamp | parallel-map -j 1 'del(.host)' \
            | aggregate --by key,status seen=count last:value --last 5",
        "lookup --table-where .user --on key=user --fields was=value,at=timestamp",
        "lookup --table-where .user --on key=user --fields was=value --kind inner --time timestamp",
    ];
    for sub_pipe in sub_pipes {
        let renames = sub_pipe.contains("key=user");
        let by = if renames { ".key // .user" } else { "key" };
        let map = if renames { "if .status == 200 then . else {timestamp, user: .key, value} end" } else { "." };
        let script = format!(
            "sub=\"{sub_pipe}\"; echo \"$sub\" >&2
            before() {{ parallel-map -j 1 '{map}' | watermark --lateness 2s --every 0s; }}
            before < requests | (eval \"$sub\") | grep -v '^{{.[$]' | sort > none
            head -n 12000 requests > in
            job() {{ file-cat-in in --exactly-once --state $1 --interval 50ms ${{3-}} | before \
                | shard --by '{by}' -n $2 -- \"$sub\" | file-cat-out out; }}
            job state 2 --no-drain
            tail -n +12001 requests >> in
            {MOVES}"
        );
        let rows: u64 = run(&script).ok().trim().parse().unwrap();
        assert!(rows > 30, "{sub_pipe}: {rows} rows");
    }
}

#[test]
fn keys_are_forgotten_in_the_order_of_time_whichever_shard_they_come_from() {
    let script = "
        at() { printf '{\"timestamp\":\"2026-01-01T00:00:%02dZ\",\"key\":\"%s\"}\\n' $1 $2; }
        job() { file-cat-in in --exactly-once --state $1 ${3-} | watermark --every 0s \\
            | shard --by key -n $2 -- 'aggregate --by key n=count --ttl 10s' | file-cat-out out; }
        { at 0 a; at 0 a; at 0 a; at 4 c; at 5 b; } > in
        job of-2 2 --no-drain
        state reshard of-2 of-1 -n 1 >&2
        { at 12 z; at 13 a; } >> in
        job of-1 1
        sort out/*.ndjson";
    let rows =
        [("a", 1), ("a", 3), ("b", 1), ("c", 1), ("z", 1)].map(|(key, n)| format!("{{\"key\":\"{key}\",\"n\":{n}}}\n"));
    assert_eq!(run(script).ok(), rows.concat());
}

#[test]
fn another_number_of_shards_without_their_state_is_refused() {
    let ran = run(&format!("{JOB}\njob state 3"));
    ran.fails_with(
        1,
        "made with other flags: --by .key -n 2; now they are: --by .key -n 3\nshard: hint: state reshard DIR TO -n N",
    );
}

#[test]
fn what_cannot_be_resharded_is_refused_and_leaves_nothing() {
    let job = JOB.replace("aggregate --by status,key", "aggregate --by status");
    let ran = run(&format!("{job}\nstate reshard state to -n 3 || {{ code=$?; ls to; exit $code; }}"));
    ran.fails_with(1, "5-aggregate: its keys (.status) do not tell .key, by which shard divides");
    assert_eq!(ran.stdout, "", "nothing is left in the folder");
    let job = JOB.replace("window --size 1s", "throttle --rate 1000000/s");
    run(&format!("{job}\nstate reshard state to -n 3"))
        .fails_with(1, "4-throttle: its state does not say how it is divided by keys");
    let job = JOB.replace("window --size 1s", "parallel-map -j 1 .key=.status | reorder --time timestamp");
    let ran = run(&format!("{job}\nstate reshard state to -n 3"));
    ran.fails_with(1, "by .key belongs to");
    assert!(ran.stderr.contains("state: hint: a stage before it changes what shard divides by"), "{}", ran.stderr);
    // Shards that make time themselves are at different times.
    let job = JOB
        .replace("| watermark --lateness 2s --every 0s", "")
        .replace("window --size 1s", "window --size 1s --lateness 2s");
    let ran = run(&format!("{job}\nstate reshard state to -n 3"));
    ran.fails_with(1, "its shards are not at the same place");
    assert!(ran.stderr.contains("hint: make time before the lines are divided"), "{}", ran.stderr);
    run("generate --lines 100 --exactly-once --state state | file-cat-out out; state reshard state to -n 2")
        .fails_with(1, "this pipeline has no shard stage");
    // Killed between the commit in the output and the copy that the folder has of it.
    let behind = "cp state/committed old; job state 2 --no-drain; cp old state/committed";
    let ran = run(&format!("{JOB}\n{behind}\nstate reshard state to -n 3"));
    ran.fails_with(75, "may be in the output already");
    assert!(ran.stderr.contains("state: hint: the pipeline was killed: start it once as it was"), "{}", ran.stderr);
    run(&format!("{JOB}\n mkdir to; touch to/x; state reshard state to -n 2")).fails_with(1, "\"to\" is not empty");
}
