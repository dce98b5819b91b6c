//! Forms as `multipart/form-data` (RFC 7578), the form that Rack takes the largest fields in. Fields have no file name: with one, Rails
//! makes a temporary file of the field, and the ingresses want text.

use std::borrow::Cow;

use url::Url;

use super::Request;
use super::post::Unsendable;

/// How much text Rack takes in the fields of one form (`BUFFERED_UPLOAD_BYTESIZE_LIMIT` of its `multipart/parser.rb`, since 2.2.20 and
/// 3.2.3); of a form in `application/x-www-form-urlencoded` a quarter of it (`BYTESIZE_LIMIT` of its `query_parser.rb`).
pub(super) const LARGEST: usize = 16 << 20;

/// An empty vector with room for `length` bytes.
pub(super) fn reserved(length: usize) -> Result<Vec<u8>, Unsendable> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| Unsendable::OutOfMemory)?;
    Ok(bytes)
}

/// Fields as they go over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MultipartForm {
    pub(super) content_type: Cow<'static, str>,
    pub(super) body: Vec<u8>,
}

impl MultipartForm {
    /// Fields that are written as a JSON object already.
    pub(super) fn json(body: Vec<u8>) -> Self {
        Self { content_type: "application/json".into(), body }
    }

    /// The POST of it, without any proof of identity but what stands in the form.
    pub(super) fn posted_to(self, url: &Url) -> Request<'_> {
        Request {
            url,
            basic: None,
            signature: None,
            content_type: self.content_type,
            accept: None,
            body: self.body.into(),
        }
    }
}

/// Whether Rack takes these fields in one form.
pub(super) fn fits(fields: &[(&str, &[u8])]) -> bool {
    length(fields) <= LARGEST
}

/// How long the form with these fields is.
fn length(fields: &[(&str, &[u8])]) -> usize {
    let frames = fields.iter().map(|(name, value)| FRAME + BOUNDARY + name.len() + value.len());
    frames.sum::<usize>() + BOUNDARY + "----\r\n".len()
}

/// What stands around a field, beside its name and the boundary.
const FRAME: usize = "--\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n\r\n".len();
/// The length of a boundary.
const BOUNDARY: usize = "ingress-".len() + 32;

/// Writes the fields in their order. The boundary is derived from the values, so that none of them can hold it.
///
/// # Errors
///
/// When Rack would not take them, or memory cannot be had.
pub(super) fn multipart(fields: &[(&str, &[u8])]) -> Result<MultipartForm, Unsendable> {
    if !fits(fields) {
        return Err(Unsendable::TooLarge { bytes: length(fields), limit: LARGEST });
    }
    let boundary = boundary(fields);
    let mut body = reserved(length(fields))?;
    for (name, value) in fields {
        let head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n");
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(MultipartForm { content_type: format!("multipart/form-data; boundary={boundary}").into(), body })
}

fn boundary(fields: &[(&str, &[u8])]) -> String {
    let mut digest = ring::digest::Context::new(&ring::digest::SHA256);
    for (_, value) in fields {
        digest.update(value);
    }
    format!("ingress-{}", hex::encode(digest.finish().as_ref().get(..16).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_between_boundaries_byte_for_byte() {
        let form = multipart(&[("a", b"1\r\n"), ("b-c", b"\r2\0")]).unwrap();
        // SHA-256 of "1\r\n\r2\0".
        let boundary = "ingress-5fa52d3545fe59630d817e0c702f942f";
        assert_eq!(form.content_type, format!("multipart/form-data; boundary={boundary}"));
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"b-c\"\r\n\r\n\r2\0\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(form.body).unwrap(), expected);
    }

    #[test]
    fn the_length_is_known_beforehand() {
        let fields: [(&str, &[u8]); 2] = [("name", &[b'x'; 1000]), ("other", b"")];
        assert_eq!(multipart(&fields).unwrap().body.len(), length(&fields));
    }
}
