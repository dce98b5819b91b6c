//! The process: arguments in, one exit status out.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(75)
}
