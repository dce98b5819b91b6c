//! What stands in `docs/` and CONTRIBUTING.md is held against the sources, the sample messages and the repairs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use chatwoot_mail::REPAIRS;

type Words = BTreeSet<String>;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const DOCUMENTS: [&str; 4] = ["README.md", "CONTRIBUTING.md", "docs/ARCHITECTURE.md", "docs/chatwoot.md"];

#[test]
fn every_id_that_a_comment_cites_is_explained() {
    let mut cited = Words::new();
    for file in files(&["core/src", "src"], "rs") {
        let comments = file.lines().filter_map(|line| line.split_once("//"));
        cited.extend(comments.flat_map(|(_, comment)| ids_in(comment)));
    }
    assert!(cited.len() > 30, "{cited:?}");
    assert_eq!(cited.difference(&explained()).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_kind_of_sample_message_is_explained() {
    let kinds: Words = entries("tests/mail")
        .into_iter()
        .filter_map(|name| Some(name.split_once('-')?.0.to_owned()))
        .filter(|kind| !matches!(kind.as_str(), "healthy" | "harmless"))
        .collect();
    let mut known: Words = explained().iter().map(|id| id.to_lowercase()).collect();
    if text("docs/chatwoot.md").contains("`loop-*`") {
        known.insert("loop".to_owned());
    }
    assert!(kinds.len() > 30, "{kinds:?}");
    assert_eq!(kinds.difference(&known).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_id_has_one_row_and_names_repairs_that_exist() {
    let page = text("docs/chatwoot.md");
    let names: Words = REPAIRS.iter().map(|repair| repair.name.to_owned()).collect();
    let ids: Vec<&str> = rows(&page).map(|row| row[0]).collect();
    assert_eq!(ids.len(), explained().len(), "{ids:?}");
    for row in rows(&page) {
        let repairs: Words = in_backticks(row[row.len() - 1])
            .into_iter()
            .filter(|word| word.contains('-') && !word.contains('.'))
            .map(str::to_owned)
            .collect();
        assert_eq!(repairs.difference(&names).collect::<Vec<_>>(), [""; 0], "{row:?}");
    }
}

#[test]
fn every_path_and_link_of_the_documents_leads_somewhere() {
    let beginnings =
        ["core/", "src/", "tests/", "docs/", "man/", "examples/", "fuzz/", "benches/", "packaging/"];
    for document in DOCUMENTS {
        let page = text(document);
        let folder = Path::new(ROOT).join(document).parent().unwrap().to_owned();
        for target in page.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") || target.starts_with('#') {
                continue;
            }
            let path = target.split('#').next().unwrap();
            assert!(folder.join(path).exists(), "{document}: {target}");
        }
        let own = |word: &&str| {
            beginnings.iter().any(|beginning| word.starts_with(beginning)) && !word.contains(['$', '*', ' '])
        };
        for path in in_backticks(&page).into_iter().filter(own).filter(|path| !path.contains("NAME")) {
            assert!(Path::new(ROOT).join(path).exists(), "{document}: {path}");
        }
    }
}

#[test]
fn the_architecture_names_every_room() {
    let page = text("docs/ARCHITECTURE.md");
    let named = in_backticks(&page);
    for folder in ["core/src", "src"] {
        for name in entries(folder).into_iter().filter(|name| !name.contains('.')) {
            let room = [format!("{folder}/{name}/"), format!("{name}/"), format!("{folder}/{name}.rs")];
            assert!(room.iter().any(|room| named.contains(&room.as_str())), "{folder}/{name}");
        }
    }
}

#[test]
fn ids_are_told_from_other_words() {
    assert_eq!(ids_in(" fails (F5, F5b), as D1: not =C3=BC, X509, SHA1 or ABCD12"), ["F5", "F5b", "D1"]);
}

/// `D1`, `F5b`: a kind, a number, and at times a `b`.
fn ids_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '=');
    words.filter(|word| is_id(word)).map(str::to_owned).collect()
}

fn is_id(word: &str) -> bool {
    let number = word.strip_prefix(['D', 'F', 'C', 'M', 'P']).unwrap_or_default();
    let number = number.strip_suffix('b').unwrap_or(number);
    (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The cells of the rows that begin with an id.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    page.lines().filter(|line| line.starts_with("| ")).map(cells).filter(|row| is_id(row[0]))
}

fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

fn explained() -> Words {
    rows(&text("docs/chatwoot.md")).map(|row| row[0].to_owned()).collect()
}

fn in_backticks(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

fn entries(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The text of every file below the folders that ends so.
fn files(folders: &[&str], ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in folders {
        for name in entries(folder) {
            let path = format!("{folder}/{name}");
            if Path::new(ROOT).join(&path).is_dir() {
                found.extend(files(&[&path], ending));
            } else if path.ends_with(&format!(".{ending}")) {
                found.push(text(&path));
            }
        }
    }
    found
}
