//! What can end a delivery from outside, the deadline and signals, watched from a thread of its own: so that it works wherever the
//! delivery hangs, be it a caller that never closes the pipe, a name lookup, or a log that nobody reads.

use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::signal;
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use crate::delivery::final_status::{End, FinalStatus, say};
use chatwoot_mail::outcome::{Cause, Exit, Failure};

/// How long the delivery itself may take to notice the deadline; it knows better what it was waiting for.
const GRACE: Duration = Duration::from_millis(250);
/// How long stdout and log may take once the delivery has come to its own end.
const CLOSING: Duration = Duration::from_secs(2);
/// How long they may take at the deadline or after a signal: the process is gone two seconds later at the most.
const FAREWELL: Duration = Duration::from_millis(1250);

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

/// What a thread needs that waits and writes lines.
const STACK: usize = 256 * 1024;

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
        thread::Builder::new().name("watcher".to_owned()).stack_size(STACK).spawn(watch).ok()?;
        leave_signals_to_the_watcher();
        Some(Self { deadline, waker })
    }

    /// Moves the deadline.
    pub(crate) fn set_deadline(&self, deadline: Instant) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
        self.wake();
    }

    /// The end is claimed: what is left to write gets little time.
    pub(crate) fn close(&self) {
        let now = Instant::now();
        let mut deadline = self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        *deadline = (now + CLOSING).min(now.max(*deadline) + FAREWELL);
        drop(deadline);
        self.wake();
    }

    fn wake(&self) {
        // A full socket has wakings enough in it.
        let _ = std::io::Write::write(&mut &self.waker, b"d");
    }
}

/// A thread that hangs in the kernel (a file on a dead mount) would be given the signal, and never look at it. Those that a fault of the
/// thread's own raises stay: blocked, they kill.
fn leave_signals_to_the_watcher() {
    let own = [signal::SIGTRAP, signal::SIGSYS];
    let others = SIGNALS.iter().filter(|(number, _)| !own.contains(number));
    let set: SigSet = others.filter_map(|(number, _)| Signal::try_from(*number).ok()).collect();
    let _ = set.thread_block();
}

/// Signals that came in. One descriptor for all of them: registering is a good part of what the start of a process costs.
type Caught = SignalDelivery<UnixStream, SignalOnly>;

fn watch(mut caught: Caught, deadline: &Mutex<Instant>, final_status: &Arc<FinalStatus>) {
    let failure = what_ends_it(&mut caught, deadline, final_status);
    if final_status.claim(Some(&failure)) {
        say_farewell(final_status, failure);
    } else if failure.cause == Cause::Signal {
        // The delivery has come to its end, and exits unless its log hangs.
        thread::sleep(FAREWELL);
    }
    leave(final_status);
}

/// Waits for a signal or the deadline. Time in which the process was stopped (SIGSTOP) counts, as it does for whoever started it; that in
/// which the machine was suspended does not: the mail server's own timers stand still then, too.
fn what_ends_it(caught: &mut Caught, deadline: &Mutex<Instant>, final_status: &FinalStatus) -> Failure {
    loop {
        let end = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let has_passed = now >= end;
        // Counted from now: an answer that came while the process was stopped is taken.
        sleep_until(if has_passed { now + GRACE } else { end }, caught.get_read());
        if let Some(signal) = caught.pending().next() {
            return Failure::new(Cause::Signal, format!("stopped by {}", name(signal)));
        }
        let is_the_same = *deadline.lock().unwrap_or_else(PoisonError::into_inner) == end;
        if has_passed && is_the_same {
            return Failure::late(final_status.progress.phase());
        }
    }
}

/// Has it said by a thread that may be left behind: stdout and log can hang.
fn say_farewell(final_status: &Arc<FinalStatus>, failure: Failure) {
    let (spoken, end) = mpsc::channel::<()>();
    let speaker = Arc::clone(final_status);
    let line = failure.clone();
    let speaking = thread::Builder::new().name("farewell".to_owned()).stack_size(STACK).spawn(move || {
        speaker.speak(&End::Failed(failure));
        drop(spoken);
    });
    match speaking {
        // It sends nothing: it ends.
        Ok(_) => drop(end.recv_timeout(FAREWELL)),
        Err(_) => say(&line, &final_status.context()),
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

/// Ends the process with the status that was claimed.
#[expect(clippy::exit, clippy::disallowed_methods, reason = "the main thread may hang for ever")]
fn leave(final_status: &FinalStatus) {
    std::process::exit(i32::from(final_status.status().unwrap_or(Exit::Deferred.status())));
}
