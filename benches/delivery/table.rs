//! How the figures are printed: aligned columns that stay readable in a README.

use std::io::{self, Write};

use crate::bars::Bar;
use crate::compared::Transport;
use crate::figures::{Figures, Row, Throughput};

const PROGRAMS: [&str; 3] = ["ingress", "curl", "floor"];

/// The lines over the rows of one transport.
pub(crate) fn head(out: &mut impl Write, transport: Transport) -> io::Result<()> {
    writeln!(out, "\n{}{}", transport.name(), transport.note())?;
    writeln!(out, "{:8}{:>8}{:32}{:>8}{:24}{:>8}", "", "wall ms", "", "CPU ms", "", "peak MB")?;
    let wall = [&PROGRAMS[..], &["/ curl", "/ floor"]].concat();
    let cpu = [&PROGRAMS[..], &["/ curl"]].concat();
    line(out, "", [wall, cpu, PROGRAMS.to_vec()].concat())
}

pub(crate) fn row(out: &mut impl Write, row: &Row) -> io::Result<()> {
    let of = |program, figure: fn(&Figures) -> f64| number(row.of(program).map(figure));
    let each = |figure| PROGRAMS.map(|program| of(program, figure));
    let mut cells = Vec::new();
    cells.extend(each(|figures| figures.wall_ms));
    cells.extend(["curl", "floor"].map(|program| of(program, |figures| figures.wall_ratio)));
    cells.extend(each(|figures| figures.cpu_ms));
    cells.push(of("curl", |figures| figures.cpu_ratio));
    cells.extend(each(|figures| figures.peak as f64 / 1e6));
    line(out, row.message, cells)
}

pub(crate) fn throughput(out: &mut impl Write, rows: &[Throughput]) -> io::Result<()> {
    writeln!(out, "\n2 kB, http: deliveries per second, so many processes at once")?;
    line(out, "", [&PROGRAMS[..], &["/ curl", "/ floor"]].concat())?;
    for row in rows {
        let rate = |name| row.rates.iter().find(|(program, _)| *program == name).map(|(_, rate)| *rate);
        let beside = |name| rate("ingress").zip(rate(name)).map(|(own, other)| own / other);
        let mut cells = PROGRAMS.map(|program| number(rate(program))).to_vec();
        cells.extend(["curl", "floor"].map(|program| number(beside(program))));
        line(out, &row.at_once.to_string(), cells)?;
    }
    Ok(())
}

pub(crate) fn bars(out: &mut impl Write, bars: &[Bar]) -> io::Result<()> {
    writeln!(out, "\n{:56}{:>8}{:>10}", "bars", "wanted", "measured")?;
    for bar in bars {
        let verdict = if bar.is_met() { "met" } else { "MISSED" };
        writeln!(
            out,
            "{:56}{:>8}{:>10}  {verdict}",
            bar.name,
            format!("<= {:.2}", bar.wanted),
            number(Some(bar.measured))
        )?;
    }
    Ok(())
}

fn line(
    out: &mut impl Write,
    name: &str,
    cells: impl IntoIterator<Item = impl AsRef<str>>,
) -> io::Result<()> {
    write!(out, "{name:8}")?;
    cells.into_iter().try_for_each(|cell| write!(out, "{:>8}", cell.as_ref()))?;
    writeln!(out)
}

/// Three significant digits, or a dash where nothing was measured.
fn number(value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if value < 10.0 => format!("{value:.2}"),
        Some(value) if value < 100.0 => format!("{value:.1}"),
        Some(value) => format!("{value:.0}"),
    }
}
