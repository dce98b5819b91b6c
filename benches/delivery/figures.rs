//! The figures of one message over one transport: programs measured in turn, medians, and ratios taken round by round.

use std::time::Duration;

use anyhow::{Context, Result};

use crate::compared::{Compared, Transport};
use crate::endpoint::Endpoint;
use crate::measure::{Sample, Stage};
use crate::message::Message;
use crate::peak;
use crate::program::Program;

/// How many processes at once the throughput is measured with.
const AT_ONCE: [usize; 3] = [1, 4, 16];

/// What one program needed for one message.
pub(crate) struct Figures {
    pub(crate) program: &'static str,
    pub(crate) wall_ms: f64,
    /// User and system time together.
    pub(crate) cpu_ms: f64,
    /// Max RSS in bytes.
    pub(crate) peak: u64,
    /// The wall time of `ingress` over this program's.
    pub(crate) wall_ratio: f64,
    /// The CPU time of `ingress` over this program's.
    pub(crate) cpu_ratio: f64,
}

/// What each program needed for one message over one transport; `ingress` comes first.
pub(crate) struct Row {
    pub(crate) transport: Transport,
    pub(crate) message: &'static str,
    /// Bytes, as the mail server hands it over.
    pub(crate) size: usize,
    pub(crate) figures: Vec<Figures>,
}

impl Row {
    pub(crate) fn of(&self, program: &str) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.program == program)
    }
}

/// Deliveries per second with so many processes at once; `ingress` comes first.
pub(crate) struct Throughput {
    pub(crate) at_once: usize,
    pub(crate) rates: Vec<(&'static str, f64)>,
}

/// Everything that takes part in a measurement.
pub(crate) struct Bench<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) compared: &'a Compared,
    pub(crate) stage: &'a Stage,
    /// Few rounds, for a look at whether everything works.
    pub(crate) quick: bool,
}

impl Bench<'_> {
    pub(crate) fn row(&self, transport: Transport, message: &Message) -> Result<Row> {
        let programs = self.compared.over(transport)?;
        self.stage.lay(message)?;
        let peaks = self.peaks(&programs, message)?;
        let rounds = if self.quick { 3 } else { message.rounds };
        let samples = Self::in_turn(&programs, rounds, |program| {
            let sample = self.stage.measure(program, message)?;
            self.endpoint.expect(1, program.arriving(message))?;
            Ok(sample)
        })?;
        let ingress = samples.first().context("no program was measured")?;
        let figures = programs
            .iter()
            .zip(&samples)
            .zip(peaks)
            .map(|((program, own), peak)| Figures {
                program: program.name,
                wall_ms: median(own.iter().map(|sample| milliseconds(sample.wall))),
                cpu_ms: median(own.iter().map(|sample| milliseconds(sample.cpu))),
                peak,
                wall_ratio: ratio(ingress, own, |sample| sample.wall),
                cpu_ratio: ratio(ingress, own, |sample| sample.cpu),
            })
            .collect();
        Ok(Row { transport, message: message.name, size: message.bytes.len(), figures })
    }

    /// Deliveries of a message per second, with 1, 4 and 16 processes at once, over http.
    pub(crate) fn throughput(&self, message: &Message) -> Result<Vec<Throughput>> {
        let programs = self.compared.over(Transport::Http)?;
        self.stage.lay(message)?;
        let (rounds, deliveries) = if self.quick { (1, 16) } else { (7, 192) };
        let measure = |at_once| {
            let rates = Self::in_turn(&programs, rounds, |program| {
                let rate = self.stage.rate(program, message, at_once, deliveries)?;
                self.endpoint.expect(deliveries, program.arriving(message))?;
                Ok(rate)
            })?;
            let names = programs.iter().map(|program| program.name);
            let rates = names.zip(rates.into_iter().map(median)).collect();
            Ok(Throughput { at_once, rates })
        };
        AT_ONCE.into_iter().map(measure).collect()
    }

    /// Measures each program once a round, one after the other; the first round only warms up.
    fn in_turn<T>(
        programs: &[Program],
        rounds: usize,
        measure: impl Fn(&Program) -> Result<T>,
    ) -> Result<Vec<Vec<T>>> {
        let mut measured: Vec<Vec<T>> = programs.iter().map(|_| Vec::new()).collect();
        for round in 0..=rounds {
            for (program, values) in programs.iter().zip(&mut measured) {
                let value = measure(program)?;
                if round > 0 {
                    values.push(value);
                }
            }
        }
        Ok(measured)
    }

    fn peaks(&self, programs: &[Program], message: &Message) -> Result<Vec<u64>> {
        let runs = if self.quick { 1 } else { 5 };
        let measure = |program: &Program| {
            let peaks = (0..runs).map(|_| {
                let peak = peak::measure(self.stage, self.compared, program, message)?;
                self.endpoint.expect(1, program.arriving(message))?;
                Ok(peak)
            });
            // The largest: this is about what must be at hand.
            peaks.collect::<Result<Vec<_>>>()?.into_iter().max().context("no memory was measured")
        };
        programs.iter().map(measure).collect()
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// The median of the ratios of the rounds: what disturbs a whole round disturbs both sides of its ratio.
fn ratio(ingress: &[Sample], other: &[Sample], time: impl Fn(&Sample) -> Duration) -> f64 {
    let pairs = ingress.iter().zip(other);
    median(pairs.map(|(one, two)| time(one).as_secs_f64() / time(two).as_secs_f64()))
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
