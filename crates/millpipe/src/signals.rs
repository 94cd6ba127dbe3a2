//! What Ctrl-C and SIGTERM do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGXFSZ};
use stream::Error;

/// Set when the run is to end cleanly.
#[derive(Clone)]
pub struct StopFlag(Arc<AtomicBool>);

impl StopFlag {
    /// A source ends its stream at the first signal and dies at the second.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn for_source() -> Result<Self, Error> {
        Self::catch(&[SIGINT, SIGTERM])
    }

    /// A stage behind a pipe lets the first Ctrl-C pass: its source ends the stream, and what is open comes
    /// out. The second one kills. Reading a file, nobody else would end the stream: Ctrl-C kills at once.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn for_stage() -> Result<Self, Error> {
        Self::catch(if stdin_is_a_file() { &[] } else { &[SIGINT] })
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Now the stream is known to be checked: its source ends it at a SIGTERM, which service managers send to all
    /// stages at once. So the first one passes, the second one kills.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn stream_is_checked() -> Result<(), Error> {
        static CAUGHT: OnceLock<Result<StopFlag, Error>> = OnceLock::new();
        let caught = CAUGHT.get_or_init(|| {
            STREAM_IS_CHECKED.store(true, Ordering::Relaxed);
            Self::catch(&[SIGTERM])
        });
        caught.as_ref().map(|_| ()).map_err(Clone::clone)
    }

    fn catch(signals: &[i32]) -> Result<Self, Error> {
        let flag = Arc::new(AtomicBool::new(false));
        for &signal in signals {
            // The order matters: this one looks at the flag before the next one sets it.
            signal_hook::flag::register_conditional_default(signal, Arc::clone(&flag))
                .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&flag)))
                .map_err(|e| Error::io("signal handler", &e))?;
        }
        Ok(Self(flag))
    }
}

/// SIGHUP, as it tells services to read their files again.
#[derive(Clone, Debug)]
pub struct Hangup(Arc<AtomicBool>);

impl Hangup {
    /// From now on SIGHUP does not end the process.
    ///
    /// # Errors
    /// When the system refuses the handler.
    pub fn catch() -> Result<Self, Error> {
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGHUP, Arc::clone(&flag)).map_err(|e| Error::io("signal handler", &e))?;
        Ok(Self(flag))
    }

    /// Whether one came since the last call.
    pub fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }
}

static STREAM_IS_CHECKED: AtomicBool = AtomicBool::new(false);

/// True when the first SIGTERM is the source's business.
pub(crate) fn stream_is_checked() -> bool {
    STREAM_IS_CHECKED.load(Ordering::Relaxed)
}

/// Then nobody upstream can end the stream.
pub(crate) fn stdin_is_a_file() -> bool {
    use rustix::fs::{FileType, fstat};
    fstat(rustix::stdio::stdin()).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile)
}

/// From now on a file that would grow beyond `ulimit -f` fails the write, which is told, instead of ending the process without
/// a word. Caught, not ignored: programs that this one starts have it as they expect.
pub(crate) fn outlive_file_size_limit() {
    // Without it all else is as before.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)));
}

/// Dies of SIGPIPE, as a shell expects of a filter whose reader has left.
pub(crate) fn die_of_sigpipe() {
    let _ = signal_hook::low_level::emulate_default_handler(SIGPIPE);
}
