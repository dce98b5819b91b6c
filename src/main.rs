//! The process: arguments and environment in, one exit status out.

mod cli;
mod clock;
mod commands;
mod core_file;
mod delivery;
mod environment;
mod exit;
mod http;
mod io_error;
mod log;
mod open;
mod output;
mod patient_write;
mod settings;
mod similar;
mod table;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Instant;

use chatwoot_mail::environment::Environment;
use cli::{Command, Invocation, Options};
use output::{print, status_after};

#[expect(clippy::disallowed_methods, reason = "the one place that reads the command line")]
fn main() -> ExitCode {
    let started = Instant::now();
    core_file::forbid();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = environment::of_process();
    match cli::read(&arguments) {
        Invocation::Delivery(options) => commands::deliver::run(options, &environment, started),
        Invocation::Operator(command, options) => operate(command, &options, &environment),
        Invocation::Misused(error) => {
            let _ = error.print();
            ExitCode::from(exit::USAGE)
        }
        Invocation::Informed(error) => written(&error.print()),
    }
}

fn operate(command: Command, options: &Options, environment: &Environment) -> ExitCode {
    match command {
        Command::Explain(arguments) => commands::explain::run(&arguments, options, environment),
        Command::Import(arguments) => commands::import::run(&arguments, options, environment),
        Command::Try(arguments) => commands::r#try::run(&arguments, options, environment),
        Command::Check(arguments) => commands::check::run(&arguments, options, environment),
        Command::Trace(arguments) => commands::trace::run(&arguments, options, environment),
        Command::Setup(arguments) => commands::setup::run(arguments, options),
        Command::Completions { shell } => written(&print(&commands::completions::script(shell))),
    }
}

/// The status of a command whose whole work is to write.
fn written(result: &io::Result<()>) -> ExitCode {
    ExitCode::from(status_after(result, 0))
}
