//! What Chatwoot would lose is mended before it is sent. Pure: the bytes sent depend on the message and its envelope recipient
//! alone, and repairing twice changes nothing.

mod addressees;
mod automatic;
mod content;
mod draft;
mod envelope_recipient;
mod identifiers;
mod kept;
#[cfg(test)]
mod laws;
mod preamble;
mod sender;

use std::collections::BTreeMap;

use crate::envelope::Sender;
use crate::message::address::Address;
use crate::message::line_ends::ExtraReturns;
use draft::Draft;
pub(crate) use envelope_recipient::taken_out as recipient_taken_out;

/// One thing that is mended, by its name in `[repair]`, in the log and in the manual.
#[derive(Debug)]
pub(crate) struct Repair {
    pub(crate) name: &'static str,
    /// What it does, as the manual's and `explain`'s one line.
    pub(crate) summary: &'static str,
    step: Step,
}

/// When a repair acts. Within a step, the order of the table is the order of work.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// While the message is read.
    LineEnds,
    /// On the whole message.
    Bytes(fn(&mut Vec<u8>) -> bool),
    /// On what stands before the header section.
    Preamble(crate::message::Preamble),
    /// On header fields, those of parts included; says whether it changed anything.
    Header(fn(&mut Draft<'_>) -> bool),
}

/// Every repair, in the order in which they act.
pub(crate) static REPAIRS: [Repair; 26] = [
    preamble::LINE_ENDS,
    preamble::NUL_BYTES,
    preamble::BYTE_ORDER_MARK,
    preamble::LEADING_BLANK_LINES,
    preamble::MBOX_FROM_LINE,
    identifiers::UNUSABLE_MESSAGE_ID,
    identifiers::MISSING_MESSAGE_ID,
    identifiers::UNREADABLE_BYTES,
    addressees::REPEATED_TO,
    addressees::UNPARSABLE_TO,
    addressees::UNPARSABLE_CC,
    addressees::MISSING_TO,
    addressees::REPLY_ADDRESS_IN_TO,
    addressees::RECIPIENT_FIRST,
    envelope_recipient::SINGLE_X_ORIGINAL_TO,
    sender::UNUSABLE_REPLY_TO,
    sender::UNUSABLE_FROM,
    automatic::REPEATED_FORWARDING_FIELD,
    automatic::REPEATED_AUTO_SUBMITTED,
    automatic::UNMARKED_AUTOMATIC_MAIL,
    content::UNKNOWN_TRANSFER_ENCODING,
    content::MISSING_CONTENT_TYPE,
    content::MISSING_CHARSET,
    content::WRONG_CHARSET,
    content::ATTACHED_MESSAGE,
    content::LONE_ATTACHMENT,
];

/// Which repairs are on: all, but for those that `[repair]` turns off.
#[derive(Clone, Debug, Default)]
pub(crate) struct Switches {
    off: Vec<&'static str>,
}

impl Switches {
    /// # Errors
    ///
    /// The first name that is no repair's.
    pub(crate) fn new(said: &BTreeMap<String, bool>) -> Result<Self, &str> {
        let mut off = Vec::new();
        for (name, on) in said {
            let repair = REPAIRS.iter().find(|repair| repair.name == name).ok_or(name.as_str())?;
            if !on {
                off.push(repair.name);
            }
        }
        Ok(Self { off })
    }

    /// These switches with none but the first `count` repairs of the table on.
    pub(crate) fn first(&self, count: usize) -> Self {
        let rest = REPAIRS.iter().skip(count).map(|repair| repair.name);
        Self { off: self.off.iter().copied().chain(rest).collect() }
    }

    fn is_on(&self, repair: &Repair) -> bool {
        !self.off.contains(&repair.name)
    }

    /// What the reader does about superfluous carriage returns.
    pub(crate) fn extra_returns(&self) -> ExtraReturns {
        if self.is_on(&preamble::LINE_ENDS) { ExtraReturns::Mend } else { ExtraReturns::Keep }
    }
}

/// A message as it was read, its lines ending in CRLF.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Unrepaired {
    pub(crate) bytes: Vec<u8>,
    /// Whether the reader took superfluous carriage returns out.
    pub(crate) returns_mended: bool,
}

/// A message as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Repaired {
    pub(crate) bytes: Vec<u8>,
    /// The names of the repairs that changed something, in the order of the table.
    pub(crate) repairs: Vec<&'static str>,
    /// How many parts have a file name.
    pub(crate) attachments: usize,
}

/// Mends a message for one envelope recipient.
///
/// Total, deterministic and idempotent: `repair(repair(m)) == repair(m)`. What needs no repair stays byte for byte. The envelope sender
/// counts only where the message has no usable From of its own, and where it is null.
pub(crate) fn repair(
    message: Unrepaired,
    recipient: Option<&Address>,
    sender: &Sender,
    switches: &Switches,
) -> Repaired {
    let Unrepaired { mut bytes, returns_mended } = message;
    let mut done = Vec::new();
    if returns_mended {
        done.push(preamble::LINE_ENDS.name);
    }
    let on = || REPAIRS.iter().filter(|repair| switches.is_on(repair));
    for repair in on() {
        if let Step::Bytes(mend) = repair.step
            && mend(&mut bytes)
        {
            done.push(repair.name);
        }
    }
    let start = preamble::strip(&bytes, switches, &mut done);
    let mut draft = Draft::new(bytes.get(start..).unwrap_or_default(), recipient, sender);
    for repair in on() {
        if let Step::Header(mend) = repair.step
            && mend(&mut draft)
        {
            done.push(repair.name);
        }
    }
    let attachments = draft.attachments();
    let changes = draft.changes();
    changes.apply(&mut bytes, start);
    Repaired { bytes, repairs: done, attachments }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::line_ends::LineEnds;

    pub(super) fn read(bytes: &[u8], switches: &Switches) -> Unrepaired {
        let mut line_ends = LineEnds::new(switches.extra_returns(), bytes.len()).unwrap();
        line_ends.push(bytes).unwrap();
        let (bytes, returns_mended) = line_ends.finish().unwrap();
        Unrepaired { bytes, returns_mended }
    }

    pub(super) fn repaired(bytes: &[u8], recipient: Option<&str>) -> Repaired {
        let recipient = recipient.and_then(Address::parse);
        let switches = Switches::default();
        repair(read(bytes, &switches), recipient.as_ref(), &Sender::Unknown, &switches)
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
            let switches = Switches::new(&BTreeMap::from([(repair_off.name.to_owned(), false)])).unwrap();
            let done = repair(read(message, &switches), None, &Sender::Unknown, &switches).repairs;
            assert!(!done.contains(&repair_off.name));
        }
        let misspelt = BTreeMap::from([("mising-to".to_owned(), false)]);
        assert_eq!(Switches::new(&misspelt).unwrap_err(), "mising-to");
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
