//! Certificates: which are trusted, and what is said of those that are not.

use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Manner, Server, Stream};
use crate::setting::Setting;

/// A certificate authority and servers with certificates of its making.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A server whose certificate is for `name`, spoilt by `spoil`.
    fn server(&self, name: &str, spoil: impl FnOnce(&mut CertificateParams)) -> Server {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        spoil(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate: CertificateDer<'static> = params.signed_by(&key, &self.0).unwrap().into();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
        Server::start_with(Manner::Answer(204), move |stream| encrypted(&config, stream))
    }
}

fn encrypted(config: &Arc<ServerConfig>, mut stream: TcpStream) -> Option<Box<dyn Stream>> {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    connection.complete_io(&mut stream).ok()?;
    Some(Box::new(StreamOwned::new(connection, stream)))
}

/// A setting that delivers over https and trusts `authority`.
fn setting(server: &Server, host: &str, authority: &Authority) -> Setting {
    let setting = Setting::new(&format!("https://{host}:{}", server.port()), "");
    setting.write("ca.pem", &authority.0.pem(), 0o644);
    setting.configure_more(&format!("ca_file = \"{}\"", setting.shown("ca.pem")));
    setting
}

const UNTRUSTED: &str = "4.7.5 Chatwoot's certificate cannot be trusted";

#[test]
fn a_certificate_of_the_configured_authority_is_trusted() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {});
    setting(&server, "localhost", &authority).run().assert_delivered();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_system_s_bundle_is_where_ssl_cert_file_says() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {});
    let setting = Setting::new(&format!("https://localhost:{}", server.port()), "");
    setting.write("bundle.pem", &authority.0.pem(), 0o644);
    setting.ingress(&[]).env("SSL_CERT_FILE", &setting.shown("bundle.pem")).run().assert_delivered();
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let server = Authority::new().server("localhost", |_| {});
    let setting = setting(&server, "localhost", &Authority::new());
    setting.run().assert_failed(75, UNTRUSTED);
    let log = setting.failure_logged();
    assert!(log.contains("authority that is not trusted"), "{log}");
    assert_eq!(server.requests(), []);
}

#[test]
fn a_certificate_for_another_name_is_not_trusted() {
    let authority = Authority::new();
    let server = authority.server("chat.example.com", |_| {});
    let setting = setting(&server, "localhost", &authority);
    setting.run().assert_failed(75, UNTRUSTED);
    assert!(setting.failure_logged().contains("another host name"));
}

#[test]
fn an_expired_certificate_is_not_trusted() {
    let authority = Authority::new();
    let server = authority.server("localhost", |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let setting = setting(&server, "localhost", &authority);
    setting.run().assert_failed(75, UNTRUSTED);
    assert!(setting.failure_logged().contains("expired"));
}

#[test]
fn a_port_without_tls_is_no_question_of_trust() {
    let plain = Server::start_with(Manner::Close, |mut stream| {
        let _ = std::io::Write::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n");
        None
    });
    let setting = setting(&plain, "localhost", &Authority::new());
    setting.run().assert_failed(75, "4.4.2 The connection to Chatwoot was lost");
    setting.failure_logged();
}

#[test]
fn a_bundle_without_certificates_is_a_broken_configuration() {
    let setting = Setting::new("https://localhost:1", "ca_file = \"/dev/null\"");
    setting.run().assert_failed(75, "4.3.5 The mail gateway is misconfigured");
    assert!(setting.failure_logged().contains("cannot read certificates from /dev/null"));
}
