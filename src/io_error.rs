//! What the system says of an I/O error, as prose.

/// An I/O error as prose: `permission denied`, without the number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    text.to_lowercase()
}
