//! Apple Mail's `.emlx`: the length of the message on the first line, then the message, then a property list.

use std::ops::Range;

use super::field;

/// The longest first line.
const COUNT: usize = 32;

/// Where the message lies in a file that begins so.
pub fn emlx(head: &[u8]) -> Option<Range<u64>> {
    let line = head.get(..COUNT).unwrap_or(head);
    let (count, _) = line.split_at(memchr::memchr(b'\n', line)?);
    let start = count.len() + 1;
    let count = std::str::from_utf8(count.trim_ascii()).ok()?;
    let length: u64 = count.bytes().all(|byte| byte.is_ascii_digit()).then(|| count.parse().ok())??;
    field::quoted_name(head.get(start..)?)?;
    let start = start as u64;
    Some(start..start.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_lies_behind_its_length() {
        assert_eq!(emlx(b"12        \nFrom: a@b\n\nx<?xml"), Some(11..23));
        assert_eq!(emlx(b"3\r\nA: b"), Some(3..6));
    }

    #[test]
    fn other_files_are_none() {
        for head in [
            &b""[..],
            b"12",
            b"\nA: b",
            b"-1\nA: b",
            b"x\nA: b",
            b"12\nno field",
            b"99999999999999999999\nA: b",
        ] {
            assert_eq!(emlx(head), None, "{head:?}");
        }
    }
}
