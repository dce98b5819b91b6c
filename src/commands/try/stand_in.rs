//! A stand-in for Chatwoot's endpoint on a free loopback port, for rehearsals.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use chatwoot_mail::service::Service;

use crate::cli::RehearsedAnswer;

/// A request as it arrived.
#[derive(Debug)]
pub(crate) struct Received {
    /// `POST /path HTTP/1.1`
    pub(crate) request_line: String,
    /// In the order in which they came; the password is not in it.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// A running stand-in. It ends with the process.
#[derive(Debug)]
pub(crate) struct StandIn {
    pub(crate) address: SocketAddr,
    pub(crate) received: Receiver<Received>,
}

/// Starts a stand-in in a thread of its own. Without an answer it gives the success answer of the service that is asked.
///
/// # Errors
///
/// When there is no port or thread to be had.
pub(crate) fn start(answer: Option<RehearsedAnswer>) -> io::Result<StandIn> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (sender, received) = channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    std::thread::Builder::new()
        .name("stand-in".to_owned())
        .spawn(move || runtime.block_on(serve(listener, answer, sender)))?;
    Ok(StandIn { address, received })
}

async fn serve(
    listener: std::net::TcpListener,
    answer: Option<RehearsedAnswer>,
    sender: Sender<Received>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        // A broken connection is the client's to report.
        let _ = converse(stream, answer, &sender).await;
    }
}

async fn converse(
    stream: TcpStream,
    answer: Option<RehearsedAnswer>,
    sender: &Sender<Received>,
) -> hyper::Result<()> {
    if answer == Some(RehearsedAnswer::Reset) {
        // Closing with nothing to linger for sends a reset.
        let _ = rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO));
    }
    let service = service_fn(async |request: Request<Incoming>| {
        let success = Service::at(request.uri().path()).map_or(404, Service::success);
        let received = receive(request).await.map_err(|_| io::ErrorKind::UnexpectedEof)?;
        // Nobody listens any more when the rehearsal is over.
        let _ = sender.send(received);
        match answer.unwrap_or(RehearsedAnswer::Status(success)) {
            RehearsedAnswer::Status(status) => {
                let mut response = Response::new(Empty::<Bytes>::new());
                *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::NOT_FOUND);
                Ok(response)
            }
            RehearsedAnswer::Hang => std::future::pending::<Result<_, io::Error>>().await,
            RehearsedAnswer::Reset => Err(io::ErrorKind::ConnectionReset.into()),
        }
    });
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
}

async fn receive(request: Request<Incoming>) -> hyper::Result<Received> {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let scheme = value.split(' ').next().unwrap_or_default();
        let shown = if name == AUTHORIZATION { format!("{scheme} (hidden)") } else { value.into_owned() };
        (name.to_string(), shown)
    });
    Ok(Received {
        request_line: format!("{} {} {:?}", head.method, head.uri, head.version),
        headers: headers.collect(),
        body: body.collect().await?.to_bytes(),
    })
}
