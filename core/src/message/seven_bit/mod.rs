//! A message with 8-bit bytes as one of ASCII alone that says the same.

mod convert;
mod encode;
mod fields;
#[cfg(test)]
mod properties;
mod sink;

pub use convert::{converted, is_seven_bit};
