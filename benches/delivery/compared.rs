//! Which programs are compared, how each is called over each transport, and the files that they need for it.

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

use crate::endpoint::{Endpoint, PASSWORD};
use crate::message::RECIPIENT;
use crate::program::Program;

/// Where distributions keep all root certificates in one file: Debian, Fedora, SUSE, Alpine.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Http,
    /// The authority's certificate stands alone in a file.
    CaFile,
    /// The authority's certificate stands among all those that the system trusts.
    SystemRoots,
}

impl Transport {
    pub(crate) const ALL: [Self; 3] = [Self::Http, Self::CaFile, Self::SystemRoots];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::CaFile => "https, CA file",
            Self::SystemRoots => "https, system roots",
        }
    }

    /// What exactly is compared, where the name does not say it.
    pub(crate) fn note(self) -> &'static str {
        match self {
            Self::Http => "",
            Self::CaFile => " (one certificate: ingress `ca_file`, curl --cacert, floor's argument)",
            Self::SystemRoots => {
                " (the system's bundle plus one: ingress SSL_CERT_FILE, curl CURL_CA_BUNDLE)"
            }
        }
    }
}

pub(crate) struct Compared {
    folder: TempDir,
    ingress: PathBuf,
    curl: PathBuf,
    floor: PathBuf,
    http_url: String,
    https_url: String,
}

impl Compared {
    /// Finds or builds the programs; writes the password and the certificates.
    pub(crate) fn prepare(ingress: &Path, endpoint: &Endpoint) -> Result<Self> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let compared = Self {
            ingress: install(ingress, folder.path())?,
            curl: locate("curl").context("curl is not installed")?,
            floor: install(&build_floor()?, folder.path())?,
            folder,
            http_url: endpoint.http_url(),
            https_url: endpoint.https_url(),
        };
        let mut secret = OpenOptions::new();
        secret.mode(0o600).write(true).create_new(true);
        writeln!(secret.open(compared.file("password"))?, "{PASSWORD}")?;
        fs::write(compared.file("authority.pem"), &endpoint.authority)?;
        fs::write(compared.file("bundle.pem"), system_bundle()? + &endpoint.authority)?;
        Ok(compared)
    }

    /// `ingress`, curl, and where it makes sense the floor.
    pub(crate) fn over(&self, transport: Transport) -> Result<Vec<Program>> {
        let mut programs = vec![self.ingress(transport)?, self.curl(transport)];
        programs.extend(self.floor(transport));
        Ok(programs)
    }

    /// A path in the folder that goes when the measurements end.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file_name(&self, name: &str) -> String {
        self.file(name).display().to_string()
    }

    fn url(&self, transport: Transport) -> &str {
        if transport == Transport::Http { &self.http_url } else { &self.https_url }
    }

    fn ingress(&self, transport: Transport) -> Result<Program> {
        let configuration = self.file_name(&format!("{}.toml", transport.name()));
        let mut lines = format!("url = {:?}\nlog = \"off\"\n", self.url(transport));
        lines += &format!("password_file = {:?}\n", self.file_name("password"));
        if transport == Transport::CaFile {
            lines += &format!("ca_file = {:?}\n", self.file_name("authority.pem"));
        }
        fs::write(&configuration, lines)?;
        Ok(Program {
            name: "ingress",
            path: self.ingress.clone(),
            arguments: ["-c", &configuration, "-r", RECIPIENT].map(str::to_owned).into(),
            environment: self.environment(transport, "SSL_CERT_FILE"),
            sends_crlf: true,
        })
    }

    /// The recipe that Chatwoot's documentation gives for Postfix.
    fn curl(&self, transport: Transport) -> Program {
        let user = format!("actionmailbox:{PASSWORD}");
        let mut arguments = ["-s", "-o", "/dev/null", "--user", &user].map(str::to_owned).to_vec();
        arguments.extend(["-H", "Content-Type: message/rfc822", "--data-binary", "@-"].map(str::to_owned));
        if transport == Transport::CaFile {
            arguments.extend(["--cacert".to_owned(), self.file_name("authority.pem")]);
        }
        arguments.push(self.url(transport).to_owned());
        Program {
            name: "curl",
            path: self.curl.clone(),
            arguments,
            environment: self.environment(transport, "CURL_CA_BUNDLE"),
            sends_crlf: false,
        }
    }

    /// Reading all the system's roots is no part of the least work, so there the floor is left out.
    fn floor(&self, transport: Transport) -> Option<Program> {
        let mut arguments = vec![self.url(transport).to_owned(), self.file_name("password")];
        match transport {
            Transport::Http => {}
            Transport::CaFile => arguments.push(self.file_name("authority.pem")),
            Transport::SystemRoots => return None,
        }
        let path = self.floor.clone();
        Some(Program { name: "floor", path, arguments, environment: Vec::new(), sends_crlf: false })
    }

    /// HOME is set so that nobody's `.curlrc` takes part.
    fn environment(&self, transport: Transport, roots: &'static str) -> Vec<(&'static str, String)> {
        let mut environment = vec![("HOME", self.folder.path().display().to_string())];
        if transport == Transport::SystemRoots {
            environment.push((roots, self.file_name("bundle.pem")));
        }
        environment
    }
}

/// A copy, written as a package manager writes programs: what the linker wrote lies in memory in smaller pieces,
/// and starts up to a tenth slower.
fn install(program: &Path, folder: &Path) -> Result<PathBuf> {
    let installed = folder.join(program.file_name().unwrap_or_default());
    let content = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let mut executable = OpenOptions::new();
    executable.mode(0o755).write(true).create_new(true);
    executable.open(&installed)?.write_all(&content)?;
    Ok(installed)
}

/// The full path of an installed program.
pub(crate) fn locate(program: &str) -> Option<PathBuf> {
    let found = Command::new("sh").args(["-c", "command -v \"$0\"", program]).output().ok()?;
    let path = String::from_utf8(found.stdout).ok()?;
    found.status.success().then(|| PathBuf::from(path.trim_end()))
}

/// `cargo bench` builds no examples, so the floor is built here, with the profile that `ingress` was built with.
#[expect(
    clippy::disallowed_methods,
    reason = "the inner cargo must not see what the outer one told this program"
)]
fn build_floor() -> Result<PathBuf> {
    let floor = Path::new(env!("CARGO_BIN_EXE_ingress")).with_file_name("floor");
    let profile = match floor.parent().and_then(Path::file_name).and_then(OsStr::to_str) {
        None | Some("debug") => "dev",
        Some(name) => name,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // Build scripts watch these; where they differ, all that depends on ring is built again.
    for (name, _) in std::env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|told| name.to_string_lossy().starts_with(told)) {
            cargo.env_remove(name);
        }
    }
    let status = cargo
        .args(["build", "--quiet", "--profile", profile, "--package", "floor"])
        .args(["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")])
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "cannot build the floor program");
    ensure!(floor.exists(), "the floor program is not where it was expected: {}", floor.display());
    Ok(floor)
}

fn system_bundle() -> Result<String> {
    let bundle = BUNDLES.iter().find_map(|path| fs::read_to_string(path).ok());
    bundle.context("the system has no file of root certificates (Debian: ca-certificates)")
}
