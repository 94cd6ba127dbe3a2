//! `pipes listen`: the metrics of all pipelines for Prometheus to fetch.
//!
//! A server of one page: a request has a deadline and a limit, sixteen are worked on at a time, as many wait, and further ones are closed.
//! A look that is younger than a second serves the next request too.
// The one server: it has threads, and deadlines on the clock.
#![allow(clippy::disallowed_methods)]

mod request;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use millpipe::{Error, Fault};
use printer::Printer;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGINT, SIGTERM};

use crate::cli;
use crate::clock::now_ms;
use crate::list::look;
use crate::machine::Machine;
use crate::prometheus::text;
use request::{Answer, HEAD_BYTES_MAX, answer, end_of_head};

const WORKERS: usize = 16;
const WAITING_MAX: usize = 16;

/// The time for a request to come: a client that says nothing must not keep the others waiting.
const REQUEST_WITHIN: Duration = Duration::from_secs(2);

/// The time for the answer to be taken.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A look serves for so long, in milliseconds.
const LOOK_SERVES_MS: i64 = 1_000;

/// How often it is looked whether a signal asks to end.
const WAKES_NANOS: i64 = 200_000_000;

/// Runs the command until Ctrl-C or SIGTERM.
///
/// # Errors
/// When the folder cannot be read, or the port is taken.
pub fn run(listen: &cli::Listen, to: &mut Printer) -> Result<(), Fault> {
    look(&listen.metrics, to)?;
    let address = listen.address.0;
    let io = |error: io::Error| Error::io(address, &error);
    let ends = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&ends)).map_err(io)?;
    }
    let listener = TcpListener::bind(address).map_err(io)?;
    listener.set_nonblocking(true).map_err(io)?;
    to.note(&format!("http://{}/metrics", listener.local_addr().map_err(io)?));
    let server =
        Server { machine: Machine::new(&listen.metrics.dir), hosts: listen.host.clone(), last: Mutex::default() };
    serve(&server, &listener, &ends);
    Ok(())
}

struct Server {
    machine: Machine,
    hosts: Vec<String>,
    /// The last text, and when it was made.
    last: Mutex<(i64, Arc<str>)>,
}

fn serve(server: &Server, listener: &TcpListener, ends: &AtomicBool) {
    let (give, take) = sync_channel(WAITING_MAX);
    let take = Mutex::new(take);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| work(server, &take));
        }
        accept(listener, ends, give);
    });
}

/// Hands over connections until it is to end; one that finds no place is closed.
fn accept(listener: &TcpListener, ends: &AtomicBool, give: SyncSender<TcpStream>) {
    let wakes = Timespec { tv_sec: 0, tv_nsec: WAKES_NANOS };
    while !ends.load(Ordering::Relaxed) {
        let _ = poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&wakes));
        if let Ok((connection, _)) = listener.accept() {
            let _ = give.try_send(connection);
        }
    }
}

fn work(server: &Server, take: &Mutex<Receiver<TcpStream>>) {
    loop {
        let connection = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut connection) = connection else { return };
        // Nobody is told that a client has gone.
        let _ = server.talk(&mut connection);
    }
}

impl Server {
    fn talk(&self, connection: &mut TcpStream) -> io::Result<()> {
        connection.set_nonblocking(false)?;
        connection.set_write_timeout(Some(ANSWER_WITHIN))?;
        let answer = match head(connection)? {
            Some(head) => answer(&head, &self.hosts),
            None => Answer::BadRequest,
        };
        let (status, body) = match answer {
            Answer::Metrics { .. } => match self.metrics() {
                Ok(text) => ("200 OK", text.to_string()),
                Err(error) => ("500 Internal Server Error", format!("{error}\n")),
            },
            Answer::Index => ("200 OK", "The metrics are at /metrics.\n".to_owned()),
            Answer::ForeignHost => {
                ("403 Forbidden", "This name is not known here: pipes listen --host NAME allows it.\n".to_owned())
            }
            Answer::NotFound => ("404 Not Found", "The metrics are at /metrics.\n".to_owned()),
            Answer::NotAllowed => ("405 Method Not Allowed", "GET /metrics\n".to_owned()),
            Answer::BadRequest => ("400 Bad Request", "This is no request.\n".to_owned()),
        };
        let with_body = answer != Answer::Metrics { with_body: false };
        write(connection, status, &body, with_body)
    }

    fn metrics(&self) -> Result<Arc<str>, Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = now_ms();
        if last.1.is_empty() || !(0..LOOK_SERVES_MS).contains(&now_ms.saturating_sub(last.0)) {
            *last = (now_ms, text(&self.machine.look(now_ms)?).into());
        }
        Ok(Arc::clone(&last.1))
    }
}

/// Reads the head of a request; nothing when it is too long, or does not come in time.
fn head(connection: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let until = Instant::now() + REQUEST_WITHIN;
    let mut bytes = Vec::new();
    let mut chunk = [0; 1_024];
    while bytes.len() <= HEAD_BYTES_MAX {
        if let Some(end) = end_of_head(&bytes) {
            bytes.truncate(end);
            return Ok(Some(bytes));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        connection.set_read_timeout(Some(left))?;
        match connection.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(read) => bytes.extend(chunk.iter().take(read)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn write(connection: &mut TcpStream, status: &str, body: &str, with_body: bool) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\
         X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes())?;
    if with_body {
        connection.write_all(body.as_bytes())?;
    }
    connection.flush()
}
