//! CAs and instances that change.

use std::time::Duration;

use provisioning_station::domain::registration::CloudStatus;
use provisioning_station::sim::cloud::{Instance, Mode, Options, start};

use crate::factory::{Factory, emulated, label};

#[test]
fn in_a_rollover_the_old_ca_s_certificates_are_finished_while_the_new_one_issues() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=6);
    for name in ["ca.pem", "ca.key"] {
        std::fs::rename(factory.path(name), factory.path(&format!("old-{name}"))).unwrap();
    }
    factory.run(&["authority", "init", "--common-name", "The next CA"]).expect(0);
    factory.run(&["authority", "register"]).expect(0);
    factory.prove(7..=10);
    let ran = factory.sync().expect(0);
    assert_eq!(ran.summary()["registered"], 10);
    let issuers: std::collections::HashSet<_> =
        factory.in_cloud().into_iter().map(|found| found.ca).collect();
    assert_eq!(issuers.len(), 2);
    let full = factory.run(&["sync", "--full"]).expect(0);
    assert_eq!(full.events("difference").len(), 0);
}

#[test]
fn a_ca_that_takes_a_while_is_waited_for() {
    let authority_pending = Duration::from_secs(2);
    let instance = Instance { authority_pending, ..Instance::default() };
    let cloud = start(Options { instance, ..emulated() }).unwrap();
    let mut factory = Factory::new(&cloud.url());
    let enrolled = factory.run(&["authority", "register"]).expect(0);
    assert_eq!(enrolled.lines[0]["status"], "ACTIVE");
    let looks = cloud.requests();
    let looks = looks.iter().filter(|request| request.action.starts_with("DescribeCaCert"));
    assert!(looks.count() > 2, "it was not pending");
    factory.prove(1..=1);
    factory.sync().expect(0);
}

#[test]
fn another_instance_is_moved_to_only_when_told() {
    let old = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&old);
    factory.prove(1..=3);
    factory.sync().expect(0);
    factory.prove(4..=4);
    let instance = Instance { id: "mqtt-next".to_owned(), ..Instance::default() };
    let next = start(Options { instance, ..emulated() }).unwrap();
    factory.instance = "mqtt-next";
    factory.go_to(&next);
    factory.run(&["authority", "register"]).expect(0);
    let ran = factory.sync().expect(6);
    assert!(ran.errors.contains("error[E-CLOUD-INSTANCE-CHANGED]"), "{}", ran.errors);
    assert_eq!(factory.in_cloud().len(), 0);

    let ran = factory.run(&["sync", "--migrate"]).expect(0);
    assert_eq!(ran.summary()["registered"], 4);
    assert_eq!(factory.standing(1), ("registered".to_owned(), "registered".to_owned()));
    factory.run(&["sync", "--full"]).expect(0);

    // Back again: what stood there still does, and only the fourth is new.
    factory.instance = "mqtt-emulated";
    factory.go_to(&old);
    let ran = factory.run(&["sync", "--migrate"]).expect(0);
    assert_eq!(ran.summary()["registered"], 1);
    assert_eq!(factory.in_cloud().len(), 4);
    factory.assert_it_verifies();
}

#[test]
fn where_devices_register_themselves_nothing_is_uploaded() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    cloud.change_instance(|instance| instance.mode = Mode::Automatic);
    factory.more = "registration = \"automatic\"\nrevoker_secret_id_file = \"secret-id\"\n\
        revoker_secret_key_file = \"secret-key\""
        .to_owned();
    factory.configure();
    factory.prove(1..=3);
    let rows = factory.reader().outbox(0, 9).unwrap();
    for row in [&rows[0], &rows[2]] {
        let pem = provisioning_station::pki::certificate_pem(&row.der).unwrap();
        cloud.plant(&pem, row.client_id.as_str(), true).unwrap();
    }
    factory.run(&["unit", "void", &label(3), "--reason", "lost"]).expect(0);
    let ran = factory.sync();
    let asked = cloud.requests();
    assert!(asked.iter().all(|request| request.action != "RegisterDeviceCertificate"));
    assert_eq!(ran.summary()["revoked"], 1, "{:?}\n{}", ran.lines, ran.errors);
    assert_eq!(ran.summary()["waiting_for_device"], 1);
    assert_eq!(factory.statuses(3), [Some(CloudStatus::Revoked)]);
    assert_eq!(factory.standing(1).0, "registered");
    assert_eq!(factory.standing(2).0, "proven");
    factory.sync().expect(0);
}
