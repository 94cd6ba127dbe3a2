use std::collections::BTreeMap;

use proptest::prelude::*;
use sorted_runs::Memory;

use super::*;
use crate::slots::hash;

/// A text that takes as much memory as it is long.
#[derive(Debug, Default, Clone, PartialEq)]
struct Text(String);

impl Footprint for Text {
    fn heap_bytes(&self) -> usize {
        self.0.len()
    }
}

fn write(text: &Text, out: &mut Vec<u8>) {
    json(&text.0, out);
}

fn json(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{text:?}").as_bytes());
}

fn read(from: &mut StateReader<'_>) -> Option<Text> {
    from.string().map(|text| Text(String::from_utf8_lossy(&text).into_owned()))
}

fn frame(head: &u32, out: &mut Vec<u8>, value: &mut dyn FnMut(&mut Vec<u8>)) {
    out.extend_from_slice(format!("[{head},").as_bytes());
    value(out);
    out.push(b']');
}

fn load(keyed: &mut SpillingKeyed<u32, Text>, key: &str, value: &str) -> Result<(), Error> {
    keyed.load(key, value.as_bytes(), |from| {
        from.literal(b"[")?;
        let head = u32::try_from(from.number()?).ok()?;
        from.literal(b",")?;
        let text = read(from)?;
        from.literal(b"]")?;
        Some((head, text))
    })?;
    keyed.relieve(write, |_| {})
}

fn keyed(scratch: &Memory, memory: u64) -> SpillingKeyed<u32, Text> {
    let mut keyed = SpillingKeyed::new(KeyLimit::new(usize::MAX, "--ttl forgets old ones"));
    keyed.spill_to(ByteSize(memory), Box::new(scratch.clone())).unwrap();
    keyed
}

fn id(keyed: &mut SpillingKeyed<u32, Text>, key: &str) -> u32 {
    let (key, hash) = (key.as_bytes(), hash(key.as_bytes()));
    keyed.find(key, hash).unwrap_or_else(|| keyed.insert(key, hash, 0, Text::default()).unwrap())
}

/// Appends to the text of a key.
fn append(keyed: &mut SpillingKeyed<u32, Text>, key: &str, more: &str) -> Result<String, Error> {
    let id = id(keyed, key);
    *keyed.change_head(id) += 1;
    let text = keyed.change(id, read)?;
    text.0 += more;
    let text = text.0.clone();
    keyed.relieve(write, |_| {})?;
    Ok(text)
}

/// The entries of checkpoints, as a folder keeps them.
#[derive(Default)]
struct Entries(BTreeMap<String, String>);

impl Entries {
    fn take(&mut self, keyed: &mut SpillingKeyed<u32, Text>) -> usize {
        let mut changes = Changes::default();
        keyed.save(&mut changes, write, frame).unwrap();
        let text = String::from_utf8_lossy(changes.text()).into_owned();
        for line in text.lines() {
            let line = &line[1..line.len() - 1];
            match line.split_once(',') {
                Some((key, value)) => drop(self.0.insert(key.trim_matches('"').to_owned(), value.to_owned())),
                None => assert!(self.0.remove(line.trim_matches('"')).is_some()),
            }
        }
        text.lines().count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    /// Whatever is on disk, values are those that they would be, and so are checkpoints.
    #[test]
    fn values_are_what_they_were_wherever_they_are(
        steps in proptest::collection::vec((0..60u8, 1..4000usize, 0..12u8), 1..400),
        memory in prop_oneof![Just(20_000u64), Just(100_000), Just(u64::MAX)],
    ) {
        let scratch = Memory::default();
        let mut keyed = keyed(&scratch, memory);
        let (mut model, mut entries): (BTreeMap<String, (u32, String)>, _) = (BTreeMap::new(), Entries::default());
        for (key, len, what) in steps {
            let key = format!("{key}");
            match what {
                0 => {
                    let id = id(&mut keyed, &key);
                    keyed.remove(id);
                    model.remove(&key);
                }
                1 => {
                    let id = id(&mut keyed, &key);
                    keyed.replace(id, Text("new".to_owned()));
                    keyed.change(id, read).unwrap();
                    keyed.relieve(write, |_| {}).unwrap();
                    model.entry(key).or_default().1 = "new".to_owned();
                }
                2 => drop(entries.take(&mut keyed)),
                3 => {
                    entries.take(&mut keyed);
                    keyed = self::keyed(&scratch, memory);
                    for (key, value) in &entries.0 {
                        load(&mut keyed, key, value).unwrap();
                    }
                }
                _ => {
                    let text = append(&mut keyed, &key, &"x".repeat(len)).unwrap();
                    let (head, kept) = model.entry(key).or_default();
                    *head += 1;
                    kept.extend(std::iter::repeat_n('x', len));
                    prop_assert_eq!(&text, kept);
                }
            }
        }
        entries.take(&mut keyed);
        let expected: BTreeMap<String, String> =
            model.into_iter().map(|(key, (head, text))| (key, format!("[{head},{text:?}]"))).collect();
        prop_assert_eq!(entries.0, expected);
    }
}

#[test]
fn those_without_a_use_for_the_longest_time_go_first() {
    let scratch = Memory::default();
    let mut keyed = keyed(&scratch, 60_000);
    let many = "x".repeat(10_000);
    for key in ["a", "b", "c", "d"] {
        append(&mut keyed, key, &many).unwrap();
    }
    append(&mut keyed, "a", "y").unwrap();
    for key in ["e", "f", "g"] {
        append(&mut keyed, key, &many).unwrap();
        append(&mut keyed, "a", "y").unwrap();
    }
    let is_here =
        |key: &str| keyed.find(key.as_bytes(), hash(key.as_bytes())).and_then(|id| keyed.value_in_memory(id)).is_some();
    assert_eq!(["a", "b", "g"].map(is_here), [true, false, true]);
    let mut entries = Entries::default();
    assert_eq!((entries.take(&mut keyed), entries.take(&mut keyed)), (7, 0), "going to disk is no change");
}

#[test]
fn the_disk_has_bounded_garbage_and_is_left_empty() {
    let scratch = Memory::default();
    let mut keyed = keyed(&scratch, 4 << 20);
    let many = "x".repeat(100 << 10);
    for turn in 0..60 {
        for key in 0..80 {
            let id = id(&mut keyed, &key.to_string());
            keyed.replace(id, Text(many[turn..].to_owned()));
            keyed.change(id, read).unwrap();
            keyed.relieve(write, |_| {}).unwrap();
        }
    }
    assert!(keyed.written() > ByteSize::mib(400) && scratch.files() <= 3, "{} {}", keyed.written(), scratch.files());
    drop(keyed);
    assert_eq!(scratch.files(), 0);
}

#[test]
fn what_is_wrong_with_the_disk_is_told() {
    let many = "x".repeat(100_000);
    let full = Memory::with_room(1 << 20);
    let mut keyed = keyed(&full, 100_000);
    let error = (0..100).find_map(|key| append(&mut keyed, &key.to_string(), &many).err()).unwrap();
    assert!(error.message.starts_with("keys beyond --memory cannot go to memory: "), "{}", error.message);
    assert_eq!(error.hint.as_deref(), Some("--spill-dir DIR takes another folder, a larger --memory needs less of it"));
    let scratch = Memory::default();
    let mut keyed = self::keyed(&scratch, 100_000);
    (0..10).for_each(|key| drop(append(&mut keyed, &key.to_string(), &many).unwrap()));
    scratch.damage(5_000);
    let error = append(&mut keyed, "0", "y").unwrap_err();
    assert!(error.message.starts_with("keys beyond --memory cannot be read from memory"), "{}", error.message);
    let error = (0..100_000).find_map(|key| append(&mut keyed, &format!("more {key}"), "y").err()).unwrap();
    assert!(
        error.message.starts_with("finding ") && error.message.ends_with("keys on disk takes more than 100kB"),
        "{}",
        error.message
    );
    assert_eq!(error.hint.as_deref(), Some("--memory SIZE allows more, --ttl forgets old ones"));
}
