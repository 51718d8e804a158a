//! A disk and a clock that fail on command: `faulty.c`, put before libc.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// The library, built once for all tests of this process.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/line/faulty.c");
        let name = format!("faulty-{}.so", std::process::id());
        let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&library);
        let built = compiler.arg(source).arg("-ldl").status().unwrap();
        assert!(built.success(), "cc could not build {source}");
        library
    })
}

/// Has a command run on a disk, or under a clock, that fails so.
pub(crate) fn faulty(command: &mut Command, fault: &str, value: &str) {
    command.env("LD_PRELOAD", library()).env(fault, value);
}
