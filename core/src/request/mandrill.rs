//! The Mandrill ingress: the message in a JSON list of events in the field `mandrill_events`, signed together with the URL. There is no
//! field for the envelope recipient.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use url::Url;

use super::post::Unsendable;
use super::{Request, Secret, form, json};

const FIELD: &str = "mandrill_events";

/// `ActionMailbox::Ingresses::Mandrill::InboundEmailsController`. The server signs its own idea of the URL: scheme, host and port must be
/// those that it sees.
pub(super) fn request<'a>(url: &'a Url, key: &Secret, message: &str) -> Result<Request<'a>, Unsendable> {
    let events = json::around("[{\"event\":\"inbound\",\"msg\":{\"raw_msg\":\"", message, "\"}}]")?;
    signed(url, key, &events)
}

/// What [`probe`] is answered when the ingress is on, and key and URL are right.
pub(super) const PROBED_WELL: u16 = 200;

/// No events: success, and nothing to store.
pub(super) fn probe<'a>(url: &'a Url, key: &Secret) -> Result<Request<'a>, Unsendable> {
    signed(url, key, b"[]")
}

fn signed<'a>(url: &'a Url, key: &Secret, events: &[u8]) -> Result<Request<'a>, Unsendable> {
    let signature = signature(key, url.as_str(), &[(FIELD, events)]);
    let form = form::multipart(&[(FIELD, events)])?;
    Ok(Request { signature: Some(("X-Mandrill-Signature", signature)), ..form.posted_to(url) })
}

/// Base64 of HMAC-SHA1 over the URL, then name and value of each field, which must be sorted by name.
fn signature(key: &Secret, url: &str, fields: &[(&str, &[u8])]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key.reveal().as_bytes());
    let mut signing = hmac::Context::with_key(&key);
    signing.update(url.as_bytes());
    for (name, value) in fields {
        signing.update(name.as_bytes());
        signing.update(value);
    }
    STANDARD.encode(signing.sign())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Secret {
        Secret::from_line(text).unwrap()
    }

    /// RFC 2202, section 3, test case 2.
    #[test]
    fn the_signature_is_hmac_sha1_in_base64() {
        let jefe = signature(&key("Jefe"), "what do ya want ", &[("for ", b"nothing?")]);
        assert_eq!(hex::encode(STANDARD.decode(jefe).unwrap()), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    }

    #[test]
    fn the_form_holds_one_event_and_the_header_signs_it_with_the_url() {
        let url =
            Url::parse("https://chat.example.com/rails/action_mailbox/mandrill/inbound_emails").unwrap();
        let request = request(&url, &key("hush"), "A: \"b\"\r\n\r\nhello\r\n").unwrap();
        let events = r#"[{"event":"inbound","msg":{"raw_msg":"A: \"b\"\r\n\r\nhello\r\n"}}]"#;
        let boundary = request.content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            String::from_utf8(request.body.to_vec()).unwrap(),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"mandrill_events\"\r\n\r\n{events}\r\n--{boundary}--\r\n"
            )
        );
        let whole = signature(&key("hush"), &format!("{url}mandrill_events{events}"), &[]);
        assert_eq!(request.signature, Some(("X-Mandrill-Signature", whole)));
        assert!(request.basic.is_none());
    }

    #[test]
    fn the_probe_holds_no_event() {
        let url = Url::parse("https://x/").unwrap();
        let body = probe(&url, &key("hush")).unwrap().body;
        assert!(String::from_utf8(body.to_vec()).unwrap().contains("name=\"mandrill_events\"\r\n\r\n[]\r\n"));
    }
}
