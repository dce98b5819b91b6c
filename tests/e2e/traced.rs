//! What the kernel sees of a delivery: the password is in no argument, and in no write but the request.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::support::action_mailbox::ActionMailbox;
use crate::support::folder::{Folder, PASSWORD};

const MESSAGE: &[u8] = include_bytes!("../../examples/messages/reply.eml");

#[test]
fn the_password_is_written_in_the_request_alone() {
    let folder = Folder::new();
    let server = ActionMailbox::start(folder.path());
    folder.configure(&server.url(), PASSWORD);
    let trace = folder.join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-s", "100000", "-e", "trace=%file,%network,write,writev,pwrite64,pwritev"]);
    command.arg("-o").arg(&trace).arg(folder.join("ingress")).args([
        "-v",
        "-c",
        &folder.shown("ingress.toml"),
    ]);
    let mut child = command.env_clear().stdin(Stdio::piped()).spawn().expect("strace");
    child.stdin.take().unwrap().write_all(MESSAGE).unwrap();
    assert!(child.wait().unwrap().success());
    let trace = std::fs::read_to_string(trace).unwrap();
    let basic = STANDARD.encode(format!("actionmailbox:{PASSWORD}"));
    let telling: Vec<&str> =
        trace.lines().filter(|line| line.contains(&basic) || line.contains(PASSWORD)).collect();
    assert_eq!(telling.len(), 1, "{telling:#?}");
    assert!(telling[0].contains("POST /rails/action_mailbox/relay/inbound_emails"), "{}", telling[0]);
    assert!(trace.contains("execve(") && trace.contains("ingress.log"), "{trace}");
    assert_eq!(server.routed(1).len(), 1);
}
