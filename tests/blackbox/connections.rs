//! What can happen to a connection: refused, not taken, lost, silent, and answers that are odd or not HTTP.

use std::time::Duration;

use crate::run::at_once;
use crate::server::{Connection, FullQueue, Server};
use crate::setting::{CANNOT_BE_REACHED, LOST, NOBODY, Setting, TOO_LATE, message_of};

/// Delivers to this server, whose connection is lost; gives the log line.
#[track_caller]
fn loses(server: &Server) -> String {
    let setting = Setting::new(&server.url(), "");
    setting.run().assert_deferred(LOST);
    let logged = setting.failure_logged();
    assert!(
        logged.starts_with("WARN outcome=deferred code=4.4.2 exit=75 message-id=<1@example.org> "),
        "{logged}"
    );
    logged
}

#[test]
fn a_connection_closed_or_reset_at_any_point_is_lost() {
    let servers = [
        Server::acting(|_| Ok(())),
        Server::acting(|connection| connection.reset()),
        Server::acting(|connection| connection.head().map(|_| ())),
        Server::acting(|connection| {
            connection.head()?;
            connection.reset()
        }),
        Server::acting(|connection| {
            let length = connection.head()?;
            connection.skip(length / 2)
        }),
        Server::acting(Connection::request),
        Server::acting(|connection| {
            connection.request()?;
            connection.reset()
        }),
    ];
    at_once(&servers, |server| {
        loses(server);
    });
}

#[test]
fn a_large_message_whose_connection_breaks_is_lost() {
    let server = Server::acting(|connection| {
        let length = connection.head()?;
        connection.skip(length / 2)?;
        connection.reset()
    });
    let setting = Setting::new(&server.url(), "");
    setting.ingress().stdin(message_of(25_000_000)).run().assert_deferred(LOST);
    setting.failure_logged();
}

#[test]
fn an_answer_cut_short_is_no_answer() {
    at_once(
        [
            "H",
            "HTTP/1.1",
            "HTTP/1.1 20",
            "HTTP/1.1 204 No Con",
            "HTTP/1.1 204 No Content\r\n",
            "HTTP/1.1 204 No Content\r\nX-Cut: sho",
        ],
        |answer| {
            loses(&Server::saying(answer));
        },
    );
}

#[test]
fn what_does_not_speak_http_says_so_in_the_log() {
    for answer in [
        &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
        b"220 mail.example.com ESMTP\r\n",
        b"\x15\x03\x01\x00\x02\x02\x0a",
        b"HTTP/9.9 204 No Content\r\n\r\n",
        b"HTTP/1.1 2O4 No Content\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nno colon\r\n\r\n",
        b"204\r\n\r\n",
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\r\n\r\n",
    ] {
        let logged = loses(&Server::saying(answer));
        assert!(logged.contains("remedy=\"check scheme and port in url"), "{logged}");
    }
}

#[test]
fn an_endless_header_is_not_read_for_ever() {
    let server = Server::acting(|connection| {
        connection.request()?;
        connection.say("HTTP/1.1 204 No Content\r\n")?;
        loop {
            connection.say("X-More: and more\r\n".repeat(1000))?;
        }
    });
    loses(&server);
}

#[test]
fn odd_but_whole_success_answers_count() {
    for answer in [
        "HTTP/1.0 204 No Content\r\n\r\n",
        "HTTP/1.1 204\r\n\r\n",
        "HTTP/1.1 204 \r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nSet-Cookie: a=b\r\nX-Request-Id: 7\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 204 No Content\nServer: old\n\n",
    ] {
        Setting::new(&Server::saying(answer).url(), "").run().assert_delivered();
    }
}

#[test]
fn an_interim_answer_alone_is_none() {
    at_once(["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 102 Processing\r\n\r\n"], |answer| {
        loses(&Server::saying(answer));
    });
}

#[test]
fn an_answer_that_comes_byte_by_byte_is_waited_for() {
    let server = Server::acting(|connection| {
        connection.request()?;
        for byte in b"HTTP/1.1 204 No Content\r\nServer: slow\r\n\r\n" {
            connection.say([*byte])?;
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    });
    Setting::new(&server.url(), "").run().assert_delivered();
}

#[test]
fn a_server_that_hangs_meets_the_deadline() {
    let before_reading = Server::acting(|connection| {
        connection.head()?;
        std::thread::sleep(Duration::from_secs(10));
        Ok(())
    });
    let amid_its_answer = Server::acting(|connection| {
        connection.request()?;
        connection.say("HTTP/1.1 204 No")?;
        connection.wait_for_the_client_to_leave();
        Ok(())
    });
    for (server, message) in [
        (Server::hanging(), message_of(10)),
        (amid_its_answer, message_of(10)),
        (before_reading, message_of(25_000_000)),
    ] {
        let setting = Setting::new(&server.url(), "timeout = \"1s\"");
        setting.ingress().stdin(message).run().assert_deferred(TOO_LATE);
        let logged = setting.failure_logged();
        assert!(
            logged.starts_with("WARN outcome=deferred code=4.4.7 exit=75 message-id=<1@example.org> "),
            "{logged}"
        );
        assert!(logged.contains("raise timeout in ingress.toml"), "{logged}");
    }
}

#[test]
fn the_deadline_is_one_for_all_recipients() {
    let server = Server::acting(|connection| {
        connection.request()?;
        std::thread::sleep(Duration::from_secs(2));
        connection.answer(204)
    });
    let setting = Setting::new(&server.url(), "timeout = \"3s\"");
    let run = setting.with(&["-r", "a@example.com", "-r", "b@example.com", "-r", "c@example.com"]);
    run.run().assert_deferred(TOO_LATE);
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_closed_port_cannot_be_reached() {
    let setting = Setting::new(NOBODY, "");
    setting.run().assert_deferred(CANNOT_BE_REACHED);
    let logged = setting.failure_logged();
    assert!(
        logged.starts_with("WARN outcome=deferred code=4.4.1 exit=75 ") && logged.contains("refused"),
        "{logged}"
    );
}

#[test]
fn a_connection_that_is_not_taken_times_out() {
    let full = FullQueue::new();
    let setting = Setting::new(&format!("http://{}", full.address), "connect_timeout = \"1s\"");
    setting.run().assert_deferred(CANNOT_BE_REACHED);
    assert!(
        setting
            .failure_logged()
            .contains(&format!("cause=\"no connection to {} within connect_timeout\"", full.address))
    );
}

/// RFC 6761, section 6.4: names below `invalid` never resolve.
#[test]
fn a_name_that_does_not_resolve_says_so() {
    for url in ["http://name.invalid", "https://chat.name.invalid/rails"] {
        let setting = Setting::new(url, "allow_http = true");
        setting.run().assert_deferred("4.4.3 Chatwoot's host name cannot be resolved");
        let logged = setting.failure_logged();
        assert!(logged.starts_with("WARN outcome=deferred code=4.4.3 exit=75 "), "{logged}");
        assert!(logged.contains("getent hosts"), "{logged}");
    }
}
