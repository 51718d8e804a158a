//! A scanner types 5 ms a character, on every page and over a dialog.

use super::works::{Works, label};

#[test]
fn a_scan_at_scanner_speed_is_one_on_every_page() {
    let works = Works::new(&["A"], "slot");
    let screen = works.screen((80, 24), "");
    let mut scanner = screen.keyboard();
    for page in 1..=8 {
        screen.keys(&[&format!("F{page}")]);
        scanner.scans("slot:A");
        screen.wait_for("Slot A: scan the label.");
        scanner.scans("TH200-1");
        screen.wait_for("E-SCAN-PATTERN");
        screen.keys(&["Escape"]);
        screen.wait_until("seen", |screen| !screen.contains("E-SCAN-PATTERN"));
        // The choice is for one accepted label; it is still there and used up by this one.
        scanner.scans(&label(page));
        screen
            .wait_until("bound to its slot", |screen| !screen.contains("Slot A: scan the label."));
        screen.keys(&["F2"]);
        screen.wait_for("put the device in");
        screen.keys(&["C-x"]);
        screen.wait_until("taken back", |screen| !screen.contains("put the device in"));
    }
    screen.keys(&["F10"]);
    screen.wait_for("left=0");
}

#[test]
fn a_scan_over_a_question_is_a_scan_and_answers_nothing() {
    let works = Works::new(&["A"], "any");
    // A device that takes long, so that the question stays.
    let _devices = works.devices("A", &["--boot-ms", "20000"]);
    let screen = works.screen((80, 24), "");
    let mut scanner = screen.keyboard();
    screen.wait_for("device waits for a scan");
    scanner.scans(&label(1));
    screen.wait_for("restart");
    screen.keys(&["F10"]);
    screen.wait_for("Leave?");
    // Longer than the time in which the question takes no keys at all.
    std::thread::park_timeout(std::time::Duration::from_millis(400));
    scanner.scans("NOT-A-LABEL-1");
    let shown = screen.wait_for("E-SCAN-PATTERN");
    assert!(shown.contains("Leave?"), "{shown}");
    screen.keys(&["Escape"]);
    screen.wait_until("answered by its own key", |screen| !screen.contains("Leave?"));
}
