//! Repairs of what a message contains: types, charsets and encodings without which Chatwoot shows nothing, loses a file, or raises.

pub(super) mod attached_message;
pub(super) mod boundary;
pub(super) mod charset;
pub(super) mod content_type;
pub(super) mod file_name;
mod leaf;
pub(super) mod lone_attachment;
pub(super) mod named_text;
pub(super) mod nameless;
pub(super) mod picture;
pub(super) mod scattered_text;
pub(super) mod transfer_encoding;
pub(super) mod website;
mod zip;
