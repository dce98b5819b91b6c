//! A message under repair: header sections in editable form, the rest as it came, put together again at the end.

use std::ops::Range;

use crate::envelope::Sender;
use crate::message::address::Address;
use crate::message::header::{self, Header};
use crate::message::mime::content_type::{ContentType, filename};
use crate::message::mime::{Part, last};

/// A part that is not made of parts, or a message that is none; what a repair may change of it.
pub(super) struct Leaf<'d, 'a> {
    pub(super) header: &'d mut Header<'a>,
    pub(super) body: &'a [u8],
    /// What takes the place of its body.
    pub(super) new_body: &'d mut Option<Vec<u8>>,
    pub(super) place: &'d Place,
}

impl Leaf<'_, '_> {
    /// The body as it is going to be.
    pub(super) fn content(&self) -> &[u8] {
        self.new_body.as_deref().unwrap_or(self.body)
    }
}

/// Where a part stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The media type of what it is a part of; empty for the message itself.
    pub(super) within: String,
    /// How many parts stand before it there.
    pub(super) number: usize,
    /// Whether a signature covers it (RFC 1847).
    pub(super) signed: bool,
}

impl Place {
    pub(super) fn is_part(&self) -> bool {
        !self.within.is_empty()
    }
}

/// What the repairs of fields and parts work on.
pub(super) struct Draft<'a> {
    pub(super) header: Header<'a>,
    /// All that follows the header section, with the empty line between.
    pub(super) body: &'a [u8],
    pub(super) recipient: Option<&'a Address>,
    pub(super) sender: &'a Sender,
    /// The parts inside, once a repair has asked for them.
    parts: Option<Parts<'a>>,
    wrapping: Option<Wrapping>,
    /// What takes the place of the content.
    new_content: Option<Vec<u8>>,
    /// The size of the largest attachment, decoded, where a repair had to look at all of them.
    pub(super) largest_attachment: usize,
}

/// The structure of the message.
struct Parts<'a> {
    /// Whether the message itself is made of parts.
    multipart: bool,
    inner: Vec<PartDraft<'a>>,
}

/// A part inside the message, its header in editable form.
struct PartDraft<'a> {
    multipart: bool,
    header_range: Range<usize>,
    header: Header<'a>,
    body: Range<usize>,
    new_body: Option<Vec<u8>>,
    place: Place,
}

/// What is put around a body that becomes the only part of a multipart message.
pub(super) struct Wrapping {
    pub(super) before: Vec<u8>,
    pub(super) after: Vec<u8>,
}

/// A piece of the body and what takes its place.
struct Edit {
    range: Range<usize>,
    with: Vec<u8>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(message: &'a [u8], recipient: Option<&'a Address>, sender: &'a Sender) -> Self {
        let length = header::section_length(message);
        let (section, body) = message.split_at_checked(length).unwrap_or((message, &[]));
        Self {
            header: Header::parse(section),
            body,
            recipient,
            sender,
            parts: None,
            wrapping: None,
            new_content: None,
            largest_attachment: 0,
        }
    }

    /// Whether the message itself is made of parts.
    pub(super) fn is_multipart(&mut self) -> bool {
        self.structure().multipart
    }

    /// The content of the message: what follows the empty line.
    pub(super) fn content(&self) -> &'a [u8] {
        self.body.strip_prefix(b"\r\n").unwrap_or(self.body)
    }

    /// The content as it is going to be.
    pub(super) fn new_content(&self) -> &[u8] {
        self.new_content.as_deref().unwrap_or(self.content())
    }

    /// Shows every part that is not made of parts, the message itself when it is none, to `repair`; says whether one was repaired.
    pub(super) fn each_leaf(&mut self, mut repair: impl FnMut(&mut Leaf<'_, 'a>) -> bool) -> bool {
        let body = self.body;
        if !self.is_multipart() {
            let content = self.content();
            let (header, new_body) = (&mut self.header, &mut self.new_content);
            return repair(&mut Leaf { header, body: content, new_body, place: &Place::default() });
        }
        let mut changed = false;
        for part in self.structure().inner.iter_mut().filter(|part| !part.multipart) {
            let content = body.get(part.body.clone()).unwrap_or_default();
            let (header, new_body) = (&mut part.header, &mut part.new_body);
            changed |= repair(&mut Leaf { header, body: content, new_body, place: &part.place });
        }
        changed
    }

    /// Shows the header of whatever is made of parts to `repair`; says whether one was repaired.
    pub(super) fn each_container(&mut self, mut repair: impl FnMut(&mut Header<'a>) -> bool) -> bool {
        let mut changed = self.is_multipart() && repair(&mut self.header);
        for part in self.structure().inner.iter_mut().filter(|part| part.multipart) {
            changed |= repair(&mut part.header);
        }
        changed
    }

    /// Shows whatever is made of parts, and where none are found, to `repair`; looks for them again where it says so.
    pub(super) fn each_without_parts(&mut self, repair: impl Fn(&mut Header<'a>, &'a [u8]) -> bool) -> bool {
        /// So many are repaired: in each the parts are looked for anew.
        const MOST: usize = 32;
        let (body, content) = (self.body, self.content());
        let mut count = 0;
        if self.is_multipart() && self.structure().inner.is_empty() && repair(&mut self.header, content) {
            self.parts = None;
            count = 1;
        }
        let mut at = 0;
        while count < MOST
            && let Some(part) = self.structure().inner.get_mut(at)
        {
            let content = body.get(part.body.clone()).unwrap_or_default();
            let is_broken =
                !part.multipart && ContentType::of(&part.header).is_some_and(|kind| kind.is_multipart());
            if is_broken && repair(&mut part.header, content) {
                count += 1;
                let found = part.look_again(content);
                part.multipart = !found.is_empty();
                self.structure().inner.splice(at + 1..at + 1, found);
            }
            at += 1;
        }
        count > 0
    }

    /// Puts something around the body.
    pub(super) fn wrap(&mut self, wrapping: Wrapping) {
        self.wrapping = Some(wrapping);
    }

    /// How many parts inside have a file name.
    pub(super) fn attachments(&mut self) -> usize {
        let named = |part: &&PartDraft<'_>| {
            let fields = [last(&part.header, "Content-Disposition"), last(&part.header, "Content-Type")];
            fields.iter().flatten().any(|field| filename(field).is_some())
        };
        self.structure().inner.iter().filter(named).count()
    }

    /// Whether something that a signature covers was changed: it no longer verifies.
    pub(super) fn breaks_signature(&self) -> bool {
        let is_changed = |part: &PartDraft<'_>| part.header.is_changed() || part.new_body.is_some();
        self.parts.iter().flat_map(|parts| &parts.inner).any(|part| part.place.signed && is_changed(part))
    }

    fn structure(&mut self) -> &mut Parts<'a> {
        let (header, body) = (&self.header, self.body);
        self.parts.get_or_insert_with(|| Parts::of(header, body))
    }

    /// What is to be changed in the message.
    pub(super) fn changes(self) -> Changes {
        Changes {
            body_length: self.body.len(),
            header: self.header.is_changed().then(|| self.header.to_bytes()),
            edits: self.body_edits(),
        }
    }

    fn body_edits(self) -> Vec<Edit> {
        let (start, end) = (self.body.len() - self.content().len(), self.body.len());
        let mut edits = Vec::new();
        let (before, after) =
            self.wrapping.map(|wrapping| (wrapping.before, wrapping.after)).unwrap_or_default();
        edits.push(Edit { range: start..start, with: before });
        edits.extend(self.new_content.map(|with| Edit { range: start..end, with }));
        for part in self.parts.into_iter().flat_map(|parts| parts.inner) {
            if part.header.is_changed() {
                edits.push(Edit { range: part.header_range, with: part.header.to_bytes() });
            }
            edits.extend(part.new_body.map(|with| Edit { range: part.body, with }));
        }
        edits.push(Edit { range: end..end, with: after });
        edits.retain(|edit| !edit.range.is_empty() || !edit.with.is_empty());
        edits
    }
}

impl<'a> Parts<'a> {
    fn of(header: &Header<'_>, body: &'a [u8]) -> Self {
        let whole = Part::of_message(header, body);
        let mut inner = Vec::new();
        add_parts(&whole, body, 0, false, &mut inner);
        Self { multipart: whole.is_multipart(), inner }
    }
}

/// Adds what is inside `part`; `offset` is where `text` begins in the body of the message.
fn add_parts<'a>(part: &Part, text: &'a [u8], offset: usize, signed: bool, parts: &mut Vec<PartDraft<'a>>) {
    let within = part.content_type.as_ref().map(|kind| kind.media_type.clone()).unwrap_or_default();
    for (number, child) in part.children.iter().enumerate() {
        let signed = signed || (within == "multipart/signed" && number == 0);
        let shifted = |range: &Range<usize>| range.start + offset..range.end + offset;
        parts.push(PartDraft {
            multipart: !child.children.is_empty(),
            header_range: shifted(&child.header),
            header: child.fields(text),
            body: shifted(&child.body),
            new_body: None,
            place: Place { within: within.clone(), number, signed },
        });
        add_parts(child, text, offset, signed, parts);
    }
}

impl<'a> PartDraft<'a> {
    /// The parts inside, now that its header is another.
    fn look_again(&self, content: &'a [u8]) -> Vec<PartDraft<'a>> {
        let mut found = Vec::new();
        let whole = Part::of_message(&self.header, content);
        add_parts(&whole, content, self.body.start, self.place.signed, &mut found);
        found
    }
}

/// What the repairs of a message come to.
pub(super) struct Changes {
    body_length: usize,
    /// The new header section, when it is another.
    header: Option<Vec<u8>>,
    /// Of the body, in its order.
    edits: Vec<Edit>,
}

impl Changes {
    /// Makes the changes, and takes off what stands before `start`.
    pub(super) fn apply(self, bytes: &mut Vec<u8>, start: usize) {
        let section = bytes.len() - self.body_length;
        let more = self.header.as_ref().map_or(0, |header| header.len().saturating_sub(section));
        bytes.reserve_exact(more + self.edits.iter().map(|edit| edit.with.len()).sum::<usize>());
        replace(bytes, section, &self.edits);
        match self.header {
            Some(header) => drop(bytes.splice(..section, header)),
            None => drop(bytes.drain(..start)),
        }
    }
}

/// How many edits are made in place, each moving all that follows it, though there is memory for another copy.
const FEW: usize = 8;

/// Makes edits that are in the order of the text and do not overlap; their ranges count from `offset`.
fn replace(bytes: &mut Vec<u8>, offset: usize, edits: &[Edit]) {
    let place = |edit: &Edit| edit.range.start + offset..edit.range.end + offset;
    let mut text = Vec::new();
    let length = bytes.len() + edits.iter().map(|edit| edit.with.len()).sum::<usize>();
    if edits.len() <= FEW || text.try_reserve_exact(length).is_err() {
        for edit in edits.iter().rev() {
            drop(bytes.splice(place(edit), edit.with.iter().copied()));
        }
        return;
    }
    let mut done = 0;
    for edit in edits {
        let range = place(edit);
        text.extend_from_slice(bytes.get(done..range.start).unwrap_or_default());
        text.extend_from_slice(&edit.with);
        done = range.end;
    }
    text.extend_from_slice(bytes.get(done..).unwrap_or_default());
    *bytes = text;
}
