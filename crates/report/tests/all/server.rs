//! The page, as a client sees it that knows no more than TCP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use testkit::run;

const REPORT: &str = env!("CARGO_BIN_EXE_report");

struct Page {
    child: Child,
    stdin: Option<ChildStdin>,
    address: String,
}

impl Page {
    fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(REPORT);
        command.args(["--line", "v", "--by", "k", "--table", "--listen", "127.0.0.1:0"]).args(flags);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { stdin: child.stdin.take(), child, address }
    }

    fn write(&mut self, lines: &str) {
        self.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn ask_as(&self, host: &str, path: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn ask(&self, path: &str) -> String {
        self.ask_as(&self.address, path)
    }

    fn events(&self, query: &str) -> BufReader<TcpStream> {
        let mut stream = self.connect();
        write!(stream, "GET /events?{query} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).unwrap();
        BufReader::new(stream)
    }

    fn end(mut self) {
        drop(self.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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

fn line(x: usize, key: &str, v: f64) -> String {
    format!("{{\"time\":{x},\"k\":\"{key}\",\"v\":{v}}}\n")
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
    drop(page.stdin.take());
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
    assert!(!body.contains("src=") && !body.contains("url(") && !body.contains("@import"));
    let nonce = |text: &str| text.split("nonce-").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let again = page.ask("/").to_lowercase();
    assert_ne!(nonce(&head), nonce(&again), "each answer has its own nonce");
    assert!(page.ask("/points.json").contains("alert(2)"));
    page.end();
}

#[test]
fn other_names_and_wrong_tokens_are_refused() {
    let page = Page::start(&[]);
    for path in ["/", "/events", "/points.json", "/report.csv", "/report.svg", "/report.png"] {
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
    drop(page.stdin.take());
    frame_with(&mut page.events(""), "\"has_ended\":true");
    assert!(page.ask("/report.csv").contains("v,a,1,5.5"));
    page.end();
}
