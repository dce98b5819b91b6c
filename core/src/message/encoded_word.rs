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
    let words: Vec<String> = pieces(text, room, length).iter().map(|piece| word(scheme, piece)).collect();
    words.join("\r\n ")
}

/// Encodes text as one UTF-8 encoded word, however long: for a place where no fold may be.
pub fn encode_unfolded(text: &str) -> String {
    word('b', text)
}

/// Cuts text into pieces of at most `room`, measured by `length`.
fn pieces(text: &str, room: usize, length: fn(char) -> usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for c in text.chars() {
        if used + length(c) > room {
            pieces.push(String::new());
            used = 0;
        }
        used += length(c);
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
    }
    pieces
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
    let mut rest = text;
    let mut after_word = false;
    while let Some(start) = rest.find("=?") {
        let (before, candidate) = rest.split_at(start);
        match decoded_word(candidate) {
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
    decoded + rest
}

/// Decodes the encoded word at the start of `text`; gives its length too.
fn decoded_word(text: &str) -> Option<(String, usize)> {
    let end = text.char_indices().nth(LONGEST_READ).map_or(text.len(), |(end, _)| end);
    let mut fields = text.get(..end)?.strip_prefix("=?")?.splitn(3, '?');
    let (label, scheme) = (fields.next()?, fields.next()?);
    let (payload, _) = fields.next()?.split_once("?=")?;
    let bytes = match scheme {
        "q" | "Q" => q_decoded(payload),
        "b" | "B" => base64_decode(payload.as_bytes())?,
        _ => return None,
    };
    // RFC 2231, section 5: a language may follow the charset.
    let charset = label.split('*').next().unwrap_or(label);
    Some((in_charset(charset, &bytes), label.len() + scheme.len() + payload.len() + "=????=".len()))
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
