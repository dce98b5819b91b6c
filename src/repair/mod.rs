//! What Chatwoot would lose is mended before it is sent. Pure: the bytes sent depend on the message and its envelope recipient
//! alone, and repairing twice changes nothing.

mod identifiers;
mod kept;
mod preamble;
mod recipients;

use std::collections::BTreeMap;

use crate::message::address::Address;
use crate::message::header::{self, Header};
use crate::message::line_ends::ExtraReturns;

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
    /// On what stands before the header section.
    Preamble(crate::message::Preamble),
    /// On header fields; says whether it changed anything.
    Header(fn(&mut Draft<'_>) -> bool),
}

/// Every repair, in the order in which they act.
pub(crate) static REPAIRS: [Repair; 7] = [
    preamble::LINE_ENDS,
    preamble::BYTE_ORDER_MARK,
    preamble::LEADING_BLANK_LINES,
    preamble::MBOX_FROM_LINE,
    identifiers::UNUSABLE_MESSAGE_ID,
    identifiers::MISSING_MESSAGE_ID,
    recipients::SINGLE_X_ORIGINAL_TO,
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
}

/// A message under repair: its header section in editable form, its body as it is.
struct Draft<'a> {
    header: Header<'a>,
    body: &'a [u8],
    recipient: Option<&'a Address>,
}

/// Mends a message for one envelope recipient.
///
/// Total, deterministic and idempotent: `repair(repair(m)) == repair(m)`. What needs no repair stays byte for byte.
pub(crate) fn repair(message: Unrepaired, recipient: Option<&Address>, switches: &Switches) -> Repaired {
    let Unrepaired { mut bytes, returns_mended } = message;
    let mut repairs = Vec::new();
    if returns_mended {
        repairs.push(preamble::LINE_ENDS.name);
    }
    let start = preamble::strip(&bytes, switches, &mut repairs);
    let mended = mended_header(bytes.get(start..).unwrap_or_default(), recipient, switches, &mut repairs);
    match mended {
        Some((length, header)) => drop(bytes.splice(..start + length, header)),
        None => drop(bytes.drain(..start)),
    }
    Repaired { bytes, repairs }
}

/// The header section with every repair of fields done, and the length of the one it replaces; nothing when no repair was needed.
fn mended_header(
    message: &[u8],
    recipient: Option<&Address>,
    switches: &Switches,
    repairs: &mut Vec<&'static str>,
) -> Option<(usize, Vec<u8>)> {
    let length = header::section_length(message);
    let (section, body) = message.split_at_checked(length)?;
    let mut draft = Draft { header: Header::parse(section), body, recipient };
    for repair in REPAIRS.iter().filter(|repair| switches.is_on(repair)) {
        if let Step::Header(mend) = repair.step
            && mend(&mut draft)
        {
            repairs.push(repair.name);
        }
    }
    draft.header.is_changed().then(|| (length, draft.header.to_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::line_ends::LineEnds;
    use proptest::prelude::*;

    fn read(bytes: &[u8], switches: &Switches) -> Unrepaired {
        let mut line_ends = LineEnds::new(switches.extra_returns(), bytes.len()).unwrap();
        line_ends.push(bytes).unwrap();
        let (bytes, returns_mended) = line_ends.finish();
        Unrepaired { bytes, returns_mended }
    }

    fn repaired(bytes: &[u8], recipient: Option<&str>) -> Repaired {
        let recipient = recipient.and_then(Address::parse);
        let switches = Switches::default();
        repair(read(bytes, &switches), recipient.as_ref(), &switches)
    }

    fn text(bytes: &[u8], recipient: Option<&str>) -> String {
        String::from_utf8_lossy(&repaired(bytes, recipient).bytes).into_owned()
    }

    const HEALTHY: &[u8] = b"From: a@example.org\nTo: Support <support@example.com>\nSubject: hi\nMessage-ID: <1@example.org>\n\nhello\n";

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
            repaired(b"\xef\xbb\xbf\n \n>From a Mon\nFrom: a@b\nTo: c@d\r\r\nMessage-ID: <1@x>\n\n", None);
        assert_eq!(
            String::from_utf8_lossy(&repaired.bytes),
            "From: a@b\r\nTo: c@d\r\nMessage-ID: <1@x>\r\n\r\n"
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
            let done = repair(read(message, &switches), None, &switches).repairs;
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

    /// Lines as they come in mail, good and bad, in any order.
    fn message() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            Just(&b"To: support@example.com"[..]),
            Just(&b"Cc: Sales <sales@example.com>"[..]),
            Just(&b"Message-ID: <1@example.org>"[..]),
            Just(&b"Message-ID:"[..]),
            Just(&b"Message-ID: <\xe4@b>\0"[..]),
            Just(&b"X-Original-To: support@example.com"[..]),
            Just(&b"X-Original-To: <sales@example.com>"[..]),
            Just(&b"X-Original-To:"[..]),
            Just(&b"From bob Mon Jan 1"[..]),
            Just(&b"\xef\xbb\xbfFrom: a@b"[..]),
            Just(&b"From: =?utf-8?q?=C3=A4?= <a@b>"[..]),
            Just(&b" folded"[..]),
            Just(&b""[..]),
            Just(&b"\r"[..]),
            Just(&b"text \xff\0"[..]),
        ];
        let end = prop_oneof![Just(&b"\n"[..]), Just(&b"\r\n"[..]), Just(&b"\r\r\n"[..]), Just(&b""[..])];
        proptest::collection::vec((line, end), 0..12)
            .prop_map(|lines| lines.into_iter().flat_map(|(line, end)| [line, end].concat()).collect())
    }

    fn recipient() -> impl Strategy<Value = Option<&'static str>> {
        prop_oneof![Just(None), Just(Some("support@example.com")), Just(Some("reply+x@example.com"))]
    }

    proptest! {
        #[test]
        fn repairing_twice_changes_nothing(message in message(), recipient in recipient()) {
            let once = repaired(&message, recipient);
            let twice = repaired(&once.bytes, recipient);
            prop_assert_eq!(String::from_utf8_lossy(&twice.bytes), String::from_utf8_lossy(&once.bytes));
            prop_assert_eq!(twice.repairs, Vec::<&str>::new());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), recipient in recipient()) {
            let once = repaired(&bytes, recipient);
            prop_assert_eq!(repaired(&once.bytes, recipient).bytes, once.bytes);
        }

        #[test]
        fn the_body_stays(body in "[a-z\r\n ]{0,60}") {
            let mut message = b"To: c@d\n\n".to_vec();
            message.extend_from_slice(body.as_bytes());
            let unrepaired = read(&message, &Switches::default()).bytes;
            let sent = repaired(&message, Some("support@example.com")).bytes;
            let after = |bytes: &[u8]| bytes[header::section_length(bytes)..].to_vec();
            prop_assert_eq!(after(&sent), after(&unrepaired));
        }
    }
}
