//! The laws that `fuzz/` tries for hours with coverage, tried here for seconds, the same on every run: the seeds, the sample messages,
//! and what a fixed number of changes makes of them.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test may fail")]

#[path = "../../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "it is a crate of its own for the fuzz targets")]
mod laws;

use std::fs;
use std::path::Path;

/// The files of a folder that are small enough to be tried often.
#[expect(clippy::disallowed_methods, reason = "a test reads its corpus")]
fn files(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let contents = paths.iter().filter(|path| path.is_file()).map(|path| fs::read(path).unwrap());
    contents.filter(|bytes| bytes.len() < 8192).collect()
}

/// Pieces by which mail is broken.
const PIECES: [&[u8]; 37] = [
    b"\n",
    b"\r",
    b"\r\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b"\0",
    b"\xe4",
    b"\xc3\xa4",
    b"\xef\xbb\xbf",
    b"\"",
    b"\\",
    b"(",
    b")",
    b"<",
    b">",
    b"@",
    b",",
    b";",
    b":",
    b"=?utf-8?q?=C3=A4?=",
    b"=?",
    b"?=",
    b"--b",
    b"--b--\n",
    b"To: ",
    b"From: ",
    b"Reply-To: \n",
    b"Message-ID:",
    b"Content-Type: multipart/mixed; boundary=b\n",
    b"Content-Transfer-Encoding: base64\n",
    b"\n \n",
    b"From x\n",
    b"\nFrom a@b Mon Nov 23 15:25:56 2026\n",
    b"\n>From: a@b\n",
    b"\x01\x01\x01\x01\n",
    b"Date: \xe4\n",
];

/// Marsaglia's xorshift: enough to choose by, and the same everywhere.
struct Choice(u64);

impl Choice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        start..(start + self.below(40)).min(length)
    }

    /// A seed with up to seven pieces put in, taken out, doubled or taken from another.
    fn changed(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(7) {
            let range = self.range(bytes.len());
            let (range, with) = match self.below(5) {
                0 => (range, Vec::new()),
                1 => (range.clone(), bytes[range].repeat(2)),
                2 => {
                    let other = &seeds[self.below(seeds.len())];
                    (range, other[self.range(other.len())].to_vec())
                }
                _ => (range.start..range.start, PIECES[self.below(PIECES.len())].to_vec()),
            };
            bytes.splice(range, with);
        }
        bytes
    }
}

fn try_law(law: fn(&[u8]), times: usize) {
    let seeds = [files("../fuzz/seeds"), files("../tests/mail")].concat();
    seeds.iter().for_each(|seed| law(seed));
    let mut choice = Choice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..times {
        law(&choice.changed(&seeds));
    }
}

#[test]
fn repair_is_idempotent_deterministic_and_leaves_sound_line_ends() {
    try_law(laws::repair, 3000);
}

#[test]
fn line_ends_do_not_depend_on_where_the_input_is_cut() {
    try_law(laws::line_ends, 3000);
}

#[test]
fn messages_of_a_mailbox_leave_nothing_out() {
    try_law(laws::mailboxes, 3000);
}

#[test]
fn addresses_written_are_read_back() {
    try_law(laws::addresses, 3000);
}

#[test]
fn parts_lie_within_their_message() {
    try_law(laws::parts, 3000);
}

#[test]
fn the_7_bit_form_holds_the_same_contents() {
    try_law(laws::seven_bit, 3000);
}

#[test]
fn encoded_words_are_decoded_to_the_same_text() {
    try_law(laws::encoded_words, 3000);
}
