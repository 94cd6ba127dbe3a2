use testkit::conformance::{Stage, stage};

const FORECAST: &str = env!("CARGO_BIN_EXE_forecast");
const LINE: &str = r#"{"timestamp":"2026-01-01T00:00:05Z","value":1,"host":"a"}"#;

#[test]
fn forecast_keeps_the_contract() {
    let args = ["--by", "host", "--horizon", "2", "--every", "1s"];
    stage(&Stage { bin: FORECAST, args: &args, good_line: LINE, one_to_one: false });
}
