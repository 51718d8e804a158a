//! Keys and scanners: who may do what, and when.

use super::*;
use crate::tui::View;

#[test]
fn a_scan_is_a_scan_on_every_page_and_leaves_the_field_as_it_was() {
    for page in 1..=8 {
        let mut walk = Walk::new(2, (80, 24));
        walk.key(KeyCode::F(page));
        let view = walk.model.view;
        walk.wait(500);
        walk.key(KeyCode::Char('T'));
        walk.wait(200);
        walk.key(KeyCode::Char('H'));
        walk.wait(200);
        walk.scans("TH200-00000001");
        assert_eq!(walk.scanned(), ["TH200-00000001"], "F{page}");
        assert_eq!(walk.model.scan.value(), "TH");
        assert_eq!(walk.model.view, view);
    }
}

#[test]
fn a_scan_over_a_dialog_answers_nothing() {
    let mut walk = Walk::new(2, (80, 24));
    walk.slot("A", SlotStatus::Busy("U1".to_owned()));
    walk.ctrl('c');
    insta::assert_snapshot!("quit", walk.screen());
    walk.wait(400);
    walk.scans("TH200-00000001");
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
    assert!(walk.model.dialog.is_some() && !walk.model.leaving);
    // Fewer characters are no scan, and their Enter answers nothing either.
    walk.wait(400);
    walk.scans("TH2");
    assert!(walk.model.dialog.is_some() && !walk.model.leaving);
}

#[test]
fn a_dialog_takes_keys_only_some_time_after_it_was_drawn() {
    let mut walk = Walk::new(2, (80, 24));
    walk.slot("A", SlotStatus::Busy("U1".to_owned()));
    walk.ctrl('c');
    walk.key(KeyCode::Enter);
    walk.wait(1000);
    walk.key(KeyCode::Enter);
    assert!(walk.model.dialog.is_some(), "nobody has seen it yet");
    walk.draw();
    walk.wait(299);
    walk.key(KeyCode::Enter);
    assert!(walk.model.dialog.is_some());
    walk.wait(1);
    walk.key(KeyCode::Enter);
    assert!(walk.model.dialog.is_none() && walk.model.leaving);
    assert_eq!(
        walk.actions[..],
        [Action::Command(Command::Withdraw), Action::Command(Command::NoMoreScans)]
    );
}

#[test]
fn leaving_an_idle_line_asks_nothing() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(10));
    assert_eq!(walk.actions, [Action::Command(Command::Stop)]);
    walk.line(Event::Stopping(None));
    walk.line(Event::Ended);
    assert!(walk.model.is_over());
    assert_eq!(*walk.phase(), Phase::Ended);
}

#[test]
fn what_is_typed_slowly_is_a_scan_at_its_enter() {
    let mut walk = Walk::new(2, (80, 24));
    walk.types("TH200-00000001", 150);
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
    assert_eq!(walk.model.scan.value(), "");
}

#[test]
fn a_scanner_that_ends_its_lines_with_two_characters_scans_once() {
    let mut walk = Walk::new(2, (80, 24));
    walk.scans("TH200-00000001");
    walk.ctrl('j');
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
    for c in "TH200-00000002".chars() {
        walk.key(KeyCode::Char(c));
    }
    walk.ctrl('j');
    assert_eq!(walk.scanned(), ["TH200-00000001", "TH200-00000002"]);
}

#[test]
fn a_scan_that_the_line_does_not_want_is_refused_at_once() {
    let mut walk = Walk::new(1, (80, 24));
    for number in 1..=3 {
        walk.scans(&format!("TH200-0000000{number}"));
        walk.wait(500);
    }
    assert_eq!(walk.scanned(), ["TH200-00000001", "TH200-00000002"]);
    assert!(walk.screen().contains("E-SCAN-AHEAD"));
}

#[test]
fn pasted_text_is_text_and_no_command() {
    let mut walk = Walk::new(1, (80, 24));
    walk.tell(Msg::Paste("TH200\n-1\u{3}".to_owned()));
    assert_eq!((walk.model.scan.value(), walk.scanned().len()), ("TH200-1", 0));
}

#[test]
fn an_empty_enter_chooses_the_focused_slot_where_scans_are_bound_to_slots() {
    let mut walk = Walk::with(2, (80, 24), |setup| setup.binding = Binding::Slot);
    walk.key(KeyCode::Right);
    walk.key(KeyCode::Enter);
    assert_eq!(walk.scanned(), ["slot:B"]);
}

#[test]
fn the_language_is_switched_by_a_key_on_every_page() {
    for (page, name) in [(1, "help"), (2, "line"), (8, "settings")] {
        let mut walk = Walk::new(2, (80, 24));
        walk.key(KeyCode::F(page));
        insta::assert_snapshot!(format!("page_{name}"), walk.screen());
        walk.key(KeyCode::F(9));
        insta::assert_snapshot!(format!("page_{name}_zh"), walk.screen());
        walk.key(KeyCode::F(9));
        walk.key(KeyCode::Esc);
        assert_eq!(walk.model.view, View::Line);
    }
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let mut walk = Walk::new(2, (80, 24));
    walk.draw();
    walk.wait(1000);
    assert!(!walk.model.changed);
    walk.wait(59_000);
    assert!(walk.model.changed, "ages are told by the minute");
}

#[test]
fn the_bell_can_be_switched_off() {
    let mut walk = Walk::new(1, (80, 24));
    walk.ctrl('g');
    walk.ends(report("U1", "A", Outcome::Fail));
    assert!(!walk.actions.contains(&Action::Bell));
    walk.ctrl('g');
    walk.ends(report("U2", "A", Outcome::Fail));
    assert!(walk.actions.contains(&Action::Bell));
}
