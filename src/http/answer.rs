//! An HTTP answer as data, for those who want to know more than its status. All of it is foreign text.

/// What a server said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where it redirects to, as written.
    pub(crate) location: Option<String>,
    /// `WWW-Authenticate`: what kind of password it wants.
    pub(crate) challenge: Option<String>,
    pub(crate) media_type: Option<String>,
    /// The beginning of it.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Whether a person is meant to read it.
    pub(crate) fn is_page(&self) -> bool {
        let is_html =
            |media_type: &str| media_type.trim_start().to_ascii_lowercase().starts_with("text/html");
        !self.body.is_empty() && self.media_type.as_deref().is_some_and(is_html)
    }
}
