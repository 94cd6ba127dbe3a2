//! A run of `report` with a page, and a client that knows no more than TCP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

pub const REPORT: &str = env!("CARGO_BIN_EXE_report");

/// A run with a page.
pub struct Page {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Host and port.
    pub address: String,
}

impl Page {
    /// Starts one with a line for each k, and a table, at a free port.
    pub fn start(flags: &[&str]) -> Self {
        Self::start_at("127.0.0.1:0", &[&["--line", "v", "--by", "k", "--table"], flags].concat())
    }

    pub fn start_at(address: &str, flags: &[&str]) -> Self {
        let mut command = Command::new(REPORT);
        command.args(["--listen", address]).args(flags);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
        Self { stdin: child.stdin.take(), child, address }
    }

    /// Ends it as a crash does.
    pub fn kill(mut self) -> String {
        self.child.kill().unwrap();
        self.address.clone()
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub fn write(&mut self, lines: &str) {
        self.stdin.as_mut().unwrap().write_all(lines.as_bytes()).unwrap();
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    pub fn ask_as(&self, host: &str, path: &str) -> String {
        let mut stream = self.connect();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub fn ask(&self, path: &str) -> String {
        self.ask_as(&self.address, path)
    }

    pub fn events(&self, query: &str) -> BufReader<TcpStream> {
        let mut stream = self.connect();
        write!(stream, "GET /events?{query} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address).unwrap();
        BufReader::new(stream)
    }

    pub fn end_input(&mut self) {
        drop(self.stdin.take());
    }

    pub fn end(mut self) {
        self.end_input();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn line(x: usize, key: &str, v: f64) -> String {
    format!("{{\"time\":{x},\"k\":\"{key}\",\"v\":{v}}}\n")
}
