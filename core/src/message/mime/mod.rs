//! The parts of a message and what their headers say of them.

mod boundary;
pub mod charset;
pub mod content_type;
pub mod file_type;
pub mod gem;
mod part;
pub mod transfer_encoding;

pub use boundary::boundary_from;
pub use part::{Part, last};
