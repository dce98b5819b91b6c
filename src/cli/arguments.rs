//! The command line as types.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueHint};

use super::values::{AddressPattern, Moment, RehearsedAnswer, at_most_64};

/// Gets e-mail into Chatwoot: reads one message from standard input and delivers it.
///
/// A mail server starts it once per message and reads its exit status: 0 delivered, 75 try again, 65 never.
#[derive(Debug, Parser)]
#[command(name = "ingress", version, after_help = EXAMPLES, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) options: Options,
    /// More recipients: Postfix turns the one word ${recipient} into several.
    #[arg(hide = true, value_name = "ADDR")]
    pub(super) more: Vec<OsString>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  ingress try                                   see a delivery, without configuration
  ingress explain message.eml                   where Chatwoot would file a message
  ingress check                                 would a delivery work now?
  ingress -r support@example.com < message.eml  deliver one message
  ingress --url https://chat.example.com --password-file /etc/ingress.password < message.eml

Configuration: /etc/ingress.toml, see ingress.toml(5). Exit status and log: see ingress(1).";

/// Options of every command, valid before and after it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(crate) settings: SettingsOptions,
    #[command(flatten)]
    pub(crate) envelope: EnvelopeOptions,
}

/// Settings that are given on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SettingsOptions {
    /// Read this configuration file, and no other
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Chatwoot's base URL, or the full endpoint
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: Option<String>,
    /// File that holds the ingress password on one line
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// Log to syslog, stderr, off, or a file
    #[arg(long, global = true, value_name = "WHERE")]
    pub(crate) log: Option<String>,
    /// Log where each setting comes from, what is sent where, and the answer (level debug)
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) verbose: bool,
}

/// The envelope, as far as it stands on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct EnvelopeOptions {
    /// Envelope recipient; may stand several times
    #[arg(short, long, global = true, value_name = "ADDR", action = ArgAction::Append, allow_hyphen_values = true)]
    pub(crate) recipient: Vec<OsString>,
    /// Envelope sender; empty for a bounce
    #[arg(
        short = 'f',
        long,
        global = true,
        value_name = "ADDR",
        allow_hyphen_values = true,
        overrides_with = "sender"
    )]
    pub(crate) sender: Option<OsString>,
}

/// What an operator can ask for.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what would be sent, which repairs, and where Chatwoot will file it; sends nothing
    Explain(ExplainArgs),
    /// Deliver stored mail: Maildirs, mboxes, .eml files and folders of them
    Import(ImportArgs),
    /// Deliver a message to a built-in stand-in for Chatwoot, and show what it received
    Try(TryArgs),
    /// Tell whether a delivery would work now, and if not, what must change; creates nothing
    Check(CheckArgs),
    /// Ask Chatwoot what became of a message that it took
    Trace(TraceArgs),
    /// Print the configuration of a mail server or mail reader that is to start ingress
    Setup(SetupArgs),
    /// Print a completion script for a shell
    Completions {
        /// bash, elvish, fish, powershell or zsh
        shell: clap_complete::Shell,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// The message; - or nothing for standard input
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Address of an inbox of Chatwoot; may stand several times
    #[arg(long, value_name = "ADDR")]
    pub(crate) inbox: Vec<String>,
    /// Write JSON
    #[arg(long, conflicts_with = "raw")]
    pub(crate) json: bool,
    /// Write the exact bytes that would be sent, and nothing else
    #[arg(long)]
    pub(crate) raw: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TryArgs {
    /// The message; - for standard input, a built-in sample when nothing is said or piped in
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: Option<PathBuf>,
    /// Rehearse a failure: an HTTP status, hang, or reset
    #[arg(long, value_name = "ANSWER")]
    pub(crate) answer: Option<RehearsedAnswer>,
}

#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Maildir, mbox, message or folder; - for an mbox on standard input
    #[arg(required = true, value_hint = ValueHint::AnyPath)]
    pub(crate) path: Vec<PathBuf>,
    /// How many deliveries at once
    #[arg(long, value_name = "N", default_value = "4", value_parser = at_most_64)]
    pub(crate) jobs: NonZeroUsize,
    /// Write down what was delivered, and skip what stands there already
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) journal: Option<PathBuf>,
    /// Copy what is not delivered into a folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) failed: Option<PathBuf>,
    /// End after so many failures in a row; 0 for never
    #[arg(long, value_name = "N", default_value = "100")]
    pub(crate) stop_after: u64,
    /// Only messages of this day or later (2026-11-23, a time as in RFC 3339, or 7d: seven days ago)
    #[arg(long, value_name = "DATE")]
    pub(crate) since: Option<Moment>,
    /// Only messages of this day or earlier
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Option<Moment>,
    /// Only messages for addresses like this (*@example.com); may stand several times
    #[arg(long, value_name = "PATTERN")]
    pub(crate) to: Vec<AddressPattern>,
    /// Send nothing; say how many would go where, and with which repairs
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Address of an inbox of Chatwoot; may stand several times
    #[arg(long, value_name = "ADDR")]
    pub(crate) inbox: Vec<String>,
    /// Write one JSON object a message
    #[arg(long)]
    pub(crate) json: bool,
    /// Say only what fails: no progress, no table
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// Check as this user, USER or USER:GROUP, without environment: as a mail server runs it; needs root
    #[arg(long = "as", value_name = "USER", value_hint = ValueHint::Username)]
    pub(crate) user: Option<String>,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct TraceArgs {
    /// A Message-ID, or a file with the message; - for standard input
    #[arg(value_name = "MESSAGE-ID|FILE", value_hint = ValueHint::FilePath, allow_hyphen_values = true)]
    pub(crate) what: OsString,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args, Debug)]
pub(crate) struct SetupArgs {
    /// Which; nothing for a list
    #[arg(value_parser = PossibleValuesParser::new(CALLERS), hide_possible_values = true)]
    pub(crate) caller: Option<String>,
    /// Domain of Chatwoot's reply addresses
    #[arg(long, value_name = "DOMAIN", requires = "caller")]
    pub(crate) domain: Option<String>,
    /// Address of an inbox of Chatwoot that this host takes mail for; may stand several times
    #[arg(long, value_name = "ADDR", requires = "caller")]
    pub(crate) inbox: Vec<String>,
    /// User that ingress is to run as [default: ingress]
    #[arg(long, value_name = "USER", requires = "caller")]
    pub(crate) user: Option<String>,
    /// Absolute path of ingress [default: /usr/bin/ingress]
    #[arg(long, value_name = "FILE", requires = "caller", value_hint = ValueHint::FilePath)]
    pub(crate) binary: Option<String>,
    /// Write files into a folder instead of printing them
    #[arg(long, value_name = "DIR", requires = "caller", value_hint = ValueHint::DirPath)]
    pub(crate) write: Option<PathBuf>,
}

/// The callers that `setup` knows: the folders of `examples/`, the commonest first.
pub(crate) const CALLERS: [&str; 14] = [
    "postfix",
    "postfix-alias",
    "exim",
    "opensmtpd",
    "sendmail",
    "qmail",
    "courier",
    "getmail",
    "fetchmail",
    "fdm",
    "dovecot-sieve",
    "procmail",
    "maildrop",
    "container",
];
