//! The other ways: cut, shuffled, killed.

use crate::scene::Scene;

const SUMS: &str = r#"
[[test]]
name = "sums"
stdin = { command = "generate --lines 300 --keys 3 --event-rate 10/s" }
stdout = { check = ["(map(.n) | add) == 300"] }
also.cuts = 5
"#;

#[test]
fn cuts_change_nothing_and_are_counted() {
    let run = "run = 'window --size 10s | aggregate --by key n=count sum:value'\n";
    let ran = Scene::new(&format!("{run}{SUMS}")).passes();
    assert!(ran.stdout.contains(" ms, 6 runs)"), "{}", ran.stdout);
}

/// It takes what one read gives for a line.
const READS_PIECES: &str = "exec perl -e 'while (sysread(STDIN, $piece, 65536)) { chomp $piece; \
                            syswrite(STDOUT, length($piece) . \"\\n\") }'";

#[test]
fn a_stage_that_minds_how_its_input_is_cut_is_caught_and_named_and_replayed() {
    let scene = Scene::new(
        "path = ['bin']\n[[test]]\nname = 'pieces'\nrun = 'window | cat'\nstdin = \"{}\\n{}\\n{}\"\nstdout = '8'\nalso.cuts = 10\n",
    );
    // Under the name of a stage of ours its input is cut.
    scene.program("bin/window", READS_PIECES);
    let ran = scene.fails(&[
        "when it is cut ",
        // Its name is that of its program, which the script becomes: window, then perl.
        "the first stage that wrote something else than when it is run as it is: 1 ",
    ]);
    let seed = ran.stdout.split("--seed ").nth(1).unwrap().split(')').next().unwrap().to_owned();
    let again = scene.run(&["--seed", &seed, "."]);
    assert!(again.stdout.contains(&format!("when it is cut 1 (--seed {seed})")), "{}", again.stdout);
}

const ORDER: &str = r#"
[[test]]
name = "within the lateness the order is all the same"
in.requests = '''
{"timestamp":"2026-01-01T00:00:01Z"}
{"timestamp":"2026-01-01T00:00:03Z"}
{"timestamp":"2026-01-01T00:00:09Z"}
{"timestamp":"2026-01-01T00:00:10Z"}
{"timestamp":"2026-01-01T00:00:14Z"}
{"timestamp":"2026-01-01T00:00:19Z"}
{"timestamp":"2026-01-01T00:00:20Z"}
'''
stdout = { where = ".n", lines = "3\n3\n1" }
also.shuffle = "5s"
"#;

#[test]
fn shuffled_lines_give_the_same_when_the_lateness_is_enough() {
    let run = |lateness: &str| {
        let run =
            format!("run = 'kafka-cat-in -t requests | window --size 10s --lateness {lateness} | aggregate n=count'\n");
        Scene::new(&format!("{run}{ORDER}"))
    };
    run("5s").passes();
    // With some seeds no line is late.
    let hasty = run("1ms");
    let fails = (0..10).any(|seed: u32| {
        let ran = hasty.run(&["--seed", &seed.to_string(), "."]);
        ran.stdout.contains(&format!("when it is shuffled (--seed {seed})"))
    });
    assert!(fails, "no order of ten was told");
}

#[test]
fn another_number_of_shards_gives_the_same_lines() {
    let test = |run: &str| {
        Scene::new(&format!(
            "[[test]]\nname = 'sharded'\nrun = \"{run}\"\nstdin = {{ command = 'generate --lines 300 --keys 5 --event-rate 10/s' }}\n\
             stdout = {{ order = 'any', check = ['(map(.n) | add) == 300'] }}\nalso.shards = [1, 3]\n"
        ))
    };
    let ran = test("shard --by key -n 2 -- 'window --size 10s | aggregate --by key n=count'").passes();
    assert!(ran.stdout.contains(" ms, 3 runs)"), "{}", ran.stdout);
    test("window --size 10s | aggregate --by key n=count").fails(&["also.shards, and the script runs no shard"]);
    // Each shard counts for itself.
    let whole = test("shard --by key -n 2 -- 'aggregate n=count'");
    whole.write("t.pipetest.toml", &whole.read("t.pipetest.toml").replace("check = [", "check = ['length == 2', "));
    whole.fails(&["when it is run with 1 shards:", "check 'length == 2' is not true of 1 line"]);
}

const JOB: &str = "set -euo pipefail\nkafka-cat-in -t in -G job --exactly-once --state state --interval 20ms \\\n  \
                   | window --size 10s | aggregate --by key n=count \\\n  | kafka-cat-out -t out --exactly-once\n";

const KILLS: &str = r#"
run = "job.sh"
[[test]]
name = "killed"
in.in = { command = "generate --lines 400 --keys 3 --event-rate 10/s" }
out.out.check = ["(map(.n) | add) == 400", "group_by([.window_start, .key]) | all(length == 1)"]
also.kills = 4
"#;

#[test]
fn an_exactly_once_pipeline_survives_its_kills() {
    let scene = Scene::new(KILLS);
    scene.write("job.sh", JOB);
    scene.passes();
}

#[test]
fn a_pipeline_that_is_not_exactly_once_does_not() {
    let scene = Scene::new(KILLS);
    let careless = JOB.replace(" --exactly-once --state state --interval 20ms", "").replace(" --exactly-once", "");
    scene.write("job.sh", &careless);
    scene.fails(&["when it is killed (--seed 42)"]);
}
