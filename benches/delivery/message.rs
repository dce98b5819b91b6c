//! The messages that are delivered: the same bytes in every run, on every machine, and healthy, so that nothing is repaired.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The envelope recipient; it stands in every message's `To`.
pub(crate) const RECIPIENT: &str = "support@desk.example";

/// Bytes of an attachment before base64, which makes 5 MB of them.
const ATTACHMENT: usize = 3_700_000;

/// A message as a mail server hands it over: lines end in LF.
pub(crate) struct Message {
    /// What the tables call it, which is its size.
    pub(crate) name: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// How many rounds are run to measure it.
    pub(crate) rounds: usize,
}

impl Message {
    /// The length that arrives when every line end was made CRLF and nothing else was changed.
    pub(crate) fn length_with_crlf(&self) -> usize {
        self.bytes.len() + memchr::memchr_iter(b'\n', &self.bytes).count()
    }
}

/// The four sizes that are measured, smallest first.
pub(crate) fn sizes() -> [Message; 4] {
    [
        Message { name: "2 kB", bytes: plain(2_000), rounds: 101 },
        Message { name: "100 kB", bytes: alternative(100_000), rounds: 51 },
        Message { name: "5 MB", bytes: mixed(1), rounds: 21 },
        Message { name: "25 MB", bytes: mixed(5), rounds: 11 },
    ]
}

fn plain(size: usize) -> Vec<u8> {
    let mut message = header("text/plain; charset=us-ascii");
    fill(&mut message, size, "The invoice that came this morning names another amount than the offer did.\n");
    message.into_bytes()
}

fn alternative(size: usize) -> Vec<u8> {
    let mut message = header("multipart/alternative; boundary=\"=_alternative\"");
    message.push_str("--=_alternative\nContent-Type: text/plain; charset=us-ascii\n\n");
    fill(&mut message, size / 4, "The invoice that came this morning names another amount.\n");
    message.push_str("\n--=_alternative\nContent-Type: text/html; charset=us-ascii\n\n<html><body>\n");
    fill(&mut message, size, "<p style=\"margin:0\">The <b>invoice</b> names another amount.</p>\n");
    message.push_str("</body></html>\n\n--=_alternative--\n");
    message.into_bytes()
}

fn mixed(attachments: usize) -> Vec<u8> {
    let mut message = header("multipart/mixed; boundary=\"=_mixed\"");
    message.push_str("--=_mixed\nContent-Type: text/plain; charset=us-ascii\n\nThe scans are attached.\n");
    for number in 1..=attachments {
        let _ = write!(
            message,
            "\n--=_mixed\nContent-Type: application/pdf; name=\"scan-{number}.pdf\"\n\
             Content-Disposition: attachment; filename=\"scan-{number}.pdf\"\n\
             Content-Transfer-Encoding: base64\n\n"
        );
        attach(&mut message, number as u64);
    }
    message.push_str("\n--=_mixed--\n");
    message.into_bytes()
}

/// A header section as it reaches the delivery agent, with its empty line.
fn header(content_type: &str) -> String {
    format!(
        "Return-Path: <ann@customer.example>\n\
         Delivered-To: {RECIPIENT}\n\
         Received: from mail.customer.example (mail.customer.example [192.0.2.25])\n\
         \tby mx.desk.example (Postfix) with ESMTPS id 4Q8Zb31xJ2z1Y7\n\
         \tfor <{RECIPIENT}>; Tue,  4 Mar 2025 09:12:31 +0000 (UTC)\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customer.example; s=mail;\n\
         \th=from:to:subject:date:message-id; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\n\
         \tb=dGhlIHNpZ25hdHVyZSBvZiBhIG1lc3NhZ2UgdGhhdCB3YXMgbmV2ZXIgc2VudA==\n\
         From: Ann Smith <ann@customer.example>\n\
         To: Support <{RECIPIENT}>\n\
         Subject: Invoice 2025-0304\n\
         Date: Tue, 4 Mar 2025 10:12:29 +0100\n\
         Message-ID: <20250304101229.4711@customer.example>\n\
         MIME-Version: 1.0\n\
         Content-Type: {content_type}\n\n"
    )
}

fn fill(message: &mut String, size: usize, line: &str) {
    while message.len() + line.len() <= size {
        message.push_str(line);
    }
}

/// Base64 in lines of 76, of bytes that look random and are the same everywhere (xorshift64).
fn attach(message: &mut String, seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut bytes = Vec::with_capacity(ATTACHMENT + 8);
    while bytes.len() < ATTACHMENT {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    for line in bytes.chunks(57) {
        STANDARD.encode_string(line, message);
        message.push('\n');
    }
}
