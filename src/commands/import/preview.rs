//! What a run would come to: every message read, repaired and its route foretold; nothing sent.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::index::Entry;
use super::run::NO_HEADER;
use crate::delivery;
use crate::settings::MessageSettings;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message::address::Address;
use chatwoot_mail::outcome::Cause;
use chatwoot_mail::{envelope, message};

/// How many messages would have which status.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Preview {
    pub(crate) messages: usize,
    /// One for each recipient.
    pub(crate) copies: usize,
    /// By the words of `explain --json`: `reply`, `inbox`, `unknown`, `dropped`, `fails`, `refused`.
    pub(crate) routes: BTreeMap<&'static str, usize>,
    /// Why copies would be lost.
    pub(crate) losses: BTreeMap<String, usize>,
    pub(crate) repairs: BTreeMap<&'static str, usize>,
    pub(crate) too_large: usize,
    pub(crate) unreadable: usize,
}

/// Looks at all messages, several at once. `progress` is told how many are done, `failed` what could not be sent and why.
pub(crate) fn preview(
    entries: &[Entry],
    recipients: &[OsString],
    sender: Option<&OsString>,
    settings: &MessageSettings,
    jobs: usize,
    progress: impl Fn(usize) + Sync,
    failed: impl Fn(&str) + Sync,
) -> Preview {
    let whole = Mutex::new(Preview { messages: entries.len(), ..Preview::default() });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    look(entry, recipients, sender, settings, &whole)
                        .unwrap_or_else(|why| failed(&format!("{}: {why}", entry.source)));
                    progress(next.load(Ordering::Relaxed).min(entries.len()));
                }
            });
        }
    });
    whole.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn look(
    entry: &Entry,
    recipients: &[OsString],
    sender: Option<&OsString>,
    settings: &MessageSettings,
    whole: &Mutex<Preview>,
) -> Result<(), String> {
    let whole = || whole.lock().unwrap_or_else(PoisonError::into_inner);
    let message = match entry.source.read(settings.rules.repairs.extra_returns(), settings.max_size) {
        Ok(message) if message::has_header(&message.bytes) => message,
        Ok(_) => {
            whole().unreadable += 1;
            return Err(format!("unreadable: {NO_HEADER}"));
        }
        Err(failure) if failure.cause == Cause::LargerThanMaxSize => {
            whole().too_large += 1;
            return Err(format!("too large: {}", failure.detail));
        }
        Err(failure) => {
            whole().unreadable += 1;
            return Err(format!("unreadable: {}", failure.detail));
        }
    };
    let sender = sender.map(OsString::as_os_str);
    let envelope = envelope::read(recipients, sender, &Environment::default(), &message.bytes);
    let recipients: Vec<Option<&Address>> = match envelope.recipients.as_slice() {
        [] => vec![None],
        some => some.iter().map(Some).collect(),
    };
    for recipient in recipients {
        let copy = delivery::copied(&message).map_err(|failure| {
            whole().unreadable += 1;
            format!("unreadable: {}", failure.detail)
        })?;
        let prepared = delivery::prepare(copy, recipient, &envelope.sender, &settings.rules);
        let mut whole = whole();
        whole.copies += 1;
        *whole.routes.entry(prepared.route.word()).or_default() += 1;
        if !prepared.route.arrives() {
            *whole.losses.entry(prepared.route.to_string()).or_default() += 1;
        }
        for repair in prepared.repairs {
            *whole.repairs.entry(repair).or_default() += 1;
        }
    }
    Ok(())
}
