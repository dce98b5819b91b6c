//! Where the log goes.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;

use rustix::fs::OFlags;
use syslog_tracing::{Facility, Options, Syslog};
use tracing::Level;

use super::line::Line;
use super::subscriber::Lines;
use crate::settings::{LogSettings, LogTarget};

/// Opens the log. What cannot be written to is no reason to lose a message: syslog takes its place, and the answer says why.
pub(crate) fn open(settings: &LogSettings) -> Option<String> {
    match &settings.target {
        LogTarget::Off => None,
        LogTarget::Stderr => {
            Lines { level: settings.level, dated: true, writer: io::stderr }.init_or_ignore();
            None
        }
        LogTarget::Syslog => {
            to_syslog(settings.level);
            None
        }
        LogTarget::File(path) => match append_to(path) {
            Ok(file) => {
                Lines { level: settings.level, dated: true, writer: Mutex::new(file) }.init_or_ignore();
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
    if let Some(syslog) = Syslog::new(c"ingress", Options::LOG_PID, Facility::Mail) {
        // It writes time and level itself.
        Lines { level, dated: false, writer: syslog }.init_or_ignore();
    }
}

/// Opens a log file to append to. Never blocks: a FIFO without a reader is an error.
fn append_to(path: &Path) -> io::Result<File> {
    let nonblocking = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or(0);
    File::options().append(true).create(true).mode(0o600).custom_flags(nonblocking).open(path)
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
