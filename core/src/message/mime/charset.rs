//! Charset labels as Ruby knows them, and what the bytes themselves prove.

use mail_parser::decoders::charsets::map::charset_decoder;

/// The label under which the bytes of a text are readable, when the one it has (or its lack of one) makes Chatwoot lose characters.
///
/// Nothing when the label is good, or when there is nothing but ASCII to lose: the mail gem reads ASCII under any label.
pub fn corrected(label: Option<&[u8]>, bytes: &[u8]) -> Option<&'static str> {
    if bytes.is_ascii() {
        return None;
    }
    let label = normal(label.unwrap_or_default());
    match label.as_str() {
        "utf-8" | "utf8" => (!is_mostly_utf8(bytes)).then_some(WESTERN),
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" | "646" => Some(proven(bytes)),
        seven_bit if is_seven_bit(seven_bit) => Some(eight_bit(seven_bit, bytes)),
        label if is_known(label) => is_utf8_beyond_doubt(label, bytes).then_some("utf-8"),
        label => Some(alias(label).unwrap_or_else(|| proven(bytes))),
    }
}

/// The same for HTML, which may name its charset itself: where Content-Type names none that the mail gem knows, Chatwoot's reader
/// follows that, and one that is not UTF-8 ends its job as soon as there is an entity or an 8-bit character (F12).
pub fn corrected_html(label: Option<&[u8]>, bytes: &[u8]) -> Option<String> {
    let said = normal(label.unwrap_or_default());
    let is_good = is_good(&said);
    let is_asked = !is_good || corrected(label, bytes) == Some(WESTERN);
    let Some(inner) = is_asked.then(|| named_within(bytes)).flatten() else {
        let unknown = !is_good && !said.is_empty() && bytes.is_ascii();
        return corrected(label, bytes).or(unknown.then_some("utf-8")).map(str::to_owned);
    };
    let usable = if is_known(&inner) { Some(inner.clone()) } else { alias(&inner).map(str::to_owned) };
    match usable {
        _ if std::str::from_utf8(bytes).is_ok() => {
            let is_harmless =
                said.is_empty() && bytes.is_ascii() && ["utf-8", "utf8"].contains(&inner.as_str());
            (!is_harmless).then(|| "utf-8".to_owned())
        }
        Some(label) => Some(label),
        None => corrected(label, bytes).map(str::to_owned),
    }
}

/// Whether HTML under this label ends Chatwoot's job (F12).
pub fn is_fatal_html(label: Option<&[u8]>, bytes: &[u8]) -> bool {
    let said = normal(label.unwrap_or_default());
    let is_good = is_good(&said);
    let names_another = || {
        named_within(bytes).is_some_and(|inner| {
            let is_unknown = !is_known(&inner) && alias(&inner).is_none();
            !["utf-8", "utf8"].contains(&inner.as_str())
                && (is_unknown || bytes.contains(&b'&') || !bytes.is_ascii())
        })
    };
    !is_good && (!said.is_empty() || names_another())
}

/// The charset that HTML names in a meta element near its beginning.
fn named_within(html: &[u8]) -> Option<String> {
    const NEAR: usize = 65_536;
    let start = html.get(..html.len().min(NEAR))?.to_ascii_lowercase();
    let meta = memchr::memmem::find(&start, b"<meta")?;
    let after = start.get(meta..)?;
    let charset = after.get(memchr::memmem::find(after, b"charset")? + "charset".len()..)?;
    let value = charset.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or(value.strip_prefix(b"'")).unwrap_or(value);
    let length = value.iter().position(|byte| !is_label_byte(*byte)).unwrap_or(value.len());
    let label = normal(value.get(..length)?);
    (!label.is_empty()).then_some(label)
}

fn is_label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte)
}

/// A label in lower case, without blanks and quotes around it.
fn normal(label: &[u8]) -> String {
    String::from_utf8_lossy(label).trim().trim_matches(['"', '\'']).to_ascii_lowercase()
}

/// Whether the mail gem decodes text under this label.
fn is_good(label: &str) -> bool {
    is_known(label) || is_seven_bit(label) || ["utf-8", "utf8", "us-ascii", "ascii"].contains(&label)
}

/// Charsets that have no byte above 127.
fn is_seven_bit(label: &str) -> bool {
    label.starts_with("iso-2022-")
        || label.starts_with("csiso2022")
        || matches!(label, "hz-gb-2312" | "utf-7")
}

/// What 8-bit text is that says it is 7-bit: UTF-8, else the 8-bit charset of the same language that it is valid in.
fn eight_bit(label: &str, bytes: &[u8]) -> &'static str {
    let candidates: &[&str] = match label {
        _ if label.contains("jp") => &["windows-31j", "euc-jp"],
        _ if label.contains("kr") => &["cp949"],
        _ if label.contains("cn") || label.contains("gb") => &["gb18030"],
        _ => &[],
    };
    let is_valid = |label: &str| {
        charset_decoder(decoded_as(label)).is_some_and(|decode| !decode(bytes).contains('\u{fffd}'))
    };
    if std::str::from_utf8(bytes).is_ok() {
        return "utf-8";
    }
    candidates.iter().copied().find(|label| is_valid(label)).unwrap_or(WESTERN)
}

/// The text that bytes are under a label: where there is none, or none that is known, UTF-8 when they are that, else Windows-1252.
pub fn text(label: Option<&[u8]>, bytes: &[u8]) -> String {
    let label = normal(label.unwrap_or_default());
    if label == "utf-8" || label == "utf8" {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() && !is_seven_bit(&label) => text.to_owned(),
        read => match (charset_decoder(decoded_as(&label)), read) {
            (Some(decode), _) if label != "us-ascii" => decode(bytes),
            (_, Ok(text)) => text.to_owned(),
            _ => charset_decoder(WESTERN.as_bytes()).map_or_else(String::new, |decode| decode(bytes)),
        },
    }
}

/// A name that the decoder knows for a label of Ruby's.
fn decoded_as(label: &str) -> &[u8] {
    match label {
        "windows-31j" => b"shift_jis",
        "cp949" => b"euc-kr",
        label => label.as_bytes(),
    }
}

/// Whether text under another label is UTF-8 from end to end, with more characters beyond ASCII than chance makes of that charset.
fn is_utf8_beyond_doubt(label: &str, bytes: &[u8]) -> bool {
    let enough = if is_single_byte(label) { 4 } else { 8 };
    let beyond_ascii = |text: &str| text.chars().filter(|c| !c.is_ascii()).take(enough).count();
    !label.starts_with("utf") && std::str::from_utf8(bytes).is_ok_and(|text| beyond_ascii(text) == enough)
}

fn is_single_byte(label: &str) -> bool {
    const FAMILIES: [&str; 10] = [
        "iso-8859-",
        "iso8859-",
        "iso_8859-",
        "windows-125",
        "windows1",
        "cp125",
        "koi8",
        "latin",
        "mac",
        "cp8",
    ];
    FAMILIES.iter().any(|family| label.starts_with(family))
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

/// The name by which Ruby knows the charset of a label that it does not know.
fn alias(label: &str) -> Option<&'static str> {
    const KNOWN: [&str; 28] = [
        "windows-1250",
        "windows-1251",
        "windows-1252",
        "windows-1253",
        "windows-1254",
        "windows-1255",
        "windows-1256",
        "windows-1257",
        "windows-1258",
        "windows-874",
        "koi8-r",
        "koi8-u",
        "iso-8859-1",
        "iso-8859-2",
        "iso-8859-5",
        "iso-8859-7",
        "iso-8859-8",
        "iso-8859-9",
        "iso-8859-15",
        "iso-2022-jp",
        "utf-8",
        "euc-jp",
        "euc-kr",
        "shift_jis",
        "gb2312",
        "gb18030",
        "gbk",
        "big5",
    ];
    let bare = |label: &str| -> String { label.chars().filter(char::is_ascii_alphanumeric).collect() };
    let plain = bare(label);
    let plain = plain.strip_prefix('x').unwrap_or(&plain);
    let plain = plain.strip_prefix("cs").unwrap_or(plain);
    let code_page = ["windows", "win", "cp", "ms"].iter().find_map(|prefix| plain.strip_prefix(prefix));
    let known = match plain {
        "latin1" | "isolatin1" | "l1" | "ansi" | "iso885911" => WESTERN,
        "latin2" | "isolatin2" | "l2" => "iso-8859-2",
        "latin9" => "iso-8859-15",
        "koi8ru" => "koi8-u",
        "koi8" | "koi" => "koi8-r",
        "sjis" | "mskanji" | "shiftjis" => "windows-31j",
        "macroman" | "mac" => "macroman",
        "ksc5601" | "ksc56011987" => "cp949",
        "chinese" | "gb231280" => "gbk",
        "utf8mb4" | "unicode11utf8" | "unicode20utf8" => "utf-8",
        _ => match code_page {
            Some("932") => "windows-31j",
            Some("936") => "gbk",
            Some("949") => "cp949",
            Some("950") => "big5",
            Some(number) => KNOWN.iter().find(|known| known.strip_prefix("windows-") == Some(number))?,
            None => KNOWN.iter().find(|known| bare(known) == plain)?,
        },
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
        assert_eq!(corrected(None, UTF8), Some("utf-8"));
        assert_eq!(corrected(None, LATIN1), Some("windows-1252"));
        assert_eq!(corrected(None, b"plain"), None);
    }

    #[test]
    fn a_label_that_the_bytes_disprove_is_replaced() {
        assert_eq!(corrected(Some(b"utf-8"), LATIN1), Some("windows-1252"));
        assert_eq!(corrected(Some(b"us-ascii"), UTF8), Some("utf-8"));
        assert_eq!(corrected(Some(b"US-ASCII"), LATIN1), Some("windows-1252"));
        assert_eq!(corrected(Some(b"x-unknown"), UTF8), Some("utf-8"));
        assert_eq!(corrected(Some(b"x-sjis"), b"\x82\xa0"), Some("windows-31j"));
    }

    #[test]
    fn good_labels_stay() {
        for label in [
            "utf-8",
            "UTF8",
            "iso-8859-1",
            "Windows-1252",
            "gb2312",
            "ks_c_5601-1987",
            "cp850",
            "koi8-r",
            "iso-8859-8-i",
        ] {
            assert_eq!(corrected(Some(label.as_bytes()), UTF8), None, "{label}");
        }
        assert_eq!(corrected(Some(b"utf-8"), b"gr\xc3\xbc\xc3\x9fe, cut: \xc3"), None);
        let genuine = b"\xc7\xe4\xf0\xe0\xe2\xf1\xf2\xe2\xf3\xe9\xf2\xe5, \xea\xee\xe3\xe4\xe0";
        assert_eq!(corrected(Some(b"windows-1251"), genuine), None);
    }

    #[test]
    fn a_label_of_seven_bits_does_not_stand_over_eight() {
        assert_eq!(corrected(Some(b"iso-2022-jp"), "請求書".as_bytes()), Some("utf-8"));
        assert_eq!(corrected(Some(b"ISO-2022-JP"), b"\x8c\xa9\x90\xcf\x8f\x91"), Some("windows-31j"));
        assert_eq!(corrected(Some(b"iso-2022-kr"), b"\xc1\xd6\xb9\xae"), Some("cp949"));
        assert_eq!(corrected(Some(b"iso-2022-jp"), b"\x1b$B0l\x1b(B"), None);
    }

    #[test]
    fn long_utf_8_is_utf_8_under_any_label() {
        for label in ["windows-1251", "iso-8859-1", "gb2312", "koi8-r", "shift_jis"] {
            assert_eq!(
                corrected(Some(label.as_bytes()), "请问我的包裹什么时候到".as_bytes()),
                Some("utf-8"),
                "{label}"
            );
        }
    }

    #[test]
    fn other_names_of_a_charset_are_known() {
        for (label, expected) in [
            ("koi8_r", "koi8-r"),
            ("cp-1251", "windows-1251"),
            ("x-cp1251", "windows-1251"),
            ("Win-1250", "windows-1250"),
            ("x-euc-kr", "euc-kr"),
            ("csISO2022", "windows-1252"),
            ("iso88592", "iso-8859-2"),
            ("windows_1252", "windows-1252"),
        ] {
            assert_eq!(corrected(Some(label.as_bytes()), b"\xc7\xe4"), Some(expected), "{label}");
        }
    }

    #[test]
    fn html_may_name_its_charset_itself() {
        let html = |charset: &str, text: &[u8]| {
            [
                format!(
                    "<html><head><meta http-equiv=\"Content-Type\" content=\"text/html; charset={charset}\">"
                )
                .as_bytes(),
                text,
            ]
            .concat()
        };
        assert_eq!(corrected_html(None, &html("koi8-r", b"\xe7\xc4\xc5")).unwrap(), "koi8-r");
        assert_eq!(
            corrected_html(Some(b"x-odd"), &html("cp-1251", b"\xe7\xc4\xc5")).unwrap(),
            "windows-1251"
        );
        assert_eq!(corrected_html(None, &html("iso-8859-1", b"a&nbsp;b")).unwrap(), "utf-8");
        assert_eq!(corrected_html(None, &html("iso-8859-1", "grüße".as_bytes())).unwrap(), "utf-8");
        assert_eq!(corrected_html(None, &html("x-odd", b"text")).unwrap(), "utf-8");
        assert_eq!(corrected_html(Some(b"x-odd"), b"<p>text").unwrap(), "utf-8");
        for label in [None, Some(&b"us-ascii"[..]), Some(b"utf-8")] {
            assert_eq!(corrected_html(label, &html("utf-8", b"a&nbsp;b")), None);
        }
        assert_eq!(corrected_html(Some(b"us-ascii"), &html("iso-8859-1", b"a&nbsp;b")), None);
        assert_eq!(corrected_html(None, b"<p>a&nbsp;b"), None);
    }
}
