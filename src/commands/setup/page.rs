//! A caller's page with its files in it.

use super::caller::Caller;
use super::fill::fill;
use super::values::Values;

/// A caller's configuration for one installation.
#[derive(Debug)]
pub(crate) struct FilledIn {
    /// The page, each file as a fenced block below the heading that names it.
    pub(crate) page: String,
    /// The page without the files, and the files: name and content.
    pub(crate) files: Vec<(&'static str, String)>,
}

/// Fills in the page and the files of a caller.
pub(crate) fn filled_in(caller: &Caller, values: &Values) -> FilledIn {
    let bare = fill(caller.page, values);
    let mut files: Vec<(&'static str, String)> =
        caller.files.iter().map(|file| (file.name, fill(file.text, values))).collect();
    let mut page = String::new();
    for line in bare.split_inclusive('\n') {
        page.push_str(line);
        let named = line.strip_prefix("### `").and_then(|rest| rest.split('`').next());
        if let Some((_, text)) = files.iter().find(|(name, _)| Some(*name) == named) {
            page.push_str("\n```\n");
            page.push_str(text);
            page.push_str("```\n");
        }
    }
    files.push(("README.md", bare));
    FilledIn { page, files }
}
