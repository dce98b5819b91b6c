//! Files in an answer to a conversation that may be a website's (live chat), which takes fewer types and loses the whole mail otherwise.

use super::leaf::{
    CONTENT_TYPE, DISPOSITION, TRANSFER_ENCODING, decoded, encoding, is_plain_or_html, media_type,
    name_parameter,
};
use super::{nameless, zip};
use crate::message::address;
use crate::message::header::Header;
use crate::message::mime::{file_type, gem, last};
use crate::repair::draft::{Draft, Leaf};
use crate::repair::{Repair, Step, originals};
use crate::route;

/// One file of a type that is not on Chatwoot's list, and the answer is thrown away (F8).
pub(in crate::repair) const WEBSITE_ATTACHMENT: Repair = Repair {
    name: "website-attachment",
    summary: "puts a file that a website conversation refuses into a .zip, and takes the name off a signature",
    step: Step::Content(website_attachment),
};

fn website_attachment(draft: &mut Draft<'_>) -> bool {
    if !answers_a_conversation(&draft.header) {
        return false;
    }
    let mut largest = 0;
    let changed = draft.each_leaf(|leaf| {
        let (size, changed) = repair(leaf);
        largest = largest.max(size);
        changed
    });
    // An e-mail conversation, which takes files of any size, is answered by In-Reply-To alone as a rule.
    if is_addressed(&draft.header) {
        draft.largest_attachment = largest;
    }
    changed
}

/// Whether the message goes to a conversation that it names: by address, or by the id of the message that it answers. Nobody can tell
/// from outside whether that is a website's.
fn answers_a_conversation(header: &Header<'_>) -> bool {
    is_addressed(header) || last(header, "In-Reply-To").is_some_and(|field| names_conversation(field.value))
}

fn is_addressed(header: &Header<'_>) -> bool {
    let to = last(header, "To").map(|field| address::read(field.value).mailboxes).unwrap_or_default();
    to.iter().any(|mailbox| route::reply_uuid(mailbox.address.local()).is_some())
}

/// `conversation/UUID/messages/ID@` and `account/ID/conversation/UUID@`, as Chatwoot writes them.
fn names_conversation(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value);
    let is_id =
        |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let after = |rest: &str| {
        let (uuid, rest) = rest.split_once(['/', '@']).unwrap_or((rest, ""));
        is_id(uuid) && (rest.starts_with("messages/") || text.contains("account/"))
    };
    text.split("conversation/").skip(1).any(after)
}

/// The size of the file, where the part is one, and whether it was changed.
fn repair(leaf: &mut Leaf<'_, '_>) -> (usize, bool) {
    let kind = media_type(leaf.header);
    let name = gem::file_name(leaf.header);
    let is_lone_file = !is_plain_or_html(&kind) && !leaf.body.trim_ascii().is_empty();
    let is_file = if leaf.place.is_part() { name.is_some() } else { is_lone_file };
    if !is_file || kind.starts_with("multipart/") {
        return (0, false);
    }
    if is_signature(leaf) {
        take_name_off(leaf.header);
        return (0, true);
    }
    let data = decoded(leaf.header, leaf.body);
    let name = name.map_or_else(
        || format!("attachment.{}", nameless::extension(leaf.header, leaf.body, &kind)),
        |name| crate::message::encoded_word::decode(&name),
    );
    let declared = gem_type(leaf.header);
    if file_type::is_taken(&file_type::start(encoding(leaf.header), &data), &declared, &name) {
        return (data.len(), false);
    }
    let Some(packed) = zip::base64_zip(&name, &data) else { return (data.len(), false) };
    let size = data.len();
    drop(data);
    describe_zip(leaf.header, &format!("{name}.zip"));
    *leaf.new_body = Some(packed);
    (size, true)
}

/// The type as the mail gem reads it; none where there is no field.
fn gem_type(header: &Header<'_>) -> String {
    last(header, CONTENT_TYPE).map(|field| gem::content_type(field.value).kind).unwrap_or_default()
}

fn describe_zip(header: &mut Header<'_>, name: &str) {
    let content_type = format!("application/zip; {}", name_parameter("name", name));
    let disposition = format!("attachment; {}", name_parameter("filename", name));
    for (field, value) in [
        (CONTENT_TYPE, content_type.as_str()),
        (TRANSFER_ENCODING, "base64"),
        (DISPOSITION, disposition.as_str()),
    ] {
        match last(header, field).map(|field| (field.at, field.trimmed() == value.as_bytes())) {
            Some((_, true)) => {}
            Some((at, false)) => originals::replaced(header, at, field, value.as_bytes()),
            None => header.prepend(field, value.as_bytes()),
        }
    }
}

/// Whether a part is the signature of what stands before it (RFC 1847).
pub(super) fn is_signature(leaf: &Leaf<'_, '_>) -> bool {
    let kind = media_type(leaf.header);
    let kind = kind.strip_prefix("application/").unwrap_or_default();
    leaf.place.within == "multipart/signed"
        && leaf.place.number > 0
        && matches!(kind, "pkcs7-signature" | "x-pkcs7-signature" | "pgp-signature")
}

/// Without a name it is no attachment to the mail gem, and stays where it is.
fn take_name_off(header: &mut Header<'_>) {
    if let Some(field) = last(header, CONTENT_TYPE) {
        let kind = gem::content_type(field.value).kind;
        originals::replaced(header, field.at, CONTENT_TYPE, kind.as_bytes());
    }
    for name in [DISPOSITION, "Content-Location"] {
        if let Some(at) = last(header, name).map(|field| field.at) {
            originals::preserve(header, at, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::{HEAD, repaired, sent};

    const REPLY: &str =
        "In-Reply-To: <conversation/5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f/messages/7@example.com>\n";
    const CARD: &str = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\nContent-Type: text/vcard; name=a.vcf\n\nBEGIN:VCARD\n--a--\n";

    #[test]
    fn a_file_that_is_refused_is_packed_in_an_answer_and_nowhere_else() {
        let text = sent(&format!("{REPLY}{CARD}"));
        assert!(text.contains("\nContent-Type: application/zip; name=\"a.vcf.zip\"\n"), "{text}");
        assert!(text.contains("\nX-Ingress-Original-Content-Type: text/vcard; name=a.vcf\n"), "{text}");
        assert!(sent(CARD).ends_with(CARD));
    }

    #[test]
    fn an_id_that_only_looks_like_a_conversation_s_is_none() {
        for id in ["<conversation/@x>", "<conversation/a b/messages/1@x>", "<my-conversation@x>"] {
            let rest = format!("In-Reply-To: {id}\n{CARD}");
            assert!(sent(&rest).ends_with(CARD), "{id}");
        }
    }

    #[test]
    fn a_forwarded_message_is_packed_once() {
        let rest = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\nContent-Type: message/rfc822\n\nSubject: old\n\nold\n--a--\n";
        let text = sent(&format!("{REPLY}{rest}"));
        assert!(text.contains("filename=\"message.eml.zip\""), "{text}");
    }

    #[test]
    fn a_signature_loses_its_name_and_what_it_covers_nothing() {
        let rest = "Content-Type: multipart/signed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\nContent-Type: application/pgp-signature; name=signature.asc\nContent-Disposition: attachment; filename=signature.asc\n\nx\n--a--\n";
        let repaired = repaired(format!("{HEAD}{REPLY}{rest}").as_bytes(), None);
        let text = String::from_utf8(repaired.bytes).unwrap();
        assert!(text.contains("\nContent-Type: application/pgp-signature\r\n"), "{text}");
        assert!(!text.contains("\nContent-Disposition") && !repaired.breaks_signature, "{text}");
    }
}
