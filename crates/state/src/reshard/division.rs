//! How the state of a stage is divided, as it says itself.
//!
//! A head of one line may have a member `divides`:
//!
//! ```text
//! {…,"divides":{"by":[".user",".site"],"behind":"|","max":["/sequence"],"sum":["/groups"],"min":[],"any":["/clock"]}}
//! ```
//!
//! `by`: the names of entries are keys of these expressions (canonical texts, newlines between them), one of which may be a list of
//! expressions that give the same; with `behind`, a key is what stands behind the first such text in a name. The lists are JSON pointers to what may differ from shard to shard, and what it is together;
//! all else must be the same in all. `{"empty":true}`: this shard remembers nothing yet, and need not agree with others.
//! `lines`: some entries are lines as they came to the stage (see [`Lines`]), and their key is in them. `written`: entries are lists
//! `[number of the last line,…,count of what is to be written,…]`, and the pointer names the number below which all is written; each
//! shard has its own, so the counts are made to say it.

use std::borrow::Cow;

use checkpoint::{Entry, SnapshotReader};
use millpipe::Error;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use values::{cells_of, shard_of};

use super::lines::Lines;

/// The rule for one stage.
pub struct Division {
    stage: String,
    by: String,
    head: Vec<u8>,
    /// How many shards there were.
    old: usize,
    /// For each cell of shard's key, which cell of an entry's it is; none where names are no keys.
    cells: Option<Vec<usize>>,
    behind: Option<String>,
    lines: Option<Lines>,
    /// For each old shard, up to which number its lines are written.
    written: Option<Vec<u64>>,
}

/// An entry on its way to its new shard.
pub struct Moved {
    /// What it is called there.
    pub name: String,
    /// `["name",value]` and a newline.
    pub line: Vec<u8>,
    /// The text of its key.
    key: Vec<u8>,
}

impl Moved {
    /// Its shard, of so many.
    pub fn shard(&self, shards: usize) -> usize {
        shard_of(&self.key, shards)
    }
}

impl Division {
    /// From the snapshots of all shards. `by` is what shard divides by.
    ///
    /// # Errors
    /// When the stage does not say how, or cannot be divided so.
    pub fn new(stage: &str, by: &str, shards: &[SnapshotReader]) -> Result<Self, Error> {
        let mut heads = shards.iter().map(|shard| read_head(stage, shard.head())).collect::<Result<Vec<_>, _>>()?;
        let written = heads.iter_mut().map(take_written).collect();
        let full: Vec<&Value> = heads.iter().filter(|head| head["divides"]["empty"] != true).collect();
        let together = together(stage, if full.is_empty() { heads.iter().take(1).collect() } else { full })?;
        let rule = &together["divides"];
        let cells = match rule["by"].as_array() {
            None => None,
            Some(own) => Some(find_cells(stage, by, own)?),
        };
        let behind = rule["behind"].as_str().map(str::to_owned);
        let lines = Lines::new(&rule["lines"], by, &heads);
        let head = format!("{together}\n").into_bytes();
        Ok(Self { stage: stage.to_owned(), by: by.to_owned(), head, old: shards.len(), cells, behind, lines, written })
    }

    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// What becomes of an entry of one of the old shards.
    ///
    /// # Errors
    /// When it does not say what key it is of, or its key is not one that `shard` has sent there.
    pub fn take(&mut self, entry: &Entry<'_>, shard: usize) -> Result<Moved, Error> {
        let moved = self.key_of(entry, shard).ok_or_else(|| {
            let name = entry.key;
            Error::data(format_args!("{}: the entry {name:?} does not say what key it is of", self.stage))
        })?;
        let by_key = moved.shard(self.old);
        if by_key == shard {
            return Ok(moved);
        }
        let (stage, by, name) = (&self.stage, &self.by, entry.key);
        Err(Error::data(format_args!(
            "{stage}: the entry {name:?} is in shard {shard}, and by {by} belongs to {by_key}"
        ))
        .hint("a stage before it changes what shard divides by"))
    }

    fn key_of(&mut self, entry: &Entry<'_>, shard: usize) -> Option<Moved> {
        if let Some(lines) = self.lines.as_mut().filter(|lines| lines.has(entry.key)) {
            let name = lines.rename(entry.key, shard)?;
            let line = line_of(&name, entry.value);
            return Some(Moved { name, line, key: lines.key(entry.value)? });
        }
        let key = match &self.behind {
            None => entry.key,
            Some(behind) => entry.key.split_once(behind.as_str())?.1,
        };
        let key = cells_of(key.as_bytes(), self.cells.as_ref()?)?;
        let value = match &self.written {
            None => Cow::Borrowed(entry.value),
            Some(written) => without_what_is_written(entry.value, written[shard])?,
        };
        let line = match value {
            Cow::Borrowed(_) => entry.line.to_vec(),
            Cow::Owned(value) => line_of(entry.key, &value),
        };
        Some(Moved { name: entry.key.to_owned(), line, key })
    }
}

/// Up to which number a shard's lines are written; its head says 0 then. An empty one has written nothing.
fn take_written(head: &mut Value) -> Option<u64> {
    if head["divides"]["empty"] == true {
        return Some(0);
    }
    let pointer = head["divides"]["written"].as_str()?.to_owned();
    std::mem::replace(head.pointer_mut(&pointer)?, 0.into()).as_u64()
}

/// The value, with 0 for what is to be written if all of it is; none when it is no such value.
fn without_what_is_written(value: &[u8], written: u64) -> Option<Cow<'_, [u8]>> {
    let mut items: Vec<Box<RawValue>> = serde_json::from_slice(value).ok()?;
    let number: u64 = items.first()?.get().parse().ok()?;
    let count = items.get_mut(2)?;
    if number >= written || count.get() == "0" {
        return Some(Cow::Borrowed(value));
    }
    *count = RawValue::from_string("0".to_owned()).ok()?;
    Some(Cow::Owned(serde_json::to_vec(&items).ok()?))
}

fn line_of(name: &str, value: &[u8]) -> Vec<u8> {
    let mut line = format!("[{},", Value::from(name)).into_bytes();
    line.extend_from_slice(value);
    line.extend_from_slice(b"]\n");
    line
}

fn read_head(stage: &str, head: &[u8]) -> Result<Value, Error> {
    let head: Option<Value> = serde_json::from_slice(head).ok();
    head.filter(|head| head["divides"].is_object()).ok_or_else(|| {
        Error::data(format_args!("{stage}: its state does not say how it is divided by keys")).hint(
            "run the pipeline to the end of its input with the old number of shards, then begin with an empty folder",
        )
    })
}

/// Whether the second one is to be taken.
type IsBetter = fn(f64, f64) -> bool;

/// One head for all.
fn together(stage: &str, heads: Vec<&Value>) -> Result<Value, Error> {
    let mut one = heads[0].clone();
    let pointers = |rule: &str| -> Vec<String> {
        let list = heads[0]["divides"][rule].as_array().into_iter().flatten();
        list.filter_map(|pointer| pointer.as_str().map(str::to_owned)).collect()
    };
    let rules: [(&str, IsBetter); 2] = [("max", |a, b| b > a), ("min", |a, b| b < a)];
    let mut others: Vec<Value> = heads[1..].iter().map(|head| (*head).clone()).collect();
    for other in &mut others {
        for (rule, is_better) in rules {
            for pointer in pointers(rule) {
                take_better(&mut one, other, &pointer, is_better);
            }
        }
        for pointer in pointers("sum") {
            let theirs = other.pointer(&pointer).cloned().unwrap_or_default();
            if let Some(ours) = one.pointer_mut(&pointer) {
                add(ours, &theirs);
            }
            copy(&one, other, &pointer);
        }
        for pointer in pointers("any") {
            copy(&one, other, &pointer);
        }
    }
    for other in &others {
        let mut other = other.clone();
        for rule in ["max", "min", "sum"] {
            pointers(rule).iter().for_each(|pointer| copy(&one, &mut other, pointer));
        }
        if other != one {
            return Err(Error::data(format_args!("{stage}: its shards are not at the same place: {one} and {other}"))
                .hint(
                    "make time before the lines are divided (watermark | shard …), so that all shards have the same",
                ));
        }
    }
    Ok(one)
}

fn take_better(one: &mut Value, other: &Value, pointer: &str, is_better: IsBetter) {
    let Some(theirs) = other.pointer(pointer) else { return };
    let Some(ours) = one.pointer_mut(pointer) else { return };
    let is_taken = match (ours.as_f64(), theirs.as_f64()) {
        (Some(a), Some(b)) => is_better(a, b),
        (None, Some(_)) => ours.is_null(),
        _ => false,
    };
    if is_taken {
        *ours = theirs.clone();
    }
}

/// Adds numbers, and members of objects.
fn add(ours: &mut Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => add_members(ours, theirs),
        (ours, theirs) => {
            if let (Some(a), Some(b)) = (ours.as_u64(), theirs.as_u64()) {
                *ours = a.saturating_add(b).into();
            }
        }
    }
}

fn add_members(ours: &mut Map<String, Value>, theirs: &Map<String, Value>) {
    for (name, value) in theirs {
        match ours.get_mut(name) {
            Some(own) => add(own, value),
            None => drop(ours.insert(name.clone(), value.clone())),
        }
    }
}

fn copy(from: &Value, to: &mut Value, pointer: &str) {
    if let (Some(from), Some(to)) = (from.pointer(pointer), to.pointer_mut(pointer)) {
        *to = from.clone();
    }
}

/// Where the expressions of shard are among those of the stage.
fn find_cells(stage: &str, by: &str, own: &[Value]) -> Result<Vec<usize>, Error> {
    let is = |cell: &Value, wanted: &str| match cell {
        Value::Array(texts) => texts.iter().any(|text| text == wanted),
        text => text == wanted,
    };
    let first = |cell: &Value| cell.get(0).unwrap_or(cell).as_str().unwrap_or_default().to_owned();
    let find = |wanted: String| {
        own.iter().position(|cell| is(cell, &wanted)).ok_or_else(|| {
            let texts: Vec<String> = own.iter().map(first).collect();
            Error::data(format_args!(
                "{stage}: its keys ({}) do not tell {wanted}, by which shard divides",
                texts.join(",")
            ))
        })
    };
    line_values::expressions(by).into_iter().map(find).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn joined(heads: &[Value]) -> Result<Value, Error> {
        together("4-x", heads.iter().collect())
    }

    #[test]
    fn heads_are_joined_by_their_own_rules() {
        let rule = json!({"max":["/n"],"min":["/c/0"],"sum":["/groups"],"any":["/free"]});
        let head = |n: u64, c: i64, groups: Value, free: u64| json!({"n":n,"c":[c,5],"groups":groups,"free":free,"divides":rule});
        let joined = joined(&[head(3, 7, json!({"a":1,"b":2}), 1), head(9, 4, json!({"b":5,"c":6}), 2)]).unwrap();
        assert_eq!(joined, head(9, 4, json!({"a":1,"b":7,"c":6}), 1));
    }

    #[test]
    fn what_each_shard_has_written_is_said_by_its_entries() {
        let mut head = json!({"mode":{"written":7},"divides":{"written":"/mode/written"}});
        assert_eq!((take_written(&mut head), &head["mode"]["written"]), (Some(7), &json!(0)));
        assert_eq!(take_written(&mut json!({"divides":{"empty":true}})), Some(0));
        assert_eq!(take_written(&mut json!({"divides":{}})), None);
        let settled = |value: &'static str| {
            without_what_is_written(value.as_bytes(), 7).map(|value| String::from_utf8(value.into_owned()).unwrap())
        };
        assert_eq!(settled("[6,null,2,[1.50]]").unwrap(), "[6,null,0,[1.50]]");
        assert_eq!(settled("[7,null,2]").unwrap(), "[7,null,2]");
        assert_eq!(settled("{}"), None);
    }

    #[test]
    fn heads_that_differ_in_anything_else_are_refused() {
        let head = |watermark: u64| json!({"watermark":watermark,"divides":{}});
        assert!(joined(&[head(1), head(1)]).is_ok());
        let error = joined(&[head(1), head(1), head(2)]).unwrap_err();
        assert!(error.message.starts_with("4-x: its shards are not at the same place"), "{error}");
    }

    #[test]
    fn a_key_of_shard_is_found_among_those_of_the_stage() {
        let own = [json!(".a"), json!(".b[:1,2]"), json!(".c")];
        assert_eq!(find_cells("x", ".c,.a", &own).unwrap(), [2, 0]);
        assert!(find_cells("x", ".d", &own).unwrap_err().message.contains("its keys (.a,.b[:1,2],.c) do not tell .d"));
        let own = [json!([".a // .b", ".b // .a"]), json!([".c"])];
        assert_eq!(find_cells("x", ".c,.b // .a", &own).unwrap(), [1, 0]);
        assert!(find_cells("x", ".a", &own).unwrap_err().message.contains("its keys (.a // .b,.c) do not tell .a"));
    }
}
