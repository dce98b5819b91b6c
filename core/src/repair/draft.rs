//! A message under repair: header sections in editable form, the rest as it came, put together again at the end.

use std::ops::Range;

use crate::envelope::Sender;
use crate::message::address::Address;
use crate::message::header::{self, Header};
use crate::message::mime::content_type::filename;
use crate::message::mime::{Part, last};

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
        Self { header: Header::parse(section), body, recipient, sender, parts: None, wrapping: None }
    }

    /// Whether the message itself is made of parts.
    pub(super) fn is_multipart(&mut self) -> bool {
        self.structure().multipart
    }

    /// The content of the message: what follows the empty line.
    pub(super) fn content(&self) -> &'a [u8] {
        self.body.strip_prefix(b"\r\n").unwrap_or(self.body)
    }

    /// Shows every part that is not made of parts, the message itself when it is none, to `mend`; says whether one was mended.
    pub(super) fn each_leaf(&mut self, mut mend: impl FnMut(&mut Header<'a>, &'a [u8]) -> bool) -> bool {
        let body = self.body;
        if !self.is_multipart() {
            let content = self.content();
            return mend(&mut self.header, content);
        }
        let mut mended = false;
        for part in self.structure().inner.iter_mut().filter(|part| !part.multipart) {
            mended |= mend(&mut part.header, body.get(part.body.clone()).unwrap_or_default());
        }
        mended
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

    fn structure(&mut self) -> &mut Parts<'a> {
        let (header, body) = (&self.header, self.body);
        self.parts.get_or_insert_with(|| Parts::of(header, body))
    }

    /// What is to be changed in the message.
    pub(super) fn changes(&self) -> Changes {
        Changes {
            body_length: self.body.len(),
            header: self.header.is_changed().then(|| self.header.to_bytes()),
            edits: self.body_edits(),
        }
    }

    fn body_edits(&self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let start = self.body.len() - self.content().len();
        if let Some(wrapping) = &self.wrapping {
            edits.push(Edit { range: start..start, with: wrapping.before.clone() });
            edits.push(Edit { range: self.body.len()..self.body.len(), with: wrapping.after.clone() });
        }
        for part in self.parts.iter().flat_map(|parts| &parts.inner).filter(|part| part.header.is_changed()) {
            edits.push(Edit { range: part.header_range.clone(), with: part.header.to_bytes() });
        }
        edits
    }
}

impl<'a> Parts<'a> {
    fn of(header: &Header<'_>, body: &'a [u8]) -> Self {
        let whole = Part::of_message(header, body);
        let drafted = |part: &Part| PartDraft {
            multipart: !part.children.is_empty(),
            header_range: part.header.clone(),
            header: part.fields(body),
            body: part.body.clone(),
        };
        let inner = whole.walk().into_iter().skip(1).map(drafted).collect();
        Self { multipart: whole.is_multipart(), inner }
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
