//! The place of syslog, for a server that logs nowhere else.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::folder::mode;

const PLACE: &str = "/dev/log";

/// One at a time: there is one such place.
static ONE: Mutex<()> = Mutex::new(());

/// Writes what is logged into a file.
pub(super) struct Syslog {
    /// The socket: the system's place, or one of our own that is mounted there for the server alone.
    socket: PathBuf,
    ended: Arc<AtomicBool>,
    writing: Option<JoinHandle<()>>,
    _one: MutexGuard<'static, ()>,
}

impl Syslog {
    pub(super) fn into_file(path: &Path) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let socket =
            if Path::new(PLACE).exists() { path.with_extension("socket") } else { PathBuf::from(PLACE) };
        let log = UnixDatagram::bind(&socket).unwrap();
        mode(&socket, 0o666);
        log.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let mut file = fs::File::create(path).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&ended);
        let writing = thread::spawn(move || {
            let mut line = vec![0; 1 << 16];
            while !seen.load(Ordering::Relaxed) {
                if let Ok(length) = log.recv(&mut line) {
                    file.write_all(&line[..length]).and_then(|()| file.write_all(b"\n")).unwrap();
                }
            }
        });
        Self { socket, ended, writing: Some(writing), _one: one }
    }

    /// A command that runs in a host of the given name, and logs here.
    pub(super) fn command(&self, host: &str) -> Command {
        let mut command = Command::new("unshare");
        let mut script = format!("hostname {host} && ");
        command.arg("--uts");
        if self.socket != Path::new(PLACE) {
            command.arg("--mount");
            script.push_str(&format!("mount --bind {} {PLACE} && ", self.socket.display()));
        }
        script.push_str("exec \"$@\"");
        command.args(["sh", "-c", &script, "sh"]);
        command
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
        let _ = fs::remove_file(&self.socket);
    }
}
