use std::path::PathBuf;

use testkit::run;

const VALIDATE: &str = env!("CARGO_BIN_EXE_validate");

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(schema: &str) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("schema.json"), schema).unwrap();
        Folder(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn schema(&self) -> String {
        self.path("schema.json").to_str().unwrap().to_owned()
    }
}

const SCHEMA: &str = r#"{"properties":{"n":{"type":"integer"}}}"#;

#[test]
fn a_line_that_does_not_fit_stops_or_is_kept_aside() {
    let folder = Folder::with(SCHEMA);
    let input = "{\"n\":1}\n{\"n\":\"x\"}\n{\"n\":\"2\"}\n";
    let ran = run(VALIDATE, &["--schema", &folder.schema()], input);
    ran.fails_with(1, "validate: line 2, byte 8: .n: \"x\" is not of type \"integer\" (schema: /properties/n/type)");
    let rejects = folder.path("rejects");
    let args =
        ["--schema", &folder.schema(), "--coerce", "--on-error", "reject", "--rejects", rejects.to_str().unwrap()];
    assert_eq!(run(VALIDATE, &args, input).ok(), "{\"n\":1}\n{\"n\":2}\n");
    let kept = std::fs::read_to_string(rejects).unwrap();
    assert!(kept.ends_with("\"at\":\"line 2\",\"line\":\"{\\\"n\\\":\\\"x\\\"}\"}\n"), "{kept}");
}

#[test]
fn wrong_flags_and_schemas_teach_the_right_ones() {
    run(VALIDATE, &[], "").fails_with(2, "--schema <FILE>");
    run(VALIDATE, &["--schema", "/nowhere.json"], "")
        .fails_with(1, "validate: /nowhere.json: No such file or directory");
    let folder = Folder::with(r#"{"properties":{"n":{"type":"int"}}}"#);
    let ran = run(VALIDATE, &["--schema", &folder.schema()], "");
    ran.fails_with(2, "schema.json: .properties.n.type: \"int\" is not valid");
}

#[test]
fn any_number_of_jobs_gives_the_same() {
    let folder = Folder::with(SCHEMA);
    let input: String =
        (0..20_000).map(|n| format!("{{\"n\":\"{n}\",\"pad\":\"{}\"}}\n", "x".repeat(n % 50))).collect();
    let whole = input.replace("\"n\":\"", "\"n\":").replace("\",\"pad", ",\"pad");
    for jobs in ["1", "2", "5"] {
        let out = run(VALIDATE, &["--schema", &folder.schema(), "--coerce", "--jobs", jobs], &input).ok();
        assert!(out == whole, "--jobs {jobs}");
    }
}

#[test]
fn lines_of_other_kinds_pass() {
    let folder = Folder::with(SCHEMA);
    let input = "{\"n\":\"x\",\"k\":2}\n{\"n\":1,\"k\":1}\n{\"n\":\"x\",\"k\":1}\n";
    let ran = run(VALIDATE, &["--schema", &folder.schema(), "--where", ".k == 1", "--jobs", "1"], input);
    ran.fails_with(1, "validate: line 3, byte 30: .n: ");
    assert_eq!(ran.stdout, "{\"n\":\"x\",\"k\":2}\n{\"n\":1,\"k\":1}\n");
}
