//! A .zip around one file, base64-encoded: stored, not compressed, with a fixed time, so that the same file always gives the same bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The data begin here at the earliest: who looks for a mark of some type within the first bytes (Marcel for HTML within 128) must
/// find none of theirs.
const DATA: usize = 192;

/// The same where they hold the mark that is looked for furthest.
const DATA_WITH_SVG: usize = 4200;

/// 1 January 1980, 0:00, the first moment that the format knows.
const TIME: [u8; 4] = [0, 0, 0x21, 0];

/// An extra field that says nothing, there to fill room.
const FILLER: u16 = 0xffff;

/// The archive in lines of base64; nothing when the file is larger than the format's 4 GB.
pub(super) fn base64_zip(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    let size = u32::try_from(data.len()).ok()?;
    let name = entry_name(name);
    let name = name.as_bytes();
    let has_svg =
        memchr::memmem::find(data.get(..data.len().min(DATA_WITH_SVG)).unwrap_or_default(), b"<svg")
            .is_some();
    let filler = filler(name.len(), if has_svg { DATA_WITH_SVG } else { DATA });
    // Version 2.0, names in UTF-8, stored.
    let mut common = vec![20, 0, 0, 8, 0, 0];
    common.extend_from_slice(&TIME);
    common.extend_from_slice(&crc32(data).to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&u16::try_from(name.len()).ok()?.to_le_bytes());
    let extra = u16::try_from(filler.len()).ok()?.to_le_bytes();
    let head = [&b"PK\x03\x04"[..], &common, &extra, name, &filler].concat();
    let offset = u32::try_from(head.len() + data.len()).ok()?;
    let entry = [&b"PK\x01\x02\x14\x00"[..], &common, &[0; 16], name].concat();
    let length = u32::try_from(entry.len()).ok()?;
    let tail = [
        &entry[..],
        b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
        &length.to_le_bytes(),
        &offset.to_le_bytes(),
        &[0, 0],
    ];
    Some(lines_of_base64(&[&head, data, &tail.concat()]))
}

/// The name within the archive: in no folder, and none that says something of the type of the archive itself.
fn entry_name(name: &str) -> String {
    let name: String =
        name.chars().take(100).map(|c| if matches!(c, '/' | '\\') { '_' } else { c }).collect();
    let is_mark = name.starts_with("[Content_Types]") || name.contains("Spreadsheet") || name.contains("<");
    if is_mark { format!("file {}", name.replace('<', "_")).to_lowercase() } else { name }
}

/// An extra field as long as the data need it to begin at `data`.
fn filler(name: usize, data: usize) -> Vec<u8> {
    /// The local header without its name.
    const FIXED: usize = 30;
    let Some(room) = data.checked_sub(FIXED + name).filter(|room| *room > 0) else { return Vec::new() };
    let room = room.max(4) - 4;
    let length = u16::try_from(room).unwrap_or_default();
    [&FILLER.to_le_bytes()[..], &length.to_le_bytes(), &vec![0; room]].concat()
}

/// Lines of 76 characters, as MIME has them.
pub(super) fn lines_of_base64(pieces: &[&[u8]]) -> Vec<u8> {
    const LINE: usize = 57;
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut text = Vec::with_capacity(length.div_ceil(LINE) * 78);
    let mut line = Vec::with_capacity(LINE);
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let (part, after) = rest.split_at(rest.len().min(LINE - line.len()));
            line.extend_from_slice(part);
            rest = after;
            if line.len() == LINE {
                write_line(&mut line, &mut text);
            }
        }
    }
    if !line.is_empty() {
        write_line(&mut line, &mut text);
    }
    text
}

fn write_line(line: &mut Vec<u8>, text: &mut Vec<u8>) {
    text.extend_from_slice(STANDARD.encode(&line).as_bytes());
    text.extend_from_slice(b"\r\n");
    line.clear();
}

/// CRC-32 as .zip has it (ISO 3309), four bits at a time.
fn crc32(data: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut table = [0_u32; 256];
    for (number, entry) in (0_u32..).zip(table.iter_mut()) {
        *entry = (0..8).fold(number, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 });
    }
    let step = |crc: u32, byte: &u8| {
        let [low, ..] = (crc ^ u32::from(*byte)).to_le_bytes();
        table.get(usize::from(low)).copied().unwrap_or_default() ^ (crc >> 8)
    };
    !data.iter().fold(u32::MAX, step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::decoders::base64::base64_decode;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_file_stands_in_it_as_it_is() {
        let zip = base64_decode(&base64_zip("a.ics", b"BEGIN:VCALENDAR").unwrap()).unwrap();
        assert_eq!(&zip[..4], b"PK\x03\x04");
        assert_eq!(&zip[30..35], b"a.ics");
        assert_eq!(&zip[DATA..DATA + 15], b"BEGIN:VCALENDAR");
        let directory = zip.len() - 22;
        assert_eq!(&zip[directory..directory + 4], b"PK\x05\x06");
        let offset = u32::from_le_bytes(zip[directory + 16..directory + 20].try_into().unwrap());
        assert_eq!(&zip[offset as usize..offset as usize + 4], b"PK\x01\x02");
        assert_eq!(directory - offset as usize, 46 + 5);
    }

    #[test]
    fn it_is_the_same_each_time() {
        assert_eq!(base64_zip("ä.bin", b"\0\x01"), base64_zip("ä.bin", b"\0\x01"));
        assert!(
            base64_zip("a", &[7; 200]).unwrap().split(|byte| *byte == b'\n').all(|line| line.len() <= 77)
        );
    }
}
