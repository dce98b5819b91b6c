//! Running the built binary as a mail server would: nothing in the environment but what is said, all output captured.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program under test: a path from `INGRESS_BINARY` (another build of it), else the one cargo has just built.
#[allow(clippy::disallowed_methods, reason = "the test runner names another build of the program")]
pub(crate) fn binary() -> String {
    std::env::var("INGRESS_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_ingress").to_owned())
}

/// A run of `ingress`, being put together.
pub(crate) struct Ingress {
    command: Command,
    stdin: Vec<u8>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Delivered: status 0 and not one byte of output.
    pub(crate) fn assert_delivered(&self) {
        assert_eq!((self.status, self.stdout.as_str(), self.stderr.as_str()), (Some(0), "", ""));
    }

    /// Failed with this status and this one line.
    pub(crate) fn assert_failed(&self, status: i32, line: &str) {
        assert_eq!(
            (self.status, self.stdout.as_str(), self.stderr.as_str()),
            (Some(status), format!("{line}\n").as_str(), "")
        );
    }
}

impl Ingress {
    pub(crate) fn new<const N: usize>(arguments: [&str; N]) -> Self {
        let mut command = Command::new(binary());
        command.env_clear().args(arguments);
        Self { command, stdin: Vec::new() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdin(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.stdin = message.into();
        self
    }

    pub(crate) fn args(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs a command that must succeed, and gives its output byte for byte.
    pub(crate) fn output(self, what: &str) -> Vec<u8> {
        let (ended, stdout) = self.finish();
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{what}");
        stdout
    }

    /// Runs to the end; panics when that takes more than a minute and a half.
    pub(crate) fn run(self) -> Ended {
        self.finish().0
    }

    fn finish(mut self) -> (Ended, Vec<u8>) {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let message = self.stdin;
        let writing = thread::spawn(move || input.write_all(&message));
        let stdout = reading(child.stdout.take().unwrap());
        let stderr = reading(child.stderr.take().unwrap());
        let status = wait(&mut child);
        writing.join().unwrap().expect("ingress reads its input to the end");
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (Ended { status, stdout: shown(&stdout), stderr: shown(&stderr) }, stdout)
    }
}

fn reading(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn wait(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + Duration::from_secs(90);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if Instant::now() > end {
            let _ = child.kill();
            let _ = child.wait();
            panic!("ingress did not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}
