//! Ways out, and what the terminal and the ledger look like behind them.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Instant;

use super::LONG;
use super::tmux::Tmux;
use super::works::{Works, label};

/// The process of the station, which the terminal's shell started.
fn station(screen: &Tmux) -> String {
    let children = Command::new("pgrep").args(["-P", &screen.shell()]).output().unwrap();
    String::from_utf8(children.stdout).unwrap().trim().to_owned()
}

fn signal(screen: &Tmux, name: &str) {
    let sent = Command::new("kill").args([name, &station(screen)]).status().unwrap();
    assert!(sent.success());
}

/// The terminal is a terminal again: lines are edited, characters are echoed.
#[track_caller]
fn is_sane(screen: &Tmux) {
    assert!(!screen.has_alternate_screen());
    screen.types("stty -a; echo said");
    let shown = screen.wait_until("the terminal's settings", |screen| {
        screen.contains("icanon") && screen.lines().any(|line| line.trim() == "said")
    });
    for setting in ["-icanon", "-echo ", "-isig", "-icrnl"] {
        assert!(!shown.contains(setting), "{setting}\n{shown}");
    }
}

/// A screen with a unit under way, which takes long enough to be cut off.
fn in_mid_unit(works: &Works, environment: &str) -> Tmux {
    let screen = works.screen((80, 24), environment);
    screen.wait_for("device waits for a scan");
    screen.scans(&label(1));
    screen.wait_for("write");
    screen
}

const SLOW: [&str; 2] = ["--chunk-ms", "3000"];

#[test]
fn a_signal_lands_the_line_and_gives_the_terminal_back() {
    for name in ["-TERM", "-HUP", "-INT"] {
        let works = Works::new(&["A"], "any");
        let _devices = works.devices("A", &SLOW);
        let screen = in_mid_unit(&works, "");
        signal(&screen, name);
        screen.wait_for("left=130");
        is_sane(&screen);
        let unit = &works.json(&["unit", "show", &label(1)])[0];
        assert_eq!(unit["attempts"][0]["outcome"], "interrupted", "{name}");
        works.holds(&[]);
    }
}

#[test]
fn a_panic_of_the_screen_gives_the_terminal_back_and_lands_the_line() {
    let works = Works::new(&["A"], "any");
    let _devices = works.devices("A", &SLOW);
    let screen = in_mid_unit(&works, "STATION_TEST_PANIC=1");
    screen.keys(&["F12"]);
    let shown = screen.wait_for("left=70");
    assert!(shown.contains("error[E-BUG]") && shown.contains("broken on purpose"), "{shown}");
    is_sane(&screen);
    let unit = &works.json(&["unit", "show", &label(1)])[0];
    assert_eq!(unit["attempts"][0]["outcome"], "interrupted");
    works.holds(&[]);
}

#[test]
fn an_error_at_the_start_is_said_on_a_sane_terminal() {
    let works = Works::new(&["A"], "any");
    std::fs::remove_file(works.path("ca.key")).unwrap();
    let screen = Tmux::new(works.path(".").as_path(), (80, 24));
    let (station, config) = (env!("CARGO_BIN_EXE_station"), works.path("station.toml"));
    let config = config.display();
    screen.types(&format!(
        "STATION_AUTHORITY_PASSPHRASE=x {station} --config {config}; echo left=$?"
    ));
    let shown = screen.wait_for("left=7");
    assert!(shown.contains("error[E-CA-MISSING]"), "{shown}");
    is_sane(&screen);
}

#[test]
fn a_ledger_that_is_damaged_under_the_screen_stops_the_line_and_is_set_aside() {
    let works = Works::new(&["A"], "any");
    let _devices = works.devices("A", &["--units", "9"]);
    let screen = works.screen((80, 24), "");
    screen.scans(&label(1));
    screen.wait_for(&format!("PASS {}", label(1)));
    // Everything goes into the file, and then all of it but its header is spoilt.
    let file = works.path("data/ledger.db");
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    rusqlite::Connection::open(&file).unwrap().query_row(checkpoint, [], |_| Ok(())).unwrap();
    let mut spoilt = OpenOptions::new().write(true).open(&file).unwrap();
    let pages = spoilt.metadata().unwrap().len() / 4096;
    for page in 1..pages {
        spoilt.seek(SeekFrom::Start(page * 4096)).unwrap();
        spoilt.write_all(&[0x5a; 256]).unwrap();
    }
    drop(spoilt);
    screen.scans(&label(2));
    screen.wait_for("E-LEDGER-CORRUPT");
    screen.confirm_until("left=4", |shown| shown.contains("E-LEDGER-CORRUPT"));
    let shown = screen.wait_for("set aside as");
    assert!(shown.contains("station ledger restore --newest"), "{shown}");
    is_sane(&screen);
    assert!(!file.exists());
}

#[test]
fn a_terminal_that_stops_reading_stops_no_burn() {
    let works = Works::new(&["A"], "any");
    works.succeeds(&["work-order", "create", "WO-1", "--quantity", "1"]);
    let _devices = works.devices("A", &["--chunk-ms", "300"]);
    let run = format!("stty cols 120 rows 40; exec {}", works.run_line());
    let mut script = Command::new("script");
    script.args(["-qfec", &run, "/dev/null"]).env("TERM", "xterm").env("LC_ALL", "C.UTF-8");
    let mut script = script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut keys, mut shown) = (script.stdin.take().unwrap(), script.stdout.take().unwrap());
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let is_read = Arc::new(AtomicBool::new(true));
    let still = Arc::clone(&is_read);
    let reading = std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while still.load(Ordering::SeqCst) && shown.read(&mut bytes).unwrap() > 0 {}
        may_go_on.recv().unwrap();
        shown.read_to_end(&mut Vec::new())
    });
    let deadline = Instant::now() + LONG;
    // Now and then, with silence between: what comes without is one scan of several lines.
    let mut asked = 0_u32;
    while works.json(&["unit", "list"]).is_empty() {
        if asked.is_multiple_of(50) {
            keys.write_all(format!("{}\r", label(1)).as_bytes()).unwrap();
        }
        asked += 1;
        assert!(Instant::now() < deadline, "no scan is taken");
    }
    // From here on nobody reads, and pages that are drawn again and again fill what is between.
    is_read.store(false, Ordering::SeqCst);
    let is_proven = || works.json(&["unit", "list", "--state", "proven"]).len() == 1;
    while !is_proven() {
        // The other language, again with silence between.
        if asked.is_multiple_of(10) {
            keys.write_all(b"\x1b[20~").unwrap();
        }
        asked += 1;
        assert!(Instant::now() < deadline, "the burn waits for the terminal");
    }
    assert!(script.try_wait().unwrap().is_none());
    go_on.send(()).unwrap();
    // It is told to leave by a signal, since its keys wait behind what is drawn.
    let station = Command::new("pgrep").args(["-P", &script.id().to_string()]).output().unwrap();
    let station = String::from_utf8(station.stdout).unwrap();
    assert!(Command::new("kill").args(["-TERM", station.trim()]).status().unwrap().success());
    assert_eq!(script.wait().unwrap().code(), Some(130));
    reading.join().unwrap().unwrap();
    works.holds(&[(1, "proven")]);
}

#[test]
fn a_resize_storm_leaves_a_whole_screen() {
    let works = Works::new(&["A", "B"], "any");
    let _devices = works.devices("A", &["--units", "9"]);
    let screen = works.screen((80, 24), "");
    for round in 0..40_u16 {
        screen.resize(20 + round * 7 % 150, 5 + round * 5 % 50);
        if round == 20 {
            screen.scans(&label(1));
        }
    }
    screen.resize(100, 30);
    screen.wait_until("the whole screen", |screen| {
        screen.contains("F10 Quit") && screen.contains("PASS") && screen.contains(&label(1))
    });
    screen.leave();
    works.holds(&[(1, "proven")]);
}

#[test]
fn without_a_terminal_the_screen_says_what_to_use_instead() {
    let output = Command::new(env!("CARGO_BIN_EXE_station"))
        .args(["--config", "/nowhere.toml", "run"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3), "the configuration is read first");
}
