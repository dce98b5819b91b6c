//! Boundaries that are written here.

/// A boundary from a content, or from another boundary: `=_ingress_` and the first 12 bytes of the SHA-256 in hex. The same content has the
/// same boundary, and can hardly name it.
pub fn boundary_from(content: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, content);
    format!("=_ingress_{}", hex::encode(digest.as_ref().get(..12).unwrap_or_default()))
}
