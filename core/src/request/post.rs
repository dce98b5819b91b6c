//! A POST as data.

use std::borrow::Cow;

use url::Url;

use super::Secret;
use crate::outcome::{Cause, Failure};

/// A POST as data: what a service wants, before any HTTP library sees it.
#[derive(Debug)]
pub struct Request<'a> {
    /// Where it goes.
    pub url: &'a Url,
    /// Basic auth, user and password.
    pub basic: Option<(&'static str, &'a Secret)>,
    /// Name and value of a header field that signs the body.
    pub signature: Option<(&'static str, String)>,
    /// Of the body.
    pub content_type: Cow<'static, str>,
    /// The kind of answer that is asked for, when it matters.
    pub accept: Option<&'static str>,
    /// The message, or the form that holds it.
    pub body: bytes::Bytes,
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsendable {
    /// This is how many bytes the form has; that many the service takes.
    TooLarge {
        bytes: usize,
        limit: usize,
    },
    OutOfMemory,
}

impl From<Unsendable> for Failure {
    fn from(unsendable: Unsendable) -> Self {
        match unsendable {
            Unsendable::TooLarge { bytes, limit } => Self::new(
                Cause::LargerThanServiceTakes,
                format!("the form would have {bytes} bytes, Rack takes {limit}"),
            ),
            Unsendable::OutOfMemory => {
                Self::new(Cause::OutOfMemory, "no memory for the form that holds the message")
            }
        }
    }
}
