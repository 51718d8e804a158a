//! The demo on the screen: it comes to its end by itself, and its devices can be moved by hand.

use std::process::{Command, Stdio};

use super::tmux::Tmux;

/// A demo in a terminal, with its directory.
fn demo(folder: &tempfile::TempDir, units: &str, slots: &str) -> Tmux {
    let terminal = Tmux::new(folder.path(), (120, 40));
    let (station, dir) = (env!("CARGO_BIN_EXE_station"), folder.path().join("demo"));
    let line = format!("{station} demo --units {units} --slots {slots} --dir {}", dir.display());
    terminal.types(&format!("{line}; echo left=$?"));
    terminal
}

/// The sum that a demo ends with: passed, failed, uncertain.
fn sum(screen: &str) -> Option<[u32; 3]> {
    let line = screen.lines().find(|line| line.contains("done: "))?;
    let numbers = line.split_once("done: ")?.1.split(|c: char| !c.is_ascii_digit());
    let mut numbers = numbers.filter_map(|number| number.parse().ok());
    Some([numbers.next()?, numbers.next()?, numbers.next()?])
}

#[test]
fn a_demo_ends_with_its_sum_and_what_was_on_hold_can_be_put_back() {
    let folder = tempfile::tempdir().unwrap();
    // One slot, so that the third unit is the one that withholds its proof.
    let terminal = demo(&folder, "4", "1");
    let first = terminal.wait_for("identify");
    assert!(!first.contains("WARNING"), "{first}");
    let hold = terminal.wait_for("HOLD");
    assert!(hold.contains("TH200-00000003"), "{hold}");
    let over = terminal.wait_until("its sum", |screen| sum(screen).is_some());
    let [passed, failed, uncertain] = sum(&over).unwrap();
    assert_eq!((passed + failed, uncertain), (3, 1), "{over}");
    terminal.keys(&["C-r"]);
    terminal.wait_until("it is proven after all", |screen| {
        sum(screen) == Some([passed + 1, failed, 0])
    });
    terminal.leave();
}

#[test]
fn a_device_that_is_pulled_in_mid_work_comes_back_by_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let terminal = demo(&folder, "2", "1");
    terminal.wait_for("write");
    let hand = |act: &str| {
        let link = folder.path().join("demo/ports/A");
        let mut command = Command::new(env!("CARGO_BIN_EXE_station"));
        command.args(["sim", act]).arg(link).stdin(Stdio::null()).stdout(Stdio::null());
        command.status().unwrap().code()
    };
    assert_eq!(hand("pull"), Some(0));
    terminal.wait_for("FAIL");
    assert_eq!(hand("pull"), Some(2), "the slot is empty");
    assert_eq!(hand("put"), Some(0));
    terminal.wait_until("its sum", |screen| sum(screen) == Some([1, 1, 0]));
    terminal.leave();
}
