//! The project to copy, and the script that is shipped with a unit.

use std::path::{Path, PathBuf};

use crate::scene::Scene;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

#[test]
fn the_tests_of_the_project_to_copy_pass() {
    let ran = Scene::new("").run(&[root().join("examples/tested-pipeline").to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn the_script_of_the_unit_is_run_as_it_is() {
    let script = root().join("examples/requests-10s.sh");
    let test = format!(
        "run = '{}'\nenv = {{ BROKERS = 'kafka:9092', FROM = 'requests', TO = 'sums', STATE_DIRECTORY = 'state' }}\n\
         [[test]]\nname = 'sums'\nin.requests = '''\n{{\"timestamp\":\"2026-01-01T00:00:01Z\",\"key\":\"a\",\"value\":2}}\n\
         {{\"timestamp\":\"2026-01-01T00:00:02Z\",\"key\":\"a\",\"value\":3}}\n'''\n\
         out.sums = {{ where = '[.key, .n, .total]', lines = '[\"a\",2,5]' }}\nout.sums-late = ''\n",
        script.display()
    );
    Scene::new(&test).passes();
}
