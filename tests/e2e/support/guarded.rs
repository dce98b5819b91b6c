//! What the `case` behind `ingress` is for, where a mail server returns mail whose command was killed or is missing.

use super::mail::reply;
use super::reader::without;
use super::{Caller, Deployment};
use crate::support::{Later, eventually};

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    Returned,
}

/// A run that is killed.
pub(crate) const KILLED: &[u8] = b"#!/bin/sh\ncat >/dev/null\nkill -KILL $$\n";
/// How a shell ends without the program, after it was handed the message: what a caller could not hand over, it may keep by itself.
pub(crate) const MISSING: &[u8] = b"#!/bin/sh\ncat >/dev/null\nexit 127\n";

/// A change to what `ingress setup` wrote.
pub(crate) type Edit<'a> = &'a dyn Fn(String) -> String;

/// Sends a message while the program is spoilt, once with the configuration as it is and once without `case`.
///
/// `start` starts the caller with an edited configuration; `deferred` is the word of its log that says: to be tried again.
pub(crate) fn mail_is_kept_because_of<C: Caller>(
    case: &'static str,
    deferred: &str,
    start: impl Fn(&Deployment, Edit<'_>) -> C,
) {
    for (what, program) in [("killed", KILLED), ("missing", MISSING)] {
        for (edit, expected) in
            [(&std::convert::identity as Edit<'_>, Fate::Kept), (&without(case), Fate::Returned)]
        {
            let deployment = Deployment::start();
            let caller = start(&deployment, edit);
            deployment.install(program);
            assert_eq!(fate(&caller, deferred), expected, "{what}: {}", caller.log());
        }
    }
    let deployment = Deployment::start();
    let caller = start(&deployment, &std::convert::identity);
    deployment.uninstall();
    assert_eq!(fate(&caller, deferred), Fate::Kept, "really missing: {}", caller.log());
}

fn fate(caller: &impl Caller, deferred: &str) -> Fate {
    caller.submit(&reply(1)).unwrap();
    eventually(format_args!("an end of the delivery; {}", Later(|| caller.log())), || {
        if caller.returned().contains("reply+") {
            Some(Fate::Returned)
        } else if caller.log().contains(deferred) {
            (caller.kept() == Some(1)).then_some(Fate::Kept)
        } else {
            None
        }
    })
}
