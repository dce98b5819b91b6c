//! `ingress explain`: what would be sent, which repairs, and where Chatwoot will file it; sends nothing.

use std::io::{self, IsTerminal};
use std::process::ExitCode;

use crate::cli::{ExplainArgs, Options};
use crate::commands::error::CommandError;
use crate::commands::message_file::read_message;
use crate::exit;
use crate::log::sanitized;
use crate::output::{complain, print, status_after};
use crate::settings::MessageSettings;
use chatwoot_mail::environment::Environment;
use chatwoot_mail::explanation::{CopyJson, Explanation, RouteJson, ShownJson, explain};
use chatwoot_mail::message::address::Address;
use chatwoot_mail::service::Service;
use chatwoot_mail::{envelope, message};

/// Explains; the status is sysexits(3)'s: 0, 65 no message, 78 broken configuration.
pub(crate) fn run(arguments: &ExplainArgs, options: &Options, environment: &Environment) -> ExitCode {
    match explained(arguments, options, environment) {
        Ok(output) => ExitCode::from(status_after(&print(&output), 0)),
        Err(error) => error.report(),
    }
}

fn explained(
    arguments: &ExplainArgs,
    options: &Options,
    environment: &Environment,
) -> Result<Vec<u8>, CommandError> {
    let (MessageSettings { mut rules, max_size }, notice) =
        MessageSettings::load(&options.settings, environment)?;
    if let Some(notice) = notice {
        complain(&notice);
    }
    for inbox in &arguments.inbox {
        let address = Address::parse(inbox).ok_or_else(|| {
            CommandError::new(
                exit::USAGE,
                format!("--inbox {inbox} is no address: it must look like support@example.com"),
            )
        })?;
        rules.chatwoot.inboxes.push(address);
    }
    let (message, origin) = read_message(arguments.file.as_deref(), rules.repairs.extra_returns(), max_size)?;
    if !message::has_header(&message.bytes) {
        return Err(CommandError::new(exit::MESSAGE, format!("{origin}: no header field in it")));
    }
    let envelope = envelope::read(
        &options.envelope.recipient,
        options.envelope.sender.as_deref(),
        environment,
        &message.bytes,
    );
    let explanation = explain(&message, &envelope, &rules)
        .map_err(|_| CommandError::new(exit::TEMPORARY, "no memory to make the message 7-bit"))?;
    if arguments.raw {
        return Ok(explanation.copies.into_iter().flat_map(|copy| copy.bytes).collect());
    }
    if arguments.json {
        let mut text = serde_json::to_vec_pretty(&explanation)
            .map_err(|error| CommandError::new(exit::TEMPORARY, format!("cannot write JSON: {error}")))?;
        text.push(b'\n');
        return Ok(text);
    }
    let colours = io::stdout().is_terminal() && environment.raw("NO_COLOR").is_none();
    Ok(Page { colours, text: String::new() }.write(&explanation, &origin).into_bytes())
}

/// The explanation as text for people.
struct Page {
    colours: bool,
    text: String,
}

const RED: &str = "31";
const GREEN: &str = "32";

impl Page {
    fn write(mut self, explanation: &Explanation, origin: &str) -> String {
        self.row("Message", &format!("{origin}, {} bytes", explanation.size));
        self.envelope(explanation);
        self.parts(explanation);
        for copy in &explanation.copies {
            self.copy(copy, explanation.copies.len() > 1);
            self.service(explanation.service, copy);
            self.route(&copy.route, &copy.route_without_repairs);
        }
        self.text
    }

    fn envelope(&mut self, explanation: &Explanation) {
        let envelope = &explanation.envelope;
        let sender = envelope.sender.as_deref().unwrap_or("somebody unknown");
        let recipients = match envelope.named_by {
            Some(origin) => format!("{} (named by {origin})", envelope.recipients.join(", ")),
            None => "nobody that is named".to_owned(),
        };
        self.row("Envelope", &format!("from {sender} to {recipients}"));
        for ignored in &envelope.ignored {
            self.row("", &format!("ignored: {ignored}"));
        }
    }

    fn parts(&mut self, explanation: &Explanation) {
        for (number, part) in explanation.parts.iter().enumerate() {
            let charset = part.charset.as_deref().map(|charset| format!(", {charset}")).unwrap_or_default();
            let name = part.name.as_deref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
            let line =
                format!("{}{}{charset}{name}, {} bytes", "  ".repeat(part.depth), part.media_type, part.size);
            self.row(if number == 0 { "Parts" } else { "" }, &line);
        }
    }

    fn copy(&mut self, copy: &CopyJson, one_of_several: bool) {
        if one_of_several {
            self.text.push('\n');
            self.row("Copy", &format!("for {}", copy.recipient.as_deref().unwrap_or("nobody")));
        }
        self.row("Sender", copy.sender.as_deref().unwrap_or("none that Chatwoot could use"));
        self.addresses("To", &copy.to);
        self.addresses("Cc", &copy.cc);
        if copy.repairs.is_empty() {
            self.row("Repairs", "none needed");
        }
        for (number, repair) in copy.repairs.iter().enumerate() {
            self.row(
                if number == 0 { "Repairs" } else { "" },
                &format!("{}: {}", repair.name, repair.summary),
            );
            for line in &repair.before {
                self.painted("", &format!("  - {}", sanitized(line)), RED);
            }
            for line in &repair.after {
                self.painted("", &format!("  + {}", sanitized(line)), GREEN);
            }
        }
        for (number, warning) in copy.warnings.iter().enumerate() {
            self.painted(if number == 0 { "Warning" } else { "" }, warning, RED);
        }
        self.shown(&copy.shown);
        self.row("Automatic", if copy.automatic { "yes: Chatwoot sends no greeting" } else { "no" });
    }

    /// The beginning of the text, and the files, as an agent sees them.
    fn shown(&mut self, shown: &ShownJson) {
        if shown.text.is_empty() {
            self.row("Text", "none is shown");
        }
        for (number, line) in shown.text.iter().enumerate() {
            self.row(if number == 0 { "Text" } else { "" }, line);
        }
        for (number, file) in shown.attachments.iter().enumerate() {
            let line = format!("{} ({}), {} bytes", file.name, file.media_type, file.size);
            self.row(if number == 0 { "Files" } else { "" }, &line);
        }
    }

    /// How another service than the relay carries the message.
    fn service(&mut self, service: &str, copy: &CopyJson) {
        if service == Service::Relay.name() {
            return;
        }
        let bits = if copy.converted { "made 7-bit" } else { "7-bit as it is" };
        self.row("Service", &format!("{service}: {bits}"));
        if let Some(recipient) = &copy.beside {
            self.row("", &format!("{recipient} goes beside it, and becomes X-Original-To"));
        }
    }

    /// The first few of a list.
    fn addresses(&mut self, label: &str, addresses: &[String]) {
        const SHOWN: usize = 5;
        if addresses.is_empty() {
            return;
        }
        let mut list = addresses.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
        if addresses.len() > SHOWN {
            list.push_str(&format!(" and {} more", addresses.len() - SHOWN));
        }
        self.row(label, &list);
    }

    fn route(&mut self, route: &RouteJson, without: &RouteJson) {
        let colour = |route: &RouteJson| if route.arrives { GREEN } else { RED };
        self.painted("Route", &route.text, colour(route));
        if without != route {
            self.painted("", &format!("without repairs: {}", without.text), colour(without));
        }
    }

    fn row(&mut self, label: &str, text: &str) {
        self.text.push_str(&format!("{label:<10} {}\n", sanitized(text)));
    }

    fn painted(&mut self, label: &str, text: &str, colour: &str) {
        if self.colours {
            self.text.push_str(&format!("{label:<10} \u{1b}[{colour}m{}\u{1b}[0m\n", sanitized(text)));
        } else {
            self.row(label, text);
        }
    }
}
