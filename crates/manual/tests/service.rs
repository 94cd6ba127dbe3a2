//! The units in examples/ are right, and the script of a job ends well when systemd stops it.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use manual::shell::Folder;
use testkit::Broker;

#[test]
fn systemd_finds_nothing_to_say_about_the_unit() {
    // It looks whether the program is there: here it is the script beside it.
    let ran = Folder::new(None).run(
        "cp examples/requests-10s.sh job.sh
        sed \"s|=/usr/local/lib/millpipe/requests-10s.sh|=$PWD/job.sh|\" examples/requests-10s.service > requests-10s.service
        grep -q \"^ExecStart=$PWD/job.sh$\" requests-10s.service
        systemd-analyze verify --man=no \"$PWD/requests-10s.service\"",
    );
    assert!(ran.is_good(), "{}", ran.shown);
    assert_eq!(ran.shown, "");
}

/// The unit of the metrics, and a job with the drop-in that has it write there.
#[test]
fn systemd_finds_nothing_to_say_about_the_unit_of_the_metrics() {
    let ran = Folder::new(None).run(
        "printf '#!/bin/sh\n' | tee pipes job.sh > /dev/null
        chmod +x pipes job.sh
        sed \"s|=/usr/local/bin/pipes |=$PWD/pipes |\" examples/prometheus/millpipe-metrics.service > millpipe-metrics.service
        grep -q \"^ExecStart=$PWD/pipes listen \" millpipe-metrics.service
        sed \"s|=/usr/local/lib/millpipe/requests-10s.sh|=$PWD/job.sh|\" examples/requests-10s.service > requests-10s.service
        mkdir requests-10s.service.d
        cp examples/prometheus/metrics.conf requests-10s.service.d/
        systemd-analyze verify --man=no \"$PWD/millpipe-metrics.service\" \"$PWD/requests-10s.service\"",
    );
    assert!(ran.is_good(), "{}", ran.shown);
    assert_eq!(ran.shown, "");
}

/// Its command line, with another folder and a port that is free.
#[test]
fn the_unit_of_the_metrics_serves_what_jobs_write() {
    let ran = Folder::new(None).run(
        r#"unit=examples/prometheus/millpipe-metrics.service
        command=$(sed -n 's|^ExecStart=/usr/local/bin/||p' "$unit" | sed "s|/run/millpipe|$PWD/metrics|; s|:9469|:0|")
        job=$(sed -n 's|^Environment=MILLPIPE_METRICS=||p' examples/prometheus/metrics.conf)
        grep -q "^RuntimeDirectory=${job#/run/}$" "$unit"
        MILLPIPE_METRICS=$PWD/metrics generate --lines 100 > lines
        $command 2> said &
        until grep -qs http said; do sleep 0.05; done
        curl -s "$(sed -n 's/^pipes: //p' said)" | grep -c '^millpipe_stage_up{.*stage="generate"'
        kill -TERM $!
        wait $!"#,
    );
    assert!(ran.is_good(), "{}", ran.shown);
    assert_eq!(ran.shown, "1\n");
}

/// Three thousand lines of thirty seconds; the job gets a SIGTERM in all its processes, as systemd sends it, and is started again.
const STOPPED: &str = r#"
generate --lines 3000 --keys 2 --event-rate 100/s | kafka-cat-out -b localhost:9092 -t live --create 2 --key key
export BROKERS=localhost:9092 FROM=live TO=live-10s STATE_DIRECTORY=$PWD/state
set -m
examples/requests-10s.sh &
until [[ -s state/committed ]]; do kill -0 $!; sleep 0.05; done
kill -TERM -- -$!
wait $!
set +m
UNTIL=end examples/requests-10s.sh
kafka-cat-in -b localhost:9092 -t live-10s -e | jq -s -c '[length, (map(.n) | add)]'
"#;

#[test]
fn a_stop_by_systemd_commits_what_was_read_and_the_next_start_goes_on() {
    let broker = Broker::start();
    let ran = Folder::new(Some(&broker)).run(STOPPED);
    assert!(ran.is_good(), "{}", ran.shown);
    assert!(ran.shown.ends_with("[6,3000]\n"), "{}", ran.shown);
}
