//! Pictures that are meant to stand within a text that does not name them.

use super::leaf::{DISPOSITION, decoded, is_text, media_type};
use crate::message::mime::{gem, last};
use crate::repair::draft::Draft;
use crate::repair::{Repair, Step, originals};

/// Chatwoot puts an inline picture where the HTML names its Content-ID, and nowhere else (C15).
pub(in crate::repair) const HIDDEN_PICTURE: Repair = Repair {
    name: "hidden-picture",
    summary: "makes an inline picture that the HTML does not name an attachment",
    step: Step::Content(hidden_picture),
};

fn hidden_picture(draft: &mut Draft<'_>) -> bool {
    let mut is_any = false;
    draft.each_leaf(|leaf| {
        is_any |= media_type(leaf.header).starts_with("image/") && gem::is_inline(leaf.header);
        false
    });
    let Some(html) = is_any.then(|| shown_html(draft)).flatten() else { return false };
    draft.each_leaf(|leaf| {
        if !media_type(leaf.header).starts_with("image/")
            || !gem::is_inline(leaf.header)
            || gem::file_name(leaf.header).is_none()
        {
            return false;
        }
        let id = last(leaf.header, "Content-ID").map(|field| field.trimmed().to_vec()).unwrap_or_default();
        let Some(field) = last(leaf.header, DISPOSITION).filter(|_| !is_in(&html, &id)) else { return false };
        let rest = field.trimmed().get("inline".len()..).unwrap_or_default();
        let value = [b"attachment", rest].concat();
        originals::replaced(leaf.header, field.at, DISPOSITION, &value);
        true
    })
}

/// The HTML that is shown: the first that says something.
fn shown_html(draft: &mut Draft<'_>) -> Option<Vec<u8>> {
    let mut html = None;
    draft.each_leaf(|leaf| {
        if html.is_none() && is_text(leaf) && media_type(leaf.header) == "text/html" {
            html = Some(decoded(leaf.header, leaf.content()).into_owned());
        }
        false
    });
    html.filter(|html| !html.trim_ascii().is_empty())
}

/// Whether HTML names a Content-ID, as it is or percent-encoded.
fn is_in(html: &[u8], id: &[u8]) -> bool {
    let id = id.strip_prefix(b"<").unwrap_or(id);
    let id = id.strip_suffix(b">").unwrap_or(id);
    let mut escaped = String::new();
    for byte in id {
        match byte {
            _ if byte.is_ascii_alphanumeric() || b"-_.~".contains(byte) => escaped.push(char::from(*byte)),
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    let names = [id.to_vec(), escaped.clone().into_bytes(), lower_escapes(&escaped).into_bytes()];
    !id.is_empty()
        && names.iter().any(|name| memchr::memmem::find(html, &[b"cid:", name.as_slice()].concat()).is_some())
}

fn lower_escapes(escaped: &str) -> String {
    let mut digits = 0;
    let lower = |c: char| {
        digits = if c == '%' { 2 } else { i32::max(digits - 1, -1) };
        if digits >= 0 { c.to_ascii_lowercase() } else { c }
    };
    escaped.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::sent;

    fn related(html: &str) -> String {
        sent(&format!(
            "Content-Type: multipart/related; boundary=a\n\n--a\nContent-Type: text/html\n\n{html}\n--a\nContent-Type: image/png; name=a.png\nContent-ID: <a+1@x>\nContent-Disposition: inline\n\nx\n--a--\n"
        ))
    }

    #[test]
    fn a_picture_that_nothing_names_becomes_an_attachment() {
        assert!(related("<p>hi").contains("\nContent-Disposition: attachment\n"));
    }

    #[test]
    fn a_picture_that_is_named_stays() {
        for name in ["a+1@x", "a%2B1%40x", "a%2b1%40x"] {
            assert!(
                related(&format!("<img src=\"cid:{name}\">")).contains("\nContent-Disposition: inline\n"),
                "{name}"
            );
        }
    }
}
