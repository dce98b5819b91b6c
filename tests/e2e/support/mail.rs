//! The mail of the matrix.

/// A message as it comes in.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// What is special about it.
    pub(crate) name: &'static str,
    /// Envelope sender; empty for a bounce.
    pub(crate) sender: String,
    /// Envelope recipient.
    pub(crate) recipient: String,
    /// LF line ends.
    pub(crate) text: String,
    /// Its Message-ID, without brackets.
    pub(crate) id: String,
    /// Where Chatwoot is to file it.
    pub(crate) route: String,
}

const UUID: &str = "5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f";
const SENDER: &str = "customer@example.org";

/// A customer's reply to conversation [`UUID`].
pub(crate) fn reply(number: usize) -> Mail {
    let recipient = format!("reply+{UUID}@reply.example.com");
    Mail { route: format!("reply {UUID}"), ..message("a reply", number, SENDER, &recipient, &recipient) }
}

/// A message of five million bytes and a few.
pub(crate) fn large(number: usize) -> Mail {
    let mut mail = reply(number);
    mail.name = "five megabytes";
    mail.text.push_str(&"0123456789 0123456789 0123456789 0123456789 012345\n".repeat(100_000));
    mail
}

/// Mail with which mail servers and scripts go wrong. What is sent to an inbox names it in the envelope alone, but for the one whose
/// recipient is no address to write into a message.
pub(crate) fn tricks() -> Vec<Mail> {
    let reply_in_capitals = format!("REPLY+{}@REPLY.EXAMPLE.COM", UUID.to_uppercase());
    let elsewhere = "undisclosed-recipients:;";
    let support = "support@example.com";
    let mut tricks = vec![
        message("an inbox in the envelope alone", 101, SENDER, support, elsewhere),
        message("a null sender", 102, "", support, elsewhere),
        message("a sender that begins with a hyphen", 103, "-customer@example.org", support, elsewhere),
        message(
            "a recipient that begins with a hyphen",
            104,
            SENDER,
            "-help@reply.example.com",
            "support@example.com",
        ),
        message(
            "a recipient with a quote and a blank",
            105,
            SENDER,
            "\"o'brien b\"@reply.example.com",
            "support@example.com",
        ),
        message("a sender with a quote and a blank", 106, "\"o'brien b\"@example.org", support, elsewhere),
        message("a reply in capitals", 107, SENDER, &reply_in_capitals, &reply_in_capitals),
        reply(108),
    ];
    if let Some(capitals) = tricks.iter_mut().find(|mail| mail.id == "107@example.org") {
        capitals.route = format!("reply {UUID}");
    }
    tricks
}

fn message(name: &'static str, number: usize, sender: &str, recipient: &str, to: &str) -> Mail {
    let id = format!("{number}@example.org");
    let text = format!(
        "From: A Customer <{SENDER}>\nTo: {to}\nSubject: Message {number}\nDate: Mon, 23 Nov 2026 10:00:00 +0000\n\
         Message-ID: <{id}>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n\
         Hello,\n.a line with a dot\n\nBye\n"
    );
    Mail {
        name,
        sender: sender.to_owned(),
        recipient: recipient.to_owned(),
        text,
        id,
        route: "inbox support@example.com".to_owned(),
    }
}
