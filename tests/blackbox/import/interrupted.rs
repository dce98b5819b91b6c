//! Ctrl-C and SIGTERM: what is under way is finished, the rest is for another time.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::store::mbox_of;
use super::{assert_imported, import, numbers};
use crate::run::eventually;
use crate::server::Server;
use crate::setting::Setting;

#[test]
fn an_interrupted_run_finishes_what_is_under_way_and_goes_on_later() {
    for signal in ["INT", "TERM", "HUP"] {
        let open: &'static AtomicBool = Box::leak(Box::default());
        let server = Server::serving(|connection, _| {
            eventually("the signal", || open.load(Ordering::SeqCst).then_some(()));
            connection.take()
        });
        let setting = Setting::new(&server.url(), "");
        let path = mbox_of(&setting, 0..40);
        let words = ["--journal", &setting.shown("journal"), &path].map(str::to_owned);
        let running = import(&setting, &words).start();
        eventually("the requests", || (server.requests().len() == 4).then_some(()));
        running.signal(signal);
        // Time for the signal to be seen; were it ignored, more would come.
        std::thread::sleep(Duration::from_millis(100));
        open.store(true, Ordering::SeqCst);
        let ended = running.end();
        assert_eq!(ended.status, Some(75), "{signal}: {ended:?}");
        assert_eq!(server.requests().len(), 4, "{signal}: only what was under way");
        assert_imported(&import(&setting, &words).run());
        assert_eq!(server.requests().len(), 40, "{signal}: and none of it again");
        assert_eq!(numbers(&server).into_iter().collect::<BTreeSet<_>>(), (0..40).collect());
    }
}

#[test]
fn an_interrupted_wait_ends_at_once() {
    let server = Server::serving(|connection, _| connection.refuse(503, "Retry-After: 80\r\n"));
    let setting = Setting::new(&server.url(), "");
    let running = import(&setting, [mbox_of(&setting, 0..40)]).start();
    eventually("a request", || (!server.requests().is_empty()).then_some(()));
    running.signal("INT");
    let start = std::time::Instant::now();
    assert_eq!(running.end().status, Some(75));
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
