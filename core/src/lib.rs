//! What Chatwoot makes of an e-mail message, and what must be repaired before it gets there.
//!
//! Bytes come in and values go out: nothing here reads a file, a socket, the environment or the clock. The same message and envelope
//! always give the same bytes, so that a retry is recognised as one. Repairing twice changes nothing, and no input panics.
//!
//! ```
//! use chatwoot_mail::{Address, Chatwoot, EnabledRepairs, Sender, Unrepaired, predict, repair};
//!
//! // Chatwoot drops this message without a word: its To is no list of addresses.
//! let message = b"From: ann@example.org\r\n\
//!     To: Support (EU <support@example.com>\r\n\
//!     Message-ID: <1@example.org>\r\n\
//!     Content-Type: text/plain\r\n\
//!     \r\n\
//!     Hello\r\n";
//! let support = Address::parse("support@example.com").unwrap();
//! let chatwoot = Chatwoot { inboxes: vec![support.clone()], own_sender: None };
//! assert!(!predict(message, &chatwoot).arrives());
//!
//! let unrepaired = Unrepaired { bytes: message.to_vec(), returns_repaired: false };
//! let repaired = repair(unrepaired, Some(&support), &Sender::Unknown, &EnabledRepairs::default());
//!
//! assert_eq!(repaired.repairs, ["unparsable-to"]);
//! assert_eq!(predict(&repaired.bytes, &chatwoot).to_string(), "inbox support@example.com");
//! ```
//!
//! The names re-exported here are what the crate promises, with the types of their fields and arguments. What else its modules hold is
//! open to the program that it is made for, and may change.

#![warn(missing_docs)]

#[doc(hidden)]
pub mod attempt;
pub mod envelope;
#[doc(hidden)]
pub mod environment;
pub mod explanation;
#[doc(hidden)]
pub mod mbox;
#[doc(hidden)]
pub mod message;
pub mod outcome;
pub mod repair;
pub mod request;
pub mod route;
pub mod rules;
pub mod service;
#[doc(hidden)]
pub mod shown;
pub mod wire_message;

pub use envelope::{Envelope, Sender};
pub use explanation::{Explanation, explain};
pub use message::address::Address;
pub use outcome::{Cause, Disposition};
pub use repair::{EnabledRepairs, REPAIRS, Repaired, Unrepaired, repair};
pub use request::Endpoint;
pub use route::{Chatwoot, Route, predict};
pub use rules::Rules;
pub use service::Service;
pub use wire_message::WireMessage;
