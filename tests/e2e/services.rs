//! The ingresses of all five services at a real Action Mailbox: what is delivered through each is the same mail.

use std::process::Command;
use std::sync::OnceLock;

use ring::digest::{SHA256, digest};

use crate::support::Ingress;
use crate::support::action_mailbox::{ActionMailbox, Routed};
use crate::support::corpus::{Sample, samples};
use crate::support::folder::{Folder, PASSWORD, SIGNING_KEY, append};
use crate::support::oracle::{Verdict, judge};

const MESSAGE: &[u8] = include_bytes!("../../examples/messages/reply.eml");

const REFUSED: &str = "4.7.0 Chatwoot refused the mail gateway";
const NOT_SET_UP: &str = "4.3.5 Chatwoot is not set up to take the message";
const TOO_LARGE: &str = "5.3.4 The message is too large";

/// A message that goes to a service, and what Chatwoot does with it.
struct Letter {
    what: String,
    envelope: Vec<String>,
    recipient: Option<String>,
    bytes: Vec<u8>,
    /// What is stored of it when nothing is changed.
    unchanged: Option<Vec<u8>>,
    route: String,
}

impl From<Sample> for Letter {
    fn from(sample: Sample) -> Self {
        // Action Mailbox here has no address of its own.
        let is_own = sample.ids.iter().any(|id| id == "D9");
        let route = if is_own { "inbox support@example.com" } else { &sample.after };
        Self {
            envelope: sample.envelope(),
            recipient: sample.recipient.clone(),
            bytes: sample.bytes(),
            unchanged: (sample.is_healthy() && sample.bytes().is_ascii()).then(|| sample.crlf()),
            route: route.to_owned(),
            what: sample.file,
        }
    }
}

/// A server that is set to a service, and the configuration for it.
struct Deployment {
    folder: Folder,
    server: ActionMailbox,
}

impl Deployment {
    fn of(service: &str) -> Self {
        Self::with(service, &[])
    }

    /// One whose server has more in its environment.
    fn with(service: &str, more: &'static [(&'static str, &'static str)]) -> Self {
        let folder = Folder::new();
        let server = ActionMailbox::start_with(folder.path(), service, more);
        let deployment = Self { folder, server };
        deployment.configure(service, PASSWORD, SIGNING_KEY);
        deployment
    }

    fn configure(&self, service: &str, password: &str, key: &str) {
        self.folder.configure(&self.server.url(), password);
        let more = format!("service = \"{service}\"\nsigning_key = \"{key}\"\n");
        append(&self.folder.join("ingress.toml"), &more);
    }

    fn ingress(&self, message: &[u8]) -> Ingress {
        Ingress::new(["-c", &self.folder.shown("ingress.toml")]).stdin(message)
    }

    fn deliver(&self, letter: &Letter) {
        let envelope: Vec<&str> = letter.envelope.iter().map(String::as_str).collect();
        let ended = self.ingress(&letter.bytes).args(&envelope).run();
        let said = (ended.status, ended.stdout.as_str(), ended.stderr.as_str());
        assert_eq!(said, (Some(0), "", ""), "{}: {}", letter.what, self.folder.ingress_log());
    }

    /// The records with what Chatwoot did with each, and what the judge says of it.
    fn judged(&self, count: usize) -> Vec<Judged> {
        let mut routed = self.server.routed(count);
        routed.sort_by_key(|routed| routed.id);
        let stored: Vec<Vec<u8>> = routed.iter().map(|routed| self.server.stored(routed.id)).collect();
        let verdicts = judge(&stored);
        let judged = routed.into_iter().zip(stored).zip(verdicts);
        judged.map(|((routed, stored), verdict)| Judged { routed, stored, verdict }).collect()
    }
}

/// A record.
struct Judged {
    routed: Routed,
    stored: Vec<u8>,
    verdict: Verdict,
}

/// Every byte there is, in an attachment that is not encoded, beside names and text that are not ASCII.
fn raw() -> Letter {
    let mut bytes = "From: J\u{fc}rgen M\u{fc}ller <j@example.org>\nTo: K\u{e4}the <sales@example.com>\n\
        Subject: Gr\u{fc}\u{df}e an =?utf-8?q?alle?= \u{1f600}\nMessage-ID: <raw@example.org>\nMIME-Version: 1.0\n\
        Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\
        Content-Transfer-Encoding: 8bit\n\nGr\u{fc}\u{df}e = \u{4f60}\u{597d} \n-- \nJ\u{fc}rgen\n--b\n\
        Content-Type: application/octet-stream; name=\"r\u{e4}um.bin\"\n\
        Content-Disposition: attachment; filename=\"r\u{e4}um.bin\"\nContent-Transfer-Encoding: binary\n\n"
        .as_bytes()
        .to_vec();
    bytes.extend(every_byte());
    bytes.extend_from_slice(
        "\n--b\nContent-Type: text/csv; name=\"data.csv\"; charset=iso-8859-1\nContent-Disposition: attachment\n\nk\u{fc};1\n--b--\n"
            .as_bytes(),
    );
    Letter {
        what: "raw".to_owned(),
        envelope: vec!["-r".to_owned(), "support@example.com".to_owned()],
        recipient: Some("support@example.com".to_owned()),
        bytes,
        unchanged: None,
        route: "inbox sales@example.com".to_owned(),
    }
}

/// All bytes but those of line ends, which every mail server may change.
fn every_byte() -> impl Iterator<Item = u8> {
    (0..=255).filter(|byte| !matches!(byte, b'\r' | b'\n')).cycle().take(10_000)
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

fn letters() -> Vec<Letter> {
    samples().into_iter().map(Letter::from).chain([raw()]).collect()
}

/// Delivers everything through a service, and gives what the judge says of the records.
fn delivered_through(service: &str) -> Vec<(Letter, Judged)> {
    let deployment = Deployment::of(service);
    let letters = letters();
    letters.iter().for_each(|letter| deployment.deliver(letter));
    let judged = deployment.judged(letters.len());
    assert_eq!((judged.len(), deployment.server.records()), (letters.len(), letters.len()));
    letters.into_iter().zip(judged).collect()
}

/// What the judge says of all mail as it arrives through the relay.
fn through_the_relay() -> &'static [Verdict] {
    static VERDICTS: OnceLock<Vec<Verdict>> = OnceLock::new();
    VERDICTS
        .get_or_init(|| delivered_through("relay").into_iter().map(|(_, judged)| judged.verdict).collect())
}

/// Delivers everything through a service, and holds what is stored against what the relay stores.
fn all_mail_is_the_same_through(service: &str) {
    let expected = through_the_relay();
    assert!(expected.len() > 150);
    for ((letter, judged), expected) in delivered_through(service).into_iter().zip(expected) {
        let Judged { routed, stored, verdict } = judged;
        let what = format!("{} through {service}", letter.what);
        assert_eq!(routed.route, letter.route, "{what}");
        assert_eq!(&verdict, expected, "{what}");
        assert!(routed.x_original_to.len() <= 1, "{what}: {routed:?}");
        let beside = letter.recipient.as_ref().filter(|_| matches!(service, "sendgrid" | "mailgun"));
        if let Some(unchanged) = letter.unchanged {
            let mut expected = String::from_utf8(unchanged).unwrap();
            if let Some(recipient) = beside {
                expected = expected.replace(&format!("X-Original-To: {recipient}\r\n"), "");
                expected.insert_str(0, &format!("X-Original-To: {recipient}\n"));
            }
            assert_eq!(String::from_utf8(stored).unwrap(), expected, "{what}");
        }
        if let Some(recipient) = beside {
            assert_eq!(routed.x_original_to, std::slice::from_ref(recipient), "{what}");
        }
    }
}

#[test]
fn all_mail_arrives_through_sendgrid_as_through_the_relay() {
    all_mail_is_the_same_through("sendgrid");
}

#[test]
fn all_mail_arrives_through_mailgun_as_through_the_relay() {
    all_mail_is_the_same_through("mailgun");
}

#[test]
fn all_mail_arrives_through_mandrill_as_through_the_relay() {
    all_mail_is_the_same_through("mandrill");
}

#[test]
fn all_mail_arrives_through_postmark_as_through_the_relay() {
    all_mail_is_the_same_through("postmark");
}

const SERVICES: [&str; 5] = ["relay", "sendgrid", "mailgun", "mandrill", "postmark"];

#[test]
fn a_raw_attachment_keeps_every_byte_through_each_service() {
    for service in SERVICES {
        let deployment = Deployment::of(service);
        deployment.deliver(&raw());
        let Judged { routed, verdict, .. } = deployment.judged(1).remove(0);
        let sent: Vec<u8> = every_byte().collect();
        assert_eq!(verdict.attachments[0], ("r\u{e4}um.bin".to_owned(), sha256(&sent)), "{service}");
        assert!(verdict.text.unwrap().starts_with("Gr\u{fc}\u{df}e = \u{4f60}\u{597d} "), "{service}");
        assert_eq!(routed.x_original_to, ["support@example.com"], "{service}");
    }
}

#[test]
fn a_retry_is_no_second_record_and_a_wrong_key_keeps_the_message() {
    for service in SERVICES {
        let deployment = Deployment::of(service);
        for _ in 0..2 {
            deployment.ingress(MESSAGE).args(&["-r", "support@example.com"]).run().assert_delivered();
        }
        assert_eq!(deployment.server.routed(1).len(), 1, "{service}");
        deployment.configure(service, "wrong", "wrong");
        deployment.ingress(MESSAGE).run().assert_failed(75, REFUSED);
        let variable = match service {
            "mailgun" => "MAILGUN_INGRESS_SIGNING_KEY",
            "mandrill" => "MANDRILL_INGRESS_API_KEY",
            _ => "RAILS_INBOUND_EMAIL_PASSWORD",
        };
        let log = deployment.folder.ingress_log();
        let last = log.lines().next_back().unwrap();
        assert!(last.contains("status=401") && last.contains(variable), "{last}");
        assert_eq!((deployment.server.records(), deployment.server.posts()), (1, 3), "{service}");
    }
}

#[test]
fn a_chatwoot_that_is_set_to_another_service_keeps_the_message() {
    let deployment = Deployment::of("relay");
    for service in &SERVICES[1..] {
        deployment.configure(service, PASSWORD, SIGNING_KEY);
        deployment.ingress(MESSAGE).run().assert_failed(75, NOT_SET_UP);
        let log = deployment.folder.ingress_log();
        let last = log.lines().next_back().unwrap();
        let remedy = format!("remedy=\"set RAILS_INBOUND_EMAIL_SERVICE={service} in Chatwoot's environment");
        assert!(last.contains("status=404") && last.contains(&remedy), "{last}");
    }
    assert_eq!(deployment.server.records(), 0);
}

#[test]
fn mailgun_s_signature_wants_clocks_that_agree_within_two_minutes() {
    let refused = |seconds| {
        let other = Deployment::with("mailgun", seconds);
        other.ingress(MESSAGE).run().assert_failed(75, REFUSED);
        let log = other.folder.ingress_log();
        assert!(log.contains("status=401") && log.contains("the clock of both"), "{log}");
        assert_eq!(other.server.records(), 0);
    };
    let taken = |seconds| Deployment::with("mailgun", seconds).ingress(MESSAGE).run().assert_delivered();
    refused(&[("SECONDS_AHEAD", "150")]);
    taken(&[("SECONDS_AHEAD", "60")]);
    taken(&[("SECONDS_AHEAD", "-60")]);
    if refuses_what_comes_from_the_future() {
        refused(&[("SECONDS_AHEAD", "-150")]);
    } else {
        taken(&[("SECONDS_AHEAD", "-150")]);
    }
}

/// Whether the installed Action Mailbox has the fix of CVE-2026-126068: before it, only a signature that was too old was refused.
fn refuses_what_comes_from_the_future() -> bool {
    const CONTROLLER: &str = "app/controllers/action_mailbox/ingresses/mailgun/inbound_emails_controller.rb";
    let path = format!("File.join(Gem::Specification.find_by_name('actionmailbox').gem_dir, '{CONTROLLER}')");
    let source = Command::new("ruby").args(["-e", &format!("print File.read({path})")]).output().unwrap();
    assert!(source.status.success(), "{}", String::from_utf8_lossy(&source.stderr));
    String::from_utf8(source.stdout).unwrap().contains("2.minutes.from_now")
}

/// A message of so many bytes with CRLF line ends.
fn message_of(size: usize) -> Vec<u8> {
    let mut message =
        b"From: a@example.org\r\nTo: support@example.com\r\nMessage-ID: <large@example.org>\r\n\
        Content-Type: text/plain; charset=utf-8\r\n\r\n"
            .to_vec();
    while message.len() + 78 < size {
        message.extend_from_slice(&[b'x'; 76]);
        message.extend_from_slice(b"\r\n");
    }
    message.resize(size - 2, b'x');
    message.extend_from_slice(b"\r\n");
    message
}

/// What a message has beside its text in Mandrill's form: boundary lines, JSON around it, and a backslash for each CR and LF.
fn largest_for_mandrill() -> Vec<u8> {
    let form = |message: &[u8]| {
        let escaped = message.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
        message.len() + escaped + "[{\"event\":\"inbound\",\"msg\":{\"raw_msg\":\"\"}}]".len() + 150
    };
    let limit = 16 << 20;
    let mut message = message_of(limit * 78 / 80 - 300);
    let spare = limit - form(&message);
    let end = message.len() - 2;
    message.splice(end..end, vec![b'y'; spare]);
    assert_eq!(form(&message), limit);
    message
}

#[test]
fn the_largest_that_mandrill_s_form_holds_is_stored_and_one_byte_more_is_refused_unsent() {
    let deployment = Deployment::of("mandrill");
    let mut message = largest_for_mandrill();
    deployment.ingress(&message).run().assert_delivered();
    assert!(deployment.server.stored(1) == message);
    message.insert(message.len() - 2, b'y');
    deployment.ingress(&message).run().assert_failed(65, TOO_LARGE);
    assert_eq!(deployment.server.posts(), 1);
    let log = deployment.folder.ingress_log();
    assert!(
        log.lines()
            .next_back()
            .unwrap()
            .contains("remedy=\"set Chatwoot to RAILS_INBOUND_EMAIL_SERVICE=relay"),
        "{log}"
    );
}

#[test]
fn the_other_services_store_what_is_larger_than_a_form() {
    for service in ["sendgrid", "mailgun", "postmark"] {
        let deployment = Deployment::of(service);
        let message = message_of(20 << 20);
        deployment.ingress(&message).run().assert_delivered();
        assert!(deployment.server.stored(1) == message, "{service}");
    }
}
