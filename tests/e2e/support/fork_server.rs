//! The process that has loaded Rails once, and forks an Action Mailbox whenever a test wants one (`fork_server.rb`).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// It ends with the tests, which hold its standard input.
static FORK_SERVER: Mutex<Option<ForkServer>> = Mutex::new(None);

struct ForkServer {
    _process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
}

impl ForkServer {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/support/action_mailbox/fork_server.rb");
        let mut command = Command::new("ruby");
        command.args(["-W0", script]).arg(folder.path()).env("RAILS_ENV", "production");
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self { _process: process, requests, answers, _folder: folder }
    }

    fn fork(&mut self, port: u16, environment: &BTreeMap<&str, String>) -> Pid {
        let request = serde_json::json!({ "port": port, "environment": environment });
        writeln!(self.requests, "{request}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        Pid::from_raw(answer.trim().parse().expect("a process id")).unwrap()
    }
}

/// A server that was forked; killed when dropped.
pub(crate) struct Forked(Pid);

impl Forked {
    /// Starts one on a port, with this in its environment.
    pub(crate) fn start(port: u16, environment: &BTreeMap<&str, String>) -> Self {
        let mut server = FORK_SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        Self(server.get_or_insert_with(ForkServer::start).fork(port, environment))
    }

    /// Whether it is gone: its parent takes note of its end at once.
    pub(crate) fn has_exited(&self) -> bool {
        !PathBuf::from(format!("/proc/{}", self.0.as_raw_nonzero())).exists()
    }
}

impl Drop for Forked {
    fn drop(&mut self) {
        let _ = kill_process(self.0, Signal::KILL);
        let end = Instant::now() + Duration::from_secs(10);
        while !self.has_exited() && Instant::now() < end {
            sleep(Duration::from_millis(5));
        }
    }
}
