//! A Content-Type that is missing, and one that the mail gem reads otherwise than it was meant.

use super::leaf::{CONTENT_TYPE, decoded, ensure_mime_version, is_file, is_plain_or_html, name_parameter};
use crate::message::encoded_word;
use crate::message::header::Header;
use crate::message::mime::content_type::ContentType;
use crate::message::mime::{charset, gem, last};
use crate::repair::content::file_name;
use crate::repair::draft::Draft;
use crate::repair::{Repair, Step, originals};

/// Such a field counts as text/plain without parameters (C12): its charset, boundary or name is not seen.
pub(in crate::repair) const UNREADABLE_CONTENT_TYPE: Repair = Repair {
    name: "unreadable-content-type",
    summary: "writes anew a Content-Type that Chatwoot would not read",
    step: Step::Content(unreadable_content_type),
};

/// Without the field Chatwoot shows a blank message (C1): cron, `mail`, PHP.
pub(in crate::repair) const MISSING_CONTENT_TYPE: Repair = Repair {
    name: "missing-content-type",
    summary: "adds Content-Type: text/plain with the right charset where there is none",
    step: Step::Content(missing_content_type),
};

fn unreadable_content_type(draft: &mut Draft<'_>) -> bool {
    let fallback = file_name::charset_of_text(draft);
    let containers = draft.each_container(|header| written_anew(header, b"", None));
    draft.each_leaf(|leaf| written_anew(leaf.header, leaf.body, fallback.as_deref())) || containers
}

fn written_anew(header: &mut Header<'_>, body: &[u8], fallback: Option<&str>) -> bool {
    let Some(field) = last(header, CONTENT_TYPE) else { return false };
    let (at, read, meant) = (field.at, gem::content_type(field.value), meant(header, field.value));
    let name = file_name::meant(&field, fallback);
    let label = |label: &Option<String>| label.as_deref().unwrap_or_default().to_ascii_lowercase();
    let charset = meant.charset.as_ref().map(|charset| String::from_utf8_lossy(&charset.value).into_owned());
    let boundary = meant.boundary.as_ref().map(|boundary| String::from_utf8_lossy(boundary).into_owned());
    let is_text = is_plain_or_html(&meant.media_type);
    let differs = read.kind != meant.media_type
        || (is_text
            && label(&read.parameter("charset")) != label(&charset)
            && !decoded(header, body).is_ascii())
        || (meant.is_multipart() && read.parameter("boundary") != boundary)
        || (name.is_some() && gem::file_name(header).is_none());
    // Of parts that nobody can find nothing is lost.
    if !differs || (meant.is_multipart() && boundary.is_none()) {
        return false;
    }
    let mut value = meant.media_type.clone();
    if let Some(charset) = charset.filter(|charset| is_token(charset)) {
        value.push_str(&format!("; charset={charset}"));
    }
    if let Some(boundary) = boundary {
        let escaped = boundary.replace('\\', "\\\\").replace('"', "\\\"");
        value.push_str(&format!("; boundary=\"{escaped}\""));
    }
    if let Some(name) = name {
        value.push_str(&format!("; {}", name_parameter("name", &name)));
    }
    originals::replaced(header, at, CONTENT_TYPE, value.as_bytes());
    true
}

/// What the field is meant to say: encoded words, which have no place in it, decoded.
fn meant(header: &Header<'_>, value: &[u8]) -> ContentType {
    let meant = ContentType::of(header).unwrap_or_default();
    if meant.charset.is_some() || memchr::memmem::find(value, b"=?").is_none() {
        return meant;
    }
    let text = encoded_word::decode(&encoded_word::raw_text(value));
    let charset = ContentType::parse(text.as_bytes()).charset;
    ContentType { charset, ..meant }
}

fn is_token(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:+".contains(&byte))
}

fn missing_content_type(draft: &mut Draft<'_>) -> bool {
    let multipart = draft.is_multipart();
    let changed = draft.each_leaf(|leaf| {
        let header = &mut *leaf.header;
        if last(header, CONTENT_TYPE).is_some() || (multipart && header.fields().next().is_none()) {
            return false;
        }
        // A text type would make it the text that is shown (C8b).
        if leaf.place.is_part() && is_file(header) {
            return false;
        }
        let text = decoded(header, leaf.body);
        let charset = charset::corrected(None, &text).unwrap_or("utf-8");
        header.prepend(CONTENT_TYPE, format!("text/plain; charset={charset}").as_bytes());
        true
    });
    if changed && !multipart {
        ensure_mime_version(&mut draft.header);
    }
    changed
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::sent;

    #[test]
    fn what_the_gem_cannot_read_is_written_clean_and_kept() {
        let text = sent("Content-Type: text/html:charset=utf-8\n\n<p>hi\n");
        assert!(text.contains("\nContent-Type: text/html; charset=utf-8\n"), "{text}");
        assert!(text.contains("\nX-Ingress-Original-Content-Type: text/html:charset=utf-8\n"), "{text}");
    }

    #[test]
    fn a_boundary_on_a_line_that_is_not_indented_is_found_in_a_part_too() {
        let text = sent(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/alternative;\nboundary=\"b\"\n\n--b\nContent-Type: text/plain\n\nhi\n--b--\n--a--\n",
        );
        assert!(text.contains("\nContent-Type: multipart/alternative; boundary=\"b\"\n"), "{text}");
    }

    #[test]
    fn an_attachment_without_a_type_does_not_become_the_text() {
        let text = sent(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Disposition: attachment\n\nnotes\n--a\nContent-Type: text/plain\n\nhi\n--a--\n",
        );
        assert!(
            text.contains("\nContent-Disposition: attachment; filename=\"attachment.txt\"\n\nnotes"),
            "{text}"
        );
    }
}
