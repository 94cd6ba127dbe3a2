//! Which stage holds up the others.

use super::*;

const HELD_UP: &str = r#""now":"output","now_ms":5,"shares":{"10s":{"busy":0.3,"input":0.1,"output":0.6}}"#;

#[test]
fn a_busy_stage_of_a_sub_pipe_is_the_bottleneck() {
    let busy = r#""now":"work","now_ms":1,"shares":{"10s":{"busy":0.97,"input":0.02,"output":0.01}}"#;
    let scene = Scene::default().ours("shard", HELD_UP).ours("aggregate", busy).ours("file-cat-out", "");
    let mut pipeline = scene.pipeline();
    let [shard, inner, sink] = &mut pipeline.stages[..] else { panic!("three stages") };
    let pipe = |pipe| Some(Pipe { pipe, ..Pipe::default() });
    (shard.held, shard.output, inner.depth) = (vec![77, 78], pipe(80), 1);
    (inner.input, inner.output, sink.input) = (pipe(77), pipe(78), pipe(80));
    let told: Vec<_> = findings(&pipeline, None, NOW).into_iter().map(|found| (found.rule, found.stage)).collect();
    assert_eq!(told, [("busy", "aggregate".to_owned())]);
}

#[test]
fn a_foreign_program_that_works_little_is_no_bottleneck() {
    let pipeline = Scene::default().ours("window", HELD_UP).foreign("jq .", 'R', None, 0).pipeline();
    let is_told = |cpu_ticks| {
        let mut now = pipeline.clone();
        let kernel = now.stages[1].kernel.unwrap();
        now.stages[1].kernel = Some(Kernel { cpu_ticks: kernel.cpu_ticks + cpu_ticks, ..kernel });
        let before = Look { at_ms: NOW - 1_000, pipelines: vec![pipeline.clone()], ..Look::default() };
        findings(&now, Some(&before), NOW).iter().any(|found| found.rule == "busy")
    };
    assert_eq!((is_told(24), is_told(95)), (false, true));
}
