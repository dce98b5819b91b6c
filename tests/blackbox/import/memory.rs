//! Memory stays small, however large the mbox.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::import;
use super::store::message;
use crate::run::eventually;
use crate::server::Server;
use crate::setting::Setting;

/// What may be held beside the messages under way, in bytes: 64 MB.
const BESIDE: u64 = 64_000_000;
const JOBS: u64 = 4;

/// The most memory that a process has held so far, in bytes.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

#[test]
fn an_mbox_of_256_megabytes_takes_no_more_than_its_messages_under_way() {
    // The last but one and the last wait until memory was looked at.
    let taken: &'static AtomicUsize = Box::leak(Box::default());
    let looked: &'static AtomicUsize = Box::leak(Box::default());
    const MESSAGES: usize = 2_000;
    let server = Server::acting(|connection| {
        loop {
            let length = connection.head()?;
            connection.skip(length)?;
            if taken.fetch_add(1, Ordering::SeqCst) + 1 == MESSAGES {
                eventually("a look at the memory", || (looked.load(Ordering::SeqCst) > 0).then_some(()));
            }
            connection.take()?;
        }
    });
    let setting = Setting::new(&server.url(), "");
    let path = setting.path("mbox");
    let mut mbox = BufWriter::new(File::create(&path).unwrap());
    let mut largest = 0;
    for number in 0..MESSAGES {
        // A few of 5 MB, most of 100 kB.
        let size = if number % 200 == 100 { 5_000_000 } else { 104_000 };
        let text = message(number).replace(
            "hello\n",
            &"a line of sixty-four bytes, as long as lines of mail often are.\n".repeat(size / 64),
        );
        largest = largest.max(text.len() as u64);
        writeln!(mbox, "From a@example.org Thu Jan  1 00:00:00 2026\n{text}").unwrap();
    }
    mbox.flush().unwrap();
    drop(mbox);
    assert!(fs::metadata(&path).unwrap().len() > 256_000_000);
    let running = import(&setting, ["--jobs", &JOBS.to_string(), &path.display().to_string()]).start();
    eventually("the last message", || (taken.load(Ordering::SeqCst) >= MESSAGES).then_some(()));
    let peak = peak(running.id()).unwrap();
    looked.store(1, Ordering::SeqCst);
    super::assert_imported(&running.end());
    assert!(peak < BESIDE + JOBS * largest, "{peak} bytes, the largest message has {largest}");
}
