//! What can end a delivery from outside, the deadline and signals, watched from a thread of its own: so that it works wherever the
//! delivery hangs, be it a caller that never closes the pipe, a name lookup, or a log that nobody reads.

use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::signal;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use crate::delivery::final_status::FinalStatus;
use chatwoot_mail::outcome::{Cause, Exit, Failure};

/// How long the delivery itself may take to notice the deadline; it knows better what it was waiting for.
const GRACE: Duration = Duration::from_millis(250);
/// How long log and exit may take once the end is said.
const FAREWELL: Duration = Duration::from_secs(2);

/// Signals that end a process and that a process can catch. SIGABRT is apart: a failed allocation raises it. The real-time signals are
/// left out: nobody sends them to what a mail server starts, and registering all of them takes a tenth of the start.
const SIGNALS: &[(i32, &str)] = &[
    (signal::SIGHUP, "SIGHUP"),
    (signal::SIGINT, "SIGINT"),
    (signal::SIGQUIT, "SIGQUIT"),
    (signal::SIGTERM, "SIGTERM"),
    (signal::SIGALRM, "SIGALRM"),
    (signal::SIGUSR1, "SIGUSR1"),
    (signal::SIGUSR2, "SIGUSR2"),
    (signal::SIGXCPU, "SIGXCPU"),
    (signal::SIGVTALRM, "SIGVTALRM"),
    (signal::SIGPROF, "SIGPROF"),
    (signal::SIGTRAP, "SIGTRAP"),
    (signal::SIGSYS, "SIGSYS"),
    (signal::SIGIO, "SIGIO"),
    // signal(7): their numbers on Linux but for MIPS and SPARC, where other signals of this list or harmless ones have them.
    #[cfg(target_os = "linux")]
    (16, "SIGSTKFLT"),
    #[cfg(target_os = "linux")]
    (30, "SIGPWR"),
];

/// A running watch over one delivery.
pub(crate) struct Watcher {
    deadline: Arc<Mutex<Instant>>,
    waker: UnixStream,
}

impl Watcher {
    /// Starts the watch. Nothing when there is no thread or descriptor to be had: the delivery then goes on unwatched, its
    /// network part still under the deadline.
    pub(crate) fn start(final_status: Arc<FinalStatus>, deadline: Instant) -> Option<Self> {
        let (waker, alarm) = UnixStream::pair().ok()?;
        let signals = SIGNALS.iter().map(|(number, _)| *number);
        let caught = Caught::with_pipe(alarm, waker.try_clone().ok()?, SignalOnly, signals).ok()?;
        // abort(3) after a failed allocation or a stack overflow: no time for words, but the mail server must keep the message.
        let _ = signal_hook::flag::register_conditional_shutdown(
            signal::SIGABRT,
            i32::from(Exit::Deferred.status()),
            Arc::new(AtomicBool::new(true)),
        );
        // Postfix's local(8) limits the size of files (`mailbox_size_limit`): a log that has reached it fails to be written, no more.
        let _ = signal_hook::flag::register(signal::SIGXFSZ, Arc::new(AtomicBool::new(false)));
        let deadline = Arc::new(Mutex::new(deadline));
        let watched = Arc::clone(&deadline);
        let watch = move || watch(caught, &watched, &final_status);
        thread::Builder::new().name("watcher".to_owned()).stack_size(256 * 1024).spawn(watch).ok()?;
        Some(Self { deadline, waker })
    }

    /// Moves the deadline.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        // A full socket has wakings enough in it.
        let _ = std::io::Write::write(&mut &self.waker, b"d");
    }
}

/// Signals that came in. One descriptor for all of them: registering is a good part of what the start of a process costs.
type Caught = SignalDelivery<UnixStream, SignalOnly>;

fn watch(mut caught: Caught, deadline: &Mutex<Instant>, final_status: &FinalStatus) {
    loop {
        let end = *deadline.lock().unwrap_or_else(PoisonError::into_inner) + GRACE;
        sleep_until(end, caught.get_read());
        let failure = match caught.pending().next() {
            None if final_status.said().is_none() && Instant::now() < end => continue,
            None => Failure::new(Cause::Deadline, "not done within timeout"),
            Some(signal) => Failure::new(Cause::Signal, format!("stopped by {}", name(signal))),
        };
        if !final_status.failed(&failure, false) {
            // The delivery ended by itself, and exits unless its log hangs.
            thread::sleep(FAREWELL);
        }
        return leave(final_status);
    }
}

fn name(signal: i32) -> &'static str {
    SIGNALS.iter().find(|(number, _)| *number == signal).map_or("a signal", |(_, name)| name)
}

/// Waits for the deadline, or for something written to the other end of `alarm`; `pending` takes it out.
fn sleep_until(end: Instant, alarm: &UnixStream) {
    let left = end.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left).ok();
    let _ = poll(&mut [PollFd::new(alarm, PollFlags::IN)], timeout.as_ref());
}

/// Ends the process with the status that was said.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "the main thread may hang for ever")]
fn leave(final_status: &FinalStatus) {
    std::process::exit(i32::from(final_status.said().unwrap_or(Exit::Deferred.status())));
}
