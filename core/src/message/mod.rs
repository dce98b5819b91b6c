//! A message as bytes: what is read of it.

pub mod address;
pub mod encoded_word;
pub mod growth;
pub mod header;
pub mod line_ends;
pub mod mime;
mod preamble;
pub mod seven_bit;

pub use preamble::{Preamble, has_header, header_of, preamble_length};
