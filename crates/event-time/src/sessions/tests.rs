use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn join(sessions: &mut Sessions<String, Vec<u32>>, key: &str, span: (i64, i64), item: u32) -> Window {
    let span = Window::new(span.0, span.1);
    let (window, items) = sessions.join(key, span, Vec::new, |into, from| into.extend(from)).unwrap();
    items.push(item);
    window
}

#[test]
fn spans_that_touch_are_one_session() {
    let mut sessions = Sessions::new(10);
    assert_eq!(join(&mut sessions, "a", (0, 30), 1), Window::new(0, 30));
    assert_eq!(join(&mut sessions, "a", (30, 60), 2), Window::new(0, 60));
    assert_eq!(join(&mut sessions, "a", (61, 90), 3), Window::new(61, 90));
    assert_eq!(join(&mut sessions, "b", (60, 90), 4), Window::new(60, 90));
    assert_eq!(sessions.len(), 3);
}

#[test]
fn a_span_in_between_ties_sessions_together_in_time_order() {
    let mut sessions = Sessions::new(10);
    join(&mut sessions, "a", (200, 230), 1);
    join(&mut sessions, "a", (0, 30), 2);
    join(&mut sessions, "a", (100, 130), 3);
    assert_eq!(join(&mut sessions, "a", (25, 205), 4), Window::new(0, 230));
    assert_eq!(sessions.len(), 1);
    let closed = sessions.close(229);
    assert_eq!(closed[0].payload, [2, 3, 1, 4]);
    assert!(sessions.is_empty());
}

#[test]
fn sessions_close_by_end_then_start_then_key() {
    let mut sessions = Sessions::new(10);
    for (key, span) in [("b", (0, 50)), ("a", (10, 50)), ("a2", (0, 50)), ("c", (0, 49)), ("d", (0, 51))] {
        join(&mut sessions, key, span, 0);
    }
    assert_eq!(sessions.next_end_ms(), Some(49));
    let closed = sessions.close(49);
    let keys: Vec<_> = closed.iter().map(|s| s.key.as_str()).collect();
    assert_eq!(keys, ["c", "a2", "b", "a"]);
    assert!(!sessions.touches("a", Window::new(10, 50)));
    assert!(sessions.touches("d", Window::new(51, 60)));
}

#[test]
fn there_is_a_limit_to_open_sessions() {
    let mut sessions: Sessions<String, ()> = Sessions::new(2);
    for start in [0, 100] {
        sessions.join("a", Window::new(start, start + 10), || (), |(), ()| ()).unwrap();
    }
    let full = sessions.join("a", Window::new(50, 60), || (), |(), ()| ());
    assert_eq!(full.unwrap_err().to_string(), "more than 2 sessions are open");
    sessions.join("a", Window::new(10, 100), || (), |(), ()| ()).unwrap();
    assert_eq!(sessions.len(), 1);
    sessions.join("a", Window::new(500, 510), || (), |(), ()| ()).unwrap();
}

#[test]
fn an_open_session_is_found_by_its_payload() {
    let mut sessions = Sessions::new(10);
    join(&mut sessions, "a", (0, 30), 1);
    join(&mut sessions, "a", (50, 80), 2);
    join(&mut sessions, "b", (0, 30), 3);
    let found = sessions.find_mut("a", |items| items.contains(&2)).unwrap();
    assert_eq!(found.window, Window::new(50, 80));
    assert!(sessions.find_mut("a", |items| items.contains(&3)).is_none());
    let mut all: Vec<u32> = sessions.iter_mut().flat_map(|session| session.payload.clone()).collect();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3]);
    sessions.close(79);
    assert_eq!(sessions.iter_mut().count(), 0);
}

proptest! {
    /// Against: keep all spans, sort, merge from left to right.
    #[test]
    fn any_spans_make_the_sessions_that_sorting_makes(
        steps in proptest::collection::vec((0usize..3, 0i64..400, 1i64..30, 0u8..10), 1..80)
    ) {
        let mut sessions = Sessions::new(1_000);
        let mut model: BTreeMap<String, Vec<(Window, Vec<u32>)>> = BTreeMap::new();
        for (item, (key, start, length, close)) in (0..).zip(steps) {
            let key = format!("k{key}");
            join(&mut sessions, &key, (start, start + length), item);
            let spans = model.entry(key).or_default();
            let mut merged = (Window::new(start, start + length), vec![item]);
            while let Some(place) = spans.iter().position(|s| s.0.touches(merged.0)) {
                let (window, items) = spans.remove(place);
                merged.0 = merged.0.union(window);
                merged.1.extend(items);
            }
            spans.push(merged);
            if close == 0 {
                let mut expected = Vec::new();
                for (key, spans) in &mut model {
                    spans.retain(|(window, items)| {
                        let closes = window.is_closed_by(start);
                        if closes { expected.push((*window, key.clone(), items.clone())); }
                        !closes
                    });
                }
                expected.sort();
                let closed = sessions.close(start);
                prop_assert_eq!(closed.len(), expected.len());
                for (got, mut want) in closed.into_iter().zip(expected) {
                    let mut items = got.payload;
                    items.sort_unstable();
                    want.2.sort_unstable();
                    prop_assert_eq!((got.window, got.key, items), want);
                }
            }
            let open: usize = model.values().map(Vec::len).sum();
            prop_assert_eq!(sessions.len(), open);
            let end = model.values().flatten().map(|s| s.0.end_ms).min();
            prop_assert_eq!(sessions.next_end_ms(), end);
        }
    }
}
