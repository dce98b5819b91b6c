//! Mailboxes as streams: where their messages lie, and each message as it was before it was put there.

use std::io::{self, BufRead, Read};

use chatwoot_mail::mbox::{Form, MboxEvent, Splitter, Unboxer};

/// Finds the messages. Needs memory for one line at most, whatever the mailbox holds.
///
/// # Errors
///
/// When the file cannot be read.
pub(super) fn scan(mut reader: impl BufRead, form: Form, mut each: impl FnMut(MboxEvent)) -> io::Result<()> {
    let mut splitter = Splitter::new(form);
    loop {
        let length = match reader.fill_buf() {
            Ok([]) => break,
            Ok(piece) => {
                splitter.push(piece, &mut each);
                piece.len()
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        reader.consume(length);
    }
    splitter.finish(each);
    Ok(())
}

/// How much is read at once of a large message.
const PIECE: usize = 64 * 1024;

/// A message without what belongs to its mailbox.
#[derive(Debug)]
pub(super) struct Unboxed<R> {
    inner: R,
    piece: Vec<u8>,
    /// Nothing once the message has ended.
    unboxer: Option<Unboxer>,
    ready: Vec<u8>,
    handed: usize,
}

impl<R: Read> Unboxed<R> {
    /// Of a message of so many bytes.
    pub(super) fn new(inner: R, form: Form, length: u64) -> Self {
        let piece = usize::try_from(length).map_or(PIECE, |length| length.clamp(1, PIECE));
        let unboxer = Some(Unboxer::new(form));
        Self { inner, piece: vec![0; piece], unboxer, ready: Vec::new(), handed: 0 }
    }

    fn refill(&mut self) -> io::Result<()> {
        let length = self.inner.read(&mut self.piece)?;
        self.ready.clear();
        self.handed = 0;
        if length == 0 {
            if let Some(unboxer) = self.unboxer.take() {
                unboxer.finish(&mut self.ready);
            }
        } else if let (Some(unboxer), Some(piece)) = (&mut self.unboxer, self.piece.get(..length)) {
            unboxer.push(piece, &mut self.ready);
        }
        Ok(())
    }
}

impl<R: Read> Read for Unboxed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.handed == self.ready.len() && self.unboxer.is_some() {
            self.refill()?;
        }
        let length = self.ready.get(self.handed..).unwrap_or_default().read(buffer)?;
        self.handed += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chatwoot_mail::mbox::Family;
    use std::io::BufReader;

    const FORM: Form = Form { family: Family::Mbox, returns: false };

    #[test]
    fn messages_are_found_and_read_through_buffers_of_any_size() {
        let mbox = b"From a@b Mon Nov 23 15:25:56 2026\nA: 1\nStatus: O\n\n>From x\n\nFrom a@b Mon Nov 23 15:25:56 2026\nA: 2\n";
        for size in [1, 10, 1000] {
            let mut found = Vec::new();
            scan(BufReader::with_capacity(size, &mbox[..]), FORM, |event| found.push(event)).unwrap();
            let read = |event: &MboxEvent| {
                let MboxEvent::Message(slice) = event else { panic!("{event:?}") };
                let start = usize::try_from(slice.offset).unwrap();
                let bytes = &mbox[start..start + usize::try_from(slice.length).unwrap()];
                let mut text = String::new();
                let reader = BufReader::with_capacity(size, bytes);
                Unboxed::new(reader, FORM, slice.length).read_to_string(&mut text).unwrap();
                text
            };
            assert_eq!(found.iter().map(read).collect::<Vec<_>>(), ["A: 1\n\nFrom x\n", "A: 2\n"]);
        }
    }
}
