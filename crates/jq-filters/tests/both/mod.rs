//! A filter as it is, and as jaq alone runs it.

use jq_filters::{Arguments, Filter, Numbers, Program};

fn arguments() -> Arguments {
    let mut arguments = Arguments::default();
    arguments.push_text("s", "user-\"1\"é");
    arguments.push_json("n", "2.50").unwrap();
    arguments.push_json("o", "{\"b\": [1, 2.0, -0], \"a\":\"\\u0041\"}").unwrap();
    arguments
}

/// jaq's own deletes one path after another, and spoils the order of members: this is jq's, without a function of ours.
const DEL: &str = r#"def del(f): reduce ([path(f)] | unique | reverse[]) as $p (.;
    getpath($p[:-1]) as $in | if $in == null then .
        elif $in | type == "object" then getpath($p[:-1]) |= with_entries(select(.key != $p[-1]))
        elif $in | length <= $p[-1] then . else getpath($p) |= empty end);"#;

/// The filter both ways; none when it is no filter.
pub fn both(code: &str) -> Option<(bool, Filter, Filter)> {
    let program = Program::new(code, arguments()).ok()?;
    let del = if code.contains("del(") { DEL } else { "" };
    let jaq = Program::of_jaq_alone(&format!("{del}{code}"), arguments()).ok()?;
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
