//! Stands between a client and the broker, and loses an answer when it is told to, or delivers a request late.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// Kafka's number of the request that ends a transaction.
const END_TXN: [u8; 2] = [0, 26];
/// Nobody gets through for so long after a loss: longer than one attempt of a client.
const AWAY: Duration = Duration::from_millis(1500);

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    broker: OnceLock<String>,
    armed: AtomicBool,
    lost: AtomicU32,
    holds: AtomicBool,
    held: Mutex<Option<Vec<u8>>>,
    back_at: OnceLock<Instant>,
}

impl Proxy {
    pub fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::<Shared>::default();
        let for_all = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                let shared = Arc::clone(&for_all);
                thread::spawn(move || shared.serve(&client.unwrap()));
            }
        });
        Self { port, shared }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn connect_to(&self, broker: &str) {
        self.shared.broker.set(broker.to_owned()).unwrap();
    }

    pub fn lose_the_next_answer_to_a_commit(&self) {
        self.shared.armed.store(true, Ordering::SeqCst);
    }

    /// The connection is cut meanwhile; the client makes another one, and asks again.
    pub fn hold_the_next_commit(&self) {
        self.shared.holds.store(true, Ordering::SeqCst);
    }

    /// The request that was held comes to the broker now. The error that it answers with.
    pub fn deliver_what_is_held(&self) -> i16 {
        let request = self.shared.held.lock().unwrap().take().expect("a commit was held");
        let mut broker = TcpStream::connect(self.shared.broker.get().unwrap()).unwrap();
        broker.write_all(&request).unwrap();
        let answer = read_frame(&mut broker).unwrap();
        // Version 3: length, number of the request, no tags, time to wait, error.
        let version = i16::from_be_bytes([request[6], request[7]]);
        let at = if version >= 3 { 13 } else { 12 };
        i16::from_be_bytes([answer[at], answer[at + 1]])
    }

    pub fn lost(&self) -> u32 {
        self.shared.lost.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn serve(self: Arc<Self>, client: &TcpStream) {
        let Some(address) = self.broker.get() else { return };
        if self.back_at.get().is_some_and(|back_at| Instant::now() < *back_at) {
            return;
        }
        let Ok(broker) = TcpStream::connect(address) else { return };
        let loses = Arc::new(AtomicBool::new(false));
        let answers = {
            let (broker, client) = (broker.try_clone().unwrap(), client.try_clone().unwrap());
            let (shared, loses) = (Arc::clone(&self), Arc::clone(&loses));
            thread::spawn(move || shared.pass_answers(&broker, &client, &loses))
        };
        let _ = self.pass_requests(client, &broker, &loses);
        let _ = broker.shutdown(Shutdown::Both);
        answers.join().unwrap();
    }

    fn pass_requests(&self, mut client: &TcpStream, mut broker: &TcpStream, loses: &AtomicBool) -> io::Result<()> {
        loop {
            let frame = read_frame(&mut client)?;
            if frame[4..].starts_with(&END_TXN) && self.holds.swap(false, Ordering::SeqCst) {
                *self.held.lock().unwrap() = Some(frame);
                let _ = client.shutdown(Shutdown::Both);
                return Ok(());
            }
            if frame[4..].starts_with(&END_TXN) && self.armed.swap(false, Ordering::SeqCst) {
                loses.store(true, Ordering::SeqCst);
            }
            broker.write_all(&frame)?;
        }
    }

    /// The answer to be lost is the next one: a producer waits for it before it asks anything else of a coordinator.
    fn pass_answers(&self, mut broker: &TcpStream, mut client: &TcpStream, loses: &AtomicBool) {
        while let Ok(frame) = read_frame(&mut broker) {
            if loses.load(Ordering::SeqCst) {
                self.lost.fetch_add(1, Ordering::SeqCst);
                let _ = self.back_at.set(Instant::now() + AWAY);
                break;
            }
            if client.write_all(&frame).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
    }
}

/// A request or an answer, with the four bytes that say its length.
fn read_frame(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    from.read_exact(&mut frame)?;
    let bytes = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
    frame.resize(4 + bytes, 0);
    from.read_exact(&mut frame[4..])?;
    Ok(frame)
}
