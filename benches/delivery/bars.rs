//! The bars: what the project promises about speed and memory, each judged by a figure of this run.

use crate::compared::Transport;
use crate::figures::Row;

/// What `ingress` may hold beside the message, in bytes.
const MEMORY_BESIDE_MESSAGE: f64 = 6e6;

/// One promise and what became of it.
pub(crate) struct Bar {
    pub(crate) name: String,
    /// The most that `measured` may be.
    pub(crate) wanted: f64,
    pub(crate) measured: f64,
}

impl Bar {
    pub(crate) fn is_met(&self) -> bool {
        self.measured <= self.wanted
    }
}

/// The bars that these rows can judge, in a fixed order.
pub(crate) fn judge(rows: &[Row]) -> Vec<Bar> {
    rows.iter().flat_map(of_row).collect()
}

fn of_row(row: &Row) -> Vec<Bar> {
    match (row.message, row.transport) {
        ("2 kB", Transport::Http) => {
            [wall(row, "curl", 0.30), wall(row, "floor", 1.6)].into_iter().flatten().collect()
        }
        ("2 kB", Transport::SystemRoots) => wall(row, "curl", 0.20).into_iter().collect(),
        ("25 MB", _) => [wall(row, "curl", 0.85), memory(row)].into_iter().flatten().collect(),
        _ => Vec::new(),
    }
}

fn wall(row: &Row, beside: &str, wanted: f64) -> Option<Bar> {
    let name = format!("{}, {}: wall / {beside}", row.message, row.transport.name());
    Some(Bar { name, wanted, measured: row.of(beside)?.wall_ratio })
}

fn memory(row: &Row) -> Option<Bar> {
    let name = format!("{}, {}: peak MB beside the message", row.message, row.transport.name());
    let beside = row.of("ingress")?.peak as f64 - row.size as f64;
    Some(Bar { name, wanted: MEMORY_BESIDE_MESSAGE / 1e6, measured: beside / 1e6 })
}
