//! Work orders at the screen: which one is made, when it is complete, and what is scanned twice.

use super::*;
use crate::domain::ids::{ProfileDigest, WorkOrderId};
use crate::domain::label::CheckCharacter;
use crate::domain::pages::{Act, Question, WorkOrderChoice};
use crate::domain::work_order::{WorkOrder, WorkOrderRow};

fn figures(walk: &mut Walk, change: impl FnOnce(&mut Overview)) {
    let mut told = Overview { at: walk.now().wall, ..overview() };
    change(&mut told);
    let number = walk.model.asked;
    walk.tell(Msg::Answered(Answered { number, answer: Ok(Answer::Overview(Box::new(told))) }));
}

fn choice(id: &str, proven: u32) -> WorkOrderChoice {
    let work_order = WorkOrder {
        id: id.parse().unwrap(),
        product: "TH200".to_owned(),
        quantity: 20,
        serial_pattern: None,
        serial_range: None,
        check_character: CheckCharacter::None,
        hardware_ids: Vec::new(),
        profile: ProfileDigest::new([7; 32]),
    };
    let row = WorkOrderRow { work_order, closed: false, proven, open: 0 };
    WorkOrderChoice { row, profile_holds: true }
}

fn chosen(walk: &Walk) -> Option<&WorkOrderId> {
    walk.actions.iter().find_map(|action| match action {
        Action::Ask(asked) => match &asked.question {
            Question::Act(Act::ChooseWorkOrder(id)) => Some(id),
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn one_of_several_open_work_orders_is_chosen_when_the_screen_starts() {
    let mut walk = Walk::new(2, (80, 24));
    figures(&mut walk, |told| (told.work_order, told.must_choose) = (None, true));
    assert!(walk.screen().contains("Choose a work order"));
    let asks = |action: &Action| matches!(action, Action::Ask(asked) if asked.question == Question::WorkOrders);
    assert!(walk.actions.iter().any(asks), "they are listed by themselves");
    let number = walk.model.asked;
    let orders = vec![choice("WO-7", 3), choice("WO-8", 0)];
    walk.tell(Msg::Answered(Answered { number, answer: Ok(Answer::WorkOrders(orders)) }));
    insta::assert_snapshot!("orders_to_choose_from", walk.screen());
    walk.wait(400);
    walk.key(KeyCode::Down);
    walk.confirm();
    assert_eq!(chosen(&walk).unwrap().as_str(), "WO-8");
}

#[test]
fn a_work_order_is_chosen_by_its_label() {
    let mut walk = Walk::new(2, (80, 24));
    walk.scans("ORDER:WO-8");
    assert_eq!(chosen(&walk).unwrap().as_str(), "WO-8");
    assert!(walk.scanned().is_empty());
}

#[test]
fn a_complete_lot_says_so_in_large() {
    for (width, height) in [(60, 15), (80, 24), (200, 60)] {
        let mut walk = Walk::new(2, (width, height));
        figures(&mut walk, |told| {
            told.work_order.as_mut().unwrap().proven = 500;
        });
        let name = format!("lot_complete_{width}x{height}");
        insta::assert_snapshot!(name.clone(), walk.screen());
        insta::assert_snapshot!(format!("{name}_zh"), walk.in_chinese());
    }
}

#[test]
fn the_same_label_twice_with_empty_slots_is_a_duplicate() {
    let mut walk = Walk::new(2, (80, 24));
    walk.model.wanted = 1;
    walk.scans("TH200-00000001");
    walk.line(Event::Waiting { serial: "TH200-00000001".to_owned(), slot: None });
    walk.scans("TH200-00000001");
    assert!(walk.screen().contains("E-SCAN-DUPLICATE"), "{}", walk.screen());
}
