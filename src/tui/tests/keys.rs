//! Keys and scanners: who may do what, and when.

use super::*;
use crate::View;

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
    // Nor does one that comes a little later than a scanner's.
    walk.wait(400);
    walk.types("TH2", 100);
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
    walk.key(KeyCode::Esc);
    assert!(walk.model.dialog.is_some());
    walk.confirm();
    assert!(walk.model.dialog.is_none() && walk.model.leaving);
    assert_eq!(
        walk.actions[..],
        [Action::Command(Command::Withdraw), Action::Command(Command::NoMoreScans)]
    );
}

#[test]
fn leaving_asks_always_and_once_more_where_units_still_end() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(10));
    assert!(walk.actions.is_empty(), "an idle line is not left without a question");
    insta::assert_snapshot!("quit_idle", walk.screen());
    walk.confirm();
    assert_eq!(walk.actions, [Action::Command(Command::Stop)]);
    walk.line(Event::Stopping(None));
    walk.line(Event::Ended);
    assert!(walk.model.is_over());
    assert_eq!(*walk.phase(), Phase::Ended);

    let mut walk = Walk::new(2, (80, 24));
    walk.slot("A", SlotStatus::Busy("U1".to_owned()));
    walk.ctrl('c');
    walk.draw();
    walk.confirm();
    walk.actions.clear();
    walk.ctrl('c');
    insta::assert_snapshot!("quit_landing", walk.screen());
    walk.confirm();
    assert_eq!(walk.actions, [Action::Command(Command::Stop)]);
}

#[test]
fn a_command_key_among_others_is_none_and_its_scan_is_refused_by_name() {
    let keys = [KeyCode::F(10), KeyCode::F(1), KeyCode::Esc, KeyCode::Tab];
    for (index, key) in keys.into_iter().enumerate() {
        for place in [0, 3, 14] {
            let mut walk = Walk::new(2, (80, 24));
            let text = "TH200-00000001";
            walk.writes(&text[..place], 5);
            walk.press(key, KeyModifiers::NONE);
            walk.writes(&text[place..], 5);
            walk.press(KeyCode::Enter, KeyModifiers::NONE);
            walk.tell(Msg::Silence);
            assert!(walk.scanned().is_empty() && walk.model.dialog.is_none());
            assert_eq!((walk.model.view, walk.model.scan.value()), (View::Line, ""));
            let screen = walk.screen();
            let name = ["F10", "F1", "Esc", "Tab"][index];
            assert!(screen.contains("E-SCAN-KEYS") && screen.contains(name), "{screen}");
        }
    }
}

#[test]
fn what_is_shown_at_once_is_taken_back_where_it_was_a_label_s() {
    let mut walk = Walk::new(2, (80, 24));
    walk.press(KeyCode::F(9), KeyModifiers::NONE);
    assert_eq!(walk.model.language, Language::Chinese);
    walk.press(KeyCode::F(4), KeyModifiers::NONE);
    assert_eq!((walk.model.language, walk.model.view), (Language::English, View::Line));
    walk.tell(Msg::Silence);
    walk.press(KeyCode::F(4), KeyModifiers::NONE);
    assert_eq!(walk.model.view, View::Statistics);
    walk.press(KeyCode::Char('T'), KeyModifiers::NONE);
    assert_eq!((walk.model.view, walk.model.scan.value()), (View::Line, "T"));
}

#[test]
fn a_key_that_is_held_down_goes_on_moving() {
    let mut walk = Walk::new(9, (80, 24));
    for _ in 0..5 {
        walk.press(KeyCode::Right, KeyModifiers::NONE);
    }
    assert_eq!(walk.model.focus, 5);
    walk.tell(Msg::Silence);
    assert_eq!(walk.model.focus, 5);
    walk.writes("TH", 5);
    for _ in 0..2 {
        walk.press(KeyCode::Backspace, KeyModifiers::NONE);
    }
    walk.tell(Msg::Silence);
    assert_eq!(walk.model.scan.value(), "TH", "among characters it is no command");
    for _ in 0..2 {
        walk.press(KeyCode::Backspace, KeyModifiers::NONE);
    }
    assert_eq!(walk.model.scan.value(), "");
}

#[test]
fn separators_of_data_arrive_as_what_they_are() {
    let mut walk = Walk::new(1, (80, 24));
    let text = "\u{1d}01\u{1c}2\u{1e}3\u{1f}4";
    walk.scans(text);
    assert_eq!(walk.scanned(), [text]);
}

#[test]
fn two_scans_that_nothing_keeps_apart_are_refused() {
    let mut walk = Walk::new(1, (80, 24));
    for _ in 0..2 {
        walk.writes("TH200-00000001", 5);
        walk.tell(Msg::Silence);
        walk.wait(900);
    }
    assert_eq!(walk.model.scan.value(), "");
    assert!(walk.screen().contains("E-SCAN-NO-END"));
    // One alone may have been pasted: it stays, and a person may end it.
    walk.key(KeyCode::Esc);
    walk.writes("TH200-00000001", 5);
    walk.tell(Msg::Silence);
    walk.confirm();
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
}

#[test]
fn a_scan_of_several_lines_is_one_scan() {
    let mut walk = Walk::new(2, (80, 24));
    walk.writes("TH200-00000001", 5);
    walk.press(KeyCode::Enter, KeyModifiers::NONE);
    walk.scans("TH200-00000002");
    // What it means is the line's to judge, which refuses it.
    assert_eq!(walk.scanned(), ["TH200-00000001\rTH200-00000002"]);
}

#[test]
fn a_question_mark_alone_shows_the_help_and_within_a_text_it_is_a_character() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::Char('?'));
    assert_eq!((walk.model.view, walk.model.scan.value()), (View::Help, ""));
    walk.key(KeyCode::Esc);
    walk.key(KeyCode::Char('a'));
    walk.key(KeyCode::Char('?'));
    assert_eq!((walk.model.view, walk.model.scan.value()), (View::Line, "a?"));
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
    walk.writes("TH200-00000001", 5);
    walk.press(KeyCode::Enter, KeyModifiers::NONE);
    walk.ctrl('j');
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
    walk.wait(500);
    walk.scans("TH200-00000002");
    walk.ctrl('j');
    assert_eq!(walk.scanned(), ["TH200-00000001", "TH200-00000002"]);
}

#[test]
fn a_scan_that_the_line_does_not_want_begins_no_unit() {
    let mut walk = Walk::new(1, (80, 24));
    for number in 1..=3 {
        walk.scans(&format!("TH200-0000000{number}"));
        walk.wait(500);
    }
    assert_eq!(walk.scanned(), ["TH200-00000001", "TH200-00000002"]);
    // What is wrong with it, or that it came too early, is the line's to say.
    let is_judged = |action: &Action| matches!(action, Action::Command(Command::ScanBack(_)));
    assert_eq!(walk.actions.iter().filter(|action| is_judged(action)).count(), 1);
}

#[test]
fn pasted_text_is_text_and_no_command() {
    let mut walk = Walk::new(1, (80, 24));
    let at = Duration::from_secs(1000);
    walk.tell(Msg::Paste("TH200\n-1\u{3}".to_owned(), at));
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
