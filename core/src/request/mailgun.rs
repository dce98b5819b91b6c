//! The Mailgun ingress: the message in the field `body-mime`, its envelope recipient in the field `recipient`, signed with the time.

use ring::{digest, hmac};
use url::Url;

use super::form::{self, MultipartForm};
use super::post::Unsendable;
use super::{Request, Secret, json};

/// `ActionMailbox::Ingresses::Mailgun::InboundEmailsController`. `now` is the time in seconds since 1970; the server takes what is at most
/// two minutes old by its own clock, and since CVE-2026-126068 nothing that is more than two minutes ahead of it. A message that is too large
/// for a field of a form goes as JSON, which Rails reads as well and does not limit.
pub(super) fn request<'a>(
    url: &'a Url,
    key: &Secret,
    message: &str,
    recipient: Option<&str>,
    now: u64,
) -> Result<Request<'a>, Unsendable> {
    let signed = Signed::new(key, &token(message), now);
    let mut fields = signed.fields();
    fields.extend(recipient.map(|recipient| ("recipient", recipient)));
    let mut form: Vec<(&str, &[u8])> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    form.push(("body-mime", message.as_bytes()));
    if form::fits(&form) {
        return Ok(form::multipart(&form)?.posted_to(url));
    }
    let small: serde_json::Map<String, serde_json::Value> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let small = serde_json::Value::from(small).to_string();
    let before = format!("{},\"body-mime\":\"", small.strip_suffix('}').unwrap_or(&small));
    Ok(MultipartForm::json(json::around(&before, message, "\"}")?).posted_to(url))
}

/// What [`probe`] is answered when the ingress is on, the key right, and the clocks agree.
pub(super) const PROBED_WELL: u16 = 400;

/// Signed, but no message: missed after the signature was looked at. An answer in JSON is asked for, because Rails gives an application's
/// own `public/400.html` else, and a page could be anybody's.
pub(super) fn probe<'a>(url: &'a Url, key: &Secret, now: u64) -> Result<Request<'a>, Unsendable> {
    let signed = Signed::new(key, &token(""), now);
    let fields = signed.fields();
    let fields: Vec<(&str, &[u8])> = fields.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    Ok(Request { accept: Some("application/json"), ..form::multipart(&fields)?.posted_to(url) })
}

/// Mailgun's own are 50 random characters; what is signed with the time needs to differ from message to message only.
fn token(message: &str) -> String {
    let mut token = hex::encode(digest::digest(&digest::SHA256, message.as_bytes()));
    token.truncate(50);
    token
}

/// What proves that the sender has the key.
struct Signed {
    timestamp: String,
    token: String,
    signature: String,
}

impl Signed {
    fn new(key: &Secret, token: &str, now: u64) -> Self {
        let timestamp = now.to_string();
        Self { signature: signature(key, &timestamp, token), timestamp, token: token.to_owned() }
    }

    fn fields(&self) -> Vec<(&'static str, &str)> {
        vec![("timestamp", &self.timestamp), ("token", &self.token), ("signature", &self.signature)]
    }
}

/// Lower-case hex of HMAC-SHA256 over timestamp and token.
fn signature(key: &Secret, timestamp: &str, token: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes());
    hex::encode(hmac::sign(&key, format!("{timestamp}{token}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Secret {
        Secret::from_line(text).unwrap()
    }

    fn sent(message: &str, recipient: Option<&str>) -> (String, String) {
        let url = Url::parse("https://x/").unwrap();
        let request = request(&url, &key("hush"), message, recipient, 1_700_000_000).unwrap();
        assert!(request.basic.is_none() && request.signature.is_none());
        (request.content_type.into_owned(), String::from_utf8(request.body.to_vec()).unwrap())
    }

    /// RFC 4231, test case 2.
    #[test]
    fn the_signature_is_hmac_sha256_in_hex() {
        let jefe = signature(&key("Jefe"), "what do ya want ", "for nothing?");
        assert_eq!(jefe, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn the_form_is_signed_and_holds_the_message_and_its_recipient() {
        let message = "A: b\r\n\r\nhello\r\n";
        let (kind, body) = sent(message, Some("c@d"));
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let token = &hex::encode(digest::digest(&digest::SHA256, message.as_bytes()))[..50];
        let signature = signature(&key("hush"), "1700000000", token);
        let fields = [
            ("timestamp", "1700000000"),
            ("token", token),
            ("signature", &signature),
            ("recipient", "c@d"),
            ("body-mime", message),
        ];
        let fields = fields.map(|(name, value)| {
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        });
        assert_eq!(body, format!("{}--{boundary}--\r\n", fields.concat()));
        assert!(!sent(message, None).1.contains("recipient"));
    }

    #[test]
    fn what_is_too_large_for_a_form_goes_as_json() {
        let message = "A: b\r\n\r\n".to_owned() + &"x".repeat(form::LARGEST);
        let (kind, body) = sent(&message, Some("\"a}\"@b"));
        assert_eq!(kind, "application/json");
        let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(sent["body-mime"], message);
        assert_eq!(sent["recipient"], "\"a}\"@b");
        assert_eq!(sent["timestamp"], "1700000000");
        assert_eq!(sent["signature"].as_str().unwrap().len(), 64);
        assert_eq!(sent.as_object().unwrap().len(), 5);
    }

    #[test]
    fn the_probe_is_signed_and_holds_no_message() {
        let url = Url::parse("https://x/").unwrap();
        let body = probe(&url, &key("hush"), 1).unwrap().body;
        let text = String::from_utf8(body.to_vec()).unwrap();
        assert!(text.contains("name=\"signature\"") && !text.contains("body-mime"), "{text}");
    }
}
