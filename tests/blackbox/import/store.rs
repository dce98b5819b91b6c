//! Stored mail for the tests: numbered messages, a second apart, in each form that mail is stored in.

use std::fs;
use std::path::Path;

use crate::setting::Setting;

/// A healthy message: no repair has anything to do on it. The number tells its time.
pub(super) fn message(number: usize) -> String {
    with_fields(number, "")
}

/// A message with these fields beside its own.
pub(super) fn with_fields(number: usize, fields: &str) -> String {
    let (hours, minutes, seconds) = (number / 3600, number / 60 % 60, number % 60);
    format!(
        "From: Ann <a@example.org>\nTo: support@example.com\nSubject: number {number}.\n\
         Date: Thu, 01 Jan 2026 {hours:02}:{minutes:02}:{seconds:02} +0000\nMessage-ID: <{number}@example.org>\n\
         {fields}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\nhello\n"
    )
}

/// The number in a message's subject.
#[track_caller]
pub(super) fn number(message: &[u8]) -> usize {
    let text = String::from_utf8_lossy(message);
    let number = text.split_once("Subject: number ").and_then(|(_, rest)| rest.split_once('.'));
    number.and_then(|(number, _)| number.parse().ok()).unwrap_or_else(|| panic!("no number in {text}"))
}

/// An mbox (mboxrd) of these messages.
pub(super) fn mbox(messages: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut mbox = Vec::new();
    for message in messages {
        mbox.extend_from_slice(b"From a@example.org Thu Jan  1 00:00:00 2026\n");
        for line in message.as_ref().split_inclusive(|byte| *byte == b'\n') {
            let marks = line.iter().take_while(|byte| **byte == b'>').count();
            if line[marks..].starts_with(b"From ") {
                mbox.push(b'>');
            }
            mbox.extend_from_slice(line);
        }
        mbox.push(b'\n');
    }
    mbox
}

/// Writes the numbered messages as an mbox, and gives its path.
pub(super) fn mbox_of(setting: &Setting, numbers: impl IntoIterator<Item = usize>) -> String {
    write(setting, "mbox", mbox(numbers.into_iter().map(message)))
}

/// Writes a file below the setting's folder, with the folders that it lies in, and gives its path.
pub(super) fn write(setting: &Setting, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = setting.path(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// The files below a folder, by name, with their content.
pub(super) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    files.sort();
    files
}
