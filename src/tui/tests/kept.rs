//! Units that must be kept, and verdicts that nobody has seen: neither is forgotten.

use super::*;
use crate::domain::pages::{HistoryLine, HistoryPage, Question};
use crate::domain::state::{AttemptOutcome, UnitState};
use crate::domain::story::UncertainUnit;

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 40), (200, 60)];

pub(super) fn uncertain(numbers: &[u32]) -> Uncertain {
    let unit = |number: &u32| UncertainUnit {
        serial: format!("TH200-{number:08}").parse().unwrap(),
        work_order: Some("WO-1042".parse().unwrap()),
        slot: slot("B"),
        operator: Some("p117".parse().unwrap()),
        hardware: Some(hardware(u8::try_from(*number).unwrap())),
        since: Timestamp(MORNING.0 - 11 * 3600 * 1_000_000),
    };
    Uncertain { count: numbers.len() as u64, units: numbers.iter().map(unit).collect() }
}

/// The figures come with these units, as when a screen is started.
pub(super) fn tell_uncertain(walk: &mut Walk, numbers: &[u32]) {
    let (number, at) = (walk.model.asked, walk.now().wall);
    let figures = Overview { at, uncertain: uncertain(numbers), ..overview() };
    let answer = Ok(Answer::Overview(Box::new(figures)));
    walk.tell(Msg::Answered(Answered { number, answer }));
}

#[test]
fn units_that_the_last_shift_left_stand_on_every_page_in_both_languages() {
    for size in SIZES {
        let mut walk = Walk::new(2, size);
        tell_uncertain(&mut walk, &[3, 7]);
        for key in 1..=8 {
            walk.key(KeyCode::F(key));
            assert!(walk.screen().contains("▲ 2 uncertain: Ctrl-K"), "F{key}: {}", walk.screen());
            let chinese = walk.in_chinese();
            assert!(chinese.contains("▲ 未定 2：Ctrl-K"), "F{key}: {chinese}");
        }
    }
}

#[test]
fn before_the_ledger_was_asked_nobody_says_that_there_is_none() {
    let mut walk = Walk::new(2, (80, 24));
    walk.model.overview = None;
    walk.ctrl('k');
    assert!(walk.screen().contains("looking …"), "{}", walk.screen());
    tell_uncertain(&mut walk, &[]);
    assert!(walk.screen().contains("No unit is uncertain."), "{}", walk.screen());
}

#[test]
fn a_key_lists_them_and_leads_to_each() {
    for size in SIZES {
        let mut walk = Walk::new(2, size);
        tell_uncertain(&mut walk, &[3, 7]);
        walk.ctrl('k');
        let name = format!("kept_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name.clone(), walk.screen());
        insta::assert_snapshot!(format!("{name}_zh"), walk.in_chinese());
        walk.key(KeyCode::Down);
        walk.key(KeyCode::Enter);
        let asked = walk.actions.iter().any(|action| match action {
            Action::Ask(asked) => {
                asked.question == Question::Unit("TH200-00000007".parse().unwrap())
            }
            _ => false,
        });
        assert!(asked);
    }
}

#[test]
fn whoever_leaves_is_told_of_them() {
    let mut walk = Walk::new(2, (80, 24));
    tell_uncertain(&mut walk, &[3]);
    walk.key(KeyCode::F(10));
    insta::assert_snapshot!("leaving_with_units_to_keep", walk.screen());
    walk.wait(400);
    walk.key(KeyCode::Esc);
    walk.key(KeyCode::F(9));
    walk.key(KeyCode::F(10));
    insta::assert_snapshot!("leaving_with_units_to_keep_zh", walk.screen());
}

#[test]
fn a_unit_is_counted_from_its_hold_on_until_its_device_has_spoken() {
    let mut walk = Walk::new(2, (80, 24));
    let mut held = report("TH200-00000003", "A", Outcome::Fail);
    held.uncertain = true;
    walk.ends(held);
    assert!(walk.screen().contains("▲ 1 uncertain"));
    walk.slot("A", SlotStatus::Empty);
    walk.key(KeyCode::Esc);
    walk.key(KeyCode::Esc);
    assert!(walk.screen().contains("▲ 1 uncertain"), "seen is not settled");
    walk.slot("B", SlotStatus::Busy("TH200-00000003".to_owned()));
    assert!(!walk.screen().contains("uncertain"), "a slot is at work on it");
    let mut resolved = report("TH200-00000003", "B", Outcome::Pass);
    resolved.resumed = true;
    walk.unit(resolved);
    assert!(!walk.screen().contains("uncertain"));
}

#[test]
fn the_history_calls_them_uncertain_and_not_running() {
    let mut walk = Walk::new(2, (80, 24));
    walk.key(KeyCode::F(3));
    let line = HistoryLine {
        serial: "TH200-00000003".parse().unwrap(),
        attempt: 1,
        state: UnitState::Uncertain,
        slot: slot("A"),
        outcome: AttemptOutcome::Running,
        code: None,
        started_at: MORNING,
        ended_at: None,
        operator: None,
    };
    let page = HistoryPage { lines: vec![line], ..HistoryPage::default() };
    let number = walk.model.asked;
    walk.tell(Msg::Answered(Answered { number, answer: Ok(Answer::History(page)) }));
    let screen = walk.screen();
    assert!(screen.contains("uncertain") && !screen.contains("running"), "{screen}");
    assert!(walk.in_chinese().contains("未定"));
    walk.slot("A", SlotStatus::Busy("TH200-00000003".to_owned()));
    assert!(walk.screen().contains("running"), "a slot is at work on it");
}

/// A failure whose device has been taken out.
fn failed_and_left() -> Walk {
    let mut walk = Walk::new(2, (80, 24));
    walk.ends(report("TH200-00000002", "A", Outcome::Fail));
    walk.slot("A", SlotStatus::Empty);
    walk
}

#[test]
fn a_failure_keeps_its_reason_and_remedy_until_somebody_has_seen_it() {
    let mut walk = failed_and_left();
    let is_told = |screen: String| screen.contains("Check contacts") && screen.contains("█");
    assert!(is_told(walk.screen()));
    let open = |walk: &Walk| walk.model.tiles[0].verdict.as_ref().unwrap().is_open();
    assert!(open(&walk));
    walk.wait(3_600_000);
    assert!(is_told(walk.screen()) && open(&walk));
    walk.key(KeyCode::Esc);
    assert!(!open(&walk));
    insta::assert_snapshot!("fail_seen", walk.screen());
}

#[test]
fn a_failure_that_nobody_has_seen_stays_beside_the_next_device() {
    let mut walk = failed_and_left();
    walk.slot("A", SlotStatus::Ready(hardware(9)));
    let screen = walk.screen();
    assert!(screen.contains("X FAIL TH200-00000002") && screen.contains("Check contacts"));
    walk.slot("A", SlotStatus::Busy("TH200-00000005".to_owned()));
    insta::assert_snapshot!("fail_beside_the_next", walk.screen());
    walk.unit(report("TH200-00000005", "A", Outcome::Pass));
    assert!(!walk.screen().contains("TH200-00000002"), "the next unit's own verdict");
}

#[test]
fn the_last_units_of_a_slot_are_a_key_away() {
    for size in SIZES {
        let mut walk = Walk::new(2, size);
        walk.ends(report("TH200-00000001", "A", Outcome::Pass));
        walk.ends(report("TH200-00000002", "A", Outcome::Fail));
        let mut held = report("TH200-00000003", "A", Outcome::Fail);
        held.uncertain = true;
        walk.ends(held);
        walk.ends(report("TH200-00000004", "A", Outcome::Pass));
        walk.key(KeyCode::Esc);
        walk.ctrl('v');
        let name = format!("slot_{}x{}", size.0, size.1);
        insta::assert_snapshot!(name.clone(), walk.screen());
        insta::assert_snapshot!(format!("{name}_zh"), walk.in_chinese());
        walk.key(KeyCode::Right);
        assert!(walk.screen().contains("No unit has ended here"));
    }
}
