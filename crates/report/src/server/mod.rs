//! The page over HTTP, on one thread with a runtime of its own (axum).
//!
//! A page asks for its view by the query, again and again, and gets a frame if there is a new one ([`routes`]); a program can have frames
//! as events. Each is drawn when it is taken. So one that reads slowly, or never, has at most one frame waiting, and nobody waits for it.

mod connections;
mod guard;
mod query;
mod readers;
mod routes;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use millpipe::Error;

use connections::Limited;
use guard::Guard;
use routes::App;

use crate::shared::Shared;

/// How long pages may take to get their last numbers when the run is over; four times as long as from question to question.
const FAREWELL: Duration = Duration::from_secs(2);

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    thread: JoinHandle<()>,
    app: Arc<App>,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Listens at an address, and serves the page of a store from a thread of its own.
    ///
    /// # Errors
    /// When the address is taken or is not one of this machine.
    pub fn start(address: SocketAddr, token: Option<String>, shared: Arc<Shared>) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).map_err(|e| cannot_listen(address, &e))?;
        let failed = |e: std::io::Error| Error::io("the page", &e);
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let app = Arc::new(App::new(shared, Guard::new(address, token)));
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build().map_err(failed)?;
        let served = Arc::clone(&app);
        let run = move || runtime.block_on(serve(listener, served));
        let thread = std::thread::Builder::new().name("page".to_owned()).spawn(run).map_err(failed)?;
        Ok(Self { thread, app, address })
    }

    /// Gives all pages the last numbers, for which they have two seconds, and ends.
    pub fn end(self) {
        self.app.close();
        // A panic there has been told, and nothing here depends on it.
        drop(self.thread.join());
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> Error {
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => "another program listens there; port 0 takes a free one",
        std::io::ErrorKind::AddrNotAvailable => "it is no address of this machine; 127.0.0.1 is",
        std::io::ErrorKind::PermissionDenied => "ports below 1024 are for root",
        _ => return Error::io(format_args!("--listen {address}"), error),
    };
    Error::io(format_args!("--listen {address}"), error).hint(hint)
}

async fn serve(listener: TcpListener, app: Arc<App>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let served = async {
        // Its errors are those of single connections, and it goes on after them.
        drop(axum::serve(Limited::new(listener), routes::router(Arc::clone(&app))).await);
    };
    let end = async {
        app.closed().await;
        drop(tokio::time::timeout(FAREWELL, app.all_gone()).await);
    };
    tokio::select! {
        () = served => {}
        () = end => {}
    }
}
