//! The laws: whatever goes wrong, one line, 75, and the input read to its end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;

use crate::server::{Manner, Server};
use crate::setting::{MESSAGE, PASSWORD, Setting};
use crate::support::{Ingress, binary, eventually};

const MISCONFIGURED: &str = "4.3.5 The mail gateway is misconfigured";
const GATEWAY_FAILED: &str = "4.3.0 The mail gateway failed";

/// More than a pipe holds: a writer gets EPIPE when it is not read to its end.
fn long_message() -> String {
    format!("{MESSAGE}{}", "a line of text\n".repeat(350_000))
}

#[test]
fn a_wrong_command_line_keeps_the_message() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    let log = setting.shown("usage.log");
    for words in [
        &["--unknown"][..],
        &["-x"],
        &["--recipient"],
        &["-r"],
        &["-c"],
        &["--url"],
        &["tyr"],
        &["--url=a", "--url=b"],
        &["--verbose=yes"],
    ] {
        let run = Ingress::new([]).args(words).env("INGRESS_LOG", &log).stdin(long_message());
        run.run().assert_failed(75, MISCONFIGURED);
    }
    let logged = fs::read_to_string(&log).unwrap();
    assert_eq!(logged.lines().count(), 9, "{logged}");
    assert!(
        logged.contains("unexpected argument '--unknown' found")
            && logged.contains("tyr is neither a command nor an address"),
        "{logged}"
    );
}

#[test]
fn a_broken_configuration_keeps_the_message_and_is_named_by_line_and_key() {
    for (text, cause) in [
        ("url = \"https://x\"\npasword = \"hush\"\n", "ingress.toml:2: unknown key pasword"),
        ("password = hush\n", "ingress.toml:1: password: is not valid TOML"),
        ("timeout = 5\n", "ingress.toml:1: timeout: must be text in quotes"),
        ("url = \"https://x\"\n", "no password is set"),
        ("password = \"hush\"\n", "no URL of Chatwoot is set"),
        ("url = \"http://chat.example.com\"\npassword = \"hush\"\n", "would send the password in clear"),
        ("\0\u{1}", "is not valid TOML"),
    ] {
        let setting = Setting::new("http://127.0.0.1:1", "");
        setting.write("broken/ingress.toml".trim_start_matches("broken/"), text, 0o600);
        let log = setting.shown("ingress.log");
        setting.ingress(&["--log", &log]).stdin(long_message()).run().assert_failed(75, MISCONFIGURED);
        let line = setting.failure_logged();
        assert!(line.contains(cause) && !line.contains("hush"), "{cause}: {line}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_keeps_the_message() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    let log = setting.shown("ingress.log");
    for path in ["/nonexistent/ingress.toml", "/", "/dev/full/x"] {
        Ingress::new(["-c", path, "--log", &log]).stdin(MESSAGE).run().assert_failed(75, MISCONFIGURED);
    }
    let binary_file = setting.shown("latin1.toml");
    fs::write(&binary_file, b"url = \"\xe4\"").unwrap();
    Ingress::new(["-c", &binary_file, "--log", &log]).stdin(MESSAGE).run().assert_failed(75, MISCONFIGURED);
    assert_eq!(setting.log().lines().count(), 4);
}

#[test]
fn a_password_file_must_be_there_private_and_one_line() {
    for (mode, text, cause) in [
        (0o644, "hush\n", "others can read it"),
        (0o600, "", "the password is empty"),
        (0o600, "\n", "the password is empty"),
        (0o600, "hush\nhush\n", "must be one line"),
    ] {
        let setting = Setting::new("http://127.0.0.1:1", "");
        setting.write("password", text, mode);
        setting
            .ingress(&["--password-file", &setting.shown("password")])
            .run()
            .assert_failed(75, MISCONFIGURED);
        let line = setting.failure_logged();
        assert!(line.contains(cause) && !line.contains("hush"), "{line}");
    }
    let setting = Setting::new("http://127.0.0.1:1", "");
    setting.ingress(&["--password-file", "/nonexistent"]).run().assert_failed(75, MISCONFIGURED);
    assert!(setting.failure_logged().contains("cannot read /nonexistent: no such file or directory"));
}

#[test]
fn a_configuration_with_a_password_that_others_can_read_is_refused() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    fs::set_permissions(setting.path("ingress.toml"), fs::Permissions::from_mode(0o644)).unwrap();
    let log = setting.shown("ingress.log");
    setting.ingress(&["--log", &log]).run().assert_failed(75, MISCONFIGURED);
    assert!(setting.failure_logged().contains("others can read it: chmod o-rwx"));
}

#[test]
fn a_panic_keeps_the_message() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    setting.ingress(&[]).env("INGRESS_TEST_PANIC", "1").run().assert_failed(75, GATEWAY_FAILED);
    assert!(setting.failure_logged().contains("provoked by INGRESS_TEST_PANIC"));
}

#[test]
fn stdout_that_cannot_be_written_to_changes_nothing() {
    let server = Server::start(Manner::Answer(204));
    for redirection in [">&-", ">/dev/full", ">&- 2>&-"] {
        let setting = Setting::new(&server.url(), "");
        setting.ingress(&[]).under(&format!("exec \"$@\" {redirection}")).run().assert_delivered();
        let setting = Setting::new("http://127.0.0.1:1", "");
        let ended = setting.ingress(&[]).under(&format!("exec \"$@\" {redirection}")).run();
        assert_eq!(
            (ended.status, ended.stdout.as_str(), ended.stderr.as_str()),
            (Some(75), "", ""),
            "{redirection}"
        );
    }
}

#[test]
fn stdin_that_cannot_be_read_keeps_the_message() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    for (redirection, line) in [
        ("<&-", "4.3.0 No message was received"),
        ("</", GATEWAY_FAILED),
        ("</dev/null", "4.3.0 No message was received"),
    ] {
        setting
            .ingress(&[])
            .stdin("")
            .under(&format!("exec \"$@\" {redirection}"))
            .run()
            .assert_failed(75, line);
    }
}

#[test]
fn every_signal_that_can_be_caught_keeps_the_message() {
    let server = Server::start(Manner::Hang);
    for signal in
        ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "XCPU", "VTALRM", "PROF", "SYS", "TRAP"]
    {
        let setting = Setting::new(&server.url(), "");
        let before = server.requests().len();
        let ended = signalled(&setting, signal, || (server.requests().len() > before).then_some(()));
        assert_eq!(ended, (Some(75), "4.3.0 The mail gateway was interrupted\n".to_owned()), "{signal}");
        assert!(setting.failure_logged().contains(&format!("stopped by SIG{signal}")));
    }
    let setting = Setting::new(&server.url(), "");
    let before = server.requests().len();
    let (status, _) = signalled(&setting, "ABRT", || (server.requests().len() > before).then_some(()));
    assert_eq!(status, Some(75));
}

#[test]
fn a_signal_while_the_message_comes_keeps_it() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    // The log's file tells that the program is up and reads.
    let log = setting.path("ingress.log");
    let ended = signalled(&setting, "TERM", || log.exists().then_some(()));
    assert_eq!(ended, (Some(75), "4.3.0 The mail gateway was interrupted\n".to_owned()));
}

/// Starts a delivery whose input stays open unless the server has it all, sends the signal once `ready`, and gives status and output.
fn signalled(setting: &Setting, signal: &str, ready: impl FnMut() -> Option<()>) -> (Option<i32>, String) {
    let mut command = Command::new(binary());
    command.env_clear().args(["-c", &setting.shown("ingress.toml")]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, MESSAGE.as_bytes()).unwrap();
    let waits_for_server =
        !fs::read_to_string(setting.path("ingress.toml")).unwrap().contains("127.0.0.1:1\"");
    let open = (!waits_for_server).then_some(input);
    eventually("the delivery to be under way", ready);
    let pid = child.id().to_string();
    assert!(Command::new("/bin/kill").args(["-s", signal, &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    drop(open);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_broken_pipe_signal_is_no_reason_to_stop() {
    let server = Server::start(Manner::Hang);
    let setting = Setting::new(&server.url(), "timeout = \"900ms\"");
    let (status, line) = signalled(&setting, "PIPE", || (!server.requests().is_empty()).then_some(()));
    assert_eq!((status, line.as_str()), (Some(75), "4.4.7 Chatwoot did not answer in time\n"));
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    let fifo = setting.shown("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    for log in ["/nonexistent/ingress.log", "/", "/dev/full", &fifo, "syslog", "off"] {
        setting.ingress(&["--log", log]).run().assert_delivered();
    }
    assert_eq!(server.requests().len(), 6);
}

#[test]
fn a_password_file_that_nobody_writes_to_does_not_hang() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    let fifo = setting.shown("fifo");
    assert!(Command::new("mkfifo").args(["-m", "600", &fifo]).status().unwrap().success());
    setting.ingress(&["--password-file", &fifo]).run().assert_failed(75, MISCONFIGURED);
}

#[test]
fn an_empty_environment_and_an_odd_one_are_enough() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_delivered();
    setting.ingress(&[]).env("HOME", "").env("PATH", "").run().assert_delivered();
    setting
        .ingress(&[])
        .env("HOME", "/root/nonexistent")
        .env("XDG_CONFIG_HOME", "relative")
        .run()
        .assert_delivered();
    setting.ingress(&[]).under("umask 077; cd /proc; exec \"$@\"").run().assert_delivered();
}

#[test]
fn a_log_file_is_made_for_its_owner_alone() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.ingress(&[]).under("umask 000; exec \"$@\"").run().assert_delivered();
    assert_eq!(fs::metadata(setting.path("ingress.log")).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_hundred_copies_at_once_are_a_hundred_deliveries() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    thread::scope(|scope| {
        for _ in 0..100 {
            scope.spawn(|| setting.run().assert_delivered());
        }
    });
    assert_eq!(server.requests().len(), 100);
    let log = setting.log();
    assert_eq!(
        log.lines()
            .filter(|line| line.contains("outcome=delivered") && line.ends_with(|c: char| c.is_ascii_digit()))
            .count(),
        100
    );
    assert!(!log.contains(PASSWORD));
}

#[test]
fn what_is_too_large_is_read_to_its_end() {
    let setting = Setting::new("http://127.0.0.1:1", "max_size = \"1KiB\"");
    setting.ingress(&[]).stdin(long_message()).run().assert_failed(65, "5.3.4 The message is too large");
}
