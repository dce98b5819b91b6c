//! What a repair replaces is kept, in a field that Chatwoot does not look at.

use std::borrow::Cow;

use crate::message::encoded_word;
use crate::message::header::Header;

/// Before the name of the field that was replaced.
pub(super) const PREFIX: &str = "X-Ingress-Original-";

/// How much of a value with 8-bit or control characters is kept: what is longer than this is no address list of a person's.
const LONGEST_ENCODED: usize = 4096;

/// Turns the field at `at` into `X-Ingress-Original-NAME`, its text RFC 2047-encoded where it was not plain ASCII.
pub(super) fn preserve(header: &mut Header<'_>, at: usize, name: &str) {
    let Some(field) = header.field(at) else { return };
    let name = format!("{PREFIX}{name}");
    if is_plain(field.value) {
        header.rename(at, &name);
    } else {
        let value = encoded(field.value.get(..LONGEST_ENCODED).unwrap_or(field.value));
        header.replace(at, &name, &value);
    }
}

/// Gives the field at `at` another value, and keeps the one it had.
pub(super) fn replaced(header: &mut Header<'_>, at: usize, name: &str, value: &[u8]) {
    preserve(header, at, name);
    header.insert(at, name, value);
}

/// ASCII without control characters but those of a fold.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n')) && !has_lone_return(value)
}

fn has_lone_return(value: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', value).any(|at| value.get(at + 1) != Some(&b'\n'))
}

/// Raw bytes are UTF-8 when they can be, else Latin-1, of which every byte is a character.
fn encoded(value: &[u8]) -> Vec<u8> {
    let text = match std::str::from_utf8(value) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => value.iter().map(|byte| char::from(*byte)).collect(),
    };
    let unfolded = text.replace("\r\n", "");
    encoded_word::encode(unfolded.trim()).into_bytes()
}
