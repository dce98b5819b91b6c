//! The rooms of the program and which way they may import: read from the sources, so that no circle and no shortcut comes back.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test that meets what it does not expect fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Rooms by rank, lowest first: each imports only from those above it in this list. One line, one rank.
const BINARY: &[&[&str]] = &[
    &["clock", "core_file", "exit", "io_error", "open", "patient_write", "similar", "table"],
    &["cli"],
    &["settings"],
    &["environment", "log"],
    &["output"],
    &["http"],
    &["delivery"],
    &["commands"],
];

/// The same for the core.
const CORE: &[&[&str]] = &[
    &["environment", "mbox", "message", "service"],
    &["envelope", "outcome", "route", "shown"],
    &["repair"],
    &["rules", "wire_message"],
    &["attempt", "explanation", "request"],
];

/// A source file: its path from the folder of sources, and its text.
type Source = (String, String);

fn sources(folder: &str) -> Vec<Source> {
    fn collect(folder: &Path, root: &Path, found: &mut Vec<Source>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, root, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found
}

/// `log/line.rs` and `log.rs` stand in the room `log`.
fn room(path: &str) -> &str {
    path.split(['/', '.']).next().unwrap()
}

/// The code without comments and without what is compiled for tests alone at the foot of a file.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// The code of a file with `super::` written out from the root: `super::log` in `http/client.rs` is `crate::http::log`.
fn from_the_root(path: &str, text: &str) -> String {
    let own: Vec<&str> = path.trim_end_matches(".rs").split('/').filter(|name| *name != "mod").collect();
    let mut written = String::new();
    let code = code(text);
    let mut rest = code.as_str();
    while let Some((before, after)) = rest.split_once("super::") {
        let mut above = own.len() - 1;
        rest = after;
        while let Some(after) = rest.strip_prefix("super::") {
            above -= 1;
            rest = after;
        }
        written.push_str(before);
        written.push_str("crate::");
        own[..above].iter().for_each(|name| written.push_str(&format!("{name}::")));
    }
    written + rest
}

/// The rooms that a file names by `crate::room`, by `crate::{a, b::c}`, and by `super::room`.
fn imports(path: &str, text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for rest in from_the_root(path, text).split("crate::").skip(1) {
        let names = match rest.strip_prefix('{') {
            Some(list) => first_names(list),
            None => vec![first_name(rest)],
        };
        found.extend(names.into_iter().filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())));
    }
    found
}

fn first_name(text: &str) -> String {
    let text = text.trim_start().trim_start_matches("r#");
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

/// The first name of each path in a braced list, up to its closing brace.
fn first_names(list: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut depth = 0;
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(String::new()),
            _ if depth == 0 => names.last_mut().unwrap().push(c),
            _ => {}
        }
    }
    names.iter().map(|path| first_name(path)).filter(|name| !name.is_empty()).collect()
}

/// Which room imports which others.
fn graph(sources: &[Source]) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources.iter().filter(|(path, _)| !matches!(room(path), "main" | "lib")) {
        let own = room(path);
        let others = imports(path, text).into_iter().filter(|other| other != own);
        graph.entry(own.to_owned()).or_default().extend(others);
    }
    graph
}

/// What breaks the order: rooms that stand nowhere in it, and imports that do not point to a higher one.
fn breaches(graph: &BTreeMap<String, BTreeSet<String>>, ranks: &[&[&str]]) -> Vec<String> {
    let rank = |room: &str| ranks.iter().position(|rooms| rooms.contains(&room));
    let mut found = Vec::new();
    for (room, others) in graph {
        let Some(own) = rank(room) else {
            found.push(format!("{room} has no rank"));
            continue;
        };
        for other in others {
            if rank(other).is_none_or(|other| other >= own) {
                found.push(format!("{room} imports {other}"));
            }
        }
    }
    found
}

fn assert_ordered(folder: &str, ranks: &[&[&str]]) {
    let graph = graph(&sources(folder));
    for (number, rooms) in ranks.iter().enumerate() {
        for room in *rooms {
            let others: Vec<&str> = graph[*room].iter().map(String::as_str).collect();
            println!("{folder} {number} {room}: {}", others.join(" "));
        }
    }
    assert_eq!(breaches(&graph, ranks), [""; 0]);
}

#[test]
fn imports_of_the_program_point_one_way() {
    assert_ordered("src", BINARY);
}

#[test]
fn imports_of_the_core_point_one_way() {
    assert_ordered("core/src", CORE);
}

#[test]
fn a_command_imports_no_other_command() {
    let shared = ["error", "message_file"];
    for (path, text) in sources("src") {
        let Some(own) = path.strip_prefix("commands/").map(room) else { continue };
        for rest in from_the_root(&path, &text).split("crate::commands::").skip(1) {
            let others = match rest.strip_prefix('{') {
                Some(list) => first_names(list),
                None => vec![first_name(rest)],
            };
            for other in others {
                assert!(other == own || shared.contains(&other.as_str()), "{path} imports {other}");
            }
        }
    }
}

#[test]
fn mod_rs_declares_and_defines_nothing() {
    let definitions =
        ["fn ", "struct ", "enum ", "impl ", "impl<", "const ", "static ", "trait ", "type ", "macro_rules!"];
    for (path, text) in sources("src").into_iter().chain(sources("core/src")) {
        if !path.ends_with("mod.rs") {
            continue;
        }
        for line in code(&text).lines() {
            let bare = line.trim_start().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let defines = definitions.iter().any(|definition| bare.starts_with(definition));
            assert!(!defines, "{path}: {line}");
            assert!(!line.contains("::*"), "{path} says what it passes on by name: {line}");
        }
    }
}

#[test]
fn one_room_alone_names_the_http_and_tls_libraries() {
    for (path, text) in sources("src").into_iter().chain(sources("core/src")) {
        for library in ["reqwest", "rustls", "webpki"] {
            let names = code(&text).contains(&format!("{library}::"));
            assert!(!names || room(&path) == "http", "{path} names {library}");
        }
    }
}

/// What the core is made of opens no file, socket or process.
#[test]
fn the_core_depends_on_nothing_that_reaches_outside() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("core/Cargo.toml")).unwrap();
    let section = manifest.split_once("\n[dependencies]\n").unwrap().1.split_once("\n[").unwrap().0;
    let names: Vec<&str> =
        section.lines().filter_map(|line| line.split_once(" =")).map(|(name, _)| name).collect();
    let pure = ["base64", "bytes", "hex", "mail-parser", "memchr", "ring", "serde", "serde_json", "url"];
    assert_eq!(names, pure);
}

/// An id such as D1, F5b or C10 at the beginning of a text.
fn id(text: &str) -> Option<String> {
    let mut id: String = text.chars().next().filter(|c| "CDFMP".contains(*c))?.into();
    let digits: String = text.chars().skip(1).take_while(char::is_ascii_digit).collect();
    id.push_str(&digits);
    let after = text.chars().nth(id.len());
    if after == Some('b') {
        id.push('b');
    }
    let ends = text.chars().nth(id.len()).is_none_or(|c| !c.is_ascii_alphanumeric());
    (!digits.is_empty() && ends).then_some(id)
}

#[test]
fn every_id_that_comments_and_samples_cite_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/chatwoot.md")).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let explained: BTreeSet<String> = rows.flat_map(|cell| cell.split(", ")).filter_map(id).collect();
    let mut cited = BTreeSet::new();
    for (_, text) in sources("core/src") {
        let comments = text.lines().filter(|line| line.trim_start().starts_with("//"));
        cited.extend(comments.flat_map(|line| line.split(['(', ' ', ','])).filter_map(id));
    }
    for entry in fs::read_dir(root.join("tests/mail")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let mut name = name.split('-').next().unwrap().to_owned();
        name[..1].make_ascii_uppercase();
        cited.extend(id(&name));
    }
    assert!(cited.len() > 30, "{cited:?}");
    assert_eq!(cited.difference(&explained).collect::<Vec<_>>(), Vec::<&String>::new());
}

// The reader itself.

#[test]
fn every_form_of_import_is_seen() {
    let text = "//! crate::comment\nuse crate::log::{self, Line};\nuse crate::{http, settings::Secret};\nfn f() { crate::clock::now(); }\n#[cfg(test)]\nmod tests { use crate::commands; }\n";
    let expected: BTreeSet<String> = ["log", "http", "settings", "clock"].map(str::to_owned).into();
    assert_eq!(imports("output.rs", text), expected);
}

#[test]
fn a_relative_import_is_written_out_from_the_root() {
    for (path, text, expected) in [
        ("output.rs", "use super::log::Line;", "use crate::log::Line;\n"),
        ("http/client.rs", "use super::super::log::Line;", "use crate::log::Line;\n"),
        ("commands/try/mod.rs", "use super::super::http;", "use crate::http;\n"),
        ("commands/try/command.rs", "super::stand_in::x()", "crate::commands::try::stand_in::x()\n"),
        ("commands/try/command.rs", "use super::super::check::x;", "use crate::commands::check::x;\n"),
    ] {
        assert_eq!(from_the_root(path, text), expected);
    }
}

#[test]
fn a_circle_and_a_shortcut_are_found() {
    let source = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let made_up = [
        source("low.rs", "use crate::high::x;"),
        source("high/a.rs", "use crate::low::y;"),
        source("high/b.rs", "use crate::unknown::z;"),
    ];
    let found = breaches(&graph(&made_up), &[&["low"], &["high"]]);
    assert_eq!(found, ["high imports unknown", "low imports high"]);
}
