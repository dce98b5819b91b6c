//! What the level debug adds: where each setting comes from, what is asked of Chatwoot, and when it answers.

use std::time::Duration;

use tracing::Level;

use super::{Line, write};
use crate::settings::Loaded;
use chatwoot_mail::request::Request;

/// Lines are made only for those who read them.
fn is_wanted() -> bool {
    tracing::event_enabled!(Level::DEBUG)
}

/// The configuration file, each setting with its origin, and the defaults in force. A value could be a misplaced password until it is judged.
pub(crate) fn settings(loaded: &Loaded<'_>) {
    if is_wanted() {
        settings_lines(loaded).iter().for_each(|line| write(Level::DEBUG, line));
    }
}

fn settings_lines(loaded: &Loaded<'_>) -> Vec<Line> {
    let sources = &loaded.sources;
    let mut config = Line::default();
    config.add(
        "config",
        sources.config().map_or_else(|| "-".to_owned(), |config| config.path.display().to_string()),
    );
    let mut lines = vec![config];
    for setting in sources.shown() {
        let mut line = Line::default();
        line.add("setting", setting.key);
        line.add_some("value", loaded.settings.is_ok().then_some(setting.value));
        line.add("origin", setting.origin.with_line());
        lines.push(line);
    }
    if let Some(source) = sources.credential_source() {
        let mut line = Line::default();
        line.add("setting", source.key);
        line.add("origin", source.origin.with_line());
        lines.push(line);
    }
    let defaults: Vec<String> = sources.defaults().map(|(key, value)| format!("{key} {value}")).collect();
    let mut line = Line::default();
    line.add("defaults", defaults.join(", "));
    lines.push(line);
    lines
}

/// A request on its way.
pub(crate) fn request(request: &Request<'_>) {
    if is_wanted() {
        let mut line = Line::default();
        line.add("request", format_args!("POST {}", request.url));
        line.add("size", request.body.len());
        write(Level::DEBUG, &line);
    }
}

/// The status that came back, if any did.
pub(crate) fn answer(status: Option<u16>, after: Duration) {
    if is_wanted() {
        let mut line = Line::default();
        line.add("answer", status.map_or_else(|| "-".to_owned(), |status| status.to_string()));
        line.add("ms", after.as_millis());
        write(Level::DEBUG, &line);
    }
}
