//! The log: where it goes, and what a line of it looks like.

mod debug;
mod line;
mod subscriber;
mod syslog;
mod target;

pub(crate) use debug::{answer, request, settings};
pub(crate) use line::{Line, sanitized};
pub(crate) use syslog::SOCKETS;
pub(crate) use target::{open, write};

/// How long a log that takes nothing is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);
