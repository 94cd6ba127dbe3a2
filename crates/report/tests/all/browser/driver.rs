//! A real Chromium, driven by chromedriver: WebDriver (W3C), which is HTTP with JSON.
//!
//! Compared: fantoccini (102 crates, 53 of them new here), thirtyfour (82, 45), headless_chrome (139, 56). The dozen commands that the
//! tests need are these lines, and compile in no time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Until something that is waited for is taken for lost.
const PATIENCE: Duration = Duration::from_secs(60);
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1000,900",
];

/// A browser of its own, with a profile that is new.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: TempDir,
}

impl Browser {
    pub fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is needed (on Debian the packages chromium and chromium-driver); scripts/test installs it");
        let mut said = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port =
            said.find_map(|line| line.unwrap().strip_suffix('.')?.split("on port ").nth(1)?.parse().ok()).unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"performance": "ALL"},
            "timeouts": {"pageLoad": PATIENCE.as_millis() as u64, "script": PATIENCE.as_millis() as u64},
        });
        let mut browser = Self { driver, port, session: String::new(), _profile: profile };
        let session = browser.ask("POST", "/session", &json!({"capabilities": {"alwaysMatch": wanted}}));
        browser.session = format!("/session/{}", session["sessionId"].as_str().unwrap());
        browser
    }

    /// Sends a request to the driver, and returns the value of its answer.
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE * 2)).unwrap();
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut answer = vec![0; length(&mut reader)];
        reader.read_exact(&mut answer).unwrap();
        let mut answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{path} {body}: {}: {}", value["error"], value["message"]);
        value
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        self.ask("POST", &format!("{}{path}", self.session), body)
    }

    pub fn go(&self, url: &str) {
        self.command("/url", &json!({"url": url}));
    }

    /// Runs the body of a function in the page, and returns what it returns; a promise is waited for.
    pub fn run(&self, script: &str) -> Value {
        self.command("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true in the page.
    pub fn wait_for(&self, expression: &str) {
        let started = Instant::now();
        while self.run(&format!("return Boolean({expression})")) != json!(true) {
            assert!(
                started.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {expression}\nthe page: {}",
                self.page_text()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the tables of the page have a text.
    pub fn wait_for_number(&self, text: &str) {
        self.wait_for(&format!("document.getElementById('tables').textContent.includes({text:?})"));
    }

    pub fn page_text(&self) -> String {
        self.run("return document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Clicks on what a CSS selector finds, as a user would: it has to be seen.
    pub fn click(&self, selector: &str) {
        let found = self.command("/element", &json!({"using": "css selector", "value": selector}));
        let element = found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned();
        self.command(&format!("/element/{element}/click"), &json!({}));
    }

    /// Moves the pointer to places of the window, one after the other; from the second on with its button down if it drags.
    pub fn point(&self, places: &[(f64, f64)], drags: bool) {
        let mut actions = Vec::new();
        for (x, y) in places {
            let place = [x.round(), y.round()];
            actions.push(json!({"type": "pointerMove", "duration": 0, "x": place[0] as i64, "y": place[1] as i64}));
            if drags && actions.len() == 1 {
                actions.push(json!({"type": "pointerDown", "button": 0}));
            }
        }
        if drags {
            actions.push(json!({"type": "pointerUp", "button": 0}));
        }
        self.command("/actions", &json!({"actions": [{"type": "pointer", "id": "mouse", "actions": actions}]}));
    }

    /// Opens another window, and goes on in it.
    pub fn open_window(&self) -> String {
        let window = self.command("/window/new", &json!({"type": "window"}));
        let handle = window["handle"].as_str().unwrap().to_owned();
        self.switch_to(&handle);
        handle
    }

    pub fn switch_to(&self, handle: &str) {
        self.command("/window", &json!({"handle": handle}));
    }

    /// Sends a command of the DevTools protocol.
    pub fn devtools(&self, name: &str, parameters: &Value) -> Value {
        self.command("/goog/cdp/execute", &json!({"cmd": name, "params": parameters}))
    }

    /// Returns the addresses of all requests since it was asked last, from the browser's own log, but for those of its first page (which are
    /// to itself: `chrome:`).
    pub fn requests(&self) -> Vec<String> {
        let log = self.command("/se/log", &json!({"type": "performance"}));
        let messages = log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap());
        let messages = messages.map(|message| serde_json::from_str::<Value>(message).unwrap()["message"].take());
        let sent = messages.filter(|message| {
            message["method"] == "Network.requestWillBeSent" || message["method"] == "Network.webSocketCreated"
        });
        sent.map(|message| {
            let url = if message["params"]["request"].is_null() {
                &message["params"]["url"]
            } else {
                &message["params"]["request"]["url"]
            };
            url.as_str().unwrap().to_owned()
        })
        .filter(|url| !url.starts_with("chrome:"))
        .collect()
    }
}

/// The length of an answer's body, whose head is read.
fn length(reader: &mut impl BufRead) -> usize {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            return length;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends the browser; where the test has failed for the driver's sake, that may fail too.
        if !self.session.is_empty() && !std::thread::panicking() {
            self.ask("DELETE", &self.session, &Value::Null);
        } else if let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            let _ = write!(stream, "DELETE {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", self.session);
            let _ = stream.read(&mut [0; 64]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
