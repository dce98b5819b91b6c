//! What Chatwoot makes of an e-mail message, and what must be repaired before it gets there.

pub mod envelope;
pub mod environment;
pub mod explanation;
pub mod mbox;
pub mod message;
pub mod outcome;
pub mod repair;
pub mod request;
pub mod route;
pub mod rules;
pub mod service;
pub mod shown;
pub mod wire_message;
