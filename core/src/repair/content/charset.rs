//! A charset that is missing, unknown, or disproved by the bytes.

use super::leaf::{CONTENT_TYPE, decoded, is_text};
use crate::message::mime::content_type::{ContentType, Parameter};
use crate::message::mime::{charset, gem, last};
use crate::repair::draft::{Draft, Leaf};
use crate::repair::{Repair, Step, originals};

/// Every 8-bit character of text without a charset becomes a question mark (C2); HTML that names another may lose the mail (F12).
pub(in crate::repair) const MISSING_CHARSET: Repair = Repair {
    name: "missing-charset",
    summary: "adds the charset to text that names none: utf-8 when the bytes are, else what the HTML names, else windows-1252",
    step: Step::Content(missing_charset),
};

/// The same happens under a label that is unknown or wrong (C7).
pub(in crate::repair) const WRONG_CHARSET: Repair = Repair {
    name: "wrong-charset",
    summary: "replaces a charset that is unknown, or that the bytes disprove",
    step: Step::Content(wrong_charset),
};

fn missing_charset(draft: &mut Draft<'_>) -> bool {
    draft.each_leaf(|leaf| {
        let Some((at, value, kind)) = text_type(leaf) else { return false };
        if kind.charset.as_ref().is_some_and(|charset| !charset.value.is_empty()) {
            return false;
        }
        let Some(label) = label(&kind, None, leaf) else { return false };
        match readable(with_charset(&value, kind.charset.as_ref(), &label), &label) {
            Some(value) => leaf.header.replace(at, CONTENT_TYPE, &value),
            None => written_anew(leaf, at, &kind, &label),
        }
        true
    })
}

fn wrong_charset(draft: &mut Draft<'_>) -> bool {
    draft.each_leaf(|leaf| {
        let Some((at, value, kind)) = text_type(leaf) else { return false };
        let Some(charset) = kind.charset.as_ref().filter(|charset| !charset.value.is_empty()) else {
            return false;
        };
        let Some(label) = label(&kind, Some(&charset.value), leaf) else { return false };
        match readable(with_charset(&value, Some(charset), &label), &label) {
            Some(value) => originals::replaced(leaf.header, at, CONTENT_TYPE, &value),
            None => written_anew(leaf, at, &kind, &label),
        }
        true
    })
}

fn label(kind: &ContentType, present: Option<&[u8]>, leaf: &Leaf<'_, '_>) -> Option<String> {
    let text = decoded(leaf.header, leaf.body);
    if kind.media_type == "text/html" {
        charset::corrected_html(present, &text)
    } else {
        charset::corrected(present, &text).map(str::to_owned)
    }
}

/// The Content-Type of a part that is shown as text: not of an attachment.
fn text_type(leaf: &Leaf<'_, '_>) -> Option<(usize, Vec<u8>, ContentType)> {
    let field = last(leaf.header, CONTENT_TYPE)?;
    is_text(leaf).then(|| (field.at, field.value.to_vec(), ContentType::parse(field.value)))
}

/// The value, if the mail gem finds the charset in it.
fn readable(value: Vec<u8>, label: &str) -> Option<Vec<u8>> {
    (gem::content_type(&value).parameter("charset").as_deref() == Some(label)).then_some(value)
}

/// A field that would stay unreadable gives way to type and charset.
fn written_anew(leaf: &mut Leaf<'_, '_>, at: usize, kind: &ContentType, label: &str) {
    let value = format!("{}; charset={label}", kind.media_type);
    originals::replaced(leaf.header, at, CONTENT_TYPE, value.as_bytes());
}

pub(super) fn with_charset(value: &[u8], present: Option<&Parameter>, label: &str) -> Vec<u8> {
    if let Some(charset) = present
        && let (Some(before), Some(after)) =
            (value.get(..charset.range.start), value.get(charset.range.end..))
    {
        let is_quoted = value.get(charset.range.start) == Some(&b'"');
        let label = if is_quoted { format!("\"{label}\"") } else { label.to_owned() };
        return [before, label.as_bytes(), after].concat();
    }
    let bare = value.trim_ascii_end();
    let bare = bare.strip_suffix(b";").unwrap_or(bare);
    let bare = if bare.trim_ascii().is_empty() { b" text/plain" } else { bare };
    [bare, b"; charset=", label.as_bytes()].concat()
}
