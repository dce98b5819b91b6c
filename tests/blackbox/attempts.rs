//! What Chatwoot may have stored without showing it is sent in another form the next time: `state_dir`.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::run::Ingress;
use crate::server::Server;
use crate::setting::{MESSAGE, Setting, on_the_wire};

/// A server that answers whole requests with these, one after the other; `reset` closes without an answer.
fn answering(answers: &'static [&'static str]) -> Server {
    let next = AtomicUsize::new(0);
    Server::acting(move |connection| {
        connection.request()?;
        match answers.get(next.fetch_add(1, Ordering::SeqCst)) {
            Some(&"reset") | None => Ok(()),
            Some(status) => connection
                .say(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")),
        }
    })
}

fn setting(server: &Server) -> Setting {
    let setting = Setting::new(&server.url(), "");
    setting.configure_more(&format!("state_dir = \"{}\"", setting.shown("state")));
    setting
}

/// Delivers the message, once for each of these statuses.
fn delivered(setting: &Setting, message: &str, statuses: &[i32]) {
    for status in statuses {
        let ended =
            Ingress::without_environment().args(["-c", &setting.shown("ingress.toml")]).stdin(message).run();
        assert_eq!(ended.status, Some(*status), "{ended:?}");
    }
}

/// The message in the form of its attempt.
fn varied(number: u32) -> Vec<u8> {
    on_the_wire(
        &MESSAGE
            .replace("Message-ID:", "References: <1@example.org>\nMessage-ID:")
            .replace("\n\nhello", &format!("\nX-Ingress-Attempt: {number}\n\nhello")),
    )
}

#[test]
fn a_500_a_502_and_a_lost_connection_make_the_next_attempt_another_record() {
    let server = answering(&["500", "502", "reset", "204", "204"]);
    let setting = setting(&server);
    delivered(&setting, MESSAGE, &[75, 75, 75, 0, 0]);
    assert_eq!(
        server.bodies(),
        [on_the_wire(MESSAGE), varied(1), varied(2), varied(3), on_the_wire(MESSAGE)]
    );
    assert_eq!(fs::read_dir(setting.path("state")).unwrap().count(), 0, "nothing is left");
    let attempts: Vec<bool> = setting.logged().iter().map(|line| line.contains(" attempt=")).collect();
    assert_eq!(attempts, [false, true, true, true, false]);
    assert!(setting.logged()[3].contains(" attempt=4 "), "{}", setting.logged()[3]);
}

/// The first copy may be routed yet: the same bytes stay a duplicate.
#[test]
fn after_a_504_or_a_refusal_the_form_stays() {
    let server = answering(&["504", "503", "401", "500", "504", "408", "204"]);
    delivered(&setting(&server), MESSAGE, &[75, 75, 75, 75, 75, 75, 0]);
    let first = on_the_wire(MESSAGE);
    assert_eq!(
        server.bodies(),
        [first.clone(), first.clone(), first.clone(), first, varied(1), varied(1), varied(1)]
    );
}

#[test]
fn each_message_and_each_recipient_has_an_attempt_of_its_own() {
    let server = answering(&["500", "204", "204", "204"]);
    let setting = setting(&server);
    let other = MESSAGE.replace("<1@", "<2@");
    delivered(&setting, MESSAGE, &[75]);
    delivered(&setting, &other, &[0]);
    delivered(&setting, MESSAGE, &[0]);
    assert_eq!(server.bodies(), [on_the_wire(MESSAGE), on_the_wire(&other), varied(1)]);
}

/// The mail server comes back with both recipients: what the first one was sent must stay a duplicate.
#[test]
fn a_recipient_s_attempt_is_remembered_until_the_whole_run_is_done() {
    let server = answering(&["502", "204", "503", "204", "204"]);
    let setting = setting(&server);
    for status in [75, 75, 0] {
        let ended = Ingress::without_environment()
            .args(["-c", &setting.shown("ingress.toml"), "-r", "support@example.com", "-r", "b@example.com"])
            .stdin(MESSAGE)
            .run();
        assert_eq!(ended.status, Some(status), "{ended:?}");
    }
    let bodies = server.bodies();
    let second = [b"X-Original-To: b@example.com\r\n", on_the_wire(MESSAGE).as_slice()].concat();
    assert_eq!(bodies, [on_the_wire(MESSAGE), varied(1), second.clone(), varied(1), second]);
    assert_eq!(fs::read_dir(setting.path("state")).unwrap().count(), 0, "nothing is left");
}

/// The message may have been taken before the connection broke, whatever is answered to the header alone afterwards.
#[test]
fn a_refusal_after_the_connection_broke_says_nothing_of_what_was_sent_whole() {
    let whole = AtomicUsize::new(0);
    let server = Server::acting(move |connection| {
        let length = connection.head()?;
        // The first message is read and the connection closed; every header after that is refused at once.
        if whole.fetch_add(1, Ordering::SeqCst) == 0 {
            return connection.skip(length);
        }
        connection.say("HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let setting = setting(&server);
    delivered(&setting, MESSAGE, &[75]);
    assert!(setting.failure_logged().contains(" code=4.3.2 "), "{}", setting.log());
    assert_eq!(fs::read_dir(setting.path("state/attempts")).unwrap().count(), 1);
}

#[test]
fn a_state_that_cannot_be_kept_is_told_and_stops_nothing() {
    let server = answering(&["500", "204"]);
    let setting = setting(&server);
    setting.write("state", "a file in the place of the folder", 0o600);
    delivered(&setting, MESSAGE, &[75, 0]);
    assert_eq!(server.bodies(), [on_the_wire(MESSAGE), on_the_wire(MESSAGE)]);
    for line in setting.logged() {
        assert!(line.contains(" notice=\"state_dir ") && line.contains(" cannot be used ("), "{line}");
    }
}

#[test]
fn a_rehearsal_keeps_no_state() {
    let server = answering(&[]);
    let setting = setting(&server);
    Ingress::new()
        .args(["try", "--answer", "500", "-c", &setting.shown("ingress.toml")])
        .stdin(MESSAGE)
        .run();
    assert!(!setting.path("state").exists());
}

#[test]
fn an_import_sends_another_form_too() {
    let server = answering(&["500", "204"]);
    let setting = setting(&server);
    setting.write("1.eml", MESSAGE, 0o600);
    let ended = Ingress::without_environment()
        .args(["import", "-q", "-c", &setting.shown("ingress.toml"), &setting.shown("1.eml")])
        .run();
    assert_eq!(ended.status, Some(0), "{ended:?}");
    assert_eq!(server.bodies(), [on_the_wire(MESSAGE), varied(1)]);
    assert_eq!(fs::read_dir(setting.path("state")).unwrap().count(), 0, "nothing is left");
}

#[test]
fn a_check_says_whether_state_can_be_kept() {
    let server = Server::answering(415);
    let setting = setting(&server);
    let checked = |what: &str| {
        let ended =
            Ingress::without_environment().args(["check", "-c", &setting.shown("ingress.toml")]).run();
        assert!(ended.stdout.replace(&setting.shown(""), "DIR/").contains(what), "{what}\n{}", ended.stdout);
    };
    checked(
        "ok    state_dir       DIR/state, which is made when it is needed (state_dir in DIR/ingress.toml)\n",
    );
    assert!(!setting.path("state").exists());
    setting.write("state", "", 0o600);
    checked("warn  state_dir       DIR/state cannot be written (mode 0600, ");
}
