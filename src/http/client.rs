//! The POST itself, and the judgement of what can go wrong with it. Only this file names reqwest.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{
    ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use tokio::runtime::Runtime;

use super::resolver::SystemResolver;
use super::{Answer, PhaseCell, TlsError, retry_after, tls};
use crate::clock::now;
use crate::io_error::plain;
use crate::settings::{ConfigError, Network};
use chatwoot_mail::environment::Environment;
use chatwoot_mail::outcome::{Cause, Failure, Phase};
use chatwoot_mail::request::{Request, Secret};

/// An HTTP client for one endpoint, with the event loop it runs on.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    progress: PhaseCell,
    /// Host and port of the proxy, when there is one.
    proxy: Option<String>,
    /// There until the client is dropped.
    runtime: Option<Runtime>,
}

impl Client {
    /// A client that nobody watches.
    pub(crate) fn new(
        https: bool,
        network: &Network,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        Self::telling(PhaseCell::default(), https, network, environment)
    }

    /// Prepares without touching the network; tells how far it is. Follows no redirect (the password would go along) and no proxy of
    /// the environment.
    pub(crate) fn telling(
        progress: PhaseCell,
        https: bool,
        network: &Network,
        environment: &Environment,
    ) -> Result<Self, ConfigError> {
        let tls = if https {
            tls::trusting(tls::bundle(network.ca_file.as_deref(), environment).as_deref())?
        } else {
            tls::trusting_nobody()?
        };
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .no_proxy()
            .dns_resolver(SystemResolver { progress: progress.clone() })
            .connect_timeout(network.connect_timeout)
            .user_agent(concat!("ingress/", env!("CARGO_PKG_VERSION")));
        let builder = match &network.proxy {
            Some(url) => builder.proxy(proxy(url)?),
            None => builder,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(1)
            .build();
        let runtime =
            runtime.map_err(|error| ConfigError::new(format!("cannot start the event loop: {error}")))?;
        let http = builder
            .build()
            .map_err(|error| ConfigError::new(format!("cannot set up the HTTP client: {}", chain(&error))))?;
        let proxy = network.proxy.as_ref().and_then(authority);
        Ok(Self { http, progress, proxy, runtime: Some(runtime) })
    }

    /// POSTs the request and waits for the status of the answer, until the deadline at most.
    pub(crate) fn send(&self, request: &Request<'_>, deadline: Instant) -> Exchange {
        let sent = Sent::default();
        let reply = self.until(deadline, self.post(request, &sent));
        Exchange { reply, whole: sent.whole.load(Ordering::Relaxed), lost: sent.lost.load(Ordering::Relaxed) }
    }

    /// POSTs the request once, and gives what the answer says, and whether it has a body.
    pub(crate) fn probe(&self, request: &Request<'_>, deadline: Instant) -> Result<Answer, Failure> {
        let body = reqwest::Body::from(request.body.clone());
        self.until(deadline, async { self.whole(self.posted(request, body), 1).await })
    }

    /// GETs a URL without the password, and the beginning of the body.
    pub(crate) fn get(&self, url: &url::Url, deadline: Instant) -> Result<Answer, Failure> {
        self.until(deadline, async { self.whole(self.http.get(url.clone()), PAGE).await })
    }

    /// GETs a URL of Chatwoot's API with a token, and the body.
    pub(crate) fn get_with_token(
        &self,
        url: &url::Url,
        token: &Secret,
        deadline: Instant,
    ) -> Result<Answer, Failure> {
        let mut request = self.http.get(url.clone()).header(ACCEPT, "application/json");
        if let Ok(mut value) = HeaderValue::from_str(token.reveal()) {
            value.set_sensitive(true);
            request = request.header(API_TOKEN, value);
        }
        self.until(deadline, async { self.whole(request, API_ANSWER).await })
    }

    /// What the server answers to the header of a POST of so many bytes; nothing when it waits for the body, which never comes: so nothing
    /// can be stored. It has no password, and a type that no service takes.
    pub(crate) fn answer_to_length(&self, url: &url::Url, length: u64, patience: Duration) -> Option<u16> {
        let request = self.http.post(url.clone()).header(CONTENT_LENGTH, length);
        let request = request.header(CONTENT_TYPE, "text/plain").header(EXPECT, "100-continue");
        let sent = async {
            let sent = request.body(reqwest::Body::wrap(HeldBack)).send();
            match tokio::time::timeout(patience, sent).await {
                Ok(response) => response.map(|response| Some(response.status().as_u16())),
                Err(_) => Ok(None),
            }
            .map_err(|error| self.failure(&error))
        };
        self.until(Instant::now() + 2 * patience, sent).ok().flatten()
    }

    /// Does it until the deadline. An answer that came while the process was stopped lies in the socket still, and counts.
    fn until<T>(
        &self,
        deadline: Instant,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let before = self.progress.phase();
        if Instant::now() >= deadline {
            return Err(Failure::late(before));
        }
        self.progress.enter(Phase::Connecting);
        let timed = async {
            let mut work = pin!(work);
            match tokio::time::timeout_at(deadline.into(), work.as_mut()).await {
                Err(_) => tokio::time::timeout(LAST_LOOK, work).await,
                in_time => in_time,
            }
        };
        let answer = self.runtime.as_ref().map(|runtime| runtime.block_on(timed));
        let answer = answer.and_then(Result::ok).unwrap_or_else(|| Err(Failure::late(self.progress.phase())));
        self.progress.enter(before);
        answer
    }

    /// A connection that breaks while the body is on its way may hide an answer that came before the body was read
    /// (nginx's 413, then a reset). So the endpoint is asked once more with the header alone: that stores nothing.
    async fn post(&self, request: &Request<'_>, sent: &Sent) -> Result<Reply, Failure> {
        let (rest, progress) = (request.body.clone(), self.progress.clone());
        let body = PostBody { rest, taken: Arc::clone(&sent.whole), progress };
        match self.answer(request, reqwest::Body::wrap(body)).await {
            Err(failure) if failure.cause == Cause::ConnectionLost => {
                sent.lost.store(true, Ordering::Relaxed);
                Err(self.early_answer(request).await.unwrap_or(failure))
            }
            Ok(Reply { status: status @ 200..300, .. }) if !sent.whole.load(Ordering::Relaxed) => {
                Err(Failure::new(
                    Cause::ConnectionLost,
                    format!("the endpoint answered {status} before it took the whole message"),
                ))
            }
            result => result,
        }
    }

    /// Sends a request and keeps what its answer says; of the body not much more than `enough` bytes, as far as they come.
    async fn whole(&self, request: reqwest::RequestBuilder, enough: usize) -> Result<Answer, Failure> {
        let mut response = request.send().await.map_err(|error| self.failure(&error))?;
        let mut body = Vec::new();
        while body.len() < enough
            && let Ok(Ok(Some(piece))) = tokio::time::timeout(PATIENCE, response.chunk()).await
        {
            body.extend_from_slice(&piece);
        }
        let field = |name: HeaderName| {
            response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(Answer {
            status: response.status().as_u16(),
            location: field(LOCATION),
            challenge: field(WWW_AUTHENTICATE),
            media_type: field(CONTENT_TYPE),
            body,
        })
    }

    async fn answer(&self, request: &Request<'_>, body: reqwest::Body) -> Result<Reply, Failure> {
        let response = self.posted(request, body).send().await.map_err(|error| self.failure(&error))?;
        Ok(Reply::of(response).await)
    }

    fn posted(&self, request: &Request<'_>, body: reqwest::Body) -> reqwest::RequestBuilder {
        let post = self.http.post(request.url.clone());
        let mut post = post.header(CONTENT_TYPE, request.content_type.as_ref()).body(body);
        post = post.header(CONTENT_LENGTH, request.body.len());
        if let Some(accept) = request.accept {
            post = post.header(ACCEPT, accept);
        }
        if let Some((name, value)) = &request.signature {
            post = post.header(*name, value);
        }
        match request.basic {
            Some((user, password)) => post.basic_auth(user, Some(password.reveal())),
            None => post,
        }
    }

    /// Judges an error of the HTTP library by its kind, never by its text: the text can hold the URL.
    fn failure(&self, error: &reqwest::Error) -> Failure {
        if let Some(tls) = find::<rustls::Error>(error) {
            return TlsError::of(tls).failure();
        }
        if error.is_dns() {
            let (peer, _) = self.peer(error, &chain(error));
            return Failure::new(Cause::NameNotFound, format!("cannot resolve {peer}: {}", chain(error)));
        }
        if error.is_connect() {
            return self.connect_failure(error);
        }
        match find::<hyper::Error>(error) {
            Some(http) if http.is_parse() => Failure::new(
                Cause::NotHttp,
                format!("the answer of {} is not HTTP: {}", host(error), chain(error)),
            ),
            _ => Failure::new(
                Cause::ConnectionLost,
                format!("the connection to {} broke: {}", host(error), chain(error)),
            ),
        }
    }

    fn connect_failure(&self, error: &reqwest::Error) -> Failure {
        let text = chain(error);
        if text.contains("proxy authorization required") {
            return Failure::new(Cause::Answer(407), "the proxy answered 407");
        }
        let lost = |error: &io::Error| {
            use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        };
        // A reset amid the handshake stands inside another I/O error; a proxy that closes amid the tunnel's is none at all.
        let lost = causes(error).filter_map(|cause| cause.downcast_ref()).any(lost)
            || text.contains("unexpected end of file");
        let (peer, unreachable) = self.peer(error, &text);
        let cause = if lost { Cause::ConnectionLost } else { unreachable };
        if error.is_timeout() && self.progress.phase() == Phase::Resolving {
            return Failure::new(
                Cause::NameNotFound,
                format!("the resolver gave no answer for {peer} within connect_timeout"),
            );
        }
        if error.is_timeout() {
            return Failure::new(unreachable, format!("no connection to {peer} within connect_timeout"));
        }
        let text = text.replace(&format!("tunnel error: {TO_PROXY}: "), "");
        Failure::new(cause, format!("cannot connect to {peer}: {text}"))
    }

    /// Whom a connection was sought to: the proxy is connected to first, and for http it is all there is.
    fn peer(&self, error: &reqwest::Error, text: &str) -> (String, Cause) {
        let is_http = error.url().is_some_and(|url| url.scheme() == "http");
        match &self.proxy {
            Some(proxy) if is_http || text.contains(TO_PROXY) => {
                (format!("the proxy {proxy}"), Cause::CannotConnectToProxy)
            }
            _ => (host(error), Cause::CannotConnect),
        }
    }

    /// What the endpoint answers to the header when the body is held back; nothing when it waits for the body.
    async fn early_answer(&self, request: &Request<'_>) -> Option<Failure> {
        let held_back = reqwest::Body::wrap(HeldBack);
        let answer = tokio::time::timeout(PATIENCE, self.answer(request, held_back)).await;
        match answer {
            Ok(Ok(Reply { status, .. })) if !(200..300).contains(&status) => Some(Failure::new(
                Cause::Answer(status),
                format!(
                    "the endpoint answered {status} before it read the message, then closed the connection"
                ),
            )),
            _ => None,
        }
    }
}

/// How a POST ended.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) reply: Result<Reply, Failure>,
    /// Whether all of the body was on its way.
    pub(crate) whole: bool,
    /// Whether the connection broke before an answer came. What the endpoint says to the header alone after that may be the reason.
    pub(crate) lost: bool,
}

/// What is known of a POST whatever comes of it.
#[derive(Debug, Default)]
struct Sent {
    whole: Arc<AtomicBool>,
    lost: AtomicBool,
}

/// What the endpoint answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// How long it asks to be left alone.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the answer is a success that says more than that. Action Mailbox never does; a login page does.
    pub(crate) wordy: bool,
}

impl Reply {
    async fn of(response: reqwest::Response) -> Self {
        let status = response.status();
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        Self {
            status: status.as_u16(),
            retry_after: asked.and_then(|value| retry_after::read(value, now())),
            wordy: status.is_success() && has_words(response).await,
        }
    }
}

/// Whether a body follows. One that is cut short, or does not come to its end in time, counts.
async fn has_words(mut response: reqwest::Response) -> bool {
    let read = async {
        loop {
            match response.chunk().await {
                Ok(None) => return false,
                Ok(Some(piece)) if piece.trim_ascii().is_empty() => {}
                _ => return true,
            }
        }
    };
    tokio::time::timeout(PATIENCE, read).await.unwrap_or(true)
}

/// How long it takes to see what came before the deadline; the watcher's grace is longer.
const LAST_LOOK: Duration = Duration::from_millis(50);

/// How much of a body somebody may want to read.
const PAGE: usize = 64 * 1024;

/// More than twenty messages of the greatest length that Chatwoot stores (150,000 characters each), as JSON.
const API_ANSWER: usize = 16 * 1024 * 1024;

/// Chatwoot calls it `api_access_token`; Rack takes both for the same, and nginx drops names with underscores.
const API_TOKEN: HeaderName = HeaderName::from_static("api-access-token");

/// How long an endpoint that judges by the header alone may take to say so, and a piece of a body to come.
const PATIENCE: Duration = Duration::from_secs(3);

/// A message as it is sent, in pieces: so that a success answered to a part of it is not believed.
struct PostBody {
    rest: Bytes,
    /// Whether the last piece is on its way.
    taken: Arc<AtomicBool>,
    progress: PhaseCell,
}

/// How much of a message is on its way at once, beside what the kernel holds.
const PIECE: usize = 64 * 1024;

impl http_body::Body for PostBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        self.taken.store(self.rest.is_empty(), Ordering::Relaxed);
        self.progress.enter(if self.rest.is_empty() { Phase::Waiting } else { Phase::Sending });
        std::task::Poll::Ready((length > 0).then_some(Ok(http_body::Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// A body that never comes.
struct HeldBack;

impl http_body::Body for HeldBack {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, io::Error>>> {
        std::task::Poll::Pending
    }
}

fn proxy(url: &url::Url) -> Result<reqwest::Proxy, ConfigError> {
    reqwest::Proxy::all(url.as_str()).map_err(|_| ConfigError::new("proxy cannot be used as a proxy's URL"))
}

impl Drop for Client {
    /// A name lookup that hangs in the C library must not hold the exit.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How reqwest names the connection to a proxy that is to lead on (its `connect.rs`).
const TO_PROXY: &str = "failed to create underlying connection";

/// The host of the request, with the port when the URL names one.
fn host(error: &reqwest::Error) -> String {
    error.url().and_then(authority).unwrap_or_else(|| "Chatwoot".to_owned())
}

/// The host, with the port when the URL names one.
fn authority(url: &url::Url) -> Option<String> {
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The first error of this type among the causes.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and its causes, outermost first; also those inside `io::Error`, which hides what it wraps from `source()`.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|error| error as &(dyn Error + 'static)).or_else(|| error.source())
    })
}

/// The causes as prose, outermost first, without the URL that reqwest's own text repeats.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(error) = next {
        let step = match error.downcast_ref::<io::Error>() {
            Some(error) => plain(error),
            None => error.to_string(),
        };
        // The libraries' own frames, of which the next cause says more.
        let is_frame = step.starts_with("client error") || step == "tcp connect error" || step == "dns error";
        if !is_frame && !text.contains(&step) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&step);
        }
        next = error.source();
    }
    if text.is_empty() { "the request failed".to_owned() } else { text }
}
