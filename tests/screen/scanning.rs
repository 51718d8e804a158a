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
        let shown = screen.wait_for("Esc: seen");
        assert!(shown.contains("E-SCAN-PATTERN"), "{shown}");
        screen.keys(&["Escape"]);
        screen.wait_until("seen", |screen| !screen.contains("Esc: seen"));
    }
    screen.leave();
}

#[test]
fn a_label_is_burned_from_every_page_and_a_field_stays_as_it_was() {
    let works = Works::new(&["A"], "any");
    let _devices = works.devices("A", &["--units", "8"]);
    let screen = works.screen((120, 40), "");
    for page in 1..=8 {
        screen.keys(&[&format!("F{page}")]);
        if page == 3 {
            screen.keys(&["T"]);
            screen.wait_for("▸ T▏");
        }
        screen.scans(&label(page));
        screen.wait_until("it is proven", |_| {
            let units = works.json(&["unit", "list", "--state", "proven"]);
            units.iter().any(|unit| unit["serial"] == label(page).as_str())
        });
        if page == 3 {
            screen.wait_for("▸ T▏");
            screen.keys(&["BSpace"]);
        }
    }
    screen.keys(&["F2"]);
    screen.wait_for(&label(8));
    screen.leave();
}

#[test]
fn what_was_scanned_for_a_slot_is_taken_back_by_a_key() {
    let works = Works::new(&["A", "B"], "slot");
    let screen = works.screen((80, 24), "");
    for page in ["F2", "F3"] {
        screen.keys(&[page]);
        screen.scans("SLOT:B");
        screen.wait_for("Slot B: scan the label.");
        screen.keys(&["C-x"]);
        screen.wait_until("no slot is chosen", |shown| !shown.contains("Slot B: scan"));
    }
    screen.keys(&["F2"]);
    screen.scans("SLOT:B");
    screen.wait_for("Slot B: scan the label.");
    screen.scans(&label(1));
    screen.wait_for("put the device in");
    screen.keys(&["C-x"]);
    screen.wait_until("nothing waits", |shown| !shown.contains(&label(1)));
    let shown = screen.wait_for("Scan the slot");
    assert!(!shown.contains("E-SCAN"), "{shown}");
    screen.leave();
    works.holds(&[]);
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

/// What a hostile or a torn label holds: keys that would end or change the screen, and a
/// command for the shell behind it.
const HOSTILE: [&[u8]; 6] =
    [b"\x03", b"\x1b[21~", b"\x03\x03\r", b"\x1bOP\x1b[21~\r", b"\x18\x10\x0f\x15", b"\x1b\x1b"];

#[test]
fn a_label_ends_no_screen_and_types_nothing_into_the_shell_behind_it() {
    let works = Works::new(&["A"], "any");
    let screen = works.screen((120, 40), "");
    let mut scanner = screen.keyboard();
    let file = works.path("written");
    let command = format!("{};echo pwned >{}\r", label(1), file.display());
    for pause in [2, 5, 10, 20] {
        for hostile in HOSTILE {
            scanner.sends(&[hostile, command.as_bytes()].concat(), pause);
            // Where this machine made a pause of its own, a key may have stood alone, and asks.
            let shown = screen.wait_until("what became of it", |shown| {
                shown.contains("REFUSED") || shown.contains("Leave?")
            });
            assert!(screen.has_alternate_screen() && !shown.contains("left="), "{shown}");
            screen.wait_until("it is seen", |shown| {
                let is_clear = !shown.contains("REFUSED") && !shown.contains("Leave?");
                if !is_clear {
                    screen.keys(&["Escape"]);
                }
                is_clear
            });
        }
    }
    screen.leave();
    // What a shell was given by then would have been carried out before this.
    screen.types("echo after");
    screen.wait_until("the shell", |shown| shown.lines().any(|line| line.trim() == "after"));
    assert!(!file.exists(), "the shell was typed into");
    works.holds(&[]);
}
