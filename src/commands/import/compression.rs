//! Compressed files, known by their first bytes, and read through the programs that decompress them: mail servers start `ingress` too
//! often for it to carry decoders.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstandard,
    Xz,
    Bzip2,
    /// Dovecot's own framing of LZ4, which lz4(1) does not read.
    DovecotLz4,
}

/// How much of a file tells whether it is compressed.
pub(super) const MAGIC: usize = 11;

impl Compression {
    /// Of a file that begins so.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        // The second is what compress(1) writes, which gzip reads as well.
        const MAGICS: [(&[u8], Compression); 6] = [
            (b"\x1f\x8b\x08", Compression::Gzip),
            (b"\x1f\x9d", Compression::Gzip),
            (b"\x28\xb5\x2f\xfd", Compression::Zstandard),
            (b"\xfd7zXZ\0", Compression::Xz),
            (b"BZh", Compression::Bzip2),
            (b"Dovecot-LZ4", Compression::DovecotLz4),
        ];
        let (_, compression) = MAGICS.iter().find(|(magic, _)| head.starts_with(magic))?;
        Some(*compression)
    }

    /// The program that decompresses it, and the one that an administrator would name.
    fn programs(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Gzip => Some(("gzip", "zcat")),
            Self::Zstandard => Some(("zstd", "zstdcat")),
            Self::Xz => Some(("xz", "xzcat")),
            Self::Bzip2 => Some(("bzip2", "bzcat")),
            Self::DovecotLz4 => None,
        }
    }
}

/// What a compressed file holds.
#[derive(Debug)]
pub(super) struct Decompressed {
    child: Child,
    output: ChildStdout,
    program: &'static str,
}

impl Decompressed {
    /// Starts the program that reads `file`, which stands at its beginning.
    ///
    /// # Errors
    ///
    /// When that program is not there; the error says what to do instead.
    pub(super) fn start(file: File, compression: Compression) -> io::Result<Self> {
        let Some((program, by_hand)) = compression.programs() else {
            return Err(io::Error::other(
                "is compressed by dovecot with lz4: doveadm backup -u user maildir:dir writes it uncompressed",
            ));
        };
        let mut command = Command::new(program);
        command.arg("-dc").stdin(Stdio::from(file)).stdout(Stdio::piped()).stderr(Stdio::null());
        // Ctrl-C at the terminal is for us: what is under way is read to its end.
        let started = command.process_group(0).spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => io::Error::other(Missing { program, by_hand }),
            _ => error,
        });
        let mut child = started?;
        let output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(Self { child, output, program })
    }
}

impl Read for Decompressed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.output.read(buffer)?;
        if length == 0 && !buffer.is_empty() && !self.child.wait()?.success() {
            return Err(io::Error::other(format!("{} cannot decompress it", self.program)));
        }
        Ok(length)
    }
}

/// Nobody reads on: the program need not either.
impl Drop for Decompressed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[derive(Debug)]
struct Missing {
    program: &'static str,
    by_hand: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, by_hand } = self;
        write!(
            formatter,
            "is compressed, and {program} is not here; where it is: {by_hand} file | ingress import -"
        )
    }
}

impl std::error::Error for Missing {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};

    #[test]
    fn a_compressed_file_is_known_by_its_first_bytes() {
        assert_eq!(Compression::of(b"\x1f\x8b\x08\0"), Some(Compression::Gzip));
        assert_eq!(Compression::of(b"BZh91AY"), Some(Compression::Bzip2));
        for head in [&b""[..], b"\x1f", b"From: a@b\n"] {
            assert_eq!(Compression::of(head), None);
        }
    }

    #[test]
    fn what_is_damaged_is_an_error() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"\x1f\x8b\x08 nothing that gzip wrote").unwrap();
        file.rewind().unwrap();
        let error = Decompressed::start(file, Compression::Gzip)
            .and_then(|mut decompressed| decompressed.read_to_end(&mut Vec::new()))
            .unwrap_err();
        let said = error.to_string();
        assert!(
            said == "gzip cannot decompress it" || said.starts_with("is compressed, and gzip is not here")
        );
    }
}
