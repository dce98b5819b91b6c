//! Repairs of what is wrong before and between the fields: line ends, and what stands before the header section.

use super::{REPAIRS, Repair, Step, Switches};
use crate::message::Preamble;

/// The mail gem takes `CR CR LF` for the end of the header (D14).
pub(super) const LINE_ENDS: Repair = Repair {
    name: "line-ends",
    summary: "takes superfluous carriage returns out of line ends (CR CR LF)",
    step: Step::LineEnds,
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

/// The length of what is to be taken off, and the repairs that this takes.
pub(super) fn strip(bytes: &[u8], switches: &Switches, repairs: &mut Vec<&'static str>) -> usize {
    let mut length = 0;
    let mut done = Vec::new();
    while let Some((found, more)) = bytes.get(length..).and_then(Preamble::at_start) {
        let Some(repair) = REPAIRS.iter().find(|repair| mends(repair, found) && switches.is_on(repair))
        else {
            break;
        };
        done.push(repair.name);
        length += more;
    }
    repairs.extend(REPAIRS.iter().map(|repair| repair.name).filter(|name| done.contains(name)));
    length
}

fn mends(repair: &Repair, found: Preamble) -> bool {
    matches!(repair.step, Step::Preamble(preamble) if preamble == found)
}
