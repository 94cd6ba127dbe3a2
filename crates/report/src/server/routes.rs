//! What the server answers.

use std::convert::Infallible;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Query as Pairs, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive};
use axum::response::{IntoResponse, Response, Sse};
use axum::routing::get;
use futures_util::stream::unfold;
use tokio::sync::Notify;

use crate::draw::{Frame, draw, file};
use crate::html::{Purpose, frame, json, page, points_json, policy};
use crate::png::png;
use crate::server::guard::{Guard, Refusal};
use crate::server::query::Query;
use crate::server::readers::Readers;
use crate::shared::Shared;

/// From event to event, at least; a page waits as long from answer to question.
const FRAME: Duration = Duration::from_millis(500);
/// So that whatever is between here and the page does not take it for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// After a lost connection a reader of events asks again after this time.
const RETRY: Duration = Duration::from_secs(2);

/// What all requests share.
#[derive(Debug)]
pub struct App {
    shared: Arc<Shared>,
    guard: Guard,
    close: Notify,
    /// Another one after a restart: the same count of lines is not the same frame then.
    run: u64,
    readers: Readers,
    /// Those that get events.
    listeners: AtomicUsize,
}

/// What a frame depends on, but for the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Moment {
    version: u64,
    has_ended: bool,
}

type AppState = State<Arc<App>>;
type PairList = Pairs<Vec<(String, String)>>;

impl App {
    /// Serves a store.
    #[must_use]
    pub fn new(shared: Arc<Shared>, guard: Guard) -> Self {
        let run = RandomState::new().hash_one(0);
        Self { shared, guard, close: Notify::new(), run, readers: Readers::default(), listeners: AtomicUsize::new(0) }
    }

    fn now(&self) -> Moment {
        Moment { version: self.shared.version(), has_ended: self.shared.has_ended() }
    }

    fn id(&self, moment: Moment) -> String {
        format!("{:x}.{}.{}", self.run, moment.version, u8::from(moment.has_ended))
    }

    /// Draws a frame; lines that come meanwhile may be in it, and are in the next one at the latest.
    fn frame(&self, query: &Query, moment: Moment) -> String {
        let picture = self.shared.picture(&query.view);
        json(&frame(&picture, query.width, self.id(moment), moment.has_ended))
    }

    /// Says that the run is over.
    pub fn close(&self) {
        self.shared.close();
        self.close.notify_one();
    }

    /// Waits until the run is over.
    pub async fn closed(&self) {
        self.close.notified().await;
    }

    /// Waits until all pages have the last numbers.
    pub async fn all_gone(&self) {
        while self.listeners.load(Ordering::Relaxed) > 0 || !self.readers.all_have_the_last() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // What was given to the connections goes out.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Makes the routes.
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(the_page))
        .route("/frame.json", get(new_frame))
        .route("/events", get(events))
        .route("/points.json", get(points))
        .route("/report.svg", get(svg))
        .route("/report.png", get(picture_file))
        .route("/report.csv", get(csv))
        .layer(from_fn_with_state(Arc::clone(&app), check))
        .with_state(app)
}

/// Before anything is answered: who asks. After it: what a browser may do with the answer.
async fn check(
    State(app): AppState,
    Pairs(pairs): PairList,
    headers: HeaderMap,
    request: Request,
    next: Next,
) -> Response {
    let query = Query::of_pairs(&pairs);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let mut response = match app.guard.check(host, query.token.as_deref()) {
        Ok(()) => next.run(request).await,
        Err(Refusal::Host) => {
            (StatusCode::FORBIDDEN, "this page is for localhost; --token makes it one for others\n").into_response()
        }
        Err(Refusal::Token) => {
            (StatusCode::FORBIDDEN, "the address of this page ends with ?token=TOKEN\n").into_response()
        }
    };
    let fixed = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, axum::http::HeaderValue::from_static(value));
    }
    if !response.headers().contains_key(header::CONTENT_SECURITY_POLICY) {
        let nothing = axum::http::HeaderValue::from_static("default-src 'none'");
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, nothing);
    }
    response
}

async fn the_page(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let query = Query::of_pairs(&pairs);
    // Seeded by the system; a word that nobody can tell before.
    let nonce = format!("{:016x}{:016x}", RandomState::new().hash_one(1), RandomState::new().hash_one(2));
    let text = page(&app.shared.picture(&query.view), query.width, Purpose::Live { nonce: &nonce });
    let policy = format!("{}; frame-ancestors 'none'", policy(&nonce));
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()), (header::CONTENT_SECURITY_POLICY, policy)], text)
        .into_response()
}

/// The frame after the one that the page has; at once, so that no page holds a connection of its browser, and empty where there is none.
async fn new_frame(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let query = Query::of_pairs(&pairs);
    let now = app.now();
    app.readers.asked(query.page.as_deref().unwrap_or_default(), now.has_ended);
    if query.seen == Some(app.id(now)) {
        return StatusCode::NO_CONTENT.into_response();
    }
    ([(header::CONTENT_TYPE, "application/json")], app.frame(&query, now)).into_response()
}

async fn points(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let text = points_json(&app.shared.picture(&Query::of_pairs(&pairs).view));
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn csv(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let text = app.shared.picture(&Query::of_pairs(&pairs).view).csv();
    ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response()
}

async fn svg(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let query = Query::of_pairs(&pairs);
    let drawing = draw(&app.shared.picture(&query.view), Frame { width: query.width, is_alone: true });
    ([(header::CONTENT_TYPE, "image/svg+xml")], file(&drawing)).into_response()
}

async fn picture_file(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let query = Query::of_pairs(&pairs);
    // It takes a tenth of a second: not on the thread of the others.
    let drawn = tokio::task::spawn_blocking(move || {
        png(&draw(&app.shared.picture(&query.view), Frame { width: query.width, is_alone: true }))
    });
    match drawn.await {
        Ok(Ok(bytes)) => ([(header::CONTENT_TYPE, "image/png")], bytes).into_response(),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "no picture\n").into_response(),
    }
}

async fn events(State(app): AppState, Pairs(pairs): PairList) -> Response {
    let feed = Feed::new(app, Query::of_pairs(&pairs));
    let frames =
        unfold(feed, |mut feed| async move { feed.next().await.map(|event| (Ok::<_, Infallible>(event), feed)) });
    let events = Sse::new(frames).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    // Proxies that gather answers before they send them would hold the frames back.
    ([(HeaderName::from_static("x-accel-buffering"), "no")], events).into_response()
}

/// The frames of one view as events, for programs: pages ask for `frame.json`.
struct Feed {
    app: Arc<App>,
    query: Query,
    seen: Option<Moment>,
    is_last: bool,
}

impl Feed {
    fn new(app: Arc<App>, query: Query) -> Self {
        app.listeners.fetch_add(1, Ordering::Relaxed);
        Self { app, query, seen: None, is_last: false }
    }

    /// Waits for the next frame: at once the first time, then when there are new lines; none after the last.
    async fn next(&mut self) -> Option<Event> {
        if self.is_last {
            return None;
        }
        if self.seen.is_some() {
            self.wait_for_news().await;
        }
        self.is_last = self.app.shared.is_closed();
        let now = self.app.now();
        self.seen = Some(now);
        let text = self.app.frame(&self.query, now);
        Some(Event::default().event("frame").id(self.app.id(now)).retry(RETRY).data(text))
    }

    async fn wait_for_news(&self) {
        let mut waited = Duration::ZERO;
        let step = Duration::from_millis(50);
        loop {
            let has_news = self.seen != Some(self.app.now());
            if self.app.shared.is_closed() || (has_news && waited >= FRAME) {
                return;
            }
            tokio::time::sleep(step).await;
            waited += step;
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.app.listeners.fetch_sub(1, Ordering::Relaxed);
    }
}
