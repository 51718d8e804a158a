#!/usr/bin/env bash
# signal-hook 0.4.6: a part of a program that watches for SIGTERM while it has something to bring to
# an end, and drops its `Signals` when that is done. The action is gone with it, and the handler
# stays installed without one, for as long as the process lives: SIGTERM does nothing any more, to a
# program whose other parts never heard of signals. One would guess that what `drop` takes away
# leaves what was there before, which for SIGTERM is the end of the process. A service that works
# in steps, each with a watch of its own, can't be stopped between them; systemd kills it after its
# timeout, in the middle of the next step. `flag::register_conditional_shutdown`, once at the
# start, ends the process wherever nobody watches.
#
# Seen, SIGTERM to a child that waits for its standard input:
#   never watched:            ended by signal 15
#   watched, and let go of:   still there
#   the same, with the flag:  ended with 143
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir src
cat >Cargo.toml <<'T'
[package]
name = "seen"
version = "0.0.0"
edition = "2024"
[dependencies]
signal-hook = "=0.4.6"
T
cat >src/main.rs <<'T'
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGTERM;
use signal_hook::flag::register_conditional_shutdown;
use signal_hook::iterator::Signals;

fn child(how: &str) {
    if how == "flag" {
        register_conditional_shutdown(SIGTERM, 143, Arc::new(AtomicBool::new(true))).unwrap();
    }
    if how != "never" {
        drop(Signals::new([SIGTERM]).unwrap());
    }
    // Each line is answered, so that who asks knows that this process lives.
    for line in std::io::stdin().lines() {
        println!("{}", line.unwrap());
    }
}

/// Whether it answers; a child that ended closes its end.
fn answers(child: &mut Child, said: &mut impl BufRead) -> bool {
    let mut line = String::new();
    let asked = writeln!(child.stdin.as_mut().unwrap(), "there?");
    asked.is_ok() && said.read_line(&mut line).unwrap() > 0
}

fn seen(how: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(how).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    assert!(answers(&mut child, &mut said));
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    // A signal is delivered before the next system call of the child returns.
    let is_there = answers(&mut child, &mut said) && answers(&mut child, &mut said);
    drop(child.stdin.take());
    let status = child.wait().unwrap();
    match (is_there, status.signal(), status.code()) {
        (true, ..) => "still there".to_owned(),
        (false, Some(signal), _) => format!("ended by signal {signal}"),
        (false, None, code) => format!("ended with {}", code.unwrap()),
    }
}

fn main() {
    if let Some(how) = std::env::args().nth(1) {
        return child(&how);
    }
    let all = ["never", "let go of", "flag"].map(seen);
    println!("never watched:            {}", all[0]);
    println!("watched, and let go of:   {}", all[1]);
    println!("the same, with the flag:  {}", all[2]);
    assert_eq!(all, ["ended by signal 15", "still there", "ended with 143"]);
}
T
cargo run -q
