//! Repairs of dates.

use mail_parser::DateTime;

use super::draft::Draft;
use super::{Repair, Step, originals};
use crate::route::{is_too_long_a_date, without_comments};

/// Ruby parses no date of more than 128 characters, and the mail gem raises (F11).
pub(super) const LONG_DATE: Repair = Repair {
    name: "long-date",
    summary: "writes a Date or Resent-Date of more than 128 characters anew; one that is no date is set aside",
    step: Step::Header(long_date),
};

fn long_date(draft: &mut Draft<'_>) -> bool {
    let mut changed = false;
    for name in ["Date", "Resent-Date"] {
        let long = |header: &crate::message::header::Header<'_>| {
            let found = header.named(name).find(|field| is_too_long_a_date(field.value));
            found.map(|field| (field.at, canonical(field.value)))
        };
        while let Some((at, date)) = long(&draft.header) {
            changed = true;
            match date {
                Some(date) => originals::replaced(&mut draft.header, at, name, date.as_bytes()),
                None => originals::preserve(&mut draft.header, at, name),
            }
        }
    }
    changed
}

/// The date at the start of a value, as RFC 5322 writes it.
fn canonical(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&without_comments(value)).into_owned();
    let start = text.split_whitespace().take(6).collect::<Vec<_>>().join(" ");
    DateTime::parse_rfc822(&start).filter(DateTime::is_valid).map(|date| date.to_rfc822())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Sender;

    fn repaired(section: &str) -> Option<String> {
        let section = format!("{section}\r\n");
        let mut draft = Draft::new(section.as_bytes(), None, &Sender::Unknown);
        long_date(&mut draft).then(|| String::from_utf8(draft.header.to_bytes()).unwrap())
    }

    #[test]
    fn a_long_date_is_written_anew_and_kept() {
        for between in [" ".to_owned(), "\t".repeat(140)] {
            let date = format!("Date: Tue, 3 Nov 2026{between}09:12:44 +0100 {}", "remark ".repeat(20));
            assert!(
                repaired(&date)
                    .unwrap()
                    .starts_with("Date: Tue, 3 Nov 2026 09:12:44 +0100\r\nX-Ingress-Original-Date: Tue")
            );
        }
    }

    #[test]
    fn what_is_no_date_is_set_aside() {
        let section = repaired(&format!("Resent-Date: {}", "0".repeat(190))).unwrap();
        assert!(section.starts_with("X-Ingress-Original-Resent-Date: 000"));
    }

    #[test]
    fn closed_comments_and_runs_of_spaces_do_not_count() {
        let date = "Date: Tue, 3 Nov 2026 09:12:44 +0100";
        assert_eq!(repaired(&format!("{date} ({})", "x".repeat(200))), None);
        assert_eq!(repaired(&format!("{date}{}", " ".repeat(200))), None);
        assert!(repaired(&format!("{date} ({}", "x".repeat(200))).is_some());
    }
}
