//! The message that an operator names: a file, or standard input.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::Path;

use super::error::CommandError;
use crate::delivery::stdin;
use crate::exit;
use crate::io_error::plain;
use chatwoot_mail::message::line_ends::ExtraReturns;
use chatwoot_mail::outcome::Failure;
use chatwoot_mail::repair::Unrepaired;

/// Reads the message from a file, or from standard input when none is named or it is `-`; gives what to call it.
pub(crate) fn read_message(
    file: Option<&Path>,
    extra: ExtraReturns,
    max_size: u64,
) -> Result<(Unrepaired, String), CommandError> {
    match file.filter(|path| *path != Path::new("-")) {
        Some(path) => of_file(path, extra, max_size),
        None => {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                explain_waiting();
            }
            let origin = "standard input".to_owned();
            match stdin::read(stdin.as_fd(), extra, max_size) {
                Ok(message) => Ok((message, origin)),
                Err(failure) => Err(unreadable(&origin, &failure)),
            }
        }
    }
}

fn of_file(path: &Path, extra: ExtraReturns, max_size: u64) -> Result<(Unrepaired, String), CommandError> {
    let origin = path.display().to_string();
    let file = File::open(path).map_err(|error| {
        CommandError::new(exit::MESSAGE, format!("cannot read {origin}: {}", plain(&error)))
    })?;
    match stdin::read(file.as_fd(), extra, max_size) {
        Ok(message) => Ok((message, origin)),
        Err(failure) => Err(unreadable(&origin, &failure)),
    }
}

fn unreadable(origin: &str, failure: &Failure) -> CommandError {
    CommandError::new(exit::MESSAGE, format!("cannot read {origin}: {}", failure.detail))
}

/// A program at a terminal says what it waits for.
pub(crate) fn explain_waiting() {
    let _ = io::stderr().write_all(
        b"ingress: waiting for a message on standard input; end it with Ctrl-D (ingress --help says more)\n",
    );
}
