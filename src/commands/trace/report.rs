//! What is said of a search: where the message is, or why it may be nowhere.

use serde::Serialize;

use super::search::{Hit, Outcome};
use super::wanted::Wanted;
use crate::log::sanitized;

/// The form of `trace --json`.
#[derive(Debug, Serialize)]
pub(super) struct TraceJson<'a> {
    message_id: &'a str,
    sender: Option<&'a str>,
    found: Vec<HitJson<'a>>,
    conversations: usize,
    reasons: Vec<String>,
}

/// A [`Hit`].
#[derive(Debug, Serialize)]
struct HitJson<'a> {
    account: &'a str,
    inbox: &'a str,
    conversation: u64,
    status: &'a str,
    url: &'a str,
}

impl<'a> TraceJson<'a> {
    pub(super) fn of(wanted: &'a Wanted, outcome: &'a Outcome) -> Self {
        let hit = |hit: &'a Hit| HitJson {
            account: &hit.account,
            inbox: &hit.inbox,
            conversation: hit.conversation,
            status: &hit.status,
            url: &hit.url,
        };
        Self {
            message_id: &wanted.message_id,
            sender: wanted.sender.as_deref(),
            found: outcome.hits.iter().map(hit).collect(),
            conversations: outcome.conversations,
            reasons: reasons(wanted, outcome),
        }
    }
}

/// The same for people.
pub(super) fn text(wanted: &Wanted, outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut row = |label: &str, line: &str| text.push_str(&format!("{label:<10} {}\n", sanitized(line)));
    row("Message", &format!("<{}>", wanted.message_id));
    if let Some(sender) = &wanted.sender {
        row("Sender", sender);
    }
    for hit in &outcome.hits {
        let Hit { account, inbox, conversation, status, url } = hit;
        row("Found", &format!("conversation {conversation} ({status}), inbox {inbox}, account {account}"));
        row("", url);
    }
    if outcome.hits.is_empty() {
        let all = if outcome.more { ", not all there are" } else { "" };
        row("Not found", &format!("{} looked through{all}", counted(outcome.conversations, "conversation")));
    }
    for (number, reason) in reasons(wanted, outcome).iter().enumerate() {
        row(if number == 0 { "Perhaps" } else { "" }, reason);
    }
    text
}

fn counted(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Why the message may be nowhere, the likeliest first; nothing when it was found.
fn reasons(wanted: &Wanted, outcome: &Outcome) -> Vec<String> {
    if !outcome.hits.is_empty() {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    if outcome.accounts == 0 {
        reasons.push("the token's user belongs to no account".to_owned());
    }
    reasons.extend(wanted.unseen.as_ref().map(|why| format!("Chatwoot cannot show it: {why}")));
    if outcome.blocked {
        reasons.push("an agent blocked the sender: Chatwoot drops what it sends".to_owned());
    }
    if wanted.sender.is_none() {
        reasons.push(
            "it is older: name its sender (-f ADDR), or a file with the message, to look further".to_owned(),
        );
    } else if !outcome.knows_sender {
        reasons.push("the sender has no contact in Chatwoot: none of its mail was filed, or it is under another address".to_owned());
    }
    reasons.push(
        "Chatwoot has not come to it yet: its worker (Sidekiq) is behind or down; try again in a minute"
            .to_owned(),
    );
    reasons.push("it is in an inbox that the token's user is not a member of".to_owned());
    reasons.push("it was never delivered: look for its Message-ID in the log of ingress".to_owned());
    reasons
}
