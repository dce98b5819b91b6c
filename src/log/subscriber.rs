//! Writes events as lines. tracing-subscriber's own keeps a registry of spans, of which there are none here: its table of threads alone
//! is 32 KiB to be written, and a delivery, which logs one line, would take a twentieth longer.

use std::fmt::{self, Debug, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// Writes each event up to a level as one line, with one write.
pub(super) struct LogLines<W> {
    pub(super) level: Level,
    /// Whether a line begins with time (UTC, RFC 3339) and level.
    pub(super) dated: bool,
    pub(super) writer: W,
}

impl<W> LogLines<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    /// Becomes the log of the whole process; a second one is not an error, the first stays.
    pub(super) fn init_or_ignore(self) {
        let _ = tracing::subscriber::set_global_default(self);
    }

    fn line(&self, event: &Event<'_>) -> Result<String, fmt::Error> {
        let mut line = String::new();
        if self.dated {
            SystemTime.format_time(&mut Writer::new(&mut line))?;
            write!(line, " {:>5} ", event.metadata().level().as_str())?;
        }
        event.record(&mut Text(&mut line));
        line.push('\n');
        Ok(line)
    }
}

impl<W> Subscriber for LogLines<W>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.into())
    }

    fn event(&self, event: &Event<'_>) {
        if let Ok(line) = self.line(event) {
            // What cannot be written is nothing to tell stderr about: getmail would take it for a failure.
            let _ = self.writer.make_writer_for(event.metadata()).write_all(line.as_bytes());
        }
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// What an event says: its message, and the fields that a library may have added.
struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use super::*;

    fn logged(level: Level, dated: bool, log: impl FnOnce()) -> String {
        let file = tempfile::NamedTempFile::new().unwrap();
        let writer = Mutex::new(file.reopen().unwrap());
        tracing::subscriber::with_default(LogLines { level, dated, writer }, log);
        fs::read_to_string(file.path()).unwrap()
    }

    #[test]
    fn an_event_is_a_line_when_its_level_is_wanted() {
        let text = logged(Level::WARN, false, || {
            tracing::error!("a=1 b={}", 2);
            tracing::warn!(from = "a library", "c=3");
            tracing::info!("d=4");
        });
        assert_eq!(text, "a=1 b=2\nc=3 from=\"a library\"\n");
    }

    #[test]
    fn a_dated_line_begins_with_time_and_level() {
        let text = logged(Level::DEBUG, true, || tracing::info!("a=1"));
        let (time, rest) = text.split_at("2026-11-24T01:02:03.123456Z".len());
        assert!(humantime::parse_rfc3339(time).is_ok(), "{text}");
        assert_eq!(rest, "  INFO a=1\n");
    }

    #[test]
    fn a_span_is_nothing_to_log() {
        let text = logged(Level::DEBUG, false, || {
            let span = tracing::info_span!("request", number = 1);
            span.in_scope(|| tracing::info!("a=1"));
        });
        assert_eq!(text, "a=1\n");
    }
}
