//! Header fields in ASCII: encoded words for text (RFC 2047), extended parameters for names of files (RFC 2231).

use super::is_seven_bit;
use crate::message::header::Header;
use crate::message::mime::content_type::parameters;
use crate::message::{address, encoded_word};

/// Makes every line of a header section ASCII; says nothing else than it did.
///
/// `boundary` takes the place of a boundary that is not ASCII.
pub(super) fn convert(header: &mut Header<'_>, boundary: Option<&str>) {
    for at in 0..header.line_count() {
        if header.all(at, is_seven_bit) {
            continue;
        }
        let converted = header.field(at).map(|field| {
            let name = String::from_utf8_lossy(field.name).into_owned();
            let value = value(&name, field.value, boundary);
            (name, value)
        });
        match converted {
            Some((name, value)) => header.replace(at, &name, &value),
            None => {
                let line = no_field(&header.raw(at));
                header.overwrite(at, line);
            }
        }
    }
    // What no reader reads needs no encoded words.
    header.change_beyond(|piece| (!is_seven_bit(piece)).then(|| masked(piece)));
}

/// Fields that hold addresses (RFC 5322, section 3.6; RFC 8098, section 2.1).
const ADDRESSES: [&str; 13] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Bcc",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Resent-Reply-To",
    "Disposition-Notification-To",
];

/// Fields with parameters (RFC 2045, section 5.1; RFC 2183).
const PARAMETERS: [&str; 2] = ["Content-Type", "Content-Disposition"];

/// Fields of which a part is looked at by programs; in all others stands text.
const STRUCTURED: [&str; 9] = [
    "Date",
    "Resent-Date",
    "Received",
    "Return-Path",
    "Delivered-To",
    "MIME-Version",
    "Content-Transfer-Encoding",
    "Content-ID",
    "DKIM-Signature",
];

fn value(name: &str, value: &[u8], boundary: Option<&str>) -> Vec<u8> {
    let is_one_of = |names: &[&str]| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    if is_one_of(&PARAMETERS) {
        return with_parameters(value, boundary);
    }
    if is_one_of(&ADDRESSES) {
        return addresses(name, value);
    }
    if is_one_of(&STRUCTURED) { structured(value) } else { text(value) }
}

/// Addresses with their names. The two sides of an address that is not ASCII itself (RFC 6532) become encoded words, against the letter
/// of RFC 2047, section 5: there is no other form for them, and the mail gem reads this one (`Mail::Address#address`).
fn addresses(name: &str, value: &[u8]) -> Vec<u8> {
    let mailboxes = address::read(value).mailboxes;
    if mailboxes.is_empty() {
        return structured(value);
    }
    let written = address::write(name, &mailboxes);
    let separates = |c: char| c.is_ascii_whitespace() || "<>,@\"".contains(c);
    words(&String::from_utf8_lossy(&written), separates, encoded_word::encode_unfolded)
}

/// Text: the words that are not ASCII become encoded words. Where some are already, all of it is encoded anew: blanks between two of
/// them would vanish.
fn text(value: &[u8]) -> Vec<u8> {
    let text = encoded_word::raw_text(value);
    if text.contains("=?") {
        let unfolded = encoded_word::decode(&text.replace("\r\n", ""));
        return encoded_word::encode(unfolded.trim()).into_bytes();
    }
    words(&text, |c| c.is_ascii_whitespace(), encoded_word::encode)
}

/// The same where brackets and the like have a meaning.
fn structured(value: &[u8]) -> Vec<u8> {
    let separates = |c: char| c.is_ascii_whitespace() || "()<>,;:\"[]".contains(c);
    words(&encoded_word::raw_text(value), separates, encoded_word::encode)
}

/// Encodes each run of words that are not ASCII, with the blanks inside.
fn words(text: &str, separates: impl Fn(char) -> bool, encode: fn(&str) -> String) -> Vec<u8> {
    let mut written = String::with_capacity(text.len() * 2);
    let mut run = String::new();
    let mut gap = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(&separates).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let next = after.find(|c| !separates(c)).unwrap_or(after.len());
        let (separators, after) = after.split_at(next);
        rest = after;
        let clean = is_seven_bit(word.as_bytes());
        if !clean && !run.is_empty() && gap.bytes().all(|byte| byte.is_ascii_whitespace()) {
            run.push_str(&gap.replace("\r\n", ""));
            run.push_str(word);
        } else {
            flush(&mut run, &mut written, encode);
            written.push_str(&gap);
            if clean {
                written.push_str(word);
            } else {
                run.push_str(word);
            }
        }
        separators.clone_into(&mut gap);
    }
    flush(&mut run, &mut written, encode);
    written.push_str(&gap);
    masked(written.as_bytes())
}

fn flush(run: &mut String, written: &mut String, encode: fn(&str) -> String) {
    if !run.is_empty() {
        written.push_str(&encode(run));
        run.clear();
    }
}

/// Parameters that are not ASCII in the form of RFC 2231; question marks elsewhere.
fn with_parameters(value: &[u8], boundary: Option<&str>) -> Vec<u8> {
    let mut written = Vec::with_capacity(value.len() * 2);
    let mut done = 0;
    for (name, parameter) in parameters(value) {
        let raw = value.get(parameter.range.clone()).unwrap_or_default();
        if is_seven_bit(raw) || parameter.range.start < done {
            continue;
        }
        let before = value.get(done..parameter.range.start).unwrap_or_default();
        let (before, replacement) = match boundary {
            Some(boundary) if name == b"boundary" => (before.to_vec(), format!("\"{boundary}\"")),
            _ if name.ends_with(b"*") => (before.to_vec(), percent(raw, |byte| byte.is_ascii())),
            _ if name.contains(&b'*') => {
                (before.to_vec(), String::from_utf8_lossy(&masked(raw)).into_owned())
            }
            _ => (starred(before), extended(&parameter.value)),
        };
        written.extend_from_slice(&masked(&before));
        written.extend_from_slice(replacement.as_bytes());
        done = parameter.range.end;
    }
    written.extend_from_slice(&masked(value.get(done..).unwrap_or_default()));
    written
}

/// `name =` as `name*=`.
fn starred(before: &[u8]) -> Vec<u8> {
    let name = before.trim_ascii_end();
    let name = name.strip_suffix(b"=").unwrap_or(name).trim_ascii_end();
    [name, b"*="].concat()
}

/// An extended value: charset, no language, and the text with everything but attribute characters as `%XX`.
fn extended(value: &[u8]) -> String {
    let text = encoded_word::decode(&encoded_word::raw_text(value));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`{}~".contains(&byte);
    format!("utf-8''{}", percent(text.as_bytes(), is_plain))
}

fn percent(bytes: &[u8], is_plain: impl Fn(u8) -> bool) -> String {
    let mut written = String::new();
    for byte in bytes {
        if is_plain(*byte) && *byte != 0 {
            written.push(char::from(*byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

/// A line that is no field, and that masking makes no boundary line.
fn no_field(line: &[u8]) -> Vec<u8> {
    match line.strip_prefix(b"--") {
        Some(rest) => [b"??", masked(rest).as_slice()].concat(),
        None => masked(line),
    }
}

fn masked(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if super::convert::is_safe(*byte) { *byte } else { b'?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(section: &[u8]) -> String {
        let mut header = Header::parse(section);
        convert(&mut header, Some("new"));
        String::from_utf8(header.to_bytes()).unwrap()
    }

    #[test]
    fn text_is_encoded_word_by_word() {
        assert_eq!(
            converted("Subject: Gr\u{fc}\u{df}e an alle \u{e4}\r\n \u{f6} !\r\n".as_bytes()),
            "Subject: =?utf-8?b?R3LDvMOfZQ==?= an alle =?utf-8?b?w6Qgw7Y=?= !\r\n"
        );
        assert_eq!(converted(b"X-Note: caf\xe9\r\n"), "X-Note: =?utf-8?b?Y2Fmw6k=?=\r\n");
        assert_eq!(
            converted("Subject: =?utf-8?q?a?= \u{fc} b\r\n".as_bytes()),
            "Subject: =?utf-8?b?YSDDvCBi?=\r\n"
        );
    }

    #[test]
    fn names_are_encoded_and_addresses_stay() {
        assert_eq!(
            converted("To: \"M\u{fc}ller, J\" <j@x.org>, b@y.org\r\n".as_bytes()),
            "To: =?utf-8?q?M=C3=BCller=2C_J?= <j@x.org>, b@y.org\r\n"
        );
    }

    #[test]
    fn addresses_that_are_not_ascii_are_encoded_side_by_side() {
        assert_eq!(
            converted("From: J <j\u{fc}@\u{fc}.org>, a@b\r\n".as_bytes()),
            "From: J <=?utf-8?b?asO8?=@=?utf-8?b?w7wub3Jn?=>, a@b\r\n"
        );
    }

    #[test]
    fn comments_and_brackets_stay_what_they_are() {
        assert_eq!(
            converted("Date: Thu, 1 Jan 2026 10:00:00 +0100 (Mitteleurop\u{e4}ische Zeit)\r\n".as_bytes()),
            "Date: Thu, 1 Jan 2026 10:00:00 +0100 (=?utf-8?q?Mitteleurop=C3=A4ische?= Zeit)\r\n"
        );
    }

    #[test]
    fn names_of_files_become_extended_parameters() {
        assert_eq!(
            converted(
                "Content-Disposition: attachment; filename = \"r\u{e4}um 1.pdf\"; size=3\r\n".as_bytes()
            ),
            "Content-Disposition: attachment; filename*=utf-8''r%C3%A4um%201.pdf; size=3\r\n"
        );
        assert_eq!(
            converted(b"Content-Type: text/plain; name*=iso-8859-1''r\xe4um; charset=utf-8\r\n"),
            "Content-Type: text/plain; name*=iso-8859-1''r%E4um; charset=utf-8\r\n"
        );
        assert_eq!(
            converted(b"Content-Type: multipart/mixed; boundary=\"\xe4\"\r\n"),
            "Content-Type: multipart/mixed; boundary=\"new\"\r\n"
        );
    }

    #[test]
    fn what_is_no_field_and_what_is_ascii() {
        assert_eq!(converted(b"junk \xe4\0\r\nA: b\r\n\tc\r\n"), "junk ??\r\nA: b\r\n\tc\r\n");
        assert_eq!(converted(b"A: b\r\n--b\xe4\r\n"), "A: b\r\n??b?\r\n");
    }
}
