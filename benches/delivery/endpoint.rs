//! The stand-in for Chatwoot that every program delivers to: loopback, http and https, answers 204 and counts what arrived.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) const PASSWORD: &str = "correct-horse-battery-staple";
pub(crate) const PATH: &str = "/rails/action_mailbox/relay/inbound_emails";

/// How many connections are served at once on each port; more than any measurement opens.
const THREADS: usize = 32;
/// How much is read from a connection at once, in bytes.
const PIECE: usize = 256 * 1024;

const GO_ON: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
const TAKEN: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";
const REFUSED: &[u8] = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

/// One request: the length of its complete body in bytes, or what was wrong with it.
type Delivery = Result<usize>;

pub(crate) struct Endpoint {
    http: u16,
    https: u16,
    /// The authority that signed the https certificate, as PEM.
    pub(crate) authority: String,
    deliveries: Receiver<Delivery>,
}

impl Endpoint {
    /// Listens on two ports of loopback until the process ends.
    pub(crate) fn start() -> Result<Self> {
        let (sender, deliveries) = channel();
        let (authority, tls) = identity().context("cannot make a certificate")?;
        let tls = Arc::new(tls);
        let http = listen(&sender, answer)?;
        let https = listen(&sender, move |stream, sender| {
            if let Ok(connection) = ServerConnection::new(Arc::clone(&tls)) {
                answer(StreamOwned::new(connection, stream), sender);
            }
        })?;
        Ok(Self { http, https, authority, deliveries })
    }

    pub(crate) fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}{PATH}", self.http)
    }

    pub(crate) fn https_url(&self) -> String {
        format!("https://127.0.0.1:{}{PATH}", self.https)
    }

    /// Fails unless exactly `count` deliveries of `length` bytes came in since this was last asked.
    /// To be asked when the programs have ended: a delivery is counted before it is answered.
    pub(crate) fn expect(&self, count: usize, length: usize) -> Result<()> {
        let mut arrived = 0;
        for delivery in self.deliveries.try_iter() {
            let got = delivery.context("the endpoint got a broken request")?;
            ensure!(got == length, "{got} bytes arrived where {length} were delivered");
            arrived += 1;
        }
        ensure!(arrived == count, "{arrived} messages arrived where {count} were delivered");
        Ok(())
    }

    /// As `expect`, for messages of different lengths, of which the sum is known.
    pub(crate) fn expect_all(&self, count: usize, bytes: u64) -> Result<()> {
        let (mut arrived, mut got) = (0, 0);
        for delivery in self.deliveries.try_iter() {
            got += delivery.context("the endpoint got a broken request")? as u64;
            arrived += 1;
        }
        ensure!(arrived == count, "{arrived} messages arrived where {count} were delivered");
        ensure!(got == bytes, "{got} bytes arrived where {bytes} were delivered");
        Ok(())
    }
}

/// A certificate for 127.0.0.1, and the authority that signed it.
fn identity() -> Result<(String, ServerConfig)> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "ingress bench authority");
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])?.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((authority.pem(), config))
}

/// Serves a port of the kernel's choice on threads that live as long as the process.
fn listen<S>(sender: &Sender<Delivery>, serve: S) -> Result<u16>
where
    S: Fn(TcpStream, &Sender<Delivery>) + Clone + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen on loopback")?;
    let port = listener.local_addr()?.port();
    for _ in 0..THREADS {
        let (listener, sender, serve) = (listener.try_clone()?, sender.clone(), serve.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Small answers leave at once, as those of real web servers do.
                let _ = stream.set_nodelay(true);
                serve(stream, &sender);
            }
        });
    }
    Ok(port)
}

/// Takes requests from a connection until its other end closes it.
fn answer(stream: impl Read + Write, sender: &Sender<Delivery>) {
    let credentials = format!("Basic {}", STANDARD.encode(format!("actionmailbox:{PASSWORD}")));
    let mut connection = BufReader::with_capacity(PIECE, stream);
    // Between two requests an error means the same as the end: most programs end without a word.
    while connection.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
        let delivery = take(&mut connection, &credentials);
        let broken = delivery.is_err();
        let answer = if broken { REFUSED } else { TAKEN };
        if sender.send(delivery).is_err() || say(connection.get_mut(), answer).is_err() || broken {
            return;
        }
    }
}

/// Reads one request to its last byte; the answer is the length of its body.
fn take(connection: &mut BufReader<impl Read + Write>, credentials: &str) -> Delivery {
    let head = Head::read(connection)?;
    ensure!(head.line == format!("POST {PATH} HTTP/1.1"), "the request is `{}`", head.line);
    ensure!(head.field("authorization") == Some(credentials), "the password is wrong");
    ensure!(head.field("content-type") == Some("message/rfc822"), "the media type is wrong");
    let length = head.field("content-length").context("the request has no Content-Length")?.parse()?;
    if head.field("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        say(connection.get_mut(), GO_ON)?;
    }
    let mut missing = length;
    while missing > 0 {
        let arrived = connection.fill_buf()?.len().min(missing);
        ensure!(arrived > 0, "the request ended {missing} bytes too early");
        connection.consume(arrived);
        missing -= arrived;
    }
    Ok(length)
}

fn say(stream: &mut impl Write, answer: &[u8]) -> io::Result<()> {
    stream.write_all(answer)?;
    stream.flush()
}

struct Head {
    line: String,
    /// Names in lower case.
    fields: Vec<(String, String)>,
}

impl Head {
    fn read(connection: &mut impl BufRead) -> Result<Self> {
        let line = read_line(connection)?;
        let mut fields = Vec::new();
        loop {
            let field = read_line(connection)?;
            if field.is_empty() {
                return Ok(Self { line, fields });
            }
            let (name, value) = field.split_once(':').ok_or_else(|| anyhow!("`{field}` is no field"))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(candidate, _)| candidate == name).map(|(_, value)| value.as_str())
    }
}

fn read_line(connection: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let Some(line) = line.strip_suffix("\r\n") else { bail!("the request ended in its head") };
    Ok(line.to_owned())
}
