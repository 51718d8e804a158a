//! Work orders as a batch meets them.

use super::support::{Factory, LONG, Plan, label, labels};

fn create(factory: &Factory, arguments: &[&str]) {
    factory.run(&[&["work-order", "create"], arguments].concat()).expect(0);
}

#[test]
fn a_full_work_order_takes_no_further_unit() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 3);
    create(&factory, &["WO-1", "--quantity", "2"]);
    let finished = factory.batch_with(&labels(3), &["--work-order", "WO-1"]).expect(1);
    assert_eq!(finished.summary()["passed"], 2);
    let refused = finished.unit(&label(3));
    assert_eq!(
        (&refused["outcome"], &refused["code"]),
        (&"refused".into(), &"E-WORK-ORDER-FULL".into())
    );
    assert_eq!(factory.ledger().certificates().len(), 2);
}

#[test]
fn slots_beside_each_other_do_not_overfill_a_work_order() {
    let factory = Factory::with_slots(4);
    let _devices = ["A", "B", "C", "D"].map(|slot| factory.devices(slot, 2));
    create(&factory, &["WO-1", "--quantity", "3"]);
    let finished = factory.batch_with(&labels(8), &["--work-order", "WO-1"]).expect(1);
    assert_eq!(finished.summary()["passed"], 3, "{}", finished.story());
    assert_eq!(finished.summary()["refused"], 5);
}

#[test]
fn labels_of_a_work_order_that_was_closed_meanwhile_are_refused_at_once() {
    // Far longer than a test waits for anything.
    let factory = Factory::with(&Plan { station: "device_wait = \"30m\"", ..Plan::default() });
    let _devices = factory.devices("A", 1);
    create(&factory, &["WO-1", "--quantity", "9"]);
    let mut batch = factory.start(&["batch", "--serials", "-", "--work-order", "WO-1"]);
    batch.say(&labels(1));
    assert_eq!(batch.event(LONG).unwrap()["outcome"], "pass");
    // One label waits for a device already, one comes when it is closed.
    batch.say(&(label(2) + "\n"));
    factory.run(&["work-order", "close", "WO-1"]).expect(0);
    batch.say(&(label(3) + "\n"));
    for _ in 0..2 {
        let refused = batch.event(LONG).unwrap();
        let code = (&refused["outcome"], &refused["code"]);
        assert_eq!(code, (&"refused".into(), &"E-WORK-ORDER-CLOSED".into()));
    }
    batch.finish(LONG).expect(1);
}

#[test]
fn a_failed_unit_gives_its_place_back() {
    let factory = Factory::usual();
    let _devices = factory.faulty("A", 2, "lie-key@1");
    create(&factory, &["WO-1", "--quantity", "1"]);
    let finished = factory.batch_with(&labels(2), &["--work-order", "WO-1"]).expect(1);
    assert_eq!(finished.unit(&label(1))["outcome"], "fail");
    assert_eq!(finished.unit(&label(2))["outcome"], "pass", "{}", finished.story());
}

#[test]
fn a_unit_of_one_work_order_is_not_made_again_in_another() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 2);
    create(&factory, &["WO-1", "--quantity", "5"]);
    factory.batch_with(&labels(1), &["--work-order", "WO-1"]).expect(0);
    factory.run(&["work-order", "close", "WO-1"]).expect(0);
    create(&factory, &["WO-2", "--quantity", "5"]);
    let finished = factory.batch_with(&labels(1), &["--work-order", "WO-2"]).expect(0);
    assert_eq!(finished.unit(&label(1))["code"], "E-UNIT-PROVEN");
    assert_eq!(finished.summary()["already_proven"], 1);
    assert_eq!(factory.show(&label(1))["work_order"], "WO-1");
}

#[test]
fn the_only_open_work_order_is_taken_without_being_named() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    create(&factory, &["WO-1", "--quantity", "5"]);
    factory.batch(&labels(1)).expect(0);
    assert_eq!(factory.show(&label(1))["work_order"], "WO-1");
}

#[test]
fn several_open_work_orders_are_a_usage_error() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    create(&factory, &["WO-1", "--quantity", "5"]);
    create(&factory, &["WO-2", "--quantity", "5"]);
    factory.batch(&labels(1)).expect_error(2, "E-WORK-ORDER-AMBIGUOUS");
}

#[test]
fn a_work_order_made_for_another_profile_is_refused() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    create(&factory, &["WO-1", "--quantity", "5"]);
    factory.configure(&Plan { product: "lock = true", ..Plan::default() });
    let refused = factory.batch_with(&labels(1), &["--work-order", "WO-1"]);
    assert!(refused.errors.contains("error[E-WORK-ORDER-PROFILE]"), "{}", refused.story());
    assert_eq!(refused.code(), Some(1), "{}", refused.story());
}

#[test]
fn a_closed_or_unknown_work_order_starts_no_line() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    create(&factory, &["WO-1", "--quantity", "5"]);
    factory.run(&["work-order", "close", "WO-1"]).expect(0);
    let named = |id| factory.batch_with(&labels(1), &["--work-order", id]);
    named("WO-1").expect_error(1, "E-WORK-ORDER-CLOSED");
    named("WO-9").expect_error(1, "E-WORK-ORDER-UNKNOWN");
}

#[test]
fn a_serial_outside_the_range_of_its_work_order_is_refused() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    create(
        &factory,
        &["WO-1", "--quantity", "5", "--serial-range", "TH200-00000002..TH200-00000009"],
    );
    let finished = factory.batch(&labels(2)).expect(1);
    assert_eq!(finished.unit(&label(1))["code"], "E-SCAN-RANGE");
    assert_eq!(finished.unit(&label(2))["outcome"], "pass");
}
