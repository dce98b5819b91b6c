//! Starting programs and measuring what one delivery costs: wall time, CPU time, and deliveries per second.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::compared::Compared;
use crate::message::Message;
use crate::program::Program;

/// What one process used, from its start to its end.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    /// User and system time together.
    pub(crate) cpu: Duration,
}

/// How every process is fed and where its output goes.
pub(crate) struct Stage {
    /// Where the message lies when it is handed over as a regular file.
    message_file: Option<PathBuf>,
    /// Takes what the programs print: nothing, unless a delivery fails.
    output: PathBuf,
}

impl Stage {
    pub(crate) fn new(compared: &Compared, as_file: bool) -> Self {
        Self { message_file: as_file.then(|| compared.file("message")), output: compared.file("output") }
    }

    /// Makes the message ready to be handed over.
    pub(crate) fn lay(&self, message: &Message) -> Result<()> {
        match &self.message_file {
            Some(path) => fs::write(path, &message.bytes).context("cannot write the message"),
            None => Ok(()),
        }
    }

    /// Runs a program once, alone.
    pub(crate) fn measure(&self, program: &Program, message: &Message) -> Result<Sample> {
        let before = children_cpu()?;
        let wall = self.deliver(program.command(), message)?;
        Ok(Sample { wall, cpu: children_cpu()?.saturating_sub(before) })
    }

    /// Runs a program `total` times, `at_once` of them at a time; the answer is deliveries per second.
    pub(crate) fn rate(
        &self,
        program: &Program,
        message: &Message,
        at_once: usize,
        total: usize,
    ) -> Result<f64> {
        let each = total / at_once;
        let start = Instant::now();
        thread::scope(|scope| {
            let work = || (0..each).try_for_each(|_| self.deliver(program.command(), message).map(drop));
            let workers: Vec<_> = (0..at_once).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .try_for_each(|worker| worker.join().unwrap_or_else(|_| Err(anyhow!("a worker panicked"))))
        })?;
        Ok((each * at_once) as f64 / start.elapsed().as_secs_f64())
    }

    /// Hands the message to a command and waits for its end, which must be a quiet success.
    /// The answer is the time from its start to its end.
    pub(crate) fn deliver(&self, mut command: Command, message: &Message) -> Result<Duration> {
        let output = File::create(&self.output)?;
        command.stdout(output.try_clone()?).stderr(output);
        match &self.message_file {
            Some(path) => command.stdin(File::open(path)?),
            None => command.stdin(Stdio::piped()),
        };
        let start = Instant::now();
        let mut child = command.spawn().with_context(|| format!("cannot start {command:?}"))?;
        let fed = child.stdin.take().map_or(Ok(()), |mut pipe| pipe.write_all(&message.bytes));
        let status = child.wait()?;
        let wall = start.elapsed();
        let printed = fs::read_to_string(&self.output)?;
        ensure!(status.success(), "{command:?} failed: {status} {printed}");
        ensure!(printed.is_empty(), "{command:?} printed: {printed}");
        fed.context("the message was not read to its end")?;
        Ok(wall)
    }
}

fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let (user, system) = (usage.user_time(), usage.system_time());
    let microseconds = user.num_microseconds() + system.num_microseconds();
    Ok(Duration::from_micros(u64::try_from(microseconds)?))
}
