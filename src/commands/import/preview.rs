//! What a run would come to: every message read, repaired and its route foretold; nothing sent.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::index::Entry;
use super::run::NO_HEADER;
use crate::delivery::{self, Prepared};
use crate::settings::MessageSettings;
use chatwoot_mail::environment::Environment;
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
    /// Which these are.
    pub(crate) lost: Vec<String>,
    /// Lines of mboxes that look like the beginning of a message, and would be left in a text.
    pub(crate) passed_over: Vec<String>,
    pub(crate) repairs: BTreeMap<&'static str, usize>,
    pub(crate) too_large: usize,
    pub(crate) unreadable: usize,
}

/// Looks at all messages, several at once. `progress` is told how many are done, `say` what could not be sent or would not be seen, and why.
pub(crate) fn preview(
    entries: &[Entry],
    recipients: &[OsString],
    sender: Option<&OsString>,
    settings: &MessageSettings,
    jobs: usize,
    progress: impl Fn(usize) + Sync,
    say: impl Fn(&str) + Sync,
) -> Preview {
    let whole = Mutex::new(Preview { messages: entries.len(), ..Preview::default() });
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let said = look(entry, recipients, sender, settings, &whole);
                    said.iter().for_each(|why| say(&format!("{}: {why}", entry.source)));
                    progress(next.load(Ordering::Relaxed).min(entries.len()));
                }
            });
        }
    });
    whole.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Gives what is to be said of the message: why it could not be sent, or would not be seen.
fn look(
    entry: &Entry,
    recipients: &[OsString],
    sender: Option<&OsString>,
    settings: &MessageSettings,
    whole: &Mutex<Preview>,
) -> Vec<String> {
    let whole = || whole.lock().unwrap_or_else(PoisonError::into_inner);
    let message = match entry.source.read(settings.rules.repairs.extra_returns(), settings.max_size) {
        Ok(message) if message::has_header(&message.bytes) => message,
        Ok(_) => {
            whole().unreadable += 1;
            return vec![format!("unreadable: {NO_HEADER}")];
        }
        Err(failure) if failure.cause == Cause::LargerThanMaxSize => {
            whole().too_large += 1;
            return vec![format!("too large: {}", failure.detail)];
        }
        Err(failure) => {
            whole().unreadable += 1;
            return vec![format!("unreadable: {}", failure.detail)];
        }
    };
    let sender = sender.map(OsString::as_os_str);
    let envelope = envelope::read(recipients, sender, &Environment::default(), &message.bytes);
    let mut said = Vec::new();
    delivery::each_copy(&envelope, message, |recipient, copy| {
        let copy = match copy {
            Ok(copy) => copy,
            Err(uncopied) => {
                whole().unreadable += 1;
                said.push(format!("unreadable: {}", uncopied.failure.detail));
                return ControlFlow::Break(());
            }
        };
        let prepared = delivery::prepare(copy, recipient, &envelope.sender, &settings.rules);
        if !prepared.route.arrives() {
            said.push(format!("lost: {}", prepared.route));
        }
        whole().count(&prepared, entry);
        ControlFlow::Continue(())
    });
    said
}

impl Preview {
    fn count(&mut self, prepared: &Prepared, entry: &Entry) {
        self.copies += 1;
        *self.routes.entry(prepared.route.word()).or_default() += 1;
        if !prepared.route.arrives() {
            *self.losses.entry(prepared.route.to_string()).or_default() += 1;
            self.lost.push(entry.source.to_string());
        }
        for repair in &prepared.repairs {
            *self.repairs.entry(repair).or_default() += 1;
        }
    }
}
