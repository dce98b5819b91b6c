//! A message through all its repairs.

use super::draft::Draft;
use super::table::{REPAIRS, Step};
use super::{EnabledRepairs, field_limit, preamble};
use crate::envelope::Sender;
use crate::message::address::Address;
use crate::message::header::Header;

/// A message as it was read, its lines ending in CRLF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unrepaired {
    /// The whole message.
    pub bytes: Vec<u8>,
    /// Whether the reader took superfluous carriage returns out.
    pub returns_repaired: bool,
}

/// A message as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The whole message, its lines ending in CRLF.
    pub bytes: Vec<u8>,
    /// The names of the repairs that changed something, in the order of the table.
    pub repairs: Vec<&'static str>,
    /// How many parts have a file name.
    pub attachments: usize,
    /// The size of the largest attachment, decoded, of a message to a conversation's address; 0 for other mail.
    pub largest_attachment: usize,
    /// Whether a repair changed what a signature covers.
    pub breaks_signature: bool,
}

/// Repairs a message for one envelope recipient.
///
/// Total, deterministic and idempotent: `repair(repair(m)) == repair(m)`. What needs no repair stays byte for byte. The envelope sender
/// counts only where the message has no usable From of its own, and where it is null.
pub fn repair(
    message: Unrepaired,
    recipient: Option<&Address>,
    sender: &Sender,
    enabled: &EnabledRepairs,
) -> Repaired {
    repair_and_look(message, recipient, sender, enabled, |_| ()).0
}

/// How often a message goes through its repairs at most. Twice is enough for all that is known.
const MOST_PASSES: usize = 4;

/// The same, and shows the repaired header: whoever wants to know something of it need not read it again.
pub fn repair_and_look<T>(
    message: Unrepaired,
    recipient: Option<&Address>,
    sender: &Sender,
    enabled: &EnabledRepairs,
    look: impl Fn(&Header<'_>) -> T,
) -> (Repaired, T) {
    let Unrepaired { mut bytes, returns_repaired } = message;
    let mut done = Vec::new();
    if returns_repaired {
        done.push(preamble::LINE_ENDS.name);
    }
    let mut breaks_signature = false;
    let mut passes = 1;
    loop {
        let pass = pass(&mut bytes, (recipient, sender, enabled), &mut done, &look);
        breaks_signature |= pass.breaks_signature;
        if !pass.has_news || passes == MOST_PASSES {
            let Pass { attachments, largest_attachment, seen, .. } = pass;
            let repairs = in_order(&done);
            return (Repaired { bytes, repairs, attachments, largest_attachment, breaks_signature }, seen);
        }
        passes += 1;
    }
}

/// What one pass came to.
struct Pass<T> {
    attachments: usize,
    largest_attachment: usize,
    breaks_signature: bool,
    /// Whether a repair made something of a part that other repairs look at.
    has_news: bool,
    seen: T,
}

fn pass<T>(
    bytes: &mut Vec<u8>,
    (recipient, sender, enabled): (Option<&Address>, &Sender, &EnabledRepairs),
    done: &mut Vec<&'static str>,
    look: impl Fn(&Header<'_>) -> T,
) -> Pass<T> {
    let on = || REPAIRS.iter().filter(|repair| enabled.is_on(repair));
    for repair in on() {
        if let Step::Bytes(step) = repair.step
            && step(bytes)
        {
            done.push(repair.name);
        }
    }
    let start = preamble::strip(bytes, enabled, done);
    let mut draft = Draft::new(bytes.get(start..).unwrap_or_default(), recipient, sender);
    // Without a single field it is no message: nobody delivers it.
    let is_message = draft.header.fields().next().is_some();
    let mut has_news = false;
    for repair in on().filter(|_| is_message) {
        let changed = match repair.step {
            Step::Header(step) => step(&mut draft),
            Step::Content(step) => {
                let changed = step(&mut draft);
                has_news |= changed;
                changed
            }
            Step::LineEnds | Step::Bytes(_) | Step::Preamble(_) => false,
        };
        if changed {
            done.push(repair.name);
        }
    }
    if enabled.is_on(&field_limit::TOO_MANY_FIELDS) && field_limit::keep_within(&mut draft.header) {
        done.push(field_limit::TOO_MANY_FIELDS.name);
    }
    let (attachments, largest_attachment) = (draft.attachments(), draft.largest_attachment);
    let breaks_signature = draft.breaks_signature();
    let seen = look(&draft.header);
    let changes = draft.changes();
    changes.apply(bytes, start);
    Pass { attachments, largest_attachment, breaks_signature, has_news, seen }
}

/// The names of the repairs that were made, in the order of the table.
fn in_order(done: &[&'static str]) -> Vec<&'static str> {
    REPAIRS.iter().map(|repair| repair.name).filter(|name| done.contains(name)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::message::line_ends::LineEnds;
    use std::collections::BTreeMap;

    pub(in crate::repair) fn read(bytes: &[u8], enabled: &EnabledRepairs) -> Unrepaired {
        let mut line_ends = LineEnds::new(enabled.extra_returns(), bytes.len()).unwrap();
        line_ends.push(bytes).unwrap();
        let (bytes, returns_repaired) = line_ends.finish().unwrap();
        Unrepaired { bytes, returns_repaired }
    }

    pub(in crate::repair) fn repaired(bytes: &[u8], recipient: Option<&str>) -> Repaired {
        let recipient = recipient.and_then(Address::parse);
        let enabled = EnabledRepairs::default();
        repair(read(bytes, &enabled), recipient.as_ref(), &Sender::Unknown, &enabled)
    }

    /// A sound header, to be followed by what a test is about.
    pub(in crate::repair) const HEAD: &str = "From: a@b\nTo: c@d\nMessage-ID: <1@x>\nMIME-Version: 1.0\n";

    /// What is sent of a message with such a header, with LF line ends.
    pub(in crate::repair) fn sent(rest: &str) -> String {
        let repaired = repaired(format!("{HEAD}{rest}").as_bytes(), None);
        String::from_utf8_lossy(&repaired.bytes).replace("\r\n", "\n")
    }

    fn text(bytes: &[u8], recipient: Option<&str>) -> String {
        String::from_utf8_lossy(&repaired(bytes, recipient).bytes).into_owned()
    }

    const HEALTHY: &[u8] = b"From: a@example.org\nTo: Support <support@example.com>\nSubject: hi\nMessage-ID: <1@example.org>\nContent-Type: text/plain\n\nhello\n";

    #[test]
    fn a_healthy_message_is_untouched_but_for_line_ends() {
        let expected = String::from_utf8_lossy(HEALTHY).replace('\n', "\r\n");
        for recipient in [Some("support@example.com"), Some("SUPPORT@Example.Com"), None] {
            let repaired = repaired(HEALTHY, recipient);
            assert_eq!(String::from_utf8_lossy(&repaired.bytes), expected);
            assert_eq!(repaired.repairs, [""; 0]);
        }
    }

    #[test]
    fn an_envelope_recipient_that_stands_nowhere_is_written_down() {
        assert!(
            text(HEALTHY, Some("sales@example.com"))
                .starts_with("X-Original-To: sales@example.com\r\nFrom: ")
        );
    }

    #[test]
    fn every_preamble_is_taken_off() {
        let repaired =
            repaired(b"\xef\xbb\xbf\n \n>From a Mon\nFrom: a@b\nTo: c@d\r\r\nMessage-ID: <1@x>\nContent-Type: text/html\n\n", None);
        assert_eq!(
            String::from_utf8_lossy(&repaired.bytes),
            "From: a@b\r\nTo: c@d\r\nMessage-ID: <1@x>\r\nContent-Type: text/html\r\n\r\n"
        );
        assert_eq!(
            repaired.repairs,
            ["line-ends", "byte-order-mark", "leading-blank-lines", "mbox-from-line"]
        );
    }

    #[test]
    fn a_switch_turns_one_repair_off() {
        let message = b"From x\nTo: c@d\n\nhello\n";
        for repair_off in &REPAIRS {
            let enabled =
                EnabledRepairs::new(&BTreeMap::from([(repair_off.name.to_owned(), false)])).unwrap();
            let done = repair(read(message, &enabled), None, &Sender::Unknown, &enabled).repairs;
            assert!(!done.contains(&repair_off.name));
        }
        let misspelt = BTreeMap::from([("mising-to".to_owned(), false)]);
        assert_eq!(EnabledRepairs::new(&misspelt).unwrap_err(), "mising-to");
    }

    #[test]
    fn the_names_are_distinct_kebab_case() {
        for repair in &REPAIRS {
            assert!(
                repair.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'),
                "{}",
                repair.name
            );
            assert_eq!(REPAIRS.iter().filter(|other| other.name == repair.name).count(), 1);
            assert!(!repair.summary.is_empty());
        }
    }
}
