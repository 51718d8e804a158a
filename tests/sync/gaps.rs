//! After a restore: the line is closed until a full run compared the whole cloud.

use provisioning_station::sim::cloud::{CloudFaults, start};

use crate::factory::{Factory, emulated};

/// A factory whose third unit is registered and not in its restored ledger.
fn restored(cloud: &provisioning_station::sim::cloud::SimulatedCloud) -> Factory {
    let mut factory = Factory::enrolled(cloud);
    factory.authority = "exclusive = true";
    factory.configure();
    factory.prove(1..=2);
    let saved = factory.path("saved.db");
    let saved = saved.to_str().unwrap();
    factory.run(&["ledger", "backup", saved]).expect(0);
    factory.prove(3..=3);
    factory.sync().expect(0);
    factory.run(&["ledger", "set-aside", "--reason", "the disk is dying"]).expect(0);
    factory.run(&["ledger", "restore", saved]).expect(0);
    factory
}

fn is_closed(factory: &Factory) -> bool {
    let batch = factory.run(&["batch", "--serials", "/dev/null"]);
    let told = batch.errors.contains("error[E-LEDGER-GAP]");
    assert_eq!(told, factory.reader().gap().unwrap().is_some(), "{}", batch.errors);
    assert!(!told || batch.exit == 4, "{}", batch.errors);
    told
}

#[test]
fn a_full_run_names_what_a_restore_lost_and_opens_the_line() {
    let cloud = start(emulated()).unwrap();
    let factory = restored(&cloud);
    assert!(is_closed(&factory));
    let ran = factory.sync().expect(0);
    assert_eq!(ran.summary()["already_registered"], 2, "the restored ledger forgot the calls");
    assert!(is_closed(&factory), "a run that did not look at everything opened the line");
    let full = factory.run(&["sync", "--full"]).expect(1);
    let lost = full.events("difference");
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0]["kind"], "foreign_in_cloud");
    assert!(!is_closed(&factory));
    factory.assert_it_verifies();
}

#[test]
fn a_full_run_that_did_not_come_to_its_end_leaves_the_line_closed() {
    let cloud = start(emulated()).unwrap();
    let factory = restored(&cloud);
    let dry = factory.run(&["sync", "--full", "--dry-run"]);
    assert!(dry.exit == 0 || dry.exit == 1, "{}", dry.errors);
    assert!(is_closed(&factory), "a dry run changed something");
    cloud.change_faults(CloudFaults::parse("slow=500").unwrap());
    factory.run(&["sync", "--full", "--deadline", "1s"]);
    assert!(is_closed(&factory));
}
