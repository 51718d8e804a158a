//! A scanner types 5 ms a character, on every page and over a dialog.

use super::works::{Works, label};

#[test]
fn a_scan_at_scanner_speed_is_one_on_every_page() {
    let works = Works::new(&["A"], "any");
    let screen = works.screen((80, 24), "");
    let mut scanner = screen.keyboard();
    for page in 1..=8 {
        screen.keys(&[&format!("F{page}")]);
        scanner.scans("TH200-1");
        screen.wait_for("E-SCAN-PATTERN");
        screen.keys(&["Escape"]);
        screen.wait_until("seen", |screen| !screen.contains("E-SCAN-PATTERN"));
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
