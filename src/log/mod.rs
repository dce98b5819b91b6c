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
