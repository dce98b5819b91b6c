//! Stored mail: where it lies, in which order it goes to Chatwoot, and what became of it.

mod date;
mod discovery;
mod failed;
mod governor;
mod index;
mod journal;
mod marks;
mod mbox;
mod place;
mod preview;
mod run;
mod schedule;
mod selection;
mod tally;

pub(crate) use failed::FailedFolder;
pub(crate) use governor::Governor;
pub(crate) use index::{Index, read as index};
pub(crate) use journal::Journal;
pub(crate) use place::Place;
pub(crate) use preview::{Preview, preview};
pub(crate) use run::{Fate, Job, Report, run};
pub(crate) use selection::{Pattern, Selection, day_or_instant};
pub(crate) use tally::Tally;
