//! The processes of one server instance, by a path that all of them name on their command line, or a folder in which they work.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

pub(crate) struct Processes {
    path: String,
    ids: std::vec::IntoIter<u32>,
}

impl Processes {
    pub(crate) fn of(path: &Path) -> Self {
        let path = path.display().to_string();
        let ids: Vec<u32> = all().into_iter().filter(|id| belongs(*id, &path)).collect();
        Self { path, ids: ids.into_iter() }
    }

    /// Ends all of them, those that they start meanwhile included, and waits until none is left.
    pub(crate) fn end(self) {
        let deadline = Instant::now() + Duration::from_secs(10);
        let path = Path::new(&self.path);
        loop {
            let ids: Vec<String> = Self::of(path).map(|id| id.to_string()).collect();
            if ids.is_empty() || Instant::now() > deadline {
                return;
            }
            let _ = Command::new("kill").arg("-KILL").args(ids).status();
            sleep(Duration::from_millis(20));
        }
    }
}

impl Iterator for Processes {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        self.ids.next()
    }
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Whether a living process other than this one names the path, or works in it.
fn belongs(id: u32, path: &str) -> bool {
    let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    let names = line.split(|byte| *byte == 0).any(|word| word == path.as_bytes());
    let works_in = || fs::read_link(format!("/proc/{id}/cwd")).is_ok_and(|folder| folder.starts_with(path));
    id != std::process::id() && (names || works_in())
}
