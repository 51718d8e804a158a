//! A batch against simulated devices in processes of their own.

use super::support::{Factory, LONG, Plan, label, labels, named};

#[test]
fn a_file_of_serials_is_provisioned_over_several_slots() {
    let factory = Factory::with_slots(3);
    let _devices = ["A", "B", "C"].map(|slot| factory.device_process(slot, &["--units", "2"]));
    let finished = factory.batch(&labels(6)).expect(0);
    assert_eq!(finished.summary()["passed"], 6);
    for number in 1..=6 {
        let unit = finished.unit(&label(number));
        assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"possession".into()));
        assert_eq!(unit["client_id"], label(number));
    }
    factory.verify();
}

#[test]
fn standard_input_is_read_as_slots_become_free() {
    let factory = Factory::usual();
    let _device = factory.device_process("A", &["--units", "2", "--baud", "0"]);
    let mut batch = factory.start(&["batch", "--serials", "-"]);
    for number in 1..=2 {
        batch.say(&(label(number) + "\n"));
        let unit = batch.event(LONG).unwrap();
        assert_eq!((&unit["serial"], &unit["outcome"]), (&label(number).into(), &"pass".into()));
    }
    assert_eq!(batch.finish(LONG).expect(0).summary()["passed"], 2);
}

#[test]
fn a_line_that_names_its_slot_goes_there() {
    let factory = Factory::with_slots(2);
    let _devices = ["A", "B"].map(|slot| factory.device_process(slot, &["--baud", "0"]));
    let finished = factory.batch(&(named("B", 1) + &named("A", 2))).expect(0);
    assert_eq!(finished.unit(&label(1))["slot"], "B");
    assert_eq!(finished.unit(&label(2))["slot"], "A");
}

#[test]
fn a_label_that_names_no_slot_is_warned_of_once_where_two_devices_wait() {
    let factory = Factory::with_slots(2);
    let _devices = ["A", "B"].map(|slot| factory.devices(slot, 1));
    let finished = factory.batch(&labels(2)).expect(0);
    assert_eq!(finished.errors.matches("warning[").count(), 1, "{}", finished.story());
    assert!(finished.errors.contains("any"), "{}", finished.story());
}

#[test]
fn labels_that_name_their_slots_are_no_reason_for_a_warning() {
    let factory = Factory::with_slots(2);
    let _devices = ["A", "B"].map(|slot| factory.devices(slot, 1));
    let finished = factory.batch(&(named("A", 1) + &named("B", 2))).expect(0);
    assert!(!finished.errors.contains("warning["), "{}", finished.story());
}

#[test]
fn a_slot_that_does_not_exist_is_refused_and_stops_nothing_else() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    let finished = factory.batch(&(named("Z", 1) + &label(2))).expect(1);
    let refused = finished.unit(&label(1));
    assert_eq!((&refused["outcome"], &refused["code"]), (&"refused".into(), &"E-SCAN-SLOT".into()));
    assert_eq!(finished.unit(&label(2))["outcome"], "pass");
}

#[test]
fn a_label_of_another_pattern_is_refused_and_stops_nothing_else() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 1);
    let finished = factory.batch(&format!("TH300-00000001\n{}\n", label(2))).expect(1);
    let refused = finished.unit("TH300-00000001");
    assert_eq!(refused["outcome"], "refused");
    assert_eq!(refused["code"], "E-SCAN-PATTERN");
    assert_eq!(finished.unit(&label(2))["outcome"], "pass");
    assert_eq!(finished.summary()["refused"], 1);
}

#[test]
fn a_unit_that_is_proven_is_refused_and_is_no_failure() {
    let factory = Factory::usual();
    let first = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    drop(first);
    let _another = factory.another_device("A");
    let finished = factory.batch(&labels(1)).expect(0);
    let refused = finished.unit(&label(1));
    assert_eq!(
        (&refused["outcome"], &refused["code"]),
        (&"refused".into(), &"E-UNIT-PROVEN".into())
    );
    assert!(refused.get("verified").is_none(), "{refused}");
    let summary = finished.summary();
    assert_eq!((&summary["already_proven"], &summary["refused"]), (&1.into(), &0.into()));
    assert_eq!(factory.ledger().certificates().len(), 1);
}

#[test]
fn a_proven_device_that_comes_again_proves_itself_again_and_is_not_burned() {
    let factory = Factory::usual();
    let device = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    device.stop().unwrap();
    // Back into the slot with it.
    std::fs::remove_file(factory.devices_dir().join("slot-A.slot.json")).unwrap();
    let _device = factory.devices("A", 1);
    let finished = factory.batch(&labels(1)).expect(0);
    let refused = finished.unit(&label(1));
    assert_eq!(
        (&refused["outcome"], &refused["code"]),
        (&"refused".into(), &"E-UNIT-PROVEN".into())
    );
    assert_eq!(refused["verified"], true, "{refused}");
    assert_eq!(factory.ledger().certificates().len(), 1);
}

#[test]
fn a_proven_device_is_not_burned_under_another_label() {
    let factory = Factory::usual();
    let device = factory.devices("A", 1);
    factory.batch(&labels(1)).expect(0);
    device.stop().unwrap();
    std::fs::remove_file(factory.devices_dir().join("slot-A.slot.json")).unwrap();
    let _device = factory.devices("A", 1);
    let finished = factory.batch(&(label(2) + "\n")).expect(1);
    let refused = finished.unit(&label(2));
    assert_eq!(refused["code"], "E-DEV-OTHER-LABEL", "{refused}");
    assert!(refused["message"].as_str().unwrap().contains(&label(1)), "{refused}");
    let ledger = factory.ledger();
    assert_eq!(ledger.in_state("proven").len(), 1);
    assert_eq!(ledger.count("SELECT count(*) FROM certificates WHERE state <> 'void'"), 1);
}

#[test]
fn a_scan_for_which_no_device_comes_is_given_back() {
    let plan = Plan { station: "device_wait = \"1s\"", ..Plan::default() };
    let factory = Factory::with(&plan);
    let _devices = factory.devices("A", 1);
    let finished = factory.batch(&labels(2)).expect(1);
    assert_eq!(finished.unit(&label(1))["outcome"], "pass");
    let refused = finished.unit(&label(2));
    assert_eq!(
        (&refused["outcome"], &refused["code"]),
        (&"refused".into(), &"E-SCAN-NO-DEVICE".into())
    );
}

#[test]
fn a_device_on_a_bad_line_is_provisioned_all_the_same() {
    let factory = Factory::usual();
    let faults = "lossy=3,boot-noise,usb-restart";
    let _device = factory.device_process("A", &["--units", "3", "--baud", "0", "--fault", faults]);
    let finished = factory.batch(&labels(3)).expect(0);
    assert_eq!(finished.summary()["passed"], 3);
}

#[test]
fn the_simulator_lists_its_faults() {
    let factory = Factory::usual();
    let mut command = super::support::factory::station();
    command.args(["sim", "device", "--fault", "list"]);
    let listed = super::support::Process::start(command).finish(LONG).expect(0);
    assert!(listed.lines.iter().any(|line| line.contains("lie-forget")), "{}", listed.story());
    drop(factory);
}
