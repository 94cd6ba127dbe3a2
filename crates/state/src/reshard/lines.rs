//! Entries that are lines: held by a stage, and numbered as they came.

use line_values::{Expression, LineValues};
use serde_json::Value;

/// `{"named":"line ","text":"/1","next":"/lines"}`: the names of these entries begin with `named` and end with the line's number, in
/// so many digits that they sort. `text` points to the line in an entry's value, `next` to the number of the next line in the head.
///
/// Each shard has counted for itself. So that no two lines have one number, those of a shard follow those of the shards before it,
/// as many as these have counted; lines of one key stay in their order.
pub struct Lines {
    named: String,
    text: String,
    /// For each old shard, what is added to its numbers.
    added: Vec<u64>,
    values: LineValues,
    cells: usize,
}

impl Lines {
    /// By the stage's rule, with what shard divides by, and the heads of all shards; none without a rule.
    pub fn new(rule: &Value, by: &str, heads: &[Value]) -> Option<Self> {
        let text = |name: &str| rule[name].as_str().map(str::to_owned);
        let (named, text, next) = (text("named")?, text("text")?, text("next")?);
        let mut sum = 0;
        let mut added = Vec::new();
        for head in heads {
            added.push(sum);
            sum += head.pointer(&next)?.as_u64()?;
        }
        let by = Expression::parse_list(by).ok()?;
        Some(Self { named, text, added, values: LineValues::new(&by), cells: by.len() })
    }

    pub fn has(&self, name: &str) -> bool {
        name.starts_with(&self.named)
    }

    /// The name of an entry of this shard among all.
    pub fn rename(&self, name: &str, shard: usize) -> Option<String> {
        let (begin, number) = name.split_at(name.trim_end_matches(|c: char| c.is_ascii_digit()).len());
        let sum = number.parse::<u64>().ok()?.checked_add(self.added[shard])?;
        Some(format!("{begin}{sum:0digits$}", digits = number.len()))
    }

    /// The key of the line in an entry's value.
    pub fn key(&mut self, value: &[u8]) -> Option<Vec<u8>> {
        let value: Value = serde_json::from_slice(value).ok()?;
        let found = self.values.read(value.pointer(&self.text)?.as_str()?.as_bytes()).ok()?;
        let mut key = Vec::new();
        found.write_key(0..self.cells, &mut key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(named: &str, text: &str) -> Lines {
        let heads = [json!({"n":7}), json!({"n":0}), json!({"n":9})];
        Lines::new(&json!({"named":named,"text":text,"next":"/n"}), ".k,.m", &heads).unwrap()
    }

    #[test]
    fn numbers_of_several_shards_are_one_row() {
        let lines = lines("line ", "/1");
        assert!(lines.has("line 0003") && !lines.has("\"a\""));
        let names =
            [("line 0006", 0), ("line 0000", 1), ("line 0008", 2)].map(|(name, at)| lines.rename(name, at).unwrap());
        assert_eq!(names, ["line 0006", "line 0007", "line 0015"]);
        assert_eq!(lines.rename("line ", 0), None);
    }

    #[test]
    fn the_key_is_that_of_the_line() {
        let line = Value::from(r#"{"m":[1.0],"k":"a"}"#);
        assert_eq!(lines("", "").key(line.to_string().as_bytes()).unwrap(), b"\"a\"\n[1]");
        assert_eq!(lines("", "/1").key(json!([5, line]).to_string().as_bytes()).unwrap(), b"\"a\"\n[1]");
        assert_eq!(lines("", "/1").key(b"[5]"), None);
        assert_eq!(lines("", "").key(b"\"{\""), None);
    }
}
