//! The options of the bench, which follow `cargo bench --`.

use std::path::PathBuf;

use clap::Parser;

/// Measures `ingress` beside curl and a floor: whole processes, one message each.
#[derive(Parser)]
pub(crate) struct Options {
    /// Few rounds: shows that the measurement works, says little about speed
    #[arg(long)]
    quick: bool,

    /// Exit with 1 when a bar is missed
    #[arg(long)]
    pub(crate) bars: bool,

    /// Count instructions with valgrind instead of measuring times
    #[arg(long)]
    pub(crate) instructions: bool,

    /// Measure `ingress import` beside loops that start a process for each message
    #[arg(long)]
    pub(crate) import: bool,

    /// Hand the message over as a regular file instead of a pipe
    #[arg(long)]
    pub(crate) file: bool,

    /// Measure this build of `ingress` instead of the one that cargo made
    #[arg(long, value_name = "PATH", default_value = env!("CARGO_BIN_EXE_ingress"))]
    pub(crate) ingress: PathBuf,

    /// What `cargo bench` adds to every command line, and `cargo test` does not
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Few rounds: when they are wanted, and when this runs as a test.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick || !self.bench
    }
}
