//! Walks of persons: the start of a shift, a rework with approval, an idle screen.

use super::pages::story;
use super::*;
use crate::domain::operators::{Pin, Role};
use crate::domain::pages::{Act, Approval, Question};
use crate::domain::state::UnitState;

/// A screen of a station that knows persons, with nobody or somebody signed in.
pub(super) fn with_people(somebody: bool, size: (u16, u16)) -> Walk {
    let mut walk = Walk::new(2, size);
    let id = "p117".parse().unwrap();
    let person = SignedInPerson { id, name: Some("李伟".to_owned()), role: Some(Role::Operator) };
    let operator = somebody.then_some(person);
    let figures = Overview { people_known: true, operator, ..overview() };
    walk.answer(0, Ok(Answer::Overview(Box::new(figures))));
    walk
}

fn act(walk: &Walk) -> Act {
    match walk.question().1 {
        Question::Act(act) => act,
        other => panic!("no act: {other:?}"),
    }
}

#[test]
fn a_shift_starts_with_a_badge_and_no_label_counts_before_it() {
    for size in [(80, 24), (120, 40)] {
        let name = format!("shift_{}x{}", size.0, size.1);
        let mut walk = with_people(false, size);
        walk.scans("TH200-00000001");
        assert!(walk.scanned().is_empty());
        insta::assert_snapshot!(format!("{name}_1_nobody"), walk.screen());
        walk.wait(500);
        walk.scans("OP:p117");
        assert_eq!(act(&walk), Act::SignIn("p117".to_owned()));
        walk.hears(Answer::Done);
        let id = "p117".parse().unwrap();
        let operator = Some(SignedInPerson { id, name: Some("李伟".to_owned()), role: None });
        let figures = Overview { people_known: true, operator, ..overview() };
        walk.hears(Answer::Overview(Box::new(figures)));
        walk.key(KeyCode::Esc);
        insta::assert_snapshot!(format!("{name}_2_signed_in"), walk.screen());
        walk.wait(500);
        walk.scans("TH200-00000001");
        assert_eq!(walk.scanned(), ["TH200-00000001"]);
    }
}

#[test]
fn a_label_right_behind_a_badge_waits_for_the_sign_in() {
    let signed_in = || {
        let id = "p117".parse().unwrap();
        let operator = Some(SignedInPerson { id, name: None, role: None });
        Answer::Overview(Box::new(Overview { people_known: true, operator, ..overview() }))
    };
    let scanned_behind_it = || {
        let mut walk = with_people(false, (80, 24));
        walk.scans("OP:p117");
        let badge = walk.question().0;
        walk.wait(250);
        walk.scans("TH200-00000001");
        assert!(walk.scanned().is_empty() && walk.model.notices.len() == 0);
        (walk, badge)
    };
    let (mut walk, badge) = scanned_behind_it();
    walk.answer(badge, Ok(Answer::Done));
    assert!(walk.scanned().is_empty(), "who is at the line is not known yet");
    walk.hears(signed_in());
    assert_eq!(walk.scanned(), ["TH200-00000001"]);

    let (mut walk, badge) = scanned_behind_it();
    walk.answer(badge, Err(Fault::new(Code::OperatorUnknown, "nobody is known as p117")));
    assert!(walk.scanned().is_empty());
    let codes: Vec<_> = walk.model.notices.all().map(|notice| notice.fault.code).collect();
    assert_eq!(codes, [Code::OperatorAbsent, Code::OperatorUnknown]);
}

#[test]
fn a_label_behind_the_badge_of_who_takes_over_is_not_the_other_s() {
    let mut walk = with_people(true, (80, 24));
    walk.scans("OP:p2");
    let badge = walk.question().0;
    walk.wait(250);
    walk.scans("TH200-00000001");
    assert!(walk.scanned().is_empty());
    walk.answer(badge, Ok(Answer::Done));
    walk.hears(Answer::Overview(Box::new(overview())));
    assert_eq!(walk.scanned(), ["TH200-00000001"]);
}

#[test]
fn somebody_signs_in_by_typing() {
    let mut walk = with_people(false, (80, 24));
    walk.key(KeyCode::F(9));
    walk.ctrl('p');
    insta::assert_snapshot!("sign_in_zh", walk.screen());
    walk.wait(400);
    walk.key(KeyCode::Esc);
    walk.key(KeyCode::F(9));
    walk.ctrl('p');
    insta::assert_snapshot!("sign_in", walk.screen());
    walk.wait(400);
    walk.writes("Li Wei", 120);
    walk.confirm();
    assert_eq!(act(&walk), Act::SignIn("Li Wei".to_owned()));
    let number = walk.question().0;
    let fault = Fault::new(Code::OperatorUnknown, "nobody is known as Li Wei");
    walk.answer(number, Err(fault));
    insta::assert_snapshot!("sign_in_refused", walk.screen());
    walk.key(KeyCode::Esc);
    assert!(walk.model.dialog.is_none());
}

/// To the form that allows a rework of the unit of slot A.
fn at_the_form(size: (u16, u16)) -> Walk {
    let mut walk = with_people(true, size);
    walk.ends(report("TH200-00000002", "A", Outcome::Pass));
    walk.ctrl('u');
    assert_eq!(walk.question().1, Question::Unit("TH200-00000002".parse().unwrap()));
    walk.hears(Answer::Unit(Some(Box::new(story(2, UnitState::Proven)))));
    walk.ctrl('o');
    walk.screen();
    walk.wait(400);
    walk
}

#[test]
fn a_rework_needs_a_reason_a_supervisor_and_the_right_pin() {
    for size in [(80, 24), (120, 40)] {
        let name = format!("rework_{}x{}", size.0, size.1);
        let mut walk = at_the_form(size);
        insta::assert_snapshot!(format!("{name}_1_menu"), walk.screen());
        walk.key(KeyCode::Enter);
        walk.screen();
        walk.wait(400);
        walk.types("connector replaced", 120);
        // A label that somebody scans meanwhile, and a supervisor's badge.
        walk.wait(500);
        walk.scans("TH200-00000003");
        assert_eq!(walk.scanned(), ["TH200-00000003"]);
        walk.wait(500);
        walk.scans("OP:s04");
        walk.wait(500);
        walk.writes("2469", 150);
        walk.confirm();
        insta::assert_snapshot!(format!("{name}_2_form"), walk.screen());
        let approval = |pin: &str| Approval {
            by: Some("s04".parse().unwrap()),
            pin: Some(Pin::new(pin).unwrap()),
        };
        let wanted = |pin| Act::Rework {
            serial: "TH200-00000002".parse().unwrap(),
            new_device: false,
            reason: "connector replaced".to_owned(),
            approval: approval(pin),
        };
        assert_eq!(act(&walk), wanted("2469"));
        let number = walk.question().0;
        let fault = Fault::new(Code::PinWrong, "that is not the PIN of s04");
        walk.answer(number, Err(fault));
        insta::assert_snapshot!(format!("{name}_3_wrong_pin"), walk.screen());
        walk.wait(500);
        walk.writes("2468", 150);
        walk.confirm();
        assert_eq!(act(&walk), wanted("2468"));
        walk.hears(Answer::Done);
        assert!(walk.model.dialog.is_none());
        assert_eq!(walk.question().1, Question::Unit("TH200-00000002".parse().unwrap()));
        walk.hears(Answer::Unit(Some(Box::new(story(2, UnitState::Rework)))));
        insta::assert_snapshot!(format!("{name}_4_allowed"), walk.screen());
        walk.key(KeyCode::F(9));
        insta::assert_snapshot!(format!("{name}_5_zh"), walk.screen());
    }
}

#[test]
fn an_act_without_a_reason_is_not_sent() {
    let mut walk = at_the_form((80, 24));
    walk.key(KeyCode::Enter);
    walk.screen();
    walk.wait(400);
    let asked = walk.model.asked;
    for _ in 0..3 {
        walk.confirm();
    }
    assert_eq!(walk.model.asked, asked);
    assert!(walk.screen().contains("The reason is empty"));
}

#[test]
fn a_pin_is_drawn_as_dots_and_stands_in_no_debug_text() {
    let mut walk = at_the_form((80, 24));
    walk.key(KeyCode::Enter);
    walk.screen();
    walk.wait(400);
    walk.key(KeyCode::Tab);
    walk.key(KeyCode::Tab);
    for c in "86420".chars() {
        walk.wait(120);
        walk.key(KeyCode::Char(c));
    }
    let screen = walk.screen();
    assert!(screen.contains("•••••") && !screen.contains("86420"));
    assert!(!format!("{:?}", walk.model.dialog).contains("86420"));
}

#[test]
fn a_menu_offers_what_the_unit_s_state_allows() {
    let offered = |state| {
        let mut walk = with_people(true, (80, 24));
        walk.ends(report("TH200-00000002", "A", Outcome::Pass));
        walk.ctrl('u');
        walk.hears(Answer::Unit(Some(Box::new(story(2, state)))));
        walk.ctrl('o');
        walk.screen()
    };
    let uncertain = offered(UnitState::Uncertain);
    assert!(uncertain.contains("Void its certificate") && !uncertain.contains("Allow rework"));
    let scrapped = offered(UnitState::Scrapped);
    assert!(!scrapped.contains("Scrap it") && scrapped.contains("Sign out"));
}

#[test]
fn an_idle_screen_signs_its_person_out() {
    let mut walk = with_people(true, (80, 24));
    walk.wait(599_000);
    assert!(!walk.actions.iter().any(|action| matches!(action, Action::Ask(asked) if asked.question == Question::Act(Act::SignOut))));
    walk.wait(2000);
    let outs = |walk: &Walk| {
        let is_out = |action: &&Action| matches!(action, Action::Ask(asked) if asked.question == Question::Act(Act::SignOut));
        walk.actions.iter().filter(is_out).count()
    };
    assert_eq!(outs(&walk), 1);
    walk.wait(2000);
    assert_eq!(outs(&walk), 1, "told once");
    walk.scans("TH200-00000001");
    assert!(walk.scanned().is_empty());
}

#[test]
fn the_clock_is_accepted_from_any_page_once_it_is_wrong() {
    let mut walk = with_people(true, (80, 24));
    let clock = Err(Fault::new(Code::ClockGap, "the clock is 40 days ahead"));
    let figures = Overview { clock, ..overview() };
    walk.answer(0, Ok(Answer::Overview(Box::new(figures))));
    walk.ctrl('o');
    insta::assert_snapshot!("clock_menu", walk.screen());
    walk.wait(400);
    walk.key(KeyCode::Enter);
    assert!(walk.screen().contains("Accept the clock"));
}
