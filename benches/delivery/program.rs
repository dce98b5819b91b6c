//! One program with its arguments and environment, ready to be started any number of times.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::message::Message;

pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
    /// The whole environment: nothing is inherited.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// Whether line ends arrive as CRLF; otherwise what was read is sent.
    pub(crate) sends_crlf: bool,
}

impl Program {
    pub(crate) fn command(&self) -> Command {
        self.dressed(Command::new(&self.path))
    }

    /// The same program, started by another one that takes a command line as its last arguments.
    pub(crate) fn command_behind(&self, launcher: &Path, options: &[String]) -> Command {
        let mut command = Command::new(launcher);
        command.args(options).arg(&self.path);
        self.dressed(command)
    }

    /// How many bytes of the message must arrive.
    pub(crate) fn arriving(&self, message: &Message) -> usize {
        if self.sends_crlf { message.length_with_crlf() } else { message.bytes.len() }
    }

    fn dressed(&self, mut command: Command) -> Command {
        command.args(&self.arguments).env_clear();
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}
