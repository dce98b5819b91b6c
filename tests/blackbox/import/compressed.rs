//! Compressed mail, read through the programs that decompress it; where there is none, that is said.

use std::io::Write;
use std::process::{Command, Stdio};

use super::store::{mbox, message, write};
use super::{assert_imported, import, numbers};
use crate::server::Server;
use crate::setting::{NOBODY, Setting, on_the_wire};

/// Every one of them, with an extension; those that are not installed are left out.
const PROGRAMS: [(&str, &str); 4] = [("gzip", "gz"), ("zstd", "zst"), ("xz", "xz"), ("bzip2", "bz2")];

/// Nothing when the program is not here.
fn compressed(program: &str, content: &[u8]) -> Option<Vec<u8>> {
    let command = Command::new(program).arg("-c").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = command.ok()?;
    child.stdin.take().unwrap().write_all(content).unwrap();
    Some(child.wait_with_output().unwrap().stdout)
}

#[test]
fn a_compressed_mbox_is_imported_by_its_name_and_from_standard_input() {
    let content = mbox([message(1), message(2)]);
    for (program, extension) in PROGRAMS {
        let Some(compressed) = compressed(program, &content) else { continue };
        let server = Server::taking();
        let setting = Setting::new(&server.url(), "");
        let path = write(&setting, &format!("mail/mbox.{extension}"), &compressed);
        for named in [path, setting.shown("mail")] {
            assert_imported(&import(&setting, ["--jobs=1", &named]).run());
        }
        assert_imported(&import(&setting, ["--jobs=1", "-"]).stdin(compressed.as_slice()).run());
        assert_eq!(numbers(&server), [1, 2, 1, 2, 1, 2], "{program}");
    }
}

/// Dovecot's plugin zlib leaves the names as they are.
#[test]
fn compressed_messages_of_a_maildir_are_imported() {
    let server = Server::taking();
    let setting = Setting::new(&server.url(), "max_size = \"4KiB\"");
    let large = message(3).replace("hello\n", &"hello\n".repeat(1000));
    for (number, text) in [(1, message(1)), (2, message(2)), (3, large)] {
        let content =
            if number == 2 { text.into_bytes() } else { compressed("gzip", text.as_bytes()).unwrap() };
        write(&setting, &format!("mail/cur/176722560{number}.M1P1.host,S=2:2,S"), content);
    }
    std::fs::create_dir(setting.path("mail/new")).unwrap();
    let ended = import(&setting, ["--jobs=1", &setting.shown("mail")]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    assert!(ended.stderr.contains("host,S=2:2,S: rejected 5.3.4: the message has "), "{ended:?}");
    assert_eq!(server.bodies(), [1, 2].map(|number| on_the_wire(&message(number))));
}

#[test]
fn what_nothing_here_decompresses_is_named_with_what_to_do() {
    let setting = Setting::new(NOBODY, "");
    let path = write(&setting, "mail/mbox.zst", b"\x28\xb5\x2f\xfd and more");
    let ended = import(&setting, [setting.shown("mail")]).env("PATH", "/nowhere").run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    let said = "is compressed, and zstd is not here; where it is: zstdcat file | ingress import -";
    assert_eq!(ended.stderr, format!("{path}: unreadable: {said}\n"));
}

#[test]
fn what_is_damaged_is_unreadable() {
    let setting = Setting::new(NOBODY, "");
    let whole = compressed("gzip", &mbox((1..=200).map(message))).unwrap();
    let path = write(&setting, "mbox.gz", &whole[..whole.len() / 2]);
    let ended = import(&setting, [&path]).run();
    assert_eq!(ended.status, Some(65), "{ended:?}");
    assert_eq!(ended.stderr, format!("{path}: unreadable: gzip cannot decompress it\n"));
}
