//! What the page must not do: ask others, and take a text for a program.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use testkit::run;

use crate::browser::driver::Browser;
use crate::page::{Page, REPORT};

/// Texts that would run if any place took them for more than texts.
const TEXTS: [&str; 5] = [
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror='window.pwned=2'>",
    "\" onmouseover=\"window.pwned=3\" x=\"",
    "'-(window.pwned=4)-'",
    "]]><svg onload=window.pwned=5>",
];

fn lines() -> String {
    let line = |(n, text): (usize, &&str)| {
        format!(
            "{}\n{}\n",
            json!({"time": n, "k": text, "v": n, "w": text}),
            json!({"time": n + 9, "k": text, "v": n + 1, "w": text})
        )
    };
    TEXTS.iter().enumerate().map(line).collect()
}

const FLAGS: [&str; 13] =
    ["--line", "v", "--number", "v", "--bar", "v", "--heat", "v", "--by", "k", "--table=k,w", "--title", TEXTS[0]];

fn is_text_only(browser: &Browser) {
    let found = browser.run(
        "const all = [...document.querySelectorAll('*')]; return { \
         pwned: window.pwned ?? null, scripts: document.querySelectorAll('script').length, \
         others: document.querySelectorAll('img,iframe,object,embed,video,form,foreignObject,#chart style').length, \
         handlers: all.filter(e => e.getAttributeNames().some(n => n.startsWith('on'))).map(e => e.outerHTML), \
         title: document.title, heading: document.querySelector('h1').textContent, \
         keys: [...document.querySelectorAll('#legend button')].map(b => b.textContent) }",
    );
    let mut keys = TEXTS;
    keys.sort_unstable();
    let expected = json!({"pwned": null, "scripts": 3, "others": 0, "handlers": [], "title": TEXTS[0], "heading": TEXTS[0], "keys": keys});
    assert_eq!(found, expected);
}

/// Uses all of the page: hover, hide, theme, zoom.
fn use_it(browser: &Browser) {
    for y in [150.0, 300.0, 450.0, 600.0] {
        browser.point(&[(300.0, y), (500.0, y), (501.0, y)], false);
    }
    for button in ["#legend button:first-child", "#legend button:first-child", "#theme"] {
        browser.click(button);
    }
}

#[test]
fn texts_of_keys_cells_and_title_are_texts() {
    let mut page = Page::start_at("127.0.0.1:0", &FLAGS);
    page.write(&lines());
    let browser = Browser::start();
    // With the policy, and without it: escaping has to be enough by itself.
    for bypasses in [false, true] {
        browser.devtools("Page.setBypassCSP", &json!({"enabled": bypasses}));
        browser.go(&page.url());
        browser.wait_for("document.querySelectorAll('#legend button').length === 5");
        browser.wait_for("document.getElementById('state').textContent === 'live'");
        use_it(&browser);
        is_text_only(&browser);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.html");
    run(REPORT, &[&FLAGS[..], &["--html", file.to_str().unwrap()]].concat(), &lines()).ok();
    browser.go(&format!("file://{}", file.display()));
    use_it(&browser);
    is_text_only(&browser);
}

#[test]
fn nothing_is_asked_of_another_place() {
    let mut page = Page::start_at("127.0.0.1:0", &FLAGS);
    page.write(&lines());
    let browser = Browser::start();
    browser.go(&page.url());
    browser.wait_for("document.getElementById('state').textContent === 'live'");
    use_it(&browser);
    for button in ["#in", "#out", "#all"] {
        browser.click(button);
    }
    for kind in ["csv", "svg", "png"] {
        let size = browser.run(&format!(
            "return fetch(document.getElementById('{kind}').href).then(a => a.ok && a.text()).then(t => t.length)"
        ));
        assert!(size.as_u64().unwrap() > 100, "{kind}: {size}");
    }
    let requests = browser.requests();
    let own = page.url();
    assert!(
        requests.iter().filter(|request| request.starts_with(&own)).count() > 5,
        "the log has requests: {requests:?}"
    );
    let others: Vec<_> = requests.iter().filter(|url| !url.starts_with(&own) && !url.starts_with("data:")).collect();
    assert!(others.is_empty(), "{others:?}");

    // And it could not if it wanted to.
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let refused = browser.run(&format!(
        "const url = 'http://{}/', refused = []; \
         document.addEventListener('securitypolicyviolation', e => refused.push(e.effectiveDirective)); \
         new Image().src = url; \
         const script = document.createElement('script'); script.src = url; document.body.append(script); \
         const style = document.createElement('link'); style.rel = 'stylesheet'; style.href = url; document.head.append(style); \
         const frame = document.createElement('iframe'); frame.src = url; document.body.append(frame); \
         return fetch(url).catch(() => 0).then(() => new Promise(done => setTimeout(() => done(refused.sort()), 500)))",
        elsewhere.local_addr().unwrap()
    ));
    assert_eq!(refused, json!(["connect-src", "frame-src", "img-src", "script-src-elem", "style-src-elem"]));
    // A browser may open connections that it does not use; what counts is that nothing is said.
    while let Ok((mut caller, _)) = elsewhere.accept() {
        let mut said = String::new();
        caller.set_nonblocking(false).unwrap();
        caller.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let _ = caller.read_to_string(&mut said);
        assert_eq!(said, "", "nothing is said there");
    }
}
