//! Prometheus' own check of the text and of the alerts: `cargo test --release -p pipes --test promtool -- --ignored`, where promtool is
//! installed (in Debian it is in the package prometheus). What needs no promtool is in the unit tests.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use testkit::run;
use time_text::format_rfc3339;

fn promtool(arguments: &[&str], stdin: Option<File>) {
    let mut command = Command::new("promtool");
    command.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/prometheus"));
    if let Some(stdin) = stdin {
        command.stdin(stdin);
    }
    let told = command.output().expect("promtool is needed");
    let text = [told.stdout, told.stderr].concat();
    assert!(told.status.success(), "promtool {arguments:?}: {}", String::from_utf8_lossy(&text));
}

#[test]
#[ignore = "needs promtool, which is no part of what the project installs"]
fn the_alerts_do_what_they_say() {
    promtool(&["check", "config", "prometheus.yml"], None);
    promtool(&["check", "rules", "millpipe.rules.yml"], None);
    promtool(&["test", "rules", "millpipe.rules.test.yml"], None);
}

/// Each query of the dashboard as a rule: promtool takes the language apart as Prometheus does.
#[test]
#[ignore = "needs promtool, which is no part of what the project installs"]
fn the_queries_of_the_dashboard_are_of_the_language() {
    let dashboard = include_str!("../../../examples/prometheus/millpipe-dashboard.json");
    let dashboard: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions = targets.map(|target| target["expr"].as_str().unwrap().replace("$__rate_interval", "5m"));
    let rule = |(at, expr): (usize, String)| serde_json::json!({"record": format!("query_{at}"), "expr": expr});
    let rules: Vec<serde_json::Value> = expressions.enumerate().map(rule).collect();
    assert!(rules.len() > 30);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("queries.yml");
    fs::write(&file, serde_json::json!({"groups": [{"name": "dashboard", "rules": rules}]}).to_string()).unwrap();
    promtool(&["check", "rules", file.to_str().unwrap()], None);
}

#[test]
#[ignore = "needs promtool, which is no part of what the project installs"]
fn promtool_finds_no_fault_in_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    let now = format_rfc3339(i64::try_from(now).unwrap());
    // This process stands for a stage that runs, so that all families have values.
    let pid = std::process::id();
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let ticks = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap();
    let dead =
        include_str!("cli/dead.json").trim().replace("PID", &pid.to_string()).replace("NOW", &now).replace("PIPE", "7");
    let ended = format!(",\"ended\":{{\"at\":\"{now}\",\"code\":0}}");
    let running = dead.replace(&ended, "").replace("\"start_ticks\":1", &format!("\"start_ticks\":{ticks}"));
    assert_ne!(dead, running);
    fs::write(folder.path().join(format!("window.{pid}.json")), running).unwrap();
    let text = run(env!("CARGO_BIN_EXE_pipes"), &["export", "--metrics", folder.path().to_str().unwrap()], "").ok();
    assert!(text.contains("millpipe_watermark_timestamp_seconds{"), "{text}");
    let file = folder.path().join("metrics.txt");
    fs::write(&file, text).unwrap();
    promtool(&["check", "metrics"], Some(File::open(file).unwrap()));
}
