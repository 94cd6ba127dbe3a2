//! Stands between a client and the broker, and loses an answer when it is told to.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
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
