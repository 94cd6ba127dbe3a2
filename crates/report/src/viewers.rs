//! The viewers of a run: each in a thread of its own beside the stage, which waits for none of them.
#![allow(clippy::disallowed_methods, reason = "viewers are beside the stream: their clock is in no line of it")]

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use millpipe::{Error, warn};

use crate::draw::{Drawing, Frame, draw, file};
use crate::files;
use crate::html::{Purpose, page};
use crate::live::{Place, Screen};
use crate::mail::{Head, mail};
use crate::picture::{Picture, View};
use crate::png::png;
use crate::server::Server;
use crate::shared::Shared;

/// Where pictures go.
#[derive(Clone, Debug, Default)]
pub struct Faces {
    pub files: Files,
    /// How often files are renewed while lines come.
    pub renew: Option<Duration>,
    pub screen: Option<Place>,
    pub listen: Option<std::net::SocketAddr>,
    pub token: Option<String>,
    /// How long the page stays when no line comes any more.
    pub stay: Duration,
}

/// The files to write.
#[derive(Clone, Debug, Default)]
pub struct Files {
    pub svg: Option<PathBuf>,
    pub html: Option<PathBuf>,
    pub png: Option<PathBuf>,
    pub mail: Option<PathBuf>,
    pub mail_to: Option<String>,
    /// In units of a pixel.
    pub width: f64,
}

impl Files {
    fn all(&self) -> impl Iterator<Item = &PathBuf> {
        [&self.svg, &self.html, &self.png, &self.mail].into_iter().flatten()
    }

    /// Writes all files of a picture.
    ///
    /// # Errors
    /// The first that cannot be written; those before it are there.
    pub fn write(&self, picture: &Picture) -> Result<(), Error> {
        let drawing = draw(picture, Frame { width: self.width, is_alone: true });
        if let Some(path) = &self.svg {
            files::write(path, file(&drawing).as_bytes())?;
        }
        if let Some(path) = &self.html {
            files::write(path, page(picture, self.width, Purpose::File).as_bytes())?;
        }
        self.write_png(picture, &drawing)
    }

    fn write_png(&self, picture: &Picture, drawing: &Drawing) -> Result<(), Error> {
        if self.png.is_none() && self.mail.is_none() {
            return Ok(());
        }
        let bytes = png(drawing)?;
        if let Some(path) = &self.png {
            files::write(path, &bytes)?;
        }
        let Some(path) = &self.mail else { return Ok(()) };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let head = Head { to: self.mail_to.clone(), date_s: now.as_secs() as i64 };
        files::write(path, mail(&head, picture, &bytes).as_bytes())
    }
}

/// Those that run.
#[derive(Debug)]
pub struct Viewers {
    faces: Faces,
    shared: Arc<Shared>,
    screen: Option<Screen>,
    server: Option<Server>,
    renewal: Option<JoinHandle<()>>,
}

impl Viewers {
    /// Starts them, and says where the page is.
    ///
    /// # Errors
    /// When a file cannot be written, or nothing can listen at the address.
    pub fn start(faces: Faces, shared: &Arc<Shared>) -> Result<Self, Error> {
        faces.files.all().try_for_each(|path| files::check(path))?;
        let listen = |address| Server::start(address, faces.token.clone(), Arc::clone(shared));
        let server = faces.listen.map(listen).transpose()?;
        if let Some(server) = &server {
            let query = if faces.token.is_some() { "?token=…" } else { "" };
            warn("report", &format!("the page is at http://{}/{query}", server.address));
        }
        let screen = faces.screen.map(|place| Screen::start(place, shared)).transpose()?;
        let renewal = faces.renew.map(|renew| renewing(renew, faces.files.clone(), shared)).transpose()?;
        Ok(Self { faces, shared: Arc::clone(shared), screen, server, renewal })
    }

    /// Draws for the last time, after the last line.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn end(self, went_well: bool) -> Result<(), Error> {
        self.shared.end();
        let picture = self.shared.picture(&View::default());
        let written = if self.renewal.is_none() { self.faces.files.write(&picture) } else { Ok(()) };
        if self.server.is_some() && went_well {
            self.shared.wait(self.faces.stay);
        }
        self.shared.close();
        if let Some(renewal) = self.renewal {
            drop(renewal.join());
        }
        if let Some(screen) = self.screen {
            screen.end(went_well);
        }
        if let Some(server) = self.server {
            server.end();
        }
        written.and_then(|()| if self.faces.renew.is_some() { self.faces.files.write(&picture) } else { Ok(()) })
    }
}

/// Writes the files again and again. What fails is told once, and tried again.
fn renewing(renew: Duration, files: Files, shared: &Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    let shared = Arc::clone(shared);
    let run = move || {
        let (mut written, mut has_told) = (None, false);
        while !shared.wait(renew) {
            if written.replace(shared.version()) == Some(shared.version()) {
                continue;
            }
            if let Err(error) = files.write(&shared.picture(&View::default()))
                && !std::mem::replace(&mut has_told, true)
            {
                warn("report", &format!("warning: {}", error.message));
            }
        }
    };
    std::thread::Builder::new().name("files".to_owned()).spawn(run).map_err(|e| Error::io("a thread for files", &e))
}
