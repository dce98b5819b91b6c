//! Where Chatwoot files a message, foretold by its own rules. Pure.
//!
//! The rules are those of Chatwoot 4.14 (`ApplicationMailbox`, `ReplyMailbox`, `MailPresenter`), seen through Ruby's mail gem.

mod sender;

use std::fmt;

use crate::message::address::{self, Address, Item};
use crate::message::encoded_word;
use crate::message::header::{self, Field, Header};
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{Part, last};

pub use crate::message::header_of;
pub use sender::{first_address, is_usable, named_sender, sender};

/// What is known of the Chatwoot at the other end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chatwoot {
    /// The addresses of its inboxes; none when they are not known.
    pub inboxes: Vec<Address>,
    /// `MAILER_SENDER_EMAIL`: mail from it is its own, and begins no conversation.
    pub own_sender: Option<Address>,
}

/// What becomes of a message after the 204.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// The conversation with this UUID: the one that To, In-Reply-To or References name.
    Reply(String),
    /// A conversation in the inbox with this address: one that holds a message it answers, else a new one.
    Inbox(Address),
    /// The inboxes are not known: the one whose address stands first among these.
    FirstInboxOf(Vec<Address>),
    /// Stored, and never seen.
    Dropped(DropReason),
    /// The job raises, and the message never appears.
    Fails(DropReason),
    /// The endpoint answers 500 for ever.
    Refused(DropReason),
}

/// Why a message is lost. The ids are those of `docs/chatwoot.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// D1.
    NoTo,
    /// D2.
    UnparsableTo,
    /// D3 to D5, or mail for somebody else.
    NoInbox,
    /// D7, D8, D17 and D18.
    UnusableSender,
    /// D9.
    OwnSender,
    /// F1.
    MalformedCc,
    /// F4.
    EmptyOriginalTo,
    /// F2 and F3.
    RepeatedField,
    /// F5.
    TransferEncoding,
    /// F6.
    Bytes,
    /// P1.
    MessageId,
    /// `<ann>` alone: the mail gem raises.
    NoDomain,
    /// F11.
    LongDate,
    /// F9 and F10.
    TooLong,
}

impl fmt::Display for DropReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::NoTo => "it has no To",
            Self::UnparsableTo => "its To cannot be parsed",
            Self::NoInbox => "no inbox has one of its addresses",
            Self::UnusableSender => "its sender has no usable address",
            Self::OwnSender => "it is from Chatwoot's own address (MAILER_SENDER_EMAIL)",
            Self::MalformedCc => "its Cc or Bcc cannot be parsed",
            Self::EmptyOriginalTo => "its X-Original-To is empty",
            Self::RepeatedField => "a field that must stand once stands twice",
            Self::TransferEncoding => "it has an unknown Content-Transfer-Encoding",
            Self::Bytes => "a header field holds bytes that are not UTF-8",
            Self::MessageId => "its Message-ID holds NUL or bytes that are not UTF-8",
            Self::NoDomain => "an address in brackets has no domain",
            Self::LongDate => "its Date or Resent-Date has more than 128 characters",
            Self::TooLong => {
                "its Subject, its In-Reply-To or its sender's address is too long to begin a conversation"
            }
        })
    }
}

/// How many candidates are told.
const SHOWN: usize = 5;

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(uuid) => write!(formatter, "reply to conversation {uuid}"),
            Self::Inbox(address) => write!(formatter, "inbox {address}"),
            Self::FirstInboxOf(addresses) => match addresses.as_slice() {
                [only] => write!(formatter, "the inbox with the address {only}, if there is one"),
                several => {
                    let list: Vec<String> = several.iter().take(SHOWN).map(ToString::to_string).collect();
                    let more = if several.len() > SHOWN { ", ..." } else { "" };
                    write!(formatter, "the inbox whose address comes first among {}{more}", list.join(", "))
                }
            },
            Self::Dropped(loss) => write!(formatter, "dropped: {loss}"),
            Self::Fails(loss) => write!(formatter, "never seen: {loss}"),
            Self::Refused(loss) => write!(formatter, "refused with 500 for ever: {loss}"),
        }
    }
}

impl Route {
    /// Whether the message is seen by anybody.
    pub fn arrives(&self) -> bool {
        matches!(self, Self::Reply(_) | Self::Inbox(_) | Self::FirstInboxOf(_))
    }

    /// One word for the log: `reply`, `inbox`, `dropped`, `fails`, `refused`; `unknown` where only the inboxes' addresses decide.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Reply(_) => "reply",
            Self::Inbox(_) => "inbox",
            Self::FirstInboxOf(_) => "unknown",
            Self::Dropped(_) => "dropped",
            Self::Fails(_) => "fails",
            Self::Refused(_) => "refused",
        }
    }
}

/// Foretells what becomes of these bytes (with CRLF line ends), repaired or not.
pub fn predict(message: &[u8], chatwoot: &Chatwoot) -> Route {
    // The mail gem strips blanks, but takes a byte order mark for the start of the first field's name.
    let blanks = message.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let message = message.get(blanks..).unwrap_or_default();
    let length = header::section_length(message);
    let (section, body) = message.split_at_checked(length).unwrap_or((message, &[]));
    let header = Header::parse(section);
    match of_header(&header, chatwoot) {
        route if route.arrives() && has_unknown_encoding(&header, body) => {
            Route::Fails(DropReason::TransferEncoding)
        }
        route => route,
    }
}

/// The same by the header section alone: enough for a message whose parts are in order.
pub fn of_header(header: &Header<'_>, chatwoot: &Chatwoot) -> Route {
    if last(header, "Message-ID")
        .is_some_and(|field| field.value.contains(&0) || std::str::from_utf8(field.value).is_err())
    {
        return Route::Refused(DropReason::MessageId);
    }
    let route = addressed(header, chatwoot);
    if !route.arrives() {
        return route;
    }
    if let Some(lost) = lost_on_the_way(header) {
        return lost;
    }
    match route {
        Route::Reply(uuid) => Route::Reply(uuid),
        inbox => {
            answered(header).map(Route::Reply).or_else(|| refused_as_new(header, chatwoot)).unwrap_or(inbox)
        }
    }
}

/// The conversation that In-Reply-To or References name in an id of Chatwoot's own.
fn answered(header: &Header<'_>) -> Option<String> {
    let ids = |name| last(header, name).map(|field| String::from_utf8_lossy(field.value).into_owned());
    ["In-Reply-To", "References"]
        .into_iter()
        .filter_map(ids)
        .find_map(|ids| ids.split(['<', '>', ' ', '\t', '\r', '\n']).find_map(conversation_of))
}

/// The UUID in an id of Chatwoot's: `conversation/UUID/messages/ID@domain`, `account/ID/conversation/UUID@domain`.
pub fn conversation_of(id: &str) -> Option<String> {
    let (path, _) = id.split_once('@')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let steps: Vec<&str> = path.split('/').collect();
    let uuid = match steps.as_slice() {
        ["conversation", uuid, "messages", number] if is_number(number) => uuid,
        ["account", number, "conversation", uuid] if is_number(number) => uuid,
        _ => return None,
    };
    is_uuid(uuid).then(|| uuid.to_ascii_lowercase())
}

/// The most characters that Chatwoot stores of Subject and In-Reply-To with a new conversation (`JsonbAttributesLengthValidator`).
pub const LONGEST_STORED: usize = 1500;
/// The most characters of a sender's address.
const LONGEST_SENDER: usize = 255;

/// What keeps a message from beginning a conversation.
fn refused_as_new(header: &Header<'_>, chatwoot: &Chatwoot) -> Option<Route> {
    let Some(sender) = sender(header) else { return Some(Route::Dropped(DropReason::UnusableSender)) };
    let own = chatwoot.own_sender.as_ref().map(ToString::to_string);
    if own.is_some_and(|own| own.eq_ignore_ascii_case(&sender)) {
        return Some(Route::Dropped(DropReason::OwnSender));
    }
    let subject = last(header, "Subject").map_or(0, |field| shown_length(field.value));
    let answered = last(header, "In-Reply-To").map_or(0, |field| stored_length(field.value));
    let too_long =
        subject > LONGEST_STORED || answered > LONGEST_STORED || sender.chars().count() > LONGEST_SENDER;
    too_long.then_some(Route::Fails(DropReason::TooLong))
}

/// How many characters a field has, unfolded.
pub fn stored_length(value: &[u8]) -> usize {
    let folds = memchr::memmem::find_iter(value, b"\r\n").count() * 2;
    String::from_utf8_lossy(value.trim_ascii()).chars().count().saturating_sub(folds)
}

/// How many bytes of a text are decoded: 1500 characters need far fewer.
const MOST_DECODED: usize = 256 * 1024;

/// How many characters a field has, unfolded and decoded; of more than 256 KiB it is not asked how many.
pub fn shown_length(value: &[u8]) -> usize {
    let value = value.trim_ascii();
    if value.len() > MOST_DECODED {
        return usize::MAX;
    }
    let text = encoded_word::decode(&encoded_word::raw_text(value));
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).count()
}

/// The beginning of a field, decoded: as much of it as can be shown, and more.
pub fn shown_start(value: &[u8]) -> String {
    let value = value.trim_ascii();
    let start = value.get(..MOST_DECODED).unwrap_or(value);
    // No character and no encoded word is cut.
    let end = start.iter().rposition(u8::is_ascii_whitespace).filter(|_| start.len() < value.len());
    encoded_word::decode(&encoded_word::raw_text(start.get(..end.unwrap_or(start.len())).unwrap_or(start)))
}

/// The rules of `ApplicationMailbox`: a conversation's address in To, else an inbox among To, Cc, the bare X-Original-To, Bcc.
fn addressed(header: &Header<'_>, chatwoot: &Chatwoot) -> Route {
    let Some(to) = last(header, "To").filter(|field| !field.trimmed().is_empty()) else {
        return Route::Dropped(DropReason::NoTo);
    };
    let Some(items) = address::gem_reads(to.value) else { return Route::Dropped(DropReason::UnparsableTo) };
    if items.contains(&Item::WordInBrackets) {
        return Route::Fails(DropReason::NoDomain);
    }
    let to = addresses_of(items);
    if let Some(uuid) = to.iter().find_map(|address| reply_uuid(address.local())) {
        return Route::Reply(uuid);
    }
    let Some(cc) = optional(header, "Cc") else { return Route::Fails(DropReason::MalformedCc) };
    let original = match original_to(header) {
        Ok(original) => original,
        Err(loss) => return Route::Fails(loss),
    };
    let Some(bcc) = optional(header, "Bcc") else { return Route::Fails(DropReason::MalformedCc) };
    in_an_inbox(to.into_iter().chain(cc).chain(original).chain(bcc).collect(), chatwoot)
}

fn in_an_inbox(candidates: Vec<Address>, chatwoot: &Chatwoot) -> Route {
    if chatwoot.inboxes.is_empty() {
        return match candidates.is_empty() {
            true => Route::Dropped(DropReason::NoInbox),
            false => Route::FirstInboxOf(candidates),
        };
    }
    let inbox = candidates
        .iter()
        .find_map(|address| chatwoot.inboxes.iter().find(|inbox| plain(inbox) == plain(address)));
    inbox.map_or(Route::Dropped(DropReason::NoInbox), |inbox| Route::Inbox(inbox.clone()))
}

/// An address as Chatwoot compares it: lower case, without `+tag`.
fn plain(address: &Address) -> String {
    let local = address.local().split('+').next().unwrap_or_default();
    format!("{local}@{}", address.domain()).to_lowercase()
}

/// The addresses of a field, when the mail gem reads it.
fn parsed(value: &[u8]) -> Option<Vec<Address>> {
    address::gem_reads(value).map(addresses_of)
}

fn addresses_of(items: Vec<Item>) -> Vec<Address> {
    let address = |item| match item {
        Item::Address(address) => Some(address),
        _ => None,
    };
    items.into_iter().filter_map(address).collect()
}

/// The addresses of a field that may be missing; nothing when it cannot be read.
fn optional(header: &Header<'_>, name: &str) -> Option<Vec<Address>> {
    match last(header, name).filter(|field| !field.trimmed().is_empty()) {
        None => Some(Vec::new()),
        Some(field) => parsed(field.value),
    }
}

/// A single X-Original-To, read as plain text; several count as none.
fn original_to(header: &Header<'_>) -> Result<Option<Address>, DropReason> {
    let fields: Vec<Field<'_>> = header.named("X-Original-To").collect();
    match fields.as_slice() {
        [field] if field.trimmed().is_empty() => Err(DropReason::EmptyOriginalTo),
        [field] => Ok(std::str::from_utf8(field.trimmed())
            .ok()
            .and_then(Address::parse)
            .filter(|_| !field.trimmed().starts_with(b"<"))),
        _ => Ok(None),
    }
}

/// What makes the job raise, whichever way a message takes.
fn lost_on_the_way(header: &Header<'_>) -> Option<Route> {
    let twice = |name: &&str| header.named(name).nth(1).is_some();
    let not_utf8 = |name: &&str| {
        header.named(name).any(|field| std::str::from_utf8(field.value).is_err() || field.value.contains(&0))
    };
    const STORED: [&str; 6] =
        ["References", "In-Reply-To", "Reply-To", "X-Original-From", "X-Original-Sender", "X-Forwarded-For"];
    if STORED.iter().any(not_utf8) || has_unreadable_date(header) {
        return Some(Route::Fails(DropReason::Bytes));
    }
    if ["Date", "Resent-Date"]
        .iter()
        .any(|name| header.named(name).any(|field| is_too_long_a_date(field.value)))
    {
        return Some(Route::Fails(DropReason::LongDate));
    }
    let first_in_brackets = |name| {
        address::gem_reads(last(header, name)?.value)
            .map(|items| items.first() == Some(&Item::WordInBrackets))
    };
    if ["Reply-To", "X-Original-Sender", "From"].into_iter().find_map(first_in_brackets) == Some(true) {
        return Some(Route::Fails(DropReason::NoDomain));
    }
    let repeated =
        ["X-Forwarded-For", "X-Original-Sender", "X-Original-From", "Auto-Submitted", "X-Autoreply"]
            .iter()
            .any(twice);
    repeated.then_some(Route::Fails(DropReason::RepeatedField))
}

/// Whether Ruby refuses to parse a date for its length: 128 bytes, closed comments and runs of spaces not counted.
pub fn is_too_long_a_date(value: &[u8]) -> bool {
    const LONGEST: usize = 128;
    value.len() > LONGEST && without_comments(value).len() > LONGEST
}

/// A date without folds, comments, and but the first of several spaces. A comment ends at the first parenthesis; one that does not is none.
pub fn without_comments(value: &[u8]) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::new();
    let mut rest = value.trim_ascii();
    let mut closed = memchr::memrchr(b')', rest).map_or(0, |last| last + 1);
    while let Some((byte, after)) = rest.split_first() {
        let end = (*byte == b'(' && closed > 0).then(|| memchr::memchr(b')', rest)).flatten();
        let taken = end.map_or(1, |end| end + 1);
        if end.is_none() && !matches!(byte, b'\r' | b'\n') && !(*byte == b' ' && text.last() == Some(&b' ')) {
            text.push(*byte);
        }
        closed = closed.saturating_sub(taken);
        rest = rest.get(taken..).unwrap_or(after);
    }
    text
}

/// Whether the date holds bytes that are not UTF-8 outside its comments.
fn has_unreadable_date(header: &Header<'_>) -> bool {
    let before_comment =
        |field: Field<'_>| field.value.split(|byte| *byte == b'(').next().map(<[u8]>::to_vec);
    last(header, "Date").and_then(before_comment).is_some_and(|date| std::str::from_utf8(&date).is_err())
}

fn has_unknown_encoding(header: &Header<'_>, body: &[u8]) -> bool {
    let unknown = |header: &Header<'_>| {
        last(header, "Content-Transfer-Encoding")
            .is_some_and(|field| TransferEncoding::read(field.trimmed()) == TransferEncoding::Unknown)
    };
    let whole = Part::of_message(header, body);
    unknown(header) || whole.walk().into_iter().skip(1).any(|part| unknown(&part.fields(body)))
}

/// Whether Chatwoot treats a message as automatic, and does not greet its sender.
pub fn is_automatic(header: &Header<'_>) -> bool {
    let marked = last(header, "Auto-Submitted")
        .is_some_and(|field| field.trimmed() != b"no" && !field.trimmed().is_empty());
    marked || last(header, "X-Autoreply").is_some_and(|field| field.trimmed().eq_ignore_ascii_case(b"yes"))
}

/// What to say of a message with more attachments than Chatwoot keeps (`Attachment` limit of a message: 15): the first ones are lost.
pub fn too_many(attachments: usize) -> Option<String> {
    const MOST: usize = 15;
    (attachments > MOST).then(|| format!("it has {attachments} attachments; Chatwoot keeps the last {MOST}"))
}

/// The UUID in the local part of a conversation's address, `reply+UUID`, in any case; given in lower case.
pub fn reply_uuid(local: &str) -> Option<String> {
    let prefix = local.get(..6).filter(|prefix| prefix.eq_ignore_ascii_case("reply+"))?;
    let uuid = local.get(prefix.len()..)?;
    is_uuid(uuid).then(|| uuid.to_ascii_lowercase())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let sized = groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]);
    sized && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f";

    fn route(text: &str) -> String {
        let address = |text| Address::parse(text).unwrap();
        let chatwoot = Chatwoot {
            inboxes: vec![address("support@example.com"), address("sales@example.com")],
            own_sender: Some(address("noreply@example.com")),
        };
        let message = format!("From: a@example.org\n{text}\n\nhello\n").replace('\n', "\r\n");
        predict(message.as_bytes(), &chatwoot).to_string()
    }

    #[test]
    fn a_conversation_s_address_in_to_goes_first() {
        assert_eq!(
            route(&format!("To: support@example.com, Reply+{}@x", UUID.to_uppercase())),
            format!("reply to conversation {UUID}")
        );
        assert_eq!(
            route(&format!("To: a@b\nCc: reply+{UUID}@x")),
            "dropped: no inbox has one of its addresses"
        );
        assert_eq!(route("To: reply+nonsense@x"), "dropped: no inbox has one of its addresses");
    }

    #[test]
    fn inboxes_are_looked_for_in_to_cc_x_original_to_and_bcc() {
        for field in [
            "To: x@y, Support+Tag@example.com",
            "To: x@y\nCc: support@example.com",
            "To: x@y\nX-Original-To: support@example.com",
            "To: x@y\nBcc: support@example.com",
        ] {
            assert_eq!(route(field), "inbox support@example.com", "{field}");
        }
        assert_eq!(route("To: sales@example.com\nCc: support@example.com"), "inbox sales@example.com");
        assert_eq!(
            route("To: x@y\nX-Original-To: <support@example.com>"),
            "dropped: no inbox has one of its addresses"
        );
        assert_eq!(
            route("To: x@y\nX-Original-To: sales@example.com\nX-Original-To: sales@example.com"),
            "dropped: no inbox has one of its addresses"
        );
    }

    #[test]
    fn what_is_lost_is_lost_for_a_reason() {
        for (text, expected) in [
            ("Cc: support@example.com", "dropped: it has no To"),
            ("To: Help: Desk <support@example.com>", "dropped: its To cannot be parsed"),
            (
                "To: support@example.com\nReply-To: Smith, Bob <b@x>",
                "dropped: its sender has no usable address",
            ),
            (
                "To: support@example.com\nReply-To: noreply@example.com",
                "dropped: it is from Chatwoot's own address (MAILER_SENDER_EMAIL)",
            ),
            ("To: support@example.com\nCc: Sales: Bob <b@x>", "never seen: its Cc or Bcc cannot be parsed"),
            ("To: support@example.com\nX-Original-To:", "never seen: its X-Original-To is empty"),
            (
                "To: support@example.com\nAuto-Submitted: no\nAuto-Submitted: no",
                "never seen: a field that must stand once stands twice",
            ),
            (
                "To: support@example.com\nContent-Transfer-Encoding: odd",
                "never seen: it has an unknown Content-Transfer-Encoding",
            ),
            (
                "To: support@example.com\nMessage-ID: <\0@b>",
                "refused with 500 for ever: its Message-ID holds NUL or bytes that are not UTF-8",
            ),
            ("To: Support <support>", "never seen: an address in brackets has no domain"),
        ] {
            assert_eq!(route(text), expected, "{text}");
        }
    }

    #[test]
    fn without_inboxes_the_candidates_are_told() {
        let message = b"From: a@b\r\nTo: c@d, e@f\r\nCc: g@h\r\n\r\n";
        let told = predict(message, &Chatwoot::default()).to_string();
        assert_eq!(told, "the inbox whose address comes first among c@d, e@f, g@h");
    }

    #[test]
    fn automatic_mail_is_what_chatwoot_takes_for_it() {
        let automatic = |text: &str| is_automatic(&Header::parse(text.as_bytes()));
        assert!(automatic("Auto-Submitted: auto-replied\r\n") && automatic("X-Autoreply: Yes\r\n"));
        assert!(!automatic("Auto-Submitted: no\r\n") && !automatic("Precedence: bulk\r\n"));
    }
}
