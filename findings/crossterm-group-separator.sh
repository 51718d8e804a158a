#!/usr/bin/env bash
# crossterm 0.29: the four information separators that GS1 labels, and the two-dimensional
# symbols of ISO/IEC 15434, carry between their fields come from a scanner that works as a
# keyboard as the single bytes 0x1C to 0x1F. A terminal program gets them as *digits with
# Control held*: GS (0x1D) is Ctrl-5. One would guess a character U+001D, or Ctrl-], which is
# the key that makes this byte on an ASCII keyboard. Whoever keeps the plain characters of a
# scan then joins two fields into one, and whoever drops the modifier gets a label with a digit
# that was never printed: 21ABC<GS>10LOT reads as 21ABC510LOT.
#
# Seen: 0x1C Ctrl-4, 0x1D Ctrl-5, 0x1E Ctrl-6, 0x1F Ctrl-7.
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
crossterm = "=0.29.0"
T
cat >src/main.rs <<'T'
use crossterm::event::{Event, KeyCode, KeyEventKind, read};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};

fn main() {
    enable_raw_mode().unwrap();
    print!("ready\r\n");
    let mut seen = Vec::new();
    loop {
        let Event::Key(key) = read().unwrap() else { continue };
        if key.kind != KeyEventKind::Press {
            continue;
        }
        if key.code == KeyCode::Enter {
            break;
        }
        seen.push(format!("{:?}+{:?}", key.code, key.modifiers));
    }
    disable_raw_mode().unwrap();
    println!("seen {}", seen.join(" "));
}
T
cargo build -q
cat >type.py <<'P'
"""Runs the program in a pseudo-terminal and types one label, as a scanner would."""
import os
import pty
import sys

child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])


def until(word):
    text = b""
    while word not in text:
        text += os.read(terminal, 1024)
    return text


until(b"ready")
os.write(terminal, b"A\x1cB\x1dC\x1eD\x1fE\r")
line = until(b"seen ")
while not line.endswith(b"\n"):
    line += os.read(terminal, 1024)
print(line[line.rindex(b"seen "):].decode().strip())
P
told="$(python3 type.py target/debug/seen)"
echo "$told"
control='KeyModifiers(CONTROL)'
expected="seen Char('A')+KeyModifiers(SHIFT)"
expected+=" Char('4')+$control Char('B')+KeyModifiers(SHIFT)"
expected+=" Char('5')+$control Char('C')+KeyModifiers(SHIFT)"
expected+=" Char('6')+$control Char('D')+KeyModifiers(SHIFT)"
expected+=" Char('7')+$control Char('E')+KeyModifiers(SHIFT)"
[ "$told" = "$expected" ] || { echo "changed: expected $expected" >&2; exit 1; }
