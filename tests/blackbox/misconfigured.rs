//! Whatever is wrong with the command line, the configuration or the password: the message is read to its end and kept, and the
//! log says what to correct.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use crate::run::Ingress;
use crate::setting::{MISCONFIGURED, NOBODY, Setting, message_of};

/// More than a pipe holds: a writer gets EPIPE when it is not read to its end.
const LONG: usize = 5_000_000;

/// A delivery of a long message without any configuration, its log in the setting's folder.
fn logging_only(setting: &Setting) -> Ingress {
    Ingress::new().env("INGRESS_LOG", setting.path("ingress.log")).stdin(message_of(LONG))
}

/// Asserts the whole line of the log.
#[track_caller]
fn assert_logged(setting: &Setting, cause: &str) {
    let cause = cause.replace('"', "\\\"");
    assert_eq!(
        setting.logged(),
        [format!(
            "WARN outcome=deferred code=4.3.5 exit=75 ms=_ cause=\"{cause}\" \
             remedy=\"correct what the cause names, then let the mail server try again\""
        )]
    );
}

#[test]
fn a_wrong_command_line_keeps_the_message() {
    let value_missing = |option: &str| format!("a value is required for '{option}' but none was supplied");
    for (words, cause) in [
        (&["--unknown"][..], "unexpected argument '--unknown' found".to_owned()),
        (&["-x"], "unexpected argument '-x' found".to_owned()),
        (&["--recipient"], value_missing("--recipient <ADDR>")),
        (&["-r"], value_missing("--recipient <ADDR>")),
        (&["-f"], value_missing("--sender <ADDR>")),
        (&["-c"], value_missing("--config <FILE>")),
        (&["--url"], value_missing("--url <URL>")),
        (&["tyr"], "tyr is neither a command nor an address".to_owned()),
        (&["-r", "a@example.com", "b"], "b is neither a command nor an address".to_owned()),
        (&["--url=a", "--url=b"], "the argument '--url <URL>' cannot be used multiple times".to_owned()),
        (
            &["--verbose=yes"],
            "unexpected value 'yes' for '--verbose' found; no more were expected".to_owned(),
        ),
        (&["--help=yes"], "unexpected value 'yes' for '--help' found; no more were expected".to_owned()),
    ] {
        let setting = Setting::new(NOBODY, "");
        logging_only(&setting).args(words).run().assert_deferred(MISCONFIGURED);
        assert_logged(&setting, &cause);
    }
}

#[test]
fn words_that_are_not_utf_8_keep_the_message() {
    for words in [&[&b"--url"[..], b"http://\xff"][..], &[b"--\xff"], &[b"\xff"], &[b"--log", b"\xff"]] {
        let setting = Setting::new(NOBODY, "");
        logging_only(&setting)
            .args(words.iter().map(|word| OsStr::from_bytes(word)))
            .run()
            .assert_deferred(MISCONFIGURED);
        assert!(setting.failure_logged().starts_with("WARN outcome=deferred code=4.3.5 exit=75 ms=_ cause="));
    }
}

#[test]
fn a_wrong_command_line_logs_where_the_configuration_says_when_that_is_known() {
    let setting = Setting::new(NOBODY, "");
    let run = Ingress::new().env("INGRESS_CONFIG", setting.path("ingress.toml")).stdin(message_of(LONG));
    run.args(["--unknown"]).run().assert_deferred(MISCONFIGURED);
    assert_logged(&setting, "unexpected argument '--unknown' found");
}

#[test]
fn nothing_configured_at_all_keeps_the_message() {
    Ingress::new().stdin(message_of(LONG)).run().assert_deferred(MISCONFIGURED);
}

#[test]
fn a_broken_configuration_is_named_by_file_line_and_key() {
    let file = "%/ingress.toml";
    for (text, cause) in [
        (
            "url = \"https://x\"\npasword = \"hush\"\n",
            format!("{file}:2: unknown key pasword: did you mean password?"),
        ),
        ("password = hush\n", format!("{file}:1: password: text must be in quotes")),
        ("password = \"hush\n", format!("{file}:1: password: is not valid TOML")),
        ("\n\ntimeout = 5\n", format!("{file}:3: timeout: must be text in quotes")),
        ("allow_http = \"hush\"\n", format!("{file}:1: allow_http: must be true or false")),
        ("\0\u{1}", format!("{file}:1: is not valid TOML")),
        ("hush", format!("{file}:1: is not valid TOML")),
        ("[repair]\nhush = 1\n", format!("{file}:2: must be true or false")),
        (
            "url = \"https://x\"\n",
            format!("no password is set: set password_file in {file}, or INGRESS_PASSWORD_FILE"),
        ),
        ("password = \"hush\"\n", format!("no URL of Chatwoot is set: set url in {file}, or INGRESS_URL")),
        ("url = \"nonsense\"\n", format!("{file}:1: url must be a URL such as \"https://chat.example.com\"")),
        ("url = \"ftp://x\"\n", format!("{file}:1: url must be a URL that begins with https:// or http://")),
        (
            "url = \"https://actionmailbox:hush@x\"\n",
            format!("{file}:1: url must not hold a user or password: use password_file"),
        ),
    ] {
        let setting = Setting::new(NOBODY, "");
        setting.write("ingress.toml", text, 0o600);
        let log = setting.shown("ingress.log");
        setting.with(&["--log", &log]).stdin(message_of(LONG)).run().assert_deferred(MISCONFIGURED);
        assert_logged(
            &setting,
            &cause.replace('%', setting.path("").to_str().unwrap().trim_end_matches('/')),
        );
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    for (path, why) in [
        ("/nonexistent/ingress.toml", "no such file or directory"),
        ("/", "is a directory"),
        ("/dev/full/x", "not a directory"),
        ("/dev/zero", "it is larger than 1 MiB"),
    ] {
        let setting = Setting::new(NOBODY, "");
        logging_only(&setting).args(["-c", path]).run().assert_deferred(MISCONFIGURED);
        assert_logged(&setting, &format!("cannot read {path}: {why}"));
        let setting = Setting::new(NOBODY, "");
        logging_only(&setting).env("INGRESS_CONFIG", path).run().assert_deferred(MISCONFIGURED);
        assert_logged(&setting, &format!("cannot read {path}: {why}"));
    }
}

#[test]
fn a_configuration_that_is_not_text_is_named() {
    let setting = Setting::new(NOBODY, "");
    setting.write("latin1.toml", b"url = \"\xe4\"", 0o600);
    let path = setting.shown("latin1.toml");
    logging_only(&setting).args(["-c", &path]).run().assert_deferred(MISCONFIGURED);
    assert_logged(&setting, &format!("{path}: is not UTF-8 text"));
}

#[test]
fn a_configuration_that_nobody_writes_to_does_not_hang() {
    let setting = Setting::new(NOBODY, "");
    let fifo = setting.fifo("fifo");
    logging_only(&setting).args(["-c", &fifo]).run().assert_deferred(MISCONFIGURED);
    assert_logged(&setting, &format!("no URL of Chatwoot is set: set url in {fifo}, or INGRESS_URL"));
}

#[test]
fn a_password_file_must_be_there_private_and_one_line() {
    let file = "%/password";
    for (mode, text, cause) in [
        (
            0o644,
            &b"hush\n"[..],
            format!("{file} holds a password and others can read it: chmod o-rwx {file}"),
        ),
        (0o602, b"hush\n", format!("{file} holds a password and others can read it: chmod o-rwx {file}")),
        (0o600, b"", format!("{file}: the password is empty")),
        (0o600, b"\n", format!("{file}: the password is empty")),
        (0o600, b"hush\nhush\n", format!("{file}: the password must be one line")),
        (0o600, b"hu\0sh", format!("{file}: the password holds a control character")),
        (0o600, b"hu\xffsh", format!("{file}: the password is not UTF-8 text")),
    ] {
        let setting = Setting::new(NOBODY, "");
        setting.write("password", text, mode);
        let run = setting.with(&["--password-file", &setting.shown("password")]);
        run.stdin(message_of(LONG)).run().assert_deferred(MISCONFIGURED);
        assert_logged(&setting, &cause.replace("%/", setting.path("").to_str().unwrap()));
    }
}

#[test]
fn a_password_file_that_is_no_file_is_named() {
    let setting = Setting::new(NOBODY, "");
    for (path, why) in [("/nonexistent", "no such file or directory"), ("/", "is a directory")] {
        let setting = Setting::new(NOBODY, "");
        setting.with(&["--password-file", path]).run().assert_deferred(MISCONFIGURED);
        assert_logged(&setting, &format!("cannot read {path}: {why}"));
    }
    let fifo = setting.fifo("fifo");
    setting.with(&["--password-file", &fifo]).run().assert_deferred(MISCONFIGURED);
    assert_logged(&setting, &format!("{fifo}: the password is empty"));
}

#[test]
fn a_group_may_read_the_password() {
    let server = crate::server::Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    setting.write("password", "sesame\n", 0o640);
    setting.with(&["--password-file", &setting.shown("password")]).run().assert_delivered();
}

#[test]
fn a_configuration_with_a_password_that_others_can_read_is_refused() {
    let setting = Setting::new(NOBODY, "");
    let file = setting.shown("ingress.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    setting.with(&["--log", &setting.shown("ingress.log")]).run().assert_deferred(MISCONFIGURED);
    assert_logged(&setting, &format!("{file} holds a password and others can read it: chmod o-rwx {file}"));
}
