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
}
