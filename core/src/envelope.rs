//! Sender and recipient of a message, as each caller hands them over: arguments, environment, header fields. Pure.

use std::ffi::{OsStr, OsString};

use crate::environment::Environment;
use crate::message::address::{self, Address};
use crate::message::header::Header;
use crate::message::header_of;

/// Who sent the message and whom this copy is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Distinct; none when the caller says nothing usable.
    pub recipients: Vec<Address>,
    /// Who named them: an option, a variable, a header field.
    pub named_by: Option<&'static str>,
    /// Who sent it.
    pub sender: Sender,
    /// What was said but cannot be an address, and where.
    pub ignored: Vec<String>,
}

/// The envelope sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Sender {
    /// Nobody said.
    #[default]
    Unknown,
    /// `<>`: a bounce.
    Null,
    /// Bounces go there.
    Known(Address),
}

/// Reads the envelope: `-r` and `-f`, else the environment, else the topmost fields of the message (with CRLF line ends).
pub fn read(
    recipients: &[OsString],
    sender: Option<&OsStr>,
    environment: &Environment,
    message: &[u8],
) -> Envelope {
    read_with(recipients, sender, environment, &header_of(message))
}

/// The same of a message whose header was read already.
pub fn read_with(
    recipients: &[OsString],
    sender: Option<&OsStr>,
    environment: &Environment,
    header: &Header<'_>,
) -> Envelope {
    let mut ignored = Vec::new();
    let found = of_arguments(recipients, &mut ignored)
        .or_else(|| of_environment(environment, &mut ignored))
        .or_else(|| of_fields(header));
    let (recipients, named_by) =
        found.map_or((Vec::new(), None), |(recipients, origin)| (recipients, Some(origin)));
    Envelope { recipients, named_by, sender: sender_of(sender, environment, header), ignored }
}

/// Recipients, and who named them.
type Found = (Vec<Address>, &'static str);

fn of_arguments(recipients: &[OsString], ignored: &mut Vec<String>) -> Option<Found> {
    let mut found: Vec<Address> = Vec::new();
    for text in recipients {
        if let Some(address) = usable("-r", text, ignored)
            && !found.iter().any(|other| other.same_mailbox(&address))
        {
            found.push(address);
        }
    }
    (!found.is_empty()).then_some((found, "-r"))
}

/// Every variable that says something about the envelope.
pub const VARIABLES: [&str; 13] = [
    "DEFAULT",
    "DOMAIN",
    "DTLINE",
    "EXT",
    "HOST",
    "LOCAL_PART",
    "LOCAL_PART_PREFIX",
    "LOCAL_PART_SUFFIX",
    "ORIGINAL_RECIPIENT",
    "ORIG_RECIPIENT",
    "RECIPIENT",
    "SENDER",
    "UFLINE",
];

/// The variables that carry a recipient, the one before any rewriting first: Postfix local(8), Dovecot Sieve, then everybody else.
const RECIPIENTS: [&str; 3] = ["ORIGINAL_RECIPIENT", "ORIG_RECIPIENT", "RECIPIENT"];

fn of_environment(environment: &Environment, ignored: &mut Vec<String>) -> Option<Found> {
    of_qmail(environment, ignored)
        .or_else(|| of_variables(environment, ignored))
        .or_else(|| of_exim(environment, ignored))
}

fn of_variables(environment: &Environment, ignored: &mut Vec<String>) -> Option<Found> {
    RECIPIENTS.iter().find_map(|name| {
        let address = usable(name, environment.raw(name)?, ignored)?;
        Some((vec![address], *name))
    })
}

/// qmail-local(8) and Courier: under a virtual domain `RECIPIENT` and `LOCAL` carry the controlling user's name as prefix; `EXT` is the local part
/// as the sender wrote it. `DTLINE` and `UFLINE` are set by no other mail server.
fn of_qmail(environment: &Environment, ignored: &mut Vec<String>) -> Option<Found> {
    environment.raw("DTLINE").or_else(|| environment.raw("UFLINE"))?;
    let local = environment.get("EXT").or_else(|| environment.get("DEFAULT"))?;
    let address = format!("{local}@{}", environment.get("HOST")?);
    usable("EXT@HOST", OsStr::new(&address), ignored).map(|address| (vec![address], "EXT@HOST"))
}

/// Exim with `batch_max` above 1 says `RECIPIENT=@domain`; the parts may still be there.
fn of_exim(environment: &Environment, ignored: &mut Vec<String>) -> Option<Found> {
    let local = environment.get("LOCAL_PART").filter(|local| *local != "NULL")?;
    let affix = |name| environment.get(name).unwrap_or_default();
    let address = format!(
        "{}{local}{}@{}",
        affix("LOCAL_PART_PREFIX"),
        affix("LOCAL_PART_SUFFIX"),
        environment.get("DOMAIN")?
    );
    usable("LOCAL_PART@DOMAIN", OsStr::new(&address), ignored)
        .map(|address| (vec![address], "LOCAL_PART@DOMAIN"))
}

/// The topmost field that a mail server writes a recipient into. A blank in the address is no more welcome here than in an option.
fn of_fields(header: &Header<'_>) -> Option<Found> {
    const FIELDS: [&str; 3] = ["X-Original-To", "Delivered-To", "Envelope-To"];
    let (mailbox, name) = header.fields().find_map(|field| {
        let name = FIELDS.iter().find(|name| field.name.eq_ignore_ascii_case(name.as_bytes()))?;
        Some((address::read(field.value).mailboxes.into_iter().next()?, *name))
    })?;
    Some((vec![Address::parse(&mailbox.address.to_string())?], name))
}

fn sender_of(argument: Option<&OsStr>, environment: &Environment, header: &Header<'_>) -> Sender {
    let said =
        argument.into_iter().chain(environment.raw("SENDER")).find_map(|text| sender_in(text.to_str()?));
    let in_field = || {
        header.named("Return-Path").find_map(|field| sender_in(std::str::from_utf8(field.trimmed()).ok()?))
    };
    said.or_else(in_field).unwrap_or_default()
}

/// Nothing, `<>`, Postfix's `MAILER-DAEMON` and qmail's `#@[]` are the null sender.
fn sender_in(text: &str) -> Option<Sender> {
    let text = text.trim();
    if matches!(text, "" | "<>" | "#@[]") || text.eq_ignore_ascii_case("MAILER-DAEMON") {
        return Some(Sender::Null);
    }
    Address::parse(text).map(Sender::Known)
}

/// The address in an argument or variable. Placeholders count as absent; anything else that is no address is ignored and said so.
fn usable(origin: &str, text: &OsStr, ignored: &mut Vec<String>) -> Option<Address> {
    let text = text.to_string_lossy();
    let address = if text.contains('\u{fffd}') { None } else { Address::parse(&text) };
    if address.is_none() && !is_placeholder(&text) {
        ignored.push(format!("{origin} {text} is no address"));
    }
    address
}

/// What callers write where they have no recipient: nothing, `<>`, `MAILER-DAEMON`, getmail's `unknown`, Exim's `@domain`, and
/// macros that were never expanded.
fn is_placeholder(text: &str) -> bool {
    let named =
        ["", "<>", "MAILER-DAEMON", "unknown"].iter().any(|word| text.trim().eq_ignore_ascii_case(word));
    named || text.starts_with('@') || text.contains("%(") || text.contains("${")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipients<const N: usize>(
        arguments: &[&str],
        environment: [(&str, &str); N],
        message: &str,
    ) -> Vec<String> {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let message = message.replace('\n', "\r\n");
        let envelope = read(&arguments, None, &Environment::from(environment), message.as_bytes());
        envelope.recipients.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn arguments_go_over_environment_over_fields() {
        let message = "From x\nDelivered-To: field@x\n\n";
        assert_eq!(recipients(&["arg@x"], [("RECIPIENT", "env@x")], message), ["arg@x"]);
        assert_eq!(recipients(&[], [("RECIPIENT", "env@x")], message), ["env@x"]);
        assert_eq!(recipients(&[], [], message), ["field@x"]);
        assert_eq!(recipients(&[], [], "To: a@b\n\n"), [""; 0]);
    }

    #[test]
    fn the_recipient_before_rewriting_wins() {
        assert_eq!(recipients(&[], [("RECIPIENT", "r@x"), ("ORIGINAL_RECIPIENT", "o@x")], ""), ["o@x"]);
        assert_eq!(recipients(&[], [("RECIPIENT", "r@x"), ("ORIG_RECIPIENT", "o@x")], ""), ["o@x"]);
    }

    #[test]
    fn several_distinct_recipients_are_kept_once_each() {
        assert_eq!(recipients(&["a@x", "b@x", "A@X"], [], ""), ["a@x", "b@x"]);
    }

    #[test]
    fn qmail_s_prefix_is_not_part_of_the_address() {
        let environment = [
            ("DTLINE", "Delivered-To: ingress-reply+x@reply.example.com\n"),
            ("RECIPIENT", "ingress-reply+x@reply.example.com"),
            ("EXT", "reply+x"),
            ("DEFAULT", "reply+x"),
            ("HOST", "reply.example.com"),
        ];
        assert_eq!(recipients(&[], environment, ""), ["reply+x@reply.example.com"]);
        let plain =
            [("DTLINE", "x"), ("RECIPIENT", "ingress@example.com"), ("EXT", ""), ("HOST", "example.com")];
        assert_eq!(recipients(&[], plain, ""), ["ingress@example.com"]);
    }

    #[test]
    fn placeholders_count_as_absent() {
        for word in [
            "",
            "<>",
            "MAILER-DAEMON",
            "unknown",
            "@example.com",
            "%(recipient)",
            "${recipient}",
            "${original_recipient}",
        ] {
            let envelope = read(
                &[word.into()],
                None,
                &Environment::default(),
                b"Delivered-To: unknown\r\nEnvelope-To: e@x\r\n",
            );
            assert_eq!(envelope.recipients, [Address::parse("e@x").unwrap()], "{word}");
            assert_eq!(envelope.ignored, [""; 0], "{word}");
        }
    }

    #[test]
    fn an_address_with_tricks_is_ignored_and_said_so() {
        for text in ["a b@x", "a@x\r\nBcc: evil@x", "a@x\0", "no-address"] {
            let envelope = read(&[text.into()], None, &Environment::default(), b"");
            assert_eq!(envelope.recipients, [], "{text}");
            assert_eq!(envelope.ignored.len(), 1, "{text}");
        }
    }

    #[test]
    fn exim_s_parts_stand_in_when_its_recipient_is_a_batch() {
        let environment =
            [("RECIPIENT", "@example.com"), ("LOCAL_PART", "support"), ("DOMAIN", "example.com")];
        assert_eq!(recipients(&[], environment, ""), ["support@example.com"]);
        let batch = [("RECIPIENT", "@example.com"), ("LOCAL_PART", "NULL"), ("DOMAIN", "example.com")];
        assert_eq!(recipients(&[], batch, ""), [""; 0]);
    }

    #[test]
    fn the_topmost_usable_field_counts() {
        let message = "Delivered-To: unknown\nX-Original-To: Bob <true@x>\nDelivered-To: lower@x\n\n";
        assert_eq!(recipients(&[], [], message), ["true@x"]);
        assert_eq!(recipients(&[], [], "X-Original-To: \"a b\"@x\nDelivered-To: lower@x\n\n"), [""; 0]);
    }

    #[test]
    fn senders_are_known_null_or_unknown() {
        let sender = |argument: Option<&str>, environment: Environment, message: &str| {
            read(&[], argument.map(OsStr::new), &environment, message.as_bytes()).sender
        };
        let none = Environment::default;
        let known = |text| Sender::Known(Address::parse(text).unwrap());
        assert_eq!(sender(Some("a@b"), Environment::from([("SENDER", "c@d")]), ""), known("a@b"));
        assert_eq!(sender(None, Environment::from([("SENDER", "c@d")]), ""), known("c@d"));
        assert_eq!(sender(None, none(), "Return-Path: <e@f>\r\n"), known("e@f"));
        for null in ["", "<>", "MAILER-DAEMON", "#@[]"] {
            assert_eq!(sender(Some(null), none(), "Return-Path: <e@f>\r\n"), Sender::Null);
        }
        assert_eq!(sender(Some("%(sender)"), none(), ""), Sender::Unknown);
        assert_eq!(sender(None, Environment::from([("SENDER", "")]), ""), Sender::Null);
    }
}
