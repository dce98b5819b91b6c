//! The other services than the relay: what each is sent, what counts as its success, and what its settings must say.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use crate::run::Ingress;
use crate::server::{Request, Server};
use crate::setting::{MESSAGE, MISCONFIGURED, NOBODY, PASSWORD, Setting, TOO_LARGE, message_of, on_the_wire};

const KEY: &str = "key-Plover-99-xyzzy";

/// With 8-bit text, for an inbox that no field names.
const RAW: &str = "From: Ann <a@example.org>\nTo: x@example.com\nSubject: Gr\u{fc}\u{df}e\nMessage-ID: <1@example.org>\n\
    MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nGr\u{fc}\u{df}e\n";

/// The same as it is sent to a service with a field for the recipient.
const SENT: &str = "Content-Transfer-Encoding: quoted-printable\nFrom: Ann <a@example.org>\nTo: x@example.com\n\
    Subject: =?utf-8?b?R3LDvMOfZQ==?=\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n\
    Content-Type: text/plain; charset=utf-8\n\nGr=C3=BC=C3=9Fe\n";

fn sent_with_recipient() -> Vec<u8> {
    on_the_wire(&SENT.replace("From: Ann", "X-Original-To: support@example.com\nFrom: Ann"))
}

/// A delivery of the raw message through a service to a server that answers so.
fn delivered(service: &str, status: u16) -> (Request, Setting) {
    let server = Server::answering(status);
    let setting = Setting::new(&server.url(), &format!("service = \"{service}\"\nsigning_key = \"{KEY}\""));
    setting.with(&["-r", "support@example.com"]).stdin(RAW).run().assert_delivered();
    (server.request(), setting)
}

fn path(request: &Request) -> &str {
    request.head.split(' ').nth(1).unwrap().strip_prefix("/rails/action_mailbox/").unwrap()
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// The fields of a form in `multipart/form-data`, none of which has anything but a name.
fn fields(request: &Request) -> BTreeMap<String, Vec<u8>> {
    let kind = header(request, "content-type").unwrap();
    let boundary = format!("--{}", kind.strip_prefix("multipart/form-data; boundary=").unwrap());
    let mut rest = request.body.strip_prefix(boundary.as_bytes()).unwrap();
    let mut fields = BTreeMap::new();
    while rest != b"--\r\n" {
        let head = memchr::memmem::find(rest, b"\r\n\r\n").unwrap();
        let end = memchr::memmem::find(rest, format!("\r\n{boundary}").as_bytes()).unwrap();
        let name = String::from_utf8(rest[..head].to_vec()).unwrap();
        let name = name.strip_prefix("\r\nContent-Disposition: form-data; name=\"").unwrap();
        fields.insert(name.strip_suffix('"').unwrap().to_owned(), rest[head + 4..end].to_vec());
        rest = &rest[end + 2 + boundary.len()..];
    }
    fields
}

fn names(fields: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    fields.keys().map(String::as_str).collect()
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("actionmailbox:{PASSWORD}")))
}

#[test]
fn sendgrid_takes_a_form_with_message_and_envelope() {
    let (request, setting) = delivered("sendgrid", 204);
    assert_eq!(path(&request), "sendgrid/inbound_emails");
    assert_eq!(header(&request, "authorization"), Some(basic().as_str()));
    let fields = fields(&request);
    assert_eq!(names(&fields), ["email", "envelope"]);
    assert_eq!(fields["email"], on_the_wire(SENT));
    assert_eq!(fields["envelope"], b"{\"to\":[\"support@example.com\"]}");
    assert!(setting.log().contains(" converted=7bit "), "{}", setting.log());
}

#[test]
fn mailgun_takes_a_signed_form_with_message_and_recipient() {
    let (request, setting) = delivered("mailgun", 204);
    assert_eq!(path(&request), "mailgun/inbound_emails/mime");
    assert_eq!(header(&request, "authorization"), None);
    let fields = fields(&request);
    assert_eq!(names(&fields), ["body-mime", "recipient", "signature", "timestamp", "token"]);
    assert_eq!(fields["body-mime"], on_the_wire(SENT));
    assert_eq!(fields["recipient"], b"support@example.com");
    assert_eq!(fields["token"].len(), 50);
    let key = hmac::Key::new(hmac::HMAC_SHA256, KEY.as_bytes());
    let signature = hmac::sign(&key, &[fields["timestamp"].clone(), fields["token"].clone()].concat());
    assert_eq!(fields["signature"], hex::encode(signature).as_bytes());
    assert!(!setting.log().contains(KEY), "{}", setting.log());
}

#[test]
fn mandrill_takes_events_in_json_signed_with_the_url() {
    let (request, setting) = delivered("mandrill", 200);
    assert_eq!(path(&request), "mandrill/inbound_emails");
    assert_eq!(header(&request, "authorization"), None);
    let fields = fields(&request);
    assert_eq!(names(&fields), ["mandrill_events"]);
    let events: serde_json::Value = serde_json::from_slice(&fields["mandrill_events"]).unwrap();
    let message = String::from_utf8(sent_with_recipient()).unwrap();
    assert_eq!(events, serde_json::json!([{ "event": "inbound", "msg": { "raw_msg": message } }]));
    let url =
        format!("http://{}/rails/action_mailbox/mandrill/inbound_emails", header(&request, "host").unwrap());
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, KEY.as_bytes());
    let signed = [url.as_bytes(), b"mandrill_events", &fields["mandrill_events"]].concat();
    let signature = STANDARD.encode(hmac::sign(&key, &signed));
    assert_eq!(header(&request, "x-mandrill-signature"), Some(signature.as_str()));
    assert!(!setting.log().contains(KEY), "{}", setting.log());
}

#[test]
fn postmark_takes_json() {
    let (request, _) = delivered("postmark", 204);
    assert_eq!(path(&request), "postmark/inbound_emails");
    assert_eq!(header(&request, "authorization"), Some(basic().as_str()));
    assert_eq!(header(&request, "content-type"), Some("application/json"));
    let sent: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(sent, serde_json::json!({ "RawEmail": String::from_utf8(sent_with_recipient()).unwrap() }));
}

#[test]
fn what_is_7_bit_is_sent_as_it_is() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "service = \"sendgrid\"");
    setting.run().assert_delivered();
    assert_eq!(fields(&server.request())["email"], on_the_wire(MESSAGE));
    assert_eq!(names(&fields(&server.request())), ["email"], "no recipient, no envelope");
    assert!(!setting.log().contains("converted="), "{}", setting.log());
}

#[test]
fn with_the_repair_turned_off_no_recipient_goes_beside_the_message() {
    let server = Server::answering(204);
    let off = "service = \"sendgrid\"\n[repair]\nsingle-x-original-to = false";
    let setting = Setting::new(&server.url(), off);
    setting.with(&["-r", "support@example.com"]).run().assert_delivered();
    assert_eq!(names(&fields(&server.request())), ["email"]);
}

#[test]
fn each_service_has_one_success_answer_of_its_own() {
    for (service, success, other) in
        [("sendgrid", 204, 200), ("mailgun", 204, 200), ("mandrill", 200, 204), ("postmark", 204, 200)]
    {
        for status in [success, other] {
            let server = Server::answering(status);
            let setting =
                Setting::new(&server.url(), &format!("service = \"{service}\"\nsigning_key = \"{KEY}\""));
            let ended = setting.run();
            if status == success {
                ended.assert_delivered();
            } else {
                ended.assert_deferred("4.3.5 Chatwoot is not set up to take the message");
            }
        }
    }
}

/// Mandrill's 200 is what every login page says too; Rails says it without a word.
#[test]
fn a_page_that_answers_200_has_not_taken_a_message_for_mandrill() {
    let long = "Content-Length: 19\r\n\r\n<form>log in</form>";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n";
    let cut_short = "Content-Length: 100\r\n\r\n";
    for (rest, is_page) in [
        (long, true),
        (chunked, true),
        (cut_short, true),
        ("Content-Length: 0\r\n\r\n", false),
        ("Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false),
        ("Connection: close\r\n\r\n", false),
    ] {
        let server = Server::saying(format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{rest}"));
        let setting =
            Setting::new(&server.url(), &format!("service = \"mandrill\"\nsigning_key = \"{KEY}\""));
        if !is_page {
            setting.run().assert_delivered();
            continue;
        }
        setting.run().assert_deferred("4.3.5 Chatwoot is not set up to take the message");
        let logged = setting.failure_logged();
        assert!(logged.contains(" cause=\"the endpoint answered 200 with a page, "), "{logged}");
        assert!(logged.contains(" remedy=\"correct url: a login page"), "{logged}");
    }
}

#[test]
fn a_message_that_mandrill_s_form_does_not_hold_is_refused_unsent() {
    let server = Server::answering(200);
    let setting = Setting::new(&server.url(), &format!("service = \"mandrill\"\nsigning_key = \"{KEY}\""));
    setting.ingress().stdin(message_of(17 << 20)).run().assert_rejected(TOO_LARGE);
    assert_eq!(server.connections(), 0);
    let logged = setting.failure_logged();
    assert!(
        logged.contains(" outcome=rejected ") || logged.contains("outcome=rejected code=5.3.4"),
        "{logged}"
    );
    assert!(logged.contains("bytes, Rack takes 16777216\""), "{logged}");
}

#[test]
fn the_service_is_named_by_file_environment_or_chatwoot_s_env() {
    let server = Server::answering(204);
    let setting = Setting::new(&server.url(), "service = \"postmark\"");
    setting.ingress().env("INGRESS_SERVICE", "sendgrid").run().assert_delivered();
    assert_eq!(path(&server.request()), "sendgrid/inbound_emails");
    let env = format!(
        "FRONTEND_URL={}\nRAILS_INBOUND_EMAIL_SERVICE=mailgun\nMAILGUN_INGRESS_SIGNING_KEY={KEY}\n",
        server.url()
    );
    setting.write("chatwoot.env", env, 0o600);
    let alone = Ingress::new().env("INGRESS_CHATWOOT_ENV", setting.path("chatwoot.env"));
    alone.env("INGRESS_LOG", "off").stdin(MESSAGE).run().assert_delivered();
    assert_eq!(path(server.requests().last().unwrap()), "mailgun/inbound_emails/mime");
}

#[test]
fn what_is_missing_or_wrong_is_said_in_the_log() {
    let missing = |service: &str, name: &str| {
        format!(
            "signing_key is missing: service {service} signs its requests with Chatwoot's {name}: set signing_key_file in %"
        )
    };
    for (more, cause) in [
        ("service = \"mailgun\"", missing("mailgun", "MAILGUN_INGRESS_SIGNING_KEY")),
        ("service = \"mandrill\"", missing("mandrill", "MANDRILL_INGRESS_API_KEY")),
        (
            "service = \"mailgun\"\nsigning_key = \"x\"\nsigning_key_file = \"/nonexistent\"",
            "%:6: signing_key and signing_key_file are both set: keep one".to_owned(),
        ),
        (
            "service = \"mailgun\"\nsigning_key_file = \"/nonexistent\"",
            "cannot read /nonexistent: no such file or directory".to_owned(),
        ),
        ("service = \"mailgun\"\nsigning_key = \"\"", "%:5: signing_key: the signing key is empty".to_owned()),
        (
            "service = \"ses\"",
            "%:4: service is \\\"ses\\\", which Amazon alone can sign: set Chatwoot's RAILS_INBOUND_EMAIL_SERVICE to relay"
                .to_owned(),
        ),
        (
            "service = \"gmail\"",
            "%:4: service must be \\\"relay\\\", \\\"sendgrid\\\", \\\"mailgun\\\", \\\"mandrill\\\" or \\\"postmark\\\"".to_owned(),
        ),
    ] {
        let setting = Setting::new(NOBODY, more);
        setting.run().assert_deferred(MISCONFIGURED);
        let cause = cause.replace('%', &setting.shown("ingress.toml"));
        assert!(setting.failure_logged().contains(&format!(" cause=\"{cause}\" ")), "{}", setting.log());
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let setting = Setting::new(NOBODY, "");
    setting.write("key", KEY, 0o644);
    let file = setting.shown("key");
    setting.configure_more(&format!("service = \"mailgun\"\nsigning_key_file = \"{file}\""));
    setting.run().assert_deferred(MISCONFIGURED);
    let text = format!("url = \"{NOBODY}\"\nsigning_key = \"{KEY}\"\n");
    setting.write("open.toml", text, 0o644);
    let run =
        Ingress::new().args(["-c", &setting.shown("open.toml"), "--log", &setting.shown("ingress.log")]);
    run.stdin(MESSAGE).run().assert_deferred(MISCONFIGURED);
    let logged = setting.logged();
    for (line, name) in logged.iter().zip(["key", "open.toml"]) {
        assert!(line.contains(&format!("/{name} holds a password and others can read it")), "{line}");
        assert!(!line.contains(KEY));
    }
    assert_eq!(logged.len(), 2);
}

#[test]
fn a_rehearsal_answers_as_the_service_does() {
    for (service, answer) in
        [("sendgrid", "204"), ("mailgun", "204"), ("mandrill", "200"), ("postmark", "204")]
    {
        let setting = Setting::new("https://chat.name.invalid", &format!("service = \"{service}\""));
        let shown = Ingress::new().args(["try", "-c", &setting.shown("ingress.toml")]).output();
        let shown = String::from_utf8(shown).unwrap();
        assert!(
            shown.contains(&format!("    POST /rails/action_mailbox/{service}/inbound_emails")),
            "{shown}"
        );
        assert!(shown.contains(&format!("\nAnswer     {answer}\nOutput     none\n")), "{shown}");
    }
    let shown = Ingress::new().args(["try", "--answer", "404"]).env("INGRESS_SERVICE", "mailgun").output();
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("Remedy     set RAILS_INBOUND_EMAIL_SERVICE=mailgun in"), "{shown}");
}

#[test]
fn an_explanation_shows_what_the_service_is_sent() {
    let explain = |word: &str| {
        let run = Ingress::new().args(["explain", word, "-r", "support@example.com", "-"]).stdin(RAW);
        run.env("INGRESS_SERVICE", "mailgun").output()
    };
    assert_eq!(explain("--raw"), on_the_wire(SENT));
    let text = String::from_utf8(explain("--inbox=support@example.com")).unwrap();
    let rows = "\nService    mailgun: made 7-bit\n           support@example.com goes beside it, and becomes X-Original-To\n";
    assert!(text.contains(rows), "{text}");
    let json: serde_json::Value = serde_json::from_slice(&explain("--json")).unwrap();
    assert_eq!(json["service"], "mailgun");
    assert_eq!(json["copies"][0]["converted"], true);
    assert_eq!(json["copies"][0]["beside"], "support@example.com");
    assert_eq!(json["copies"][0]["size"], on_the_wire(SENT).len());
}
