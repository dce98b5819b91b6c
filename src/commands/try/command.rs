//! `ingress try`: a delivery to a stand-in for Chatwoot, through the path that every message takes, and a report of what arrived.

use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::stand_in::{self, Received};
use crate::cli::{Options, RehearsedAnswer, TryArgs};
use crate::commands::error::CommandError;
use crate::commands::message_file::read_message;
use crate::delivery::stdin;
use crate::delivery::{self, Attempt};
use crate::exit;
use crate::http::Client;
use crate::log::sanitized;
use crate::output::{print, status_after};
use crate::settings::Settings;
use chatwoot_mail::envelope::{self, Envelope, Sender};
use chatwoot_mail::environment::Environment;
use chatwoot_mail::message;
use chatwoot_mail::message::address::Address;
use chatwoot_mail::outcome::remedy;
use chatwoot_mail::outcome::{Cause, Exit, Failure};
use chatwoot_mail::repair::{REPAIRS, Unrepaired};

/// A message to start with: healthy but for what makes the repairs visible.
const SAMPLE: &[u8] = include_bytes!("../../../examples/messages/reply.eml");
const SAMPLE_RECIPIENT: &str = "reply+5f2b3c1e-8d4a-4b7e-9c60-1a2b3c4d5e6f@reply.example.com";

/// How long a rehearsal of a hanging server takes.
const SHORT: Duration = Duration::from_secs(3);
/// How long nothing may come on standard input before the sample is taken instead.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs the rehearsal; the status is sysexits(3)'s: 0 when it could be held, whatever the answer was.
pub(crate) fn run(arguments: &TryArgs, options: &Options, environment: &Environment) -> ExitCode {
    match rehearse(arguments, options, environment) {
        Ok(report) => ExitCode::from(status_after(&print(report.as_bytes()), 0)),
        Err(error) => error.report(),
    }
}

fn rehearse(
    arguments: &TryArgs,
    options: &Options,
    environment: &Environment,
) -> Result<String, CommandError> {
    let file =
        options.settings.config.clone().or_else(|| environment.get("INGRESS_CONFIG").map(PathBuf::from));
    let stand_in = stand_in::start(arguments.answer)
        .map_err(|error| CommandError::new(exit::TEMPORARY, format!("cannot start the stand-in: {error}")))?;
    let base = format!("http://{}", stand_in.address);
    let mut settings = Settings::for_rehearsal(&base, file.as_deref(), environment)?;
    if arguments.answer == Some(RehearsedAnswer::Hang) {
        settings.network.timeout = settings.network.timeout.min(SHORT);
    }
    let (message, origin) = message(arguments.file.as_deref(), &settings)?;
    let envelope = envelope_of(options, environment, &message, origin == Whence::Sample);
    if !message::has_header(&message.bytes) {
        return Err(CommandError::new(exit::MESSAGE, format!("{}: no header field in it", origin.shown())));
    }
    let size = message.bytes.len();
    let client = Client::new(false, &settings.network, environment)?;
    let deadline = Instant::now() + settings.network.timeout;
    let mut attempts = Vec::new();
    let result = delivery::deliver(&settings, &client, &envelope, message, deadline, |attempt| {
        attempts.push((attempt.clone(), stand_in.received.try_recv().ok()));
    });
    let mut report = opening(&origin, size, &envelope, &base);
    for (attempt, received) in &attempts {
        report.push_str(&shown(attempt, received.as_ref()));
    }
    report.push_str(&ending(&result, &settings));
    Ok(report)
}

/// Where the message came from.
#[derive(Debug, PartialEq, Eq)]
enum Whence {
    Sample,
    Stdin,
    File(String),
}

impl Whence {
    fn shown(&self) -> String {
        match self {
            Self::Sample => "the built-in sample".to_owned(),
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.clone(),
        }
    }
}

fn message(file: Option<&Path>, settings: &Settings) -> Result<(Unrepaired, Whence), CommandError> {
    let read =
        |input: BorrowedFd<'_>| stdin::read(input, settings.rules.repairs.extra_returns(), settings.max_size);
    let stdin = io::stdin();
    match file {
        Some(path) => {
            let (message, shown) =
                read_message(Some(path), settings.rules.repairs.extra_returns(), settings.max_size)?;
            Ok((message, if path == Path::new("-") { Whence::Stdin } else { Whence::File(shown) }))
        }
        None if stdin.is_terminal() || !something_comes(stdin.as_fd()) => {
            Ok((sample(settings)?, Whence::Sample))
        }
        None => match read(stdin.as_fd()) {
            Err(failure) if failure.cause == Cause::NoInput => Ok((sample(settings)?, Whence::Sample)),
            message => Ok((message?, Whence::Stdin)),
        },
    }
}

fn sample(settings: &Settings) -> Result<Unrepaired, Failure> {
    stdin::from_bytes(SAMPLE, settings.rules.repairs.extra_returns())
}

/// Whether standard input brings a byte, or its end, before long. Nobody may be there to send one: a script's idle pipe.
fn something_comes(stdin: BorrowedFd<'_>) -> bool {
    let timeout = Timespec::try_from(PATIENCE).ok();
    let ready = poll(&mut [PollFd::from_borrowed_fd(stdin, PollFlags::IN)], timeout.as_ref());
    ready.is_ok_and(|count| count > 0)
}

/// The envelope as a delivery would read it; the sample comes with its own.
fn envelope_of(options: &Options, environment: &Environment, message: &Unrepaired, sample: bool) -> Envelope {
    let mut envelope = envelope::read(
        &options.envelope.recipient,
        options.envelope.sender.as_deref(),
        environment,
        &message.bytes,
    );
    if sample && envelope.recipients.is_empty() {
        envelope.recipients.extend(Address::parse(SAMPLE_RECIPIENT));
    }
    envelope
}

fn opening(origin: &Whence, size: usize, envelope: &Envelope, base: &str) -> String {
    let recipients: Vec<String> =
        envelope.recipients.iter().map(|address| sanitized(&address.to_string())).collect();
    let recipients =
        if recipients.is_empty() { "nobody that the caller names".to_owned() } else { recipients.join(", ") };
    let sender = match &envelope.sender {
        Sender::Unknown => "somebody unknown".to_owned(),
        Sender::Null => "<>".to_owned(),
        Sender::Known(address) => sanitized(&address.to_string()),
    };
    let mut text = format!(
        "Message    {}, {size} bytes\nEnvelope   from {sender} to {recipients}\nSent to    {base}, a stand-in for Chatwoot\n",
        sanitized(&origin.shown())
    );
    for ignored in &envelope.ignored {
        text.push_str(&format!("Ignored    {}\n", sanitized(ignored)));
    }
    text
}

/// What the stand-in received of one attempt, and what was repaired before.
fn shown(attempt: &Attempt, received: Option<&Received>) -> String {
    let mut text = String::from("\n");
    match received {
        None => text.push_str("Received   nothing\n"),
        Some(received) => {
            text.push_str(&format!(
                "Received   {} bytes\n\n    {}\n",
                received.body.len(),
                sanitized(&received.request_line)
            ));
            for (name, value) in &received.headers {
                text.push_str(&format!("    {name}: {}\n", sanitized(value)));
            }
            text.push('\n');
            text.push_str(&first_lines(&received.body));
        }
    }
    text.push('\n');
    text.push_str(&repairs(&attempt.repairs));
    text.push_str(&match (attempt.status, &attempt.result) {
        (Some(status), _) => format!("Answer     {status}\n"),
        (None, Err(failure)) => format!("Answer     none: {}\n", sanitized(&failure.detail)),
        (None, Ok(())) => String::new(),
    });
    text
}

/// How much of a message is shown.
const SHOWN_LINES: usize = 24;

fn first_lines(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines();
    let mut shown: String = lines
        .by_ref()
        .take(SHOWN_LINES)
        .map(|line| {
            format!("    {}", sanitized(&line.replace('\t', "        "))).trim_end().to_owned() + "\n"
        })
        .collect();
    match lines.count() {
        0 => {}
        rest => shown.push_str(&format!("    ({rest} more lines)\n")),
    }
    shown
}

fn repairs(done: &[&str]) -> String {
    if done.is_empty() {
        return "Repairs    none needed\n".to_owned();
    }
    let mut text = String::new();
    for (number, repair) in REPAIRS.iter().filter(|repair| done.contains(&repair.name)).enumerate() {
        let label = if number == 0 { "Repairs" } else { "" };
        text.push_str(&format!("{label:<10} {}: {}\n", repair.name, repair.summary));
    }
    text
}

/// What the mail server would have seen, and made of it.
fn ending(result: &Result<(), Failure>, settings: &Settings) -> String {
    match result {
        Ok(()) => {
            "Output     none\nExit       0: the mail server counts the message as delivered\n".to_owned()
        }
        Err(failure) => {
            let disposition = failure.cause.disposition(settings.on_too_large);
            let consequence = match disposition.exit {
                Exit::Rejected => "the mail server bounces the message to its sender",
                _ => "the mail server keeps the message and tries again",
            };
            format!(
                "Output     {}\nExit       {}: {consequence}\nRemedy     {}\n",
                disposition.line(),
                disposition.exit.status(),
                remedy(failure.cause, settings.endpoint.service(), settings.on_too_large)
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_statuses_or_words() {
        assert!(matches!("413".parse(), Ok(RehearsedAnswer::Status(status)) if status == 413));
        assert_eq!("hang".parse(), Ok(RehearsedAnswer::Hang));
        assert_eq!("reset".parse(), Ok(RehearsedAnswer::Reset));
        for wrong in ["", "100", "600", "2xx", "no"] {
            assert!(wrong.parse::<RehearsedAnswer>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_long_message_is_shown_in_part() {
        let body = "line\r\n".repeat(30);
        let shown = first_lines(body.as_bytes());
        assert!(shown.ends_with("    line\n    (6 more lines)\n"), "{shown}");
    }
}
