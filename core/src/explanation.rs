//! What would become of a message: its structure, its repairs with before and after, its route. Pure; `explain` shows it.

use bytes::Bytes;
use serde::Serialize;

use crate::envelope::{Envelope, Sender};
use crate::message::address::{self, Address};
use crate::message::encoded_word;
use crate::message::growth::OutOfMemory;
use crate::message::header::{self, Header};
use crate::message::mime::content_type::{ContentType, filename};
use crate::message::mime::{Part, last};
use crate::repair::{REPAIRS, Unrepaired, repair};
use crate::route::{self, Route};
use crate::rules::Rules;
use crate::shown::{Attachment, ContentLoss, Shown};
use crate::wire_message::WireMessage;

/// Everything that can be said of a message before it is sent; the form of `explain --json`.
#[derive(Debug, Serialize)]
pub struct Explanation {
    /// In bytes, with CRLF line ends.
    pub size: usize,
    /// Whom it is for and from.
    pub envelope: EnvelopeJson,
    /// `RAILS_INBOUND_EMAIL_SERVICE` of the Chatwoot that it goes to.
    pub service: &'static str,
    /// The tree of its parts, as it was read.
    pub parts: Vec<PartJson>,
    /// One for each envelope recipient.
    pub copies: Vec<CopyJson>,
}

/// An [`Envelope`].
#[derive(Debug, Serialize)]
pub struct EnvelopeJson {
    /// Distinct.
    pub recipients: Vec<String>,
    /// The option, variable or field that named the recipients.
    pub named_by: Option<&'static str>,
    /// `<>` for the null sender.
    pub sender: Option<String>,
    /// What was said but is no address.
    pub ignored: Vec<String>,
}

/// A part of the message, in the order of the tree.
#[derive(Debug, Serialize)]
pub struct PartJson {
    /// 0 for the message itself.
    pub depth: usize,
    /// `text/plain`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// As it is declared.
    pub charset: Option<String>,
    /// The name of the file.
    pub name: Option<String>,
    /// As encoded, in bytes.
    pub size: usize,
}

/// A copy as it would be sent for one recipient.
#[derive(Debug, Serialize)]
pub struct CopyJson {
    /// Whom this copy is for.
    pub recipient: Option<String>,
    /// In bytes, as sent.
    pub size: usize,
    /// Whom Chatwoot takes for the sender.
    pub sender: Option<String>,
    /// The addresses in To.
    pub to: Vec<String>,
    /// The addresses in Cc.
    pub cc: Vec<String>,
    /// What was changed, in the order of the table.
    pub repairs: Vec<RepairJson>,
    /// Whether it is made 7-bit, because the service takes nothing else.
    pub converted: bool,
    /// The envelope recipient that goes beside the message, and comes back as X-Original-To.
    pub beside: Option<String>,
    /// What no repair can help.
    pub warnings: Vec<String>,
    /// Whether Chatwoot greets its sender (false) or takes it for automatic mail (true).
    pub automatic: bool,
    /// What the agent sees of it.
    pub shown: ShownJson,
    /// Where Chatwoot files it.
    pub route: RouteJson,
    /// Where it would have gone as it came.
    pub route_without_repairs: RouteJson,
    /// What is sent.
    #[serde(skip)]
    pub bytes: Bytes,
}

/// What an agent sees of the content.
#[derive(Debug, Serialize)]
pub struct ShownJson {
    /// The first lines of the text, those of HTML without its tags.
    pub text: Vec<String>,
    /// The files beside the text.
    pub attachments: Vec<AttachmentJson>,
}

/// A file that the agent can open.
#[derive(Debug, Serialize)]
pub struct AttachmentJson {
    /// Its name, decoded.
    pub name: String,
    /// As the part declares it.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Decoded, in bytes.
    pub size: usize,
}

impl From<Shown> for ShownJson {
    fn from(shown: Shown) -> Self {
        const LINES: usize = 5;
        const WIDTH: usize = 100;
        let lines = shown.text.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES);
        let attachment = |file: Attachment| AttachmentJson {
            name: file.name,
            media_type: file.media_type,
            size: file.size,
        };
        Self {
            text: lines.map(|line| line.chars().take(WIDTH).collect()).collect(),
            attachments: shown.attachments.into_iter().map(attachment).collect(),
        }
    }
}

/// A repair that changed something.
#[derive(Debug, Serialize)]
pub struct RepairJson {
    /// As in `[repair]`.
    pub name: &'static str,
    /// What it does.
    pub summary: &'static str,
    /// Header fields that it takes away or changes, and what takes their place.
    pub before: Vec<String>,
    /// What stands there now.
    pub after: Vec<String>,
}

/// A [`Route`].
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct RouteJson {
    /// `reply`, `inbox`, `unknown`, `dropped`, `fails`, `refused`.
    pub kind: &'static str,
    /// The same in words.
    pub text: String,
    /// Whether anybody sees the message.
    pub arrives: bool,
}

impl From<&Route> for RouteJson {
    fn from(route: &Route) -> Self {
        Self { kind: route.word(), text: route.to_string(), arrives: route.arrives() }
    }
}

/// Explains a message, as it was read, for its envelope.
///
/// # Errors
///
/// When there is no memory for the form in which the service takes it.
pub fn explain(message: &Unrepaired, envelope: &Envelope, rules: &Rules) -> Result<Explanation, OutOfMemory> {
    let recipients = match envelope.recipients.as_slice() {
        [] => vec![None],
        some => some.iter().map(Some).collect(),
    };
    let copy = |recipient: Option<&Address>| copy(message, recipient, &envelope.sender, rules);
    Ok(Explanation {
        service: rules.service.name(),
        size: message.bytes.len(),
        envelope: EnvelopeJson {
            recipients: envelope.recipients.iter().map(ToString::to_string).collect(),
            named_by: envelope.named_by,
            sender: match &envelope.sender {
                Sender::Unknown => None,
                Sender::Null => Some("<>".to_owned()),
                Sender::Known(address) => Some(address.to_string()),
            },
            ignored: envelope.ignored.clone(),
        },
        parts: parts(&message.bytes),
        copies: recipients.into_iter().map(copy).collect::<Result<_, _>>()?,
    })
}

fn copy(
    message: &Unrepaired,
    recipient: Option<&Address>,
    sender: &Sender,
    rules: &Rules,
) -> Result<CopyJson, OutOfMemory> {
    let (enabled, chatwoot) = (&rules.repairs, &rules.chatwoot);
    let mut repairs = Vec::new();
    let mut stage = repair(message.clone(), recipient, sender, &enabled.first(0)).bytes;
    let mut breaks_signature = false;
    for (number, repair_shown) in REPAIRS.iter().enumerate() {
        let next = repair(message.clone(), recipient, sender, &enabled.first(number + 1));
        if next.repairs.contains(&repair_shown.name) {
            let (before, after) = difference(&header_lines(&stage), &header_lines(&next.bytes));
            repairs.push(RepairJson {
                name: repair_shown.name,
                summary: repair_shown.summary,
                before,
                after,
            });
        }
        breaks_signature = next.breaks_signature;
        stage = next.bytes;
    }
    let shown = Shown::of(&stage);
    let header = route::header_of(&stage);
    let route = route::predict(&stage, chatwoot);
    let (to, cc) = (addresses(&header, "To"), addresses(&header, "Cc"));
    let mut warnings = warnings(&shown, &route);
    if breaks_signature {
        warnings.push("its signature no longer verifies: a repair changes what it covers".to_owned());
    }
    let (sender, automatic) = (route::sender(&header), route::is_automatic(&header));
    let wire_message = WireMessage::write(stage, recipient, rules.service, enabled)?;
    Ok(CopyJson {
        recipient: recipient.map(ToString::to_string),
        size: wire_message.bytes.len(),
        sender,
        to,
        cc,
        repairs,
        converted: wire_message.converted,
        beside: wire_message.recipient,
        warnings,
        automatic,
        shown: ShownJson::from(shown),
        route: RouteJson::from(&route),
        route_without_repairs: RouteJson::from(&route::predict(as_it_came(message), chatwoot)),
        bytes: wire_message.bytes,
    })
}

/// What Rails sees of a message without repairs: of one whose lines ended in `CR CR LF` the first field, then an empty line.
fn as_it_came(message: &Unrepaired) -> &[u8] {
    let first = memchr::memmem::find(&message.bytes, b"\r\n").map_or(message.bytes.len(), |end| end + 2);
    let seen = if message.returns_repaired { message.bytes.get(..first) } else { None };
    seen.unwrap_or(&message.bytes)
}

fn warnings(shown: &Shown, route: &Route) -> Vec<String> {
    let mut warnings = Vec::new();
    if !route.arrives() {
        warnings.push(format!("nobody will see it: {route}"));
    }
    match shown.lost {
        Some(ContentLoss::HtmlCharset) => {
            warnings
                .push("nobody will see it: its HTML names a charset that Content-Type does not".to_owned());
        }
        Some(ContentLoss::TransferEncoding) | None => {}
    }
    if shown.hidden_text {
        warnings.push("nothing of its text will be shown".to_owned());
    }
    for kind in &shown.missing {
        warnings.push(format!("a file will be missing: {kind}, without a name that Chatwoot reads"));
    }
    if matches!(route, Route::Reply(_)) {
        for name in shown.refused_by_website() {
            warnings.push(format!("a website conversation refuses {name}, and loses the whole message"));
        }
    }
    warnings.extend(route::too_many(shown.attachments.len()));
    warnings
}

fn addresses(header: &Header<'_>, name: &str) -> Vec<String> {
    let mailboxes = last(header, name).map(|field| address::read(field.value).mailboxes).unwrap_or_default();
    mailboxes.into_iter().map(|mailbox| mailbox.address.to_string()).collect()
}

/// The tree of parts, flattened with depths.
fn parts(bytes: &[u8]) -> Vec<PartJson> {
    let start = crate::message::preamble_length(bytes);
    let message = bytes.get(start..).unwrap_or_default();
    let (section, body) = message.split_at_checked(header::section_length(message)).unwrap_or((message, &[]));
    let header = Header::parse(section);
    let whole = Part::of_message(&header, body);
    let mut shown = vec![part_shown(&header, &whole, 0)];
    add_children(&whole, body, 1, &mut shown);
    shown
}

fn add_children(part: &Part, body: &[u8], depth: usize, shown: &mut Vec<PartJson>) {
    for child in &part.children {
        shown.push(part_shown(&child.fields(body), child, depth));
        add_children(child, body, depth + 1, shown);
    }
}

fn part_shown(header: &Header<'_>, part: &Part, depth: usize) -> PartJson {
    let kind = part.content_type.clone().unwrap_or_else(|| ContentType::parse(b"text/plain"));
    let named =
        |field: &str| last(header, field).and_then(|field| filename(&field)).map(|name| text(&name.value));
    PartJson {
        depth,
        media_type: kind.media_type,
        charset: kind.charset.map(|charset| text(&charset.value)),
        name: named("Content-Disposition").or_else(|| named("Content-Type")),
        size: part.body.len(),
    }
}

fn text(bytes: &[u8]) -> String {
    encoded_word::decode(&encoded_word::raw_text(bytes))
}

/// The fields of the message and of its parts, each on one line.
fn header_lines(bytes: &[u8]) -> Vec<String> {
    let header = route::header_of(bytes);
    let start = crate::message::preamble_length(bytes);
    let message = bytes.get(start..).unwrap_or_default();
    let body = message.get(header::section_length(message)..).unwrap_or_default();
    let mut lines = lines_of(&header);
    for part in Part::of_message(&header, body).walk().into_iter().skip(1) {
        lines.extend(lines_of(&part.fields(body)));
    }
    lines
}

fn lines_of(header: &Header<'_>) -> Vec<String> {
    let line = |field: header::Field<'_>| {
        let value: Vec<String> =
            encoded_word::raw_text(field.value).split_whitespace().map(str::to_owned).collect();
        format!("{}: {}", String::from_utf8_lossy(field.name), value.join(" "))
    };
    header.fields().map(line).collect()
}

/// What is in one list and not in the other, each as often as it is missing.
fn difference(before: &[String], after: &[String]) -> (Vec<String>, Vec<String>) {
    let missing = |from: &[String], of: &[String]| {
        let mut rest: Vec<&String> = of.iter().collect();
        let gone = from.iter().filter(|line| match rest.iter().position(|other| other == line) {
            Some(at) => {
                rest.swap_remove(at);
                false
            }
            None => true,
        });
        gone.cloned().collect()
    };
    (missing(before, after), missing(after, before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Chatwoot;

    fn explained(text: &str) -> Explanation {
        let message = Unrepaired { bytes: text.replace('\n', "\r\n").into_bytes(), returns_repaired: false };
        let envelope = Envelope {
            recipients: vec![Address::parse("support@example.com").unwrap()],
            ..Envelope::default()
        };
        let chatwoot =
            Chatwoot { inboxes: vec![Address::parse("support@example.com").unwrap()], own_sender: None };
        explain(&message, &envelope, &Rules { chatwoot, ..Rules::default() }).unwrap()
    }

    #[test]
    fn a_repair_is_shown_with_before_and_after() {
        let explanation = explained(
            "From: a@b\nTo: Help: Desk <support@example.com>\nMessage-ID: <1@x>\nContent-Type: text/plain\n\nhi\n",
        );
        let copy = &explanation.copies[0];
        assert_eq!(copy.repairs.len(), 1);
        assert_eq!(copy.repairs[0].name, "unparsable-to");
        assert_eq!(copy.repairs[0].before, ["To: Help: Desk <support@example.com>"]);
        assert_eq!(
            copy.repairs[0].after,
            [
                "To: \"Help: Desk\" <support@example.com>",
                "X-Ingress-Original-To: Help: Desk <support@example.com>"
            ]
        );
        assert_eq!(copy.route.text, "inbox support@example.com");
        assert_eq!(copy.route_without_repairs.text, "dropped: its To cannot be parsed");
    }

    #[test]
    fn what_nobody_will_see_is_a_warning() {
        let explanation = explained(
            "From: a@b\nTo: x@y\nX-Original-To: x@y\nMessage-ID: <1@x>\nContent-Type: text/plain\n\nhi\n",
        );
        assert!(explanation.copies[0].warnings.is_empty());
        let many = "--b\nContent-Type: image/png; name=\"a.png\"\n\nx\n".repeat(16);
        let explanation = explained(&format!(
            "From: a@b\nTo: support@example.com\nContent-Type: multipart/mixed; boundary=b\n\n{many}--b--\n"
        ));
        assert_eq!(explanation.copies[0].warnings, ["it has 16 attachments; Chatwoot keeps the last 15"]);
        assert_eq!(explanation.parts.len(), 17);
    }
}
