//! What an operator's command writes, and the status it ends with when that cannot be written.

use std::io::{self, ErrorKind, Write};

use crate::exit;
use crate::io_error::plain;
use crate::log::sanitized;

/// Writes a command's whole output to standard output.
pub(crate) fn print(output: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(output).and_then(|()| stdout.flush())
}

/// One line on standard error, for the operator.
pub(crate) fn complain(text: &str) {
    let _ = io::stderr().write_all(format!("ingress: {}\n", sanitized(text)).as_bytes());
}

/// The status of a command that wrote its output: `status`, but 74 in the place of 0 when it could not.
///
/// Why it could not is said on standard error, unless the reader went away (`| head`): that was its wish.
pub(crate) fn status_after(written: &io::Result<()>, status: u8) -> u8 {
    let Err(error) = written else {
        return status;
    };
    if error.kind() != ErrorKind::BrokenPipe {
        complain(&format!("cannot write to standard output: {}", plain(error)));
    }
    if status == 0 { exit::IO_ERROR } else { status }
}
