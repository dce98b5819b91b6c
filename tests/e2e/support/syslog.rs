//! The place of syslog, for a server that logs nowhere else.

use std::fs;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::support::folder::mode;

const PLACE: &str = "/dev/log";

/// One at a time: there is one such place.
static ONE: Mutex<()> = Mutex::new(());

/// Writes what is logged into a file.
pub(crate) struct Syslog {
    ended: Arc<AtomicBool>,
    writing: Option<JoinHandle<()>>,
    _one: MutexGuard<'static, ()>,
}

impl Syslog {
    pub(crate) fn into_file(path: &Path) -> Self {
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let log = UnixDatagram::bind(PLACE).unwrap();
        mode(Path::new(PLACE), 0o666);
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
        Self { ended, writing: Some(writing), _one: one }
    }
}

impl Drop for Syslog {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(writing) = self.writing.take() {
            let _ = writing.join();
        }
        let _ = fs::remove_file(PLACE);
    }
}
