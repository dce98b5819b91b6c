//! What a mistyped word may have been meant to be.

/// `: did you mean check?`, or nothing when no candidate is like the word.
pub(crate) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    /// Jaro's similarity, from 0 to 1. At clap's 0.7 any repair is like any other.
    const ALIKE: f64 = 0.8;
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, candidate)| format!(": did you mean {candidate}?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_alike_is_named() {
        assert_eq!(did_you_mean("chek", ["check", "trace", "explain"]), ": did you mean check?");
        assert_eq!(did_you_mean("pasword", ["password_file", "password"]), ": did you mean password?");
        assert_eq!(did_you_mean("frobnicate", ["check", "trace"]), "");
    }
}
