//! `ingress import` beside what an administrator would do without it: a loop that starts `ingress` or curl for each message.

use std::env::current_exe;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::bars::Bar;
use crate::compared::{Compared, Transport};
use crate::endpoint::Endpoint;
use crate::peak;
use crate::program::Program;
use crate::stored::{self, Stored};
use crate::table;

/// What may be held beside the messages under way, in bytes.
const MEMORY_BESIDE_MESSAGES: f64 = 64e6;
const JOBS: u64 = 4;

/// Starts the program that follows for each file of a folder, one after the other.
const LOOP: &str = r#"folder=$0; for file in "$folder"/*; do "$@" < "$file" || exit 1; done"#;
/// The same, four at a time.
const LOOP_OF_FOUR: &str =
    r#"folder=$0; printf '%s\0' "$folder"/* | xargs -0 -P 4 -I{} sh -c '"$@" < "$0"' {} "$@""#;

/// What a program needed for all messages.
struct Run {
    name: &'static str,
    seconds: f64,
    per_second: f64,
    /// Max RSS in bytes of its largest process.
    peak: u64,
}

/// Prints each row as soon as it is measured; the answer is whether all bars are met.
pub(crate) fn measure(endpoint: &Endpoint, compared: &Compared, quick: bool) -> Result<bool> {
    let mut out = io::stdout().lock();
    let folder = compared.file("stored");
    fs::create_dir(&folder)?;
    let (messages, size) = if quick { (300, 64_000_000) } else { (20_000, 2_000_000_000) };
    let (mbox, maildir) = stored::both(&folder, messages).context("cannot write the messages")?;
    let bench = Bench { endpoint, compared };
    head(&mut out, &mbox)?;
    let runs = bench.runs(&mbox, &maildir, |run| row(&mut out, run))?;
    fs::remove_dir_all(&maildir.path)?;
    fs::remove_file(&mbox.path)?;
    let large = stored::large(&folder, size).context("cannot write the mbox")?;
    head(&mut out, &large)?;
    let run = bench.import("import --jobs 4, mbox", &large, JOBS)?;
    row(&mut out, &run)?;
    let bars = judge(&runs, &run, &large);
    table::bars(&mut out, &bars)?;
    Ok(bars.iter().all(Bar::is_met))
}

struct Bench<'a> {
    endpoint: &'a Endpoint,
    compared: &'a Compared,
}

impl Bench<'_> {
    fn runs(
        &self,
        mbox: &Stored,
        maildir: &Stored,
        mut each: impl FnMut(&Run) -> io::Result<()>,
    ) -> Result<Vec<Run>> {
        let mut runs = Vec::new();
        let mut take = |run: Run| -> Result<()> {
            each(&run)?;
            runs.push(run);
            Ok(())
        };
        take(self.import("import --jobs 4, mbox", mbox, JOBS)?)?;
        take(self.import("import --jobs 4, Maildir", maildir, JOBS)?)?;
        take(self.import("import --jobs 1, mbox", mbox, 1)?)?;
        let [ingress, curl, ..] = &self.compared.over(Transport::Http)?[..] else {
            anyhow::bail!("a program is missing")
        };
        take(self.looped("loop of ingress", ingress, maildir, LOOP)?)?;
        take(self.looped("loop of curl", curl, maildir, LOOP)?)?;
        take(self.looped("curl, four at a time", curl, maildir, LOOP_OF_FOUR)?)?;
        Ok(runs)
    }

    fn import(&self, name: &'static str, stored: &Stored, jobs: u64) -> Result<Run> {
        let mut programs = self.compared.over(Transport::Http)?;
        let mut program = programs.swap_remove(0);
        let path = stored.path.display().to_string();
        program.arguments.extend(["import", "--jobs", &jobs.to_string(), &path].map(str::to_owned));
        self.run(name, &program, stored)
    }

    fn looped(&self, name: &'static str, each: &Program, maildir: &Stored, script: &str) -> Result<Run> {
        let folder = maildir.path.join("cur").display().to_string();
        let mut arguments = vec!["-c".to_owned(), script.to_owned(), folder];
        arguments.push(each.path.display().to_string());
        arguments.extend(each.arguments.iter().cloned());
        let program = Program {
            name,
            path: "/bin/sh".into(),
            arguments,
            environment: [each.environment.clone(), vec![("PATH", "/usr/bin:/bin".to_owned())]].concat(),
            sends_crlf: each.sends_crlf,
        };
        self.run(name, &program, maildir)
    }

    /// Runs to the end, and makes sure that everything arrived.
    fn run(&self, name: &'static str, program: &Program, stored: &Stored) -> Result<Run> {
        let (answer, output) = (self.compared.file("peak"), self.compared.file("output"));
        let options = [peak::LAUNCHER.to_owned(), answer.display().to_string()];
        let mut command = program.command_behind(&current_exe()?, &options);
        let file = File::create(&output)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let start = Instant::now();
        let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
        let seconds = start.elapsed().as_secs_f64();
        ensure!(status.success(), "{name} failed: {status} {}", fs::read_to_string(&output)?);
        let more = if program.sends_crlf { stored.lines } else { 0 };
        self.endpoint.expect_all(stored.messages, stored.bytes + more)?;
        let per_second = stored.messages as f64 / seconds;
        Ok(Run { name, seconds, per_second, peak: peak::answered(Path::new(&answer))? })
    }
}

fn head(out: &mut impl Write, stored: &Stored) -> io::Result<()> {
    let (megabytes, largest) = (stored.bytes as f64 / 1e6, stored.largest as f64 / 1e6);
    writeln!(out, "\n{} messages, {megabytes:.0} MB, the largest {largest:.1} MB", stored.messages)?;
    writeln!(out, "{:26}{:>10}{:>14}{:>10}", "", "seconds", "per second", "peak MB")
}

fn row(out: &mut impl Write, run: &Run) -> io::Result<()> {
    let megabytes = run.peak as f64 / 1e6;
    writeln!(out, "{:26}{:>10.1}{:>14.0}{megabytes:>10.1}", run.name, run.seconds, run.per_second)?;
    out.flush()
}

fn judge(runs: &[Run], large: &Run, stored: &Stored) -> Vec<Bar> {
    let seconds = |name: &str| runs.iter().find(|run| run.name == name).map_or(f64::NAN, |run| run.seconds);
    let beside_curl = ["import --jobs 4, mbox", "import --jobs 4, Maildir"].map(|name| Bar {
        name: format!("{name}: time / loop of curl"),
        wanted: 0.2,
        measured: seconds(name) / seconds("loop of curl"),
    });
    let under_way = (JOBS * stored.largest) as f64;
    let memory = Bar {
        name: format!("mbox of {} MB: peak MB beside its messages", stored.bytes / 1_000_000),
        wanted: MEMORY_BESIDE_MESSAGES / 1e6,
        measured: (large.peak as f64 - under_way) / 1e6,
    };
    beside_curl.into_iter().chain([memory]).collect()
}
