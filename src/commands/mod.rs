//! What `ingress` does, one file or folder a command.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod deliver;
mod error;
pub(crate) mod explain;
pub(crate) mod import;
mod message_file;
pub(crate) mod setup;
pub(crate) mod trace;
pub(crate) mod r#try;
