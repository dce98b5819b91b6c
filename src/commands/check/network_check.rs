//! The way to the endpoint, step by step, as far as it goes: name, connection, TLS, the probe, and what Chatwoot tells of itself.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use url::Url;

use super::answer::{self, Asked};
use super::api::{self, Api};
use super::chatwoot_env::Running;
use super::reach::Target;
use super::{Finding, Host, Report, Subject, limit, tls};
use crate::http::{self, Answer, Client, shake};
use crate::settings::{ConfigError, Setting, Settings, Sources, setting};
use chatwoot_mail::environment::Environment;
use chatwoot_mail::outcome::{Cause, Failure, OnTooLarge, Phase};
use chatwoot_mail::request::Probe;

/// A way to be gone.
pub(crate) struct NetworkCheck<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) sources: &'a Sources<'a>,
    pub(crate) environment: &'a Environment,
}

/// How long an answer is waited for, when `timeout` does not end sooner: a check is watched by somebody.
const PATIENCE: Duration = Duration::from_secs(30);

impl NetworkCheck<'_> {
    /// Goes it, and reports each step; a fault ends it.
    pub(crate) fn run(&self, report: &mut Report) -> Running {
        if self.connect(report).is_none() {
            return Running::Unknown;
        }
        let https = self.url().scheme() == "https";
        match Client::new(https, &self.settings.network, self.environment) {
            Ok(client) => self.ask(&client, report),
            Err(fault) => {
                report.add(trusting_nobody(fault));
                Running::Unknown
            }
        }
    }

    fn url(&self) -> &Url {
        self.settings.endpoint.url()
    }

    fn url_origin(&self) -> String {
        self.origin(const { setting("url") })
    }

    fn proxy_origin(&self) -> String {
        self.origin(const { setting("proxy") })
    }

    /// Where this setting comes from.
    fn origin(&self, setting: &'static Setting) -> String {
        self.sources.origin_of(setting).to_string()
    }

    fn is_encrypted_through_a_proxy(&self) -> bool {
        self.url().scheme() == "https" && self.settings.network.proxy.is_some()
    }

    /// Name, connection and handshake; nothing when it ends there.
    fn connect(&self, report: &mut Report) -> Option<()> {
        let network = &self.settings.network;
        let deadline = Instant::now() + network.connect_timeout;
        let target = match &network.proxy {
            Some(proxy) => Target::proxy(proxy, &self.proxy_origin()),
            None => Target::of(self.url(), &self.url_origin()),
        };
        let (addresses, name) = target.resolve(deadline);
        report.extend(name);
        if addresses.is_empty() {
            return None;
        }
        let (stream, connection) = target.connect(&addresses, deadline);
        report.add(connection);
        let stream = stream?;
        // Through a proxy the handshake is the probe's.
        if self.url().scheme() != "https" || network.proxy.is_some() {
            return Some(());
        }
        let handshake = self.handshake(stream, deadline);
        let well = !handshake.is_fault();
        report.add(handshake);
        well.then_some(())
    }

    fn handshake(&self, stream: TcpStream, deadline: Instant) -> Finding {
        let bundle = http::bundle(self.settings.network.ca_file.as_deref(), self.environment);
        let host = self.url().host_str().unwrap_or_default();
        match shake(stream, host, bundle.as_deref(), deadline) {
            Ok(handshake) => tls::finding(&handshake, host, &self.url_origin(), bundle.as_deref()),
            Err(fault) => trusting_nobody(fault),
        }
    }

    /// The probe, and what Chatwoot tells of itself.
    fn ask(&self, client: &Client, report: &mut Report) -> Running {
        let endpoint = &self.settings.endpoint;
        let patience = self.settings.network.timeout.min(PATIENCE);
        let (answer, healthy) = match self.probe(client, Instant::now() + patience) {
            Ok(answered) => answered,
            Err(failure) => {
                report.add(match failure.cause {
                    Cause::CannotConnect | Cause::CannotConnectToProxy | Cause::ConnectionLost
                        if self.is_encrypted_through_a_proxy() =>
                    {
                        self.no_tunnel(&failure)
                    }
                    _ => unanswered(&failure, patience),
                });
                return Running::Unknown;
            }
        };
        if self.is_encrypted_through_a_proxy() {
            let what = "the certificate is trusted; the handshake went through the proxy";
            report.add(Finding::ok(Subject::Tls, what));
        }
        let short = Instant::now() + self.settings.network.connect_timeout;
        let told = client.get(&api_of(endpoint.base()), short).ok();
        let api = told.as_ref().and_then(Api::read);
        let source = self.sources.credential_source();
        let secret = source.map_or_else(|| "the password".to_owned(), |source| source.origin.to_string());
        let asked = Asked { endpoint, healthy, url: &self.url_origin(), secret: &secret, api: api.as_ref() };
        let finding = answer::finding(&answer, &asked);
        let well = !finding.is_fault();
        report.add(finding);
        match api {
            Some(api) => report.add(api.finding()),
            None if well => report.add(api::untold(told.as_ref().map(|told: &Answer| told.status))),
            None => {}
        }
        if well {
            let Settings { max_size, on_too_large, .. } = *self.settings;
            report.extend(limit::finding(client, self.url(), max_size, on_too_large));
        }
        if well { Running::TakesMail } else { Running::Unknown }
    }

    /// The proxy took the connection, and led nowhere.
    fn no_tunnel(&self, failure: &Failure) -> Finding {
        let (host, port) = (self.url().host_str().unwrap_or_default(), self.url().port_or_known_default());
        let action = format!(
            "look into the proxy's log whether it may and can connect to {host} port {} ({})",
            port.unwrap_or_default(),
            self.proxy_origin()
        );
        Finding::fault(Subject::Connection, &failure.detail).with_remedy(Host::Here, action)
    }

    /// The answer to the probe, and the status that would be well.
    fn probe(&self, client: &Client, deadline: Instant) -> Result<(Answer, u16), Failure> {
        let Probe { request, healthy } =
            self.settings.endpoint.probe(&self.settings.secret, crate::clock::now())?;
        Ok((client.probe(&request, deadline)?, healthy))
    }
}

fn api_of(mut base: Url) -> Url {
    base.set_path(&format!("{}/api", base.path().trim_end_matches('/')));
    base
}

/// Without authorities there is nobody to connect to.
fn trusting_nobody(fault: ConfigError) -> Finding {
    let complaint = fault.complaint();
    let remedy = fault.remedy.unwrap_or_else(|| "name a file with certificates, PEM, in ca_file".to_owned());
    Finding::fault(Subject::Setting("ca_file"), complaint).with_remedy(Host::Here, remedy)
}

/// No answer at all, in the words that a delivery has for it.
fn unanswered(failure: &Failure, patience: Duration) -> Finding {
    let (subject, what) = match failure.cause {
        Cause::Deadline(Phase::Resolving) => (Subject::Name, failure.detail.to_string()),
        Cause::Deadline(_) => {
            (Subject::Endpoint, format!("no answer within {}", humantime::format_duration(patience)))
        }
        Cause::NameNotFound => (Subject::Name, failure.detail.to_string()),
        Cause::CannotConnect | Cause::CannotConnectToProxy => {
            (Subject::Connection, failure.detail.to_string())
        }
        Cause::UntrustedCertificate | Cause::TlsMismatch | Cause::ClientCertificateWanted => {
            (Subject::Tls, failure.detail.to_string())
        }
        _ => (Subject::Endpoint, failure.detail.to_string()),
    };
    let machine = match failure.cause {
        Cause::Deadline(Phase::Resolving) => Host::Here,
        Cause::Deadline(_) | Cause::ConnectionLost => Host::Chatwoot,
        _ => Host::Here,
    };
    let remedy = match failure.cause {
        // A longer timeout would change nothing here.
        Cause::Deadline(Phase::Connecting | Phase::Sending | Phase::Waiting) if patience == PATIENCE => {
            "find out why Chatwoot is slow: look into its log"
        }
        // The way is known to be free: a connection was made before.
        Cause::Deadline(Phase::Connecting) => {
            Cause::Deadline(Phase::Waiting).disposition(OnTooLarge::Reject).remedy
        }
        cause => cause.disposition(OnTooLarge::Reject).remedy,
    };
    Finding::fault(subject, what).with_remedy(machine, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_timeout_is_advised_only_where_it_would_be_waited_for() {
        let action = |patience| {
            let finding = unanswered(&Failure::late(Phase::Waiting), patience);
            finding.remedy.unwrap().action
        };
        assert!(action(Duration::from_secs(1)).contains("raise timeout"));
        assert!(!action(PATIENCE).contains("raise timeout"));
    }
}
