//! Where the log goes.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use tracing::Level;

use super::line::Line;
use super::subscriber::LogLines;
use super::syslog::PATIENCE;
use super::syslog::Syslog;
use crate::open::open_without_waiting;
use crate::patient_write::write_within;
use crate::settings::{LogSettings, LogTarget};

/// Opens the log. What cannot be written to is no reason to lose a message: syslog takes its place, and the answer says why.
pub(crate) fn open(settings: &LogSettings) -> Option<String> {
    match &settings.target {
        LogTarget::Off => None,
        LogTarget::Stderr => {
            LogLines { level: settings.level, dated: true, writer: || Stderr }.init_or_ignore();
            None
        }
        LogTarget::Syslog => {
            to_syslog(settings.level);
            None
        }
        LogTarget::File(path) => match append_to(path) {
            Ok(file) => {
                LogLines { level: settings.level, dated: true, writer: Mutex::new(file) }.init_or_ignore();
                None
            }
            Err(error) => {
                to_syslog(settings.level);
                Some(format!("cannot write the log {}: {error}", path.display()))
            }
        },
    }
}

fn to_syslog(level: Level) {
    // Who reads there writes time and level himself.
    LogLines { level, dated: false, writer: Syslog::default() }.init_or_ignore();
}

/// Standard error, which may be a pipe that nobody empties.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        write_within(PATIENCE, rustix::stdio::stderr(), line).map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens a log file to append to. Never blocks: a FIFO without a reader is an error.
fn append_to(path: &Path) -> io::Result<File> {
    open_without_waiting(File::options().append(true).create(true).mode(0o600), path)
}

/// Writes one line.
pub(crate) fn write(level: Level, line: &Line) {
    match level {
        Level::ERROR => tracing::error!("{line}"),
        Level::WARN => tracing::warn!("{line}"),
        Level::INFO => tracing::info!("{line}"),
        _ => tracing::debug!("{line}"),
    }
}
