//! How a delivery ends: cause, exit status, enhanced status code, text and remedy.

mod cause;
mod http_status;
mod phase;
mod remedy;

pub use cause::{Cause, Disposition, Exit, Failure, OnTooLarge};
pub use http_status::{Host, HttpStatus, Scope, http_status};
pub use phase::Phase;
pub use remedy::remedy;
