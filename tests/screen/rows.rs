//! Each row of the table in `docs/scanners.md` at the screen: from a scanner at a port it becomes
//! what the page says, and typed as fast as a scanner types, what the page says of that.

#[path = "../scanners/rows.rs"]
mod table;

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use provisioning_station::config::Config;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};

use super::tmux::Tmux;
use super::works::Works;
use table::{Row, Typed, becomes, rows, sections};

const SIZE: (u16, u16) = (110, 30);

/// The rows that one station.toml is for, each with those of its like.
fn alike() -> Vec<Vec<Row>> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    for row in rows() {
        match groups.iter_mut().find(|group| sections(&group[0]) == sections(&row)) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    groups
}

/// A factory whose station.toml says what these rows need, and what is further said of its scanner.
fn works_for(group: &[Row], scanner: &str) -> (Works, Config) {
    let works = Works::new(&["A"], "insert");
    let (settings, labels) = sections(&group[0]);
    works.sets("[scanner]", &format!("[scanner]\n{settings}\n{scanner}"));
    works.adds(&labels);
    let file = works.path("station.toml");
    let text = std::fs::read(&file).unwrap();
    let config = Config::parse(Path::new("station.toml"), PathBuf::from("/etc"), &text);
    (works, config.unwrap())
}

/// The screen says of a row what the page does, and is as it was before it.
#[track_caller]
fn says(screen: &Tmux, row: &Row, config: &Config) {
    match becomes(row, config).0 {
        Ok(reading) => {
            let shown = screen.wait_for(&format!("{} waits", reading.serial));
            assert!(!shown.contains("REFUSED"), "{}: {shown}", row.what);
            screen.keys(&["C-x"]);
            screen.wait_until("nothing waits", |shown| !shown.contains(" waits"));
        }
        Err(fault) => is_refused(screen, fault.code.as_str()),
    }
}

#[track_caller]
fn is_refused(screen: &Tmux, code: &str) {
    screen.wait_for(code);
    screen.keys(&["Escape"]);
    screen.wait_until("it is seen", |shown| !shown.contains("Esc: seen"));
}

/// A scanner at a pseudo-terminal, open at both ends.
struct Scanner {
    sends: File,
    _port: OwnedFd,
}

impl Scanner {
    fn plug(at: &Path) -> Scanner {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let master = openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let port = ioctl_tiocgptpeer(&master, flags).unwrap();
        symlink(ptsname(&master, Vec::new()).unwrap().to_str().unwrap(), at).unwrap();
        Scanner { sends: File::from(master), _port: port }
    }

    fn pull(&mut self, bytes: &[u8]) {
        self.sends.write_all(bytes).unwrap();
    }
}

#[test]
fn each_row_from_a_port_becomes_what_the_page_says() {
    for group in alike() {
        let (works, config) = works_for(&group, "kind = \"serial\"\nport = \"scanner\"");
        let mut scanner = Scanner::plug(&works.path("scanner"));
        let screen = works.screen(SIZE, "");
        let mut was_told = false;
        for row in &group {
            if !becomes(row, &config).1 && !std::mem::replace(&mut was_told, true) {
                // It is told once, and before the first row that would show it beside its own.
                scanner.pull(b"TH200-00000999");
                screen.wait_for("TH200-00000999 waits");
                is_refused(&screen, "E-SCAN-NO-END");
                screen.keys(&["C-x"]);
                screen.wait_until("nothing waits", |shown| !shown.contains(" waits"));
            }
            scanner.pull(&row.sent);
            says(&screen, row, &config);
        }
        screen.leave();
    }
}

#[test]
fn each_row_typed_by_a_scanner_becomes_what_the_page_says() {
    for group in alike() {
        let (works, config) = works_for(&group, "");
        let screen = works.screen(SIZE, "");
        let mut scanner = screen.keyboard();
        for row in &group {
            match row.typed() {
                Typed::Never => {}
                Typed::Alike => {
                    scanner.sends_at_once(&row.sent);
                    says(&screen, row, &config);
                }
                Typed::Keys => {
                    scanner.sends_at_once(&row.sent);
                    is_refused(&screen, "E-SCAN-KEYS");
                }
                Typed::Stays => {
                    scanner.sends_at_once(&row.sent);
                    screen.wait_for(&format!("▸ {}▏", String::from_utf8_lossy(&row.sent)));
                    scanner.sends_at_once(&row.sent);
                    is_refused(&screen, "E-SCAN-NO-END");
                }
            }
        }
        screen.leave();
    }
}
