//! `ingress import --dry-run`: the summary of what would happen.

use super::command::found;
use super::index::Index;
use super::preview::{Preview, preview};
use super::progress::{Progress, ProgressState};
use crate::cli::{ImportArgs, Options};
use crate::commands::error::CommandError;
use crate::exit;
use crate::output::{complain, print, status_after};
use crate::settings::MessageSettings;
use chatwoot_mail::environment::Environment;

/// Looks at everything and sends nothing; gives the exit status.
pub(super) fn rehearse(
    arguments: &ImportArgs,
    options: &Options,
    environment: &Environment,
) -> Result<u8, CommandError> {
    let (settings, notice) = MessageSettings::load(&options.settings, environment)?;
    if let Some(notice) = notice {
        complain(&notice);
    }
    let progress = Progress::new(arguments.json);
    let index = found(arguments, &progress);
    progress.begin(index.entries.len());
    for (what, why) in &index.unreadable {
        progress.say(&format!("{what}: unreadable: {why}"));
    }
    let mut preview = preview(
        &index.entries,
        &options.envelope.recipient,
        options.envelope.sender.as_ref(),
        &settings,
        arguments.jobs.get(),
        |done| progress.show(&ProgressState { done, failures: 0, waiting: None }),
        |why| progress.say(why),
    );
    progress.end();
    preview.unreadable += index.unreadable.len();
    let text = if arguments.json {
        serde_json::to_string_pretty(&preview).map_or_else(|_| String::new(), |text| text + "\n")
    } else {
        summary(&preview, &index)
    };
    let status = if preview.unreadable + preview.too_large > 0 { exit::MESSAGE } else { 0 };
    Ok(status_after(&print(text.as_bytes()), status))
}

fn summary(preview: &Preview, index: &Index) -> String {
    let mut text = String::new();
    let mut row = |label: &str, count: usize, what: &str| {
        text.push_str(&format!("{label:<12} {count:>9}  {what}\n"));
    };
    let of = |route: &str| preview.routes.get(route).copied().unwrap_or_default();
    row("messages", preview.messages, "");
    if preview.copies > preview.messages {
        row("copies", preview.copies, "one for each recipient");
    }
    row("replies", of("reply"), "go to their conversations");
    row("inbox", of("inbox"), "go to an inbox, most as new conversations");
    if of("unknown") > 0 {
        row("unknown", of("unknown"), "go to the inbox with their address, if there is one: set inboxes");
    }
    row("lost", preview.losses.values().sum(), "Chatwoot would not show them");
    for (why, count) in &preview.losses {
        row("", *count, why);
    }
    row("too large", preview.too_large, "exceed max_size");
    row("unreadable", preview.unreadable, "could not be read, or are no messages");
    if index.not_selected > 0 {
        row("not selected", index.not_selected, "");
    }
    if index.foreign > 0 {
        row("no mail", index.foreign, "what lies among the mail and is none");
    }
    row("repairs", preview.repairs.values().sum(), "");
    for (name, count) in &preview.repairs {
        row("", *count, name);
    }
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}
