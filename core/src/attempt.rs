//! The form in which a message is sent again after an answer that may have left it stored but unrouted: a 500, a 502, a lost connection.
//! The same bytes would be a duplicate to Action Mailbox, which says 204 to one and does nothing.
//!
//! The varied form is another record, and Chatwoot makes no second message of it when the first is routed after all: it looks the ids in
//! `References` up among those it knows (Chatwoot 4.5.0, `docs/chatwoot.md`). Pure.

use bytes::Bytes;

use crate::message::growth::OutOfMemory;
use crate::message::header::{self, Field, Header};
use crate::message::preamble_length;

/// Tells the attempts apart; the bytes of each are others.
const COUNTER: &str = "X-Ingress-Attempt";

/// The mail gem reads so many lines of a header (D19). What is added must push none of them out.
const LINES_READ: usize = 1000;

/// Gives the message the form of its attempt. `earlier` is how often it was answered in a way that may have stored it unrouted; with 0 it
/// stays as it is. The body never changes.
///
/// `References` ends with the message's own id, so that a first copy that is routed after all is found by it. A message without a usable
/// Message-ID gets the counter alone.
///
/// # Errors
///
/// When the memory for the varied copy cannot be had.
pub fn varied(message: Bytes, earlier: u32) -> Result<Bytes, OutOfMemory> {
    if earlier == 0 {
        return Ok(message);
    }
    let start = preamble_length(&message);
    let length = header::section_length(message.get(start..).unwrap_or_default());
    let (before, rest) = message.split_at_checked(start).unwrap_or((&message, &[]));
    let (section, body) = rest.split_at_checked(length).unwrap_or((rest, &[]));
    let mut header = Header::parse(section);
    let is_full = header.line_count() + 2 > LINES_READ;
    if let Some(id) = own_id(&header).filter(|_| !is_full) {
        refer_to(&mut header, &id);
    }
    let mut section = header.to_bytes();
    if !section.is_empty() && !section.ends_with(b"\n") {
        section.extend_from_slice(b"\r\n");
    }
    section.extend_from_slice(format!("{COUNTER}: {earlier}\r\n").as_bytes());
    let mut varied = Vec::new();
    varied.try_reserve_exact(before.len() + section.len() + body.len()).map_err(|_| OutOfMemory)?;
    for piece in [before, &section, body] {
        varied.extend_from_slice(piece);
    }
    Ok(varied.into())
}

/// `<id>`, as Chatwoot stores it.
fn own_id(header: &Header<'_>) -> Option<Vec<u8>> {
    let field = header.named("Message-ID").next_back()?;
    let id = field.trimmed();
    let is_id = id.starts_with(b"<")
        && id.ends_with(b">")
        && id.contains(&b'@')
        && id.iter().all(u8::is_ascii_graphic)
        && id.iter().filter(|byte| matches!(byte, b'<' | b'>')).count() == 2;
    is_id.then(|| id.to_vec())
}

/// Ends `References` with this id, on a line of its own.
fn refer_to(header: &mut Header<'_>, id: &[u8]) {
    let references = header.named("References").next_back().map(|field| (field.at, longer(&field, id)));
    match references {
        Some((at, Some(value))) => header.replace(at, "References", &value),
        Some((_, None)) => {}
        None => {
            let at = header.named("Message-ID").next_back().map_or(0, |field| field.at);
            header.insert(at, "References", id);
        }
    }
}

/// The value with the id behind it; nothing when it ends so already.
fn longer(field: &Field<'_>, id: &[u8]) -> Option<Vec<u8>> {
    let value = field.trimmed();
    if value.ends_with(id) {
        return None;
    }
    let fold: &[u8] = if value.is_empty() { b"" } else { b"\r\n " };
    Some([value, fold, id].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(message: &str, earlier: u32) -> String {
        let message = Bytes::from(message.replace('\n', "\r\n").into_bytes());
        let varied = varied(message, earlier).unwrap();
        String::from_utf8(varied.to_vec()).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn the_first_attempt_is_the_message_itself() {
        let message = "Message-ID: <a@b>\n\nbody\n";
        assert_eq!(text(message, 0), message);
    }

    #[test]
    fn a_later_one_refers_to_itself_and_is_counted() {
        assert_eq!(
            text("Subject: x\nMessage-ID: <a@b>\n\nbody\n", 1),
            "Subject: x\nReferences: <a@b>\nMessage-ID: <a@b>\nX-Ingress-Attempt: 1\n\nbody\n"
        );
        assert_eq!(
            text("References: <1@x>\n <2@x>\nMessage-ID: <a@b>\n\nbody\n", 2),
            "References: <1@x>\n <2@x>\n <a@b>\nMessage-ID: <a@b>\nX-Ingress-Attempt: 2\n\nbody\n"
        );
    }

    #[test]
    fn what_refers_to_itself_already_is_only_counted() {
        assert_eq!(
            text("References: <1@x> <a@b>\nMessage-ID: <a@b>\n\n", 1),
            "References: <1@x> <a@b>\nMessage-ID: <a@b>\nX-Ingress-Attempt: 1\n\n"
        );
    }

    #[test]
    fn an_id_that_is_none_is_referred_to_by_nothing() {
        for id in ["", "none", "<a b@c>", "<a@b> <c@d>", "<grün@x>"] {
            let message = format!("Message-ID: {id}\n\n");
            assert_eq!(text(&message, 1), format!("Message-ID: {id}\nX-Ingress-Attempt: 1\n\n"));
        }
    }

    #[test]
    fn a_message_that_is_all_header_stays_one() {
        assert_eq!(text("Subject: x", 1), "Subject: x\nX-Ingress-Attempt: 1\n");
    }

    #[test]
    fn a_full_header_loses_no_line_that_is_read() {
        let lines = "X-A: b\n".repeat(LINES_READ - 1);
        let varied = text(&format!("{lines}Message-ID: <a@b>\n\nbody\n"), 1);
        assert_eq!(varied, format!("{lines}Message-ID: <a@b>\nX-Ingress-Attempt: 1\n\nbody\n"));
    }

    proptest! {
        #[test]
        fn each_attempt_has_bytes_of_its_own_and_the_same_body(
            header in "([A-Z][a-z]{0,8}: [ -~]{0,20}\r\n){1,4}((References|Message-ID): [ -~]{0,20}\r\n){0,2}",
            body in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let message = Bytes::from([header.as_bytes(), b"\r\n", body.as_slice()].concat());
            let attempts: Vec<Bytes> = (0..4).map(|number| varied(message.clone(), number).unwrap()).collect();
            for (number, attempt) in attempts.iter().enumerate() {
                prop_assert!(attempt.ends_with(&body));
                prop_assert!(!attempts.iter().skip(number + 1).any(|other| other == attempt));
            }
        }

        #[test]
        fn any_bytes_will_do(bytes in proptest::collection::vec(any::<u8>(), 0..200), earlier in 0u32..4) {
            let varied = varied(Bytes::from(bytes.clone()), earlier).unwrap();
            prop_assert!(varied.len() >= bytes.len());
        }
    }
}
