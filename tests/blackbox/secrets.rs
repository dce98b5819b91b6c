//! The password stays where it belongs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::server::{Manner, Server};
use crate::setting::{PASSWORD, Setting};

/// Asserts that neither the password nor its form in the request stands in the text.
fn assert_clean(text: &str) {
    let basic = STANDARD.encode(format!("actionmailbox:{PASSWORD}"));
    for secret in [PASSWORD, basic.as_str(), basic.trim_end_matches('=')] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn it_is_in_no_output_and_no_log_whatever_happens() {
    let mut manners = vec![
        Manner::Close,
        Manner::CloseEarly,
        Manner::Hang,
        Manner::Say("HTTP/1.1 500 Xyzzy-Plugh\r\n\r\n"),
        Manner::Say("garbage"),
        Manner::Redirect("http://other.example/".to_owned()),
    ];
    manners.extend(
        [200, 204, 301, 400, 401, 403, 404, 407, 408, 413, 415, 422, 429, 500, 502, 503].map(Manner::Answer),
    );
    for manner in manners {
        let server = Server::start(manner);
        let setting = Setting::new(&server.url(), "timeout = \"700ms\"\nlog_level = \"debug\"");
        let ended = setting.ingress(&["-v"]).run();
        assert_clean(&format!("{}{}{}", ended.stdout, ended.stderr, setting.log()));
        assert!(server.requests()[0].head.contains("authorization: Basic "));
    }
    for (url, more) in [
        ("http://127.0.0.1:1", ""),
        ("http://chatwoot.invalid", "allow_http = true"),
        ("https://127.0.0.1:1", ""),
        ("http://chat.example.com", ""),
        ("nonsense", ""),
        ("http://127.0.0.1:1", "nonsense"),
    ] {
        let setting = Setting::new(url, &format!("log_level = \"debug\"\n{more}"));
        let log = setting.shown("ingress.log");
        let ended = setting.ingress(&["-v", "--log", &log]).run();
        assert_eq!(ended.status, Some(75));
        assert_clean(&format!("{}{}{}", ended.stdout, ended.stderr, setting.log()));
    }
}

#[test]
fn it_goes_to_no_proxy_of_the_environment() {
    let proxy = Server::start(Manner::Answer(204));
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    let mut run = setting.ingress(&[]);
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        run = run.env(name, &proxy.url());
    }
    run.run().assert_delivered();
    assert_eq!(proxy.requests(), []);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn it_goes_in_clear_to_this_machine_only() {
    for host in ["chat.example.com", "10.0.0.1", "127.0.0.1.example.com"] {
        let setting = Setting::new(&format!("http://{host}"), "");
        setting.run().assert_failed(75, "4.3.5 The mail gateway is misconfigured");
        assert!(setting.failure_logged().contains("in clear"));
    }
}

#[test]
fn it_may_come_from_a_file_or_the_environment() {
    let server = Server::start(Manner::Answer(204));
    let setting = Setting::new(&server.url(), "");
    setting.write("password", "another\n", 0o600);
    setting.ingress(&["--password-file", &setting.shown("password")]).run().assert_delivered();
    setting.ingress(&[]).env("INGRESS_PASSWORD", "a third").run().assert_delivered();
    for (request, password) in server.requests().iter().zip(["another", "a third"]) {
        let basic = STANDARD.encode(format!("actionmailbox:{password}"));
        assert!(request.head.contains(&format!("authorization: Basic {basic}\r\n")), "{}", request.head);
    }
}
