//! The command line as types, and which kind of run it asks for.

use std::ffi::{OsStr, OsString};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueHint};

use crate::import::{Pattern, day_or_instant};
use crate::setup::CALLERS;

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
    more: Vec<OsString>,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// The command line of a mail server, which asks for nothing but a delivery. Making the definitions of all commands costs a tenth of what a
/// delivery does: they are made when these words do not fit.
#[derive(Debug, Parser)]
#[command(name = "ingress", disable_help_flag = true)]
struct Plain {
    #[command(flatten)]
    options: Options,
    #[arg(value_name = "ADDR")]
    more: Vec<OsString>,
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
    /// Read this configuration file, and no other
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,
    /// Chatwoot's base URL, or the full endpoint
    #[arg(long, global = true, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) url: Option<String>,
    /// File that holds the ingress password on one line
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
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
    /// Log at level debug
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) verbose: bool,
    /// Log to syslog, stderr, off, or a file
    #[arg(long, global = true, value_name = "WHERE")]
    pub(crate) log: Option<String>,
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
    pub(crate) answer: Option<crate::command::rehearse::Answer>,
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
    /// Only messages of this day or later (2026-11-23, or a time as in RFC 3339)
    #[arg(long, value_name = "DATE", value_parser = day_or_instant)]
    pub(crate) since: Option<(i64, i64)>,
    /// Only messages of this day or earlier
    #[arg(long, value_name = "DATE", value_parser = day_or_instant)]
    pub(crate) until: Option<(i64, i64)>,
    /// Only messages for addresses like this (*@example.com); may stand several times
    #[arg(long, value_name = "PATTERN")]
    pub(crate) to: Vec<Pattern>,
    /// Send nothing; say how many would go where, and with which repairs
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Write one JSON object a message
    #[arg(long)]
    pub(crate) json: bool,
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

fn at_most_64(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .ok()
        .filter(|jobs: &NonZeroUsize| jobs.get() <= 64)
        .ok_or_else(|| "1 to 64 is wanted".to_owned())
}

#[derive(Args, Debug)]
pub(crate) struct SetupArgs {
    /// Which; nothing for a list
    #[arg(value_parser = PossibleValuesParser::new(CALLERS.iter().map(|caller| caller.name)), hide_possible_values = true)]
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

/// What a command line asks for.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// A mail server's: everything ends in the outcome table.
    Delivery(Result<Options, String>),
    Operator(Command, Options),
    /// An operator's words that make no sense.
    Misused(clap::Error),
    /// `--help`, `--version`.
    Informed(clap::Error),
}

/// Reads the command line. Whatever does not clearly come from an operator comes from a mail server.
pub(crate) fn read(arguments: &[OsString]) -> Invocation {
    use clap::error::ErrorKind::{DisplayHelp, DisplayVersion};
    let arguments = &hyphened_addresses_as_values(arguments);
    if let Ok(Plain { options, more }) = Plain::try_parse_from(arguments)
        && let Ok(options) = with_more(options, more)
    {
        return Invocation::Delivery(Ok(options));
    }
    match Cli::try_parse_from(arguments) {
        Ok(Cli { options, more, command: None }) => Invocation::Delivery(with_more(options, more)),
        Ok(Cli { options, command: Some(command), .. }) => Invocation::Operator(command, options),
        Err(error) if matches!(error.kind(), DisplayHelp | DisplayVersion) => Invocation::Informed(error),
        Err(error) if names_a_command(arguments) => Invocation::Misused(error),
        Err(error) => Invocation::Delivery(Err(complaint(&error))),
    }
}

/// The options that take the next word, whatever it is.
const WITH_VALUE: [&str; 9] =
    ["-c", "--config", "--url", "--password-file", "-r", "--recipient", "-f", "--sender", "--log"];

/// Puts `--recipient=` before a further address that begins with `-` and would pass for an unknown option.
fn hyphened_addresses_as_values(arguments: &[OsString]) -> Vec<OsString> {
    let mut words = arguments.iter();
    let mut read: Vec<OsString> = Vec::with_capacity(arguments.len());
    while let Some(word) = words.next() {
        if is_hyphened_address(&word.to_string_lossy()) {
            let mut option = OsString::from("--recipient=");
            option.push(word);
            read.push(option);
            continue;
        }
        read.push(word.clone());
        if word == "--" {
            read.extend(words.by_ref().cloned());
        } else if WITH_VALUE.iter().any(|option| word == *option) {
            read.extend(words.next().cloned());
        }
    }
    read
}

fn is_hyphened_address(word: &str) -> bool {
    let holds_its_value = |option: &&str| match word.strip_prefix(option) {
        Some(rest) => !option.starts_with("--") || rest.starts_with('='),
        None => false,
    };
    word.starts_with('-') && word.contains('@') && !WITH_VALUE.iter().any(holds_its_value)
}

/// Takes bare words as further recipients. One without `@` is a mistyped command.
fn with_more(mut options: Options, more: Vec<OsString>) -> Result<Options, String> {
    if let Some(word) = more.iter().find(|word| !word.to_string_lossy().contains('@')) {
        return Err(format!("{} is neither a command nor an address", word.to_string_lossy()));
    }
    options.recipient.extend(more);
    Ok(options)
}

pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

/// Whether the first word that is neither an option nor an option's value is a command.
fn names_a_command(arguments: &[OsString]) -> bool {
    let mut words = arguments.iter().skip(1).map(OsString::as_os_str);
    while let Some(word) = words.next() {
        if WITH_VALUE.iter().any(|option| word == *option) {
            words.next();
        } else if !word.to_string_lossy().starts_with('-') {
            return is_command(word);
        }
    }
    false
}

fn is_command(word: &OsStr) -> bool {
    definition().get_subcommands().any(|command| word == command.get_name())
}

/// The first line of clap's error, without its `error: `.
fn complaint(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let line = text.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn invocation(words: &[&str]) -> Invocation {
        let arguments: Vec<OsString> =
            std::iter::once("ingress").chain(words.iter().copied()).map(OsString::from).collect();
        read(&arguments)
    }

    fn delivery(words: &[&str]) -> Options {
        match invocation(words) {
            Invocation::Delivery(Ok(options)) => options,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn the_definition_is_sound() {
        definition().debug_assert();
    }

    #[test]
    fn no_words_are_a_delivery() {
        assert!(delivery(&[]).recipient.is_empty());
    }

    #[test]
    fn an_address_that_begins_with_a_hyphen_is_a_value() {
        for words in [["-r", "-x@example.com"], ["--recipient", "--help"], ["-r", "--"]] {
            assert_eq!(delivery(&words).recipient, [words[1]], "{words:?}");
        }
        assert_eq!(delivery(&["--sender=-f@x"]).sender.unwrap(), "-f@x");
        assert_eq!(delivery(&["-f", ""]).sender.unwrap(), "");
    }

    #[test]
    fn recipients_stand_several_times_in_each_form_that_postfix_gives_them() {
        assert_eq!(delivery(&["-r", "a@b", "-r", "c@d"]).recipient, ["a@b", "c@d"]);
        assert_eq!(delivery(&["--recipient=a@b", "--recipient=c@d", "-f", "s@x"]).recipient, ["a@b", "c@d"]);
        assert_eq!(delivery(&["-f", "s@x", "-r", "a@b", "c@d", "e@f"]).recipient, ["a@b", "c@d", "e@f"]);
        let hyphened =
            ["-r", "-a@b", "-c@d", "--help@e", "-v@f", "-fs@x", "-vrg@h", "--log=/i@j", "--", "-k@l"];
        let options = delivery(&hyphened);
        assert_eq!(options.recipient, ["-a@b", "--help@e", "-v@f", "-vrg@h", "-k@l"]);
        assert_eq!(options.config.unwrap().as_os_str(), "@d");
    }

    #[test]
    fn options_stand_before_and_after_a_command() {
        for words in [["-v", "try"], ["try", "-v"]] {
            let Invocation::Operator(Command::Try(_), options) = invocation(&words) else {
                panic!("{words:?}")
            };
            assert!(options.verbose);
        }
    }

    #[test]
    fn a_mail_server_s_mistake_is_a_delivery_that_fails() {
        for words in [
            &["--unknown"][..],
            &["-r"],
            &["--config"],
            &["-c", "try", "-x"],
            &["--url", "a", "--url", "b"],
            &["tyr"],
        ] {
            assert!(matches!(invocation(words), Invocation::Delivery(Err(_))), "{words:?}");
        }
    }

    #[test]
    fn an_operator_s_mistake_is_an_operator_s() {
        for words in [
            &["try", "--unknown"][..],
            &["-v", "try", "a", "b"],
            &["completions", "tcsh"],
            &["-c", "x", "try", "-z"],
        ] {
            assert!(matches!(invocation(words), Invocation::Misused(_)), "{words:?}");
        }
        assert!(matches!(invocation(&["--help"]), Invocation::Informed(_)));
    }
}
