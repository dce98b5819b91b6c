//! A real Action Mailbox (Debian's packages on puma) with Chatwoot's routing rules.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::folder::{PASSWORD, SIGNING_KEY};
use crate::support::fork_server::Forked;
use crate::support::{Port, eventually};

pub(crate) struct ActionMailbox {
    /// Nothing while it is stopped.
    server: Option<Forked>,
    folder: PathBuf,
    port: Port,
    service: String,
    /// What is in its environment beside or instead of the usual.
    more: &'static [(&'static str, &'static str)],
}

/// A line of `routes.jsonl`: what Chatwoot would have done with a record.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct Routed {
    pub id: u64,
    pub message_id: String,
    pub route: String,
    pub x_original_to: Vec<String>,
}

impl ActionMailbox {
    /// Starts one whose ingress is the relay.
    pub(crate) fn start(folder: &Path) -> Self {
        Self::start_as(folder, "relay")
    }

    /// Starts one with another `RAILS_INBOUND_EMAIL_SERVICE`.
    pub(crate) fn start_as(folder: &Path, service: &str) -> Self {
        Self::start_with(folder, service, &[])
    }

    /// Starts one with more in its environment (the variables of `application.rb`).
    pub(crate) fn start_with(
        folder: &Path,
        service: &str,
        more: &'static [(&'static str, &'static str)],
    ) -> Self {
        let folder = folder.join("action_mailbox");
        fs::create_dir_all(&folder).unwrap();
        let mut server = Self { server: None, folder, port: Port::hold(), service: service.to_owned(), more };
        server.resume();
        server
    }

    /// Starts it again, on the port and with the records it had.
    pub(crate) fn resume(&mut self) {
        let mut environment = BTreeMap::from([
            ("FOLDER", self.folder.display().to_string()),
            ("SERVICE", self.service.clone()),
            ("PASSWORD", PASSWORD.to_owned()),
            ("SIGNING_KEY", SIGNING_KEY.to_owned()),
        ]);
        environment.extend(self.more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let output = self.folder.join("puma.log");
        let _ = fs::remove_file(&output);
        let server = Forked::start(self.port.number(), &environment);
        eventually("puma to listen", || {
            let text = fs::read_to_string(&output).unwrap_or_default();
            assert!(!server.has_exited(), "puma ended:\n{text}");
            text.contains("Listening on http://127.0.0.1:").then_some(())
        });
        self.server = Some(server);
    }

    pub(crate) fn stop(&mut self) {
        drop(self.server.take().unwrap());
    }

    /// Takes the queue away, or brings it back: without it a message is stored, not routed, and answered with 500.
    pub(crate) fn queue(&self, is_there: bool) {
        let down = self.folder.join("queue-down");
        if is_there { fs::remove_file(down).unwrap() } else { fs::write(down, "").unwrap() }
    }

    /// The ids of what was routed, once there are at least `count` of them.
    pub(crate) fn routed_ids(&self, count: usize) -> Vec<String> {
        eventually(format_args!("{count} routed messages"), || {
            let lines = fs::read_to_string(self.folder.join("routes.jsonl")).unwrap_or_default();
            let routed = lines.lines().filter_map(|line| serde_json::from_str::<Routed>(line).ok());
            let ids: Vec<String> = routed.map(|routed| routed.message_id).collect();
            (ids.len() >= count).then_some(ids)
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// What was stored and routed, once there are at least `count` of them and nothing is left to route.
    pub(crate) fn routed(&self, count: usize) -> Vec<Routed> {
        eventually(format_args!("{count} routed messages"), || {
            let lines = fs::read_to_string(self.folder.join("routes.jsonl")).unwrap_or_default();
            let routed: Vec<Routed> =
                lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
            (routed.len() >= count && routed.len() == self.records()).then_some(routed)
        })
    }

    /// How many records there are.
    pub(crate) fn records(&self) -> usize {
        let records: Vec<serde_json::Value> = serde_json::from_slice(&self.get("/records")).unwrap();
        records.len()
    }

    /// How many times something was posted, stored or not.
    pub(crate) fn posts(&self) -> usize {
        fs::read_to_string(self.folder.join("app.log")).unwrap().matches("Started POST ").count()
    }

    /// The bytes of a record as they are stored.
    pub(crate) fn stored(&self, id: u64) -> Vec<u8> {
        self.get(&format!("/records/{id}"))
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port.number())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = memchr::memmem::find(&answer, b"\r\n\r\n").unwrap() + 4;
        assert!(answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"), "{path}");
        answer.split_off(end)
    }
}
