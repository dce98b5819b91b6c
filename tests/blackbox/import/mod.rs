//! `ingress import`: stored mail goes the way of piped mail, all of it, each message once, in order, whatever happens on the way.

mod compressed;
mod dry_run;
mod failures;
mod faults;
mod identity;
mod interrupted;
mod memory;
mod order;
mod other_stores;
mod report;
mod resume;
mod selection;
mod sources;
mod store;
mod terminal;

use std::ffi::OsStr;

use crate::run::{Ended, Ingress};
use crate::server::Server;
use crate::setting::Setting;

/// An import with the setting's configuration.
fn import<S: AsRef<OsStr>>(setting: &Setting, arguments: impl IntoIterator<Item = S>) -> Ingress {
    Ingress::new().args(["-c", &setting.shown("ingress.toml"), "import"]).args(arguments)
}

/// Asserts that everything was delivered, and that there was nothing to complain of.
#[track_caller]
fn assert_imported(ended: &Ended) {
    assert_eq!((ended.status, complaints(ended).as_slice()), (Some(0), &[][..]), "{}", ended.stdout);
}

/// What it said on standard error beside how far it was and what it waited for, which a slow machine hears more of.
fn complaints(ended: &Ended) -> Vec<&str> {
    let told = |line: &&str| !line.contains(" left, ") && !line.starts_with("waiting ");
    ended.stderr.lines().filter(told).collect()
}

/// The numbers of the messages that a server was sent, in the order of their coming.
fn numbers(server: &Server) -> Vec<usize> {
    server.bodies().iter().map(|body| store::number(body)).collect()
}
