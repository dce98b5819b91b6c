//! The system's log, by its socket. syslog(3) waits for ever when nobody reads there; this drops the line.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, send, socket_with,
};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

use crate::patient_write::wait_until_taken;

/// Where syslog(3) writes to: Linux, the BSDs, macOS.
pub(crate) const SOCKETS: [&str; 3] = ["/dev/log", "/var/run/log", "/var/run/syslog"];

/// How long a log that takes nothing is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// Mail (syslog(3), `LOG_MAIL`).
const FACILITY: u8 = 2;

/// A place for lines in the system's log.
#[derive(Debug, Default)]
pub(super) struct Syslog {
    /// Once a line was not taken the next ones wait no more.
    is_deaf: AtomicBool,
}

/// One line to be.
pub(super) struct SyslogEntry<'a> {
    syslog: &'a Syslog,
    severity: u8,
}

impl<'a> MakeWriter<'a> for Syslog {
    type Writer = SyslogEntry<'a>;

    fn make_writer(&'a self) -> SyslogEntry<'a> {
        SyslogEntry { syslog: self, severity: severity(Level::INFO) }
    }

    fn make_writer_for(&'a self, metadata: &Metadata<'_>) -> SyslogEntry<'a> {
        SyslogEntry { syslog: self, severity: severity(*metadata.level()) }
    }
}

/// syslog(3)'s `LOG_ERR`, `LOG_WARNING`, `LOG_NOTICE`, `LOG_INFO`.
fn severity(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 5,
        _ => 6,
    }
}

impl Write for SyslogEntry<'_> {
    /// Sends it whole. Without a time: those who read there set it themselves.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let priority = FACILITY << 3 | self.severity;
        let mut message = format!("<{priority}>ingress[{}]: ", std::process::id()).into_bytes();
        message.extend_from_slice(line.trim_ascii_end());
        let patience = if self.syslog.is_deaf.load(Ordering::Relaxed) { Duration::ZERO } else { PATIENCE };
        let sent = deliver(message, Instant::now() + patience);
        let is_deaf = sent.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        self.syslog.is_deaf.store(is_deaf, Ordering::Relaxed);
        sent.map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn deliver(mut message: Vec<u8>, end: Instant) -> io::Result<()> {
    let (socket, kind) = connected()?;
    if kind == SocketType::STREAM {
        // On a stream it ends a line (syslog(3) of glibc).
        message.push(0);
    }
    loop {
        match send(&socket, &message, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(Errno::AGAIN | Errno::INTR) => wait_until_taken(socket.as_fd(), end)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Connects to the first of the places where somebody listens. Anew for each line: the log may have been started again since.
fn connected() -> io::Result<(OwnedFd, SocketType)> {
    let mut failed = Errno::NOENT;
    for place in SOCKETS {
        let address = SocketAddrUnix::new(place)?;
        for kind in [SocketType::DGRAM, SocketType::STREAM] {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
            match connect(&socket, &address) {
                Ok(()) => return Ok((socket, kind)),
                // It is a stream.
                Err(Errno::PROTOTYPE) => {}
                Err(error) => {
                    failed = error;
                    break;
                }
            }
        }
    }
    Err(failed.into())
}
