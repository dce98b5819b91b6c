//! `ingress trace`: finds the message, says where, or says why it may be nowhere; and shows nothing that it should not.

use std::io;

use serde_json::{Value, json};

use crate::run::{Ended, Ingress};
use crate::server::{Connection, Request, Server};
use crate::setting::{MESSAGE, Setting};

const TOKEN: &str = "tok-Plover-24-y2";
/// What Chatwoot's inboxes tell an administrator beside their names.
const MAIL_PASSWORD: &str = "imap-Xyzzy-secret";

/// What this Chatwoot holds.
#[derive(Clone)]
struct Stored {
    /// Answers to paths below `/api/v1/`, with their queries.
    answers: Vec<(String, Value)>,
}

impl Stored {
    /// One account with one inbox; Ann has written in conversations 7 and 9.
    fn new() -> Self {
        let conversation = |id: u64, status: &str| json!({"id": id, "inbox_id": 3, "status": status});
        Self { answers: Vec::new() }
            .with("profile", json!({"id": 1, "accounts": [{"id": 1, "name": "Acme", "role": "agent"}]}))
            .with(
                "accounts/1/inboxes",
                json!({"payload": [{"id": 3, "name": "Support", "imap_password": MAIL_PASSWORD}]}),
            )
            .with(
                "accounts/1/contacts/search?q=a%40example.org",
                json!({"meta": {"count": 2}, "payload": [
                    {"id": 20, "email": "A@example.org", "blocked": false},
                    {"id": 21, "email": "aa@example.org", "blocked": true},
                ]}),
            )
            .with(
                "accounts/1/contacts/20/conversations",
                json!({"payload": [conversation(9, "open"), conversation(7, "resolved")]}),
            )
            .with("accounts/1/conversations/9/messages", messages(500..520, |_| None))
            .with("accounts/1/conversations/9/messages?before=500", messages(480..483, |_| None))
            .with("accounts/1/conversations/7/messages", messages(100..103, |_| None))
    }

    fn with(mut self, path: &str, answer: Value) -> Self {
        self.answers.retain(|(known, _)| known != path);
        self.answers.push((path.to_owned(), answer));
        self
    }

    fn served(self) -> Server {
        Server::serving(move |connection, request| self.answer(connection, request))
    }

    fn answer(&self, connection: &mut Connection, request: &Request) -> io::Result<()> {
        let line = request.head.lines().next().unwrap();
        let path = line.strip_prefix("GET /desk/api/v1/").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
        let answer = self.answers.iter().find(|(known, _)| path == Some(known.as_str()));
        match answer {
            _ if !request.head.contains(&format!("\r\napi-access-token: {TOKEN}\r\n")) => {
                connection.say(answered("401 Unauthorized", r#"{"error":"Invalid Access Token"}"#))
            }
            Some((_, answer)) => connection.say(answered("200 OK", &answer.to_string())),
            None => connection.say(answered("404 Not Found", "{}")),
        }
    }
}

fn answered(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A page of messages with these numbers.
fn messages(numbers: std::ops::Range<u64>, source_id: impl Fn(u64) -> Option<&'static str>) -> Value {
    let message = |id: u64| json!({"id": id, "content": "hello", "source_id": source_id(id)});
    json!({"meta": {}, "payload": numbers.map(message).collect::<Vec<_>>()})
}

fn setting(url: &str) -> Setting {
    Setting::new(&format!("{url}/desk"), &format!("api_token = \"{TOKEN}\""))
}

/// Traces with these words; what is said must hold no secret.
fn traced(server: &Server, words: &[&str]) -> Ended {
    traced_with(&setting(&server.url()), words)
}

fn traced_with(setting: &Setting, words: &[&str]) -> Ended {
    let ingress = Ingress::new().args(["trace", "-c", &setting.shown("ingress.toml")]).args(words);
    let ended = if words.contains(&"-") { ingress.stdin(MESSAGE) } else { ingress }.run();
    for secret in [TOKEN, MAIL_PASSWORD] {
        assert!(!ended.stdout.contains(secret) && !ended.stderr.contains(secret), "{ended:?}");
    }
    ended
}

const NOT_FOUND: &str = "\
Message    <1@example.org>
Sender     a@example.org
Not found  2 conversations looked through
Perhaps    Chatwoot has not come to it yet: its worker (Sidekiq) is behind or down; try again in a minute
           it is in an inbox that the token's user is not a member of
           it was never delivered: look for its Message-ID in the log of ingress
";

#[test]
fn a_message_is_found_page_by_page_among_its_sender_s() {
    let found = |number| (number == 481).then_some("1@example.org");
    let server = Stored::new()
        .with("accounts/1/conversations/9/messages?before=500", messages(480..483, found))
        .served();
    let expected = format!(
        "Message    <1@example.org>\n\
         Sender     a@example.org\n\
         Found      conversation 9 (open), inbox Support, account Acme\n           \
         {}/desk/app/accounts/1/conversations/9?messageId=481\n",
        server.url()
    );
    traced(&server, &["-"]).assert(0, &expected, "");
}

#[test]
fn every_conversation_that_has_it_is_named() {
    let found = |number| (number == 501 || number == 101).then_some("1@example.org");
    let server = Stored::new()
        .with("accounts/1/conversations/9/messages", messages(500..520, found))
        .with("accounts/1/conversations/7/messages", messages(100..103, found))
        .served();
    let ended = traced(&server, &["--json", "-"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""));
    let told: Value = serde_json::from_str(&ended.stdout).unwrap();
    let hit = |conversation: u64, message: u64, status: &str| {
        let url =
            format!("{}/desk/app/accounts/1/conversations/{conversation}?messageId={message}", server.url());
        json!({"account": "Acme", "inbox": "Support", "conversation": conversation, "status": status, "url": url})
    };
    assert_eq!(
        told,
        json!({
            "message_id": "1@example.org",
            "sender": "a@example.org",
            "found": [hit(9, 501, "open"), hit(7, 101, "resolved")],
            "conversations": 2,
            "reasons": [],
        })
    );
}

#[test]
fn what_is_nowhere_has_its_reasons() {
    traced(&Stored::new().served(), &["-"]).assert(1, NOT_FOUND, "");
}

#[test]
fn a_blocked_sender_is_the_likeliest_reason() {
    let search = "accounts/1/contacts/search?q=a%40example.org";
    let blocked = json!({"payload": [{"id": 20, "email": "a@example.org", "blocked": true}]});
    let expected = NOT_FOUND.replace(
        "Perhaps    Chatwoot",
        "Perhaps    an agent blocked the sender: Chatwoot drops what it sends\n           Chatwoot",
    );
    traced(&Stored::new().with(search, blocked).served(), &["-"]).assert(1, &expected, "");
}

#[test]
fn a_message_that_nobody_would_see_says_so_first() {
    let server = Stored::new().served();
    let setting = setting(&server.url());
    setting.configure_more("[repair]\nunparsable-to = false");
    let message = MESSAGE.replace("To: support", "To: Help: Desk <x> support");
    setting.write("message", message, 0o600);
    let ended = traced_with(&setting, &[&setting.shown("message")]);
    assert!(
        ended.stdout.contains("\nPerhaps    Chatwoot cannot show it: dropped: its To cannot be parsed\n"),
        "{ended:?}"
    );
}

#[test]
fn a_message_id_alone_is_looked_for_in_the_latest_conversations() {
    let conversation = json!({"id": 7, "inbox_id": 4, "status": "pending"});
    let server = Stored::new()
        .with("accounts/1/conversations?status=all&page=1", json!({"data": {"payload": [conversation]}}))
        .with("accounts/1/conversations?status=all&page=2", json!({"data": {"payload": []}}))
        .with(
            "accounts/1/conversations/7/messages",
            messages(100..103, |number| (number == 102).then_some("x@y")),
        )
        .served();
    let expected = format!(
        "Message    <x@y>\nFound      conversation 7 (pending), inbox 4, account Acme\n           \
         {}/desk/app/accounts/1/conversations/7?messageId=102\n",
        server.url()
    );
    traced(&server, &["<x@y>"]).assert(0, &expected, "");
    let ended = traced(&server, &["other@y"]);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(1), ""));
    assert!(
        ended
            .stdout
            .contains("Perhaps    it is older: name its sender (-f ADDR), or a file with the message"),
        "{ended:?}"
    );
    let expected = NOT_FOUND.replace("<1@example.org>", "<other@y>");
    traced(&server, &["other@y", "-f", "a@example.org"]).assert(1, &expected, "");
}

#[test]
fn a_token_that_is_refused_is_named_and_not_shown() {
    let server = Stored::new().served();
    let setting = Setting::new(&format!("{}/desk", server.url()), "api_token = \"another\"");
    traced_with(&setting, &["x@y"]).assert(
        69,
        "",
        "ingress: Chatwoot refuses the API token: copy it anew from Profile settings, or let a proxy before Chatwoot pass the header api-access-token\n",
    );
}

#[test]
fn what_is_not_chatwoot_s_api_is_named() {
    for (answer, complaint) in [
        (
            "200 OK\r\nContent-Length: 8\r\n\r\n<html>hi",
            "the answer is not that of Chatwoot's API; check url",
        ),
        ("302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", "302: a redirect"),
        (
            "404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "404: Chatwoot's API is not there, or the token's user may not see this",
        ),
        (
            "502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "502: the proxy is up, but Chatwoot's web server is down",
        ),
    ] {
        let server = Server::saying(format!("HTTP/1.1 {answer}"));
        traced(&server, &["x@y"]).assert(
            69,
            "",
            &format!("ingress: GET /desk/api/v1/profile: {complaint}\n"),
        );
    }
}

#[test]
fn without_a_token_it_says_where_to_set_one() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    let ended = traced_with(&setting, &["x@y"]);
    ended.assert(
        78,
        "",
        &format!(
            "ingress: no API token is set: set api_token_file in {}; Chatwoot shows yours under Profile settings\n",
            setting.shown("ingress.toml")
        ),
    );
}
