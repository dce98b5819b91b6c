//! How many instructions one delivery takes, counted by valgrind: the same on every machine, however busy it is.

use std::fs;
use std::io::{self, Write};

use anyhow::{Context, Result};

use crate::compared::{Transport, locate};
use crate::figures::Bench;
use crate::message::Message;
use crate::program::Program;

/// Prints one line for each transport, or that valgrind is missing.
pub(crate) fn count(bench: &Bench, message: &Message) -> Result<()> {
    let mut out = io::stdout().lock();
    let Some(valgrind) = locate("valgrind") else {
        writeln!(out, "instructions are not counted: valgrind is not installed")?;
        return Ok(());
    };
    bench.stage.lay(message)?;
    writeln!(out, "million instructions, {}", message.name)?;
    for transport in Transport::ALL {
        let name = transport.name();
        write!(out, "{name:24}")?;
        for program in bench.compared.over(transport)?.iter().filter(|program| program.name != "curl") {
            let instructions = count_one(bench, &valgrind, program, message)?;
            write!(out, "{:>10} {:6.2}", program.name, instructions as f64 / 1e6)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn count_one(bench: &Bench, valgrind: &std::path::Path, program: &Program, message: &Message) -> Result<u64> {
    let log = bench.compared.file("valgrind.log");
    let options = [
        "--tool=callgrind".to_owned(),
        "--callgrind-out-file=/dev/null".to_owned(),
        format!("--log-file={}", log.display()),
    ];
    bench.stage.deliver(program.command_behind(valgrind, &options), message)?;
    bench.endpoint.expect(1, program.arriving(message))?;
    let log = fs::read_to_string(log)?;
    let collected = log.lines().find_map(|line| line.split_once("Collected : "));
    let (_, instructions) = collected.context("valgrind did not say what it counted")?;
    Ok(instructions.trim().parse()?)
}
