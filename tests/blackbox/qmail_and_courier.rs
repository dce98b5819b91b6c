//! qmail and Courier by their measured environment and exit statuses (notqmail 1.09, Courier 1.0.16): the instruction that
//! `ingress setup` prints, run as they run it.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::run::{Ended, Ingress, binary};
use crate::server::Server;
use crate::setting::{CANNOT_BE_REACHED, MESSAGE, MISCONFIGURED, NOBODY, Setting, TOO_LARGE};

/// What an exit status means to a mail server.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Kept,
    Returned,
}

fn in_qmail(status: i32) -> Fate {
    match status {
        0 | 99 => Fate::Delivered,
        64 | 65 | 70 | 76 | 77 | 78 | 100 | 112 => Fate::Returned,
        _ => Fate::Kept,
    }
}

fn in_courier(status: i32) -> Fate {
    match status {
        67..=69 => Fate::Returned,
        other => in_qmail(other),
    }
}

type Variables<'a> = Vec<(&'a str, String)>;

/// The variables of qmail-local under a virtual domain that belongs to the account `ingress`.
fn qmail(sender: &str, local: &str, host: &str) -> Variables<'static> {
    let prefixed = format!("ingress-{local}");
    vec![
        ("SENDER", sender.to_owned()),
        ("NEWSENDER", sender.to_owned()),
        ("RECIPIENT", format!("{prefixed}@{host}")),
        ("USER", "ingress".to_owned()),
        ("HOME", "/".to_owned()),
        ("LOCAL", prefixed.clone()),
        ("HOST", host.to_owned()),
        ("HOST2", host.rsplit_once('.').map_or(host, |(front, _)| front).to_owned()),
        ("EXT", local.to_owned()),
        ("EXT2", local.split_once('-').map_or("", |(_, rest)| rest).to_owned()),
        ("DEFAULT", local.to_owned()),
        ("DTLINE", format!("Delivered-To: {prefixed}@{host}\n")),
        ("RPLINE", format!("Return-Path: <{sender}>\n")),
        ("UFLINE", format!("From {} Mon Nov 23 10:00:00 2026\n", sender.replace(' ', "-"))),
        ("PATH", "/usr/bin:/bin".to_owned()),
    ]
}

/// Those of Courier: its own host name stands in the place of the domain.
fn courier(sender: &str, extension: &str) -> Variables<'static> {
    qmail(sender, extension, "mx.example.net")
}

/// The one instruction in the file of a caller's page.
fn instruction(setting: &Setting, caller: &str, file: &str) -> String {
    let folder = setting.shown(caller);
    if !Path::new(&folder).exists() {
        let setup = ["setup", caller, "--domain", "reply.example.com", "--inbox", "support@example.com"];
        let place = ["--binary", &binary(), "-c", &setting.shown("ingress.toml"), "--write", &folder];
        Ingress::new().args(setup).args(place).output();
    }
    let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let line = text.strip_prefix('|').unwrap().trim_end().to_owned();
    assert!(!line.contains('\n'), "one instruction: {text}");
    line
}

/// Runs a command by the shell, in the account's home, with the file of the queue as standard input.
fn run(setting: &Setting, command: &str, variables: &Variables<'_>, message: &str) -> Ended {
    setting.write("message", message, 0o644);
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("umask 077; {command}")])
        .env_clear()
        .env("INGRESS_STATE_DIR", setting.path("state"))
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir(setting.path(""))
        .stdin(Stdio::from(File::open(setting.path("message")).unwrap()))
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { status: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

fn run_by_qmail(setting: &Setting, variables: &Variables<'_>, message: &str) -> Ended {
    run(setting, &instruction(setting, "qmail", "dot-qmail-default"), variables, message)
}

fn run_by_courier(setting: &Setting, variables: &Variables<'_>, message: &str) -> Ended {
    run(setting, &instruction(setting, "courier", "dot-courier-default"), variables, message)
}

const REPLY: &str = "reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f";
const SENDER: &str = "customer@example.org";

/// A message that names none of the recipients.
fn elsewhere() -> String {
    MESSAGE.replace("support@example.com", "else@example.net")
}

/// The recipients that were written into the message.
#[track_caller]
fn recipients(server: &Server) -> Vec<String> {
    let text = String::from_utf8(server.request().body).unwrap();
    let (header, _) = text.split_once("\r\n\r\n").unwrap();
    let original_to = header.split("\r\n").filter_map(|line| line.strip_prefix("X-Original-To: "));
    original_to.map(str::to_owned).collect()
}

#[test]
fn each_outcome_means_the_same_to_both() {
    let rejecting = Server::answering(413);
    let failing = Server::answering(500);
    let taking = Server::answering(204);
    for (url, more, line, fate) in [
        (taking.url(), "", "", Fate::Delivered),
        (rejecting.url(), "", TOO_LARGE, Fate::Returned),
        (taking.url(), "max_size = \"100B\"", TOO_LARGE, Fate::Returned),
        (failing.url(), "", "4.3.0 Chatwoot failed to take the message", Fate::Kept),
        (NOBODY.to_owned(), "", CANNOT_BE_REACHED, Fate::Kept),
        (taking.url(), "max_size = \"a lot\"", MISCONFIGURED, Fate::Kept),
        (taking.url(), "unknown = 1", MISCONFIGURED, Fate::Kept),
    ] {
        let setting = Setting::new(&url, more);
        let printed = if line.is_empty() { String::new() } else { format!("{line}\n") };
        let by_qmail = run_by_qmail(&setting, &qmail(SENDER, REPLY, "reply.example.com"), MESSAGE);
        let by_courier = run_by_courier(&setting, &courier(SENDER, REPLY), MESSAGE);
        assert_eq!(in_qmail(by_qmail.status.unwrap()), fate, "{line}");
        assert_eq!(in_courier(by_courier.status.unwrap()), fate, "{line}");
        for ended in [by_qmail, by_courier] {
            assert_eq!((ended.stdout, ended.stderr), (printed.clone(), String::new()));
        }
    }
}

#[test]
fn a_missing_binary_and_a_killed_run_keep_the_message() {
    let setting = Setting::new(NOBODY, "");
    for spoilt in ["/nonexistent/ingress", "kill -KILL $$;"] {
        let command = |line: String| line.replace(&binary(), spoilt);
        let by_qmail = command(instruction(&setting, "qmail", "dot-qmail-default"));
        let by_courier = command(instruction(&setting, "courier", "dot-courier-default"));
        let status =
            |command: String, variables| run(&setting, &command, &variables, MESSAGE).status.unwrap_or(111);
        assert_eq!(in_qmail(status(by_qmail, qmail(SENDER, REPLY, "reply.example.com"))), Fate::Kept);
        assert_eq!(in_courier(status(by_courier, courier(SENDER, REPLY))), Fate::Kept);
    }
}

#[test]
fn qmail_s_recipient_is_the_one_without_the_account_s_name() {
    for (local, host, recipient) in [
        (REPLY, "reply.example.com", format!("{REPLY}@reply.example.com")),
        ("support", "example.com", "support@example.com".to_owned()),
        ("Support+Tag", "example.com", "Support+Tag@example.com".to_owned()),
        (
            "REPLY+5F2B3C1E-8D4A-4B7E-9C60-1A2B3C4D5E6F",
            "REPLY.EXAMPLE.COM",
            "REPLY+5F2B3C1E-8D4A-4B7E-9C60-1A2B3C4D5E6F@REPLY.EXAMPLE.COM".to_owned(),
        ),
        ("-help", "example.com", "-help@example.com".to_owned()),
        ("--help", "example.com", "--help@example.com".to_owned()),
        ("o'brien", "example.com", "o'brien@example.com".to_owned()),
        ("ingress-support", "example.com", "ingress-support@example.com".to_owned()),
    ] {
        let server = Server::answering(204);
        let setting = Setting::new(&server.url(), "");
        run_by_qmail(&setting, &qmail(SENDER, local, host), &elsewhere()).assert_delivered();
        // The address of a conversation is written into To.
        let written = if local.to_lowercase() == REPLY { vec![] } else { vec![recipient.clone()] };
        assert_eq!(recipients(&server), written);
        assert!(setting.log().contains(&format!(" recipient={recipient} ")), "{}", setting.log());
    }
}

#[test]
fn a_recipient_with_a_quote_and_a_blank_delivers_without_being_written() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    run_by_qmail(&setting, &qmail(SENDER, "o'brien b", "example.com"), &elsewhere()).assert_delivered();
    assert_eq!(recipients(&server), [""; 0]);
}

#[test]
fn bounces_and_odd_senders_deliver() {
    for (sender, logged) in [
        ("", "<>"),
        ("#@[]", "<>"),
        ("-customer@example.org", "-customer@example.org"),
        ("\"o'brien b\"@example.org", "-"),
    ] {
        let server = Server::answering(204);
        let setting = Setting::new(&server.url(), "");
        run_by_qmail(&setting, &qmail(sender, "support", "example.com"), MESSAGE).assert_delivered();
        run_by_courier(&setting, &courier(sender, "support=example.com"), MESSAGE).assert_delivered();
        let log = setting.log();
        assert_eq!(log.matches(&format!(" sender={logged} ")).count(), 2, "{log}");
    }
}

#[test]
fn a_retry_of_the_whole_file_posts_the_same_bytes() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let variables = qmail(SENDER, "sales", "example.com");
    run_by_qmail(&setting, &variables, &elsewhere()).assert_delivered();
    run_by_qmail(&setting, &variables, &elsewhere()).assert_delivered();
    let bodies = server.bodies();
    assert!(bodies.len() == 2 && bodies[0] == bodies[1], "{bodies:?}");
}

#[test]
fn preline_s_fields_change_nothing_but_the_header_s_top() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let variables = qmail(SENDER, "sales", "example.com");
    let value = |name| &variables.iter().find(|(known, _)| *known == name).unwrap().1;
    let message = format!("{}{}{}{}", value("UFLINE"), value("RPLINE"), value("DTLINE"), elsewhere());
    run_by_qmail(&setting, &variables, &message).assert_delivered();
    assert_eq!(recipients(&server), ["sales@example.com"]);
}

#[test]
fn courier_s_recipient_has_the_domain_it_was_sent_to() {
    for (extension, recipient) in [
        (REPLY, format!("{REPLY}@reply.example.com")),
        ("support=example.com", "support@example.com".to_owned()),
        ("sales.eu=shop.example.com", "sales.eu@shop.example.com".to_owned()),
        ("a=b=example.com", "a=b@example.com".to_owned()),
        ("-help", "-help@reply.example.com".to_owned()),
    ] {
        let server = Server::answering(204);
        let setting = Setting::new(&server.url(), "");
        run_by_courier(&setting, &courier(SENDER, extension), &elsewhere()).assert_delivered();
        assert!(setting.log().contains(&format!(" recipient={recipient} ")), "{}", setting.log());
    }
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let bare = instruction(&setting, "qmail", "dot-qmail-default");
    run(&setting, &bare, &courier(SENDER, "support"), &elsewhere()).assert_delivered();
    assert_eq!(recipients(&server), ["support@mx.example.net"], "without -r it is Courier's own host");
}

#[test]
fn the_shell_takes_no_word_from_an_address() {
    for trick in ["$(touch caught)", "`touch caught`", "a\"; touch caught; \"", "a'; touch caught; '", "a b"]
    {
        for extension in [trick.to_owned(), format!("{trick}=example.com"), format!("a={trick}")] {
            let server = Server::answering(204);
            let setting = Setting::new(&server.url(), "");
            run_by_courier(&setting, &courier(SENDER, &extension), MESSAGE).assert_delivered();
            assert!(!setting.path("caught").exists(), "{extension}");
        }
    }
}
