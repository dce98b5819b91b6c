//! Whole-process measurements of `ingress` beside curl and a floor: what a mail server pays for one delivery.
//! Everything runs on loopback, in turn and in one run, so that the ratios hold on any machine; see `benches/README.md`.

mod bars;
mod compared;
mod endpoint;
mod figures;
mod import;
mod instructions;
mod measure;
mod message;
mod options;
mod peak;
mod program;
mod stored;
mod table;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use clap::Parser;

use crate::compared::{Compared, Transport};
use crate::endpoint::Endpoint;
use crate::figures::Bench;
use crate::measure::Stage;
use crate::message::Message;
use crate::options::Options;

#[expect(clippy::disallowed_methods, reason = "this is a whole program: it reads its command line here")]
fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.as_slice() {
        [launcher, rest @ ..] if launcher == peak::LAUNCHER => peak::launch(rest).map(|()| ExitCode::SUCCESS),
        _ => run(&Options::parse()),
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    let endpoint = Endpoint::start()?;
    let compared = Compared::prepare(&options.ingress, &endpoint)?;
    if options.import {
        let all_met = import::measure(&endpoint, &compared, options.is_quick())?;
        return Ok(status(options, all_met));
    }
    let stage = Stage::new(&compared, options.file);
    let bench = Bench { endpoint: &endpoint, compared: &compared, stage: &stage, quick: options.is_quick() };
    let sizes = message::sizes();
    let [smallest, ..] = &sizes;
    if options.instructions {
        instructions::count(&bench, smallest)?;
        return Ok(ExitCode::SUCCESS);
    }
    let all_met = measure(&bench, &sizes, options)?;
    Ok(status(options, all_met))
}

fn status(options: &Options, all_met: bool) -> ExitCode {
    if options.bars && !all_met { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// Prints each row as soon as it is measured; the answer is whether all bars are met.
fn measure(bench: &Bench, sizes: &[Message], options: &Options) -> Result<bool> {
    let mut out = io::stdout().lock();
    let processors = available_parallelism()?;
    let input = if options.file { "a regular file" } else { "a pipe" };
    writeln!(
        out,
        "one process per message, stdin is {input}, endpoint on loopback, {processors} processors;"
    )?;
    writeln!(
        out,
        "medians of rounds in which all programs run in turn, ratios are medians of each round's ratio"
    )?;
    let mut rows = Vec::new();
    for transport in Transport::ALL {
        table::head(&mut out, transport)?;
        for message in sizes {
            let row = bench.row(transport, message)?;
            table::row(&mut out, &row)?;
            rows.push(row);
        }
    }
    let smallest = sizes.first().context("there is no message")?;
    table::throughput(&mut out, &bench.throughput(smallest)?)?;
    let bars = bars::judge(&rows);
    table::bars(&mut out, &bars)?;
    Ok(bars.iter().all(bars::Bar::is_met))
}
