//! The table of the pipes that are simulated.
//!
//! What comes out must be the same, as a multiset, however the source's partitions are interleaved. Where it is not,
//! each key is in one partition, or there is only one ([`Order`]). `throttle` is in none of them: it needs a loop that
//! waits for room in the output.

use std::sync::LazyLock;

use crate::pipeline::{Order, Pipeline};

const COUNT_AND_SUM: &str = "aggregate --by k n=count total=sum:v p50:v";
const TUMBLING: &str = "window --time t --lateness 2s --size 10s";
const HOPPING: &str = "window --time t --lateness 2s --size 10s --slide 5s";
const SESSIONS: &str = "window --time t --lateness 2s --session 2s --by k";
const WATERMARK: &str = "watermark --time t --lateness 2s";
/// Some lines come later than that.
const EARLY_WATERMARK: &str = "watermark --time t --lateness 200ms";

/// All kinds of pipes, by name.
pub static PIPELINES: LazyLock<Vec<Pipeline>> = LazyLock::new(|| {
    [
        plain(),
        windows(),
        aggregates(),
        dedups(),
        patterns(),
        rankings(),
        series(),
        forecasts(),
        spilled(),
        joins(),
        tables(),
        sorted(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

fn plain() -> Vec<Pipeline> {
    let of = |name, commands: &[&str]| Pipeline::new(name, Order::Any, commands);
    vec![
        of("lines", &[]),
        of("copies", &["copies"]),
        of("filtered", &["filter .v%7!=0 --where .part<2", TUMBLING, "filter --not .v%5==0", COUNT_AND_SUM]),
        of("foreign", &["foreign", TUMBLING, "foreign", COUNT_AND_SUM]),
        of("copied", &[TUMBLING, "copies", COUNT_AND_SUM, "foreign"]),
    ]
}

fn windows() -> Vec<Pipeline> {
    let of = Pipeline::new;
    vec![
        of("tumbling", Order::Any, &[TUMBLING, COUNT_AND_SUM]),
        of("hopping", Order::Any, &[HOPPING, COUNT_AND_SUM]),
        of("cumulating", Order::Any, &["window --time t --lateness 2s --size 20s --cumulate 5s", COUNT_AND_SUM]),
        of("sessions", Order::Any, &[SESSIONS, COUNT_AND_SUM]),
        of("expanded-sessions", Order::Any, &["window --time t --lateness 2s --session 2s --by k --expand"]),
        of("counts", Order::OfKeys, &["window --count 3 --by k", COUNT_AND_SUM]),
        of("overlapping-counts", Order::OfKeys, &["window --count 4 --slide-count 2 --by k", COUNT_AND_SUM]),
        of(
            "two-levels",
            Order::Any,
            &[
                "window --time t --lateness 2s --size 5s",
                "aggregate --by k n=count total=sum:v",
                "window --time window_start --size 20s",
                "aggregate --by k n=count total=sum:total",
            ],
        ),
        of("late", Order::OfAll, &["window --time t --lateness 200ms --size 2s", COUNT_AND_SUM]),
        of("spilled", Order::Any, &[TUMBLING, "aggregate --by k n=count total=sum:v --memory 1GiB"]),
        of("spilled-slices", Order::Any, &[HOPPING, "aggregate --by k n=count total=sum:v --memory 1GiB"]),
    ]
}

fn aggregates() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let changes = "aggregate --by k n=count total=sum:v --emit update --changes";
    vec![
        of("running", Order::OfKeys, &["aggregate --by k n=count total=sum:v --emit update"]),
        of("every", Order::OfAll, &["aggregate --by k n=count total=sum:v --emit every:3s --ttl 5s --time t"]),
        of("changes", Order::OfKeys, &[changes]),
        of("of-changes", Order::Any, &[changes, "aggregate --of-changes --by n keys=count total=sum:total"]),
        of(
            "changes-of-changes",
            Order::OfAll,
            &[
                changes,
                "filter .n%3!=0",
                "aggregate --of-changes --by group=.n%4 keys=count total=sum:total --emit update --changes",
            ],
        ),
        of("rolling", Order::OfKeys, &["aggregate --by k --last 3 n=count total=sum:v low=min:v first:at d=delta:v"]),
        of("rolling-time", Order::OfKeys, &["aggregate --by k --last 1s --time t n=count avg:v high=max:v last:at"]),
        of("kept-lines", Order::Any, &[TUMBLING, "aggregate --by k n=count --keep-lines --keep-marks", "copies"]),
        of(
            "many-functions",
            Order::OfKeys,
            &[
                HOPPING,
                "aggregate --by k d=distinct:v best=max_by:v:at least=min_by:.v%50:at list:3:at top:2:.v%9 \
                 odd=count?.v%2==1 --distinct exact",
            ],
        ),
        of(
            "statistics",
            Order::OfKeys,
            &[
                HOPPING,
                "aggregate --by k mean=wavg:v:.v%7 corr:v:.v%5 skewness:v geomean:v held=twa:v:t spread=mad:v entropy:.v%9 \
                 histogram:10,20:v ohlc:v",
            ],
        ),
        of(
            "rolling-statistics",
            Order::OfKeys,
            &["aggregate --by k --last 3 mean=wavg:v:.v%7 geomean:v histogram:log2:v ohlc:v"],
        ),
        of("distinct", Order::Any, &["aggregate --by k d=distinct:v slots=distinct:.v%10 --distinct exact"]),
    ]
}

fn dedups() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let last = "dedup --by k,.v%20 --keep last --time t";
    vec![
        of("dedup-first", Order::OfKeys, &["dedup --by k,.v%20"]),
        of("dedup-where", Order::OfKeys, &["dedup --by k --where .v%3!=0", "copies"]),
        of("dedup-within", Order::OfKeys, &["dedup --by k --within 2s --time t --lateness 2s"]),
        of("dedup-last", Order::OfKeys, &[last]),
        of("dedup-updates", Order::OfKeys, &["dedup --by k --keep last --time t --emit update"]),
        of("dedup-last-within", Order::OfKeys, &["dedup --by k --keep last --time t --within 1s --lateness 2s"]),
        of("dedup-last-late", Order::OfAll, &["dedup --by k --keep last --time t --within 1s --lateness 200ms"]),
    ]
}

fn series() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let resample = "resample --by k --value v,part --time t --every 500ms --lateness 2s --max-gap 3";
    vec![
        of("resampled", Order::OfKeys, &[&format!("{resample} --take last,mean --fill last")]),
        of("resampled-on-lines", Order::OfKeys, &[WATERMARK, &format!("{resample} --fill linear"), "copies"]),
        of(
            "resampled-late",
            Order::OfAll,
            &[
                "resample --by k --value v --time t --every 1s --lateness 200ms --fill zero --late pass --take sum,count",
            ],
        ),
        of("decomposed", Order::OfKeys, &["decompose --by k --value v --time t --season 3,5 --late pass"]),
        of("decomposed-auto", Order::OfKeys, &["decompose --by k --value v --time t --history 40 --late pass"]),
        of(
            "decomposed-forgotten",
            Order::OfAll,
            &["decompose --by k --value v,part --time t --every 1s --season 2s --ttl 5s --lateness 1s"],
        ),
        of("decomposed-whole", Order::OfKeys, &["decompose --by k --value v --time t --season 3 --batch"]),
        of("anomalies", Order::OfKeys, &["detect --by k --value v --time t --warm-up 0 --late pass"]),
        of(
            "anomalies-forgotten",
            Order::OfAll,
            &["detect --by k --value v,part --time t --alarms 1/20s --warm-up 3 --ttl 5s --lateness 1s"],
        ),
        of(
            "derived",
            Order::OfKeys,
            &["derive --by k n=count before=shift:at d=delta:2:v e=ewma:0.3:v m=mean:5:v p=median:7:v z=zscore:all:v"],
        ),
        of(
            "derived-in-time",
            Order::OfKeys,
            &["derive --by k --time t --late pass e=ewma:1s:v s=slope:3s:v low=min:3s:v r=rate:v g=increase:3s:v"],
        ),
        of(
            "derived-forgotten",
            Order::OfAll,
            &["derive --by k --time t --ttl 3s --lateness 1s n=count:2s sd=stddev:2s:v f=from_first:v"],
        ),
        of(
            "anomalies-robust",
            Order::OfKeys,
            &["detect --by k --value v --time t --method robust --warm-up 0 --late pass"],
        ),
        of(
            "anomalies-trend",
            Order::OfKeys,
            &["detect --by k --value v --time t --trend --change-points --warm-up 0 --late pass"],
        ),
        of(
            "anomalies-among",
            Order::OfAll,
            &[
                "detect --by .v%2 --among k --peers 2 --value v --time .t/1000|floor --warm-up 0 --lateness 1s --ttl 5s --late pass",
            ],
        ),
    ]
}

/// With little memory; the texts of keys are short, as they stay in it.
fn spilled() -> Vec<Pipeline> {
    let of = Pipeline::new;
    vec![
        of(
            "decomposed-spilled",
            Order::OfKeys,
            &["decompose --by .k[:4] --value v,part --time t --season 3,5 --late pass --memory 1GiB"],
        ),
        of(
            "anomalies-spilled",
            Order::OfAll,
            &["detect --by .k[:4] --value v,part --time t --warm-up 0 --ttl 5s --lateness 1s --memory 1GiB"],
        ),
        of(
            "derived-spilled",
            Order::OfKeys,
            &["derive --by .k[:4] before=shift:9:at m=mean:40:v p=median:30:v z=zscore:all:v --memory 1GiB"],
        ),
        of(
            "forecast-spilled",
            Order::OfKeys,
            &["forecast --by k=.k[:4] --value v,part --time t --every 500ms --horizon 2 --model theta --memory 1GiB"],
        ),
    ]
}

/// Conditions have no blanks, as commands are cut at them.
fn patterns() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let by = "match-pattern --by k --order t";
    let rising = "--pattern A(B+)C? --define B:.v>=PREV(.v),C:.v<FIRST(A.v)";
    let measures = "--measures n=COUNT(*),m=MATCH_NUMBER(),last=LAST(.at),sum=SUM(.v)";
    let of_match = "--pattern (A|B)+C --define A:.v%2==0,B:COUNT(B.*)<3,C:.v>A.v";
    vec![
        of("matched", Order::OfKeys, &[&format!("{by} --lateness 2s {rising} {measures}")]),
        of("matched-within", Order::OfKeys, &[WATERMARK, &format!("{by} --within 2s {of_match} {measures}"), "copies"]),
        of("matched-rows", Order::OfKeys, &[&format!("{by} --lateness 2s --rows all --unmatched {rising} {measures}")]),
        of(
            "matched-late",
            Order::OfAll,
            &[&format!("{by} --lateness 200ms --within 3s --rows all {of_match} {measures}")],
        ),
        of(
            "matched-forgotten",
            Order::OfAll,
            &[&format!("{by} --lateness 1s --ttl 2s --rows all --unmatched {of_match} {measures}")],
        ),
        of("matched-as-they-come", Order::OfKeys, &[&format!("match-pattern --by k {rising} {measures}")]),
    ]
}

fn rankings() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let best = "top-n -n 2 --by k --order v:desc --rank rank";
    vec![
        of("top-n", Order::Any, &["top-n -n 3 --by .v%4 --order v:desc,part:asc,at:asc --rank place"]),
        of("top-n-ties", Order::OfKeys, &["top-n -n 2 --by k --order .v%30:asc --ties --rank place"]),
        of(
            "top-n-windows",
            Order::Any,
            &[
                "window --time t --lateness 2s --size 5s",
                "aggregate --by k n=count total=sum:v",
                "window --time window_start --size 20s",
                "top-n --window -n 2 --order total:desc,k:asc,n:asc --rank place",
            ],
        ),
        of("top-n-of-lines", Order::Any, &[TUMBLING, "top-n --window -n 3 --by k --order v:desc,part:asc,at:asc"]),
        of(
            "top-n-late",
            Order::OfAll,
            &[
                "window --time t --lateness 200ms --size 2s --late pass",
                "top-n --window -n 3 --by k --order v:desc,at:asc",
            ],
        ),
        of("top-n-updates", Order::OfKeys, &[&format!("{best} --emit update")]),
    ]
}

fn forecasts() -> Vec<Pipeline> {
    let of = |name, flags: &str| {
        Pipeline::new(
            name,
            Order::OfKeys,
            &[&format!("forecast --by k --value v --time t --every 500ms --horizon 2 {flags}")],
        )
    };
    let forgotten = |name, flags: &str| {
        let work = format!("forecast --by k --value v,part --time t --every 500ms --horizon 2 {flags} --late drop");
        Pipeline::new(name, Order::OfAll, &[&work])
    };
    vec![
        of("forecast", ""),
        of("forecast-updates", "--emit update --model ets --refit 7 --late drop"),
        of("forecast-check", "--emit update --check --model theta --late drop"),
        forgotten("forecast-forgotten", "--ttl 3s --lateness 1s"),
        forgotten("forecast-updates-forgotten", "--ttl 3s --lateness 1s --emit update --model ets --refit 7"),
    ]
}

fn joins() -> Vec<Pipeline> {
    let of = |name, order, first, flags: &str| {
        Pipeline::new(name, order, &[first, &format!("stream-join --left .v%2==0 --right .v%3==0 {flags}")])
    };
    let fields = "--left-fields lp=part,la=at --right-fields rp=part,ra=at";
    // Long enough to fill the memory, however long a key is.
    let fat = "--left-fields la=at,fat=.k[:4]*90 --right-fields rp=part,ra=at,thin=.k[:4]";
    let near = format!("--on k --time t --within -1s..500ms --kind full {fields}");
    let spilled = format!("--on .k[:4],.v%5 --time t --within 20s --kind left --memory 1GiB {fat}");
    let kept = format!("--on k --time t --keep 1s --kind full {fields}");
    let unique = format!("--left .at%2==0 --right .at==5 --on part --unique right --kind left --others drop {fields}");
    vec![
        of("joined", Order::Any, WATERMARK, &near),
        of("joined-spilled", Order::Any, WATERMARK, &spilled),
        of("joined-windows", Order::Any, TUMBLING, "--on k --window --kind semi"),
        of("anti-joined", Order::Any, WATERMARK, "--on k --time t --within 1s --kind anti"),
        of("joined-kept", Order::OfAll, EARLY_WATERMARK, &kept),
        Pipeline::new("joined-unique", Order::Any, &[&format!("stream-join {unique}")]),
    ]
}

fn tables() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let lookup = "lookup --table-where .v%5==0 --table-delete .v%20==0 --on k=k --fields rate=v,row=at";
    vec![
        of("looked-up", Order::OfKeys, &[&format!("{lookup} --time t --lateness 2s")]),
        of("looked-up-at-once", Order::OfKeys, &[&format!("{lookup} --kind inner")]),
    ]
}

fn sorted() -> Vec<Pipeline> {
    let of = Pipeline::new;
    let updates = "aggregate --by k n=count last:at --emit update";
    vec![
        of("reordered", Order::OfKeys, &["reorder --time t --lateness 2s", updates]),
        of("reordered-late", Order::OfAll, &["reorder --time t --lateness 200ms"]),
        of("reordered-spilled", Order::OfKeys, &["reorder --time t --lateness 10s --memory 1GiB", updates]),
    ]
}
