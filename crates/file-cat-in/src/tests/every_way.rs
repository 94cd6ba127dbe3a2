//! A crash after any turn changes nothing.

use millpipe::{Polled, Source};
use proptest::prelude::*;

use super::scene::{Scene, gzip, zstd};

/// Lines of all kinds: short and long, blank, like marks, too long.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0u32..3000).prop_map(|n| format!("{{\"n\":{n},\"pad\":\"{}\"}}", "x".repeat(n as usize))),
        1 => Just(String::new()),
        1 => Just(" \t\r".to_owned()),
        1 => Just("{\"$\":\"end\"}".to_owned()),
        1 => (60_000usize..200_000).prop_map(|n| format!("\"{}\"", "y".repeat(n))),
        1 => (200_000usize..400_000).prop_map(|n| format!("\"{}\"", "z".repeat(n))),
    ]
}

/// A file: its lines, whether the last one ends, and its format.
fn file() -> impl Strategy<Value = (Vec<String>, bool, u8)> {
    (proptest::collection::vec(line(), 0..60), any::<bool>(), 0u8..3)
}

const FLAGS: &str = "--exactly-once --state s --max-line 200KB";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_source_at_its_position_gives_exactly_the_rest(files in proptest::collection::vec(file(), 1..4), parts in 0usize..3) {
        let scene = Scene::new();
        for (number, (lines, is_whole, format)) in files.iter().enumerate() {
            let text = lines.join("\n") + if *is_whole { "\n" } else { "" };
            let bytes = match format {
                0 => text.into_bytes(),
                1 => gzip(text.as_bytes()),
                _ => zstd(text.as_bytes()),
            };
            scene.write(&format!("f{number}"), bytes);
        }
        let flags = format!("{FLAGS} --parts {} @f*", ["one", "arguments", "files"][parts]);
        let mut whole = scene.start(&flags);
        let mut turns = vec![whole.taken()];
        let mut positions = vec![whole.source.position()];
        loop {
            let polled = whole.poll();
            turns.push(data_and_ends(&whole.taken()));
            positions.push(whole.source.position());
            if polled == Polled::Done {
                break;
            }
        }
        for at in 0..positions.len() {
            let mut rest = scene.resume(&flags, &positions[at]);
            prop_assert_eq!(&rest.source.position(), &positions[at], "a position is given back as it was taken");
            let read = data_and_ends(&rest.read());
            prop_assert!(read == turns[at + 1..].concat(), "after turn {} of {}", at, turns.len());
        }
    }
}

/// Which partitions are announced depends on where a run begins.
fn data_and_ends(out: &str) -> String {
    out.lines().filter(|line| !line.starts_with("{\"$\":\"from\"")).map(|line| format!("{line}\n")).collect()
}
