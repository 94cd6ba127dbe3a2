//! The stand-ins and the real tools agree: the same scripts, with a broker in a folder and with a real one.
//!
//! What is another one in each run (times of messages, names of checkpoints) the scripts leave out themselves.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

use testkit::{Broker, Ran};

const TOOLS: [&str; 6] = ["pipetest", "kafka-cat-in", "kafka-cat-out", "aggregate", "generate", "window"];

/// Each finds the topic `t`, with three partitions and lines by key.
const SCRIPTS: [(&str, &str); 12] = [
    ("partitions of keys", "for p in 0 1 2; do kafka-cat-in -t t -e -p $p; echo; done"),
    ("envelopes", "for p in 0 1 2; do kafka-cat-in -t t -e -p $p --envelope | jq -c 'del(.timestamp)'; done"),
    ("one partition, with marks", "kafka-cat-in -t t -e -p 1 --marks"),
    ("from and until", "kafka-cat-in -t t -p 1 -o 2 --until 5; echo; kafka-cat-in -t t -p 1 -o -3 -e; echo; kafka-cat-in -t t -p 2 -c 2"),
    ("forms", "kafka-cat-in -t t -p 1 -e --text -c 3; kafka-cat-in -t t -p 1 -e --tag from -c 3; kafka-cat-in -t ^t$ --instance 2/3 -e"),
    ("a group", "kafka-cat-in -t t -G g -p 1 -c 4; echo; kafka-cat-in -t t -G g -p 1 -e; echo; kafka-cat-in -t t -G g -p 1 -e"),
    (
        "routes, headers and partitions of lines",
        "printf '%s\\n' '{\"to\":\"r-a\",\"p\":1,\"h\":{\"x\":\"1\"}}' '{\"to\":\"r-b\",\"k\":\"z\"}' '{\"p\":0}' \\
         | kafka-cat-out --topic-field to -t r-rest --drop-topic-field --partition-field p --headers h --key k --create 2
         for t in r-a r-b r-rest; do for p in 0 1; do kafka-cat-in -t $t -p $p -e --envelope | jq -c 'del(.timestamp)'; done; done",
    ),
    (
        "copies",
        "kafka-cat-in -t t -e -p 1 --envelope | kafka-cat-out -t copy --envelope --create 3
         kafka-cat-in -t copy -e -p 1 --envelope | jq -c 'del(.topic)' | cmp - <(kafka-cat-in -t t -e -p 1 --envelope | jq -c 'del(.topic)')",
    ),
    (
        "exactly once, in two runs, with dead letters",
        "job() { kafka-cat-in -t e -G e --exactly-once --state e.state -e $1 | window --size 10s --late reject | aggregate --by key n=count \\
                 | kafka-cat-out -t e-out --create 1 --exactly-once --dead-letter e-bad; }
         line() { printf '{\"timestamp\":\"2026-01-01T00:00:%sZ\",\"key\":\"%s\"}\\n' \"$@\"; }
         { line 01 a; line 12 b; line 02 c; echo nonsense; } | kafka-cat-out -t e --create 1 --on-error skip 2> /dev/null
         job --no-drain; { line 15 b; line 31 a; } | kafka-cat-out -t e; job
         kafka-cat-in -t e-out -e; kafka-cat-in -t e-bad -e",
    ),
    ("no topic", "kafka-cat-in -t none -e || echo $?; echo 1 | kafka-cat-out -t none || echo $?"),
    (
        "bad lines",
        "printf '%s\\n' nonsense '{\"p\":7}' '{\"k\":[1]}' \"\\\"$(head -c 1100000 /dev/zero | tr '\\0' x)\\\"\" '{\"ok\":1}' \\
         | kafka-cat-out -t bad --create 1 --partition-field p --key k --on-error reject --rejects rejects || echo $?
         jq -c '[.by, .why[:60]]' rejects; kafka-cat-in -t bad -e",
    ),
    (
        "flags that are wrong",
        "kafka-cat-in -t t -o stored || echo $?; kafka-cat-in -t t -p 5 -e || echo $?; kafka-cat-in -t t -X no.such=1 || echo $?
         echo 1 | kafka-cat-out -t a/b || echo $?; echo 1 | kafka-cat-out || echo $?",
    ),
];

const BEGIN: &str =
    "generate --lines 40 --keys 6 --seed 7 | jq -c '{key, value}' | kafka-cat-out -t t --create 3 --key key";

fn run(script: &str, folder: &Path, path: &str, brokers: &str) -> Ran {
    let script = format!("set -o pipefail\n{script}");
    Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder)
        .env("PATH", path)
        .env("MILLPIPE_KAFKA_BOOTSTRAP_SERVERS", brokers)
        .env("PIPETEST_BROKER", folder.join("broker"))
        .env_remove("MILLPIPE_METRICS")
        .stdin(Stdio::null())
        .output()
        .unwrap()
        .into()
}

#[test]
fn the_stand_ins_and_the_real_tools_give_the_same() {
    let real_path = testkit::path_with(&TOOLS);
    let (real, stand_in) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let links = tempfile::tempdir().unwrap();
    for tool in ["kafka-cat-in", "kafka-cat-out"] {
        symlink(testkit::bin("pipetest"), links.path().join(tool)).unwrap();
    }
    let path = format!("{}:{real_path}", links.path().display());
    let broker = Broker::shared();
    for (name, script) in std::iter::once(("begin", BEGIN)).chain(SCRIPTS) {
        let with_broker = run(script, real.path(), &real_path, broker.address());
        let without = run(script, stand_in.path(), &path, "pipetest:9092");
        assert_eq!(
            without.stdout, with_broker.stdout,
            "{name}: {}\nand with a broker: {}",
            without.stderr, with_broker.stderr
        );
        assert_eq!(without.stderr, with_broker.stderr, "{name}");
        assert_eq!(without.code, with_broker.code, "{name}: {}", without.stderr);
    }
}
