//! Which certificate authorities are trusted. Roots are loaded only when the URL is https, and from one file:
//! the system's folder of single certificates beside the bundle holds the same ones again.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};

use crate::io_error::plain;
use crate::settings::ConfigError;
use chatwoot_mail::environment::Environment;

/// Where the distributions keep their bundle: Debian, Fedora, openSUSE, Alpine, FreeBSD, OpenBSD.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
    "/usr/local/etc/ssl/cert.pem",
];

/// The file of trusted authorities: `ca_file`, else `SSL_CERT_FILE`, else the system's bundle.
pub(crate) fn bundle(ca_file: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
    let named = ca_file.map(Path::to_owned).or_else(|| environment.get("SSL_CERT_FILE").map(PathBuf::from));
    named.or_else(|| BUNDLES.iter().map(PathBuf::from).find(|path| path.exists()))
}

/// TLS by ring, trusting the authorities in `bundle`.
///
/// # Errors
///
/// When there is no bundle, or no certificate in it.
pub(super) fn trusting(bundle: Option<&Path>) -> Result<ClientConfig, ConfigError> {
    configured(trusted(bundle)?)
}

/// The verifier that [`trusting`] makes use of.
pub(super) fn verifier(bundle: Option<&Path>) -> Result<Arc<WebPkiServerVerifier>, ConfigError> {
    let roots = Arc::new(trusted(bundle)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    WebPkiServerVerifier::builder_with_provider(roots, provider)
        .build()
        .map_err(|error| ConfigError::new(format!("cannot set up TLS: {error}")))
}

/// TLS by ring that leaves the judgement to this verifier.
pub(super) fn watched_by(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, ConfigError> {
    let mut config = trusting_nobody()?;
    config.dangerous().set_certificate_verifier(verifier);
    Ok(config)
}

fn trusted(bundle: Option<&Path>) -> Result<RootCertStore, ConfigError> {
    let path = bundle.ok_or_else(|| {
        ConfigError::new("no certificate authorities are installed")
            .with_hint("install the package ca-certificates, or set ca_file")
    })?;
    roots(path)
}

/// TLS that trusts nobody: for http, where it is never used.
pub(super) fn trusting_nobody() -> Result<ClientConfig, ConfigError> {
    configured(RootCertStore::empty())
}

fn roots(path: &Path) -> Result<RootCertStore, ConfigError> {
    let cannot = |error: &dyn std::fmt::Display| {
        ConfigError::new(format!("cannot read certificates from {}: {error}", path.display()))
    };
    let file = File::open(path).map_err(|error| cannot(&plain(&error)))?;
    let mut bundle = file.take(LARGEST_BUNDLE + 1);
    let mut roots = RootCertStore::empty();
    // One odd certificate in a system's bundle must not stop the mail.
    roots.add_parsable_certificates(CertificateDer::pem_reader_iter(&mut bundle).filter_map(Result::ok));
    if bundle.limit() == 0 {
        return Err(cannot(&"it is larger than 4 MiB"));
    }
    if roots.is_empty() {
        return Err(cannot(&"there is none in it"));
    }
    Ok(roots)
}

/// Twenty times what the distributions have; a device that never ends must not take all memory.
const LARGEST_BUNDLE: u64 = 4 << 20;

fn configured(roots: RootCertStore) -> Result<ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new(format!("cannot set up TLS: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}
