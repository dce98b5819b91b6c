//! JSON texts large enough that their memory may not be had: written by hand, so that this is a failure and no abort.

use super::form::reserved;
use super::post::Unsendable;

/// `before`, the text as a JSON string without its quotes (RFC 8259, section 7), `after`.
pub(super) fn around(before: &str, text: &str, after: &str) -> Result<Vec<u8>, Unsendable> {
    let length: usize = text.bytes().map(|byte| escape(byte).map_or(1, str::len)).sum();
    let mut json = reserved(before.len() + length + after.len())?;
    json.extend_from_slice(before.as_bytes());
    let mut plain = text.as_bytes();
    while let Some((at, escape)) =
        plain.iter().enumerate().find_map(|(at, byte)| escape(*byte).map(|escape| (at, escape)))
    {
        json.extend_from_slice(plain.get(..at).unwrap_or_default());
        json.extend_from_slice(escape.as_bytes());
        plain = plain.get(at + 1..).unwrap_or_default();
    }
    json.extend_from_slice(plain);
    json.extend_from_slice(after.as_bytes());
    Ok(json)
}

/// What stands for a character that a JSON string cannot hold as it is.
fn escape(byte: u8) -> Option<&'static str> {
    const CONTROLS: [&str; 32] = [
        "\\u0000", "\\u0001", "\\u0002", "\\u0003", "\\u0004", "\\u0005", "\\u0006", "\\u0007", "\\b", "\\t",
        "\\n", "\\u000b", "\\f", "\\r", "\\u000e", "\\u000f", "\\u0010", "\\u0011", "\\u0012", "\\u0013",
        "\\u0014", "\\u0015", "\\u0016", "\\u0017", "\\u0018", "\\u0019", "\\u001a", "\\u001b", "\\u001c",
        "\\u001d", "\\u001e", "\\u001f",
    ];
    match byte {
        b'"' => Some("\\\""),
        b'\\' => Some("\\\\"),
        byte => CONTROLS.get(usize::from(byte)).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_backslashes_and_control_characters_are_escaped() {
        let json = around("[\"", "a\"b\\c\r\n\t\0\u{1f}\u{7f}\u{fc}", "\"]").unwrap();
        assert_eq!(json, "[\"a\\\"b\\\\c\\r\\n\\t\\u0000\\u001f\u{7f}\u{fc}\"]".as_bytes());
    }

    proptest! {
        #[test]
        fn a_json_parser_gives_the_text_back(text in any::<String>()) {
            let json = around("\"", &text, "\"").unwrap();
            prop_assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), text);
        }
    }
}
