//! Builds the C device for the host, strictly, with sanitizers.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// What a firmware engineer's own compiler may ask as well.
pub(crate) const STRICT: [&str; 6] =
    ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion"];

const SANITIZED: [&str; 5] = [
    "-O1",
    "-g",
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=all",
    "-fno-omit-frame-pointer",
];

/// The folder of this crate.
pub(crate) fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The board's program, built once in each test process.
pub(crate) fn board_program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build_board)
}

fn build_board() -> PathBuf {
    // Another device source can be put to the same tests: that is how they are tested.
    let device = std::env::var_os("STATION_C_DEVICE").map(PathBuf::from);
    let device = device.unwrap_or_else(|| crate_folder().join("c/station_device.c"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join(format!("c-board-{}", std::process::id()));
    let sources = ["firmware/sha256.c", "c/host/board.c"].map(|path| crate_folder().join(path));
    let mut compiler = Command::new("cc");
    compiler.args(STRICT).args(SANITIZED).arg("-I").arg(crate_folder().join("c"));
    compiler.arg(device).args(sources).arg("-o").arg(&program);
    run(&mut compiler);
    program
}

/// Runs a tool and shows what it says if it fails.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().expect("a C compiler is installed as `cc`");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
