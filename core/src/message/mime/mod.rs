//! The parts of a message and what their headers say of them.

pub mod charset;
pub mod content_type;
mod part;
pub mod transfer_encoding;

pub use part::{Part, last};
