//! A certificate authority of the test's own, and servers with certificates of its making.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::server::{Connection, Server, Stream};

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Its own certificate, PEM.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server that answers 204, whose certificate is for `name` (a host name or an IP address), changed by `change`.
    pub(crate) fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
        self.server_acting(name, change, |connection| {
            connection.request()?;
            connection.answer(204)
        })
    }

    /// As `server`; does this with each connection whose handshake succeeded.
    pub(crate) fn server_acting(
        &self,
        name: &str,
        change: impl FnOnce(&mut CertificateParams),
        act: impl Fn(&mut Connection) -> io::Result<()> + Send + Sync + 'static,
    ) -> Server {
        let config = self.config(name, change);
        Server::wrapped(move |stream| encrypted(&config, stream), act)
    }

    /// A server with a certificate that nobody but itself has signed, changed by `change`.
    pub(crate) fn self_signed_server(name: &str, change: impl FnOnce(&mut CertificateParams)) -> Server {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let config = presenting(params.self_signed(&key).unwrap().into(), &key);
        Server::wrapped(
            move |stream| encrypted(&config, stream),
            |connection| {
                connection.request()?;
                connection.answer(204)
            },
        )
    }

    /// A server that talks to nobody without a certificate of this authority.
    pub(crate) fn server_asking_for_a_certificate(&self, name: &str) -> Server {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let asking = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let config =
            ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_client_cert_verifier(asking.build().unwrap());
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = Arc::new(config.with_single_cert(vec![certificate.into()], key).unwrap());
        Server::wrapped(move |stream| encrypted(&config, stream), Connection::request)
    }

    fn config(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        presenting(params.signed_by(&key, &self.0).unwrap().into(), &key)
    }
}

fn presenting(certificate: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap())
}

fn encrypted(config: &Arc<ServerConfig>, mut stream: TcpStream) -> Option<Box<dyn Stream>> {
    let mut connection = ServerConnection::new(Arc::clone(config)).unwrap();
    // Ends early, without an error, when the client only says goodbye.
    while connection.is_handshaking() {
        connection.complete_io(&mut stream).ok()?;
    }
    Some(Box::new(StreamOwned::new(connection, stream)))
}
