//! Stored mail to be imported: the same in every run, written message by message, so that any amount of it takes no memory.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::message::RECIPIENT;

/// The smallest and the largest message, in bytes.
const SMALLEST: f64 = 1e3;
const LARGEST: f64 = 5e6;

const LINE: &str = "The invoice that came this morning names another amount than the offer did.\n";

/// Where mail is stored, and how much of it.
pub(crate) struct Stored {
    pub(crate) path: PathBuf,
    pub(crate) messages: usize,
    /// Of all messages together and of the largest one, with line ends of LF.
    pub(crate) bytes: u64,
    pub(crate) largest: u64,
    /// How many lines there are: with line ends of CRLF they have so many bytes more.
    pub(crate) lines: u64,
}

impl Stored {
    fn at(path: PathBuf) -> Self {
        Self { path, messages: 0, bytes: 0, largest: 0, lines: 0 }
    }

    fn count(&mut self, message: &str) {
        let length = message.len() as u64;
        self.messages += 1;
        self.bytes += length;
        self.largest = self.largest.max(length);
        self.lines += memchr::memchr_iter(b'\n', message.as_bytes()).count() as u64;
    }
}

/// Writes as many messages as an mbox and as a Maildir: from 1 kB to 5 MB, most of them small, as in a mailbox.
pub(crate) fn both(folder: &Path, messages: usize) -> io::Result<(Stored, Stored)> {
    let mut maildir = Stored::at(folder.join("Maildir"));
    fs::create_dir_all(maildir.path.join("cur"))?;
    fs::create_dir_all(maildir.path.join("new"))?;
    let mut mbox = Stored::at(folder.join("mbox"));
    let mut writer = BufWriter::new(File::create(&mbox.path)?);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for number in 0..messages {
        let size = if number == messages / 2 { LARGEST } else { random.size() };
        let text = message(number, size as usize);
        let name = format!("{}.M{number}P1.bench:2,S", 1_767_225_600 + number);
        fs::write(maildir.path.join("cur").join(name), &text)?;
        append(&mut writer, &text)?;
        maildir.count(&text);
        mbox.count(&text);
    }
    writer.flush()?;
    Ok((mbox, maildir))
}

/// Writes an mbox of this size: messages of 100 kB, and of 5 MB now and then.
pub(crate) fn large(folder: &Path, size: u64) -> io::Result<Stored> {
    let mut mbox = Stored::at(folder.join("large-mbox"));
    let mut writer = BufWriter::new(File::create(&mbox.path)?);
    while mbox.bytes < size {
        let large = mbox.messages % 200 == 100;
        let text = message(mbox.messages, if large { LARGEST as usize } else { 100_000 });
        append(&mut writer, &text)?;
        mbox.count(&text);
    }
    writer.flush()?;
    Ok(mbox)
}

fn append(mbox: &mut impl Write, message: &str) -> io::Result<()> {
    write!(mbox, "From ann@customer.example Thu Jan  1 00:00:00 2026\n{message}\n")
}

/// A healthy message; its number tells its time.
fn message(number: usize, size: usize) -> String {
    let (day, hours, minutes, seconds) =
        (1 + number / 86_400, number / 3600 % 24, number / 60 % 60, number % 60);
    let mut text = format!(
        "Return-Path: <ann@customer.example>\nDelivered-To: {RECIPIENT}\n\
         From: Ann Smith <ann@customer.example>\nTo: Support <{RECIPIENT}>\nSubject: Invoice {number}\n\
         Date: {day:02} Jan 2026 {hours:02}:{minutes:02}:{seconds:02} +0000\n\
         Message-ID: <{number}@customer.example>\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n\n"
    );
    while text.len() + LINE.len() <= size {
        text.push_str(LINE);
    }
    text
}

/// Numbers that look random and are the same everywhere (xorshift64).
struct Random(u64);

impl Random {
    /// A size in bytes: of a hundred messages about half have less than 2 kB, and one has more than 2 MB.
    fn size(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let share = (self.0 >> 11) as f64 / (1_u64 << 53) as f64;
        SMALLEST * (LARGEST / SMALLEST).powf(share.powi(8))
    }
}
