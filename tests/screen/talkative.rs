//! What a library writes to standard error does not stay on the screen: it goes to the log.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use super::works::Works;

/// The library, put before all others.
fn library(works: &Works) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/screen/talkative.c");
    let library = works.path("talkative.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-Wall", "-Werror", "-pthread", "-o"]).arg(&library);
    assert!(compiler.arg(source).status().unwrap().success());
    library
}

#[test]
fn what_a_library_writes_while_the_screen_stands_is_in_the_log_and_not_on_the_screen() {
    let works = Works::new(&["A"], "insert");
    let (pipe, log) = (works.path("talk"), works.path("station.log"));
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let environment =
        format!("LD_PRELOAD={} TALKATIVE={}", library(&works).display(), pipe.display());
    let screen = works.screen_logged(&environment, &log);
    // A name that no screen shows by itself, and no escape that a terminal obeys.
    let mut talk = OpenOptions::new().write(true).open(&pipe).unwrap();
    talk.write_all(b"softtoken: \x1b[2Jslot 7 is odd\n").unwrap();
    let told = || fs::read_to_string(&log).unwrap_or_default();
    screen.wait_until("the library's line in the log", |_| told().contains("slot 7 is odd"));
    let told = told();
    assert!(told.contains("station::stderr") && !told.contains('\x1b'), "{told}");
    assert!(!screen.screen().contains("slot 7"), "{}", screen.screen());
    assert!(screen.screen().contains("Scan a label"), "{}", screen.screen());
    // The terminal is standard error again for what the command says in the end.
    screen.leave();
}
