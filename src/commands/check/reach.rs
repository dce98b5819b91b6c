//! The way to the endpoint: its name, its addresses, a connection. Each step ends in time.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use url::Url;

use super::{Finding, Host, Subject};
use crate::io_error::plain;

/// Whom to connect to: the endpoint's host, or the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    host: String,
    port: u16,
    /// The setting that names it.
    origin: String,
    is_proxy: bool,
}

impl Target {
    pub(crate) fn of(url: &Url, origin: &str) -> Self {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        Self { host, port, origin: origin.to_owned(), is_proxy: false }
    }

    /// The proxy that this machine goes through.
    pub(crate) fn proxy(url: &Url, origin: &str) -> Self {
        Self { is_proxy: true, ..Self::of(url, origin) }
    }

    /// Resolves the name; a plain address needs no finding of its own.
    pub(crate) fn resolve(&self, deadline: Instant) -> (Vec<SocketAddr>, Option<Finding>) {
        if let Ok(address) = self.host.parse::<IpAddr>() {
            return (vec![SocketAddr::new(address, self.port)], None);
        }
        let started = Instant::now();
        match lookup(self.host.clone(), self.port, deadline) {
            Ok(addresses) => {
                let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
                let what = format!("{} is {}, in {}", self.host, list.join(" and "), milliseconds(started));
                (addresses, Some(Finding::ok(Subject::Name, what)))
            }
            Err(why) => {
                let what = format!("{} cannot be resolved: {why}", self.host);
                let action = format!(
                    "correct the host name ({}), or this machine's resolver: getent hosts {}",
                    self.origin, self.host
                );
                (Vec::new(), Some(Finding::fault(Subject::Name, what).with_remedy(Host::Here, action)))
            }
        }
    }

    /// Connects to the first of the addresses that takes the connection.
    pub(crate) fn connect(
        &self,
        addresses: &[SocketAddr],
        deadline: Instant,
    ) -> (Option<TcpStream>, Finding) {
        let mut failures: Vec<(SocketAddr, io::Error)> = Vec::new();
        for (tried, address) in addresses.iter().enumerate() {
            let others = u32::try_from(addresses.len() - tried).unwrap_or(1);
            let share = deadline.saturating_duration_since(Instant::now()) / others;
            let started = Instant::now();
            match TcpStream::connect_timeout(address, share.max(Duration::from_millis(1))) {
                Ok(stream) => return (Some(stream), connected(address, started, &failures)),
                Err(error) => failures.push((*address, error)),
            }
        }
        (None, self.unreachable(&failures))
    }

    fn unreachable(&self, failures: &[(SocketAddr, io::Error)]) -> Finding {
        let finding = Finding::fault(Subject::Connection, shown(failures));
        let refused = failures.iter().any(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused);
        let (port, origin) = (self.port, &self.origin);
        if refused && self.is_proxy {
            let action = format!("start the proxy on port {port}, or correct its host and port ({origin})");
            return finding.with_remedy(Host::Here, action);
        }
        if refused {
            let action =
                format!("start its web server on port {port}, or correct host and port here ({origin})");
            return finding.with_remedy(Host::Chatwoot, action);
        }
        let action = format!("open the way to port {port}: route, firewalls, or another host ({origin})");
        finding.with_remedy(Host::Here, action)
    }
}

/// Asks the system's resolver, which cannot be stopped: a thread of its own is left to it when it takes too long.
fn lookup(host: String, port: u16, deadline: Instant) -> Result<Vec<SocketAddr>, String> {
    let (sender, receiver) = mpsc::channel();
    let asking = thread::Builder::new().spawn(move || {
        // Nobody listens any more after the deadline.
        let _ = sender.send((host.as_str(), port).to_socket_addrs().map(Iterator::collect::<Vec<_>>));
    });
    asking.map_err(|error| plain(&error))?;
    match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err("it has no address".to_owned()),
        Ok(Err(error)) => {
            let text = plain(&error);
            Err(text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned())
        }
        Err(_) => Err("no answer within connect_timeout".to_owned()),
    }
}

fn connected(address: &SocketAddr, started: Instant, failures: &[(SocketAddr, io::Error)]) -> Finding {
    let what = format!("{} port {} in {}", address.ip(), address.port(), milliseconds(started));
    if failures.is_empty() {
        return Finding::ok(Subject::Connection, what);
    }
    Finding::warning(Subject::Connection, format!("{what}; not reached: {}", shown(failures))).with_remedy(
        Host::Here,
        "check the way to the other addresses, or take them out of the DNS: each delivery loses time on them",
    )
}

fn shown(failures: &[(SocketAddr, io::Error)]) -> String {
    let each = failures.iter().map(|(address, error)| {
        let why = if error.kind() == io::ErrorKind::TimedOut {
            "no answer in time".to_owned()
        } else {
            plain(error)
        };
        format!("{} port {}: {why}", address.ip(), address.port())
    });
    each.collect::<Vec<_>>().join("; ")
}

fn milliseconds(started: Instant) -> String {
    format!("{} ms", started.elapsed().as_millis())
}
