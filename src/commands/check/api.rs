//! `GET /api`: Chatwoot tells its version there, and whether it reaches Redis and PostgreSQL (its `ApiController#index`). It asks for no
//! password.

use serde::Deserialize;

use super::{Finding, Host, Subject};
use crate::http::Answer;

/// What Chatwoot says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Api {
    version: String,
    /// `ok` or `failing`: Redis.
    queue_services: Option<String>,
    /// `ok` or `failing`: PostgreSQL.
    data_services: Option<String>,
}

impl Api {
    /// Nothing when it is not Chatwoot that answers.
    pub(crate) fn read(answer: &Answer) -> Option<Self> {
        (answer.status == 200).then(|| serde_json::from_slice(&answer.body).ok()).flatten()
    }

    pub(crate) fn finding(&self) -> Finding {
        let (redis, postgres) = (self.queue_services.as_deref(), self.data_services.as_deref());
        let parts = [("Redis", redis), ("PostgreSQL", postgres)];
        let known: Vec<String> =
            parts.iter().filter_map(|(name, state)| Some(format!("{name} {}", (*state)?))).collect();
        let what = format!(
            "version {}{}",
            self.version,
            known.iter().map(|part| format!(", {part}")).collect::<String>()
        );
        match self.failing() {
            None => Finding::ok(Subject::Chatwoot, what),
            Some(failing) => {
                Finding::fault(Subject::Chatwoot, what).with_remedy(Host::Chatwoot, to_start(&failing))
            }
        }
    }

    /// `Redis and PostgreSQL`: what Chatwoot does not reach.
    pub(crate) fn failing(&self) -> Option<String> {
        let parts = [("Redis", &self.queue_services), ("PostgreSQL", &self.data_services)];
        let is_down = |state: &Option<String>| state.as_deref().is_some_and(|state| state != "ok");
        let failing: Vec<&str> =
            parts.into_iter().filter(|(_, state)| is_down(state)).map(|(name, _)| name).collect();
        (!failing.is_empty()).then(|| failing.join(" and "))
    }

    /// Whether Redis and PostgreSQL are known to be well.
    pub(crate) fn is_well(&self) -> bool {
        [&self.queue_services, &self.data_services].into_iter().all(|state| state.as_deref() == Some("ok"))
    }
}

/// What to do when Chatwoot does not reach these.
pub(crate) fn to_start(failing: &str) -> String {
    format!(
        "start {failing}, or correct REDIS_URL and POSTGRES_HOST in its environment: without them mail is refused or lost"
    )
}

/// When the endpoint is well but nobody tells a version: no fault, every Action Mailbox will do.
pub(crate) fn untold(status: Option<u16>) -> Finding {
    let answer = status.map_or_else(|| "does not answer".to_owned(), |status| format!("answers {status}"));
    Finding::note(
        Subject::Chatwoot,
        format!("GET /api {answer}: not Chatwoot, or a proxy keeps it back; any Action Mailbox will do"),
    )
}

#[cfg(test)]
mod tests {
    use super::super::Severity;
    use super::*;

    fn read(body: &str) -> Option<Api> {
        Api::read(&Answer { status: 200, body: body.into(), ..Answer::default() })
    }

    #[test]
    fn version_redis_and_postgresql_are_told() {
        let api = read(r#"{"version":"4.14.2","timestamp":"2026-11-23 10:00:00","queue_services":"ok","data_services":"ok"}"#).unwrap();
        assert!(api.is_well());
        assert_eq!(api.finding().what, "version 4.14.2, Redis ok, PostgreSQL ok");
    }

    #[test]
    fn what_fails_is_named() {
        let api = read(r#"{"version":"4.14.2","queue_services":"failing","data_services":"ok"}"#).unwrap();
        let finding = api.finding();
        assert_eq!((finding.mark, api.is_well()), (Severity::Fault, false));
        assert!(finding.remedy.unwrap().action.starts_with("start Redis, "));
    }

    #[test]
    fn a_page_is_not_chatwoot() {
        assert_eq!(read("<html>welcome</html>"), None);
        assert_eq!(Api::read(&Answer { status: 404, ..Answer::default() }), None);
    }

    #[test]
    fn an_older_chatwoot_tells_its_version_alone() {
        assert_eq!(read(r#"{"version":"1.0.0"}"#).unwrap().finding().what, "version 1.0.0");
    }
}
