//! Deliveries through a configured HTTP proxy.

use crate::authority::Authority;
use crate::server::Server;
use crate::setting::{CANNOT_BE_REACHED, LOST, MESSAGE, NOBODY, Setting, on_the_wire};

const REFUSED: &str = "4.7.0 Chatwoot refused the mail gateway";

fn through(proxy: &str, url: &str) -> Setting {
    Setting::new(url, &format!("proxy = \"{proxy}\"\nallow_http = true"))
}

#[test]
fn an_http_request_goes_to_the_proxy_with_its_whole_url() {
    let proxy = Server::answering(204);
    through(&proxy.url(), "http://chat.name.invalid").run().assert_delivered();
    let request = proxy.request();
    let line = "POST http://chat.name.invalid/rails/action_mailbox/relay/inbound_emails HTTP/1.1\r\n";
    assert!(request.head.starts_with(line), "{}", request.head);
    assert_eq!(request.body, on_the_wire(MESSAGE));
}

#[test]
fn an_https_request_asks_the_proxy_for_a_tunnel_and_shows_it_nothing() {
    let proxy = Server::saying("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let setting = through(&proxy.url(), "https://chat.name.invalid");
    setting.run().assert_deferred(REFUSED);
    let request = proxy.request();
    assert!(request.head.starts_with("CONNECT chat.name.invalid:443 HTTP/1.1\r\n"), "{}", request.head);
    assert!(!request.head.contains("\r\nauthorization:"), "{}", request.head);
    assert_eq!(request.body, b"");
    assert!(setting.failure_logged().contains("the proxy wants a password"));
}

#[test]
fn a_tunnel_carries_the_delivery() {
    let authority = Authority::new();
    let server = authority.server("localhost", |_| {});
    let target = format!("127.0.0.1:{}", server.port());
    let proxy = Server::acting(move |connection| {
        connection.head()?;
        connection.say("HTTP/1.1 200 Connection established\r\n\r\n")?;
        connection.tunnel_to(&target)
    });
    let setting = through(&proxy.url(), &format!("https://localhost:{}", server.port()));
    setting.trust(&authority);
    setting.run().assert_delivered();
    assert_eq!(server.request().body, on_the_wire(MESSAGE));
    assert!(proxy.request().head.starts_with(&format!("CONNECT localhost:{} ", server.port())));
}

#[test]
fn a_proxy_that_wants_a_password_refuses() {
    let proxy = Server::saying("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    let setting = through(&proxy.url(), NOBODY);
    setting.run().assert_deferred(REFUSED);
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_proxy_s_own_password_goes_to_the_proxy() {
    let proxy = Server::answering(204);
    let url = proxy.url().replace("http://", "http://mail:sesame@");
    through(&url, "http://chat.name.invalid").run().assert_delivered();
    let head = proxy.request().head;
    assert!(head.contains("\r\nproxy-authorization: Basic bWFpbDpzZXNhbWU=\r\n"), "{head}");
}

#[test]
fn a_proxy_that_is_not_there_or_does_not_tunnel_is_temporary() {
    through(NOBODY, "http://chat.name.invalid").run().assert_deferred(CANNOT_BE_REACHED);
    through(NOBODY, "https://chat.name.invalid").run().assert_deferred(CANNOT_BE_REACHED);
    for status in [403, 502, 503] {
        let proxy = Server::saying(format!("HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n"));
        let setting = through(&proxy.url(), "https://chat.name.invalid");
        setting.run().assert_deferred(CANNOT_BE_REACHED);
        setting.failure_logged();
    }
    let proxy = Server::acting(|connection| connection.head().map(|_| ()));
    through(&proxy.url(), "https://chat.name.invalid").run().assert_deferred(LOST);
}
