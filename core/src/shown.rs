//! What an agent sees of a message's content: the text that is shown, or that none is, the files, and why the content would lose it. Pure.
//!
//! The rules are those of Chatwoot 4.15 (`MailPresenter`, `MailboxHelper`, `Attachment`), seen through Ruby's mail gem.

use mail_parser::decoders::html::html_to_text;

use crate::message::encoded_word;
use crate::message::header::{self, Header};
use crate::message::mime::content_type::ContentType;
use crate::message::mime::transfer_encoding::TransferEncoding;
use crate::message::mime::{Part, charset, file_type, gem, last};
use crate::message::preamble_length;

/// What is seen of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// As words, those of HTML without its tags; empty when nothing is shown.
    pub text: String,
    /// Whether there are words in the message in a part that is not shown.
    pub hidden_text: bool,
    /// Only the last 15 are kept.
    pub attachments: Vec<Attachment>,
    /// The types of parts that nobody will see: they have no name.
    pub missing: Vec<String>,
    /// Why the content loses the message in any conversation.
    pub lost: Option<ContentLoss>,
}

/// A file that an agent can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    pub name: String,
    pub media_type: String,
    /// Decoded, in bytes.
    pub size: usize,
    /// Whether a website conversation takes it; of one that it does not the whole message is lost.
    pub taken_by_website: bool,
}

/// Why Chatwoot's job fails on the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentLoss {
    TransferEncoding,
    HtmlCharset,
}

/// A part with its header, not made of parts.
struct Leaf<'a> {
    header: Header<'a>,
    body: &'a [u8],
    within: String,
}

impl Shown {
    /// What is seen of these bytes (with CRLF line ends), repaired or not.
    pub fn of(message: &[u8]) -> Self {
        let start = message.get(preamble_length(message)..).unwrap_or_default();
        let (section, body) = start.split_at_checked(header::section_length(start)).unwrap_or((start, &[]));
        let header = Header::parse(section);
        let whole = Part::of_message(&header, body);
        if whole.is_multipart() {
            let mut leaves = Vec::new();
            collect(&whole, body, &mut leaves);
            return Self::of_parts(&leaves);
        }
        let body = body.get(whole.body).unwrap_or_default();
        Self::of_whole(&Leaf { header, body, within: String::new() })
    }

    /// A message without parts is text, or nothing.
    fn of_whole(leaf: &Leaf<'_>) -> Self {
        let kind = leaf.kind();
        let is_text = is_plain_or_html(&kind) && last(&leaf.header, "Content-Type").is_some();
        let is_blank = leaf.body.trim_ascii().is_empty();
        Self {
            text: if is_text { leaf.words() } else { String::new() },
            hidden_text: !is_text && !is_blank && kind.starts_with("text/"),
            missing: if is_text || is_blank || kind.starts_with("text/") { Vec::new() } else { vec![kind] },
            lost: leaf.loss(),
            ..Self::default()
        }
    }

    fn of_parts(leaves: &[Leaf<'_>]) -> Self {
        let texts: Vec<&Leaf<'_>> = leaves.iter().filter(|leaf| leaf.is_text()).collect();
        let first = |kind: &str| texts.iter().find(|leaf| leaf.kind() == kind).map(|leaf| leaf.words());
        let html = first("text/html").filter(|words| !words.trim().is_empty());
        let text = html.or_else(|| first("text/plain")).unwrap_or_default();
        let hidden_text = text.trim().is_empty() && texts.iter().any(|leaf| !leaf.words().trim().is_empty());
        Self {
            text,
            hidden_text,
            attachments: leaves.iter().filter_map(Leaf::attachment).collect(),
            missing: leaves.iter().filter(|leaf| leaf.is_missing()).map(Leaf::kind).collect(),
            lost: leaves.iter().find_map(Leaf::loss),
        }
    }

    /// The names of the files for which a website conversation refuses the whole message.
    pub fn refused_by_website(&self) -> Vec<&str> {
        self.attachments.iter().filter(|file| !file.taken_by_website).map(|file| file.name.as_str()).collect()
    }
}

fn collect<'a>(part: &Part, body: &'a [u8], leaves: &mut Vec<Leaf<'a>>) {
    let within = part.content_type.as_ref().map(|kind| kind.media_type.clone()).unwrap_or_default();
    for child in &part.children {
        if child.children.is_empty() {
            let content = body.get(child.body.clone()).unwrap_or_default();
            leaves.push(Leaf { header: child.fields(body), body: content, within: within.clone() });
        } else {
            collect(child, body, leaves);
        }
    }
}

fn is_plain_or_html(kind: &str) -> bool {
    matches!(kind, "text/plain" | "text/html")
}

/// Parts that are for programs: a report tells the same in its text.
pub(crate) fn is_for_programs(kind: &str, within: &str) -> bool {
    let is_signature = matches!(
        kind,
        "application/pkcs7-signature" | "application/x-pkcs7-signature" | "application/pgp-signature"
    );
    (is_signature && within == "multipart/signed")
        || (kind == "text/rfc822-headers" && within == "multipart/report")
        || matches!(
            kind,
            "message/delivery-status" | "message/disposition-notification" | "application/pgp-encrypted"
        )
}

impl Leaf<'_> {
    /// The type as the mail gem reads it.
    fn kind(&self) -> String {
        last(&self.header, "Content-Type")
            .map_or_else(|| "text/plain".to_owned(), |field| gem::content_type(field.value).kind)
    }

    fn encoding(&self) -> TransferEncoding {
        last(&self.header, "Content-Transfer-Encoding")
            .map_or(TransferEncoding::Identity, |field| TransferEncoding::read(field.trimmed()))
    }

    fn is_text(&self) -> bool {
        let is_typed = last(&self.header, "Content-Type").is_some() || self.header.fields().next().is_none();
        is_typed && is_plain_or_html(&self.kind()) && gem::file_name(&self.header).is_none()
    }

    fn label(&self) -> Option<Vec<u8>> {
        ContentType::of(&self.header).and_then(|kind| kind.charset).map(|charset| charset.value)
    }

    fn words(&self) -> String {
        let text = charset::text(self.label().as_deref(), &self.encoding().decoded(self.body));
        if self.kind() == "text/html" { html_to_text(&text) } else { text }
    }

    fn attachment(&self) -> Option<Attachment> {
        let name = encoded_word::decode(&gem::file_name(&self.header)?);
        let data = self.encoding().decoded(self.body);
        let media_type = self.kind();
        let start = file_type::start(self.encoding(), &data);
        let taken_by_website = file_type::is_taken(&start, &media_type, &name);
        Some(Attachment { name, media_type, size: data.len(), taken_by_website })
    }

    /// Whether somebody might miss a part that nobody sees.
    fn is_missing(&self) -> bool {
        let kind = self.kind();
        gem::file_name(&self.header).is_none()
            && !self.is_text()
            && !kind.starts_with("multipart/")
            && !is_for_programs(&kind, &self.within)
            && !self.body.trim_ascii().is_empty()
    }

    fn loss(&self) -> Option<ContentLoss> {
        if self.encoding() == TransferEncoding::Unknown {
            return Some(ContentLoss::TransferEncoding);
        }
        let is_html = self.kind() == "text/html" && gem::file_name(&self.header).is_none();
        let is_fatal =
            is_html && charset::is_fatal_html(self.label().as_deref(), &self.encoding().decoded(self.body));
        is_fatal.then_some(ContentLoss::HtmlCharset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Shown {
        Shown::of(text.replace('\n', "\r\n").as_bytes())
    }

    #[test]
    fn of_alternatives_the_html_is_shown() {
        let seen = shown(
            "Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n<p>rich &amp; bold</p>\n--b--\n",
        );
        assert_eq!(seen.text.trim(), "rich & bold");
        assert!(!seen.hidden_text && seen.attachments.is_empty() && seen.missing.is_empty());
    }

    #[test]
    fn files_have_names_or_are_missing() {
        let seen = shown(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhi\n--b\nContent-Type: text/calendar; name=a.ics\n\nBEGIN:VCALENDAR\n--b\nContent-Type: application/pdf\n\n%PDF-1.4\n--b--\n",
        );
        assert_eq!(seen.refused_by_website(), ["a.ics"]);
        assert_eq!(seen.missing, ["application/pdf"]);
        assert_eq!(seen.attachments[0].size, 15);
    }

    #[test]
    fn text_that_is_taken_for_a_file_is_not_shown() {
        let seen = shown("Subject: x\n\nhello\n");
        assert_eq!((seen.text.as_str(), seen.hidden_text), ("", true));
        assert_eq!(shown("Content-Type: application/pdf; name=a.pdf\n\n%PDF\n").missing, ["application/pdf"]);
    }

    #[test]
    fn what_ends_chatwoot_s_job_is_known() {
        let html = "Content-Type: text/html\n\n<meta charset=\"iso-8859-1\">a&nbsp;b\n";
        assert_eq!(shown(html).lost, Some(ContentLoss::HtmlCharset));
        assert_eq!(shown("Content-Type: text/html\n\n<p>a&nbsp;b\n").lost, None);
        let odd = "Content-Type: text/plain\nContent-Transfer-Encoding: odd\n\nx\n";
        assert_eq!(shown(odd).lost, Some(ContentLoss::TransferEncoding));
    }
}
