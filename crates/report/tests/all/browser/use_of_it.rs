//! What people do with the page.

use std::time::Duration;

use serde_json::json;

use crate::browser::driver::Browser;
use crate::page::{Page, line};
use testkit::run;

/// How many curves of a series are drawn; its colour is that of its button.
fn curves(series: &str) -> String {
    format!(
        "document.querySelectorAll('#chart polyline[stroke=\"var(--s' + \
         [...document.querySelectorAll('#legend button')].find(b => b.textContent === {series:?}).className.slice(1) + ')\"]').length"
    )
}

/// The place in the window that is a part of the way along the x of the first plot.
fn place(browser: &Browser, part: f64) -> (f64, f64) {
    let svg = browser
        .run("const b = document.querySelector('#chart svg').getBoundingClientRect(); return [b.left, b.top, b.width]");
    let number = |at: usize| svg[at].as_f64().unwrap();
    // The edge and the labels of y to the left, the edge and half a label of x to the right (src/draw).
    let (left, right) = (number(0) + 12.0 + 54.0, number(0) + number(2) - 12.0 - 26.0);
    (left + part * (right - left), number(1) + 100.0)
}

fn labels(text: &str) -> String {
    format!("[...document.querySelectorAll('#chart svg text')].some(t => t.textContent.trim() === {text:?})")
}

/// v is 1000 more than x, for a; 2000 more for b.
fn two_series() -> Page {
    let mut page = Page::start(&[]);
    let lines: String = (0..=100).map(|x| line(x, "a", 1000.0 + x as f64) + &line(x, "b", 2000.0 + x as f64)).collect();
    page.write(&lines);
    page
}

fn open(page: &Page) -> Browser {
    let browser = Browser::start();
    browser.go(&page.url());
    browser
}

#[test]
fn live_values_appear_and_are_right() {
    let mut page = Page::start(&["--number", "v", "--bar", "v", "--heat", "v"]);
    let browser = open(&page);
    browser.wait_for("document.getElementById('state').textContent === 'live'");
    browser.wait_for("document.getElementById('chart').textContent.includes('no numbers yet')");
    page.write(&(line(1, "a", 12.25) + &line(2, "a", 77.5) + &line(2, "b", 3.0)));
    browser.wait_for_number("77.5");
    let cells =
        "[...document.querySelectorAll('#tables table')].find(t => t.caption.textContent === 'v').rows[1].cells";
    assert_eq!(
        browser.run(&format!("return [...{cells}].map(c => c.textContent)")),
        json!(["a", "77.5", "2", "12.25", "77.5"])
    );
    assert!(browser.run(&format!("return {}", curves("a"))).as_u64().unwrap() >= 1);
    // The large number, the bar: drawn as text.
    assert_eq!(browser.run(&format!("return {}", labels("77.5"))), json!(true));
    page.write(&line(3, "a", 1e6));
    browser.wait_for_number("1000000");
    browser.devtools(
        "Emulation.setDeviceMetricsOverride",
        &json!({"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": true}),
    );
    browser.wait_for("document.querySelector('#chart svg').getAttribute('width') < 360");
    assert_eq!(
        browser.run("return document.documentElement.scrollWidth <= 360"),
        json!(true),
        "a phone need not scroll sideways"
    );
    let colour = "return getComputedStyle(document.documentElement).backgroundColor";
    let before = browser.run(colour);
    browser.click("#theme");
    assert_ne!(browser.run(colour), before, "light and dark");
}

#[test]
fn a_series_is_hidden_and_shown_and_values_stand_at_the_pointer() {
    let page = two_series();
    let browser = open(&page);
    browser.wait_for_number("2100");
    browser.wait_for(&format!("{} > 0 && {} > 0", curves("a"), curves("b")));
    browser.click("#legend button:first-child");
    browser.wait_for(&format!("{} === 0 && {} > 0", curves("a"), curves("b")));
    assert_eq!(
        browser.run("return document.querySelector('#legend button').getAttribute('aria-pressed')"),
        json!("false")
    );
    browser.click("#legend button:first-child");
    browser.wait_for(&format!("{} > 0 && {} > 0", curves("a"), curves("b")));
    // The numbers are fetched at the first move, and shown at the next.
    let tip = "document.getElementById('tip')";
    let (x, y) = place(&browser, 0.5);
    for step in 0..300 {
        browser.point(&[(x + f64::from(step % 2), y)], false);
        if browser.run(&format!("return !{tip}.hidden && {tip}.children.length === 3")) == json!(true) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let shown = browser.run(&format!("return [...{tip}.children].map(c => c.textContent)"));
    let at: f64 = shown[0].as_str().expect("values at the pointer").parse().unwrap();
    assert!((48.0..=52.0).contains(&at), "{shown}");
    assert_eq!(shown, json!([at.to_string(), format!("b: {}", 2000.0 + at), format!("a: {}", 1000.0 + at)]));
}

#[test]
fn a_part_of_x_is_drawn_larger() {
    let mut page = two_series();
    let browser = open(&page);
    browser.wait_for_number("2100");
    browser.wait_for(&labels("80"));
    browser.point(&[place(&browser, 0.25), place(&browser, 0.4), place(&browser, 0.5)], true);
    browser.wait_for(&format!("{} && !{}", labels("30"), labels("80")));
    let csv = browser.run("return fetch(document.getElementById('csv').href).then(a => a.text())");
    let xs: Vec<f64> = csv
        .as_str()
        .unwrap()
        .lines()
        .filter(|row| row.starts_with("v,a,"))
        .map(|row| row.split(',').nth(2).unwrap().parse().unwrap())
        .collect();
    // On a busy machine the pointer is let go a little before its last place.
    assert!((xs[0] - 25.0).abs() <= 5.0 && (xs[xs.len() - 1] - 50.0).abs() <= 5.0, "{xs:?}");
    // It stays while lines come.
    page.write(&line(101, "a", 7.5));
    browser.wait_for_number("7.5");
    assert_eq!(browser.run(&format!("return {}", labels("80"))), json!(false));
    browser.click("#all");
    browser.wait_for(&labels("80"));
    browser.click("#in");
    browser.wait_for(&format!("{} && !{}", labels("40"), labels("100")));
    browser.click("#out");
    browser.wait_for(&labels("100"));
}

#[test]
fn a_page_that_pauses_stands_still() {
    let mut page = two_series();
    let browser = open(&page);
    browser.wait_for_number("2100");
    browser.click("#pause");
    let before = browser.run("return document.getElementById('chart').innerHTML");
    page.write(&line(101, "a", 555.5));
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(browser.run("return document.getElementById('chart').innerHTML"), before);
    assert_eq!(browser.run("return document.getElementById('state').textContent"), json!("paused"));
    browser.click("#pause");
    browser.wait_for_number("555.5");
    browser.wait_for("document.getElementById('state').textContent === 'live'");
}

#[test]
fn a_page_goes_on_after_a_crash_and_a_restart_at_the_same_address() {
    let mut page = two_series();
    let browser = open(&page);
    browser.wait_for_number("2100");
    let address = page.kill();
    browser.wait_for("document.getElementById('state').textContent.startsWith('not connected')");
    page = Page::start_at(&address, &["--line", "v", "--by", "k", "--table"]);
    page.write(&line(500, "c", 31.25));
    browser.wait_for_number("31.25");
    browser.wait_for("document.getElementById('state').textContent === 'live'");
    assert!(!browser.page_text().contains("2100"), "the numbers are those of the new run");
    // And after an end in order, which the page knows of.
    page.write(&line(501, "c", 62.5));
    let address = page.address.clone();
    page.end();
    browser.wait_for_number("62.5");
    browser.wait_for("document.getElementById('state').textContent === 'the run has ended'");
    let mut page = Page::start_at(&address, &["--line", "v", "--by", "k", "--table"]);
    page.write(&line(1, "d", 15.75));
    browser.wait_for_number("15.75");
}

/// A browser has six connections for an origin: a page that kept one would leave none for the seventh.
#[test]
fn eight_windows_live_at_once() {
    let mut page = Page::start_at("0.0.0.0:0", &["--token", "s3cret", "--line", "v", "--by", "k", "--table"]);
    page.write(&line(1, "a", 12.25));
    let port = page.address.rsplit_once(':').unwrap().1;
    let url = format!("http://127.0.0.1:{port}/?token=s3cret");
    let browser = Browser::start();
    let windows: Vec<String> = (0..8).map(|_| browser.open_window()).collect();
    for window in &windows {
        browser.switch_to(window);
        browser.go(&url);
        browser.wait_for("document.getElementById('state').textContent === 'live'");
    }
    for (x, value) in [(2, "77.5"), (3, "99.125")] {
        page.write(&line(x, "a", value.parse().unwrap()));
        for window in &windows {
            browser.switch_to(window);
            assert_eq!(browser.run("return document.hidden"), json!(false), "a hidden page would ask for nothing");
            browser.wait_for_number(value);
        }
    }
    let csv = browser.run("return fetch(document.getElementById('csv').href).then(a => a.text())");
    assert!(csv.as_str().unwrap().contains("v,a,3,99.125"), "the links have the token: {csv}");
}

#[test]
fn a_saved_page_hides_series_zooms_and_tells_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.html");
    let lines: String = (0..=100).map(|x| line(x, "a", 1000.0 + x as f64) + &line(x, "b", 2000.0 + x as f64)).collect();
    run(crate::page::REPORT, &["--line", "v", "--by", "k", "--html", file.to_str().unwrap()], &lines).ok();
    let browser = Browser::start();
    let url = format!("file://{}", file.display());
    browser.go(&url);
    let seen = |series: &str| {
        let colour = browser.run(&format!(
            "return [...document.querySelectorAll('#legend button')].find(b => b.textContent === {series:?}).className.slice(1)"
        ));
        browser.run(&format!(
            "return [...document.querySelectorAll('#chart polyline[stroke=\"var(--s{})\"]')].some(p => getComputedStyle(p).visibility === 'visible')",
            colour.as_str().unwrap()
        ))
    };
    assert_eq!((seen("a"), seen("b")), (json!(true), json!(true)));
    browser.click("#legend button:first-child");
    assert_eq!((seen("a"), seen("b")), (json!(false), json!(true)));
    browser.point(&[place(&browser, 0.5)], false);
    browser.wait_for("document.getElementById('tip').textContent.includes('b: 20')");
    browser.point(&[place(&browser, 0.25), place(&browser, 0.4), place(&browser, 0.5)], true);
    // A label is hidden, or stands where it belongs: 40 at three fifths of what is between 25 and 50.
    let label = "[...document.querySelectorAll('#chart svg text')].find(t => t.textContent.trim() === '40').getBoundingClientRect()";
    let middle = browser.run(&format!("const box = {label}; return box.left + box.width / 2")).as_f64().unwrap();
    assert!((middle - place(&browser, 0.6).0).abs() < 8.0, "{middle}, {:?}", place(&browser, 0.6));
    assert_eq!((seen("a"), seen("b")), (json!(false), json!(true)), "hidden is hidden");
    browser.point(&[place(&browser, 0.6)], false);
    browser.wait_for("/b: 20(39|40|41)/.test(document.getElementById('tip').textContent)");
    browser.click("#all");
    browser.point(&[place(&browser, 0.6)], false);
    browser.wait_for("/b: 20(59|60|61)/.test(document.getElementById('tip').textContent)");
    assert_eq!(browser.run("return document.getElementById('pause').hidden"), json!(true));
    assert_eq!(
        browser.requests().iter().filter(|request| **request != url && !request.starts_with("data:")).count(),
        0
    );
}
