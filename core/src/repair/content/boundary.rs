//! A message of parts whose boundary is missing, or is not the one in use: the mail gem finds no part, and shows nothing.

use std::collections::HashSet;

use super::leaf::{CONTENT_TYPE, media_type};
use crate::message::header::Header;
use crate::message::mime::content_type::ContentType;
use crate::message::mime::last;
use crate::repair::draft::Draft;
use crate::repair::{Repair, Step, originals};

/// Where no boundary is in use, what stands there is text (C10).
pub(in crate::repair) const WRONG_BOUNDARY: Repair = Repair {
    name: "wrong-boundary",
    summary: "names the boundary that the parts have, or makes what has no parts a text",
    step: Step::Content(wrong_boundary),
};

fn wrong_boundary(draft: &mut Draft<'_>) -> bool {
    draft.each_without_parts(repair)
}

fn repair(header: &mut Header<'_>, body: &[u8]) -> bool {
    let Some(field) = last(header, CONTENT_TYPE).filter(|_| !body.trim_ascii().is_empty()) else {
        return false;
    };
    let kind = media_type(header);
    let declared = ContentType::of(header).and_then(|kind| kind.boundary);
    let value = match in_use(body) {
        Some(boundary) if declared.as_deref() == Some(boundary.as_bytes()) => return false,
        Some(boundary) => format!("{kind}; boundary=\"{boundary}\""),
        None if is_blank(body) => return false,
        None if looks_like_html(body) => "text/html; charset=utf-8".to_owned(),
        None => "text/plain; charset=utf-8".to_owned(),
    };
    originals::replaced(header, field.at, CONTENT_TYPE, value.as_bytes());
    true
}

/// Whether nothing but boundary lines stands there.
fn is_blank(body: &[u8]) -> bool {
    lines(body).all(|(line, _)| line.trim_ascii().is_empty() || line.starts_with(b"--"))
}

/// The first line that begins like a boundary, and that another one closes or a field of content follows.
fn in_use(body: &[u8]) -> Option<&str> {
    let closed: HashSet<&[u8]> =
        lines(body).filter_map(|(line, _)| line.strip_prefix(b"--")?.strip_suffix(b"--")).collect();
    let is_boundary = |boundary: &[u8], rest: &[u8]| {
        let starts_part = rest.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"content-"));
        closed.contains(boundary) || starts_part
    };
    lines(body).find_map(|(line, rest)| {
        let boundary = line.strip_prefix(b"--").filter(|boundary| is_boundary(boundary, rest))?;
        std::str::from_utf8(boundary).ok().filter(|boundary| is_usable(boundary))
    })
}

/// What may stand in quotes as it is.
fn is_usable(boundary: &str) -> bool {
    let is_sound = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    boundary.len() <= 200
        && boundary.chars().all(is_sound)
        && boundary.contains(|c: char| c.is_ascii_alphanumeric())
}

/// The lines without blanks at their end, each with what follows it.
fn lines(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        Some((line.trim_ascii_end(), after))
    })
}

fn looks_like_html(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    [&b"<html"[..], b"<!doctype html", b"<div", b"<p>", b"<table", b"<body"]
        .iter()
        .any(|tag| start.get(..tag.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(tag)))
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::{HEAD, sent};

    #[test]
    fn the_boundary_in_use_is_named() {
        for declared in
            ["multipart/mixed", "multipart/mixed; boundary=said", "multipart/mixed; boundary='used'"]
        {
            let text = sent(&format!(
                "Content-Type: {declared}\n\n--used\nContent-Type: text/plain\n\nhi\n--used--\n"
            ));
            assert!(text.contains("\nContent-Type: multipart/mixed; boundary=\"used\"\n"), "{text}");
        }
    }

    #[test]
    fn what_has_no_parts_is_text() {
        let text = sent("Content-Type: multipart/alternative; boundary=never\n\nhello\n");
        assert!(text.contains("\nContent-Type: text/plain; charset=utf-8\n"), "{text}");
    }

    #[test]
    fn a_part_that_holds_nothing_but_boundaries_stays() {
        let part = "--a\nContent-Type: multipart/related; boundary=b\n\n--b--\n--a\nContent-Type: text/plain\n\nhi\n--a--\n";
        let rest = format!("Content-Type: multipart/mixed; boundary=a\n\n{part}");
        assert_eq!(sent(&rest), format!("{HEAD}{rest}"));
    }
}
