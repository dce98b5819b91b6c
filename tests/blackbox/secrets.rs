//! The password stays where it belongs: in the request to the configured host, and nowhere else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::authority::Authority;
use crate::run::{Ended, Ingress, at_once, eventually};
use crate::server::Server;
use crate::setting::{INTERRUPTED, MESSAGE, MISCONFIGURED, NOBODY, PASSWORD, Setting};

/// The password as the request holds it.
fn basic(password: &str) -> String {
    STANDARD.encode(format!("actionmailbox:{password}"))
}

/// Asserts that neither the password nor a part of its form in the request stands in what was printed or logged.
#[track_caller]
fn assert_clean(ended: &Ended, log: &str) {
    let text = format!("{}{}{log}", ended.stdout, ended.stderr);
    for secret in [PASSWORD, &basic(PASSWORD)[..20], basic(PASSWORD).trim_end_matches('=')] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// A delivery that logs all it can, by the command line and the file.
fn talkative(url: &str, more: &str) -> (Setting, Ended) {
    let setting = Setting::new(url, &format!("log_level = \"debug\"\ntimeout = \"3s\"\n{more}"));
    let log = setting.shown("ingress.log");
    let ended =
        setting.with(&["-v", "--log", &log]).envs(&[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "full")]).run();
    (setting, ended)
}

#[test]
fn it_is_in_no_output_and_no_log_whatever_is_answered() {
    let statuses = [
        200, 201, 204, 301, 302, 307, 308, 400, 401, 403, 404, 405, 407, 408, 413, 415, 422, 429, 500, 502,
        503, 504,
    ];
    at_once(statuses, |status| {
        // A server that throws back at the client what it got from it.
        let server = Server::acting(move |connection| {
            connection.request()?;
            let authorization = basic(PASSWORD);
            connection.say(format!(
                "HTTP/1.1 {status} Basic {authorization}\r\nLocation: http://{PASSWORD}.invalid/\r\n\
                 X-Echo: {authorization}\r\nContent-Length: 0\r\n\r\n"
            ))
        });
        let (setting, ended) = talkative(&server.url(), "");
        assert_clean(&ended, &setting.log());
        assert!(server.request().head.contains(&format!("\r\nauthorization: Basic {}\r\n", basic(PASSWORD))));
    });
}

#[test]
fn it_is_in_no_output_and_no_log_whatever_happens_to_the_connection() {
    let echo = |text: &str| Server::saying(text.replace('%', &basic(PASSWORD)));
    let servers = [
        Server::hanging(),
        Server::acting(|_| Ok(())),
        Server::acting(|connection| {
            connection.request()?;
            connection.reset()
        }),
        echo("%\r\n\r\n"),
        echo("HTTP/1.1 2% No\r\n\r\n"),
        echo("HTTP/1.1 204 No\r\n% \r\n\r\n"),
    ];
    at_once(&servers, |server| {
        let (setting, ended) = talkative(&server.url(), "");
        assert_eq!(ended.status, Some(75));
        assert_clean(&ended, &setting.log());
    });
    for url in [NOBODY, "https://127.0.0.1:1", "http://name.invalid"] {
        let (setting, ended) = talkative(url, "allow_http = true");
        assert_eq!(ended.status, Some(75));
        assert_clean(&ended, &setting.log());
    }
}

#[test]
fn it_is_in_no_output_and_no_log_however_broken_the_configuration_is() {
    for more in [
        "nonsense",
        "timeout = 5",
        &format!("password = \"{PASSWORD}\""),
        &format!("password = {PASSWORD}"),
        &format!("proxy = \"http://mail:{PASSWORD}@\""),
        &format!("proxy = \"socks5://mail:{PASSWORD}@127.0.0.1\""),
        &format!("proxy = \"http://mail:{PASSWORD}@127.0.0.1:1\""),
        &format!("timeout = \"{PASSWORD}\""),
        &format!("max_size = \"{PASSWORD}\""),
        &format!("service = \"{PASSWORD}\""),
        &format!("on_too_large = \"{PASSWORD}\""),
        &format!("log_level = \"{PASSWORD}\""),
        &format!("[repair]\nline-ends = \"{PASSWORD}\""),
    ] {
        let setting = Setting::new(NOBODY, more);
        let log = setting.shown("ingress.log");
        let ended = setting.with(&["-v", "--log", &log]).run();
        assert_eq!(ended.status, Some(75), "{more}");
        assert_clean(&ended, &setting.log());
        assert_eq!(setting.log().matches(" outcome=deferred ").count(), 1, "{more}");
    }
    for url in [
        format!("http://actionmailbox:{PASSWORD}@127.0.0.1:1"),
        format!("https://x/?password={PASSWORD}"),
        format!("https://x/#{PASSWORD}"),
        format!("{PASSWORD}://x"),
        PASSWORD.to_owned(),
    ] {
        let setting = Setting::new(&url, "");
        setting.run().assert_deferred(MISCONFIGURED);
        assert_clean(&setting.run(), &setting.log());
    }
}

/// No option takes a password; who tries all the same has it in the list of processes already, but not in the log.
#[test]
fn it_is_no_option_and_the_log_does_not_repeat_the_attempt() {
    let equals = format!("--password={PASSWORD}");
    let short = format!("-p{PASSWORD}");
    let url = format!("--url=http://actionmailbox:{PASSWORD}@127.0.0.1:1");
    for words in [&["--password", PASSWORD][..], &[&equals], &[&short], &[&url], &[&url, &url]] {
        let setting = Setting::new(NOBODY, "");
        let log = setting.shown("ingress.log");
        let ended = setting.with(&["-v", "--log", &log]).args(words).run();
        assert_eq!(ended.stdout, format!("{MISCONFIGURED}\n"), "{words:?}");
        // A command line that makes no sense does not say where to log.
        let ended = Ingress::new().args(words).env("INGRESS_LOG", &log).stdin(MESSAGE).run();
        assert_eq!(ended.stdout, format!("{MISCONFIGURED}\n"), "{words:?}");
        assert_clean(&ended, &setting.log());
        assert_ne!(setting.log(), "");
    }
}

#[test]
fn a_redirect_does_not_take_it_along() {
    let elsewhere = Server::answering(204);
    for status in [301, 302, 303, 307, 308] {
        let head =
            format!("HTTP/1.1 {status} Moved\r\nLocation: {}/\r\nContent-Length: 0\r\n\r\n", elsewhere.url());
        Setting::new(&Server::saying(head).url(), "").run();
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn it_goes_to_no_proxy_of_the_environment() {
    let proxy = Server::answering(204);
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "");
    let mut run = setting.ingress();
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "PROXY"]
    {
        run = run.env(name, proxy.url());
    }
    run.env("REQUEST_METHOD", "").run().assert_delivered();
    let authority = Authority::new();
    let encrypted = authority.server("localhost", |_| {});
    let setting = Setting::new(&format!("https://localhost:{}", encrypted.port()), "");
    setting.trust(&authority);
    setting.ingress().env("https_proxy", proxy.url()).env("ALL_PROXY", proxy.url()).run().assert_delivered();
    assert_eq!((proxy.connections(), server.connections(), encrypted.connections()), (0, 1, 1));
}

#[test]
fn it_goes_in_clear_to_this_machine_only() {
    let cause = "would send the password in clear: use https, or set allow_http = true";
    for host in [
        "chat.example.com",
        "10.0.0.1",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "[fe80::1]",
        "128.0.0.1",
    ] {
        let setting = Setting::new(&format!("http://{host}"), "");
        setting.run().assert_deferred(MISCONFIGURED);
        assert!(setting.failure_logged().contains(&format!("/ingress.toml:1: url {cause}\"")));
        let option = format!("--url=http://{host}");
        let setting = Setting::new(NOBODY, "");
        setting.with(&[&option]).run().assert_deferred(MISCONFIGURED);
        assert!(setting.failure_logged().contains(&format!("cause=\"--url {cause}\"")));
    }
    for host in ["127.0.0.1:1", "localhost:1", "[::1]:1", "127.8.9.10:1", "LOCALHOST:1"] {
        Setting::new(&format!("http://{host}"), "").run().assert_deferred("4.4.1 Chatwoot cannot be reached");
    }
}

/// The proxy sees a request to an http URL in clear, whatever its host is.
#[test]
fn it_goes_in_clear_to_a_proxy_on_this_machine_only() {
    let setting = Setting::new(NOBODY, "proxy = \"http://proxy.name.invalid:3128\"");
    setting.run().assert_deferred(MISCONFIGURED);
    assert!(setting.failure_logged().contains("in clear"));
    let allowed = Setting::new(NOBODY, "proxy = \"http://proxy.name.invalid:3128\"\nallow_http = true");
    allowed.run().assert_deferred("4.4.3 Chatwoot's host name cannot be resolved");
    let encrypted = Setting::new("https://127.0.0.1:1", "proxy = \"http://proxy.name.invalid:3128\"");
    encrypted.run().assert_deferred("4.4.3 Chatwoot's host name cannot be resolved");
}

#[test]
fn any_text_of_one_line_may_be_one() {
    for password in [
        "another",
        " a b ",
        "with:colon",
        "\u{fc}\u{43f}\u{1f511}",
        "x\"y\\z'#",
        "%41+&=",
        &"long".repeat(200),
    ] {
        let server = Server::answering(204);
        let setting = Setting::new(&server.url(), "");
        for end in ["", "\n", "\r\n"] {
            setting.write("password", format!("{password}{end}"), 0o600);
            setting.with(&["--password-file", &setting.shown("password")]).run().assert_delivered();
        }
        setting.ingress().env("INGRESS_PASSWORD", password).run().assert_delivered();
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        for request in requests {
            assert!(
                request.head.contains(&format!("\r\nauthorization: Basic {}\r\n", basic(password))),
                "{password}"
            );
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn it_is_in_no_core_file() {
    let server = Server::hanging();
    let setting = Setting::new(&server.url(), "");
    let running = setting.ingress().after("ulimit -c unlimited 2>/dev/null", "").start();
    eventually("the request", || (!server.requests().is_empty()).then_some(()));
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", running.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().collect::<Vec<_>>()[4..6], ["0", "0"], "{core}");
    running.signal("TERM");
    running.end().assert_deferred(INTERRUPTED);
}

/// What editors and `.env` files leave in a file is told when it is refused, and none of it is shown.
#[test]
fn what_is_odd_about_a_refused_one_is_told_without_showing_it() {
    let server = Server::answering(401);
    for (text, oddity) in [
        (format!("\u{feff}{PASSWORD}\n"), "begins with a byte order mark"),
        (format!("{PASSWORD} \n"), "has a blank before or after it"),
        (format!("\"{PASSWORD}\"\n"), "stands in quotes"),
        (format!("RAILS_INBOUND_EMAIL_PASSWORD={PASSWORD}\n"), "begins with NAME="),
    ] {
        let setting = Setting::new(&server.url(), "");
        setting.write("password", &text, 0o600);
        let file = setting.shown("password");
        let run = setting.with(&["--password-file", &file]);
        run.run().assert_deferred("4.7.0 Chatwoot refused the mail gateway");
        let logged = setting.failure_logged();
        let cause = format!(" cause=\"the endpoint answered 401; the password here {oddity}");
        assert!(logged.contains(&cause), "{logged}");
        let checked = setting.with(&["--password-file", &file, "check"]).stdin("").run();
        assert!(checked.stdout.contains(&format!("what is set {oddity}")), "{}", checked.stdout);
        for shown in [logged, checked.stdout, checked.stderr] {
            assert!(!shown.contains(PASSWORD), "{shown}");
        }
    }
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_deferred("4.7.0 Chatwoot refused the mail gateway");
    assert!(setting.failure_logged().contains(" cause=\"the endpoint answered 401\" "));
}
