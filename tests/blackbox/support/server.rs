//! A server of the test's own that answers, misbehaves and remembers, as each test wants it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How long a connection may be silent.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// Request line and header, with the empty line that ends them.
    pub(crate) head: String,
    /// As much of the body as was read.
    pub(crate) body: Vec<u8>,
}

/// A running server on a free loopback port. It takes no more connections when it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Request>>,
    stopped: AtomicBool,
}

/// A connection, plain or encrypted.
pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A loopback port at which connections wait for ever: nobody accepts them, and the queue is full.
pub(crate) struct FullQueue {
    pub(crate) address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl FullQueue {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            waiting.push(stream);
            assert!(waiting.len() < 10_000, "the queue never fills");
        }
        Self { address, _listener: listener, _waiting: waiting }
    }
}

impl Server {
    /// Reads each request and answers with this status.
    pub(crate) fn answering(status: u16) -> Self {
        Self::acting(move |connection| {
            connection.request()?;
            connection.answer(status)
        })
    }

    /// Reads each request and says these bytes, whatever they are.
    pub(crate) fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::acting(move |connection| {
            connection.request()?;
            connection.say(&bytes)
        })
    }

    /// Reads each request and never answers.
    pub(crate) fn hanging() -> Self {
        Self::acting(|connection| {
            connection.request()?;
            connection.wait_for_the_client_to_leave();
            Ok(())
        })
    }

    /// Does this with each request, which is remembered, on connections that stay as long as both sides like.
    pub(crate) fn serving(
        act: impl Fn(&mut Connection, &Request) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::acting(move |connection| {
            loop {
                let request = connection.received()?;
                act(connection, &request)?;
            }
        })
    }

    /// Takes every message, on connections that stay.
    pub(crate) fn taking() -> Self {
        Self::serving(|connection, _| connection.take())
    }

    /// Does this with each connection, which is then closed.
    pub(crate) fn acting(act: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self::wrapped(|stream| Some(Box::new(stream)), act)
    }

    /// As `acting`; `wrap` comes first, for encryption. No connection comes of it when it gives none.
    pub(crate) fn wrapped(
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
        act: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(), wrap, act)
    }

    /// As `wrapped`, on a port that is held already.
    pub(crate) fn on(
        listener: TcpListener,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
        act: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let serve = Arc::new((wrap, act, Arc::clone(&seen)));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (serve, number) =
                    (Arc::clone(&serve), serve.2.connections.fetch_add(1, Ordering::SeqCst));
                if serve.2.stopped.load(Ordering::SeqCst) {
                    return;
                }
                thread::spawn(move || {
                    let (wrap, act, seen) = &*serve;
                    if let Some(mut connection) = Connection::new(stream, number, wrap, Arc::clone(seen)) {
                        // The client's side of what goes wrong is what the test looks at.
                        let _ = act(&mut connection);
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The requests whose header came, in the order of their ends.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.requests.lock().unwrap().clone()
    }

    /// The only request.
    pub(crate) fn request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1);
        requests[0].clone()
    }

    /// The bodies that came, in the order of their ends.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.requests().into_iter().map(|request| request.body).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.seen.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

/// One connection, seen from the server.
pub(crate) struct Connection {
    /// Counted from 0.
    pub(crate) number: usize,
    stream: Box<dyn Stream>,
    raw: TcpStream,
    seen: Arc<Seen>,
}

impl Connection {
    fn new(
        raw: TcpStream,
        number: usize,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>>,
        seen: Arc<Seen>,
    ) -> Option<Self> {
        raw.set_read_timeout(Some(PATIENCE)).ok()?;
        raw.set_write_timeout(Some(PATIENCE)).ok()?;
        let stream = wrap(raw.try_clone().ok()?)?;
        Some(Self { number, stream, raw, seen })
    }

    /// Reads the header alone, byte by byte, and remembers it as a request without a body; gives the length of the body that follows.
    pub(crate) fn head(&mut self) -> io::Result<usize> {
        let (head, length) = self.read_head()?;
        self.remember(head, Vec::new());
        Ok(length)
    }

    /// Reads a whole request and remembers it.
    pub(crate) fn request(&mut self) -> io::Result<()> {
        self.received().map(drop)
    }

    /// Reads a whole request, remembers it and gives it.
    pub(crate) fn received(&mut self) -> io::Result<Request> {
        let (head, length) = self.read_head()?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(self.remember(head, body))
    }

    fn remember(&self, head: String, body: Vec<u8>) -> Request {
        let request = Request { head, body };
        self.seen.requests.lock().unwrap().push(request.clone());
        request
    }

    fn read_head(&mut self) -> io::Result<(String, usize)> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.stream.read_exact(&mut byte)?;
            head.extend_from_slice(&byte);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        Ok((head, length.unwrap_or(0)))
    }

    /// Reads one TLS record and forgets it: a client's hello.
    pub(crate) fn hello(&mut self) -> io::Result<()> {
        let mut header = [0; 5];
        self.stream.read_exact(&mut header)?;
        self.skip(usize::from(u16::from_be_bytes([header[3], header[4]])))
    }

    /// Reads so many bytes and forgets them.
    pub(crate) fn skip(&mut self, bytes: usize) -> io::Result<()> {
        self.stream.read_exact(&mut vec![0; bytes])
    }

    pub(crate) fn say(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())?;
        self.stream.flush()
    }

    /// Says that the message is taken, and waits for the next.
    pub(crate) fn take(&mut self) -> io::Result<()> {
        self.say("HTTP/1.1 204 No Content\r\n\r\n")
    }

    /// Refuses with this status and these fields, and waits for the next.
    pub(crate) fn refuse(&mut self, status: u16, fields: &str) -> io::Result<()> {
        self.say(format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\n{fields}\r\n"))
    }

    /// Answers with this status and nothing else.
    pub(crate) fn answer(&mut self, status: u16) -> io::Result<()> {
        self.say(format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"))
    }

    /// Hands everything on to another server, and back, until one of both closes.
    pub(crate) fn tunnel_to(&mut self, target: &str) -> io::Result<()> {
        let mut there = TcpStream::connect(target)?;
        let (mut back, mut here) = (there.try_clone()?, self.raw.try_clone()?);
        let returning = thread::spawn(move || io::copy(&mut back, &mut here));
        io::copy(&mut self.raw, &mut there)?;
        there.shutdown(Shutdown::Write)?;
        let _ = returning.join();
        Ok(())
    }

    /// Lets the close that follows reset the connection.
    pub(crate) fn reset(&self) -> io::Result<()> {
        Ok(rustix::net::sockopt::set_socket_linger(&self.raw, Some(Duration::ZERO))?)
    }

    /// Reads whatever comes until the client closes its side.
    pub(crate) fn wait_for_the_client_to_leave(&mut self) {
        let mut buffer = vec![0; 64 * 1024];
        while self.stream.read(&mut buffer).is_ok_and(|length| length > 0) {}
    }
}
