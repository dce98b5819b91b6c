//! Chatwoot's HTTP side: the one place that names reqwest and rustls.

mod answer;
mod certificate_error;
mod client;
mod handshake;
mod progress;
mod resolver;
mod retry_after;
mod shown_certificate;
mod tls;
mod tls_error;

pub(crate) use answer::Answer;
pub(crate) use certificate_error::CertificateError;
pub(crate) use client::{Client, Exchange, Reply};
pub(crate) use handshake::{Handshake, Refusal, shake};
pub(crate) use progress::PhaseCell;
pub(crate) use shown_certificate::ShownCertificate;
pub(crate) use tls::bundle;
pub(crate) use tls_error::TlsError;
