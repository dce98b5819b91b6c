//! What the administrator does about an answer that is another for each service: the names of Chatwoot's variables. Pure.

use super::cause::{Cause, OnTooLarge};
use crate::service::Service;

/// The remedy that stands in the log.
pub fn remedy(cause: Cause, service: Service, on_too_large: OnTooLarge) -> &'static str {
    match cause {
        Cause::Answer(400 | 422) if service != Service::Relay => Some(
            "look into Chatwoot's log for why Rails could not read the form; usual: a limit that is set lower than Rack's 16 MiB",
        ),
        Cause::Answer(401) => unauthorized(service),
        Cause::Answer(404) => not_found(service),
        Cause::Answer(500) => failed(service),
        _ => None,
    }
    .unwrap_or(cause.disposition(on_too_large).remedy)
}

fn unauthorized(service: Service) -> Option<&'static str> {
    match service {
        Service::Mailgun => Some(
            "make signing_key the same as Chatwoot's MAILGUN_INGRESS_SIGNING_KEY, and set the clock of both machines: they may differ by two minutes at most",
        ),
        Service::Mandrill => Some(
            "make signing_key the same as Chatwoot's MANDRILL_INGRESS_API_KEY, and url the one that Chatwoot's server sees: it is signed too",
        ),
        Service::Relay | Service::Sendgrid | Service::Postmark => None,
    }
}

fn not_found(service: Service) -> Option<&'static str> {
    match service {
        Service::Relay => None,
        Service::Sendgrid => Some(
            "set RAILS_INBOUND_EMAIL_SERVICE=sendgrid in Chatwoot's environment, restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target), or correct service and url",
        ),
        Service::Mailgun => Some(
            "set RAILS_INBOUND_EMAIL_SERVICE=mailgun in Chatwoot's environment, restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target), or correct service and url",
        ),
        Service::Mandrill => Some(
            "set RAILS_INBOUND_EMAIL_SERVICE=mandrill in Chatwoot's environment, restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target), or correct service and url",
        ),
        Service::Postmark => Some(
            "set RAILS_INBOUND_EMAIL_SERVICE=postmark in Chatwoot's environment, restart Chatwoot (docker compose up -d, or systemctl restart chatwoot.target), or correct service and url",
        ),
    }
}

fn failed(service: Service) -> Option<&'static str> {
    match service {
        Service::Mailgun => {
            Some("look into Chatwoot's log; usual: MAILGUN_INGRESS_SIGNING_KEY unset, Redis or storage down")
        }
        Service::Mandrill => {
            Some("look into Chatwoot's log; usual: MANDRILL_INGRESS_API_KEY unset, Redis or storage down")
        }
        Service::Relay | Service::Sendgrid | Service::Postmark => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, service: Service) -> &'static str {
        remedy(Cause::Answer(status), service, OnTooLarge::Reject)
    }

    #[test]
    fn the_remedy_names_the_service_s_own_variables() {
        for service in Service::ALL {
            let setting = format!("RAILS_INBOUND_EMAIL_SERVICE={} ", service.name());
            assert!(of(404, service).contains(&setting), "{service:?}");
        }
        assert!(of(401, Service::Sendgrid).contains("RAILS_INBOUND_EMAIL_PASSWORD"));
        assert!(of(401, Service::Mailgun).contains("MAILGUN_INGRESS_SIGNING_KEY"));
        assert!(of(401, Service::Mailgun).contains("clock"));
        assert!(of(401, Service::Mandrill).contains("MANDRILL_INGRESS_API_KEY"));
        assert!(of(400, Service::Sendgrid).contains("16 MiB"));
        assert!(of(500, Service::Mandrill).contains("MANDRILL_INGRESS_API_KEY"));
    }

    #[test]
    fn other_answers_have_the_table_s() {
        for service in Service::ALL {
            let expected = Cause::Answer(502).disposition(OnTooLarge::Reject).remedy;
            assert_eq!(of(502, service), expected);
        }
    }
}
