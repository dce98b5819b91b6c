//! Which files a website conversation takes: Chatwoot's list of types, and how Marcel finds a file's type by content, declaration and name.
//!
//! In doubt a file counts as not taken: one that is packed for nothing can be opened all the same, one that is refused loses the mail.

/// What the beginning of a file tells of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    /// Of a type that is taken.
    Taken,
    /// Of one that is not.
    Refused,
    /// An archive of which declaration and name may tell more.
    Zip,
    /// Office's format before 2007, of which declaration and name tell more.
    Ole,
    Xml,
    /// Declaration and name decide.
    Unknown,
}

use super::transfer_encoding::TransferEncoding;

/// How a file begins for Chatwoot, as much as its type is told by: with LF line ends, where the encoding leaves them as they are.
pub fn start(encoding: TransferEncoding, data: &[u8]) -> Vec<u8> {
    const ENOUGH: usize = 66_000;
    let start = data.get(..data.len().min(ENOUGH)).unwrap_or_default();
    if encoding == TransferEncoding::Base64 {
        return start.to_vec();
    }
    let mut lines = Vec::with_capacity(start.len());
    for (at, byte) in start.iter().enumerate() {
        if *byte != b'\r' || start.get(at + 1) != Some(&b'\n') {
            lines.push(*byte);
        }
    }
    lines
}

/// Whether a website conversation takes a file. `start` is how its content begins, 64 KiB or all of it.
pub fn is_taken(start: &[u8], declared: &str, name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    // `.pdf` alone is a name without an extension.
    let extension =
        lower.trim_start_matches('.').rsplit_once('.').map(|(_, extension)| extension).unwrap_or_default();
    match content(start) {
        Content::Taken => !(start.starts_with(b"%PDF") && extension == "ai"),
        Content::Refused => false,
        Content::Zip => {
            let is_other = declared.starts_with("application/vnd.") && !TAKEN_TYPES.contains(&declared);
            !is_among(extension, IN_ZIP) && !is_other
        }
        Content::Ole => is_ole_taken(declared, extension),
        Content::Xml => !is_among(extension, IN_XML) && !declared.starts_with("application/x"),
        Content::Unknown => is_declared_taken(declared, extension),
    }
}

fn is_ole_taken(declared: &str, extension: &str) -> bool {
    let is_office = |declared: &str| {
        matches!(
            declared,
            "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint"
        )
    };
    is_office(declared) || (!declared.starts_with("application/vnd.") && is_among(extension, OLE))
}

fn is_declared_taken(declared: &str, extension: &str) -> bool {
    match declared {
        "" | "application/octet-stream" => is_among(extension, TAKEN) || matches!(extension, "pfx" | "xml"),
        "text/plain" => !is_among(extension, IN_TEXT) && !is_among(extension, IN_XML),
        "application/xml" | "text/xml" => !is_among(extension, IN_XML),
        "application/pdf" => extension != "ai",
        "application/zip" => !is_among(extension, IN_ZIP),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/vnd.openxmlformats-officedocument.presentationml.presentation" => {
            !is_among(extension, IN_ZIP)
        }
        declared => {
            let is_medium = ["image/", "audio/", "video/"].iter().any(|medium| declared.starts_with(medium));
            is_medium || TAKEN_TYPES.contains(&declared)
        }
    }
}

fn is_among(extension: &str, list: &str) -> bool {
    !extension.is_empty() && list.split_ascii_whitespace().any(|known| known == extension)
}

fn content(start: &[u8]) -> Content {
    let begins = |beginnings: &[&[u8]]| beginnings.iter().any(|beginning| start.starts_with(beginning));
    let at = |place: usize, mark: &[u8]| start.get(place..).is_some_and(|rest| rest.starts_with(mark));
    let within = |end: usize, mark: &[u8]| {
        memchr::memmem::find(start.get(..start.len().min(end + mark.len())).unwrap_or_default(), mark)
            .is_some()
    };
    if begins(&PICTURES_AND_SOUND) || at(4, b"ftyp") {
        return Content::Taken;
    }
    if start.starts_with(b"RIFF") {
        let is_taken = [&b"WAVE"[..], b"WEBP", b"AVI "].iter().any(|kind| at(8, kind));
        return if is_taken { Content::Taken } else { Content::Refused };
    }
    if HTML.iter().any(|tag| within(64, tag)) || within(128, b"<html") || within(8192, b"<html xmlns=") {
        return Content::Refused;
    }
    if within(4096, b"<svg") || begins(&[b"%PDF-", b"\xef\xbb\xbf%PDF-", b"{\\rtf", b"7z\xbc\xaf\x27\x1c"]) {
        return Content::Taken;
    }
    if begins(&[b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"]) {
        return zip(start, at, within);
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Content::Ole;
    }
    if begins(&[b"<?xml", b"<?XML", b"\xef\xbb\xbf<?xml"]) {
        return Content::Xml;
    }
    if start.first() == Some(&0x85) && start.get(3) == Some(&3) {
        return Content::Refused;
    }
    if begins(&OTHERS)
        || is_like_a_mail(start, within)
        || memchr::memmem::find(start.get(..start.len().min(8192)).unwrap_or_default(), b"<html")
            .is_some_and(|place| place >= 128)
    {
        return Content::Refused;
    }
    if at(257, b"ustar\0") || within(512, b"%PDF-1.") { Content::Taken } else { Content::Unknown }
}

fn zip(start: &[u8], at: impl Fn(usize, &[u8]) -> bool, within: impl Fn(usize, &[u8]) -> bool) -> Content {
    let is_office = within(65536, b"[Content_Types].xml") || at(30, b"_rels/.rels");
    if is_office && [&b"word/"[..], b"xl/", b"ppt/"].iter().any(|folder| within(4096, folder)) {
        return Content::Zip;
    }
    let kind: &[u8] = b"mimetypeapplication/vnd.oasis.opendocument.text";
    let is_text = at(30, kind) && !matches!(start.get(30 + kind.len()), Some(b'-'));
    match () {
        () if is_text => Content::Taken,
        () if at(30, b"mimetype") || at(30, b"[Content_Types].xml") || at(30, b"_rels/.rels") => {
            Content::Refused
        }
        () => Content::Zip,
    }
}

/// Text that begins like a mail is taken for one.
fn is_like_a_mail(start: &[u8], within: impl Fn(usize, &[u8]) -> bool) -> bool {
    let is_field = |name: &[u8]| start.starts_with(name);
    let has_fields = [
        &b"\nMessage-ID:"[..],
        b"\nSubject:",
        b"\nTo:",
        b"\nFrom:",
        b"\nDate:",
        b"\nReceived:",
        b"\nMIME-Version:",
    ];
    let begins =
        [&b"From "[..], b"From: ", b"X-", b"DKIM-", b"ARC-", b"MIME-Version: 1.0", b"Received:", b"Date:"]
            .iter()
            .any(|name| is_field(name));
    within(1024, b"\nMessage-ID:")
        || within(1024, b"\nSubject:")
        || within(1024, b"\nTo:")
        || (begins && has_fields.iter().any(|field| within(8192, field)))
        || has_fields
            .iter()
            .any(|field| memchr::memmem::find(start.get(2..16).unwrap_or_default(), field).is_some())
}

/// The types that Chatwoot lists, besides pictures, sound and film.
const TAKEN_TYPES: [&str; 21] = [
    "text/csv",
    "text/plain",
    "text/rtf",
    "text/xml",
    "application/json",
    "application/pdf",
    "application/xml",
    "application/zip",
    "application/x-7z-compressed",
    "application/vnd.rar",
    "application/x-tar",
    "application/msword",
    "application/vnd.ms-excel",
    "application/vnd.ms-powerpoint",
    "application/rtf",
    "application/vnd.oasis.opendocument.text",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "application/x-pkcs12",
    "application/pkcs12",
];

const PICTURES_AND_SOUND: [&[u8]; 18] = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"MM\0*",
    b"II*\0",
    b"8BPS",
    b"fLaC",
    b"FLV",
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
    b"#!AMR",
    b"MThd",
    b"\0\0\x01\xba",
    b"\0\0\x01\xb3",
    b"\0\0\0\x0cjP  ",
];

/// Looked for within the first 64 bytes.
const HTML: [&[u8]; 9] = [
    b"<!DOCTYPE HTML",
    b"<!DOCTYPE html",
    b"<!doctype HTML",
    b"<!doctype html",
    b"<HEAD",
    b"<head",
    b"<TITLE",
    b"<title",
    b"<HTML",
];

/// How files of types begin that are not taken.
const OTHERS: [&[u8]; 98] = [
    b"#! ",
    b"#!/",
    b"#!\t/",
    b"#EXTM3U",
    b"#ifndef ",
    b"#include ",
    b"# KDE Config",
    b"# Makefile.in",
    b"%!",
    b"\x04%!",
    b"%%",
    b"%FDF-",
    b"% BibTeX",
    b"% -*-latex",
    b"'''",
    b"'.\\\"",
    b"'\\\"",
    b"(* ",
    b"(**",
    b"*** ",
    b"-----BEGIN ",
    b".RMF",
    b".\\\"",
    b"/* jQuery ",
    b"/*! jQuery",
    b"/** @license React",
    b"/*  Prototype",
    b"0707",
    b"<%--",
    b"<%@",
    b"<?php",
    b"<Book",
    b"<MIFFile",
    b"<MML",
    b"<MPD",
    b"<Maker",
    b"<stata_dta>",
    b"=<ar>",
    b"@article{",
    b"@book{",
    b"@echo off",
    b"@inbook{",
    b"@in",
    b"@manual{",
    b"@misc{",
    b"@string{",
    b"Article",
    b"BEGIN:VCA",
    b"BZh",
    b"CDF",
    b"CWS",
    b"Common subdirectories: ",
    b"Cr24",
    b"FWS",
    b"Forward to",
    b"GRIB",
    b"ITSF",
    b"Index:",
    b"LZIP",
    b"MATLAB",
    b"MSCF",
    b"MZ",
    b"Message-ID:",
    b"N#! rnews",
    b"OTTO",
    b"Only in ",
    b"Path:",
    b"Pipe to",
    b"Rar!",
    b"Relay-Version:",
    b"Return-Path:",
    b"SQLite format 3",
    b"StartFontMetrics",
    b"WEBVTT",
    b"X-Mailer:",
    b"Xref:",
    b"[version]",
    b"[strings]",
    b"[KDE Desktop Entry]",
    b"\\chapter",
    b"\\document",
    b"\\input",
    b"\\section",
    b"\\relax",
    b"bplist",
    b"d8:announce",
    b"diff ",
    b"eval \"exec",
    b"function [",
    b"rem ",
    b"x\x9f>\"",
    b"\x1f\x8b",
    b"\x7fELF",
    b"\xca\xfe\xba\xbe",
    b"\xfd7zXZ\0",
    b"x\x9c",
    b"x\xda",
    b"wOF",
];

/// Extensions of types within text/plain that are not taken.
const IN_TEXT: &str = "4th ad ada adb adoc ads aj al applescript as asciidoc asm asp aspx asx awk bas bash bat bib bibtex c c++ cbl \
    cc cfc cfg cfm cfml cgi cl clj cls cmd cob coffee conf config cpp cs css cxx d dif diff dpr dtd e el eml erl etx exp f f77 f90 \
    fb2 for frm go groovy gv h h++ haml hh hp hpp hs htm html hx hxx i3 ics idl ifb ig ini inx iso19139 itk java jl js jsp kml l \
    latex less lhs lisp log lsp lua m m3 ma markdown mb md mdtext mg mht mkd ml mli mpd mpx nar nb ocaml owl p pas patch perl php \
    php3 php4 pl pm pp pro properties py r rb rdf rest restx rexx rnc rst s sas sass scad scala scm scss sed sfdu sh smi smil sml \
    srt st tcl tex tk tmx v vb vbs vcf vcs vhd vhdl vtt wl xconf xdp xfdf xhtml xlf xliff xmp xq xquery y yaml yml";

/// Of types within application/xml.
const IN_XML: &str =
    "asx dif fb2 htm html inx iso19139 kml mpd nar owl rdf smi smil sml xdp xfdf xhtml xlf xliff xmp tmx";

/// Of types within application/zip.
const IN_ZIP: &str = "3mf aar apk asice asics bau bpm docm dotm dotx dwfx ear epub fodp fods fodt ipa jar key kmz mmap mmas mmat \
    mmmp mmp mmpt numbers odb odc odf odft odg odi odp ods otc otg oth oti otm otp ots ott oxps pages potm potx ppam ppsm ppsx pptm \
    sldm sldx vsdx war xlam xlsb xlsm xltm xltx xlz xmind xpi xps";

/// Of Office's older formats that are taken.
const OLE: &str = "doc dot xls xla xlc xld xll xlm xlt xlw ppt pps pot ppa ppz";

/// Of files that are taken for their extension where nothing else tells their type.
const TAKEN: &str = "3g2 3gp 7z aac ac3 aif aifc aiff amr avi avif bmp caf csv doc docx dot dwg dxf emf emz eps3 f4v flac flv fst \
    gif h264 heic heif ico j2k jfif jng jp2 jpe jpeg jpg json jxl m1v m2v m3u m4a m4b m4v mid midi mka mkv mng mov movie mp2 mp3 mp4 \
    mp4a mp4v mpa mpe mpeg mpg mpga odt oga ogg ogm ogv opus p12 pbm pcx pdf pfx pgm pic pict png pnm pot ppm pps ppt pptx psd qt ra \
    ram ras rgb rmi rtf snd svg svgz tar text tga tif tiff txt viv wav wax wbmp webm webp wma wmf wmv xbm xif xla xls xlsx xlt xml \
    xpm xsd xsl xwd zip zipx";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_live_chat_takes_is_taken() {
        for (start, declared, name) in [
            (&b"%PDF-1.4"[..], "application/pdf", "a.pdf"),
            (b"%PDF-1.4", "application/octet-stream", "scan"),
            (b"\x89PNG\r\n\x1a\n", "image/png", "a.png"),
            (b"hello", "text/plain", "a.txt"),
            (b"a;b", "text/csv", "a.csv"),
            (b"PK\x03\x04.....[Content_Types].xml word/", "application/octet-stream", "a.docx"),
            (b"PK\x03\x04", "application/x-zip-compressed", "a.zip"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/msword", "a.doc"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/octet-stream", "a.xls"),
            (b"0\x82", "application/octet-stream", "key.pfx"),
            (b"??", "image/x-odd", "a"),
        ] {
            assert!(is_taken(start, declared, name), "{declared} {name}");
        }
    }

    #[test]
    fn what_it_refuses_is_not() {
        for (start, declared, name) in [
            (&b"BEGIN:VCALENDAR"[..], "text/calendar", "a.ics"),
            (b"BEGIN:VCARD", "text/plain", "a.txt"),
            (b"<html><body>", "text/html", "a.html"),
            (b"<html><body>", "application/msword", "a.doc"),
            (b"0\x80", "application/pkcs7-signature", "smime.p7s"),
            (b"-----BEGIN PGP SIGNATURE-----", "application/pgp-signature", "signature.asc"),
            (b"\0\x01\x02\x03", "application/octet-stream", "device.bin"),
            (b"x\x9f>\"", "application/ms-tnef", "winmail.dat"),
            (b"PK\x03\x04", "application/zip", "a.jar"),
            (b"PK\x03\x04", "application/octet-stream", "a.ods"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/vnd.ms-outlook", "a.msg"),
            (b"some lines", "text/plain", "server.log"),
            (b"Return-Path: <a@b>\nSubject: x", "text/plain", "a.txt"),
            (b"a\nSubject: x", "text/plain", "a.txt"),
            (b"\x1f\x8b", "application/gzip", "a.tar.gz"),
        ] {
            assert!(!is_taken(start, declared, name), "{declared} {name}");
        }
    }
}
