//! The process: arguments and environment in, one exit status out.

mod check;
mod cli;
mod clock;
mod command;
mod config;
mod delivery;
mod endpoint;
mod envelope;
mod environment;
mod explanation;
mod import;
mod input;
mod last_words;
mod letter;
mod log;
mod message;
mod outcome;
mod output;
mod remedy;
mod repair;
mod room;
mod route;
mod setup;
mod watcher;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Instant;

use cli::{Command, Invocation, Options};
use command::{
    check as check_command, completions, deliver, explain, import as import_command, rehearse,
    setup as setup_command,
};
use environment::Environment;
use output::{print, status_after};

#[expect(clippy::disallowed_methods, reason = "the one place that reads the command line")]
fn main() -> ExitCode {
    let started = Instant::now();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = Environment::of_process();
    match cli::read(&arguments) {
        Invocation::Delivery(options) => deliver::run(options, &environment, started),
        Invocation::Operator(command, options) => operate(command, &options, &environment),
        Invocation::Misused(error) => {
            let _ = error.print();
            ExitCode::from(USAGE)
        }
        Invocation::Informed(error) => written(&error.print()),
    }
}

/// sysexits(3), for the commands of an operator.
const USAGE: u8 = 64;

fn operate(command: Command, options: &Options, environment: &Environment) -> ExitCode {
    match command {
        Command::Explain(arguments) => explain::run(&arguments, options, environment),
        Command::Import(arguments) => import_command::run_command(&arguments, options, environment),
        Command::Try(arguments) => rehearse::run(&arguments, options, environment),
        Command::Check(arguments) => check_command::run(&arguments, options, environment),
        Command::Setup(arguments) => setup_command::run(arguments, options),
        Command::Completions { shell } => written(&print(&completions::script(shell))),
    }
}

/// The status of a command whose whole work is to write.
fn written(result: &io::Result<()>) -> ExitCode {
    ExitCode::from(status_after(result, 0))
}
