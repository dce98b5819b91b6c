//! An encoding that the mail gem does not know.

use super::leaf::TRANSFER_ENCODING;
use crate::message::header::Header;
use crate::message::mime::last;
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::repair::draft::Draft;
use crate::repair::{Repair, Step, originals};

/// The mail gem raises when it decodes such a part (F5, F5b).
pub(in crate::repair) const UNKNOWN_TRANSFER_ENCODING: Repair = Repair {
    name: "unknown-transfer-encoding",
    summary: "replaces a Content-Transfer-Encoding that does not exist by the one it resembles, else by 8bit",
    step: Step::Content(unknown_transfer_encoding),
};

fn unknown_transfer_encoding(draft: &mut Draft<'_>) -> bool {
    let containers = draft.each_container(repair);
    draft.each_leaf(|leaf| repair(leaf.header)) || containers
}

fn repair(header: &mut Header<'_>) -> bool {
    let Some(field) = last(header, TRANSFER_ENCODING) else { return false };
    if TransferEncoding::read(field.trimmed()) != TransferEncoding::Unknown {
        return false;
    }
    let (at, (_, meant)) = (field.at, TransferEncoding::meant(field.value));
    originals::replaced(header, at, TRANSFER_ENCODING, meant.as_bytes());
    true
}
