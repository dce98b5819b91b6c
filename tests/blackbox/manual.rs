//! The manual pages, the sample files and the README are held against `--help`, against the program's own tables and against each other.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use chatwoot_mail::envelope;
use chatwoot_mail::outcome::{Cause, OnTooLarge};
use chatwoot_mail::repair::REPAIRS;
use table::{CHATWOOT_SENDER, OTHER_VARIABLES, SETTINGS, Setting, SettingForm};

/// The program's table of settings itself.
#[path = "../../src/settings/table.rs"]
#[allow(dead_code, reason = "the program needs more of it")]
mod table;

type Words = BTreeSet<String>;

const PROGRAM_PAGE: &str = "man/ingress.1";
const FILE_PAGE: &str = "man/ingress.toml.5";
const EXAMPLE: &str = "examples/ingress.toml";

#[test]
fn the_options_of_the_manual_are_those_of_the_help() {
    let mut of_help = options_in(&help(&[]));
    for command in commands_in(&help(&[])) {
        of_help.extend(options_in(&help(&[&command])));
    }
    let page = text(PROGRAM_PAGE);
    let items = items(section(&page, "OPTIONS")).into_iter().chain(items(section(&page, "COMMANDS")));
    let of_page: Words =
        items.flat_map(|item| after("Fl", item)).map(|option| format!("-{option}")).collect();
    assert_same(&of_page, &of_help);
    assert!(of_help.contains("--recipient") && of_help.contains("--answer"), "{of_help:?}");
}

#[test]
fn the_commands_of_the_manual_are_those_of_the_help() {
    let page = text(PROGRAM_PAGE);
    let items = items(section(&page, "COMMANDS"));
    let of_page = items.iter().filter_map(|item| item.strip_prefix("Cm ")?.split(' ').next());
    assert_same(&of_page.map(str::to_owned).collect(), &commands_in(&help(&[])));
}

/// Where a setting has no default, manual and example show one and the same example.
#[test]
fn the_settings_of_the_manual_and_of_the_example_are_the_program_s_with_their_defaults() {
    let (of_example, _) = example_settings();
    let of_page = page_settings("KEYS");
    assert_eq!(of_page, of_example, "the same settings with the same values in the same order");
    let keys: Vec<&str> = of_page.iter().map(|setting| key(setting).trim_matches(['[', ']'])).collect();
    assert_eq!(keys, SETTINGS.iter().map(|setting| setting.key).collect::<Vec<_>>());
    for (setting, shown) in SETTINGS.iter().zip(&of_page) {
        let quote = if setting.form == SettingForm::Switch { "" } else { "\"" };
        if let Some(default) = setting.default {
            assert_eq!(*shown, format!("{} = {quote}{default}{quote}", setting.key));
        }
    }
}

#[test]
fn the_manual_says_of_each_setting_what_else_sets_it() {
    let page = text(FILE_PAGE);
    for (setting, item) in SETTINGS.iter().zip(section(&page, "KEYS").split("\n.It ").skip(1)) {
        let item = item.replace('\n', " ");
        let options = after("Fl", &item).into_iter().map(|option| format!("-{option}"));
        assert_same(&options.collect(), &setting.option.into_iter().map(str::to_owned).collect());
        let environment = item.split_once("nvironment ").map_or("", |(_, rest)| rest);
        let documented: Words = after("Ev", environment).into_iter().collect();
        let variables: Words = setting.variables.iter().map(|name| (*name).to_owned()).collect();
        assert_same(&documented, &variables);
    }
}

#[test]
fn the_repairs_of_the_manual_the_example_and_the_readme_are_the_program_s() {
    let names: Words = repairs_of_the_program().into_iter().map(|(name, _)| name.to_owned()).collect();
    let of = |settings: Vec<String>| settings.iter().map(|setting| key(setting).to_owned()).collect();
    assert_same(&of(page_settings("REPAIRS")), &names);
    assert_same(&of(example_settings().1), &names);
    let readme = text("README.md");
    let table = readme.split_once("| repair |").expect("a table of repairs").1;
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    assert_same(&rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect(), &names);
}

#[test]
fn the_example_says_of_each_repair_what_the_program_says() {
    let example = text(EXAMPLE);
    for (name, summary) in repairs_of_the_program() {
        let mut sentence = summary.to_owned();
        sentence[..1].make_ascii_uppercase();
        assert!(example.contains(&format!("# {sentence}.\n#{name} = true\n")), "{name}: {summary}");
    }
}

#[test]
fn the_example_is_a_valid_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let config = private_file(&folder.path().join("ingress.toml"), &uncommented(&text(EXAMPLE)));
    let output = ingress().arg("try").arg("-c").arg(config).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// A delivery judges the settings that `try` leaves aside. The example's proxy is left out: it does not exist.
#[test]
fn a_delivery_takes_the_example_too() {
    let folder = tempfile::tempdir().unwrap();
    let settings = uncommented(&text(EXAMPLE)).replace("\nproxy = ", "\n# ");
    let config = private_file(&folder.path().join("ingress.toml"), &settings);
    let env = private_file(&folder.path().join(".env"), "");
    let output = ingress()
        .arg("-c")
        .arg(config)
        .env("INGRESS_URL", closed_port())
        .env("INGRESS_PASSWORD", "swordfish")
        .env("INGRESS_CHATWOOT_ENV", env)
        .env("INGRESS_LOG", "off")
        .stdin(fs::File::open(path("examples/messages/attachment.eml")).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4.4.1 Chatwoot cannot be reached\n");
    assert_eq!(output.status.code(), Some(75));
}

#[test]
fn the_diagnostics_of_the_manual_are_the_lines_that_a_delivery_can_print() {
    let page = text(PROGRAM_PAGE);
    let items = items(section(&page, "DIAGNOSTICS"));
    let of_page = items.into_iter().filter(|item| item.starts_with(['4', '5'])).map(str::to_owned);
    let dispositions = dispositions_of_the_program();
    assert!(dispositions.len() > 10, "{dispositions:?}");
    assert_same(&of_page.collect(), &dispositions);
}

#[test]
fn the_readme_s_table_of_outcomes_has_every_code() {
    let readme = text("README.md");
    for disposition in dispositions_of_the_program() {
        let code = disposition.split(' ').next().unwrap();
        assert!(readme.lines().any(|line| line.starts_with('|') && line.contains(code)), "{disposition}");
    }
}

#[test]
fn the_log_keys_of_the_manual_are_those_that_the_program_writes() {
    let page = text(PROGRAM_PAGE);
    let of_page = items(section(&page, "LOG")).into_iter().flat_map(|item| after("Cm", item)).collect();
    let mut written = Words::new();
    for code in sources() {
        for call in [".add(", ".add_some("] {
            let keys = code.split(call).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
            written.extend(keys.map(|rest| literal(rest).0));
        }
    }
    assert_same(&of_page, &written);
}

/// What stands in no list of the program's is not read at all.
#[test]
fn the_environment_of_the_manual_is_what_the_program_reads() {
    let page = text(PROGRAM_PAGE);
    let documented: Words =
        items(section(&page, "ENVIRONMENT")).into_iter().flat_map(|item| after("Ev", item)).collect();
    let of_settings = SETTINGS.iter().flat_map(|setting| setting.variables);
    let read = of_settings.chain(&OTHER_VARIABLES).chain(&envelope::VARIABLES);
    assert_same(&documented, &read.map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_manual_says_what_is_taken_from_chatwoot_s_env() {
    let page = text(FILE_PAGE);
    let items = section(&page, "KEYS").split("\n.It ");
    let item = items.filter(|item| item.starts_with("Cm chatwoot_env ")).collect::<String>();
    let documented: Words = after("Ev", &item.replace('\n', " ")).into_iter().collect();
    let of = |setting: &Setting| setting.chatwoot_variables.iter().chain(setting.variables);
    let read = SETTINGS.iter().filter(|setting| setting.key == "chatwoot_env").flat_map(of);
    let read = read.chain(SETTINGS.iter().flat_map(|setting| setting.chatwoot_variables));
    let read = read.chain([&CHATWOOT_SENDER]).map(|name| (*name).to_owned());
    assert_same(&documented, &read.collect());
}

#[test]
fn the_sample_messages_need_the_repairs_that_their_readme_says() {
    let table = text("examples/messages/README.md");
    let mut described = Words::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let sample = cells[1].trim_matches('`');
        let report = report_on(sample);
        for repair in cells[3].split('`').skip(1).step_by(2) {
            assert!(report.contains(&format!(" {repair}: ")), "{sample}: {repair}: {report}");
        }
        assert_eq!(cells[3] == "none", report.contains("none needed"), "{sample}: {report}");
        described.insert(sample.to_owned());
    }
    let files = fs::read_dir(path("examples/messages")).unwrap();
    let names = files.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_same(&described, &names.filter(|name| name.ends_with(".eml")).collect());
}

fn report_on(sample: &str) -> String {
    let file = path("examples/messages").join(sample);
    let output = ingress().args(["try", "-r", "support@example.com"]).arg(file).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{sample}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

// The program, as it can be asked.

fn ingress() -> Command {
    let mut command = Command::new(crate::run::binary());
    command.env_clear().stdin(Stdio::null());
    command
}

fn help(command: &[&str]) -> String {
    let Output { status, stdout, .. } = ingress().args(command).arg("--help").output().unwrap();
    assert!(status.success(), "{command:?}");
    String::from_utf8(stdout).unwrap()
}

/// `-c` and `--config` of `  -c, --config <FILE>`.
fn options_in(help: &str) -> Words {
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    let words = lines.flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')));
    words.map(|word| word.trim_end_matches(',').to_owned()).collect()
}

fn commands_in(help: &str) -> Words {
    let block = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    block.map_while(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// A URL of this machine at which nobody listens.
fn closed_port() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn private_file(path: &Path, content: &str) -> PathBuf {
    let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(path).unwrap();
    file.write_all(content.as_bytes()).unwrap();
    path.to_owned()
}

// The program, as its source says.

/// All files of `src`, without their tests.
fn sources() -> Vec<String> {
    fn collect(folder: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else {
                found.push(without_tests(&fs::read_to_string(path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    collect(&path("src"), &mut found);
    collect(&path("core/src"), &mut found);
    found
}

fn without_tests(code: &str) -> String {
    code.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
}

/// Name and summary of each repair.
fn repairs_of_the_program() -> Vec<(&'static str, &'static str)> {
    REPAIRS.iter().map(|repair| (repair.name, repair.summary)).collect()
}

/// `CODE TEXT` of each row of the outcome table.
fn dispositions_of_the_program() -> Words {
    let both = [OnTooLarge::Reject, OnTooLarge::Defer];
    Cause::all().flat_map(|cause| both.map(|on_too_large| cause.disposition(on_too_large).line())).collect()
}

/// The text up to the closing quote, and what follows it.
fn literal(text: &str) -> (String, &str) {
    let mut literal = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return (literal, &text[at + 1..]),
            '\\' => literal.extend(characters.next().map(|(_, c)| c)),
            _ => literal.push(c),
        }
    }
    (literal, "")
}

// The pages and the example.

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// One section of an mdoc page.
fn section<'a>(page: &'a str, title: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("\n.Sh {title}\n")).unwrap_or_else(|| panic!("no {title}"));
    rest.split("\n.Sh ").next().unwrap()
}

/// The arguments of each `.It`.
fn items(section: &str) -> Vec<&str> {
    section.lines().filter_map(|line| line.strip_prefix(".It ")).collect()
}

/// The words of an mdoc line that the macro marks up.
fn after(macro_name: &str, line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let pairs = words.windows(2).filter(|pair| pair[0].trim_start_matches('.') == macro_name);
    pairs.map(|pair| pair[1].to_owned()).collect()
}

/// `Cm log No = Qq syslog` as `log = "syslog"`.
fn page_settings(title: &str) -> Vec<String> {
    let page = text(FILE_PAGE);
    let settings = items(section(&page, title)).into_iter().map(|item| {
        let item = item.strip_prefix("Cm ").unwrap_or_else(|| panic!("{item}")).replace(" No = ", " = ");
        if let Some((key, value)) = item.split_once("Bq Qq ") {
            return format!("{key}[\"{value}\"]");
        }
        match item.split_once("Qq ") {
            Some((key, value)) => format!("{key}\"{value}\""),
            None => item,
        }
    });
    settings.collect()
}

/// The settings of the example, up to `[repair]` and after it.
fn example_settings() -> (Vec<String>, Vec<String>) {
    let example = text(EXAMPLE);
    let mut keys: Vec<String> = example.lines().filter_map(setting).map(str::to_owned).collect();
    let table = keys.iter().position(|setting| setting == "[repair]").expect("a table of repairs");
    let repairs = keys.split_off(table + 1);
    (keys, repairs)
}

/// A setting is commented out with a `#` alone, prose with a `#` and a blank.
fn setting(line: &str) -> Option<&str> {
    line.strip_prefix('#').filter(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '['))
}

fn uncommented(example: &str) -> String {
    example.lines().flat_map(|line| [setting(line).unwrap_or(line), "\n"]).collect()
}

fn key(setting: &str) -> &str {
    setting.split(" = ").next().unwrap()
}

fn assert_same(documented: &Words, real: &Words) {
    let missing: Vec<_> = real.difference(documented).collect();
    let invented: Vec<_> = documented.difference(real).collect();
    assert!(missing.is_empty() && invented.is_empty(), "not documented: {missing:?}; invented: {invented:?}");
}
