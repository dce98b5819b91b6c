//! `ingress try`, and the other words of an operator.

use crate::setting::{MESSAGE, Setting};
use crate::support::{Ended, Ingress};

fn output(ended: &Ended) -> &str {
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
    &ended.stdout
}

#[test]
fn the_sample_is_delivered_and_shown() {
    let ended = Ingress::new(["try"]).run();
    let text = output(&ended);
    for piece in [
        "Message    the built-in sample, ",
        "POST /rails/action_mailbox/relay/inbound_emails HTTP/1.1\n",
        "authorization: Basic (hidden)\n",
        "Repairs    ",
        "Answer     204\nOutput     none\nExit       0: the mail server counts the message as delivered\n",
    ] {
        assert!(text.contains(piece), "{piece:?} in {text}");
    }
    assert!(!text.contains("rehearsal"), "{text}");
}

#[test]
fn a_file_and_standard_input_are_delivered() {
    let setting = Setting::new("http://127.0.0.1:1", "");
    setting.write("message.eml", MESSAGE, 0o644);
    let path = setting.shown("message.eml");
    let ended = Ingress::new(["try", &path]).run();
    assert!(output(&ended).starts_with(&format!("Message    {path}, ")));
    for words in [&["try", "-"][..], &["try"]] {
        let ended = Ingress::new([]).args(words).stdin(MESSAGE).run();
        assert!(output(&ended).starts_with("Message    standard input, "));
        assert!(output(&ended).contains("Repairs    none needed\n"));
    }
}

#[test]
fn every_failure_can_be_rehearsed() {
    for (answer, line, exit) in [
        ("413", "5.3.4 The message is too large", "65: the mail server bounces the message to its sender"),
        (
            "401",
            "4.7.0 Chatwoot refused the mail gateway",
            "75: the mail server keeps the message and tries again",
        ),
        (
            "503",
            "4.3.2 Chatwoot takes no messages at present",
            "75: the mail server keeps the message and tries again",
        ),
        (
            "reset",
            "4.4.2 The connection to Chatwoot was lost",
            "75: the mail server keeps the message and tries again",
        ),
        (
            "hang",
            "4.4.7 Chatwoot did not answer in time",
            "75: the mail server keeps the message and tries again",
        ),
    ] {
        let ended = Ingress::new(["try", "--answer", answer]).run();
        let text = output(&ended);
        assert!(
            text.contains(&format!("Output     {line}\nExit       {exit}\nRemedy     ")),
            "{answer}: {text}"
        );
    }
}

#[test]
fn a_rehearsal_takes_repairs_and_limits_from_a_named_file() {
    let setting = Setting::new("https://chat.example.com", "max_size = \"10\"");
    let ended = Ingress::new(["try", "-c", &setting.shown("ingress.toml"), "-"]).stdin(MESSAGE).run();
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(65), ""));
    assert_eq!(
        ended.stderr,
        format!(
            "ingress: cannot read standard input: the message has {} bytes, max_size is 10\n",
            MESSAGE.len()
        )
    );
}

#[test]
fn what_cannot_be_rehearsed_is_said_on_stderr() {
    let fails = |words: &[&str], status: i32, stderr: &str| {
        let ended = Ingress::new([]).args(words).run();
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(status), ""), "{words:?}");
        assert!(ended.stderr.starts_with(stderr), "{words:?}: {}", ended.stderr);
    };
    fails(
        &["try", "/nonexistent.eml"],
        65,
        "ingress: cannot read /nonexistent.eml: no such file or directory\n",
    );
    fails(
        &["try", "-c", "/nonexistent.toml"],
        78,
        "ingress: cannot read /nonexistent.toml: no such file or directory\n",
    );
    fails(&["try", "--answer", "maybe"], 64, "error: invalid value 'maybe' for '--answer <ANSWER>'");
    fails(&["try", "--unknown"], 64, "error: unexpected argument '--unknown' found");
    fails(&["completions", "tcsh"], 64, "error: invalid value 'tcsh'");
    let ended = Ingress::new(["try", "-"]).stdin("no header\n").run();
    assert_eq!(
        (ended.status, ended.stderr.as_str()),
        (Some(65), "ingress: standard input: no header field in it\n")
    );
}

#[test]
fn help_version_and_completions_go_to_stdout() {
    assert_eq!(
        output(&Ingress::new(["--version"]).run()),
        concat!("ingress ", env!("CARGO_PKG_VERSION"), "\n")
    );
    assert!(output(&Ingress::new(["--help"]).run()).contains("Usage: ingress"));
    assert!(output(&Ingress::new(["try", "--help"]).run()).contains("--answer"));
    for shell in ["bash", "zsh", "fish"] {
        assert!(output(&Ingress::new(["completions", shell]).run()).contains("ingress"));
    }
}
