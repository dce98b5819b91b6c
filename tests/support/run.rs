//! Running the built binary as a mail server would: nothing in the environment but what is said, all output captured.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The program under test: a path from `INGRESS_BINARY` (another build of it), else the one cargo has just built.
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

    /// Runs to the end; panics when that takes more than a minute and a half.
    pub(crate) fn run(mut self) -> Ended {
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        let message = self.stdin;
        let writing = thread::spawn(move || input.write_all(&message));
        let stdout = reading(child.stdout.take().unwrap());
        let stderr = reading(child.stderr.take().unwrap());
        let status = wait(&mut child);
        writing.join().unwrap().expect("ingress reads its input to the end");
        Ended { status, stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
    }
}

fn reading(mut stream: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
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
