//! Contents in the two transfer encodings (RFC 2045, section 6), and what remains of bytes that no encoding is there for.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::convert::{is_safe, is_seven_bit};
use super::sink::Sink;
use crate::message::growth::OutOfMemory;

/// The longest line but its soft line break (RFC 2045, section 6.7, rule 5).
const WIDTH: usize = 75;

/// Writes text whose lines end in CRLF as quoted-printable; decoding gives back the same bytes.
pub(super) fn quoted_printable(text: &[u8], sink: &mut Sink) -> Result<(), OutOfMemory> {
    let mut rest = text;
    while let Some(end) = memchr::memmem::find(rest, b"\r\n") {
        quoted_line(rest.get(..end).unwrap_or_default(), sink)?;
        sink.push(b"\r\n")?;
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    quoted_line(rest, sink)
}

fn quoted_line(line: &[u8], sink: &mut Sink) -> Result<(), OutOfMemory> {
    let mut column = 0;
    for (at, byte) in line.iter().enumerate() {
        let last = at + 1 == line.len();
        let plain = match byte {
            b' ' | b'\t' => !last,
            // What begins a line with two hyphens could be taken for a boundary.
            b'-' => column > 0,
            b'=' => false,
            byte => byte.is_ascii_graphic(),
        };
        let width = if plain { 1 } else { 3 };
        if column + width > WIDTH {
            sink.push(b"=\r\n")?;
            column = 0;
        }
        if plain && !(*byte == b'-' && column == 0) {
            sink.push(&[*byte])?;
            column += 1;
        } else {
            sink.push(format!("={byte:02X}").as_bytes())?;
            column += 3;
        }
    }
    Ok(())
}

/// Writes any bytes as lines of base64.
pub(super) fn base64(bytes: &[u8], sink: &mut Sink) -> Result<(), OutOfMemory> {
    let mut line = [0; 76];
    for (number, piece) in bytes.chunks(57).enumerate() {
        if number > 0 {
            sink.push(b"\r\n")?;
        }
        let length = STANDARD.encode_slice(piece, &mut line).unwrap_or(0);
        sink.push(line.get(..length).unwrap_or_default())?;
    }
    Ok(())
}

/// Writes quoted-printable in which bytes stand that should have been quoted.
pub(super) fn repaired_quoted_printable(text: &[u8], sink: &mut Sink) -> Result<(), OutOfMemory> {
    each_unsafe(text, sink, |byte, sink| sink.push(format!("={byte:02X}").as_bytes()))
}

/// Writes base64 without the bytes in it that are none: who decodes it passes over them (RFC 2045, section 6.8). The hyphens among them go
/// too, or a line that was no boundary could become one.
pub(super) fn repaired_base64(text: &[u8], sink: &mut Sink) -> Result<(), OutOfMemory> {
    each(text, |byte| byte == b'-' || !is_safe(byte), sink, |_, _| Ok(()))
}

/// Writes what nobody is shown, or cannot be said otherwise, with question marks for the bytes that cannot stay. A question mark may stand in a
/// boundary: so that no line becomes one, its two hyphens are masked too.
pub(super) fn masked(text: &[u8], sink: &mut Sink) -> Result<(), OutOfMemory> {
    text.split_inclusive(|byte| *byte == b'\n').try_for_each(|line| {
        let rest = match line.strip_prefix(b"--") {
            Some(rest) if !is_seven_bit(rest) => {
                sink.push(b"??")?;
                rest
            }
            _ => line,
        };
        each_unsafe(rest, sink, |_, sink| sink.push(b"?"))
    })
}

fn each_unsafe(
    text: &[u8],
    sink: &mut Sink,
    write: impl FnMut(u8, &mut Sink) -> Result<(), OutOfMemory>,
) -> Result<(), OutOfMemory> {
    each(text, |byte| !is_safe(byte), sink, write)
}

/// Writes the text, and each byte of a kind in another way.
fn each(
    text: &[u8],
    kind: impl Fn(u8) -> bool,
    sink: &mut Sink,
    mut write: impl FnMut(u8, &mut Sink) -> Result<(), OutOfMemory>,
) -> Result<(), OutOfMemory> {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| kind(*byte)) {
        sink.push(rest.get(..at).unwrap_or_default())?;
        write(rest.get(at).copied().unwrap_or_default(), sink)?;
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    sink.push(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::decoders::base64::base64_decode;
    use mail_parser::decoders::quoted_printable::quoted_printable_decode;
    use proptest::prelude::*;

    fn written(write: impl Fn(&[u8], &mut Sink) -> Result<(), OutOfMemory>, bytes: &[u8]) -> String {
        let mut sink = Sink::new(0).unwrap();
        write(bytes, &mut sink).unwrap();
        String::from_utf8(sink.finish()).unwrap()
    }

    #[test]
    fn text_is_quoted_where_it_must_be() {
        let text = "Gr\u{fc}\u{df}e = 1 \r\n\t\r\n--b\r\n-\r\n";
        assert_eq!(
            written(quoted_printable, text.as_bytes()),
            "Gr=C3=BC=C3=9Fe =3D 1=20\r\n=09\r\n=2D-b\r\n=2D\r\n"
        );
    }

    #[test]
    fn long_lines_are_broken_softly_and_no_line_begins_with_a_hyphen() {
        let line = format!("{}{}\u{fc}", "x".repeat(75), "-".repeat(100));
        let encoded = written(quoted_printable, line.as_bytes());
        assert!(encoded.lines().all(|line| line.len() <= 76 && !line.starts_with('-')), "{encoded}");
        assert_eq!(quoted_printable_decode(encoded.as_bytes()).unwrap(), line.as_bytes());
    }

    #[test]
    fn broken_encodings_keep_what_they_say() {
        assert_eq!(written(repaired_quoted_printable, b"a=3D\xfc\r\n"), "a=3D=FC\r\n");
        assert_eq!(written(repaired_base64, b"aGVs\xffbG8=\0"), "aGVsbG8=");
        assert_eq!(written(masked, b"\xc3\xbc\0a"), "???a");
    }

    #[test]
    fn no_line_becomes_a_boundary_by_what_is_taken_out_of_it() {
        assert_eq!(written(repaired_base64, b"aGVs\r\n--b\xfc\r\nbG8=\r\n"), "aGVs\r\nb\r\nbG8=\r\n");
        assert_eq!(written(repaired_quoted_printable, b"--b\xfc\r\n"), "--b=FC\r\n");
        assert_eq!(written(masked, b"--b\r\n--b\xfc\r\n"), "--b\r\n??b?\r\n");
    }

    proptest! {
        #[test]
        fn decoding_gives_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(base64_decode(written(base64, &bytes).as_bytes()).unwrap_or_default(), bytes);
        }

        #[test]
        fn decoding_gives_the_same_text(text in "([a-z=.\\- \t\u{e4}\u{4e00}]{0,90}\r\n){0,4}[a-z \u{e4}]{0,90}") {
            let encoded = written(quoted_printable, text.as_bytes());
            prop_assert!(encoded.is_ascii() && encoded.lines().all(|line| line.len() <= 76));
            prop_assert_eq!(quoted_printable_decode(encoded.as_bytes()).unwrap(), text.as_bytes());
        }
    }
}
