//! What `ingress` does, one file a command.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod deliver;
pub(crate) mod explain;
pub(crate) mod import;
mod message_file;
mod progress;
pub(crate) mod rehearse;
pub(crate) mod setup;
mod stand_in;
