//! A folder with files of tests, and running them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use testkit::Ran;

/// What the pipelines of these tests are made of; kafka-cat-in and kafka-cat-out are stood in for, and not there.
const TOOLS: [&str; 6] = ["pipetest", "aggregate", "filter", "generate", "shard", "window"];

pub struct Scene {
    dir: TempDir,
}

impl Scene {
    /// With this file of tests, `t.pipetest.toml`.
    pub fn new(tests: &str) -> Self {
        let scene = Self { dir: tempfile::tempdir().unwrap() };
        scene.write("t.pipetest.toml", tests);
        scene
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A program that the shell can start.
    pub fn program(&self, name: &str, text: &str) {
        self.write(name, &format!("#!/bin/bash\n{text}\n"));
        fs::set_permissions(self.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    pub fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(tester());
        command.current_dir(self.path()).args(args).env_remove("MILLPIPE_METRICS");
        command.output().unwrap().into()
    }

    /// Runs all tests of the folder; they must pass.
    pub fn passes(&self) -> Ran {
        let ran = self.run(&["."]);
        assert_eq!(ran.code, Some(0), "{}{}", ran.stdout, ran.stderr);
        ran
    }

    /// Runs all tests of the folder; one must fail, with these words.
    pub fn fails(&self, words: &[&str]) -> Ran {
        let ran = self.run(&["."]);
        assert_eq!(ran.code, Some(1), "{}{}", ran.stdout, ran.stderr);
        for word in words {
            assert!(ran.stdout.contains(word), "no {word:?} in:\n{}", ran.stdout);
        }
        ran
    }
}

fn tester() -> PathBuf {
    let _ = testkit::path_with(&TOOLS);
    testkit::bin("pipetest")
}
