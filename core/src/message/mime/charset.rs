//! Charset labels as Ruby knows them, and what the bytes themselves prove.

/// The label under which the bytes of a text are readable, when the one it has (or its lack of one) makes Chatwoot lose characters.
///
/// Nothing when the label is good, or when there is nothing but ASCII to lose: the mail gem reads ASCII under any label.
pub fn mended(label: Option<&[u8]>, bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_ascii() {
        return None;
    }
    let label =
        label.map(|label| String::from_utf8_lossy(label).trim().to_ascii_lowercase()).unwrap_or_default();
    match label.as_str() {
        "utf-8" | "utf8" => (!is_mostly_utf8(bytes)).then_some(WESTERN),
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "646" => Some(proven(bytes)),
        label if is_known(label) => None,
        label => Some(alias(label).unwrap_or_else(|| proven(bytes))),
    }
}

/// Windows' superset of Latin-1: of the many 8-bit charsets the likeliest, and every byte but five is a character.
const WESTERN: &str = "windows-1252";

fn proven(bytes: &[u8]) -> &'static str {
    if std::str::from_utf8(bytes).is_ok() { "utf-8" } else { WESTERN }
}

/// Whether the text is UTF-8, a few broken characters aside: a cut or a stray byte does not make it Windows-1252.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    bad == 0 || good > bad
}

/// Labels that Ruby does not know for charsets that it knows by another name.
fn alias(label: &str) -> Option<&'static str> {
    let known = match label {
        "latin1" | "latin-1" | "iso-latin-1" | "l1" | "win-1252" | "cp-1252" | "ansi" | "x-ansi"
        | "windows1252" => WESTERN,
        "win-1250" | "cp-1250" => "windows-1250",
        "win-1251" | "cp-1251" => "windows-1251",
        "koi8-ru" => "koi8-u",
        "x-sjis" | "ms932" | "ms_kanji" | "windows-932" => "windows-31j",
        "x-euc-jp" => "euc-jp",
        "x-gbk" | "windows-936" | "ms936" | "x-cp936" => "gbk",
        "x-big5" | "x-x-big5" => "big5",
        "x-mac-roman" | "mac" => "macroman",
        "ks_c_5601" | "ksc5601" | "x-windows-949" | "windows-949" => "cp949",
        _ => return None,
    };
    Some(known)
}

/// Whether Ruby decodes text under this label, in lower case (`Encoding.name_list`, and `Ruby19.pick_encoding` of the mail gem).
fn is_known(label: &str) -> bool {
    const FAMILIES: [&str; 9] = [
        "iso-8859-",
        "iso8859-",
        "iso_8859-",
        "windows-125",
        "windows1",
        "cp125",
        "cp8",
        "ibm8",
        "iso-2022-jp",
    ];
    const NAMES: [&str; 33] = [
        "big5",
        "big5-hkscs",
        "cp437",
        "cp737",
        "cp775",
        "cp874",
        "cp932",
        "cp936",
        "cp949",
        "cp950",
        "cp951",
        "euc-jp",
        "euc-kr",
        "euc-tw",
        "eucjp",
        "euckr",
        "gb18030",
        "gb2312",
        "gbk",
        "koi8-r",
        "koi8-u",
        "ks_c_5601-1987",
        "latin2",
        "macintosh",
        "macroman",
        "shift-jis",
        "shift_jis",
        "sjis",
        "tis-620",
        "utf-16",
        "utf-16le",
        "windows-31j",
        "windows-874",
    ];
    let number_in_range = label != "iso-8859-12" && label != "iso8859-12";
    (FAMILIES.iter().any(|family| label.starts_with(family)) && number_in_range) || NAMES.contains(&label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTF8: &[u8] = "grüße".as_bytes();
    const LATIN1: &[u8] = b"gr\xfc\xdfe";

    #[test]
    fn text_without_a_label_gets_the_one_its_bytes_prove() {
        assert_eq!(mended(None, UTF8), Some("utf-8"));
        assert_eq!(mended(None, LATIN1), Some("windows-1252"));
        assert_eq!(mended(None, b"plain"), None);
    }

    #[test]
    fn a_label_that_the_bytes_disprove_is_replaced() {
        assert_eq!(mended(Some(b"utf-8"), LATIN1), Some("windows-1252"));
        assert_eq!(mended(Some(b"us-ascii"), UTF8), Some("utf-8"));
        assert_eq!(mended(Some(b"US-ASCII"), LATIN1), Some("windows-1252"));
        assert_eq!(mended(Some(b"x-unknown"), UTF8), Some("utf-8"));
        assert_eq!(mended(Some(b"x-sjis"), b"\x82\xa0"), Some("windows-31j"));
    }

    #[test]
    fn good_labels_stay() {
        for label in [
            "utf-8",
            "UTF8",
            "iso-8859-1",
            "Windows-1252",
            "gb2312",
            "iso-2022-jp",
            "ks_c_5601-1987",
            "cp850",
            "koi8-r",
            "iso-8859-8-i",
        ] {
            assert_eq!(mended(Some(label.as_bytes()), UTF8), None, "{label}");
        }
        assert_eq!(mended(Some(b"utf-8"), b"gr\xc3\xbc\xc3\x9fe, cut: \xc3"), None);
    }
}
