//! What the answer to the probe means: the table of HTTP statuses, and what a probe can tell beyond it.

use url::Url;

use super::api::{Api, to_start};
use super::{Finding, Host, RESTART, Subject};
use crate::http::Answer;
use chatwoot_mail::outcome::{HttpStatus, http_status};
use chatwoot_mail::request::Endpoint;
use chatwoot_mail::service::{Proof, Service};

/// What the probe was made of, for remedies that name the setting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) endpoint: &'a Endpoint,
    /// The status that means yes.
    pub(crate) healthy: u16,
    /// `url in /etc/ingress.toml`
    pub(crate) url: &'a str,
    /// `password_file in /etc/ingress.toml`
    pub(crate) secret: &'a str,
    /// What Chatwoot says of itself at the same base URL, when it does.
    pub(crate) api: Option<&'a Api>,
}

/// What the answer means.
pub(crate) fn finding(answer: &Answer, asked: &Asked<'_>) -> Finding {
    let status = answer.status;
    match status {
        _ if is_well(answer, asked) => {
            let what =
                format!("takes the {}, and would take mail ({status} to an empty probe)", asked.proof());
            Finding::ok(Subject::Endpoint, what)
        }
        300..=399 => redirected(answer, asked),
        401 => unauthorized(answer, asked),
        404 => not_found(asked),
        500 => failed(asked),
        _ => in_table(answer, asked.url),
    }
}

/// What the table of HTTP statuses says, with the place where the URL is set.
fn in_table(answer: &Answer, url: &str) -> Finding {
    let HttpStatus { what, remedy, host, .. } = http_status(answer.status);
    let what = match answer.status {
        200..=299 if answer.is_page() => "a page for people: a login page or another program answers there",
        // The probe is empty.
        413 => "even an empty message is too large",
        _ => what,
    };
    let finding = Finding::fault(Subject::Endpoint, format!("{}: {what}", answer.status));
    finding.with_remedy(host, naming(remedy, url))
}

/// A remedy with `url in /etc/ingress.toml` instead of the word `url`.
fn naming(remedy: &str, url: &str) -> String {
    let words = remedy.split(' ').map(|word| match word.strip_prefix("url") {
        Some(rest) if rest.chars().all(|char| char.is_ascii_punctuation()) => format!("{url}{rest}"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// A page that says the same as a service's yes is none. 200 is everybody's answer: Rails says it without a word.
fn is_well(answer: &Answer, asked: &Asked<'_>) -> bool {
    let is_another_s = match asked.healthy {
        200 => !answer.body.trim_ascii().is_empty(),
        415 => false,
        _ => answer.is_page(),
    };
    answer.status == asked.healthy && !is_another_s
}

impl Asked<'_> {
    fn service(&self) -> Service {
        self.endpoint.service()
    }

    /// What the probe proves who sends it by.
    fn proof(&self) -> &'static str {
        match self.service().proof() {
            Proof::Password => "password",
            Proof::Signature => "signature",
        }
    }
}

/// Rails names its realm `Action Mailbox`; any other is a proxy's.
fn unauthorized(answer: &Answer, asked: &Asked<'_>) -> Finding {
    let challenge = answer.challenge.as_deref().unwrap_or_default();
    let variable = asked.service().variable();
    let same = format!("make {variable} the same as {} here, and {RESTART}", asked.secret);
    let fault = |what: &str| Finding::fault(Subject::Endpoint, format!("401: {what}"));
    match (asked.service(), challenge) {
        (Service::Mailgun, "") => {
            return fault(
                "Chatwoot has another key, or another time: the clocks may differ by two minutes at most",
            )
            .with_remedy(Host::Chatwoot, format!("{same}; set the clocks of both machines"));
        }
        (Service::Mandrill, "") => {
            return fault("Chatwoot has another key, or sees another URL: it is signed too").with_remedy(
                Host::Chatwoot,
                format!("{same}; make {} the URL that Chatwoot's server sees", asked.url),
            );
        }
        _ if challenge.contains("Action Mailbox") => {
            return fault("Chatwoot has another password").with_remedy(Host::Chatwoot, same);
        }
        _ => {}
    }
    let wants = if challenge.is_empty() {
        "without saying for what".to_owned()
    } else {
        format!("of its own ({challenge})")
    };
    fault(&format!("something before Chatwoot wants a password {wants}")).with_remedy(
        Host::Proxy,
        "exempt /rails/action_mailbox/ from its login: Chatwoot asks for the password itself",
    )
}

fn not_found(asked: &Asked<'_>) -> Finding {
    let path = asked.endpoint.url().path();
    match asked.api {
        Some(_) => Finding::fault(Subject::Endpoint, "404: Chatwoot is there, but set to another service").with_remedy(
            Host::Chatwoot,
            format!("set RAILS_INBOUND_EMAIL_SERVICE={}, and {RESTART}", asked.service().name()),
        ),
        None => Finding::fault(Subject::Endpoint, format!("404: there is no {path}")).with_remedy(
            Host::Chatwoot,
            format!(
                "set RAILS_INBOUND_EMAIL_SERVICE={}, and {RESTART}; or correct {} here, if that is not Chatwoot's",
                asked.service().name(),
                asked.url
            ),
        ),
    }
}

fn failed(asked: &Asked<'_>) -> Finding {
    let set = format!("set {}, and {RESTART}", asked.service().variable());
    let secret = match asked.service().proof() {
        Proof::Password => "password",
        Proof::Signature => "signing key",
    };
    if let Some(failing) = asked.api.and_then(Api::failing) {
        return Finding::fault(Subject::Endpoint, format!("500: Chatwoot fails without {failing}"))
            .with_remedy(Host::Chatwoot, to_start(&failing));
    }
    match asked.api {
        Some(api) if api.is_well() => Finding::fault(
            Subject::Endpoint,
            format!("500: Chatwoot is up, but has no {secret} for incoming mail"),
        )
        .with_remedy(Host::Chatwoot, set),
        _ => {
            Finding::fault(Subject::Endpoint, format!("500: it has no {secret} for incoming mail, or failed"))
                .with_remedy(
                    Host::Chatwoot,
                    format!("{set}; if it is set, look into Chatwoot's log: database, Redis"),
                )
        }
    }
}

/// Words in the path of a page that asks people for their password.
const LOGINS: [&str; 5] = ["login", "sign_in", "signin", "auth", "sso"];

fn redirected(answer: &Answer, asked: &Asked<'_>) -> Finding {
    let (status, url) = (answer.status, asked.endpoint.url());
    let target = answer.location.as_deref().and_then(|location| url.join(location).ok());
    let Some(target) = target else {
        return Finding::fault(Subject::Endpoint, format!("{status}: a redirect to nowhere"))
            .with_remedy(Host::Here, format!("correct {}", asked.url));
    };
    let place = place(&target);
    let fault = Finding::fault(Subject::Endpoint, format!("{status}: a redirect to {place}"));
    let path = target.path().to_ascii_lowercase();
    if target.path() != url.path() && LOGINS.iter().any(|word| path.contains(word)) {
        return Finding::fault(Subject::Endpoint, format!("{status}: a redirect to a login page at {place}"))
            .with_remedy(
                Host::Proxy,
                "exempt /rails/action_mailbox/ from the login: Chatwoot asks for the password itself",
            );
    }
    if target.scheme() == "https" && url.scheme() == "http" && target.host() == url.host() {
        return https_forced(status, &target, asked);
    }
    fault.with_remedy(
        Host::Here,
        format!("change {} to that, if it is Chatwoot's; redirects are not followed", asked.url),
    )
}

/// Chatwoot's `FORCE_SSL`, or a proxy's. Rails keeps the port, at which it speaks http all the same.
fn https_forced(status: u16, target: &Url, asked: &Asked<'_>) -> Finding {
    let fault = Finding::fault(
        Subject::Endpoint,
        format!("{status}: https is forced, and redirects are not followed"),
    );
    if target.port().is_some() && target.port() == asked.endpoint.url().port() {
        let action = format!("change {} to the https URL that people use, not this port", asked.url);
        return fault.with_remedy(Host::Here, action);
    }
    let mut base = target.clone();
    base.set_path(asked.endpoint.base().path());
    base.set_query(None);
    fault.with_remedy(Host::Here, format!("change {} to {}", asked.url, base.as_str().trim_end_matches('/')))
}

/// Scheme, host and port of a redirect; its path is nobody's business.
fn place(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;
    use chatwoot_mail::service::Service;

    fn found(answer: &Answer) -> Finding {
        let (endpoint, _) =
            Endpoint::new(Url::parse("http://chat.test/desk").unwrap(), Service::Relay).unwrap();
        let asked =
            Asked { endpoint: &endpoint, healthy: 415, url: "url in X", secret: "password in X", api: None };
        finding(answer, &asked)
    }

    fn status(status: u16) -> Answer {
        Answer { status, ..Answer::default() }
    }

    #[test]
    fn only_415_is_well_and_all_else_has_a_remedy() {
        for number in 100..=599 {
            let finding = found(&status(number));
            if number == 415 {
                assert_eq!((finding.mark, finding.remedy), (Severity::Ok, None));
            } else {
                assert_eq!(finding.mark, Severity::Fault, "{number}");
                assert!(finding.what.starts_with(&format!("{number}: ")), "{}", finding.what);
                assert!(finding.remedy.is_some(), "{number}");
            }
        }
    }

    #[test]
    fn a_redirect_names_the_url_to_use() {
        let to = |location: &str| found(&Answer { location: Some(location.to_owned()), ..status(301) });
        let action = |finding: Finding| finding.remedy.unwrap().action;
        let forced = to("https://chat.test/desk/rails/action_mailbox/relay/inbound_emails");
        assert_eq!(action(forced), "change url in X to https://chat.test/desk");
        let login = to("/users/sign_in?secret=1");
        assert_eq!(login.what, "301: a redirect to a login page at http://chat.test");
        let elsewhere = to("https://www.chat.test:8443/somewhere?token=1");
        assert_eq!(elsewhere.what, "301: a redirect to https://www.chat.test:8443");
    }

    #[test]
    fn a_proxy_s_password_is_not_chatwoot_s() {
        let challenged = |realm: &str| {
            found(&Answer { challenge: Some(format!("Basic realm=\"{realm}\"")), ..status(401) })
        };
        assert_eq!(challenged("Action Mailbox").what, "401: Chatwoot has another password");
        let proxy = challenged("staff\u{1b}[31m only");
        assert_eq!(
            proxy.what,
            "401: something before Chatwoot wants a password of its own (Basic realm=\"staff?[31m only\")"
        );
        assert_eq!(proxy.remedy.unwrap().machine, Host::Proxy);
    }

    /// Rails says `text/html` of an empty answer too.
    #[test]
    fn each_service_has_its_own_yes_and_its_own_remedies() {
        let html = |number: u16, body: &str| Answer {
            media_type: Some("text/html".to_owned()),
            body: body.into(),
            ..status(number)
        };
        for (service, healthy, key) in [
            (Service::Sendgrid, 422, "RAILS_INBOUND_EMAIL_PASSWORD"),
            (Service::Postmark, 422, "RAILS_INBOUND_EMAIL_PASSWORD"),
            (Service::Mailgun, 400, "MAILGUN_INGRESS_SIGNING_KEY"),
            (Service::Mandrill, 200, "MANDRILL_INGRESS_API_KEY"),
        ] {
            let (endpoint, _) = Endpoint::new(Url::parse("http://chat.test").unwrap(), service).unwrap();
            let asked =
                Asked { endpoint: &endpoint, healthy, url: "url in X", secret: "key in X", api: None };
            assert_eq!(finding(&html(healthy, ""), &asked).mark, Severity::Ok, "{service:?}");
            assert_eq!(
                finding(&html(healthy, "<h1>log in</h1>"), &asked).mark,
                Severity::Fault,
                "{service:?}"
            );
            let json = Answer { body: b"{\"ok\":true}".to_vec(), ..status(200) };
            assert_eq!(finding(&json, &asked).mark, Severity::Fault, "{service:?}");
            let action = |answer: &Answer| finding(answer, &asked).remedy.unwrap().action;
            let challenge =
                (service.proof() == Proof::Password).then(|| "Basic realm=\"Action Mailbox\"".to_owned());
            assert!(
                action(&Answer { challenge, ..status(401) })
                    .starts_with(&format!("make {key} the same as key in X here"))
            );
            assert!(action(&status(500)).starts_with(&format!("set {key}, ")));
            assert!(
                action(&status(404))
                    .starts_with(&format!("set RAILS_INBOUND_EMAIL_SERVICE={}, ", service.name()))
            );
        }
    }
}
