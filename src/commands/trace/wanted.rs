//! Which message is looked for: by its Message-ID, or as a delivery would send it.

use std::ffi::OsStr;
use std::path::Path;

use crate::cli::Options;
use crate::commands::error::CommandError;
use crate::commands::message_file::read_message;
use crate::delivery;
use crate::exit;
use crate::settings::MessageSettings;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message::header_of;
use chatwoot_mail::{envelope, message, route};

/// A message that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Without brackets, as Chatwoot stores it.
    pub(super) message_id: String,
    /// Whom Chatwoot takes for the sender. Without one all conversations are looked through.
    pub(super) sender: Option<String>,
    /// Why nobody would see it, when that can be told from the message.
    pub(super) unseen: Option<String>,
}

impl Wanted {
    /// Takes what holds an `@` and is no file for a Message-ID.
    pub(super) fn read(
        what: &OsStr,
        options: &Options,
        environment: &Environment,
    ) -> Result<Self, CommandError> {
        let path = Path::new(what);
        let text = what.to_string_lossy();
        let is_id = text.starts_with('<') || text.contains('@');
        if is_id && !path.exists() {
            let sender = options.envelope.sender.as_ref().map(|sender| sender.to_string_lossy().into_owned());
            return Ok(Self { message_id: without_brackets(&text).to_owned(), sender, unseen: None });
        }
        Self::of_file(path, options, environment)
    }

    /// As Chatwoot got it: repairs can add or replace a Message-ID.
    fn of_file(path: &Path, options: &Options, environment: &Environment) -> Result<Self, CommandError> {
        let (MessageSettings { rules, max_size }, _) = MessageSettings::load(&options.settings, environment)?;
        let (unrepaired, origin) = read_message(Some(path), rules.repairs.extra_returns(), max_size)?;
        if !message::has_header(&unrepaired.bytes) {
            return Err(CommandError::new(exit::MESSAGE, format!("{origin}: no header field in it")));
        }
        let sender = options.envelope.sender.as_deref();
        let envelope = envelope::read(&options.envelope.recipient, sender, environment, &unrepaired.bytes);
        let recipient = envelope.recipients.first();
        let prepared = delivery::prepare(unrepaired, recipient, &envelope.sender, &rules);
        let wire_message = prepared.wire_message?;
        let message_id = delivery::message_id(&wire_message.bytes);
        if message_id == "-" {
            let complaint = format!("{origin} has no Message-ID, and Chatwoot gave it one of its own");
            return Err(CommandError::new(exit::MESSAGE, complaint));
        }
        Ok(Self {
            message_id: without_brackets(&message_id).to_owned(),
            sender: route::sender(&header_of(&wire_message.bytes)),
            unseen: (!prepared.route.arrives()).then(|| prepared.route.to_string()),
        })
    }
}

fn without_brackets(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_is_taken_with_and_without_brackets() {
        for text in ["<a@b>", "a@b", " <a@b> "] {
            let wanted =
                Wanted::read(OsStr::new(text), &Options::default(), &Environment::default()).unwrap();
            assert_eq!(wanted, Wanted { message_id: "a@b".to_owned(), sender: None, unseen: None });
        }
    }

    #[test]
    fn anything_else_is_a_file() {
        let error = Wanted::read(OsStr::new("/nonexistent"), &Options::default(), &Environment::default());
        assert_eq!(error.unwrap_err().complaint, "cannot read /nonexistent: no such file or directory");
    }
}
