//! Temporary.
pub(crate) fn encode(text: &str) -> String {
    format!(
        "=?utf-8?q?{}?=",
        text.bytes()
            .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("={b:02X}") })
            .collect::<String>()
    )
}
