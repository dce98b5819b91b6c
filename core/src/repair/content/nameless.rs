//! Files without a name.

use super::leaf::{CONTENT_TYPE, decoded, give_name, is_plain_or_html, media_type};
use crate::message::header::Header;
use crate::message::mime::{gem, last};
use crate::repair::draft::{Draft, Leaf};
use crate::repair::{Repair, Step};
use crate::shown::is_for_programs;

/// The mail gem calls nothing an attachment that has no file name (C8): what is not shown either is gone.
pub(in crate::repair) const NAMELESS_ATTACHMENT: Repair = Repair {
    name: "nameless-attachment",
    summary: "gives a name to a file that has none",
    step: Step::Content(nameless_attachment),
};

fn nameless_attachment(draft: &mut Draft<'_>) -> bool {
    let has_calendar = has_named_calendar(draft);
    draft.each_leaf(|leaf| {
        if !leaf.place.is_part() || gem::file_name(leaf.header).is_some() || leaf.body.trim_ascii().is_empty()
        {
            return false;
        }
        let kind = media_type(leaf.header);
        if !is_lost(leaf, &kind) || (has_calendar && kind == "text/calendar") {
            return false;
        }
        let extension = extension(leaf.header, leaf.body, &kind);
        give_name(leaf.header, &format!("attachment.{extension}"));
        true
    })
}

/// Whether a part without a name is one that nobody would see and that somebody might miss.
fn is_lost(leaf: &Leaf<'_, '_>, kind: &str) -> bool {
    if is_plain_or_html(kind) {
        return is_set_apart(leaf.header);
    }
    !kind.starts_with("multipart/") && !is_for_programs(kind, &leaf.place.within)
}

/// Text with `Content-Disposition: attachment` is none that is to be shown (C8b).
fn is_set_apart(header: &Header<'_>) -> bool {
    last(header, "Content-Disposition").is_some_and(|field| {
        field.trimmed().get(..10).is_some_and(|word| word.eq_ignore_ascii_case(b"attachment"))
    })
}

/// An invitation stands twice in most messages: as an alternative of the text, and as a file.
fn has_named_calendar(draft: &mut Draft<'_>) -> bool {
    let mut found = false;
    draft.each_leaf(|leaf| {
        found = found
            || gem::file_name(leaf.header).is_some_and(|name| name.to_ascii_lowercase().ends_with(".ics"));
        false
    });
    found
}

/// The usual extension of a type; of one that says nothing, what the content begins with.
pub(super) fn extension(header: &Header<'_>, body: &[u8], media_type: &str) -> String {
    let is_silent = media_type == "application/octet-stream" || last(header, CONTENT_TYPE).is_none();
    if is_silent {
        return by_content(&decoded(header, body)).to_owned();
    }
    by_type(media_type)
}

fn by_content(bytes: &[u8]) -> &'static str {
    const BEGINNINGS: [(&[u8], &str); 9] = [
        (b"%PDF-", "pdf"),
        (b"\x89PNG", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"GIF8", "gif"),
        (b"PK\x03\x04", "zip"),
        (b"BEGIN:VCALENDAR", "ics"),
        (b"BEGIN:VCARD", "vcf"),
        (b"-----BEGIN PGP ", "asc"),
        (b"{\\rtf", "rtf"),
    ];
    let known = BEGINNINGS.iter().find(|(beginning, _)| bytes.starts_with(beginning));
    let is_text = !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok();
    known.map_or(if is_text { "txt" } else { "bin" }, |(_, extension)| *extension)
}

fn by_type(media_type: &str) -> String {
    let subtype = media_type.split('/').nth(1).unwrap_or_default();
    let known = match subtype {
        "plain" => "txt",
        "jpeg" | "pjpeg" => "jpg",
        "tiff" => "tif",
        "calendar" => "ics",
        "vcard" | "x-vcard" | "directory" => "vcf",
        "ms-tnef" | "vnd.ms-tnef" => "dat",
        "pkcs7-mime" | "x-pkcs7-mime" => "p7m",
        "pkcs7-signature" | "x-pkcs7-signature" => "p7s",
        "pgp-signature" | "pgp-keys" => "asc",
        "svg+xml" => "svg",
        "mpeg" if media_type.starts_with("video/") => "mpg",
        "mpeg" => "mp3",
        "richtext" => "rtx",
        "rfc822-headers" | "delivery-status" | "enriched" => "txt",
        "vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "msword" => "doc",
        "vnd.ms-excel" => "xls",
        "vnd.ms-powerpoint" => "ppt",
        "vnd.oasis.opendocument.text" => "odt",
        "vnd.oasis.opendocument.spreadsheet" => "ods",
        "x-zip-compressed" => "zip",
        subtype
            if !subtype.is_empty()
                && subtype.len() <= 5
                && subtype.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            subtype
        }
        _ => "bin",
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::sent;

    fn part(fields: &str) -> String {
        sent(&format!(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\n{fields}\n\nx\n--a--\n"
        ))
    }

    #[test]
    fn a_file_gets_a_name_by_its_type() {
        for (fields, expected) in [
            ("Content-Type: application/pdf", "Content-Type: application/pdf; name=\"attachment.pdf\""),
            ("Content-Type: audio/mpeg", "Content-Type: audio/mpeg; name=\"attachment.mp3\""),
            (
                "Content-Type: application/octet-stream",
                "Content-Type: application/octet-stream; name=\"attachment.txt\"",
            ),
        ] {
            assert!(part(fields).contains(&format!("\n{expected}\n")), "{}", part(fields));
        }
    }

    #[test]
    fn what_is_for_programs_needs_no_name() {
        let text = part("Content-Type: message/delivery-status");
        assert!(text.contains("\nContent-Type: message/delivery-status\n"), "{text}");
    }
}
