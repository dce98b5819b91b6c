//! A server that is busy, breaks connections or is gone: everything is delivered in the end.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, listen, socket_with};

use super::store::{mbox, mbox_of, message, number, write};
use super::{assert_imported, import, numbers};
use crate::run::eventually;
use crate::server::{Connection, Server};
use crate::setting::Setting;

/// Numbers that look random and are the same in each run (xorshift64*).
struct Random(Mutex<u64>);

impl Random {
    fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state ^= *state >> 12;
        *state ^= *state << 25;
        *state ^= *state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

/// How a request can fail: busy with and without a time to wait for, connection lost before and after the message was taken, no answer.
const FAULTS: [fn(&mut Connection) -> io::Result<()>; 5] = [
    |connection| connection.refuse(429, "Retry-After: 1\r\n"),
    |connection| connection.refuse(503, ""),
    |connection| {
        connection.reset()?;
        Err(io::ErrorKind::ConnectionReset.into())
    },
    |connection| {
        connection.say("HTTP/1.1 204")?;
        Err(io::ErrorKind::ConnectionAborted.into())
    },
    |connection| {
        connection.wait_for_the_client_to_leave();
        Err(io::ErrorKind::TimedOut.into())
    },
];

#[test]
fn faults_at_random_for_a_tenth_of_the_requests_lose_nothing() {
    let random = Random(Mutex::new(20_261_123));
    let met: &'static Mutex<BTreeSet<u64>> = Box::leak(Box::default());
    let failed: &'static AtomicUsize = Box::leak(Box::default());
    let server = Server::serving(move |connection, _| {
        if random.below(10) > 0 {
            return connection.take();
        }
        let fault = random.below(FAULTS.len() as u64);
        met.lock().unwrap().insert(fault);
        failed.fetch_add(1, Ordering::SeqCst);
        FAULTS[usize::try_from(fault).unwrap()](connection)
    });
    let setting = Setting::new(&server.url(), "timeout = \"1s\"");
    assert_imported(&import(&setting, [mbox_of(&setting, 0..200)]).run());
    assert_eq!(met.lock().unwrap().len(), FAULTS.len(), "every fault was met");
    assert!(failed.load(Ordering::SeqCst) >= 10, "{failed:?}");
    assert_eq!(numbers(&server).into_iter().collect::<BTreeSet<_>>(), (0..200).collect());
    // Whatever was sent again was sent again as it was, or in the form of another attempt where it may have been stored.
    let whole = server.requests().into_iter().filter(|request| !request.body.is_empty());
    let is_another_attempt =
        |body: &Vec<u8>| memchr::memmem::find(body, b"\r\nX-Ingress-Attempt: ").is_some();
    let (again, as_it_was): (BTreeSet<_>, BTreeSet<_>) =
        whole.map(|request| request.body).partition(is_another_attempt);
    assert_eq!((as_it_was.len(), again.is_empty()), (200, false));
}

#[test]
fn retry_after_slows_down_the_whole_run() {
    for status in [429, 503] {
        let refused: &'static Mutex<Option<Instant>> = Box::leak(Box::default());
        let coming: &'static Mutex<Vec<Instant>> = Box::leak(Box::default());
        let server = Server::serving(move |connection, _| {
            let mut first = refused.lock().unwrap();
            coming.lock().unwrap().push(Instant::now());
            if first.is_some() {
                return connection.take();
            }
            *first = Some(Instant::now());
            connection.refuse(status, "Retry-After: 2\r\n")
        });
        let setting = Setting::new(&server.url(), "");
        assert_imported(&import(&setting, [mbox_of(&setting, 0..40)]).run());
        let refused = refused.lock().unwrap().unwrap();
        let coming = coming.lock().unwrap();
        let after = |from, to| {
            let (from, to) = (refused + Duration::from_millis(from), refused + Duration::from_millis(to));
            coming.iter().filter(|came| **came > from && **came < to).count()
        };
        assert_eq!(after(500, 1900), 0, "{status}: nothing while the server wants to be left alone");
        assert_eq!((coming.len(), after(1900, 60_000) > 30), (41, true), "{status}: the rest came later");
    }
}

/// A port at which nobody listens until it is said.
fn silent_port() -> (std::os::fd::OwnedFd, SocketAddr) {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = SocketAddr::try_from(getsockname(&socket).unwrap()).unwrap();
    (socket, address)
}

#[test]
fn a_server_that_is_away_is_waited_for() {
    let (socket, address) = silent_port();
    let setting = Setting::new(&format!("http://{address}"), "");
    let stderr = File::create(setting.path("stderr")).unwrap();
    let mut running = import(&setting, [mbox_of(&setting, 0..20)]).stderr_to(stderr).start();
    let said = || std::fs::read_to_string(setting.path("stderr")).unwrap();
    eventually("a word about the wait", || said().contains("waiting 2 s: ").then_some(()));
    assert!(!running.has_ended());
    let said = said();
    assert!(said.contains(&format!("cannot connect to {address}: connection refused; ")), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    listen(&socket, 16).unwrap();
    let server = Server::on(
        TcpListener::from(socket),
        |stream| Some(Box::new(stream)),
        |connection| {
            loop {
                connection.request()?;
                connection.take()?;
            }
        },
    );
    assert_imported(&running.end());
    let mut sent = numbers(&server);
    sent.sort_unstable();
    assert_eq!(sent, (0..20).collect::<Vec<_>>());
}

/// A server may close a connection that it kept; that is no fault of the message that comes next.
#[test]
fn a_connection_that_the_server_closed_is_made_again() {
    let server = Server::acting(|connection| {
        for _ in 0..3 {
            connection.request()?;
            connection.take()?;
        }
        Ok(())
    });
    let setting = Setting::new(&server.url(), "");
    assert_imported(&import(&setting, ["--jobs", "1", &mbox_of(&setting, 0..30)]).run());
    assert_eq!(numbers(&server), (0..30).collect::<Vec<_>>());
    assert!(server.connections() >= 10, "{}", server.connections());
}

/// Whoever tries whether the trouble is over may lose a connection that was kept too long.
#[test]
fn the_first_to_try_after_a_wait_may_lose_its_connection() {
    let lost: &'static AtomicBool = Box::leak(Box::default());
    let second: &'static AtomicBool = Box::leak(Box::default());
    let refused: &'static AtomicUsize = Box::leak(Box::default());
    let server = Server::serving(|connection, request| match number(&request.body) {
        // In trouble until message 3 met its fault; first when message 2 is through, while message 3 is read. It may be this one that tries
        // each time, but not for ever.
        1 if !lost.load(Ordering::SeqCst) && refused.fetch_add(1, Ordering::SeqCst) < 3 => {
            eventually("message 2", || second.load(Ordering::SeqCst).then_some(()));
            connection.refuse(503, "")
        }
        2 => {
            connection.take()?;
            second.store(true, Ordering::SeqCst);
            Ok(())
        }
        3 if !lost.swap(true, Ordering::SeqCst) => {
            connection.reset()?;
            Err(io::ErrorKind::ConnectionReset.into())
        }
        _ => connection.take(),
    });
    let setting = Setting::new(&server.url(), "");
    let large = message(3).replace("hello\n", &"a long line, and another one\n".repeat(500_000));
    let path = write(&setting, "mbox", mbox([message(1), message(2), large, message(4)]));
    assert_imported(&import(&setting, ["--jobs", "2", &path]).run());
    let sent: BTreeSet<usize> =
        server.requests().iter().filter(|r| !r.body.is_empty()).map(|r| number(&r.body)).collect();
    assert_eq!(sent, [1, 2, 3, 4].into());
}
