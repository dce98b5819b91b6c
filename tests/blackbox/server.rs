//! A server that answers, misbehaves and remembers, as each test wants it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a server does with a connection.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// Reads the request, answers with this status.
    Answer(u16),
    /// Reads the request, sends these bytes, closes.
    Say(&'static str),
    /// Reads the header alone, answers with this status and closes: what is unread resets the connection.
    AnswerEarly(u16),
    /// Reads the request and closes without an answer.
    Close,
    /// Reads the header alone and closes.
    CloseEarly,
    /// Reads the request and never answers.
    Hang,
    /// Answers every request with a redirect to this URL.
    Redirect(String),
}

/// A request as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// A running server; it ends with the test's process.
pub(crate) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// A connection, plain or encrypted.
pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Server {
    pub(crate) fn start(manner: Manner) -> Self {
        Self::start_with(manner, |stream| Some(Box::new(stream)))
    }

    /// Starts a server whose connections go through `wrap` first: TLS.
    pub(crate) fn start_with(
        manner: Manner,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        let wrap = Arc::new(wrap);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (manner, kept, wrap) = (manner.clone(), Arc::clone(&kept), Arc::clone(&wrap));
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
                    let raw = stream.try_clone().unwrap();
                    if let Some(mut wrapped) = wrap(stream) {
                        converse(wrapped.as_mut(), &manner, &kept);
                    }
                    if !matches!(manner, Manner::AnswerEarly(_) | Manner::CloseEarly) {
                        let _ = raw.shutdown(Shutdown::Both);
                    }
                });
            }
        });
        Self { port, requests }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The bodies that came, in order.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.requests().iter().map(|request| String::from_utf8_lossy(&request.body).into_owned()).collect()
    }
}

fn converse(stream: &mut dyn Stream, manner: &Manner, kept: &Mutex<Vec<Request>>) {
    let Some((head, rest)) = head(stream) else { return };
    let early = matches!(manner, Manner::AnswerEarly(_) | Manner::CloseEarly);
    let body = if early { rest } else { body(stream, &head, rest) };
    kept.lock().unwrap().push(Request { head, body });
    let answer = match manner {
        Manner::Answer(status) | Manner::AnswerEarly(status) => {
            format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Manner::Redirect(url) => {
            format!("HTTP/1.1 301 Moved\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Manner::Say(bytes) => (*bytes).to_owned(),
        Manner::Close | Manner::CloseEarly => String::new(),
        Manner::Hang => {
            thread::sleep(Duration::from_secs(60));
            return;
        }
    };
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

fn head(stream: &mut dyn Stream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 2048];
    loop {
        if let Some(end) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Some((String::from_utf8(bytes).unwrap(), rest));
        }
        match stream.read(&mut buffer) {
            Ok(length) if length > 0 => bytes.extend_from_slice(&buffer[..length]),
            _ => return None,
        }
    }
}

fn body(stream: &mut dyn Stream, head: &str, mut body: Vec<u8>) -> Vec<u8> {
    let length = head
        .lines()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let length: usize = length.expect("a request with a length");
    let mut buffer = vec![0; 64 * 1024];
    while body.len() < length {
        match stream.read(&mut buffer) {
            Ok(read) if read > 0 => body.extend_from_slice(&buffer[..read]),
            _ => break,
        }
    }
    body
}
