//! The unit in examples/ is right, and its script ends well when systemd stops it.
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
