//! What the C source asks of a board: little memory and nothing of a libc.

use std::path::PathBuf;
use std::process::Command;

use super::build::{STRICT, crate_folder, run};

fn object(name: &str, more: &[&str]) -> PathBuf {
    let object =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.o", std::process::id()));
    let mut compiler = Command::new("cc");
    compiler.args(STRICT).args(["-Os", "-ffreestanding", "-c"]).args(more);
    compiler.arg(crate_folder().join("c/station_device.c")).arg("-o").arg(&object);
    run(&mut compiler);
    object
}

#[test]
fn the_source_needs_no_function_beyond_memcpy_and_its_likes() {
    let object = object("symbols", &[]);
    let symbols = run(Command::new("nm").arg("--undefined-only").arg(object));
    let needed = symbols.lines().filter_map(|line| line.split_whitespace().last());
    let mem = ["memcpy", "memmove", "memset", "memcmp"];
    // What a position-independent host object asks of its linker is not of the source.
    let own: Vec<&str> =
        needed.filter(|name| !mem.contains(name) && !name.starts_with('_')).collect();
    assert!(own.is_empty(), "{own:?}");
}

#[test]
fn the_source_has_no_memory_of_its_own() {
    let object = object("sections", &[]);
    let symbols = run(Command::new("nm").arg(object));
    let variables = symbols.lines().filter(|line| {
        let kind = line.split_whitespace().rev().nth(1);
        matches!(kind, Some("b" | "B" | "d" | "D" | "C"))
    });
    assert_eq!(variables.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_small_frame_buffer_compiles() {
    object("small", &["-DSTATION_FRAME_CAPACITY=300"]);
}
