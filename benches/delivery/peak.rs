//! Peak memory of a program. The kernel counts what a process held before it became the program, which is the bench with
//! all its messages; so the bench starts itself anew as a small launcher, which starts the program and asks the kernel.

use std::env::current_exe;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};

use crate::compared::Compared;
use crate::measure::Stage;
use crate::message::Message;
use crate::program::Program;

/// First argument of the launcher; a file for the answer and a command line follow.
pub(crate) const LAUNCHER: &str = "--peak-memory-into";

/// Runs the program once; the answer is the most memory that it held at once (max RSS), in bytes.
pub(crate) fn measure(
    stage: &Stage,
    compared: &Compared,
    program: &Program,
    message: &Message,
) -> Result<u64> {
    let answer = compared.file("peak");
    let options = [LAUNCHER.to_owned(), answer.display().to_string()];
    stage.deliver(program.command_behind(&current_exe()?, &options), message)?;
    answered(&answer)
}

/// What the launcher wrote, in bytes.
pub(crate) fn answered(answer: &Path) -> Result<u64> {
    let kibibytes: u64 = fs::read_to_string(answer)?.parse()?;
    Ok(kibibytes * 1024)
}

/// What the launcher does: it must stay smaller than any program that it measures.
pub(crate) fn launch(words: &[String]) -> Result<()> {
    let [answer, program, arguments @ ..] = words else { bail!("a file and a command line are missing") };
    let status = Command::new(program).args(arguments).status().context("cannot start the program")?;
    ensure!(status.success(), "{program} failed: {status}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    fs::write(answer, usage.max_rss().to_string()).context("cannot write the answer")
}
