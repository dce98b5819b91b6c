//! `Content-Transfer-Encoding`: what it means, and texts decoded by it.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;

/// How the bytes of a part are encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferEncoding {
    /// 7bit, 8bit, binary, or nothing said.
    Identity,
    QuotedPrintable,
    Base64,
    /// uuencode, which the mail gem knows.
    Uuencode,
    /// The mail gem raises `UnknownEncodingType` when it decodes such a part.
    Unknown,
}

impl TransferEncoding {
    /// Reads a field's value as the mail gem does: a token it does not know is unknown; what is no token counts as nothing said.
    pub fn read(value: &[u8]) -> Self {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        let without_comment = text.split('(').next().unwrap_or_default();
        let token = without_comment.trim().trim_end_matches(';').trim_end();
        match token {
            "" | "7bit" | "8bit" | "binary" | "7-bit" | "8-bit" | "8bits" | "7bits" => Self::Identity,
            "quoted-printable" => Self::QuotedPrintable,
            "base64" => Self::Base64,
            "uuencode" | "x-uuencode" | "x-uue" => Self::Uuencode,
            // `8bit,` is taken for 8bit, `base64,` for an encoding that nobody knows.
            token if token.contains(',') && Self::meant(value).0 != Self::Identity => Self::Unknown,
            token if token.contains([' ', '\t', ',', '\r']) => Self::Identity,
            _ => Self::Unknown,
        }
    }

    /// What a value that the mail gem cannot use is meant to say.
    pub fn meant(value: &[u8]) -> (Self, &'static str) {
        let letters: String = value
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric())
            .map(|byte| char::from(byte.to_ascii_lowercase()))
            .collect();
        match letters.as_str() {
            "base64" => (Self::Base64, "base64"),
            "quotedprintable" | "quoted" | "qp" => (Self::QuotedPrintable, "quoted-printable"),
            _ => (Self::Identity, "8bit"),
        }
    }

    /// Reads a field's value, and takes one that the mail gem cannot use for what it is meant to say.
    pub fn intended(value: &[u8]) -> Self {
        match Self::read(value) {
            Self::Unknown => Self::meant(value).0,
            known => known,
        }
    }

    /// The bytes of a text. What cannot be decoded is taken as it is.
    pub fn decoded(self, body: &[u8]) -> Cow<'_, [u8]> {
        let decoded = match self {
            Self::Base64 => base64_decode(body).or_else(|| lenient_base64(body)),
            Self::QuotedPrintable => quoted_printable_decode(body),
            _ => None,
        };
        decoded.map_or(Cow::Borrowed(body), Cow::Owned)
    }
}

/// Base64 as Ruby's `unpack("m")` reads it: what is none of its characters is passed over, padding ends it.
fn lenient_base64(body: &[u8]) -> Option<Vec<u8>> {
    let end = memchr::memchr(b'=', body).unwrap_or(body.len());
    let mut digits: Vec<u8> = Vec::with_capacity(end);
    digits
        .extend(body.get(..end)?.iter().filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte)));
    // One digit alone holds no byte.
    digits.truncate(digits.len() - usize::from(digits.len() % 4 == 1));
    let engine = GeneralPurpose::new(&STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));
    engine.decode(digits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gem_s_tokens_are_known_and_others_are_not() {
        for (value, expected) in [
            ("7bit", TransferEncoding::Identity),
            (" 8BIT", TransferEncoding::Identity),
            ("7 bit ascii", TransferEncoding::Identity),
            ("Base64", TransferEncoding::Base64),
            ("base64;", TransferEncoding::Base64),
            ("BASE64 (x)", TransferEncoding::Base64),
            ("quoted-printable", TransferEncoding::QuotedPrintable),
            ("x-unknown", TransferEncoding::Unknown),
            ("base-64", TransferEncoding::Unknown),
            ("utf-8", TransferEncoding::Unknown),
            ("base64,", TransferEncoding::Unknown),
            ("8bit,", TransferEncoding::Identity),
        ] {
            assert_eq!(TransferEncoding::read(value.as_bytes()), expected, "{value}");
        }
    }

    #[test]
    fn near_misses_mean_what_they_resemble() {
        assert_eq!(TransferEncoding::meant(b"base-64").1, "base64");
        assert_eq!(TransferEncoding::meant(b"\"quoted_printable\"").1, "quoted-printable");
        assert_eq!(TransferEncoding::meant(b"amazing").1, "8bit");
    }

    #[test]
    fn texts_are_decoded() {
        assert_eq!(TransferEncoding::Base64.decoded(b"aGVsbG8=\r\n").as_ref(), b"hello");
        assert_eq!(
            TransferEncoding::QuotedPrintable.decoded(b"gr=C3=BC=\r\n=DF").as_ref(),
            b"gr\xc3\xbc\xdf"
        );
        assert_eq!(TransferEncoding::Base64.decoded(b"aGVs!!bG8*\r\nh=x").as_ref(), b"hello!");
        assert_eq!(TransferEncoding::Identity.decoded(b"as is").as_ref(), b"as is");
    }
}
