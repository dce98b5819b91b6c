//! The log: where it goes, and what a line of it looks like.

mod line;
mod subscriber;
mod target;

pub(crate) use line::{Line, sanitized};
pub(crate) use target::{open, write};
