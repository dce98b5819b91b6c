//! The floor of the measurements: the least work that any program must do that posts its stdin as a message and
//! believes nothing but a 204. It knows no configuration, repairs nothing, and has no deadline.
//!
//! `floor URL PASSWORD_FILE [CA_FILE]`

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Bytes kept free in front of the message, so that the request's head is put there and nothing is copied.
const HEAD_ROOM: usize = 1024;

#[expect(clippy::disallowed_methods, reason = "this is a whole program: it reads its command line here")]
fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (url, password_file, ca_file) = match arguments.as_slice() {
        [url, password_file] => (url, password_file, None),
        [url, password_file, ca_file] => (url, password_file, Some(Path::new(ca_file))),
        _ => bail!("usage: floor URL PASSWORD_FILE [CA_FILE]"),
    };
    let (scheme, rest) = url.split_once("://").context("a URL needs a scheme")?;
    let (authority, path) = rest.split_once('/').context("a URL needs a path")?;
    let password = std::fs::read_to_string(password_file).context("cannot read the password file")?;
    let mut buffer = vec![0; HEAD_ROOM];
    io::stdin().lock().read_to_end(&mut buffer).context("cannot read the message")?;
    let start = put_head(&mut buffer, authority, path, password.trim_end())?;
    let request = buffer.get(start..).unwrap_or_default();
    let stream = TcpStream::connect(authority).context("cannot connect")?;
    match scheme {
        "http" => post(stream, request),
        "https" => post(secure(stream, authority, ca_file.context("https needs a CA file")?)?, request),
        _ => bail!("unknown scheme"),
    }
}

/// Puts the request's head right before the message, and says where it begins.
fn put_head(buffer: &mut [u8], authority: &str, path: &str, password: &str) -> Result<usize> {
    let credentials = STANDARD.encode(format!("actionmailbox:{password}"));
    let head = format!(
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: message/rfc822\r\nContent-Length: {}\r\n\r\n",
        buffer.len() - HEAD_ROOM
    );
    let start = HEAD_ROOM.checked_sub(head.len()).context("the URL is too long")?;
    let place = buffer.get_mut(start..HEAD_ROOM).context("the URL is too long")?;
    place.copy_from_slice(head.as_bytes());
    Ok(start)
}

fn secure(
    stream: TcpStream,
    authority: &str,
    ca_file: &Path,
) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca_file)? {
        roots.add(certificate?)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _port)| host);
    let connection = ClientConnection::new(Arc::new(config), ServerName::try_from(host.to_owned())?)?;
    Ok(StreamOwned::new(connection, stream))
}

fn post(mut stream: impl Read + Write, request: &[u8]) -> Result<()> {
    stream.write_all(request).context("cannot send the message")?;
    stream.flush().context("cannot send the message")?;
    let mut answer = Vec::new();
    let mut piece = [0; 512];
    while !answer.contains(&b'\n') {
        let length = stream.read(&mut piece).context("cannot read the answer")?;
        ensure!(length > 0, "the server closed the connection without an answer");
        answer.extend_from_slice(piece.get(..length).unwrap_or_default());
    }
    ensure!(answer.starts_with(b"HTTP/1.1 204 "), "the server did not take the message");
    Ok(())
}
