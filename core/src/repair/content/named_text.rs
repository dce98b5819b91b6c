//! Text that has a file name, in a message that shows no other.

use super::leaf::{CONTENT_TYPE, DISPOSITION, decoded, is_plain_or_html, media_type, with_label};
use crate::message::mime::{gem, last};
use crate::repair::draft::Draft;
use crate::repair::{Repair, Step, originals};

/// A part with a name is a file to the mail gem: where the text has one, and nothing says that it stands apart, the message is blank.
pub(in crate::repair) const NAMED_TEXT: Repair = Repair {
    name: "named-text",
    summary: "takes the file name off the text of a message that shows no other",
    step: Step::Content(named_text),
};

fn named_text(draft: &mut Draft<'_>) -> bool {
    let (mut is_shown, mut is_any) = (false, false);
    draft.each_leaf(|leaf| {
        let is_text = is_plain_or_html(&media_type(leaf.header));
        let is_named = leaf.place.is_part() && gem::file_name(leaf.header).is_some();
        is_shown |= !leaf.place.is_part() || (is_text && !is_named && !leaf.body.trim_ascii().is_empty());
        is_any |= is_text && is_named;
        false
    });
    if is_shown || !is_any {
        return false;
    }
    let mut changed = false;
    draft.each_leaf(|leaf| {
        let kind = media_type(leaf.header);
        let is_candidate = !changed
            && is_plain_or_html(&kind)
            && !gem::is_attachment(leaf.header)
            && gem::file_name(leaf.header).is_some()
            && !decoded(leaf.header, leaf.body).trim_ascii().is_empty();
        if !is_candidate {
            return false;
        }
        if let Some(field) = last(leaf.header, CONTENT_TYPE) {
            let value = with_label(&kind, &gem::content_type(field.value));
            originals::replaced(leaf.header, field.at, CONTENT_TYPE, value.as_bytes());
        }
        for name in [DISPOSITION, "Content-Location"] {
            if let Some(at) = last(leaf.header, name).map(|field| field.at) {
                originals::preserve(leaf.header, at, name);
            }
        }
        changed = true;
        true
    })
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::{HEAD, sent};

    #[test]
    fn the_only_text_is_shown_though_it_has_a_name() {
        let text = sent(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain; name=a.txt; charset=utf-8\n\nhi\n--a--\n",
        );
        assert!(text.contains("\nContent-Type: text/plain; charset=\"utf-8\"\n"), "{text}");
    }

    #[test]
    fn a_text_file_beside_a_text_stays_a_file() {
        let rest = "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nhi\n--a\nContent-Type: text/plain; name=a.txt\n\nx\n--a--\n";
        assert_eq!(sent(rest), format!("{HEAD}{rest}"));
    }
}
