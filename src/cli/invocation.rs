//! Which kind of run a command line asks for.

use std::ffi::{OsStr, OsString};

use clap::{CommandFactory, Parser};

use super::arguments::{Cli, Command, Options};
use crate::similar::did_you_mean;

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
        let text = word.to_string_lossy();
        if is_hyphened_address(&text) && !(is_long_option_with_value(&text) && names_a_command(arguments)) {
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

/// `--to=*@example.com`: an operator's, when there is a command.
fn is_long_option_with_value(word: &str) -> bool {
    let name = word.strip_prefix("--").and_then(|rest| rest.split_once('=')).map(|(name, _)| name);
    name.is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    })
}

/// Takes bare words as further recipients. One without `@` is a mistyped command.
fn with_more(mut options: Options, more: Vec<OsString>) -> Result<Options, String> {
    if let Some(word) = more.iter().find(|word| !word.to_string_lossy().contains('@')) {
        let word = word.to_string_lossy();
        return Err(format!("{word} is neither a command nor an address{}", meant(&word)));
    }
    options.envelope.recipient.extend(more);
    Ok(options)
}

/// What a word may have been meant to be.
fn meant(word: &str) -> String {
    match word {
        "help" | "version" => format!(": did you mean --{word}?"),
        _ => did_you_mean(word, definition().get_subcommands().map(clap::Command::get_name)),
    }
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
    fn every_option_of_a_delivery_that_takes_a_value_is_known_to() {
        let mut defined: Vec<String> = Vec::new();
        let with_value = |option: &&clap::Arg| !option.is_positional() && option.get_action().takes_values();
        for option in Plain::command().get_arguments().filter(with_value) {
            defined.extend(option.get_short().map(|short| format!("-{short}")));
            defined.extend(option.get_long().map(|long| format!("--{long}")));
        }
        defined.sort();
        let mut known = WITH_VALUE.to_vec();
        known.sort_unstable();
        assert_eq!(known, defined);
    }

    #[test]
    fn no_words_are_a_delivery() {
        assert!(delivery(&[]).envelope.recipient.is_empty());
    }

    #[test]
    fn an_address_that_begins_with_a_hyphen_is_a_value() {
        for words in [["-r", "-x@example.com"], ["--recipient", "--help"], ["-r", "--"]] {
            assert_eq!(delivery(&words).envelope.recipient, [words[1]], "{words:?}");
        }
        assert_eq!(delivery(&["--sender=-f@x"]).envelope.sender.unwrap(), "-f@x");
        assert_eq!(delivery(&["-f", ""]).envelope.sender.unwrap(), "");
    }

    #[test]
    fn recipients_stand_several_times_in_each_form_that_postfix_gives_them() {
        assert_eq!(delivery(&["-r", "a@b", "-r", "c@d"]).envelope.recipient, ["a@b", "c@d"]);
        assert_eq!(
            delivery(&["--recipient=a@b", "--recipient=c@d", "-f", "s@x"]).envelope.recipient,
            ["a@b", "c@d"]
        );
        assert_eq!(
            delivery(&["-f", "s@x", "-r", "a@b", "c@d", "e@f"]).envelope.recipient,
            ["a@b", "c@d", "e@f"]
        );
        let hyphened =
            ["-r", "-a@b", "-c@d", "--help@e", "-v@f", "-fs@x", "-vrg@h", "--log=/i@j", "--", "-k@l"];
        let options = delivery(&hyphened);
        assert_eq!(options.envelope.recipient, ["-a@b", "--help@e", "-v@f", "-vrg@h", "-k@l"]);
        assert_eq!(options.settings.config.unwrap().as_os_str(), "@d");
    }

    #[test]
    fn options_stand_before_and_after_a_command() {
        for words in [["-v", "try"], ["try", "-v"]] {
            let Invocation::Operator(Command::Try(_), options) = invocation(&words) else {
                panic!("{words:?}")
            };
            assert!(options.settings.verbose);
        }
    }

    /// It became a recipient of all the messages.
    #[test]
    fn an_option_of_a_command_may_hold_an_address_behind_its_equals_sign() {
        let Invocation::Operator(Command::Import(arguments), options) =
            invocation(&["import", "--to=*@b", "--inbox=a@b", "mbox"])
        else {
            panic!()
        };
        assert_eq!((arguments.to.len(), arguments.inbox), (1, vec!["a@b".to_owned()]));
        assert!(options.envelope.recipient.is_empty());
        assert_eq!(delivery(&["-f", "s@x", "-r", "a@b", "--to=c@d"]).envelope.recipient, ["a@b", "--to=c@d"]);
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
