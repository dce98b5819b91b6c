//! Finds the messages of a mailbox while it is read, in pieces of any size; holds one line at most.

use super::field;
use super::form::{BYTE_ORDER_MARK, Family, Form};
use super::separator::{MARK, Shape, shape};

/// How much of a line is looked at: a sender may be rewritten over and over, and the time stands at the end.
pub const KEPT: usize = 8 * 1024;

/// What stands before a message: its length, and a hash that tells whether it still stands there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lead {
    pub length: u32,
    pub hash: u32,
}

impl Lead {
    /// The lead that a line of this length is, of which the first [`KEPT`] bytes are looked at.
    pub fn of(line: &[u8], length: u64) -> Self {
        // FNV-1a.
        let kept = line.get(..KEPT).unwrap_or(line);
        let hash = kept
            .iter()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        Self { length: u32::try_from(length).unwrap_or(0), hash }
    }
}

/// Where a message lies: from after its separator to before the blank line that precedes the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    pub offset: u64,
    pub length: u64,
    /// Of the separator, in seconds since 1970.
    pub date: Option<i64>,
    /// The separator; of no length when there is none.
    pub lead: Lead,
}

/// What a mailbox holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MboxEvent {
    Message(Slice),
    /// A line at this offset looks like a separator, and was taken for text.
    PassedOver(u64),
}

/// Takes a mailbox and gives where its messages lie. `Content-Length` is not believed: some writers count wrong.
///
/// Every byte belongs to one message, to a separator, or to the blank line before one; text before the first separator is a message, too.
#[derive(Debug)]
pub struct Splitter {
    form: Form,
    /// The beginning of a line that came in pieces, its length so far, and where it begins.
    line: Vec<u8>,
    length: u64,
    offset: u64,
    /// The length of the line before, when it is blank; the beginning of a file is as good as a blank line.
    blank: Option<u64>,
    message: Open,
    /// A line that is a separator if the next one allows it.
    candidate: Option<Candidate>,
}

/// The message at hand.
#[derive(Clone, Copy, Debug)]
struct Open {
    offset: u64,
    date: Option<i64>,
    lead: Lead,
    /// Whether a separator began it, so that it is one even when it is empty.
    begun: bool,
    progress: Reached,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reached {
    /// Nothing but blank lines.
    Nothing,
    Header,
    Body,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    shape: Shape,
    offset: u64,
    /// The length of the blank line before it.
    blank: Option<u64>,
    lead: Lead,
}

impl Splitter {
    pub fn new(form: Form) -> Self {
        let message =
            Open { offset: 0, date: None, lead: Lead::default(), begun: false, progress: Reached::Nothing };
        Self { form, line: Vec::new(), length: 0, offset: 0, blank: Some(0), message, candidate: None }
    }

    /// Takes a piece; `each` is told what was found, in its order.
    pub fn push(&mut self, piece: &[u8], mut each: impl FnMut(MboxEvent)) {
        let end = if self.form.returns { b'\r' } else { b'\n' };
        let mut rest = piece;
        while let Some(at) = memchr::memchr(end, rest) {
            let (line, after) = rest.split_at(at + 1);
            if self.length == 0 {
                self.take(line, line.len() as u64, &mut each);
            } else {
                self.keep(line);
                self.take_kept(&mut each);
            }
            rest = after;
        }
        self.keep(rest);
    }

    /// The mailbox ends here.
    pub fn finish(mut self, mut each: impl FnMut(MboxEvent)) {
        if self.length > 0 {
            self.take_kept(&mut each);
        }
        self.decide(b"", &mut each);
        self.end_message(self.offset - self.blank.unwrap_or(0), &mut each);
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
        self.length += piece.len() as u64;
    }

    fn take_kept(&mut self, each: &mut impl FnMut(MboxEvent)) {
        let line = std::mem::take(&mut self.line);
        let length = std::mem::take(&mut self.length);
        self.take(&line, length, each);
        self.line = line;
        self.line.clear();
    }

    /// Takes a whole line, of which `line` is the beginning.
    fn take(&mut self, line: &[u8], length: u64, each: &mut impl FnMut(MboxEvent)) {
        let line = line.get(..KEPT).unwrap_or(line);
        let line = if self.offset == 0 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        if self.candidate.is_some() {
            self.decide(line, each);
        }
        match self.form.family {
            Family::Mbox if line.starts_with(b"From ") => {
                if self.consider(line, length) {
                    self.offset += length;
                    return;
                }
            }
            Family::Mbox => {}
            Family::Mmdf => {
                if self.take_marked(line, length, each) {
                    return;
                }
            }
        }
        self.step(line, length);
    }

    /// Goes on behind a line of text.
    fn step(&mut self, line: &[u8], length: u64) {
        let is_blank = matches!(line, b"" | b"\n" | b"\r\n" | b"\r");
        self.blank = is_blank.then_some(length);
        self.message.progress = match self.message.progress {
            Reached::Nothing if !is_blank => Reached::Header,
            Reached::Header if is_blank => Reached::Body,
            same => same,
        };
        self.offset += length;
    }

    /// Whether this line may be a separator. The line right after one is none: what some writers put twice.
    fn consider(&mut self, line: &[u8], length: u64) -> bool {
        if self.message.begun && self.message.progress == Reached::Nothing && self.blank.is_none() {
            return false;
        }
        // Of the first line the byte order mark is gone.
        let kept = if self.offset == 0 && length < KEPT as u64 { line.len() as u64 } else { length };
        let lead = Lead::of(line, kept);
        let candidate = |shape| Candidate { shape, offset: self.offset, blank: self.blank, lead };
        self.candidate = shape(line).map(candidate);
        self.candidate.is_some()
    }

    /// Whether the candidate is a separator, now that the line behind it is known.
    fn decide(&mut self, next: &[u8], each: &mut impl FnMut(MboxEvent)) {
        let Some(candidate) = self.candidate.take() else { return };
        let in_header = self.message.progress == Reached::Header;
        let name = field::quoted_name(next);
        let after_blank = candidate.blank.is_some();
        let is_separator = match candidate.shape {
            Shape::Dated(_) => after_blank || name.is_some(),
            Shape::Bare | Shape::Undated | Shape::Word => {
                (after_blank || !in_header) && name.is_some_and(field::is_known)
            }
        };
        if is_separator {
            self.end_message(candidate.offset - candidate.blank.unwrap_or(0), each);
            let date = match candidate.shape {
                Shape::Dated(seconds) => Some(seconds),
                _ => None,
            };
            self.begin_message(date, candidate.lead);
            return;
        }
        self.blank = None;
        if self.message.progress == Reached::Nothing {
            self.message.progress = Reached::Header;
        }
        if matches!(candidate.shape, Shape::Dated(_)) || (after_blank && candidate.shape == Shape::Undated) {
            each(MboxEvent::PassedOver(candidate.offset));
        }
    }

    /// In an MMDF mailbox: gives whether the line belongs to no message.
    fn take_marked(&mut self, line: &[u8], length: u64, each: &mut impl FnMut(MboxEvent)) -> bool {
        let first = self.message.progress == Reached::Nothing && self.message.offset == self.offset;
        let date = if line.trim_ascii_end() == MARK {
            self.end_message(self.offset, each);
            None
        } else {
            match shape(line) {
                Some(Shape::Dated(seconds)) if first => Some(seconds),
                Some(Shape::Bare | Shape::Undated) if first => None,
                _ => return false,
            }
        };
        self.offset += length;
        self.begin_message(date, Lead::of(line, length));
        // Between two marks there is nothing: what is there is a message only if it holds something.
        self.message.begun = false;
        self.blank = Some(0);
        true
    }

    /// Begins a message at the line at hand.
    fn begin_message(&mut self, date: Option<i64>, lead: Lead) {
        self.message = Open { offset: self.offset, date, lead, begun: true, progress: Reached::Nothing };
        self.blank = None;
    }

    fn end_message(&mut self, end: u64, each: &mut impl FnMut(MboxEvent)) {
        let Open { offset, date, lead, begun, progress } = self.message;
        if begun || progress != Reached::Nothing {
            each(MboxEvent::Message(Slice { offset, length: end.saturating_sub(offset), date, lead }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::unboxer::Unboxer;
    use super::*;
    use proptest::prelude::*;

    const DATED: &str = "From a@b Mon Nov 23 15:25:56 2026";
    const MBOX: Form = Form { family: Family::Mbox, returns: false };

    fn split(mailbox: &[u8], form: Form, piece: usize) -> Vec<MboxEvent> {
        let mut events = Vec::new();
        let mut splitter = Splitter::new(form);
        mailbox.chunks(piece).for_each(|piece| splitter.push(piece, |event| events.push(event)));
        splitter.finish(|event| events.push(event));
        events
    }

    fn slices(events: &[MboxEvent]) -> Vec<Slice> {
        let slice = |event: &MboxEvent| match event {
            MboxEvent::Message(slice) => Some(*slice),
            MboxEvent::PassedOver(_) => None,
        };
        events.iter().filter_map(slice).collect()
    }

    fn bytes(mailbox: &[u8], slice: &Slice) -> Vec<u8> {
        let start = usize::try_from(slice.offset).unwrap();
        mailbox[start..start + usize::try_from(slice.length).unwrap()].to_vec()
    }

    /// The messages as they lie there.
    fn messages(mailbox: &str) -> Vec<String> {
        let form = Form::of(mailbox.as_bytes()).unwrap();
        let events = split(mailbox.as_bytes(), form, mailbox.len());
        for piece in [1, 2, 7] {
            assert_eq!(split(mailbox.as_bytes(), form, piece), events, "{piece}");
        }
        let text = |slice| String::from_utf8(bytes(mailbox.as_bytes(), slice)).unwrap();
        slices(&events).iter().map(text).collect()
    }

    fn passed_over(mailbox: &str) -> usize {
        let events = split(mailbox.as_bytes(), MBOX, 100);
        events.iter().filter(|event| matches!(event, MboxEvent::PassedOver(_))).count()
    }

    #[test]
    fn messages_are_what_stands_between_the_separators() {
        let mbox = format!("{DATED}\nA: 1\n\nx\n\n{DATED}\nA: 2\n\ny\n\n\n{DATED}\n{DATED}\nA: 3\n");
        let third = format!("{DATED}\nA: 3\n");
        assert_eq!(messages(&mbox), ["A: 1\n\nx\n", "A: 2\n\ny\n\n", &third]);
        let with_returns = mbox.replace('\n', "\r\n");
        assert_eq!(messages(&with_returns)[..2], ["A: 1\r\n\r\nx\r\n", "A: 2\r\n\r\ny\r\n\r\n"]);
        let of_a_mac = mbox.replace('\n', "\r");
        assert_eq!(messages(&of_a_mac)[..2], ["A: 1\r\rx\r", "A: 2\r\ry\r\r"]);
    }

    #[test]
    fn a_separator_may_be_bare() {
        let mbox = "From \r\nTo: 1\r\n\r\nx\r\n\r\nFrom \r\nTo: 2\r\n\r\nFrom\r\n\r\n";
        assert_eq!(messages(mbox), ["To: 1\r\n\r\nx\r\n", "To: 2\r\n\r\nFrom\r\n"]);
    }

    #[test]
    fn a_byte_order_mark_and_blank_lines_may_come_first() {
        for before in ["\u{feff}", "\n", "\r\n\r\n", "\u{feff}\n"] {
            let mbox = format!("{before}{DATED}\nTo: 1\n\nx\n\n{DATED}\nTo: 2\n\ny\n");
            assert_eq!(messages(&mbox), ["To: 1\n\nx\n", "To: 2\n\ny\n"], "{before:?}");
        }
    }

    /// Eudora and mblaze write none.
    #[test]
    fn a_blank_line_before_a_separator_may_be_missing() {
        let mbox = format!("{DATED}\nTo: 1\n\nx\n{DATED}\nTo: 2\n\ny\nFrom a@b\nTo: 3\n\nz\n");
        assert_eq!(messages(&mbox), ["To: 1\n\nx\n", "To: 2\n\ny\n", "To: 3\n\nz\n"]);
    }

    #[test]
    fn a_separator_without_a_time_is_known_by_the_field_behind_it() {
        for separator in [
            "From a@b",
            "From bob",
            "From a@b Mon Nov 23 25:61 2026",
            "From a@b Mon",
            "From what it was on Mon Nov 23 15:25:56 2026",
        ] {
            for behind in ["To: 2", ">From: c@d", "X-Any: 1"] {
                let mbox = format!("{DATED}\nTo: 1\n\nx\n\n{separator}\n{behind}\n\ny\n");
                assert_eq!(messages(&mbox).len(), 2, "{separator} {behind}");
            }
            for behind in ["hello", "Note: well", "", "http://example.org"] {
                let mbox = format!("{DATED}\nTo: 1\n\nx\n\n{separator}\n{behind}\n\ny\n");
                assert_eq!(messages(&mbox).len(), 1, "{separator} {behind}");
            }
        }
    }

    #[test]
    fn a_separator_may_be_long() {
        for length in [400, 600, 5_000] {
            let separator = format!("From SRS0={}@b Mon Nov 23 15:25:56 2026", "x".repeat(length));
            let mbox = format!("{separator}\nTo: 1\n\nx\n\n{separator}\nTo: 2\n\ny\n");
            assert_eq!(messages(&mbox).len(), 2, "{length}");
        }
    }

    #[test]
    fn what_is_no_separator_stays_in_the_message() {
        let mbox = format!("{DATED}\nA: 1\n\nFrom here on\n\nFrom there\n{DATED}\nx\n\nFrom now:\n");
        assert_eq!(messages(&mbox), [mbox.split_once('\n').unwrap().1]);
    }

    #[test]
    fn what_looks_like_a_separator_and_is_taken_for_text_is_named() {
        let of = |text: &str| passed_over(&format!("{DATED}\nTo: 1\n\n{text}"));
        assert_eq!(of(&format!("x\n{DATED}\nx\n")), 1);
        assert_eq!(of("x\n\nFrom a@b\nx\n"), 1);
        assert_eq!(of("x\n\nFrom a@b Mon Nov 2026\n"), 1);
        assert_eq!(of("From memory\nx\n\nFrom here on\n\nFrom \nx\n\nFrom bob\n"), 0);
    }

    #[test]
    fn marks_stand_around_the_messages_of_mmdf() {
        const MARK: &str = "\u{1}\u{1}\u{1}\u{1}\n";
        let mmdf = format!(
            "{MARK}To: 1\n\nx\n\n{DATED}\nTo: x\n{MARK}{MARK}{DATED}\nTo: 2\n\ny\n{MARK}\n{MARK}{MARK}"
        );
        assert_eq!(messages(&mmdf), [format!("To: 1\n\nx\n\n{DATED}\nTo: x\n"), "To: 2\n\ny\n".to_owned()]);
        let events = split(mmdf.as_bytes(), Form { family: Family::Mmdf, ..MBOX }, 5);
        assert_eq!(slices(&events)[1].date, Some(1_795_447_556));
    }

    #[test]
    fn an_empty_mailbox_holds_nothing() {
        for mailbox in ["", "\n", "\u{feff}\n\n"] {
            assert_eq!(split(mailbox.as_bytes(), MBOX, 1), [], "{mailbox:?}");
        }
    }

    fn quoted(message: &[u8]) -> Vec<u8> {
        let mut quoted = Vec::new();
        for line in message.split_inclusive(|byte| *byte == b'\n') {
            if field::without_marks(line).starts_with(b"From ") {
                quoted.push(b'>');
            }
            quoted.extend_from_slice(line);
        }
        quoted
    }

    /// Lines that are hard to tell from separators.
    fn line() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            Just(b"".to_vec()),
            Just(b"To: x".to_vec()),
            Just(DATED.as_bytes().to_vec()),
            Just(b"From a@b".to_vec()),
            Just(MARK.to_vec()),
            ">{0,3}From .{0,9}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>().prop_filter("no newline", |byte| *byte != b'\n'), 0..20),
        ]
    }

    proptest! {
        #[test]
        fn what_an_mbox_was_made_of_comes_out_of_it(
            messages in proptest::collection::vec(proptest::collection::vec(line(), 1..9), 0..5),
            piece in 1_usize..40,
        ) {
            let messages: Vec<Vec<u8>> =
                messages.into_iter().map(|lines| [lines.join(&b'\n'), b"\n".to_vec()].concat()).collect();
            let mut mbox = Vec::new();
            for message in &messages {
                mbox.extend_from_slice(format!("{DATED}\n").as_bytes());
                mbox.extend_from_slice(&quoted(message));
                mbox.push(b'\n');
            }
            let unboxed = |slice: &Slice| {
                let mut message = Vec::new();
                let mut unboxer = Unboxer::new(MBOX);
                bytes(&mbox, slice).chunks(piece).for_each(|piece| unboxer.push(piece, &mut message));
                unboxer.finish(&mut message);
                message
            };
            let events = split(&mbox, MBOX, piece);
            prop_assert_eq!(slices(&events).iter().map(unboxed).collect::<Vec<_>>(), messages);
        }

        #[test]
        fn each_byte_belongs_to_one_message_or_stands_between_two(
            lines in proptest::collection::vec(line(), 0..30),
            form in (any::<bool>(), any::<bool>()),
            piece in 1_usize..40,
        ) {
            let family = if form.0 { Family::Mbox } else { Family::Mmdf };
            let form = Form { family, returns: form.1 };
            let end: &[u8] = if form.returns { b"\r" } else { b"\n" };
            let mailbox = lines.join(end);
            let events = split(&mailbox, form, piece);
            prop_assert_eq!(&split(&mailbox, form, mailbox.len().max(1)), &events);
            let mut at = 0;
            for slice in slices(&events) {
                let between = mailbox[at..usize::try_from(slice.offset).unwrap()].split(|byte| end.contains(byte));
                for line in between {
                    let text = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line).trim_ascii();
                    prop_assert!(text.is_empty() || text == MARK || text.starts_with(b"From"), "{:?}", line);
                }
                at = usize::try_from(slice.offset + slice.length).unwrap();
            }
            let rest = mailbox[at..].split(|byte| end.contains(byte));
            for line in rest {
                prop_assert!(line.trim_ascii().is_empty() || line.trim_ascii() == MARK || line.starts_with(b"From "), "{:?}", line);
            }
        }
    }
}
