//! A cloud that has not what it said it had: what is known of that changes something.

use provisioning_station::domain::registration::CloudStatus;
use provisioning_station::sim::cloud::{CloudFaults, Options, start};

use crate::factory::{Factory, emulated, label};

const ACTIVE: Option<CloudStatus> = Some(CloudStatus::Active);

/// Two units that are registered, the first of which somebody deleted at the console.
fn deleted(cloud: &provisioning_station::sim::cloud::SimulatedCloud) -> Factory {
    let mut factory = Factory::enrolled(cloud);
    factory.prove(1..=2);
    factory.sync().expect(0);
    cloud.uproot(&label(1)).unwrap();
    factory
}

#[test]
fn what_is_missing_in_the_cloud_is_told_recorded_and_registered_again() {
    let cloud = start(emulated()).unwrap();
    let factory = deleted(&cloud);
    let ran = factory.run(&["sync", "--full"]).expect(1);
    assert_eq!(ran.events("difference")[0]["kind"], "missing_in_cloud");
    assert_eq!(ran.summary()["registered"], 1, "{:?}", ran.lines);
    assert_eq!(factory.statuses(1), [ACTIVE]);
    assert_eq!(factory.standing(1), ("registered".to_owned(), "registered".to_owned()));
    let again = factory.run(&["sync", "--full"]).expect(0);
    assert!(again.events("difference").is_empty(), "{:?}", again.lines);
    factory.assert_it_verifies();
}

#[test]
fn what_can_not_be_registered_again_keeps_the_gate_shut_and_the_doctor_red() {
    let cloud = start(emulated()).unwrap();
    let factory = deleted(&cloud);
    cloud.change_faults(CloudFaults::parse("not-ready=RegisterDeviceCertificate").unwrap());
    let mut full = factory.command(&["sync", "--full", "--deadline", "1s"]);
    full.output().unwrap();
    assert_eq!(factory.standing(1).0, "proven");
    let shipped = factory.run(&["unit", "ship", &label(1), &label(2), "--offline"]).expect(1);
    let outcomes: Vec<_> =
        shipped.events("unit").iter().map(|unit| unit["outcome"].clone()).collect();
    assert_eq!(outcomes, ["refused", "shipped"]);
    let why = "error[E-SHIP-NOT-ACTIVE]: TH200-00000001 has a registration that is deferred";
    assert!(shipped.errors.contains(why), "{}", shipped.errors);
    let doctor = factory.run(&["doctor"]);
    let found = doctor.lines.iter().find(|line| line["check"] == "cloud-differs").unwrap();
    assert_eq!((&found["status"], &found["code"]), (&"fail".into(), &"E-CLOUD-ABSENT".into()));
    cloud.change_faults(CloudFaults::none());
    factory.sync().expect(0);
    assert_eq!(factory.statuses(1), [ACTIVE], "a plain sync registers it again");
    factory.assert_it_verifies();
}

#[test]
fn ship_asks_the_cloud_for_what_it_lets_out() {
    let cloud = start(emulated()).unwrap();
    let factory = deleted(&cloud);
    let shipped = factory.run(&["unit", "ship", &label(1), &label(2)]).expect(1);
    let outcomes: Vec<_> =
        shipped.events("unit").iter().map(|unit| unit["outcome"].clone()).collect();
    assert_eq!(outcomes, ["refused", "shipped"]);
    assert_eq!(shipped.summary()["cloud_asked"], true);
    factory.sync().expect(0);
    assert_eq!(factory.statuses(1), [ACTIVE], "what the gate found is open work");
    let shipped = factory.run(&["unit", "ship", &label(1)]).expect(0);
    assert_eq!(shipped.summary()["shipped"], 1);
    factory.assert_it_verifies();
}

#[test]
fn ship_says_that_the_cloud_was_not_asked_and_lets_nothing_out_that_it_could_not_ask_for() {
    let cloud = start(emulated()).unwrap();
    let factory = deleted(&cloud);
    let offline = factory.run(&["unit", "ship", &label(1), "--offline"]).expect(0);
    assert_eq!(offline.summary()["cloud_asked"], false);
    assert!(offline.errors.contains("the cloud was not asked"), "{}", offline.errors);
    drop(cloud);
    let unreached = factory.run(&["unit", "ship", &label(2)]).expect(6);
    assert!(unreached.errors.contains("--offline"), "{}", unreached.errors);
    assert_eq!(factory.standing(2).0, "registered");
}

#[test]
fn a_registration_is_looked_up_again_before_it_counts() {
    for (confirm, requests) in [("all", 12), ("sample", 8), ("none", 7)] {
        let cloud = start(emulated()).unwrap();
        let mut factory = Factory::enrolled(&cloud);
        factory.more = format!("confirm = \"{confirm}\"");
        factory.configure();
        factory.prove(1..=5);
        let ran = factory.sync().expect(0);
        assert_eq!(ran.summary()["registered"], 5, "{confirm}");
        assert_eq!(ran.summary()["requests"], requests, "{confirm}");
    }
}

#[test]
fn where_a_sample_shows_a_lie_all_that_was_believed_in_this_run_is_looked_up() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=1);
    factory.sync().expect(0);
    factory.prove(2..=6);
    // The first of the run is the sample. It lies until that was looked up.
    cloud.change_faults(CloudFaults::parse("forget=RegisterDeviceCertificate").unwrap());
    let mut lied_to = factory.command(&["sync", "--deadline", "3s"]);
    assert_eq!(lied_to.output().unwrap().status.code(), Some(1));
    let believed = (2..=6).filter(|unit| factory.standing(*unit).0 == "registered");
    assert_eq!(believed.count(), 0);
    cloud.change_faults(CloudFaults::none());
    factory.sync().expect(0);
    for unit in 1..=6 {
        assert_eq!(factory.statuses(unit), [ACTIVE], "{unit}");
    }
    factory.assert_it_verifies();
}

#[test]
fn what_is_revoked_at_the_console_before_it_leaves_is_open_until_a_person_acts() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=3);
    factory.sync().expect(0);
    factory.run(&["unit", "ship", &label(3)]).expect(0);
    factory.revoke_by_hand(1);
    factory.revoke_by_hand(3);
    let ran = factory.run(&["sync", "--full"]).expect(1);
    let kinds: Vec<_> =
        ran.events("difference").iter().map(|found| found["kind"].clone()).collect();
    assert_eq!(kinds, ["status_differs", "status_differs"]);
    assert_eq!(factory.standing(1).0, "proven");
    let again = factory.sync().expect(1);
    assert_eq!(again.events("registration")[0]["code"], "E-CLOUD-REVOKED", "{:?}", again.lines);
    let doctor = factory.run(&["doctor"]);
    let found = doctor.lines.iter().find(|line| line["check"] == "cloud-differs").unwrap();
    assert_eq!(found["status"], "fail");
    let offline = factory.run(&["unit", "ship", &label(1), "--offline"]).expect(1);
    assert!(offline.errors.contains("it is revoked in the cloud"), "{}", offline.errors);
    // One that left already is the field's matter.
    assert_eq!(factory.standing(3).1, "revoked");
    factory.revoke_by_hand(2);
    let shipped = factory.run(&["unit", "ship", &label(2)]).expect(1);
    assert!(shipped.errors.contains("it is revoked in the cloud"), "{}", shipped.errors);
    factory.run(&["unit", "void", &label(1), "--reason", "revoked"]).expect(0);
    factory.run(&["unit", "void", &label(2), "--reason", "revoked"]).expect(0);
    factory.sync().expect(0);
    let doctor = factory.run(&["doctor"]);
    let found = doctor.lines.iter().find(|line| line["check"] == "cloud-differs").unwrap();
    assert_eq!(found["status"], "ok");
    factory.assert_it_verifies();
}

#[test]
fn offline_nothing_is_activated() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.more = "initial_status = \"INACTIVE\"".to_owned();
    factory.configure();
    factory.prove(1..=1);
    factory.sync().expect(0);
    let before = cloud.requests().len();
    let offline = factory.run(&["unit", "ship", &label(1), "--offline"]).expect(1);
    assert_eq!(cloud.requests().len(), before);
    assert_eq!(offline.summary()["cloud_asked"], false);
    assert!(offline.errors.contains("the cloud was not asked"), "{}", offline.errors);
    factory.run(&["unit", "ship", &label(1)]).expect(0);
}

#[test]
fn the_international_site_is_told_of_before_it_is_called() {
    let cloud = start(Options { rate: Some(0), ..Options::default() }).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.endpoint = "https://mqtt.intl.tencentcloudapi.com".to_owned();
    factory.configure();
    let file = factory.path("station.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    // No site but an emulation on this machine takes so many.
    std::fs::write(&file, text.replace("rate_per_second = 500", "rate_per_second = 10")).unwrap();
    let checked = factory.run(&["config", "check"]).expect(0);
    assert!(checked.errors.contains("station export"), "{}", checked.errors);
    let doctor = factory.run(&["doctor"]);
    let found = doctor.lines.iter().find(|line| line["check"] == "cloud-site").unwrap();
    assert_eq!((&found["status"], &found["code"]), (&"warn".into(), &"E-CLOUD-ACTION".into()));
}
