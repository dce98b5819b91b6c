//! `ingress try`, and the other words of an operator.

use crate::run::{Ended, Ingress};
use crate::setting::{MESSAGE, Setting, message_of};

const VERSION: &str = concat!("ingress ", env!("CARGO_PKG_VERSION"), "\n");
const BOUNCED: &str = "65: the mail server bounces the message to its sender";
const KEPT: &str = "75: the mail server keeps the message and tries again";

/// A rehearsal's report, its port and the program's version blanked.
#[track_caller]
fn report(ended: &Ended) -> String {
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    let (before, after) = ended.stdout.split_once("http://127.0.0.1:").unwrap();
    let port: String = after.chars().take_while(char::is_ascii_digit).collect();
    format!("{before}http://127.0.0.1:{after}")
        .replace(&port, "PORT")
        .replace(VERSION.trim_end(), "ingress VERSION")
        .replace(&format!("ingress/{}", env!("CARGO_PKG_VERSION")), "ingress/VERSION")
}

fn rehearse(words: &[&str]) -> Ingress {
    Ingress::new().args(["try"]).args(words)
}

#[test]
fn a_report_shows_what_was_sent_and_what_became_of_it() {
    let ended = rehearse(&["-", "-r", "support@example.com", "-f", "s@example.org"]).stdin(MESSAGE).run();
    assert_eq!(
        report(&ended),
        "Message    standard input, 202 bytes\n\
         Envelope   from s@example.org to support@example.com\n\
         Sent to    http://127.0.0.1:PORT, a stand-in for Chatwoot\n\
         \n\
         Received   202 bytes\n\
         \n\
         \x20   POST /rails/action_mailbox/relay/inbound_emails HTTP/1.1\n\
         \x20   content-type: message/rfc822\n\
         \x20   content-length: 202\n\
         \x20   authorization: Basic (hidden)\n\
         \x20   accept: */*\n\
         \x20   user-agent: ingress/VERSION\n\
         \x20   host: 127.0.0.1:PORT\n\
         \n\
         \x20   From: Ann <a@example.org>\n\
         \x20   To: support@example.com\n\
         \x20   Subject: hi\n\
         \x20   Date: Thu, 01 Jan 2026 10:00:00 +0000\n\
         \x20   Message-ID: <1@example.org>\n\
         \x20   MIME-Version: 1.0\n\
         \x20   Content-Type: text/plain; charset=utf-8\n\
         \n\
         \x20   hello\n\
         \n\
         Repairs    none needed\n\
         Answer     204\n\
         Output     none\n\
         Exit       0: the mail server counts the message as delivered\n"
    );
}

#[test]
fn the_sample_is_delivered_and_shown() {
    let shown = report(&rehearse(&[]).run());
    assert!(shown.starts_with("Message    the built-in sample, "), "{shown}");
    assert!(shown.contains(" to reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com\n"), "{shown}");
    let end =
        "Answer     204\nOutput     none\nExit       0: the mail server counts the message as delivered\n";
    assert!(shown.ends_with(end) && !shown.contains("Repairs    none"), "{shown}");
}

/// A script whose standard input is an idle pipe.
#[test]
fn the_sample_is_taken_when_nothing_comes() {
    let shown = report(&rehearse(&[]).stdin_open("").run());
    assert!(shown.starts_with("Message    the built-in sample, "), "{shown}");
}

#[test]
fn a_file_and_standard_input_are_delivered() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    setting.write("message.eml", MESSAGE, 0o644);
    let path = setting.shown("message.eml");
    let of_file = report(&rehearse(&[&path]).run());
    assert!(of_file.starts_with(&format!("Message    {path}, 202 bytes\n")), "{of_file}");
    for words in [&["-"][..], &[]] {
        let of_stdin = report(&rehearse(words).stdin(MESSAGE).run());
        assert_eq!(of_stdin, of_file.replace(&path, "standard input"));
    }
}

#[test]
fn a_message_that_is_too_long_to_show_is_shown_in_part() {
    let shown = report(&rehearse(&["-"]).stdin(message_of(100_000)).run());
    assert!(shown.contains(" more lines)\n") && shown.lines().count() < 60, "{shown}");
}

#[test]
fn every_failure_can_be_rehearsed() {
    for (answer, received, line, exit) in [
        ("413", "413", "5.3.4 The message is too large", BOUNCED),
        ("401", "401", "4.7.0 Chatwoot refused the mail gateway", KEPT),
        ("404", "404", "4.3.5 Chatwoot is not set up to take the message", KEPT),
        ("301", "301", "4.3.5 Chatwoot is not set up to take the message", KEPT),
        ("503", "503", "4.3.2 Chatwoot takes no messages at present", KEPT),
        ("reset", "none: ", "4.4.2 The connection to Chatwoot was lost", KEPT),
        ("hang", "none: ", "4.4.7 Chatwoot did not answer in time", KEPT),
    ] {
        let shown = report(&rehearse(&["--answer", answer]).run());
        assert!(shown.contains(&format!("\nAnswer     {received}")), "{answer}: {shown}");
        assert!(
            shown.contains(&format!("\nOutput     {line}\nExit       {exit}\nRemedy     ")),
            "{answer}: {shown}"
        );
    }
}

#[test]
fn several_recipients_are_several_deliveries() {
    let shown = report(
        &rehearse(&["-", "-r", "a@example.com", "-r", "b@example.com", "-r", "x y"]).stdin(MESSAGE).run(),
    );
    assert!(shown.contains("to a@example.com, b@example.com\n"), "{shown}");
    assert!(shown.contains("Ignored    -r x y is no address\n"), "{shown}");
    assert_eq!(shown.matches("Received   ").count(), 2, "{shown}");
}

#[test]
fn a_rehearsal_takes_repairs_and_limits_from_a_named_file_and_never_its_url() {
    let setting = Setting::new("https://chat.name.invalid", "on_too_large = \"defer\"");
    let shown = report(&rehearse(&["-c", &setting.shown("ingress.toml"), "--answer", "413"]).run());
    assert!(shown.contains("\nOutput     4.3.4 The message is too large at present\n"), "{shown}");
    let setting = Setting::new("https://chat.name.invalid", "max_size = \"10\"");
    let run = rehearse(&["-c", &setting.shown("ingress.toml"), "-"]).stdin(MESSAGE);
    run.run().assert(
        65,
        "",
        &format!(
            "ingress: cannot read standard input: the message has {} bytes, max_size is 10\n",
            MESSAGE.len()
        ),
    );
    assert_eq!(setting.log(), "", "a rehearsal is no delivery");
}

#[test]
fn what_cannot_be_rehearsed_is_said_on_stderr() {
    let missing = "no such file or directory";
    rehearse(&["/nonexistent.eml"]).run().assert(
        65,
        "",
        &format!("ingress: cannot read /nonexistent.eml: {missing}\n"),
    );
    rehearse(&["/"]).run().assert(
        65,
        "",
        "ingress: cannot read /: cannot read standard input: Is a directory (os error 21)\n",
    );
    rehearse(&["-c", "/nonexistent.toml"]).run().assert(
        78,
        "",
        &format!("ingress: cannot read /nonexistent.toml: {missing}\n"),
    );
    rehearse(&["-"]).stdin("no header\n").run().assert(
        65,
        "",
        "ingress: standard input: no header field in it\n",
    );
    rehearse(&["-"]).stdin("").run().assert(
        65,
        "",
        "ingress: cannot read standard input: standard input ended without a byte\n",
    );
}

#[test]
fn an_operator_s_misuse_is_64_and_says_how_it_is_meant() {
    for (words, complaint) in [
        (
            &["try", "--answer", "nonsense"][..],
            "error: invalid value 'nonsense' for '--answer <ANSWER>': must be an HTTP status from 200 to 599, hang, or reset\n",
        ),
        (
            &["try", "--answer", "700"],
            "error: invalid value '700' for '--answer <ANSWER>': must be an HTTP status from 200 to 599, hang, or reset\n",
        ),
        (&["try", "--answer"], "error: a value is required for '--answer <ANSWER>' but none was supplied\n"),
        (&["try", "--unknown"], "error: unexpected argument '--unknown' found\n"),
        (&["try", "a.eml", "b.eml"], "error: unexpected argument 'b.eml' found\n"),
        (&["-v", "try", "--unknown"], "error: unexpected argument '--unknown' found\n"),
        (&["completions"], "error: the following required arguments were not provided:\n  <SHELL>\n"),
        (&["completions", "tcsh"], "error: invalid value 'tcsh' for '<SHELL>'\n"),
    ] {
        let ended = Ingress::new().args(words).run();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(64), ""), "{words:?}");
        assert!(ended.stderr.starts_with(complaint), "{words:?}: {}", ended.stderr);
        assert!(
            ended.stderr.ends_with("For more information, try '--help'.\n"),
            "{words:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    Ingress::new().args(["--version"]).run().assert(0, VERSION, "");
    Ingress::new().args(["-V"]).run().assert(0, VERSION, "");
    for (words, pieces) in [
        (&["--help"][..], &["Usage: ingress [OPTIONS]", "--recipient <ADDR>", "Examples:\n"][..]),
        (&["-h"], &["Usage: ingress [OPTIONS]", "Examples:\n"]),
        (&["try", "--help"], &["Usage: ingress try [OPTIONS] [FILE]", "--answer <ANSWER>"]),
        (&["--help", "--unknown"], &["Usage: ingress [OPTIONS]"]),
    ] {
        let ended = Ingress::new().args(words).run();
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{words:?}");
        for piece in pieces {
            assert!(ended.stdout.contains(piece), "{words:?}: {}", ended.stdout);
        }
        assert!(!ended.stdout.contains("--password "), "no option takes a password");
    }
}

#[test]
fn completions_are_for_a_shell_each() {
    for (shell, piece) in [
        ("bash", "complete -F _ingress"),
        ("zsh", "#compdef ingress"),
        ("fish", "complete -c ingress"),
        ("elvish", "set edit:completion:arg-completer[ingress]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let ended = Ingress::new().args(["completions", shell]).run();
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(ended.stdout.contains(piece), "{shell}: {}", ended.stdout);
    }
}

#[test]
fn what_cannot_be_written_is_74() {
    let message = "tests/mail/d2-unquoted-colon.eml";
    let full = "ingress: cannot write to standard output: no space left on device\n";
    for words in [
        &["--help"][..],
        &["--version"],
        &["completions", "zsh"],
        &["try"],
        &["setup"],
        &["explain", message],
        &["explain", "--raw", message],
        &["import", "--dry-run", message],
    ] {
        Ingress::new().args(words).after("", ">/dev/full").run().assert(74, "", full);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        Ingress::new().args(words).stdout_to(writer).run().assert(74, "", "");
    }
}
