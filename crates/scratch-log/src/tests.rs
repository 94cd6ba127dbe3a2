use super::*;
use proptest::prelude::*;
use sorted_runs::Memory;
use std::collections::BTreeMap;

/// Clears garbage away as the owner of the rows does.
fn tidy(log: &mut Log, rows: &mut BTreeMap<u32, (Place, Vec<u8>)>) {
    while let Some((segment, bytes)) = log.to_compact().unwrap() {
        for record in records(&bytes) {
            let Some((place, row)) = rows.get_mut(&record.row) else { continue };
            if *place == Log::place(segment, &record) {
                assert_eq!(record.bytes, row);
                let old = std::mem::replace(place, log.append(record.row, record.bytes, b""));
                log.forget(old, row.len());
            }
        }
    }
}

fn bytes(row: u32, len: usize) -> Vec<u8> {
    (0..len).map(|at| (at as u32 ^ row.wrapping_mul(31)) as u8).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn rows_are_what_they_were_wherever_they_are(
        steps in proptest::collection::vec((0..400u32, 1..3000usize, 0..10u8), 1..3000),
        limit in prop_oneof![Just(usize::MAX), Just(300_000), Just(0)],
    ) {
        let mut log = Log::new(Box::new(Memory::default()));
        let mut rows: BTreeMap<u32, (Place, Vec<u8>)> = BTreeMap::new();
        let mut buffer = Vec::new();
        for (row, len, what) in steps {
            if let Some((place, old)) = rows.remove(&row) {
                prop_assert_eq!(log.read(place, old.len(), &mut buffer).unwrap(), &old[..]);
                log.forget(place, old.len());
            } else if what < 8 {
                let new = bytes(row, if what == 7 { len * 200 } else { len });
                let (first, second) = new.split_at(len / 3);
                rows.insert(row, (log.append(row, first, second), new.clone()));
            }
            tidy(&mut log, &mut rows);
            log.spill(limit).unwrap();
        }
        for (place, row) in rows.values() {
            prop_assert_eq!(log.read(*place, row.len(), &mut buffer).unwrap(), &row[..]);
        }
        let (held, live) = log.totals();
        prop_assert!(held <= 2 * live + 2 * SLACK_BYTES, "{} bytes for {}", held, live);
        for (place, row) in rows.into_values() {
            log.forget(place, row.len());
        }
        prop_assert_eq!(log.totals(), (0, 0));
    }
}

#[test]
fn garbage_on_disk_is_cleared_away_and_files_go() {
    let scratch = Memory::default();
    let mut log = Log::new(Box::new(scratch.clone()));
    let mut rows = BTreeMap::new();
    let row_bytes = 100 << 10;
    for row in 0..9000 {
        let new = bytes(row, row_bytes);
        rows.insert(row, (log.append(row, &new, b""), new));
        // One of fifty stays.
        let gone = row.saturating_sub(20);
        if gone % 50 != 0 {
            let (place, old): (Place, Vec<u8>) = rows.remove(&gone).unwrap();
            log.forget(place, old.len());
        }
        tidy(&mut log, &mut rows);
        log.spill(1 << 20).unwrap();
    }
    // 2 % of it are wanted.
    assert!(log.written_bytes() > 6 * FILE_BYTES && scratch.files() <= 3, "{} files", scratch.files());
    let mut buffer = Vec::new();
    for (place, row) in rows.values() {
        assert_eq!(log.read(*place, row.len(), &mut buffer).unwrap(), &row[..]);
    }
}

#[test]
fn other_bytes_than_were_written_are_found() {
    let scratch = Memory::default();
    let mut log = Log::new(Box::new(scratch.clone()));
    let places: Vec<Place> = (0..3).map(|row| log.append(row, &bytes(row, 200 << 10), b"")).collect();
    log.spill(0).unwrap();
    scratch.damage(1000);
    let error = log.read(places[0], 200 << 10, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}
