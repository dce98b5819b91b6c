//! What an HTTP status means that is not the endpoint's success: the one table for a delivery, for `check` and for `import`. Pure.

use std::ops::RangeInclusive;

use serde::Serialize;

/// The host on which somebody must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Host {
    /// The one that runs `ingress`.
    Here,
    /// The host, container or environment that Chatwoot runs in.
    Chatwoot,
    /// The web server, balancer or firewall before it.
    Proxy,
}

/// Whom an answer concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// This message, perhaps: others may get through.
    Message,
    /// Every message for a while: the server is in trouble.
    Server,
    /// Every message until somebody corrects the setup.
    Setup,
}

/// What a status means to the mail server, to the administrator, and to a run of many messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpStatus {
    /// RFC 3463 enhanced status code.
    pub code: &'static str,
    /// The text behind the code; it can reach strangers in a bounce.
    pub text: &'static str,
    /// What is wrong, for the administrator.
    pub what: &'static str,
    /// What to do about it. The word `url` stands for the setting.
    pub remedy: &'static str,
    /// Where to do it.
    pub host: Host,
    /// Whom it concerns.
    pub scope: Scope,
}

/// Looks a status up.
pub fn http_status(status: u16) -> HttpStatus {
    TABLE.iter().find(|(statuses, _)| statuses.contains(&status)).map_or(UNKNOWN, |(_, meaning)| *meaning)
}

/// A code and its text.
type CodeAndText = (&'static str, &'static str);

const REFUSED: CodeAndText = ("4.7.0", "Chatwoot refused the mail gateway");
const NOT_SET_UP: CodeAndText = ("4.3.5", "Chatwoot is not set up to take the message");
const BUSY: CodeAndText = ("4.3.2", "Chatwoot takes no messages at present");
const FAILED: CodeAndText = ("4.3.0", "Chatwoot failed to take the message");
/// What it is with `on_too_large = "reject"`.
const TOO_LARGE: CodeAndText = ("5.3.4", "The message is too large");

const fn row(
    (code, text): CodeAndText,
    scope: Scope,
    host: Host,
    what: &'static str,
    remedy: &'static str,
) -> HttpStatus {
    HttpStatus { code, text, what, remedy, host, scope }
}

use Host::{Chatwoot, Here, Proxy};
use Scope::{Message, Server, Setup};

/// The first row that holds a status counts.
const TABLE: [(RangeInclusive<u16>, HttpStatus); 18] = [
    (
        200..=299,
        row(
            NOT_SET_UP,
            Setup,
            Here,
            "what answers there is not Chatwoot: mail sent to it would be lost",
            "correct url: a login page, a parked page or another program answers there; with a login before Chatwoot, exempt /rails/action_mailbox/ from it",
        ),
    ),
    (
        300..=399,
        row(
            NOT_SET_UP,
            Setup,
            Here,
            "a redirect",
            "put the https URL that Chatwoot redirects to into url: redirects are not followed",
        ),
    ),
    (
        400..=400,
        row(
            NOT_SET_UP,
            Message,
            Here,
            "it does not understand the request",
            "check scheme and port in url (http sent to an https port?), then Chatwoot's log",
        ),
    ),
    (
        401..=401,
        row(
            REFUSED,
            Setup,
            Chatwoot,
            "Chatwoot has another password",
            "make the password the same here and in RAILS_INBOUND_EMAIL_PASSWORD, and restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target)",
        ),
    ),
    (
        403..=403,
        row(
            REFUSED,
            Setup,
            Proxy,
            "the request is forbidden before Chatwoot looks at it",
            "allow this host and the path /rails/action_mailbox/: a proxy, a firewall or config.hosts of Rails forbids them",
        ),
    ),
    (
        404..=404,
        row(
            NOT_SET_UP,
            Setup,
            Chatwoot,
            "there is no such path",
            "set RAILS_INBOUND_EMAIL_SERVICE=relay in Chatwoot's environment, restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target), or correct url",
        ),
    ),
    (
        407..=407,
        row(
            REFUSED,
            Setup,
            Here,
            "the proxy wants a password",
            "the proxy wants a password: put it into the URL of proxy, or go without a proxy",
        ),
    ),
    (
        408..=408,
        row(
            FAILED,
            Message,
            Proxy,
            "the request took too long for the server",
            "the upload took too long for Chatwoot's web server: look at the network between",
        ),
    ),
    (
        413..=413,
        row(
            TOO_LARGE,
            Message,
            Proxy,
            "the message is too large for the server",
            "raise client_max_body_size in the proxy before Chatwoot (nginx's default is 1 MiB)",
        ),
    ),
    (
        422..=422,
        row(
            NOT_SET_UP,
            Message,
            Here,
            "what answers there is not the endpoint of this service",
            "check url: what answers there does not take the message as Chatwoot does",
        ),
    ),
    (
        415..=415,
        row(
            NOT_SET_UP,
            Setup,
            Here,
            "what answers there is not the endpoint of this service",
            "check url: it may name another service's endpoint; or something between here and Chatwoot changes the Content-Type",
        ),
    ),
    (
        429..=429,
        row(
            BUSY,
            Server,
            Proxy,
            "the rate of requests is limited",
            "exempt this host from the rate limit of Chatwoot or its proxy, or lower how many deliveries run at once",
        ),
    ),
    (
        500..=500,
        row(
            FAILED,
            Message,
            Chatwoot,
            "Chatwoot failed",
            "look into Chatwoot's log; usual: RAILS_INBOUND_EMAIL_PASSWORD unset, Redis or storage down",
        ),
    ),
    (
        502..=502,
        row(
            FAILED,
            Server,
            Chatwoot,
            "the proxy is up, but Chatwoot's web server is down",
            "start Chatwoot's web server (Rails, puma), or correct the address to which the proxy passes requests",
        ),
    ),
    (
        504..=504,
        row(
            FAILED,
            Server,
            Chatwoot,
            "the proxy is up, but Chatwoot does not answer it in time",
            "find out why Chatwoot's web server hangs: the proxy waits for it in vain",
        ),
    ),
    (
        503..=503,
        row(
            BUSY,
            Server,
            Chatwoot,
            "no web server of Chatwoot is ready: maintenance, overload or start",
            "start Chatwoot's web server (Rails, puma), or wait until it is up: it is down for maintenance, overloaded or starting",
        ),
    ),
    (
        520..=530,
        row(
            FAILED,
            Message,
            Chatwoot,
            "Cloudflare cannot reach Chatwoot's web server",
            "start Chatwoot's web server, or correct the origin in Cloudflare",
        ),
    ),
    (
        501..=u16::MAX,
        row(
            FAILED,
            Message,
            Chatwoot,
            "the server failed",
            "look into the log of Chatwoot and of the proxy before it",
        ),
    ),
];

/// A status that Chatwoot never gives.
const UNKNOWN: HttpStatus = row(
    NOT_SET_UP,
    Setup,
    Here,
    "an answer that Chatwoot never gives",
    "check url: what answers there does not take the message as Chatwoot does",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_413_is_the_message_s_own_fault() {
        for status in 0..=u16::MAX {
            let class = if status == 413 { "5." } else { "4." };
            assert!(http_status(status).code.starts_with(class), "{status}");
        }
    }

    #[test]
    fn every_status_says_what_is_wrong_and_what_to_do() {
        for status in 0..=999 {
            let HttpStatus { what, remedy, .. } = http_status(status);
            assert!(!what.is_empty() && !remedy.is_empty(), "{status}");
        }
    }

    #[test]
    fn a_wrong_setup_is_told_from_trouble_of_the_server() {
        for status in [200, 301, 401, 403, 404, 405, 407, 415] {
            assert_eq!(http_status(status).scope, Scope::Setup, "{status}");
        }
        for status in [429, 502, 503, 504] {
            assert_eq!(http_status(status).scope, Scope::Server, "{status}");
        }
    }
}
