//! The alerts and the dashboard that the project ships ask for nothing that is not told.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

const RULES: &str = include_str!("../../../../../examples/prometheus/millpipe.rules.yml");
const DASHBOARD: &str = include_str!("../../../../../examples/prometheus/millpipe-dashboard.json");

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;

/// Prometheus puts it on all that it fetches: the machine.
const INSTANCE: &str = "instance";

/// A stage of which all is known.
const ALL: &str = r#""hop":1,"shard":"0","started":"2026-12-01T00:00:00Z","longest_wait_ms":{"input":1,"output":1,"commit":1,"pace":1},
    "lines_in":1,"lines_restored":1,"bytes_in":1,"lines_settled":1,"lines_left_out":1,"lines_late":1,"lines_late_passed":1,"lines_rejected":1,
    "lines_held":1,"lines_out":1,"bytes_out":1,"elapsed_ms":1,"wait_input_ms":1,"wait_output_ms":1,"wait_commit_ms":1,"wait_pace_ms":1,
    "watermark":"2026-12-01T00:00:00Z","barrier":{"id":"r/1","latency_ms":1,"snapshot_ms":1,"snapshot_bytes":1},
    "commit":{"id":"r/1","at":"2026-12-01T00:00:00Z","ms":1},"rss_bytes":1,"cpu_ms":1,
    "facts":{"keys":1,"state_bytes":1,"spilled_bytes":1,"open_windows":1,"next_end":"2026-12-01T00:00:00Z","queue_lines":1,"queue_bytes":1,
    "partitions":[{"partition":"t/0","lag":1,"behind_ms":1}]}"#;

type Labels = BTreeSet<String>;

/// The families that are told, with their labels.
fn told() -> BTreeMap<String, Labels> {
    let pipe = Some(crate::facts::Pipe { pipe: 1, bytes: Some(1), size: Some(1) });
    let all = Stage { input: pipe, ..stage("window", 7, ALL) };
    let killed = Stage { life: Life::Killed { seen_ms: 1_000 }, ..stage("window", 8, r#""hop":2"#) };
    let mut look = look(vec![all, killed]);
    look.pipelines[0].name = "job".to_owned();
    let mut told: BTreeMap<String, Labels> = BTreeMap::new();
    for line in text(&look).lines().filter(|line| !line.starts_with('#')) {
        let series = line.rsplit_once(' ').unwrap().0;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = labels.trim_end_matches('}').split(',').filter_map(|label| label.split_once('='));
        told.entry(name.to_owned()).or_default().extend(labels.map(|(name, _)| name.to_owned()));
    }
    told
}

/// A query: the metrics with the labels that it chooses them by, and the labels that it groups by.
struct Query {
    metrics: Vec<(String, Labels)>,
    groups: Labels,
}

impl Query {
    fn of(text: &str) -> Self {
        let metrics = text.match_indices("millpipe_").map(|(at, _)| {
            let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
            let end = text[at..].find(|c| !is_name(c)).map_or(text.len(), |end| at + end);
            let chosen_by = text[end..].strip_prefix('{').map(|rest| rest.split('}').next().unwrap());
            let labels = chosen_by.unwrap_or_default().split(',').filter_map(|label| label.split(['=', '!']).next());
            (text[at..end].to_owned(), labels.filter(|label| !label.is_empty()).map(str::to_owned).collect())
        });
        let groups = ["by (", "without (", "on (", "ignoring ("].into_iter().flat_map(|word| text.split(word).skip(1));
        let groups = groups.flat_map(|rest| rest.split(')').next().unwrap().split(','));
        Self { metrics: metrics.collect(), groups: groups.map(|label| label.trim().to_owned()).collect() }
    }

    #[track_caller]
    fn names_what_is_told(&self, told: &BTreeMap<String, Labels>) {
        for (metric, chosen_by) in &self.metrics {
            let labels = told.get(metric).unwrap_or_else(|| panic!("there is no {metric}"));
            let unknown = chosen_by.iter().find(|label| !labels.contains(*label) && *label != INSTANCE);
            assert_eq!(unknown, None, "{metric} has no such label");
        }
        let unknown = self.groups.iter().find(|label| !self.labels(told).contains(*label));
        assert_eq!(unknown, None, "no metric of this query has such a label");
    }

    /// The labels of all its metrics.
    fn labels(&self, told: &BTreeMap<String, Labels>) -> Labels {
        let own = self.metrics.iter().filter_map(|(metric, _)| told.get(metric)).flatten().cloned();
        own.chain([INSTANCE.to_owned()]).collect()
    }
}

/// What stands between `{{` and `}}`.
fn in_braces(text: &str) -> Vec<&str> {
    text.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().trim()).collect()
}

#[test]
fn all_families_are_told_of_a_stage_of_which_all_is_known() {
    let told = told();
    let missing: Vec<&str> =
        OF_STAGES.iter().map(|family| family.name).filter(|name| !told.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(told["millpipe_wait_seconds_total"].contains("for") && told["millpipe_stage_up"].contains("shard"));
}

#[test]
fn the_alerts_name_metrics_and_labels_that_there_are() {
    let told = told();
    let rules: Vec<&str> = RULES.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 6);
    for rule in rules {
        let expr = rule.lines().find_map(|line| line.trim().strip_prefix("expr: ")).unwrap();
        let query = Query::of(expr);
        assert!(!query.metrics.is_empty(), "{rule}");
        query.names_what_is_told(&told);
        let labels = query.labels(&told);
        for word in in_braces(rule) {
            let label = word.strip_prefix("$labels.").map(|label| label.split(' ').next().unwrap());
            assert!(label.is_none_or(|label| labels.contains(label)), "{rule}: {word}");
            assert!(label.is_some() || word.starts_with("$value"), "{rule}: {word}");
        }
    }
}

fn panels() -> Vec<Value> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    dashboard["panels"].as_array().unwrap().clone()
}

fn queries(panel: &Value) -> Vec<&Value> {
    panel["targets"].as_array().into_iter().flatten().collect()
}

#[test]
fn the_dashboard_names_metrics_and_labels_that_there_are() {
    let told = told();
    for panel in panels() {
        let title = panel["title"].as_str().unwrap();
        let queries = queries(&panel);
        assert_eq!(queries.is_empty(), panel["type"] == "row", "{title}");
        for target in queries {
            let expr = target["expr"].as_str().unwrap();
            let query = Query::of(expr);
            assert!(!query.metrics.is_empty(), "{title}: {expr}");
            query.names_what_is_told(&told);
            for label in in_braces(target["legendFormat"].as_str().unwrap()) {
                assert!(query.labels(&told).contains(label), "{title}: {label}");
            }
            // A counter is of use by its rate alone, and a rate by the interval that fits the screen.
            assert_eq!(expr.contains("_total{"), expr.contains("[$__rate_interval]"), "{title}: {expr}");
        }
    }
}

#[test]
fn the_variables_of_the_dashboard_choose_in_each_query() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<&str> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "instance", "pipeline", "stage"]);
    let told = told();
    for variable in &variables[1..] {
        let query = variable["query"]["query"].as_str().unwrap();
        let (chosen, label) = query.strip_prefix("label_values(").unwrap().rsplit_once(", ").unwrap();
        let query = Query::of(chosen);
        query.names_what_is_told(&told);
        assert!(query.labels(&told).contains(label.trim_end_matches(')')), "{label}");
    }
    for panel in panels() {
        for target in queries(&panel) {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
            for (metric, chosen_by) in Query::of(target["expr"].as_str().unwrap()).metrics {
                let has = |label: &str| chosen_by.contains(label);
                assert!(has("instance") && has("pipeline"), "{}: {metric}", panel["title"]);
            }
        }
    }
}

/// A rectangle of the grid: columns from and to, rows from and to.
type Place = [u64; 4];

#[test]
fn panels_have_ids_of_their_own_and_do_not_overlap() {
    let panels = panels();
    assert!(panels.len() > 30);
    let ids: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let place = |panel: &Value| -> Place {
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| panel["gridPos"][name].as_u64().unwrap());
        assert!(w > 0 && h > 0 && x + w <= COLUMNS, "{}", panel["title"]);
        [x, x + w, y, y + h]
    };
    let places: Vec<Place> = panels.iter().map(place).collect();
    let overlap = |a: &Place, b: &Place| a[0] < b[1] && b[0] < a[1] && a[2] < b[3] && b[2] < a[3];
    for (at, place) in places.iter().enumerate() {
        let other = places[at + 1..].iter().position(|other| overlap(place, other));
        assert_eq!(other.map(|other| &panels[at + 1 + other]["title"]), None, "{}", panels[at]["title"]);
    }
}
