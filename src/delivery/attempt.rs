//! One message to all its envelope recipients: the path that every message takes, whoever hands it over.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::attempts::AttemptCount;
use super::copies::{Uncopied, each_copy};
use crate::clock::now;
use crate::http::{Client, Exchange, Reply};
use crate::log::{self, Line};
use crate::settings::{Settings, oddity};
use chatwoot_mail::attempt::varied;
use chatwoot_mail::envelope::{Envelope, Sender};
use chatwoot_mail::message::address::Address;
use chatwoot_mail::message::header::Header;
use chatwoot_mail::message::header_of;
use chatwoot_mail::outcome::{Cause, Exit, Failure};
use chatwoot_mail::repair::{Repaired, Unrepaired, repair_and_look};
use chatwoot_mail::route::{self, Route};
use chatwoot_mail::rules::Rules;
use chatwoot_mail::wire_message::WireMessage;

/// A delivery to one recipient: what was sent and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// `message-id=`, `recipient=`, `sender=`, `size=`, `repairs=`, `route=` of the log.
    pub(crate) message: Line,
    pub(crate) repairs: Vec<&'static str>,
    /// Whether Chatwoot will show it, as far as can be foretold.
    pub(crate) arrives: bool,
    /// The HTTP status, when there was an answer.
    pub(crate) status: Option<u16>,
    pub(crate) result: Result<(), Failure>,
    count: Option<AttemptCount>,
}

impl Attempt {
    /// An attempt that did not get as far as the network.
    fn failed_before(message: Line, failure: Failure) -> Self {
        Self { message, repairs: Vec::new(), arrives: true, status: None, result: Err(failure), count: None }
    }
}

/// Delivers `message` to each of the envelope's recipients, or once when there is none.
///
/// What is worth trying again ends the round: the mail server comes back with the whole, and what was taken already is known by its
/// bytes. `each` sees every attempt. The error stands for all of them.
pub(crate) fn deliver(
    settings: &Settings,
    client: &Client,
    envelope: &Envelope,
    message: Unrepaired,
    deadline: Instant,
    mut each: impl FnMut(&Attempt),
) -> Result<(), Failure> {
    let mut worst: Option<Failure> = None;
    let (mut delivered, mut deferred) = (Vec::new(), false);
    each_copy(envelope, message, |recipient, copy| {
        let attempt = match copy {
            Ok(copy) => attempt(settings, client, &envelope.sender, recipient, copy, deadline),
            Err(Uncopied { message, failure }) => {
                let header = header_of(&message.bytes);
                let line = described(&header, message.bytes.len(), recipient, &envelope.sender);
                Attempt::failed_before(line, failure)
            }
        };
        each(&attempt);
        let Err(failure) = attempt.result else {
            delivered.extend(attempt.count);
            return ControlFlow::Continue(());
        };
        deferred = failure.cause.disposition(settings.on_too_large).exit == Exit::Deferred;
        worst = Some(match worst.take() {
            Some(before) => before.weightier(failure, settings.on_too_large),
            None => failure,
        });
        if deferred { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    // A run that is deferred comes back with all its recipients: the copies that were taken must have the same form again.
    if !deferred {
        delivered.iter().for_each(AttemptCount::forget);
    }
    worst.map_or(Ok(()), Err)
}

fn attempt(
    settings: &Settings,
    client: &Client,
    sender: &Sender,
    recipient: Option<&Address>,
    message: Unrepaired,
    deadline: Instant,
) -> Attempt {
    let prepared = prepare(message, recipient, sender, &settings.rules);
    let Prepared { mut line, repairs, route, wire_message } = prepared;
    let (status, result, count) = match wire_message {
        Ok(message) => {
            let mut count = AttemptCount::look_up(settings, &message);
            line.add_some("attempt", (count.earlier > 0).then_some(count.earlier.saturating_add(1)));
            let (status, result, _) = post(settings, client, &message, &mut count, deadline);
            line.add_some("notice", count.notice.take());
            (status, result, Some(count))
        }
        Err(failure) => (None, Err(failure), None),
    };
    Attempt { message: line, repairs, arrives: route.arrives(), status, result, count }
}

/// A message as it will be sent to one recipient.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    /// `message-id=`, `recipient=`, `sender=`, `size=`, `repairs=`, `route=` of the log.
    pub(crate) line: Line,
    pub(crate) repairs: Vec<&'static str>,
    pub(crate) route: Route,
    pub(crate) wire_message: Result<WireMessage, Failure>,
}

/// Repairs a message for one recipient, and foretells its route.
pub(crate) fn prepare(
    message: Unrepaired,
    recipient: Option<&Address>,
    sender: &Sender,
    rules: &Rules,
) -> Prepared {
    let look = |header: &Header<'_>| (route::of_header(header, &rules.chatwoot), message_id_in(header));
    let (repaired, (route, message_id)) = repair_and_look(message, recipient, sender, &rules.repairs, look);
    let Repaired { bytes, repairs, attachments, largest_attachment, breaks_signature } = repaired;
    let mut line = line_of(&message_id, bytes.len(), recipient, sender);
    line.add("repairs", repairs.join(","));
    line.add("route", &route);
    line.add_some("notice", route::too_many(attachments));
    line.add_some("notice", breaks_signature.then_some("a repair changed what a signature covers"));
    let wire_message = WireMessage::write(bytes, recipient, rules.service, &rules.repairs)
        .map_err(|_| Failure::new(Cause::OutOfMemory, "no memory to make the message 7-bit"));
    let wire_message = match largest_attachment {
        size if size > rules.max_attachment => Err(too_large(size, rules.max_attachment)),
        _ => wire_message,
    };
    let converted = wire_message.as_ref().is_ok_and(|wire_message| wire_message.converted);
    line.add_some("converted", converted.then_some("7bit"));
    Prepared { line, repairs, route, wire_message }
}

/// Chatwoot would throw the whole answer away: refused, the sender learns of it.
fn too_large(size: usize, most: usize) -> Failure {
    let detail =
        format!("an attachment has {size} bytes, more than the {most} that a website conversation takes");
    Failure::new(Cause::AttachmentTooLarge, detail)
}

/// Sends a copy once, in the form of its attempt, and takes note of how that ended. Gives the HTTP status, when there was an answer; what it
/// means; and how long the server asks to be left alone.
pub(crate) fn post(
    settings: &Settings,
    client: &Client,
    message: &WireMessage,
    count: &mut AttemptCount,
    deadline: Instant,
) -> (Option<u16>, Result<(), Failure>, Option<Duration>) {
    let Exchange { reply, whole, lost } = exchange(settings, client, message, count.earlier, deadline)
        .unwrap_or_else(|failure| Exchange { reply: Err(failure), whole: false, lost: false });
    let status = reply.as_ref().ok().map(|reply| reply.status);
    let retry_after = reply.as_ref().ok().and_then(|reply| reply.retry_after);
    let result = reply.and_then(|reply| judged(settings, reply));
    // A 413 is decided by the length: such a message never got as far as Chatwoot.
    if let Err(Failure { cause, .. }) = &result
        && whole
        && (cause.may_have_stored() || (lost && *cause != Cause::Answer(413)))
    {
        count.add(settings, message);
    }
    (status, result, retry_after)
}

fn exchange(
    settings: &Settings,
    client: &Client,
    message: &WireMessage,
    earlier: u32,
    deadline: Instant,
) -> Result<Exchange, Failure> {
    let bytes = varied(message.bytes.clone(), earlier)
        .map_err(|_| Failure::new(Cause::OutOfMemory, "no memory for the form of another attempt"))?;
    let message = WireMessage { bytes, ..message.clone() };
    let request = settings.endpoint.request(&settings.secret, message, now())?;
    log::request(&request);
    let started = Instant::now();
    let exchange = client.send(&request, deadline);
    log::answer(exchange.reply.as_ref().ok().map(|reply| reply.status), started.elapsed());
    Ok(exchange)
}

/// The service's own success answer is the only proof, and it says nothing more.
///
/// # Errors
///
/// What any other answer means.
fn judged(settings: &Settings, reply: Reply) -> Result<(), Failure> {
    let status = reply.status;
    let detail = match (settings.endpoint.succeeded(status), reply.wordy) {
        (true, false) => return Ok(()),
        (true, true) => format!("the endpoint answered {status} with a page, which Rails never does"),
        (false, _) => match oddity(&settings.secret).filter(|_| status == 401) {
            Some(oddity) => format!("the endpoint answered 401; the password here {oddity}"),
            None => format!("the endpoint answered {status}"),
        },
    };
    Err(Failure::new(Cause::Answer(status), detail))
}

/// The log line of a message that was delivered, or not; without the remedy.
pub(crate) fn outcome_line(
    message: &Line,
    status: Option<u16>,
    failure: Option<&Failure>,
    settings: &Settings,
    milliseconds: u128,
) -> (Exit, Line) {
    let disposition = failure.map(|failure| (failure, failure.cause.disposition(settings.on_too_large)));
    let exit = disposition.map_or(Exit::Delivered, |(_, disposition)| disposition.exit);
    let mut line = Line::default();
    line.add("outcome", exit.word());
    line.add("code", disposition.map_or("2.0.0", |(_, disposition)| disposition.code));
    line.add_some("status", status);
    line.add("exit", exit.status());
    line.append(message);
    line.add("ms", milliseconds);
    if let Some(failure) = failure {
        line.add("cause", &failure.detail);
    }
    (exit, line)
}

/// What the administrator does about a failure.
pub(crate) fn remedy_of(failure: &Failure, settings: &Settings) -> &'static str {
    chatwoot_mail::outcome::remedy(failure.cause, settings.endpoint.service(), settings.on_too_large)
}

/// What the log says of a message of `size` bytes.
pub(crate) fn described(
    header: &Header<'_>,
    size: usize,
    recipient: Option<&Address>,
    sender: &Sender,
) -> Line {
    line_of(&message_id_in(header), size, recipient, sender)
}

fn line_of(message_id: &str, size: usize, recipient: Option<&Address>, sender: &Sender) -> Line {
    let mut line = Line::default();
    line.add("message-id", message_id);
    line.add("recipient", recipient.map_or_else(|| "-".to_owned(), ToString::to_string));
    match sender {
        Sender::Unknown => line.add("sender", "-"),
        Sender::Null => line.add("sender", "<>"),
        Sender::Known(address) => line.add("sender", address),
    }
    line.add("size", size);
    line
}

/// The Message-ID, or `-`.
pub(crate) fn message_id(bytes: &[u8]) -> String {
    message_id_in(&header_of(bytes))
}

/// How much of a Message-ID the log tells: a line of the longest that RFC 5322, section 2.1.1, allows.
const LONGEST_LOGGED: usize = 998;

fn message_id_in(header: &Header<'_>) -> String {
    let field = header.named("Message-ID").next_back();
    field.map_or_else(
        || "-".to_owned(),
        |field| {
            let value = field.trimmed();
            String::from_utf8_lossy(value.get(..LONGEST_LOGGED).unwrap_or(value)).into_owned()
        },
    )
}
