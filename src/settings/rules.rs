//! What the settings say about messages alone.

use super::destination::service;
use super::table::{CHATWOOT_SENDER, setting};
use super::{ConfigError, Sources, Value, value};
use crate::cli::SettingsOptions;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message::address::{self, Address};
use chatwoot_mail::repair::EnabledRepairs;
use chatwoot_mail::route::Chatwoot;
use chatwoot_mail::rules::Rules;
use chatwoot_mail::service::Service;

/// What the settings say about messages alone: for commands that send nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageSettings {
    pub(crate) rules: Rules,
    /// In bytes.
    pub(crate) max_size: u64,
}

impl MessageSettings {
    /// Reads the rules from where a delivery would. A file that was not named and that this user may not read is left out, with a notice.
    pub(crate) fn load(
        options: &SettingsOptions,
        environment: &Environment,
    ) -> Result<(Self, Option<String>), ConfigError> {
        let sources = Sources::read(options, environment);
        let notice = match sources.file_fault() {
            Some(fault) if is_unreadable_and_unnamed(&sources) => Some(format!("{fault}: defaults are used")),
            Some(fault) => return Err(fault.clone()),
            None => None,
        };
        let unread = sources.chatwoot_fault().map(|fault| format!("{fault}: what it says is not known here"));
        let max_size = max_size(&sources)?;
        let rules = rules(service(&sources)?, &sources)?;
        Ok((Self { rules, max_size }, notice.or(unread)))
    }
}

fn is_unreadable_and_unnamed(sources: &Sources<'_>) -> bool {
    sources
        .config()
        .is_some_and(|config| config.named_by.is_none() && std::fs::File::open(&config.path).is_err())
}

/// A size that this machine cannot even count is none it could meet.
fn max_attachment(sources: &Sources<'_>) -> Result<usize, ConfigError> {
    let size = sources.parsed(const { setting("max_attachment") }, value::size)?;
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

/// In bytes, as the mail server hands the message over.
pub(super) fn max_size(sources: &Sources<'_>) -> Result<u64, ConfigError> {
    sources.parsed(const { setting("max_size") }, value::size)
}

pub(super) fn rules(service: Service, sources: &Sources<'_>) -> Result<Rules, ConfigError> {
    Ok(Rules {
        service,
        repairs: repairs(sources)?,
        chatwoot: chatwoot(sources)?,
        max_attachment: max_attachment(sources)?,
    })
}

fn repairs(sources: &Sources<'_>) -> Result<EnabledRepairs, ConfigError> {
    match sources.resolve(const { setting("repair") }).map(|said| said.value) {
        Some(Value::Repairs(repairs)) => {
            EnabledRepairs::new(repairs).map_err(|name| sources.unknown_repair(name))
        }
        _ => Ok(EnabledRepairs::default()),
    }
}

/// What is known of the Chatwoot at the other end.
fn chatwoot(sources: &Sources<'_>) -> Result<Chatwoot, ConfigError> {
    let own = sources.chatwoot().get(CHATWOOT_SENDER).map(|text| address::read(text.as_bytes()).mailboxes);
    Ok(Chatwoot {
        inboxes: inboxes(sources)?,
        own_sender: own.and_then(|mailboxes| mailboxes.into_iter().next()).map(|mailbox| mailbox.address),
    })
}

fn inboxes(sources: &Sources<'_>) -> Result<Vec<Address>, ConfigError> {
    let setting = const { setting("inboxes") };
    let Some(said) = sources.resolve(setting) else { return Ok(Vec::new()) };
    let Value::Addresses(texts) = said.value else { return Ok(Vec::new()) };
    let addresses = texts.iter().map(|text| Address::parse(text)).collect::<Option<_>>();
    addresses.ok_or_else(|| sources.wrong(setting, &said, setting.form.expected()))
}
