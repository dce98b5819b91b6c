//! Encoded words (RFC 2047): text that is not ASCII, in header fields.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;

/// The longest encoded word (RFC 2047, section 2).
const LONGEST: usize = 75;

/// The longest that is read as one; many programs do not fold them.
const LONGEST_READ: usize = 1000;

/// Encodes text as UTF-8 encoded words, folded one to a line. Q or B, whichever is shorter.
///
/// The words stand for a phrase as well as for unstructured text (RFC 2047, section 5, rule 3); no character is split between two.
pub fn encode(text: &str) -> String {
    let q = "=?utf-8?q?".len() + "?=".len() + text.chars().map(q_length).sum::<usize>();
    let b = "=?utf-8?b?".len() + "?=".len() + text.len().div_ceil(3) * 4;
    let (scheme, room, length): (_, _, fn(char) -> usize) = if q <= b {
        ('q', LONGEST - 12, q_length)
    } else {
        // 63 characters of base64 hold 45 bytes.
        ('b', 45, char::len_utf8)
    };
    let mut encoded = String::with_capacity(q.min(b) + q.min(b) / 4);
    for piece in pieces(text, room, length) {
        if !encoded.is_empty() {
            encoded.push_str("\r\n ");
        }
        encoded.push_str(&word(scheme, piece));
    }
    encoded
}

/// Encodes text as one UTF-8 encoded word, however long: for a place where no fold may be.
pub fn encode_unfolded(text: &str) -> String {
    word('b', text)
}

/// Cuts text into pieces of at most `room`, measured by `length`; an empty text is one piece.
fn pieces(text: &str, room: usize, length: fn(char) -> usize) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let mut used = 0;
        let end = text.char_indices().find(|(_, c)| {
            used += length(*c);
            used > room
        });
        let (piece, after) =
            text.split_at_checked(end.map_or(text.len(), |(at, _)| at)).unwrap_or((text, ""));
        rest = Some(after).filter(|after| !after.is_empty());
        Some(piece)
    })
}

fn word(scheme: char, piece: &str) -> String {
    let encoded = if scheme == 'q' { q_encoded(piece) } else { STANDARD.encode(piece) };
    format!("=?utf-8?{scheme}?{encoded}?=")
}

fn q_encoded(piece: &str) -> String {
    let mut encoded = String::new();
    for byte in piece.bytes() {
        match byte {
            b' ' => encoded.push('_'),
            byte if is_q_literal(byte) => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("={byte:02X}")),
        }
    }
    encoded
}

fn q_length(c: char) -> usize {
    let mut buffer = [0; 4];
    c.encode_utf8(&mut buffer)
        .bytes()
        .map(|byte| if byte == b' ' || is_q_literal(byte) { 1 } else { 3 })
        .sum()
}

/// What stands for itself even within a phrase (RFC 2047, section 5, rule 3).
fn is_q_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'!' | b'*' | b'+' | b'-' | b'/')
}

/// Raw bytes of a header field as text: UTF-8 when they are, else Windows-1252, which gives every byte a character.
pub fn raw_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => charset_decoder(b"windows-1252")
            .map_or_else(|| String::from_utf8_lossy(bytes).into_owned(), |decode| decode(bytes)),
    }
}

/// Decodes the encoded words in a text; blanks between two of them vanish (RFC 2047, section 6.2). What is none stays as it is.
pub fn decode(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut ends = Ends { text, next: None };
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = memchr::memmem::find(rest.as_bytes(), b"=?") {
        let (before, candidate) = rest.split_at(start);
        match decoded_word(candidate, &mut ends) {
            Some((word, length)) => {
                if !(after_word && before.trim().is_empty()) {
                    decoded.push_str(before);
                }
                decoded.push_str(&word);
                rest = candidate.get(length..).unwrap_or_default();
                after_word = true;
            }
            None => {
                decoded.push_str(before);
                decoded.push_str("=?");
                rest = candidate.get(2..).unwrap_or_default();
                after_word = false;
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

/// The ends of encoded words, looked for once: a text may hold beginnings without number.
struct Ends<'a> {
    text: &'a str,
    /// The first `?=` behind all that was asked for.
    next: Option<usize>,
}

impl Ends<'_> {
    /// How far into `rest`, which is the end of the text, the first `?=` stands.
    fn within(&mut self, rest: &str) -> Option<usize> {
        let start = self.text.len() - rest.len();
        let known = self.next.filter(|next| *next >= start);
        let next = known.unwrap_or_else(|| {
            memchr::memmem::find(rest.as_bytes(), b"?=").map_or(self.text.len(), |at| start + at)
        });
        self.next = Some(next);
        (next < self.text.len()).then(|| next - start)
    }
}

/// Decodes the encoded word at the start of `text`; gives its length too.
fn decoded_word(text: &str, ends: &mut Ends<'_>) -> Option<(String, usize)> {
    let word = raw_word(text, ends)?;
    Some((in_charset(word.charset, &word.bytes), word.length))
}

/// An encoded word before its bytes are read in its charset.
struct RawWord<'a> {
    charset: &'a str,
    bytes: Vec<u8>,
    length: usize,
}

fn raw_word<'a>(text: &'a str, ends: &mut Ends<'_>) -> Option<RawWord<'a>> {
    let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (scheme, rest) = rest.split_at_checked(1)?;
    let rest = rest.strip_prefix('?').filter(|_| matches!(scheme, "q" | "Q" | "b" | "B"))?;
    let payload = rest.get(..ends.within(rest)?)?;
    let length = label.len() + payload.len() + "=??q??=".len();
    if length > 4 * LONGEST_READ || text.get(..length)?.chars().count() > LONGEST_READ {
        return None;
    }
    let bytes = match scheme {
        "q" | "Q" => q_decoded(payload),
        _ => base64_decode(payload.as_bytes())?,
    };
    // RFC 2231, section 5: a language may follow the charset.
    Some(RawWord { charset: label.split('*').next().unwrap_or(label), bytes, length })
}

/// The text with those encoded words written anew between which a character was cut in two; nothing when there are none.
///
/// Each word stands for whole characters (RFC 2047, section 5), and is decoded by itself.
pub fn rejoined(text: &str) -> Option<String> {
    let mut ends = Ends { text, next: None };
    let (mut joined, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(start) = text.get(at..).and_then(|rest| memchr::memmem::find(rest.as_bytes(), b"=?")) {
        let start = at + start;
        let run = run_of_words(text, start, &mut ends);
        at = run.as_ref().map_or(start + 2, |(end, _)| *end);
        if let Some((end, Some(whole))) = run {
            joined.push_str(text.get(copied..start)?);
            joined.push_str(&encode(&whole));
            copied = end;
        }
    }
    (copied > 0).then(|| joined + text.get(copied..).unwrap_or_default())
}

/// The end of the adjacent words of one charset that begin at `start`, and what they say together where one alone is cut.
fn run_of_words(text: &str, start: usize, ends: &mut Ends<'_>) -> Option<(usize, Option<String>)> {
    let first = raw_word(text.get(start..)?, ends)?;
    let (mut end, mut bytes) = (start + first.length, first.bytes);
    let mut cut = read_in(first.charset, &bytes).is_none();
    while let Some(rest) = text.get(end..) {
        let next = rest.trim_start();
        let word = raw_word(next, ends).filter(|word| word.charset.eq_ignore_ascii_case(first.charset));
        let Some(word) = word else { break };
        cut |= read_in(first.charset, &word.bytes).is_none();
        end += rest.len() - next.len() + word.length;
        bytes.extend(word.bytes);
    }
    Some((end, read_in(first.charset, &bytes).filter(|_| cut)))
}

/// Bytes as text in a charset, when they can be read in it to the last.
pub fn read_in(charset: &str, bytes: &[u8]) -> Option<String> {
    if charset.eq_ignore_ascii_case("utf-8") {
        return std::str::from_utf8(bytes).ok().map(str::to_owned);
    }
    let decode = charset_decoder(charset.to_ascii_lowercase().as_bytes())?;
    Some(decode(bytes)).filter(|text| !text.contains('\u{fffd}'))
}

fn in_charset(charset: &str, bytes: &[u8]) -> String {
    if charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("us-ascii") {
        return raw_text(bytes);
    }
    charset_decoder(charset.to_ascii_lowercase().as_bytes())
        .map_or_else(|| raw_text(bytes), |decode| decode(bytes))
}

fn q_decoded(payload: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(payload.len());
    let mut rest = payload.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let escaped =
            if *byte == b'=' { after.get(..2).and_then(|digits| hex::decode(digits).ok()) } else { None };
        match (byte, escaped) {
            (_, Some(value)) => {
                bytes.extend(value);
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            (b'_', None) => bytes.push(b' '),
            (byte, None) => bytes.push(*byte),
        }
        rest = after;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_shorter_encoding_is_taken() {
        assert_eq!(encode("Jürgen"), "=?utf-8?q?J=C3=BCrgen?=");
        assert_eq!(encode("山田太郎"), "=?utf-8?b?5bGx55Sw5aSq6YOO?=");
    }

    #[test]
    fn words_of_both_schemes_and_many_charsets_are_read() {
        assert_eq!(decode("=?UTF-8?Q?J=c3=bcrgen?= X"), "Jürgen X");
        assert_eq!(decode("=?iso-8859-1?q?Smith,_B=F6b?="), "Smith, Böb");
        assert_eq!(decode("=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?="), "山田");
        assert_eq!(decode("a =?utf-8?q?b?=\r\n =?utf-8*en?q?c?= d"), "a bc d");
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for text in
            ["=?", "=?=?=?", "a =? b", "=?utf-8?x?abc?=", "=?utf-8?q?unfinished", "=?utf-8?b?!!!?=", "plain"]
        {
            assert_eq!(decode(text), text);
        }
    }

    #[test]
    fn a_character_cut_in_two_between_words_is_joined() {
        for (text, expected) in [
            ("=?utf-8?B?0J3QvtA=?=\r\n =?utf-8?B?stGL0Lk=?= x", "Новый x"),
            ("a =?utf-8?Q?=C3=9Cber=C3?= =?UTF-8?B?vGNr?=", "a Überück"),
        ] {
            assert_eq!(decode(&rejoined(text).unwrap()), expected);
        }
        for text in
            ["=?utf-8?q?a?= =?utf-8?q?b?=", "=?utf-8?q?=C3?= x =?utf-8?q?=9C?=", "=?utf-8?q?=C3?=", "=? ?="]
        {
            assert_eq!(rejoined(text), None, "{text}");
        }
    }

    #[test]
    fn beginnings_without_end_are_read_in_one_pass() {
        for piece in ["=?", "=?x?q", "=?x?q?a", "=?x?b?", "=?utf-8?q?=?="] {
            decode(&piece.repeat(300_000));
        }
    }

    proptest! {
        #[test]
        fn decoding_what_was_encoded_gives_it_back(text in "\\PC{1,100}") {
            let encoded = encode(&text);
            prop_assert_eq!(decode(&encoded), text);
            prop_assert!(encoded.is_ascii());
            prop_assert!(encoded.split("\r\n ").all(|word| word.len() <= LONGEST));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            decode(&raw_text(&bytes));
        }
    }
}
