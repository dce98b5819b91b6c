//! Repairs of the fields by which Chatwoot tells automatic mail, and of those that raise when they stand twice.

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::envelope::Sender;
use crate::message::header::Header;
use crate::message::mime::content_type::ContentType;

/// The mail gem hands back a list where the job expects text (F2).
pub(super) const REPEATED_FORWARDING_FIELD: Repair = Repair {
    name: "repeated-forwarding-field",
    summary: "keeps the first of several X-Forwarded-For, X-Original-Sender or X-Original-From",
    step: Step::Header(repeated_forwarding_field),
};

/// The same (F3).
pub(super) const REPEATED_AUTO_SUBMITTED: Repair = Repair {
    name: "repeated-auto-submitted",
    summary: "keeps one of several Auto-Submitted or X-Autoreply: the first that is not \"no\"",
    step: Step::Header(repeated_auto_submitted),
};

/// Chatwoot looks at `Auto-Submitted` and `X-Autoreply` alone, and answers all other automatic mail with its own greeting: a loop.
pub(super) const UNMARKED_AUTOMATIC_MAIL: Repair = Repair {
    name: "unmarked-automatic-mail",
    summary: "adds Auto-Submitted: auto-replied to bulk mail, bounces and automatic replies that say so otherwise; what a list passes on is left alone",
    step: Step::Header(unmarked_automatic_mail),
};

fn repeated_forwarding_field(draft: &mut Draft<'_>) -> bool {
    let mut changed = false;
    for name in ["X-Forwarded-For", "X-Original-Sender", "X-Original-From"] {
        changed |= keep_one(&mut draft.header, name, |_| true);
    }
    changed
}

fn repeated_auto_submitted(draft: &mut Draft<'_>) -> bool {
    let mut changed = false;
    for name in ["Auto-Submitted", "X-Autoreply"] {
        changed |= keep_one(&mut draft.header, name, |value| !value.eq_ignore_ascii_case(b"no"));
    }
    changed
}

/// Of several fields keeps the first that is preferred, else the first, and sets the others aside.
fn keep_one(header: &mut Header<'_>, name: &str, preferred: impl Fn(&[u8]) -> bool) -> bool {
    let found: Vec<(usize, bool)> =
        header.named(name).map(|field| (field.at, preferred(field.trimmed()))).collect();
    let Some((first, _)) = found.first() else { return false };
    let keeper = found.iter().find(|(_, preferred)| *preferred).map_or(*first, |(at, _)| *at);
    for (at, _) in found.iter().filter(|(at, _)| *at != keeper) {
        originals::preserve(header, *at, name);
    }
    found.len() > 1
}

fn unmarked_automatic_mail(draft: &mut Draft<'_>) -> bool {
    let header = &draft.header;
    let marked = header.named("Auto-Submitted").next().is_some() || says(header, "X-Autoreply", &["yes"]);
    if marked || !(is_automatic(header) || *draft.sender == Sender::Null) {
        return false;
    }
    draft.header.prepend("Auto-Submitted", b"auto-replied");
    true
}

/// What other programs say where they mean `Auto-Submitted` (RFC 3834). Lists are no evidence: people write to them, and marked mail is
/// kept from Chatwoot's automation rules.
fn is_automatic(header: &Header<'_>) -> bool {
    let passed_on = header.named("X-Original-Sender").next().is_some();
    (!passed_on && says(header, "Precedence", &["bulk", "junk", "auto_reply"]))
        || header.named("X-Auto-Response-Suppress").any(|field| !field.trimmed().is_empty())
        || header.named("Return-Path").next().is_some_and(|field| field.trimmed() == b"<>")
        || is_delivery_report(header)
}

/// `multipart/report` (RFC 3462), of delivery and of what was done with a message.
fn is_delivery_report(header: &Header<'_>) -> bool {
    ContentType::of(header).is_some_and(|kind| kind.media_type == "multipart/report")
}

fn says(header: &Header<'_>, name: &str, words: &[&str]) -> bool {
    header
        .named(name)
        .any(|field| words.iter().any(|word| field.trimmed().eq_ignore_ascii_case(word.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(section: &str, sender: &Sender, repair: fn(&mut Draft<'_>) -> bool) -> Option<String> {
        let section = section.replace('\n', "\r\n");
        let mut draft = Draft::new(section.as_bytes(), None, sender);
        repair(&mut draft).then(|| String::from_utf8(draft.header.to_bytes()).unwrap().replace("\r\n", "\n"))
    }

    #[test]
    fn the_first_of_several_forwarding_fields_stays() {
        let text = repaired(
            "X-Forwarded-For: a b\nX-Forwarded-For: c d\n",
            &Sender::Unknown,
            repeated_forwarding_field,
        );
        assert_eq!(text.unwrap(), "X-Forwarded-For: a b\nX-Ingress-Original-X-Forwarded-For: c d\n");
        assert_eq!(
            repaired(
                "X-Forwarded-For: a b\nX-Original-Sender: c\n",
                &Sender::Unknown,
                repeated_forwarding_field
            ),
            None
        );
    }

    #[test]
    fn a_no_gives_way_to_another_word() {
        let text = repaired(
            "Auto-Submitted: no\nAuto-Submitted: auto-replied\n",
            &Sender::Unknown,
            repeated_auto_submitted,
        );
        assert_eq!(text.unwrap(), "X-Ingress-Original-Auto-Submitted: no\nAuto-Submitted: auto-replied\n");
    }

    #[test]
    fn automatic_mail_is_marked_and_other_mail_is_not() {
        let mark = |section: &str| repaired(section, &Sender::Unknown, unmarked_automatic_mail).is_some();
        for section in [
            "Precedence: Bulk\n",
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
            "X-Auto-Response-Suppress: All\n",
            "Return-Path: <>\n",
        ] {
            assert!(mark(section), "{section}");
        }
        for section in [
            "Subject: x\n",
            "Precedence: bulk\nAuto-Submitted: no\n",
            "Precedence: bulk\nX-Autoreply: yes\n",
            "Precedence: list\nList-Id: <x.example.org>\nMailing-list: list x@example.org\n",
            "Precedence: bulk\nX-Original-Sender: a@b\n",
            "Return-Path: <a@b>\n",
        ] {
            assert!(!mark(section), "{section}");
        }
        assert!(repaired("Subject: x\n", &Sender::Null, unmarked_automatic_mail).is_some());
    }
}
