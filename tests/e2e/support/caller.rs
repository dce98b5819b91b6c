//! What a mail server or mail reader must be able to do to be tested.

use super::{Deployment, Mail};

/// A mail server or mail reader with `ingress` at its end.
pub(crate) trait Caller: Sync {
    /// Its name in the matrix.
    const NAME: &'static str;
    /// Words of the line of its own log that says: delivered.
    const DELIVERED: &'static [&'static str];
    /// Words of the line that says: kept, to be tried again.
    const DEFERRED: &'static [&'static str];
    /// Words of the line that says: refused for ever; a mail reader's, that it keeps the message.
    const REJECTED: &'static [&'static str];
    /// What the sender is told, or the reader's line says, of a message that is too large.
    const TOO_LARGE: &'static str;
    /// Mail that it refuses by itself, before `ingress` is asked: names of [`super::mail::tricks`].
    const REFUSES: &'static [&'static str] = &[];

    /// The envelope recipient as it tells it: nothing when that is no address to write into a message.
    fn told(recipient: &str) -> Option<String> {
        (!recipient.contains(' ')).then(|| recipient.to_owned())
    }

    /// Whether it writes `X-Original-To` itself, also where To names the recipient.
    const WRITES_X_ORIGINAL_TO: bool = false;

    /// Starts it with the configuration that `ingress setup` wrote.
    fn start(deployment: &Deployment) -> Self;

    /// Hands a message in, as mail comes in there.
    ///
    /// # Errors
    ///
    /// What it said when it refused the message.
    fn submit(&self, mail: &Mail) -> Result<(), String>;

    /// Makes it do at once what it would do in a while: try again what it keeps, or fetch what is there.
    fn turn(&self);

    /// How many messages it keeps, and isn't just delivering; nothing when it cannot be said now.
    fn kept(&self) -> Option<usize>;

    /// Its own log, and what `ingress` printed where the log quotes that.
    fn log(&self) -> String;

    /// What came back to the senders; for a mail reader its log.
    fn returned(&self) -> String;
}
