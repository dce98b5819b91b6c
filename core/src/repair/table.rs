//! Every repair, in the order in which they act.

use super::content::{
    attached_message, boundary, charset, content_type, file_name, lone_attachment, named_text, nameless,
    picture, scattered_text, transfer_encoding, website,
};
use super::draft::Draft;
use super::{
    addressees, automatic, blank_line, charset_of_fields, date, envelope_recipient, field_limit, forwarding,
    identifiers, preamble, sender, subject,
};
use crate::message::Preamble;

/// One thing that is repaired, by its name in `[repair]`, in the log and in the manual.
#[derive(Debug)]
pub struct Repair {
    /// Kebab-case; it stays the same from one release to the next.
    pub name: &'static str,
    /// What it does, as the manual's and `explain`'s one line.
    pub summary: &'static str,
    pub(super) step: Step,
}

/// When a repair acts. Within a step, the order of the table is the order of work.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// While the message is read.
    LineEnds,
    /// On the whole message.
    Bytes(fn(&mut Vec<u8>) -> bool),
    /// On what stands before the header section.
    Preamble(Preamble),
    /// On header fields, those of parts included; says whether it changed anything.
    Header(fn(&mut Draft<'_>) -> bool),
    /// The same, of what the parts are: another type or boundary is news to other repairs, which are asked again.
    Content(fn(&mut Draft<'_>) -> bool),
}

/// Every repair, in the order in which they act.
pub static REPAIRS: [Repair; 43] = [
    preamble::LINE_ENDS,
    preamble::NUL_BYTES,
    blank_line::MISSING_BLANK_LINE,
    preamble::BYTE_ORDER_MARK,
    preamble::LEADING_BLANK_LINES,
    preamble::MBOX_FROM_LINE,
    field_limit::TOO_MANY_FIELDS,
    identifiers::UNUSABLE_MESSAGE_ID,
    identifiers::MISSING_MESSAGE_ID,
    charset_of_fields::RAW_BYTES_IN_BODY_CHARSET,
    charset_of_fields::SPLIT_ENCODED_WORD,
    identifiers::UNREADABLE_BYTES,
    identifiers::LONG_IN_REPLY_TO,
    subject::LONG_SUBJECT,
    date::LONG_DATE,
    addressees::REPEATED_TO,
    addressees::UNPARSABLE_TO,
    addressees::UNPARSABLE_CC,
    addressees::MISSING_TO,
    addressees::REPLY_ADDRESS_IN_TO,
    addressees::RECIPIENT_FIRST,
    envelope_recipient::SINGLE_X_ORIGINAL_TO,
    sender::UNUSABLE_REPLY_TO,
    automatic::REPEATED_FORWARDING_FIELD,
    forwarding::UNREADABLE_FORWARDING_FIELD,
    forwarding::UNUSABLE_ORIGINAL_SENDER,
    sender::UNUSABLE_FROM,
    automatic::REPEATED_AUTO_SUBMITTED,
    automatic::UNMARKED_AUTOMATIC_MAIL,
    boundary::WRONG_BOUNDARY,
    transfer_encoding::UNKNOWN_TRANSFER_ENCODING,
    content_type::UNREADABLE_CONTENT_TYPE,
    file_name::UNREADABLE_FILE_NAME,
    attached_message::ATTACHED_MESSAGE,
    content_type::MISSING_CONTENT_TYPE,
    named_text::NAMED_TEXT,
    charset::MISSING_CHARSET,
    charset::WRONG_CHARSET,
    nameless::NAMELESS_ATTACHMENT,
    scattered_text::SCATTERED_TEXT,
    picture::HIDDEN_PICTURE,
    website::WEBSITE_ATTACHMENT,
    lone_attachment::LONE_ATTACHMENT,
];
