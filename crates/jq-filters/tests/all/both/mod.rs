//! A filter as it is, and as jaq runs it on values. That those are jq's is checked in `against_jq`.

use jq_filters::{Arguments, Filter, Numbers, Program};

fn arguments() -> Arguments {
    let mut arguments = Arguments::default();
    arguments.push_text("s", "user-\"1\"é");
    arguments.push_json("n", "2.50").unwrap();
    arguments.push_json("o", "{\"b\": [1, 2.0, -0], \"a\":\"\\u0041\"}").unwrap();
    arguments
}

/// The filter both ways; none when it is no filter.
pub fn both(code: &str) -> Option<(bool, Filter, Filter)> {
    let program = Program::new(code, arguments()).ok()?;
    let jaq = program.clone().without_raw();
    Some((program.is_raw(), program.filter(1 << 16), jaq.filter(1 << 16)))
}

fn results(filter: &mut Filter, line: &str) -> Result<Vec<String>, String> {
    let text = |result: &[u8]| String::from_utf8(result.to_vec()).unwrap();
    let results = filter.run(line.as_bytes()).map_err(|failure| format!("{failure:?}"))?;
    Ok(results.iter().map(text).collect())
}

fn truth(filter: &mut Filter, line: &str) -> Result<bool, String> {
    filter.passes(line.as_bytes()).map_err(|failure| format!("{failure:?}"))
}

pub fn assert_same(code: &str, lines: &[String]) {
    let Some((_, raw, jaq)) = both(code) else { return };
    assert_equal(code, raw, jaq, lines);
}

/// The same for exact numbers, on bytes and in jaq.
#[allow(dead_code)]
pub fn assert_same_decimals(code: &str, lines: &[String]) {
    let Ok(program) = Program::with_numbers(code, arguments(), Numbers::Decimals) else { return };
    let jaq = program.clone().without_raw();
    assert_equal(code, program.filter(1 << 16), jaq.filter(1 << 16), lines);
}

fn assert_equal(code: &str, mut raw: Filter, mut jaq: Filter, lines: &[String]) {
    for line in lines {
        assert_eq!(results(&mut raw, line), results(&mut jaq, line), "{code} on {line}");
        assert_eq!(truth(&mut raw, line), truth(&mut jaq, line), "truth of {code} on {line}");
    }
}
