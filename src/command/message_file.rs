//! The message that an operator names: a file, or standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;

use crate::config::plain;
use crate::input;
use crate::message::line_ends::ExtraReturns;
use crate::outcome::Failure;
use crate::repair::Unrepaired;

/// Why there is no message, with a status of sysexits(3).
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) status: u8,
    pub(crate) complaint: String,
}

/// Reads the message from a file, or from standard input when none is named or it is `-`; gives what to call it.
pub(crate) fn read_message(
    file: Option<&Path>,
    extra: ExtraReturns,
    max_size: u64,
) -> Result<(Unrepaired, String), Unreadable> {
    match file.filter(|path| *path != Path::new("-")) {
        Some(path) => of_file(path, extra, max_size),
        None => {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                explain_waiting();
            }
            let whence = "standard input".to_owned();
            match input::read(stdin.as_fd(), extra, max_size) {
                Ok(message) => Ok((message, whence)),
                Err(failure) => Err(unreadable(&whence, &failure)),
            }
        }
    }
}

fn of_file(path: &Path, extra: ExtraReturns, max_size: u64) -> Result<(Unrepaired, String), Unreadable> {
    let whence = path.display().to_string();
    let file = File::open(path).map_err(|error| Unreadable {
        status: 65,
        complaint: format!("cannot read {whence}: {}", plain(&error)),
    })?;
    match input::read(file.as_fd(), extra, max_size) {
        Ok(message) => Ok((message, whence)),
        Err(failure) => Err(unreadable(&whence, &failure)),
    }
}

fn unreadable(whence: &str, failure: &Failure) -> Unreadable {
    Unreadable { status: 65, complaint: format!("cannot read {whence}: {}", failure.detail) }
}

/// A program at a terminal says what it waits for.
pub(crate) fn explain_waiting() {
    let _ = io::stderr().write_all(
        b"ingress: waiting for a message on standard input; end it with Ctrl-D (ingress --help says more)\n",
    );
}
