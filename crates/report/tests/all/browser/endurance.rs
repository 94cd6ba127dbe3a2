//! A page that is left open.

use serde_json::{Value, json};

use crate::browser::driver::Browser;
use crate::page::{Page, line};

/// Two hours, a step a second.
const STEPS: usize = 7200;
/// Steps from frame to frame; a page that is seen asks twice a second.
const STEPS_PER_FRAME: usize = 36;

/// What the browser holds for the page when it has cleared away what nobody uses.
fn held(browser: &Browser) -> (u64, u64, u64) {
    for _ in 0..2 {
        browser.devtools("HeapProfiler.collectGarbage", &json!({}));
    }
    let counters = browser.devtools("Memory.getDOMCounters", &json!({}));
    let heap = browser.devtools("Runtime.getHeapUsage", &json!({}));
    let number = |value: &Value| value.as_f64().unwrap() as u64;
    (number(&counters["nodes"]), number(&counters["jsEventListeners"]), number(&heap["usedSize"]))
}

#[test]
fn two_hours_of_lines_leave_nothing_behind() {
    let mut page = Page::start(&["--number", "v", "--heat", "v", "--points", "400"]);
    let browser = Browser::start();
    browser.go(&page.url());
    let mut before = None;
    for first in (0..STEPS).step_by(STEPS_PER_FRAME) {
        let steps = first..first + STEPS_PER_FRAME;
        let key = |x: usize| ["a", "b", "c"][x % 3];
        page.write(&steps.map(|x| line(x, key(x), (x * 7919 % 101) as f64)).collect::<String>());
        // What asks at once is what a page does when it is seen again; a question that is under way is given up then, so ever more rarely.
        let lines = first + STEPS_PER_FRAME;
        browser.run(&format!(
            "return new Promise((done, failed) => {{ const from = Date.now(); let pause = 10; const look = () => {{ \
               if (document.getElementById('notes').textContent.startsWith('{lines} lines')) return done(); \
               if (Date.now() - from > 50000) return failed(new Error('no frame with {lines} lines')); \
               document.dispatchEvent(new Event('visibilitychange')); setTimeout(look, pause *= 2); }}; look(); }})"
        ));
        // By then a series has as many points as it may have.
        if before.is_none() && first >= STEPS / 3 {
            before = Some(held(&browser));
        }
    }
    let (before, after) = (before.unwrap(), held(&browser));
    assert!(after.0 <= before.0 + before.0 / 10 + 100, "nodes: {before:?}, {after:?}");
    assert!(after.1 <= before.1 + 5, "listeners: {before:?}, {after:?}");
    assert!(after.2 <= before.2 + before.2 / 5 + (256 << 10), "heap: {before:?}, {after:?}");
}
