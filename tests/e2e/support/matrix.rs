//! What must hold whoever the caller is: delivered, kept and then delivered once, refused and said so.

use std::collections::BTreeMap;
use std::thread;

use super::deployment::faults;
use super::mail::{large, reply, tricks};
use super::{Caller, Deployment, Mail};
use crate::support::action_mailbox::Routed;
use crate::support::{Later, eventually};

/// The tests of one caller: the rows of the matrix.
macro_rules! matrix {
    ($caller:ty) => {
        #[test]
        fn delivers() {
            $crate::support::matrix::delivers::<$caller>();
        }

        #[test]
        fn delivers_fifty_at_once() {
            $crate::support::matrix::delivers_fifty_at_once::<$caller>();
        }

        #[test]
        fn keeps_what_cannot_be_delivered_now_and_delivers_it_once() {
            $crate::support::matrix::keeps_and_delivers_once::<$caller>();
        }

        #[test]
        fn refuses_what_is_too_large_and_says_so() {
            $crate::support::matrix::refuses_what_is_too_large::<$caller>();
        }
    };
}
pub(crate) use matrix;

pub(crate) fn delivers<C: Caller>() {
    let deployment = Deployment::start();
    let caller = C::start(&deployment);
    let mut taken: BTreeMap<String, Mail> = BTreeMap::new();
    for mail in tricks() {
        let refused = caller.submit(&mail).err();
        assert_eq!(
            C::REFUSES.contains(&mail.name),
            refused.is_some(),
            "{}: {}: {refused:?}",
            C::NAME,
            mail.name
        );
        if refused.is_none() {
            taken.insert(mail.id.clone(), mail);
        }
    }
    caller.turn();
    let routed = arrived(&caller, &deployment, taken.len());
    for record in &routed {
        let mail = &taken[&record.message_id];
        assert_eq!(record.route, mail.route, "{}: {}", C::NAME, mail.name);
        assert_eq!(
            record.x_original_to,
            x_original_to::<C>(mail),
            "{}: {}; {}",
            C::NAME,
            mail.name,
            deployment.folder().ingress_log()
        );
    }
    emptied(&caller);
    assert_eq!(deployment.server().posts(), taken.len(), "{}", caller.log());
    cell::<C>("delivered", &line_with(&caller, C::DELIVERED));
}

/// What is added to the message: the envelope recipient, when nobody else names it.
fn x_original_to<C: Caller>(mail: &Mail) -> Vec<String> {
    let told = C::told(&mail.recipient);
    let named = |recipient: &String| mail.text.contains(&format!("To: {recipient}"));
    told.filter(|recipient| C::WRITES_X_ORIGINAL_TO || !named(recipient)).into_iter().collect()
}

pub(crate) fn delivers_fifty_at_once<C: Caller>() {
    const FIFTY: usize = 50;
    let deployment = Deployment::start();
    let caller = C::start(&deployment);
    thread::scope(|scope| {
        for number in 0..FIFTY {
            let caller = &caller;
            scope.spawn(move || caller.submit(&reply(number)).unwrap());
        }
    });
    caller.turn();
    let routed = arrived(&caller, &deployment, FIFTY);
    assert!(routed.iter().all(|record| record.route == reply(0).route), "{routed:?}");
    emptied(&caller);
    assert_eq!(deployment.server().posts(), FIFTY, "{}", caller.log());
}

pub(crate) fn keeps_and_delivers_once<C: Caller>() {
    let deployment = Deployment::start();
    let caller = C::start(&deployment);
    for (before, fault) in faults().into_iter().enumerate() {
        let kept = caller.log().len();
        deployment.break_with(fault);
        caller.submit(&reply(before)).unwrap();
        caller.turn();
        let line = eventually(format_args!("{}: {fault:?} in {}", C::NAME, Later(|| caller.log())), || {
            lines_with(caller.log().get(kept..)?, C::DEFERRED).pop()
        });
        eventually(format_args!("{}: {fault:?}: one kept; {}", C::NAME, Later(|| caller.log())), || {
            (caller.kept() == Some(1)).then_some(())
        });
        assert_eq!(deployment.server().records(), before, "{}: {fault:?}", C::NAME);
        cell::<C>(&format!("temporary, {fault:?}"), &line);
        deployment.restore();
        caller.turn();
        arrived(&caller, &deployment, before + 1);
        emptied(&caller);
    }
}

pub(crate) fn refuses_what_is_too_large<C: Caller>() {
    let deployment = Deployment::start();
    let caller = C::start(&deployment);
    caller.submit(&large(1)).unwrap();
    caller.turn();
    let line = eventually(format_args!("{}: a refusal in {}", C::NAME, Later(|| caller.log())), || {
        lines_with(&caller.log(), C::REJECTED).pop()
    });
    // The bounce may wait for its turn, too.
    caller.turn();
    eventually(
        format_args!(
            "{}: {:?} in {}",
            C::NAME,
            C::TOO_LARGE,
            Later(|| format!("{}\n{}", caller.returned(), caller.log()))
        ),
        || caller.returned().contains(C::TOO_LARGE).then_some(()),
    );
    cell::<C>("permanent", &line);
    caller.submit(&reply(2)).unwrap();
    caller.turn();
    let routed = arrived(&caller, &deployment, 1);
    assert_eq!(routed[0].message_id, "2@example.org");
    for trace in ["Broken pipe", "EPIPE", "error writing"] {
        assert!(!caller.log().contains(trace), "{}: read to the end: {}", C::NAME, caller.log());
    }
}

/// The records, once there are so many.
fn arrived<C: Caller>(caller: &C, deployment: &Deployment, count: usize) -> Vec<Routed> {
    eventually(
        format_args!(
            "{}: {count} records; {}\n{}",
            C::NAME,
            Later(|| caller.log()),
            Later(|| deployment.folder().ingress_log())
        ),
        || (deployment.server().records() >= count).then_some(()),
    );
    let routed = deployment.server().routed(count);
    assert_eq!(routed.len(), count, "{}: each once", C::NAME);
    routed
}

fn emptied<C: Caller>(caller: &C) {
    eventually(format_args!("{}: nothing kept; {}", C::NAME, Later(|| caller.log())), || {
        (caller.kept() == Some(0)).then_some(())
    });
}

fn line_with<C: Caller>(caller: &C, words: &[&str]) -> String {
    eventually(format_args!("{}: {words:?} in {}", C::NAME, Later(|| caller.log())), || {
        lines_with(&caller.log(), words).pop()
    })
}

fn lines_with(log: &str, words: &[&str]) -> Vec<String> {
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    log.lines().filter(has_all).map(str::to_owned).collect()
}

/// One cell of the matrix, for who runs the tests with `--nocapture`.
fn cell<C: Caller>(column: &str, line: &str) {
    println!("{} | {column} | {line}", C::NAME);
}
