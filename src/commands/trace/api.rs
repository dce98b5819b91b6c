//! Chatwoot's Application API, as far as a message is looked for in it. What it answers can hold passwords of mail accounts, so no answer is
//! ever shown or logged.

use std::time::Instant;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::commands::error::CommandError;
use crate::exit;
use crate::http::Client;
use crate::settings::ApiSettings;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::outcome::http_status;

/// `GET /api/v1/profile`.
#[derive(Debug, Deserialize)]
struct Profile {
    accounts: Vec<ChatwootAccount>,
}

/// An account that the token's user belongs to.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ChatwootAccount {
    pub(super) id: u64,
    pub(super) name: Option<String>,
}

/// What most lists come in.
#[derive(Debug, Deserialize)]
struct Payload<T> {
    payload: Vec<T>,
}

/// What the list of conversations comes in.
#[derive(Debug, Deserialize)]
struct Data<T> {
    data: Payload<T>,
}

/// An inbox that the token's user is a member of.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Inbox {
    pub(super) id: u64,
    pub(super) name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Contact {
    pub(super) id: u64,
    pub(super) email: Option<String>,
    /// Chatwoot drops what blocked contacts send.
    pub(super) blocked: Option<bool>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Conversation {
    /// As agents see it: `#56`.
    pub(super) id: u64,
    pub(super) inbox_id: u64,
    /// `open`, `resolved`, `pending`, `snoozed`.
    pub(super) status: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ChatwootMessage {
    pub(super) id: u64,
    /// The Message-ID of mail, without its brackets.
    pub(super) source_id: Option<String>,
}

/// How many messages Chatwoot gives at once (its `MessageFinder`).
pub(super) const MESSAGES_A_PAGE: usize = 20;

/// The API, with a token.
#[derive(Debug)]
pub(super) struct Api<'a> {
    settings: &'a ApiSettings,
    client: Client,
    deadline: Instant,
}

impl<'a> Api<'a> {
    pub(super) fn new(settings: &'a ApiSettings, environment: &Environment) -> Result<Self, CommandError> {
        let https = settings.base.scheme() == "https";
        let client = Client::new(https, &settings.network, environment)?;
        Ok(Self { settings, client, deadline: Instant::now() + settings.network.timeout })
    }

    pub(super) fn accounts(&self) -> Result<Vec<ChatwootAccount>, CommandError> {
        Ok(self.get::<Profile>("profile", &[])?.accounts)
    }

    pub(super) fn inboxes(&self, account: u64) -> Result<Vec<Inbox>, CommandError> {
        self.payload(&format!("accounts/{account}/inboxes"), &[])
    }

    /// Whom Chatwoot knows by this address, or by one that it is part of.
    pub(super) fn contacts(&self, account: u64, address: &str) -> Result<Vec<Contact>, CommandError> {
        self.payload(&format!("accounts/{account}/contacts/search"), &[("q", address)])
    }

    /// The newest conversations of a contact.
    pub(super) fn conversations_of(
        &self,
        account: u64,
        contact: u64,
    ) -> Result<Vec<Conversation>, CommandError> {
        self.payload(&format!("accounts/{account}/contacts/{contact}/conversations"), &[])
    }

    /// A page of all conversations, those with the latest activity first.
    pub(super) fn conversations(&self, account: u64, page: usize) -> Result<Vec<Conversation>, CommandError> {
        let page = page.to_string();
        let query = [("status", "all"), ("page", page.as_str())];
        Ok(self.get::<Data<Conversation>>(&format!("accounts/{account}/conversations"), &query)?.data.payload)
    }

    /// The newest messages of a conversation, or those before the message with this number; the oldest first.
    pub(super) fn messages(
        &self,
        account: u64,
        conversation: u64,
        before: Option<u64>,
    ) -> Result<Vec<ChatwootMessage>, CommandError> {
        let before = before.map(|number| number.to_string());
        let query: Vec<(&str, &str)> = before.iter().map(|number| ("before", number.as_str())).collect();
        self.payload(&format!("accounts/{account}/conversations/{conversation}/messages"), &query)
    }

    /// Where people see a message.
    pub(super) fn page(&self, account: u64, conversation: u64, message: u64) -> String {
        let mut url = self.url(&format!("app/accounts/{account}/conversations/{conversation}"));
        url.set_query(Some(&format!("messageId={message}")));
        url.into()
    }

    fn url(&self, path: &str) -> Url {
        let mut url = self.settings.base.clone();
        url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
        url
    }

    fn payload<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>, CommandError> {
        Ok(self.get::<Payload<T>>(path, query)?.payload)
    }

    fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, CommandError> {
        let mut url = self.url(&format!("api/v1/{path}"));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let answer = self
            .client
            .get_with_token(&url, &self.settings.token, self.deadline)
            .map_err(|failure| endpoint(failure.detail.into_owned()))?;
        match answer.status {
            200 => serde_json::from_slice(&answer.body).map_err(|_| {
                endpoint(format!("GET {}: the answer is not that of Chatwoot's API; check url", url.path()))
            }),
            401 => Err(endpoint(
                "Chatwoot refuses the API token: copy it anew from Profile settings, or let a proxy before Chatwoot pass the header api-access-token",
            )),
            status => {
                let meaning = http_status(status);
                Err(endpoint(format!("GET {}: {status}: {}", url.path(), explained(status, meaning.what))))
            }
        }
    }
}

/// The table of statuses speaks of the ingress.
fn explained(status: u16, what: &str) -> &str {
    match status {
        404 => "Chatwoot's API is not there, or the token's user may not see this",
        403 => "the token's user may not see this",
        _ => what,
    }
}

fn endpoint(complaint: impl Into<String>) -> CommandError {
    CommandError::new(exit::ENDPOINT, complaint)
}
