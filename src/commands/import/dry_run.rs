//! `ingress import --dry-run`: the summary of what would happen.

use super::command::{add_inboxes, audience, found};
use super::index::Index;
use super::preview::{Preview, preview};
use super::progress::{Progress, ProgressState};
use super::reporter::LOOKS_LIKE_A_BEGINNING;
use super::tally::PASSED_OVER;
use crate::cli::{ImportArgs, Options};
use crate::commands::error::CommandError;
use crate::exit;
use crate::output::{complain, print, status_after};
use crate::settings::MessageSettings;
use crate::table::Table;
use chatwoot_mail::environment::Environment;

/// Looks at everything and sends nothing; gives the exit status.
pub(super) fn rehearse(
    arguments: &ImportArgs,
    options: &Options,
    environment: &Environment,
) -> Result<u8, CommandError> {
    let (mut settings, notice) = MessageSettings::load(&options.settings, environment)?;
    if let Some(notice) = notice {
        complain(&notice);
    }
    add_inboxes(arguments, &mut settings.rules)?;
    let progress = Progress::new(audience(arguments));
    let index = found(arguments, &progress);
    progress.begin(index.entries.len());
    for (what, why) in &index.unreadable {
        progress.say(&format!("{what}: unreadable: {why}"));
    }
    for line in &index.passed_over {
        progress.say(&format!("{line}: {LOOKS_LIKE_A_BEGINNING}"));
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
    preview.messages += index.unreadable.len();
    preview.unreadable += index.unreadable.len();
    preview.passed_over.clone_from(&index.passed_over);
    preview.lost.sort_unstable();
    let text = if arguments.json {
        serde_json::to_string_pretty(&preview).map_or_else(|_| String::new(), |text| text + "\n")
    } else if arguments.quiet {
        String::new()
    } else {
        summary(&preview, &index)
    };
    let status = if preview.unreadable + preview.too_large > 0 { exit::MESSAGE } else { 0 };
    Ok(status_after(&print(text.as_bytes()), status))
}

/// Whoever adds up finds the sums: messages are copies, too large, or unreadable; copies are replies, inbox, unknown, or lost.
fn summary(preview: &Preview, index: &Index) -> String {
    let mut table = Table::default();
    let of = |route: &str| preview.routes.get(route).copied().unwrap_or_default();
    table.row("messages", preview.messages, "");
    table.row("too large", preview.too_large, "exceed max_size");
    table.row("unreadable", preview.unreadable, "could not be read, or are no messages");
    if preview.copies + preview.too_large + preview.unreadable != preview.messages {
        table.row("copies", preview.copies, "one of the others for each recipient");
    }
    table.row("replies", of("reply"), "go to their conversations");
    table.row("inbox", of("inbox"), "go to an inbox, most as new conversations");
    let unknown = "go to the inbox with their address, if there is one: set inboxes";
    table.row_if_any("unknown", of("unknown"), unknown);
    table.row("lost", preview.losses.values().sum::<usize>(), "Chatwoot would not show them");
    for (why, count) in &preview.losses {
        table.row("", count, why);
    }
    table.row_if_any("not selected", index.not_selected, "");
    table.row_if_any("passed over", index.passed_over.len(), PASSED_OVER);
    table.row_if_any("no mail", index.foreign, "what lies among the mail and is none");
    table.row("repairs", preview.repairs.values().sum::<usize>(), "");
    for (name, count) in &preview.repairs {
        table.row("", count, name);
    }
    table.into_text()
}
