//! The report: findings as lines while they come, or as one JSON object; then the one sentence, and the exit status.

use std::io;

use serde::Serialize;

use super::{Finding, Severity, Subject};
use crate::exit;
use crate::output::{print, status_after};

/// The findings so far, printed as they come unless they are to be JSON.
pub(crate) struct Report {
    pub(crate) json: bool,
    findings: Vec<Finding>,
    written: io::Result<()>,
}

/// What programs get.
#[derive(Serialize)]
struct ReportJson<'a> {
    version: &'static str,
    findings: &'a [Finding],
    ready: bool,
    /// The first thing to do.
    next: Option<String>,
    exit: u8,
}

impl Report {
    pub(crate) fn new(json: bool) -> Self {
        Self { json, findings: Vec::new(), written: Ok(()) }
    }

    pub(crate) fn add(&mut self, finding: Finding) {
        if !self.json {
            self.write(&shown(&finding));
        }
        self.findings.push(finding);
    }

    pub(crate) fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) {
        findings.into_iter().for_each(|finding| self.add(finding));
    }

    fn write(&mut self, text: &str) {
        if self.written.is_ok() {
            self.written = print(text.as_bytes());
        }
    }

    fn fault(&self) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.is_fault())
    }

    /// Whether it is a fault of this.
    pub(crate) fn blames(&self, subject: Subject) -> bool {
        self.findings.iter().any(|finding| finding.is_fault() && finding.subject == subject)
    }

    pub(crate) fn has_fault(&self) -> bool {
        self.fault().is_some()
    }

    fn status(&self) -> u8 {
        match self.fault() {
            None => 0,
            Some(fault) if fault.subject.is_configuration() => exit::CONFIGURATION,
            Some(_) => exit::ENDPOINT,
        }
    }

    /// Ends the report with the one sentence; gives the exit status.
    pub(crate) fn end(mut self) -> u8 {
        let status = self.status();
        let next = self
            .fault()
            .map(|fault| fault.remedy.as_ref().map_or_else(|| fault.what.clone(), super::Remedy::sentence));
        let text = if self.json { self.whole(status, next) } else { self.sentence(next) };
        self.write(&text);
        status_after(&self.written, status)
    }

    fn sentence(&self, next: Option<String>) -> String {
        let warnings = self.findings.iter().filter(|finding| finding.mark == Severity::Warning).count();
        match (next, warnings) {
            (Some(next), _) => format!("\nNot ready. First, {next}\n"),
            (None, 0) => "\nReady: a delivery would work now.\n".to_owned(),
            (None, 1) => "\nReady: a delivery would work now; mind the warning.\n".to_owned(),
            (None, _) => "\nReady: a delivery would work now; mind the warnings.\n".to_owned(),
        }
    }

    fn whole(&self, exit: u8, next: Option<String>) -> String {
        let version = env!("CARGO_PKG_VERSION");
        let whole = ReportJson { version, findings: &self.findings, ready: exit == 0, next, exit };
        // Text and numbers alone: there is nothing in it that JSON could not write.
        serde_json::to_string_pretty(&whole).unwrap_or_default() + "\n"
    }
}

/// `FAIL  endpoint       401: ...`, and the remedy below it.
fn shown(finding: &Finding) -> String {
    let mut text = format!("{:<5} {:<15} {}\n", finding.mark.word(), finding.subject.word(), finding.what);
    if let Some(remedy) = &finding.remedy {
        text.push_str(&format!("{:<21} {}\n", "", remedy.sentence()));
    }
    text
}
