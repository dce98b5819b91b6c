//! How a delivery ends: cause, exit status, enhanced status code, text and remedy.

mod cause;
mod phase;
mod remedy;

pub use cause::{Cause, Disposition, Exit, Failure, OnTooLarge};
pub use phase::Phase;
pub use remedy::remedy;
