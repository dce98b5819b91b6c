//! The SendGrid ingress: the message in the field `email`, its envelope recipient in the field `envelope`, Basic auth.

use url::Url;

use super::form::{self, MultipartForm};
use super::post::Unsendable;
use super::{Request, Secret, json, relay};

/// `ActionMailbox::Ingresses::Sendgrid::InboundEmailsController`. A message that is too large for a field of a form goes as JSON, which
/// Rails reads as well and does not limit.
pub(super) fn request<'a>(
    url: &'a Url,
    password: &'a Secret,
    message: &str,
    recipient: Option<&str>,
) -> Result<Request<'a>, Unsendable> {
    let envelope = recipient.map(|address| serde_json::json!({ "to": [address] }).to_string());
    let mut fields: Vec<(&str, &[u8])> = vec![("email", message.as_bytes())];
    fields.extend(envelope.as_deref().map(|envelope| ("envelope", envelope.as_bytes())));
    if form::fits(&fields) {
        return Ok(authorized(url, password, form::multipart(&fields)?));
    }
    let envelope = envelope.map(|envelope| format!(",\"envelope\":{}", serde_json::Value::from(envelope)));
    let after = format!("\"{}}}", envelope.unwrap_or_default());
    Ok(authorized(url, password, MultipartForm::json(json::around("{\"email\":\"", message, &after)?)))
}

/// What [`probe`] is answered when the ingress is on and the password right.
pub(super) const PROBED_WELL: u16 = 422;

/// An envelope that cannot be read: refused after the password was looked at, and before anything is stored.
pub(super) fn probe<'a>(url: &'a Url, password: &'a Secret) -> Request<'a> {
    authorized(url, password, MultipartForm::json(b"{\"email\":\"probe\",\"envelope\":\"{\"}".to_vec()))
}

fn authorized<'a>(url: &'a Url, password: &'a Secret, form: MultipartForm) -> Request<'a> {
    Request { basic: Some((relay::USER, password)), ..form.posted_to(url) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(message: &str, recipient: Option<&str>) -> (String, String) {
        let url = Url::parse("https://x/").unwrap();
        let password = Secret::from_line("hush").unwrap();
        let request = request(&url, &password, message, recipient).unwrap();
        let (user, password) = request.basic.unwrap();
        assert_eq!((user, password.reveal()), ("actionmailbox", "hush"));
        assert_eq!(request.signature, None);
        (request.content_type.into_owned(), String::from_utf8(request.body.to_vec()).unwrap())
    }

    #[test]
    fn the_message_and_its_recipient_are_fields_of_a_form() {
        let (kind, body) = sent("A: b\r\n\r\nhello\r\n", Some("\"a b\"@c"));
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            body,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nA: b\r\n\r\nhello\r\n\r\n\
                 --{boundary}\r\nContent-Disposition: form-data; name=\"envelope\"\r\n\r\n{{\"to\":[\"\\\"a b\\\"@c\"]}}\r\n\
                 --{boundary}--\r\n"
            )
        );
        assert!(!sent("A: b\r\n", None).1.contains("envelope"));
    }

    #[test]
    fn what_is_too_large_for_a_form_goes_as_json() {
        let message = "A: b\r\n\r\n".to_owned() + &"x".repeat(form::LARGEST);
        let (kind, body) = sent(&message, Some("a@b"));
        assert_eq!(kind, "application/json");
        let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(sent["email"], message);
        assert_eq!(sent["envelope"], "{\"to\":[\"a@b\"]}");
        assert_eq!(sent.as_object().unwrap().len(), 2);
    }
}
