//! Runs that write, commit, fail, die and crash in any order: what is visible is what is committed, each line once.

use crate::world;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use world::{Step, World};

/// Flags of runs that can follow each other on the same folder.
const PARTS: [&str; 6] = [
    "/out",
    "/out --partition-by k --dead-letter /rejects",
    "/out --partition-by k --part-size 60B --buffer 64B",
    "/out --partition-by k --part-size 60B --dead-letter /rejects",
    "/out --part-age 50ms --compress zst --dead-letter /rejects --buffer 0",
    "/out --compress gz",
];

const SINGLE: [&str; 1] = ["--single /out/all.ndjson --dead-letter /out/rejects.ndjson"];
const SINGLE_PACKED: [&str; 1] = ["--single /out/all.ndjson.zst --compress zst"];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        20 => (0..3_u8).prop_map(Step::Line),
        3 => Just(Step::Reject),
        8 => Just(Step::Commit),
        2 => (0..80_i64).prop_map(Step::Wait),
        2 => any::<u8>().prop_map(Step::Die),
        2 => any::<u64>().prop_map(Step::Crash),
        2 => (0..20_u64).prop_map(Step::Fail),
        2 => (0..30_u64, any::<u64>()).prop_map(|(ahead, seed)| Step::PowerCut(ahead, seed)),
    ]
}

fn check(flags: &'static [&'static str]) {
    let config = Config { cases: 3000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[4; 32]));
    let result = runner.run(&prop::collection::vec(step(), 0..60), |steps| {
        let mut world = World::new(flags);
        steps.iter().for_each(|step| world.step(step));
        world.finish();
        Ok(())
    });
    result.unwrap();
}

#[test]
fn what_is_visible_in_a_folder_is_what_is_committed() {
    check(&PARTS);
}

#[test]
fn what_a_single_file_has_at_a_start_is_what_is_committed() {
    check(&SINGLE);
}

#[test]
fn a_compressed_single_file_ends_with_a_whole_member() {
    check(&SINGLE_PACKED);
}

/// One short life, cut off at each of its operations, with and without what was not synced.
#[test]
fn a_crash_at_any_operation_loses_and_doubles_nothing() {
    for flags in [&PARTS[1..2], &PARTS[3..4], &PARTS[4..5], &SINGLE[..]] {
        for seed in 0..8 {
            for ahead in 0..130 {
                let mut world = World::new(flags);
                let life = [Step::Line(0), Step::Line(1), Step::Commit, Step::Line(0), Step::Reject, Step::Commit];
                life.iter().for_each(|step| world.step(step));
                world.step(&Step::PowerCut(ahead, seed));
                for _ in 0..3 {
                    life.iter().for_each(|step| world.step(step));
                }
                world.finish();
            }
        }
    }
}
