//! `ingress completions SHELL`.

use clap_complete::Shell;

use crate::cli;

/// The completion script, as text.
pub(crate) fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli::definition(), "ingress", &mut script);
    script
}
