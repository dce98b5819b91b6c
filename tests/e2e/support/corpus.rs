//! The messages of `tests/mail`, with what becomes of them: as they came, and as they are sent.

use std::fs;

/// One line of `corpus.tsv`.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) file: String,
    /// The ids of the repairs it needs; none for a healthy message.
    pub(crate) ids: Vec<String>,
    pub(crate) recipient: Option<String>,
    pub(crate) sender: Option<String>,
    pub(crate) before: String,
    pub(crate) after: String,
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/mail");

impl Sample {
    pub(crate) fn is_healthy(&self) -> bool {
        self.ids.is_empty()
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        fs::read(format!("{FOLDER}/{}", self.file)).unwrap()
    }

    /// The bytes with CRLF line ends.
    pub(crate) fn crlf(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for byte in self.bytes() {
            if byte == b'\n' && text.last() != Some(&b'\r') {
                text.push(b'\r');
            }
            text.push(byte);
        }
        text
    }

    /// The options that hand over its envelope.
    pub(crate) fn envelope(&self) -> Vec<String> {
        let recipient = self.recipient.iter().flat_map(|address| ["-r".to_owned(), address.clone()]);
        let sender = self.sender.iter().flat_map(|address| ["-f".to_owned(), address.clone()]);
        recipient.chain(sender).collect()
    }
}

/// All samples, in the order of the table.
pub(crate) fn samples() -> Vec<Sample> {
    let table = fs::read_to_string(format!("{FOLDER}/corpus.tsv")).unwrap();
    table.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

fn sample(line: &str) -> Sample {
    let columns: Vec<&str> = line.split('\t').collect();
    let some = |text: &str| (text != "-").then(|| text.to_owned());
    Sample {
        file: columns[0].to_owned(),
        ids: some(columns[1]).map(|ids| ids.split(',').map(str::to_owned).collect()).unwrap_or_default(),
        recipient: some(columns[2]),
        sender: some(columns[3]),
        before: columns[4].to_owned(),
        after: columns[5].to_owned(),
    }
}
