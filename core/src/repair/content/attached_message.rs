//! Messages within a message: forwarded as attachments, or parts of a digest.

use super::leaf::{CONTENT_TYPE, DISPOSITION};
use crate::message::header::Header;
use crate::message::mime::content_type::{ContentType, Parameter, filename};
use crate::message::mime::last;
use crate::repair::draft::{Draft, Leaf};
use crate::repair::{Repair, Step, originals};

/// Of a forwarded message attached as message/rfc822 nothing is left (C4).
pub(in crate::repair) const ATTACHED_MESSAGE: Repair = Repair {
    name: "attached-message",
    summary: "makes an attached message (message/rfc822) a file, name.eml",
    step: Step::Content(attached_message),
};

fn attached_message(draft: &mut Draft<'_>) -> bool {
    draft.each_leaf(|leaf| {
        let is_digested = is_digested(leaf);
        let header = &mut *leaf.header;
        let field = last(header, CONTENT_TYPE);
        let is_message = field.as_ref().is_some_and(|field| is_message(&ContentType::parse(field.value)));
        if !is_message && !is_digested {
            return false;
        }
        let name = eml_name(header);
        let value = format!("application/octet-stream; name=\"{name}\"");
        match field.map(|field| field.at) {
            Some(at) => originals::replaced(header, at, CONTENT_TYPE, value.as_bytes()),
            None => header.prepend(CONTENT_TYPE, value.as_bytes()),
        }
        set_aside_name(header);
        name_attachment(header, &name);
        true
    })
}

fn is_message(kind: &ContentType) -> bool {
    kind.media_type == "message/rfc822" || kind.media_type == "message/global"
}

/// A part of a digest is a message where nothing else is said (RFC 2046, section 5.1.5).
fn is_digested(leaf: &Leaf<'_, '_>) -> bool {
    let starts_header = leaf.header.fields().next().is_some() || leaf.body.starts_with(b"\r\n");
    leaf.place.within == "multipart/digest"
        && last(leaf.header, CONTENT_TYPE).is_none()
        && starts_header
        && !leaf.body.trim_ascii().is_empty()
}

/// The name of an attached message, ending in `.eml`.
fn eml_name(header: &Header<'_>) -> String {
    let fields = [DISPOSITION, CONTENT_TYPE];
    let given = fields.iter().find_map(|name| last(header, name).and_then(|field| filename(&field)));
    let text: String =
        given.map(|name| String::from_utf8_lossy(&name.value).into_owned()).unwrap_or_default();
    let plain = |c: &char| c.is_ascii_alphanumeric() || " ._-".contains(*c);
    let stem: String = text.chars().filter(plain).take(60).collect();
    let stem = stem.trim().trim_end_matches(".eml").trim();
    if stem.is_empty() { "message.eml".to_owned() } else { format!("{stem}.eml") }
}

/// A disposition whose file name does not end in `.eml` gives way.
fn set_aside_name(header: &mut Header<'_>) {
    let Some(field) = last(header, DISPOSITION) else { return };
    let ends_well = |name: &Parameter| name.value.to_ascii_lowercase().ends_with(b".eml");
    if filename(&field).is_some_and(|name| !ends_well(&name)) {
        let at = field.at;
        originals::preserve(header, at, DISPOSITION);
    }
}

/// Makes sure that a part is an attachment with a name: without one the mail gem takes it for none (`Message#find_attachment`).
fn name_attachment(header: &mut Header<'_>, name: &str) {
    let value = format!("attachment; filename=\"{name}\"");
    match last(header, DISPOSITION).map(|field| (field.at, filename(&field).is_some())) {
        Some((_, true)) => {}
        Some((at, false)) => header.replace(at, DISPOSITION, value.as_bytes()),
        None => header.prepend(DISPOSITION, value.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::sent;

    #[test]
    fn the_parts_of_a_digest_are_messages() {
        let text = sent(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\nContent-Type: multipart/digest; boundary=d\n\n--d\n\nSubject: one\n\nfirst\n--d--\n--a--\n",
        );
        assert!(text.contains("--d\nContent-Disposition: attachment; filename=\"message.eml\"\nContent-Type: application/octet-stream; name=\"message.eml\"\n\nSubject: one\n"), "{text}");
    }
}
