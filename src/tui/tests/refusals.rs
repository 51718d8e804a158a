//! Each failure and refusal, in plain words, until it is seen.

use super::*;
use crate::model::AutoScan;

fn refused(code: Code, detail: &str) -> UnitReport {
    UnitReport::refused("TH200-00000009", None, Fault::new(code, detail))
}

#[test]
fn a_refusal_stays_until_it_is_seen() {
    let mut walk = Walk::new(2, (80, 24));
    walk.unit(refused(Code::ScanPattern, "the label does not match TH200-[0-9]{8}"));
    insta::assert_snapshot!("refusal_1", walk.screen());
    walk.scans("TH200-00000001");
    walk.wait(60_000);
    assert!(walk.screen().contains("E-SCAN-PATTERN"));
    walk.key(KeyCode::Esc);
    assert!(!walk.screen().contains("E-SCAN-PATTERN"));
}

#[test]
fn several_refusals_are_seen_with_one_key_and_stay_among_the_messages() {
    let mut walk = Walk::new(2, (80, 24));
    walk.unit(refused(Code::ScanPattern, "first"));
    walk.unit(refused(Code::ScanDuplicate, "second"));
    assert!(walk.screen().contains("+1 more"));
    walk.key(KeyCode::Esc);
    let screen = walk.screen();
    assert!(!screen.contains("E-SCAN-PATTERN") && !screen.contains("E-SCAN-DUPLICATE"), "{screen}");
    walk.key(KeyCode::F(7));
    let screen = walk.screen();
    assert!(screen.contains("E-SCAN-PATTERN") && screen.contains("E-SCAN-DUPLICATE"), "{screen}");
}

#[test]
fn a_failure_in_every_size_and_language() {
    for (slots, size) in [(1, (80, 24)), (6, (80, 24)), (16, (80, 24)), (2, (120, 40))] {
        let mut walk = Walk::new(slots, size);
        walk.ends(report("TH200-00000002", "A", Outcome::Fail));
        let name = format!("fail_{slots}_slots_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name.clone(), walk.screen());
        walk.key(KeyCode::F(9));
        insta::assert_snapshot!(format!("{name}_zh"), walk.screen());
    }
}

#[test]
fn troubles_of_slots_are_told_apart() {
    let mut walk = Walk::new(6, (120, 40));
    let silent = Fault::new(Code::DevTimeout, "no answer to IDENTIFY");
    walk.slot("A", SlotStatus::Silent(silent));
    let out = Fault::new(Code::PortBusy, "/dev/ttyUSB1 is in use");
    walk.slot("B", SlotStatus::OutOfService(out));
    walk.slot("C", SlotStatus::Twice(slot("D")));
    walk.slot("D", SlotStatus::Twice(slot("C")));
    let mut unplugged = report("TH200-00000002", "E", Outcome::Fail);
    unplugged.fault = Some(Fault::new(Code::DevUnplugged, "the port vanished"));
    walk.ends(unplugged);
    walk.slot("F", SlotStatus::Ready(hardware(6)));
    insta::assert_snapshot!("troubles", walk.screen());
    walk.key(KeyCode::F(9));
    insta::assert_snapshot!("troubles_zh", walk.screen());
}

#[test]
fn what_a_label_or_device_says_never_reaches_the_terminal_raw() {
    let nasty = "\u{1b}[2J\u{202e}\u{5d0}\u{6d4b}\u{7f}\r\n\u{9b}1m";
    let mut walk = Walk::new(1, (120, 40));
    let mut failed = report(nasty, "A", Outcome::Fail);
    failed.fault = Some(Fault::new(Code::DevMalformed, format!("it says {nasty}")));
    walk.ends(failed.clone());
    failed.slot = None;
    walk.unit(failed);
    for _ in 0..2 {
        let screen = walk.screen();
        for c in ['\u{1b}', '\u{202e}', '\u{5d0}', '\u{7f}', '\r', '\u{9b}', '\u{6d4b}'] {
            assert!(!screen.contains(c), "{c:?}");
        }
        assert!(screen.contains("\\u{1b}[2J"));
        walk.key(KeyCode::Esc);
    }
}

#[test]
fn a_line_that_stopped_says_why_before_the_screen_goes() {
    let mut walk = Walk::new(2, (80, 24));
    let fault = Fault::new(Code::LedgerWrite, "a write to the ledger failed: disk I/O error");
    walk.line(Event::Stopping(Some(fault)));
    walk.line(Event::Ended);
    insta::assert_snapshot!("stopped", walk.screen());
    assert!(!walk.model.is_over());
    walk.wait(400);
    walk.key(KeyCode::Enter);
    assert!(walk.model.is_over());
}

#[test]
fn a_refused_scan_is_no_unit_of_a_demo_s_sum() {
    let demo = |setup: &mut Setup| setup.auto_scan = Some(AutoScan::new(Vec::new()));
    let mut walk = Walk::with(1, (120, 24), demo);
    walk.unit(refused(Code::ScanCharacters, "character 5 is '\\u{1d}'"));
    let screen = walk.screen();
    assert!(screen.contains("done: 0 passed, 0 failed, 0 uncertain"), "{screen}");
}

#[test]
fn slots_that_are_busy_are_not_said_to_be_looked_at() {
    let mut walk = Walk::new(2, (80, 24));
    walk.model.wanted = 0;
    let mut hint = |status: SlotStatus| {
        for tile in &mut walk.model.tiles {
            tile.status = status.clone();
        }
        walk.draw();
        walk.screen()
    };
    let screen = hint(SlotStatus::Identifying);
    assert!(screen.contains("Not yet: the slots are being looked at."), "{screen}");
    let screen = hint(SlotStatus::Done);
    assert!(screen.contains("All slots are busy: wait until one is free."), "{screen}");
}
