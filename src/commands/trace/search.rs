//! Where a message is looked for, and how far.

use super::api::{Api, ChatwootAccount, Conversation, Inbox, MESSAGES_A_PAGE};
use super::wanted::Wanted;
use crate::commands::error::CommandError;

/// How many pages of messages of one conversation are read when the sender is known, and when it is not.
const PAGES_OF_A_SENDER: usize = 25;
const PAGES_OF_ANYBODY: usize = 2;
/// How many pages of conversations are looked through when the sender is not known: 25 on each.
const PAGES_OF_CONVERSATIONS: usize = 4;

/// A message of Chatwoot's that was made of the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) account: String,
    pub(super) inbox: String,
    pub(super) conversation: u64,
    /// Of the conversation.
    pub(super) status: String,
    /// Where people see it.
    pub(super) url: String,
}

/// What a search came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) hits: Vec<Hit>,
    /// How many accounts the token sees.
    pub(super) accounts: usize,
    /// How many conversations were looked through.
    pub(super) conversations: usize,
    /// Whether there was more than is looked through.
    pub(super) more: bool,
    /// Whether Chatwoot knows the sender.
    pub(super) knows_sender: bool,
    /// Whether an agent blocked the sender.
    pub(super) blocked: bool,
}

/// Looks for the message in every account that the token sees.
pub(super) fn search(api: &Api<'_>, wanted: &Wanted) -> Result<Outcome, CommandError> {
    let mut outcome = Outcome::default();
    for account in api.accounts()? {
        outcome.accounts += 1;
        let inboxes = api.inboxes(account.id)?;
        let conversations = match &wanted.sender {
            Some(sender) => of_sender(api, &account, sender, &mut outcome)?,
            None => of_anybody(api, &account, &mut outcome)?,
        };
        for conversation in conversations {
            outcome.conversations += 1;
            if let Some(message) = message_in(api, account.id, &conversation, wanted, &mut outcome)? {
                outcome.hits.push(Hit {
                    account: account.name.clone().unwrap_or_else(|| account.id.to_string()),
                    inbox: name_of(&inboxes, conversation.inbox_id),
                    conversation: conversation.id,
                    status: conversation.status.clone(),
                    url: api.page(account.id, conversation.id, message),
                });
            }
        }
    }
    Ok(outcome)
}

fn name_of(inboxes: &[Inbox], id: u64) -> String {
    let name = inboxes.iter().find(|inbox| inbox.id == id).and_then(|inbox| inbox.name.clone());
    name.unwrap_or_else(|| id.to_string())
}

/// The conversations of whoever has exactly this address.
fn of_sender(
    api: &Api<'_>,
    account: &ChatwootAccount,
    sender: &str,
    outcome: &mut Outcome,
) -> Result<Vec<Conversation>, CommandError> {
    let mut conversations = Vec::new();
    for contact in api.contacts(account.id, sender)? {
        if !contact.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(sender)) {
            continue;
        }
        outcome.knows_sender = true;
        outcome.blocked |= contact.blocked == Some(true);
        conversations.extend(api.conversations_of(account.id, contact.id)?);
    }
    Ok(conversations)
}

/// The conversations in which something happened last.
fn of_anybody(
    api: &Api<'_>,
    account: &ChatwootAccount,
    outcome: &mut Outcome,
) -> Result<Vec<Conversation>, CommandError> {
    let mut conversations = Vec::new();
    for page in 1..=PAGES_OF_CONVERSATIONS {
        let found = api.conversations(account.id, page)?;
        let is_last = found.is_empty();
        conversations.extend(found);
        if is_last {
            return Ok(conversations);
        }
    }
    outcome.more = true;
    Ok(conversations)
}

/// The number of the message with this Message-ID.
fn message_in(
    api: &Api<'_>,
    account: u64,
    conversation: &Conversation,
    wanted: &Wanted,
    outcome: &mut Outcome,
) -> Result<Option<u64>, CommandError> {
    let pages = if wanted.sender.is_some() { PAGES_OF_A_SENDER } else { PAGES_OF_ANYBODY };
    let mut before = None;
    for _ in 0..pages {
        let messages = api.messages(account, conversation.id, before)?;
        let is_it = |source_id: &Option<String>| source_id.as_deref() == Some(wanted.message_id.as_str());
        if let Some(message) = messages.iter().find(|message| is_it(&message.source_id)) {
            return Ok(Some(message.id));
        }
        if messages.len() < MESSAGES_A_PAGE {
            return Ok(None);
        }
        before = messages.iter().map(|message| message.id).min();
    }
    outcome.more = true;
    Ok(None)
}
