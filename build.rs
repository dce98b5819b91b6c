//! Links GCC's unwinder into the binary where that can be had: a process that lives two milliseconds starts a tenth sooner with one
//! shared library less to load.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script everything by the environment")]

use std::env;
use std::path::Path;
use std::process::Command;

const UNWINDER: &str = "libgcc_eh.a";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=RUSTC_LINKER");
    if is_dynamic_glibc() && has_unwinder() {
        println!("cargo:rustc-link-lib=gcc_eh");
    }
}

/// A static binary has it anyway, other systems have another. The compiler of this machine knows nothing of another's libraries.
fn is_dynamic_glibc() -> bool {
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let is_static = env::var("CARGO_CFG_TARGET_FEATURE")
        .is_ok_and(|features| features.split(',').any(|one| one == "crt-static"));
    let native = env::var("HOST").is_ok_and(|host| is("TARGET", &host));
    is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu") && native && !is_static
}

/// The linker says where it finds a library, or repeats the bare name.
fn has_unwinder() -> bool {
    let linker = env::var("RUSTC_LINKER").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(linker).arg(format!("-print-file-name={UNWINDER}")).output();
    output.is_ok_and(|output| Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_absolute())
}
