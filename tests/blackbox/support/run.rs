//! Running the built binary as a mail server would: nothing in the environment but what is said, all output captured, and an end
//! that comes in time or fails the test.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long anything may take before the test fails.
const DEADLINE: Duration = Duration::from_secs(90);

/// Waits until `condition` gives something, and gives it back. Panics with `what` after the deadline.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain for: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The program under test: a path from `INGRESS_BINARY` (another build of it), else the one cargo has just built.
#[allow(clippy::disallowed_methods, reason = "the test runner names another build of the program")]
pub(crate) fn binary() -> String {
    std::env::var("INGRESS_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_ingress").to_owned())
}

/// A run of `ingress`, being put together.
pub(crate) struct Ingress {
    command: Command,
    input: Input,
    /// `state_dir`, of this run alone: what one run remembers is nothing to another.
    state: Option<TempDir>,
}

/// What is on standard input.
enum Input {
    /// A pipe that brings these pieces, each when the one before was read, and then ends.
    Pieces(Vec<Vec<u8>>),
    /// A pipe that brings these bytes and stays open.
    Open(Vec<u8>),
    /// Something else.
    Given(Stdio),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Nothing when a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Asserts the whole of what the caller sees.
    #[track_caller]
    pub(crate) fn assert(&self, status: i32, stdout: &str, stderr: &str) {
        assert_eq!((self.status, self.stdout.as_str(), self.stderr.as_str()), (Some(status), stdout, stderr));
    }

    /// Delivered: status 0 and not one byte of output.
    #[track_caller]
    pub(crate) fn assert_delivered(&self) {
        self.assert(0, "", "");
    }

    /// To be tried again, with this one line.
    #[track_caller]
    pub(crate) fn assert_deferred(&self, line: &str) {
        self.assert(75, &format!("{line}\n"), "");
    }

    /// Never to be tried again, with this one line.
    #[track_caller]
    pub(crate) fn assert_rejected(&self, line: &str) {
        self.assert(65, &format!("{line}\n"), "");
    }
}

impl Ingress {
    pub(crate) fn new() -> Self {
        let state = tempfile::tempdir().unwrap();
        let ingress = Self::without_environment().env("INGRESS_STATE_DIR", state.path());
        Self { state: Some(state), ..ingress }
    }

    /// Without even that: for a configuration that names its own place.
    pub(crate) fn without_environment() -> Self {
        let mut command = Command::new(binary());
        command.env_clear().stdout(Stdio::piped()).stderr(Stdio::piped());
        Self { command, input: Input::Pieces(Vec::new()), state: None }
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.command.args(arguments);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn envs(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    pub(crate) fn stdin(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Pieces(vec![message.into()]);
        self
    }

    /// Standard input in pieces: the next comes when the one before was read.
    pub(crate) fn stdin_in_pieces(mut self, message: &[u8], size: usize) -> Self {
        self.input = Input::Pieces(message.chunks(size).map(<[u8]>::to_vec).collect());
        self
    }

    /// Standard input that brings the message and never ends.
    pub(crate) fn stdin_open(mut self, message: impl Into<Vec<u8>>) -> Self {
        self.input = Input::Open(message.into());
        self
    }

    /// A file, a socket or a terminal as standard input.
    pub(crate) fn stdin_from(mut self, input: impl Into<Stdio>) -> Self {
        self.input = Input::Given(input.into());
        self
    }

    /// Standard output that is no pipe of the test's; the end says that nothing was read from it.
    pub(crate) fn stdout_to(mut self, output: impl Into<Stdio>) -> Self {
        self.command.stdout(output);
        self
    }

    /// Standard error that is no pipe of the test's; the end says that nothing was read from it.
    pub(crate) fn stderr_to(mut self, output: impl Into<Stdio>) -> Self {
        self.command.stderr(output);
        self
    }

    /// Runs it in this folder.
    pub(crate) fn folder(mut self, folder: &str) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Has a shell say this before it becomes the program: limits, masks, closed descriptors (`<&-` goes to the program itself).
    pub(crate) fn after(mut self, shell: &str, redirections: &str) -> Self {
        let mut command = Command::new("/bin/sh");
        command.env_clear().envs(self.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.args(["-c", &format!("{shell}\nexec \"$@\" {redirections}"), "sh"]);
        command.arg(self.command.get_program()).args(self.command.get_args());
        self.command = command;
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        self
    }

    pub(crate) fn start(mut self) -> Running {
        let stdin = match &mut self.input {
            Input::Given(stdin) => std::mem::replace(stdin, Stdio::null()),
            _ => Stdio::piped(),
        };
        let mut child = self.command.stdin(stdin).spawn().unwrap();
        let (release, end) = channel();
        let (input, pipe) = (self.input, child.stdin.take());
        let is_read = Arc::new(AtomicBool::new(false));
        let writing = thread::spawn({
            let is_read = Arc::clone(&is_read);
            move || write(pipe, input, &end, &is_read)
        });
        let stdout = child.stdout.take().map(read);
        let stderr = child.stderr.take().map(read);
        let _state = self.state;
        Running { child, release: Some(release), writing: Some(writing), is_read, stdout, stderr, _state }
    }

    /// Runs to the end.
    pub(crate) fn run(self) -> Ended {
        self.start().end()
    }

    /// Runs to a success that says nothing on stderr, and gives standard output byte for byte.
    #[track_caller]
    pub(crate) fn output(self) -> Vec<u8> {
        let (ended, stdout) = self.start().finish();
        assert_eq!((ended.status, ended.stderr.as_str()), (Some(0), ""), "{}", ended.stdout);
        stdout
    }
}

/// A run under way; it is killed when the test gives up on it.
pub(crate) struct Running {
    child: Child,
    /// Dropped to end a standard input that stays open.
    release: Option<Sender<()>>,
    writing: Option<JoinHandle<io::Result<()>>>,
    /// Whether the program has read all that an open standard input brings.
    is_read: Arc<AtomicBool>,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    /// Until the end of the run.
    _state: Option<TempDir>,
}

impl Running {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Sends a signal, by its number or its name without `SIG`.
    pub(crate) fn signal(&self, signal: &str) {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("/bin/sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Waits until the program has read all that an open standard input brings: it is past its configuration and its log.
    pub(crate) fn wait_until_read(&self) {
        eventually("ingress to read", || self.is_read.load(Ordering::SeqCst).then_some(()));
    }

    /// Ends a standard input that was left open.
    pub(crate) fn end_input(&mut self) {
        self.release.take();
    }

    /// Waits for the end. Panics when it does not come, and when the program left before its input was read to the end.
    #[track_caller]
    pub(crate) fn end(self) -> Ended {
        self.finish().0
    }

    #[track_caller]
    fn finish(mut self) -> (Ended, Vec<u8>) {
        let status = eventually("ingress to end", || self.child.try_wait().unwrap());
        drop(self.release.take());
        let written = self.writing.take().map(|writing| writing.join().unwrap());
        let bytes =
            |reading: Option<JoinHandle<Vec<u8>>>| reading.map_or(Vec::new(), |bytes| bytes.join().unwrap());
        let (stdout, stderr) = (bytes(self.stdout.take()), bytes(self.stderr.take()));
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let ended = Ended { status: status.code(), stdout: shown(&stdout), stderr: shown(&stderr) };
        if let Some(Err(error)) = written {
            panic!("it did not read its input to the end: {error}, {status}, {ended:?}");
        }
        (ended, stdout)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(pipe: Option<ChildStdin>, input: Input, end: &Receiver<()>, is_read: &AtomicBool) -> io::Result<()> {
    let Some(mut pipe) = pipe else { return Ok(()) };
    match input {
        Input::Pieces(pieces) => pieces.iter().try_for_each(|piece| {
            pipe.write_all(piece)?;
            if pieces.len() > 1 {
                until_empty(&pipe);
            }
            Ok(())
        }),
        Input::Open(bytes) => {
            // What has no end cannot be read to it.
            let _ = pipe.write_all(&bytes);
            while let Err(TryRecvError::Empty) = end.try_recv() {
                if rustix::io::ioctl_fionread(&pipe).unwrap() == 0 {
                    is_read.store(true, Ordering::SeqCst);
                    let _ = end.recv();
                    break;
                }
                thread::sleep(Duration::from_millis(2));
            }
            Ok(())
        }
        Input::Given(_) => Ok(()),
    }
}

/// Waits until what was written to the pipe is read.
fn until_empty(pipe: &impl AsFd) {
    eventually("ingress to read", || (rustix::io::ioctl_fionread(pipe).unwrap() == 0).then_some(()));
}

fn read(mut stream: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// Does this with every case, four at a time.
pub(crate) fn few_at_once<T: Send>(
    cases: impl IntoIterator<Item = T, IntoIter: Send>,
    check: impl Fn(T) + Sync,
) {
    let cases = Mutex::new(cases.into_iter());
    let next = || cases.lock().unwrap().next();
    at_once(0..4, |_| {
        while let Some(case) = next() {
            check(case);
        }
    });
}

/// Does this with every case, all at the same time.
pub(crate) fn at_once<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    let check = &check;
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}
