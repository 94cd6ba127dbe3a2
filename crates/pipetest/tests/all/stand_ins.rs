//! The stand-ins: the flags of the Kafka tools, on topics that are files.

use crate::scene::Scene;

/// A topic of two partitions, read with these flags; what comes out must be this.
fn reads(flags: &str, expected: &str) {
    let scene = Scene::new(&format!(
        "[[test]]\nname = 'x'\nrun = 'kafka-cat-in {flags}'\n[test.in.t]\nenvelope = true\n0 = '''\n\
         {{\"key\":\"k\",\"timestamp\":1000,\"value\":1}}\n{{\"timestamp\":2000,\"value\":2}}\n{{\"timestamp\":3000,\"value\":null}}\n\
         {{\"timestamp\":4000,\"value\":3}}\n'''\n1 = '''\n{{\"timestamp\":2500,\"headers\":{{\"h\":\"x\"}},\"value\":4}}\n'''\n\
         [test.stdout]\nlines = '''\n{expected}\n'''\n"
    ));
    scene.passes();
}

#[test]
fn a_topic_is_read_as_flags_say() {
    reads("-t t -e", "1\n2\n3\n4");
    reads("-t t", "1\n2\n3\n4");
    reads("-t t -c 2", "1\n2");
    reads("-t t -p 1 -e", "4");
    reads("-t t -o -1 -e", "3\n4");
    reads("-t t -o 1 -e", "2\n3");
    reads("-t t -o @2 --until @3", "2\n4");
    reads("-t t --until 1", "1\n4");
    reads("-t t --instance 2/2 -e", "4");
    reads("-t ^[st]$ -e", "1\n2\n3\n4");
    reads("-t t -e --align 1s", "1\n4\n2\n3");
    reads("-t t -e --text", "\"1\"\n\"2\"\n\"3\"\n\"4\"");
    reads(
        "-t t -p 1 -e --envelope",
        r#"{"topic":"t","partition":1,"offset":0,"timestamp":2500,"key":null,"headers":[{"name":"h","value":"x"}],"value":4}"#,
    );
    let marks = r#"{"$":"from","part":"t/0"}
{"$":"from","part":"t/1"}
{"$":"from","part":"t/0"}
1
2
3
{"$":"idle","part":"t/0","final":true}
{"$":"from","part":"t/1"}
4
{"$":"idle","part":"t/1","final":true}"#;
    reads("-t t -e --marks", marks);
}

#[test]
fn what_is_not_there_is_told_in_the_tools_words() {
    let said = |run: &str, code: i32, words: &str| {
        let test =
            format!("[[test]]\nname = 'x'\nrun = \"{run}\"\nexpect = {{ exit = {code}, messages = [\"{words}\"] }}\n");
        Scene::new(&test).passes();
    };
    said("kafka-cat-in -t none -e", 1, "kafka-cat-in: topic 'none' does not exist".replace('\'', "\\\"").as_str());
    said("kafka-cat-in -t t -e --nonsense", 2, "kafka-cat-in: unexpected argument '--nonsense'");
    said("kafka-cat-in -t t -o stored", 2, "kafka-cat-in: -o stored needs a group");
    said("kafka-cat-in -b ftp://x -t t", 2, "kafka-cat-in: ");
    said("echo 1 | kafka-cat-out -t none", 1, "kafka-cat-out: hint: --create 4 makes it");
    said("echo '{}' | kafka-cat-out --topic-field a -t t --create 1 -X no.such=1", 2, "unknown property");
}

#[test]
fn lines_go_where_they_say_and_keys_to_their_partitions() {
    let test = r#"
[[test]]
name = "routes"
run = "kafka-cat-out --topic-field to -t rest --drop-topic-field --key k --headers h --create 4"
stdin = '''
{"to":"a","k":"21","h":{"x":"y"}}
{"k":"foobar"}
{"k":"21"}
'''
[test.out.a]
envelope = true
partitions = 4
lines = '{"topic":"a","partition":0,"key":"21","headers":[{"name":"x","value":"y"}],"value":{"k":"21","h":{"x":"y"}}}'
[test.out.rest]
partitions = 4
0 = '{"k":"21"}'
2 = '{"k":"foobar"}'
"#;
    Scene::new(test).passes();
}

#[test]
fn a_group_goes_on_where_it_stopped() {
    let test = r#"
[[test]]
name = "in two runs"
run = "kafka-cat-in -t t -G g -c 2 && echo 0 && kafka-cat-in -t t -G g -e && kafka-cat-in -t t -G g -e"
in.t = "1\n2\n3"
stdout = "1\n2\n0\n3"
"#;
    Scene::new(test).passes();
}

#[test]
fn what_comes_while_the_pipeline_runs_is_read_and_an_idle_partition_holds_no_time() {
    let test = r#"
[[test]]
name = "idle"
run = "kafka-cat-in -t t --marks | window --size 10s | aggregate n=count"
[test.in.t]
0 = '''
{"timestamp":"2026-01-01T00:00:01Z"}
@idle
@sleep 300ms
@end
{"never":"comes"}
'''
1 = '''
{"timestamp":"2026-01-01T00:00:02Z"}
@sleep 100ms
{"timestamp":"2026-01-01T00:00:30Z"}
'''
[test.stdout]
where = ".n"
lines = "2\n1"
"#;
    Scene::new(test).passes();
}

const EXACTLY_ONCE: &str = r#"
run = "job.sh"
[[test]]
name = "exactly once, and late lines are kept"
in.in = '''
{"timestamp":"2026-01-01T00:00:01Z","key":"a"}
{"timestamp":"2026-01-01T00:00:21Z","key":"b"}
{"timestamp":"2026-01-01T00:00:02Z","key":"c"}
nonsense
'''
out.out = { where = "[.key, .n]", lines = '["a",1]' }
out.bad = { where = "[.by, .line]", lines = '''
["kafka-cat-in","nonsense"]
["window","{\"timestamp\":\"2026-01-01T00:00:02Z\",\"key\":\"c\"}"]
''', order = "any" }
stage.window.late = 1
stage.kafka-cat-in.rejected = 1
end = "stop"
"#;

#[test]
fn a_pipeline_with_checkpoints_commits_results_and_dead_letters() {
    let job = "set -o pipefail\ntrap : TERM\nkafka-cat-in -t in -G job --exactly-once --state state | window --size 10s --late reject \\\n  \
               | aggregate --by key n=count | kafka-cat-out -t out --exactly-once --dead-letter bad\n";
    let scene = Scene::new(EXACTLY_ONCE);
    scene.write("job.sh", job);
    // It stops as by SIGTERM: the window of b stays open, and in the state.
    scene.passes();
}

#[test]
fn a_second_run_goes_on_from_the_first_ones_state() {
    let one = "kafka-cat-in -t in -G job --exactly-once --state state --no-drain -e | aggregate n=count | kafka-cat-out -t out --exactly-once";
    let test = format!(
        "[[test]]\nname = 'twice'\nrun = '''{one} && echo 5 | kafka-cat-out -t in && {}'''\nin.in = \"1\\n2\"\nout.out = '{{\"count\":3}}'\n",
        one.replace(" --no-drain", "")
    );
    let test = test.replace("n=count", "count");
    Scene::new(&test).passes();
}
