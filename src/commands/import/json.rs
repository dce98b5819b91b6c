//! What `ingress import --json` writes of a message.

use serde::Serialize;

use super::run::ImportReport;
use crate::settings::Settings;

/// One line of `--json`.
#[derive(Serialize)]
pub(super) struct ReportJson<'a> {
    source: String,
    message_id: &'a str,
    recipients: &'a [String],
    outcome: &'static str,
    code: Option<&'static str>,
    status: Option<u16>,
    cause: Option<&'a str>,
    remedy: Option<&'static str>,
    route: &'a str,
    /// Whether Chatwoot will show it, as far as can be foretold.
    shown: Option<bool>,
    repairs: &'a [&'static str],
    tries: u32,
    ms: u128,
}

impl<'a> ReportJson<'a> {
    pub(super) fn of(report: &'a ImportReport, settings: &Settings) -> Self {
        let failure = report.failure.as_ref();
        let on_too_large = settings.on_too_large;
        Self {
            source: report.source.to_string(),
            message_id: &report.message_id,
            recipients: &report.recipients,
            outcome: report.status.word(),
            code: failure.map(|failure| failure.cause.disposition(on_too_large).code),
            status: report.http_status,
            cause: failure.map(|failure| &*failure.detail),
            remedy: report.remedy,
            route: &report.route,
            shown: (!report.route.is_empty()).then_some(report.arrives),
            repairs: &report.repairs,
            tries: report.tries,
            ms: report.took.as_millis(),
        }
    }
}

/// What is no message that was tried: what cannot be read, and lines that were passed over.
#[derive(Serialize)]
pub(super) struct MentionJson<'a> {
    pub(super) source: &'a str,
    pub(super) outcome: &'static str,
    pub(super) cause: &'a str,
}
