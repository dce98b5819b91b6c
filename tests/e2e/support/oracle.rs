//! Ruby's mail gem and Chatwoot's routing rules as the judge of messages (`oracle.rb`).

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the judge says of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Verdict {
    /// `reply UUID`, `inbox ADDR`, `dropped`, `fails`, `refused`.
    pub(crate) route: String,
    /// Nothing when it is no list of addresses.
    pub(crate) to: Option<Vec<String>>,
    pub(crate) cc: Option<Vec<String>>,
    pub(crate) from: Option<String>,
    pub(crate) message_id_stable: bool,
    /// What Chatwoot would show.
    pub(crate) text: Option<String>,
    /// How many characters were lost on the way.
    pub(crate) replaced: u32,
    /// Names and SHA-256 of the decoded contents.
    pub(crate) attachments: Vec<(String, String)>,
    pub(crate) automatic: bool,
}

pub(crate) const INBOXES: [&str; 2] = ["support@example.com", "sales@example.com"];
pub(crate) const OWN_SENDER: &str = "noreply@example.com";

/// Judges messages with CRLF line ends, in one process.
pub(crate) fn judge(messages: &[Vec<u8>]) -> Vec<Verdict> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/support/oracle.rb");
    let mut command = Command::new("ruby");
    command.args(["-W0", script, &INBOXES.join(","), OWN_SENDER]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("ruby");
    let mut input = child.stdin.take().unwrap();
    let lines: String = messages
        .iter()
        .map(|bytes| serde_json::json!({ "name": "", "bytes": STANDARD.encode(bytes) }).to_string() + "\n")
        .collect();
    let writing = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writing.join().unwrap().unwrap();
    assert!(output.status.success(), "the oracle failed");
    let verdicts = String::from_utf8(output.stdout).unwrap();
    let verdicts: Vec<Verdict> = verdicts.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(verdicts.len(), messages.len());
    verdicts
}
