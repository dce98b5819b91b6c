//! Text in several parts of a message, of which Chatwoot shows the first.

use std::collections::HashSet;

use super::charset::with_charset;
use super::leaf::{CONTENT_TYPE, TRANSFER_ENCODING, decoded, is_text, media_type};
use super::zip::lines_of_base64;
use crate::message::header::Header;
use crate::message::mime::content_type::ContentType;
use crate::message::mime::{charset, last};
use crate::repair::draft::{Draft, Leaf};
use crate::repair::{Repair, Step, originals};

/// What Apple Mail writes when a picture stands in the middle of the text (C11): what follows the picture is not shown.
pub(in crate::repair) const SCATTERED_TEXT: Repair = Repair {
    name: "scattered-text",
    summary: "brings text that stands in other parts into the text that is shown",
    step: Step::Content(scattered_text),
};

/// A part that holds text.
struct Piece {
    /// Its number among all parts.
    number: usize,
    html: bool,
    within: String,
    signed: bool,
    /// How many files stand before it.
    files: usize,
    text: String,
}

fn scattered_text(draft: &mut Draft<'_>) -> bool {
    if !is_scattered(draft) {
        return false;
    }
    let pieces = pieces(draft);
    let Some(target) = shown(&pieces) else { return false };
    let from_list = is_from_list(&draft.header);
    let known = words(&target.text);
    let moved: Vec<&Piece> = pieces
        .iter()
        .filter(|piece| is_unseen(piece, target, from_list) && says_more(piece, &known))
        .collect();
    if moved.is_empty() {
        return false;
    }
    let text = if target.html { joined_html(target, &moved) } else { joined_plain(target, &moved) };
    let mut number = 0;
    draft.each_leaf(|leaf| {
        number += 1;
        if number == target.number {
            write_text(leaf, &text);
        } else if moved.iter().any(|piece| piece.number == number) {
            *leaf.new_body = Some(Vec::new());
        }
        true
    })
}

/// Whether there is more text than the alternatives of one.
fn is_scattered(draft: &mut Draft<'_>) -> bool {
    let (mut texts, mut apart) = (0, false);
    let mut files = 0;
    draft.each_leaf(|leaf| {
        if is_text(leaf) {
            texts += 1;
            apart |= texts > 1 && (leaf.place.within == "multipart/mixed" || files > 0);
        } else {
            files += 1;
        }
        false
    });
    // A text before the others may be the one that stands apart.
    apart || (texts > 1 && first_is_apart(draft))
}

fn first_is_apart(draft: &mut Draft<'_>) -> bool {
    let mut first = None;
    draft.each_leaf(|leaf| {
        if first.is_none() && is_text(leaf) {
            first = Some(leaf.place.within == "multipart/mixed");
        }
        false
    });
    first == Some(true)
}

fn pieces(draft: &mut Draft<'_>) -> Vec<Piece> {
    /// So many are looked at.
    const MOST: usize = 64;
    let (mut pieces, mut number, mut files) = (Vec::new(), 0, 0);
    draft.each_leaf(|leaf| {
        number += 1;
        if !is_text(leaf) {
            files += 1;
        } else if pieces.len() < MOST {
            pieces.push(Piece {
                number,
                html: media_type(leaf.header) == "text/html",
                within: leaf.place.within.clone(),
                signed: leaf.place.signed,
                files,
                text: text_of(leaf),
            });
        }
        false
    });
    pieces
}

fn text_of(leaf: &Leaf<'_, '_>) -> String {
    let label = ContentType::of(leaf.header).and_then(|kind| kind.charset).map(|charset| charset.value);
    charset::text(label.as_deref(), &decoded(leaf.header, leaf.body))
}

/// The text that Chatwoot shows: the first HTML where that says something, else the first plain text.
fn shown(pieces: &[Piece]) -> Option<&Piece> {
    let html = pieces.iter().find(|piece| piece.html).filter(|piece| !words(&piece.text).is_empty());
    html.or_else(|| pieces.iter().find(|piece| !piece.html)).or_else(|| pieces.first())
}

/// Whether a piece is a text of its own: no other form of the one that is shown, and not what a mailing list puts below it.
fn is_unseen(piece: &Piece, target: &Piece, from_list: bool) -> bool {
    let behind_file = piece.files != target.files;
    let is_own = match piece.within.as_str() {
        "multipart/mixed" => behind_file || !from_list,
        "multipart/alternative" | "multipart/related" => piece.html && target.html && behind_file,
        _ => false,
    };
    piece.number != target.number && is_own && piece.signed == target.signed
}

fn is_from_list(header: &Header<'_>) -> bool {
    ["List-Id", "List-Post", "List-Unsubscribe", "Mailing-List", "X-Mailing-List", "X-Mailman-Version"]
        .iter()
        .any(|name| last(header, name).is_some())
}

/// Whether a piece holds words that the shown text does not.
fn says_more(piece: &Piece, known: &HashSet<String>) -> bool {
    let words = words(&piece.text);
    let new = words.iter().filter(|word| !known.contains(*word)).count();
    new * 10 > words.len()
}

/// The words of a text, those of HTML without its tags.
fn words(text: &str) -> HashSet<String> {
    let mut plain = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                plain.push(' ');
            }
            _ if inside => {}
            c => plain.push(c),
        }
    }
    let plain = plain.replace("&nbsp;", " ");
    plain
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

fn joined_plain(target: &Piece, moved: &[&Piece]) -> String {
    let all: Vec<&str> =
        in_order(target, moved).map(|piece| piece.text.trim_start_matches(['\r', '\n']).trim_end()).collect();
    all.join("\r\n\r\n") + "\r\n"
}

fn in_order<'p>(target: &'p Piece, moved: &[&'p Piece]) -> impl Iterator<Item = &'p Piece> {
    let mut all: Vec<&Piece> = moved.iter().copied().chain([target]).collect();
    all.sort_by_key(|piece| piece.number);
    all.into_iter()
}

fn joined_html(target: &Piece, moved: &[&Piece]) -> String {
    let html = &target.text;
    let lower = html.to_ascii_lowercase();
    let body = lower.find("<body").and_then(|at| Some(at + lower.get(at..)?.find('>')? + 1));
    let start = body.or_else(|| Some(lower.find("</head>")? + "</head>".len())).unwrap_or_default();
    let end = lower
        .rfind("</body>")
        .or_else(|| lower.rfind("</html>"))
        .filter(|end| *end >= start)
        .unwrap_or(html.len());
    let part = |is_before: bool| -> String {
        let wanted = moved.iter().filter(|piece| (piece.number < target.number) == is_before);
        wanted.map(|piece| format!("<div>{}</div>\r\n", as_html(piece))).collect()
    };
    let slice = |range: std::ops::Range<usize>| html.get(range).unwrap_or_default();
    [slice(0..start), &part(true), slice(start..end), "\r\n", &part(false), slice(end..html.len())].concat()
}

/// What is inside the body of HTML, or plain text as HTML.
fn as_html(piece: &Piece) -> String {
    if !piece.html {
        let escaped = piece.text.trim().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        return escaped.replace("\r\n", "<br>\r\n");
    }
    let lower = piece.text.to_ascii_lowercase();
    let start =
        lower.find("<body").and_then(|at| Some(at + lower.get(at..)?.find('>')? + 1)).unwrap_or_default();
    let end = lower.rfind("</body>").filter(|end| *end >= start).unwrap_or(lower.len());
    piece.text.get(start..end).unwrap_or_default().to_owned()
}

/// Gives a part this text, in UTF-8 and in lines that no boundary can be among.
fn write_text(leaf: &mut Leaf<'_, '_>, text: &str) {
    let had_header = leaf.header.line_count() > 0;
    if let Some(field) = last(leaf.header, CONTENT_TYPE) {
        let kind = ContentType::parse(field.value);
        let is_utf8 =
            kind.charset.as_ref().is_some_and(|charset| charset.value.eq_ignore_ascii_case(b"utf-8"));
        if !is_utf8 {
            let value = with_charset(field.value, kind.charset.as_ref(), "utf-8");
            originals::replaced(leaf.header, field.at, CONTENT_TYPE, &value);
        }
    } else {
        leaf.header.prepend(CONTENT_TYPE, b"text/plain; charset=utf-8");
    }
    match last(leaf.header, TRANSFER_ENCODING).map(|field| field.at) {
        Some(at) => originals::replaced(leaf.header, at, TRANSFER_ENCODING, b"base64"),
        None => leaf.header.prepend(TRANSFER_ENCODING, b"base64"),
    }
    let lines = lines_of_base64(&[text.as_bytes()]);
    *leaf.new_body = Some(if had_header { lines } else { [b"\r\n", lines.as_slice()].concat() });
}

#[cfg(test)]
mod tests {
    use crate::repair::apply::tests::sent;

    const PICTURE: &str = "--a\nContent-Type: image/png; name=a.png\n\nx\n";

    fn decoded(text: &str) -> String {
        let start = text.find("base64\n").unwrap();
        let body = text[start..].split("\n\n").nth(1).unwrap();
        String::from_utf8(mail_parser::decoders::base64::base64_decode(body.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn text_below_a_picture_is_shown() {
        let text = sent(&format!(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\nabove\n{PICTURE}--a\nContent-Type: text/plain\n\nbelow\n--a--\n"
        ));
        assert_eq!(decoded(&text), "above\r\n\r\nbelow\r\n");
    }

    #[test]
    fn plain_text_goes_into_html_as_html() {
        let text = sent(&format!(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/html\n\n<body>above</body>\n{PICTURE}--a\nContent-Type: text/plain\n\n1 < 2\n--a--\n"
        ));
        assert!(decoded(&text).contains("above\r\n<div>1 &lt; 2</div>\r\n</body>"), "{}", decoded(&text));
    }

    #[test]
    fn a_part_without_a_header_keeps_its_empty_line() {
        let text = sent(&format!(
            "Content-Type: multipart/mixed; boundary=a\n\n--a\n\nabove\n{PICTURE}--a\n\nbelow\n--a--\n"
        ));
        assert_eq!(decoded(&text), "above\r\n\r\nbelow\r\n");
    }

    #[test]
    fn alternatives_and_what_a_list_adds_stay() {
        for rest in [
            "Content-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/plain\n\none\n--a\nContent-Type: text/html\n\n<p>two\n--a--\n",
            "List-Id: <l.example.org>\nContent-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: text/plain\n\none\n--a\nContent-Type: text/plain\n\nunsubscribe here\n--a--\n",
        ] {
            let text = sent(rest);
            assert!(text.ends_with(rest.split_once("\n\n").unwrap().1), "{text}");
        }
    }
}
