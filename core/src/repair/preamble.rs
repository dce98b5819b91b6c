//! Repairs of bytes rather than fields: line ends, NUL, and what stands before the header section.

use std::ops::Range;

use super::{EnabledRepairs, REPAIRS, Repair, Step};
use crate::message::Preamble;
use crate::message::header::{self, Header};
use crate::message::mime::Part;

/// The mail gem takes `CR CR LF` for the end of the header (D14).
pub(super) const LINE_ENDS: Repair = Repair {
    name: "line-ends",
    summary: "takes superfluous carriage returns out of line ends (CR CR LF)",
    step: Step::LineEnds,
};

/// PostgreSQL cannot store NUL: the endpoint answers 500 for ever, or the job raises (F7).
pub(super) const NUL_BYTES: Repair = Repair {
    name: "nul-bytes",
    summary: "takes NUL bytes out of header and text; binary attachments keep theirs",
    step: Step::Bytes(take_out_nul),
};

/// The mail gem takes the mark as part of the first field's name, and the field vanishes (D14).
pub(super) const BYTE_ORDER_MARK: Repair = Repair {
    name: "byte-order-mark",
    summary: "takes off a byte order mark before the first field",
    step: Step::Preamble(Preamble::ByteOrderMark),
};

/// Other readers of the stored message end its header there.
pub(super) const LEADING_BLANK_LINES: Repair = Repair {
    name: "leading-blank-lines",
    summary: "takes off blank lines and blanks before the first field",
    step: Step::Preamble(Preamble::Blanks),
};

/// Exim's pipe transport, Postfix's local(8) and Sendmail write it (`message_prefix`, `pipe_command.c`); its date changes from one try to the next.
pub(super) const MBOX_FROM_LINE: Repair = Repair {
    name: "mbox-from-line",
    summary: "takes off the mbox \"From \" line before the first field",
    step: Step::Preamble(Preamble::FromLine),
};

/// Takes out every NUL but those of parts that are neither text nor encoded.
fn take_out_nul(bytes: &mut Vec<u8>) -> bool {
    let mut changed = false;
    // A NUL within a boundary line hides the parts behind it: look again. Who hides that well has no attachments.
    for _ in 0..3 {
        let binary = binary_parts(bytes);
        if !remove_nul(bytes, &binary) {
            return changed;
        }
        changed = true;
    }
    remove_nul(bytes, &[]) || changed
}

fn remove_nul(bytes: &mut Vec<u8>, except: &[Range<usize>]) -> bool {
    if memchr::memchr(0, bytes).is_none() {
        return false;
    }
    let before = bytes.len();
    let section = header::section_length(bytes);
    let mut at = 0;
    let mut except = except.iter().peekable();
    let mut place = LinePosition::LineStart;
    bytes.retain(|byte| {
        while except.next_if(|range| range.end <= at).is_some() {}
        let spared = except.peek().is_some_and(|range| range.contains(&at));
        let in_header = at < section;
        at += 1;
        // A line of NULs alone would become the empty line that ends the header.
        let vanishes = in_header && place == LinePosition::NulsAlone && matches!(byte, b'\r' | b'\n');
        place = match byte {
            b'\n' => LinePosition::LineStart,
            0 if place != LinePosition::Within => LinePosition::NulsAlone,
            b'\r' => place,
            _ => LinePosition::Within,
        };
        spared || (*byte != 0 && !vanishes)
    });
    bytes.len() < before
}

/// Where in a line a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LinePosition {
    LineStart,
    NulsAlone,
    Within,
}

/// The bodies of parts that hold bytes as they are, in the order of the message.
fn binary_parts(bytes: &[u8]) -> Vec<Range<usize>> {
    let length = header::section_length(bytes);
    let (section, body) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    let whole = Part::of_message(&Header::parse(section), body);
    let is_binary = |part: &&Part| {
        part.children.is_empty()
            && part.content_type.as_ref().is_some_and(|kind| !kind.is_text() && !kind.is_multipart())
    };
    let parts = whole.walk().into_iter().filter(is_binary);
    parts.map(|part| part.body.start + length..part.body.end + length).collect()
}

/// The length of what is to be taken off, and the repairs that this takes.
pub(super) fn strip(bytes: &[u8], enabled: &EnabledRepairs, repairs: &mut Vec<&'static str>) -> usize {
    let mut length = 0;
    let mut done = Vec::new();
    while let Some((found, more)) = bytes.get(length..).and_then(Preamble::at_start) {
        let Some(repair) = REPAIRS.iter().find(|repair| is_against(repair, found) && enabled.is_on(repair))
        else {
            break;
        };
        if !done.contains(&repair.name) {
            done.push(repair.name);
        }
        length += more;
    }
    repairs.extend(REPAIRS.iter().map(|repair| repair.name).filter(|name| done.contains(name)));
    length
}

fn is_against(repair: &Repair, found: Preamble) -> bool {
    matches!(repair.step, Step::Preamble(preamble) if preamble == found)
}

#[cfg(test)]
mod tests {
    use super::super::apply::tests::repaired;

    fn text(message: &[u8]) -> String {
        String::from_utf8_lossy(&repaired(message, None).bytes).into_owned()
    }

    const REST: &str = "To: a@b\r\nFrom: c@d\r\nMessage-ID: <1@x>\r\nContent-Type: text/plain\r\n\r\nx\r\n";

    #[test]
    fn a_line_of_nul_bytes_does_not_end_the_header() {
        for line in ["\0\n", "\0\0\r\n", "\r\0\n"] {
            assert_eq!(text(format!("Subject: s\n{line}{REST}").as_bytes()), format!("Subject: s\r\n{REST}"));
        }
    }

    #[test]
    fn no_cr_cr_lf_is_left_where_a_nul_stood_between_returns() {
        assert_eq!(text(format!("X-Note: y\r\r\0\n{REST}").as_bytes()), format!("X-Note: y\r\n{REST}"));
    }

    #[test]
    fn no_cr_cr_lf_is_left_where_an_8_bit_byte_stood_in_a_date() {
        let message = [b"Date: Tue, 3 Nov 2026 10:07:00 +0000\r\xe4\n", REST.as_bytes()].concat();
        let sent = repaired(&message, None).bytes;
        assert!(memchr::memmem::find(&sent, b"\r\r").is_none() && sent.ends_with(REST.as_bytes()));
        assert_eq!(repaired(&sent, None).bytes, sent);
    }
}
