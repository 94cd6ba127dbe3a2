//! The page, as a client sees it that knows no more than TCP.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use testkit::run;

use crate::page::{Page, REPORT, line};

/// Reads frames until one has the words.
fn frame_with(events: &mut BufReader<TcpStream>, words: &str) -> String {
    loop {
        let mut line = String::new();
        assert!(events.read_line(&mut line).unwrap() > 0, "the events ended before one had {words:?}");
        if line.starts_with("data: ") && line.contains(words) {
            return line;
        }
    }
}

#[test]
fn values_appear_and_the_last_ones_too() {
    let mut page = Page::start(&[]);
    page.write(&line(1, "a", 12.25));
    let mut events = page.events("width=600");
    frame_with(&mut events, "12.25");
    page.write(&line(2, "a", 77.5));
    frame_with(&mut events, "77.5");
    page.write(&line(3, "b", 99.125));
    page.end_input();
    frame_with(&mut events, "99.125");
    page.end();
}

#[test]
fn the_page_asks_nobody_else_and_keys_are_text() {
    let mut page = Page::start(&["--title", "<script>alert(1)</script>"]);
    page.write(&line(1, "</script><script>alert(2)</script>", 1.0));
    frame_with(&mut page.events(""), "alert(2)");
    let answer = page.ask("/");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    for wanted in ["default-src 'none'", "frame-ancestors 'none'", "nosniff", "no-referrer", "no-store", "same-origin"]
    {
        assert!(head.contains(wanted), "{wanted}: {head}");
    }
    assert!(body.len() < 150 << 10, "{} bytes", body.len());
    assert!(!body.contains("<script>alert"), "escaped");
    assert!(!body.contains("src=") && !body.replace("'url(#'", "").contains("url(") && !body.contains("@import"));
    let nonce = |text: &str| text.split("nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let again = page.ask("/").to_lowercase();
    assert_ne!(nonce(&head), nonce(&again), "each answer has its own nonce");
    assert!(page.ask("/points.json").contains("alert(2)"));
    page.end();
}

#[test]
fn other_names_and_wrong_tokens_are_refused() {
    let page = Page::start(&[]);
    for path in ["/", "/frame.json", "/events", "/points.json", "/report.csv", "/report.svg", "/report.png"] {
        let answer = page.ask_as("evil.example", path);
        assert!(answer.starts_with("HTTP/1.1 403 "), "{path}: {answer}");
    }
    assert!(page.ask_as("localhost:1", "/").starts_with("HTTP/1.1 200 "));
    assert!(page.ask("/nothing").starts_with("HTTP/1.1 404 "));
    page.end();
    let page = Page::start(&["--token", "s3cret"]);
    assert!(page.ask("/").starts_with("HTTP/1.1 403 "));
    assert!(page.ask("/report.csv?token=x").starts_with("HTTP/1.1 403 "));
    assert!(page.ask_as("any.example", "/?token=s3cret").starts_with("HTTP/1.1 200 "));
    page.end();
}

/// So no page holds a connection of its browser.
#[test]
fn a_page_that_has_the_newest_frame_gets_an_empty_answer_at_once() {
    let id = |answer: &str| answer.split("\"id\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let mut page = Page::start(&[]);
    page.write(&line(1, "a", 1.5));
    frame_with(&mut page.events(""), "1.5");
    let first = page.ask("/frame.json?page=x");
    assert!(first.contains("<svg") && first.contains("\"has_ended\":false"), "{first}");
    let started = Instant::now();
    assert!(page.ask(&format!("/frame.json?page=x&seen={}", id(&first))).starts_with("HTTP/1.1 204 "));
    assert!(started.elapsed() < Duration::from_secs(5), "it waits for no line");
    page.write(&line(2, "a", 2.5));
    frame_with(&mut page.events(""), "2.5");
    let second = page.ask(&format!("/frame.json?page=x&seen={}", id(&first)));
    assert!(second.contains("2.5"), "{second}");
    page.end();
    let mut other = Page::start(&[]);
    other.write(&(line(1, "a", 1.5) + &line(2, "a", 2.5)));
    frame_with(&mut other.events(""), "2.5");
    assert!(other.ask(&format!("/frame.json?seen={}", id(&second))).contains("2.5"), "another run has other frames");
    other.end();
}

/// A page asks every half a second: the run waits for its next question.
#[test]
fn a_page_that_asks_gets_the_last_numbers() {
    let mut page = Page::start(&[]);
    page.write(&line(1, "a", 1.5));
    let mut answer = page.ask("/frame.json?page=x");
    page.write(&line(2, "a", 99.125));
    page.end_input();
    let started = Instant::now();
    while !(answer.contains("99.125") && answer.contains("\"has_ended\":true")) {
        assert!(started.elapsed() < Duration::from_secs(60), "{answer}");
        answer = page.ask("/frame.json?page=x");
    }
    page.end();
}

#[test]
fn a_view_is_a_part_of_x_without_the_hidden_series() {
    let mut page = Page::start(&[]);
    let lines: String = (0..100).map(|n| line(n, ["a", "b"][n % 2], 1000.0 + n as f64)).collect();
    page.write(&lines);
    frame_with(&mut page.events(""), "100 lines,");
    let csv = page.ask("/report.csv?from=10&to=20&off=b");
    assert!(csv.contains("v,a,10,1010,,") && !csv.contains("v,a,50,"), "{csv}");
    let points = page.ask("/points.json?off=b");
    assert!(points.contains("\"name\":\"a\"") && !points.contains("\"name\":\"b\""), "{points}");
    assert!(page.ask("/report.svg?from=10&to=20").contains("<svg"));
    assert!(page.ask("/report.png").starts_with("HTTP/1.1 200 "));
    for query in
        ["from=20&to=10", "from=x&to=NaN", "width=-5", "width=1e999", "from=1e308&to=-1e308", "off=%00%ff", "%"]
    {
        let answer = page.ask(&format!("/report.svg?{query}"));
        assert!(answer.starts_with("HTTP/1.1 200 ") || answer.starts_with("HTTP/1.1 400 "), "{query}: {answer}");
    }
    page.end();
}

/// Eight clients ask for frames and read nothing; the lines go on all the same.
#[test]
fn a_client_that_never_reads_slows_nothing() {
    let mut page = Page::start(&[]);
    page.write(&line(0, "a", 1.0));
    let silent: Vec<_> = (0..8).map(|_| page.events("width=2000")).collect();
    let unfinished: Vec<TcpStream> = (0..8).map(|_| page.connect()).collect();
    let started = Instant::now();
    for chunk in 0..50 {
        let lines: String =
            (0..2000).map(|n| line(chunk * 2000 + n, ["a", "b", "c"][n % 3], (n % 97) as f64)).collect();
        page.write(&lines);
    }
    frame_with(&mut page.events(""), "100001 lines");
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    let started = Instant::now();
    page.end();
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    drop((silent, unfinished));
}

#[test]
fn a_port_that_is_taken_ends_it_before_the_first_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(REPORT, &["--line", "v", "--listen", &address], "{\"v\":1}\n");
    ran.fails_with(75, &format!("report: --listen {address}: Address already in use\nreport: hint: another program listens there; port 0 takes a free one"));
    assert_eq!(ran.stdout, "");
    run(REPORT, &["--line", "v", "--listen", "203.0.113.7:1", "--token", "t"], "")
        .fails_with(75, "it is no address of this machine");
}

#[test]
fn the_page_stays_as_long_as_asked_for() {
    let mut page = Page::start(&["--stay", "2s"]);
    page.write(&line(1, "a", 5.5));
    page.end_input();
    frame_with(&mut page.events(""), "\"has_ended\":true");
    assert!(page.ask("/report.csv").contains("v,a,1,5.5"));
    page.end();
}
