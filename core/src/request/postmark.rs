//! The Postmark ingress: the message in `RawEmail` of a JSON object, Basic auth. There is no field for the envelope recipient.

use url::Url;

use super::form::MultipartForm;
use super::post::Unsendable;
use super::{Request, Secret, json, relay};

/// `ActionMailbox::Ingresses::Postmark::InboundEmailsController`. Rails does not limit JSON.
pub(super) fn request<'a>(
    url: &'a Url,
    password: &'a Secret,
    message: &str,
) -> Result<Request<'a>, Unsendable> {
    Ok(authorized(url, password, json::around("{\"RawEmail\":\"", message, "\"}")?))
}

/// What [`probe`] is answered when the ingress is on and the password right.
pub(super) const PROBED_WELL: u16 = 422;

/// No message: missed after the password was looked at.
pub(super) fn probe<'a>(url: &'a Url, password: &'a Secret) -> Request<'a> {
    authorized(url, password, b"{}".to_vec())
}

fn authorized<'a>(url: &'a Url, password: &'a Secret, json: Vec<u8>) -> Request<'a> {
    Request { basic: Some((relay::USER, password)), ..MultipartForm::json(json).posted_to(url) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_a_json_string() {
        let url = Url::parse("https://x/").unwrap();
        let password = Secret::from_line("hush").unwrap();
        let request = request(&url, &password, "A: \"b\"\r\n\r\nhello\r\n").unwrap();
        assert_eq!(request.content_type, "application/json");
        assert_eq!(request.body.as_ref(), br#"{"RawEmail":"A: \"b\"\r\n\r\nhello\r\n"}"#);
        assert_eq!(
            request.basic.map(|(user, password)| (user, password.reveal())),
            Some(("actionmailbox", "hush"))
        );
        assert_eq!(request.signature, None);
    }
}
