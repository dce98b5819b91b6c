//! The requests of Action Mailbox's five ingresses as data.

mod endpoint;
mod form;
mod json;
mod mailgun;
mod mandrill;
mod post;
mod postmark;
mod relay;
mod secret;
mod sendgrid;

pub use endpoint::{Endpoint, Probe};
pub use post::Request;
pub use secret::Secret;
