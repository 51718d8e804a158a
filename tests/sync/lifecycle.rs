//! Rework, shipping and what is not to be used any more.

use std::process::Command;

use provisioning_station::domain::registration::CloudStatus;
use provisioning_station::sim::cloud::{CloudFaults, start};

use crate::factory::{Factory, emulated, label};

const REVOKER: &str =
    "revoker_secret_id_file = \"secret-id\"\nrevoker_secret_key_file = \"secret-key\"";

#[test]
fn a_rework_whose_old_registration_is_unclear_is_looked_up_revoked_and_registered_anew() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.more = REVOKER.to_owned();
    factory.configure();
    factory.prove(1..=1);
    // It is taken, and nothing that could tell so is answered.
    cloud.change_faults(
        CloudFaults::parse("reset-after=RegisterDeviceCertificate,5xx=DescribeDeviceCertificates")
            .unwrap(),
    );
    let ran = factory.run(&["sync", "--deadline", "4s"]);
    assert_eq!(ran.exit, 1, "{:?}\n{}", ran.lines, ran.errors);
    assert_eq!(factory.standing(1), ("proven".to_owned(), "unclear".to_owned()));
    cloud.change_faults(CloudFaults::none());
    factory.run(&["unit", "rework", &label(1), "--reason", "new firmware"]).expect(0);
    factory.prove(1..=1);
    let before = cloud.requests().len();
    factory.sync().expect(0);
    let asked: Vec<_> =
        cloud.requests().split_off(before).into_iter().map(|request| request.action).collect();
    let changing: Vec<_> = asked.iter().filter(|action| !action.starts_with("Describe")).collect();
    assert_eq!(changing, ["RevokedDeviceCertificate", "RegisterDeviceCertificate"]);
    let statuses = [Some(CloudStatus::Revoked), Some(CloudStatus::Active)];
    assert_eq!(factory.statuses(1), statuses);
    factory.run(&["sync", "--full"]).expect(0);
    factory.assert_it_verifies();
}

#[test]
fn without_the_revoker_s_credentials_a_revoke_waits_and_sync_says_so() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=2);
    factory.sync().expect(0);
    factory.run(&["unit", "void", &label(1), "--reason", "lost"]).expect(0);
    let ran = factory.sync().expect(0);
    assert_eq!(ran.summary()["waiting_for_revoker"], 1);
    let status = ran.events("status");
    assert_eq!(
        (&status[0]["outcome"], &status[0]["code"]),
        (&"waiting".into(), &"E-CLOUD-REVOKER".into())
    );
    // A rework's new certificate waits behind the old one's revoke.
    factory.run(&["unit", "rework", &label(2), "--reason", "repair"]).expect(0);
    factory.prove(2..=2);
    let ran = factory.sync().expect(1);
    assert_eq!(ran.summary()["deferred"], 1);
    factory.more = REVOKER.to_owned();
    factory.configure();
    let ran = factory.sync().expect(0);
    assert_eq!((&ran.summary()["revoked"], &ran.summary()["registered"]), (&2.into(), &1.into()));
}

#[test]
fn only_what_is_finished_and_active_leaves() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.more = "initial_status = \"INACTIVE\"".to_owned();
    factory.configure();
    factory.prove(1..=3);
    let early = factory.run(&["unit", "ship", &label(1)]).expect(1);
    assert!(early.errors.contains("error[E-SHIP-NOT-ACTIVE]"), "{}", early.errors);
    assert_eq!(early.lines[0]["code"], "E-SHIP-NOT-ACTIVE");
    factory.run(&["sync", "--limit", "2"]).expect(0);
    assert_eq!(factory.statuses(1), [Some(CloudStatus::Inactive)]);

    let file = factory.path("pallet.txt");
    std::fs::write(&file, format!("{}\n\n{}\n", label(2), label(3))).unwrap();
    let line = ["unit", "ship", &label(1), "TH200-99999999", "--file", file.to_str().unwrap()];
    let ran = factory.run(&line).expect(1);
    let outcomes: Vec<_> = ran
        .events("unit")
        .iter()
        .map(|line| line["outcome"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(outcomes, ["shipped", "refused", "shipped", "refused"]);
    assert_eq!(ran.events("unit")[1]["code"], "E-UNIT-UNKNOWN");
    assert_eq!(ran.events("unit")[3]["code"], "E-SHIP-NOT-ACTIVE");
    assert_eq!(ran.summary()["shipped"], 2);
    assert_eq!(factory.statuses(1), [Some(CloudStatus::Active)]);
    assert_eq!(factory.standing(1).0, "shipped");
    factory.run(&["unit", "ship", &label(1)]).expect(0);
    factory.assert_it_verifies();
}

#[test]
fn an_inactive_unit_stays_where_the_cloud_can_t_be_reached() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.more = "initial_status = \"INACTIVE\"".to_owned();
    factory.configure();
    factory.prove(1..=1);
    factory.sync().expect(0);
    factory.secret("secret-key", "wrong");
    let ran = factory.run(&["unit", "ship", &label(1)]).expect(1);
    assert_eq!(ran.lines[0]["code"], "E-SHIP-NOT-ACTIVE");
    assert!(ran.errors.contains("E-CLOUD-CREDENTIALS"), "{}", ran.errors);
    // The next sync activates it, and then it may leave.
    factory.secret("secret-key", "for-the-emulated-cloud-alone");
    factory.sync().expect(0);
    factory.run(&["unit", "ship", &label(1)]).expect(0);
}

#[test]
fn a_unit_whose_certificate_was_deleted_at_the_console_stays_and_says_why() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.more = "initial_status = \"INACTIVE\"".to_owned();
    factory.configure();
    factory.prove(1..=2);
    factory.sync().expect(0);
    cloud.uproot(&label(1)).unwrap();
    let ran = factory.run(&["unit", "ship", &label(1), &label(2)]).expect(1);
    assert_eq!(ran.summary()["shipped"], 1);
    assert!(ran.errors.contains("the cloud has no such certificate"), "{}", ran.errors);
    let shown = factory.run(&["unit", "show", &label(1)]).expect(0);
    let registration = &shown.lines[0]["certificates"][0]["registration"];
    let missing = "it was registered, and the cloud has no such certificate";
    assert_eq!(registration["last_error"], missing);
    // It counts as open from then on: the next sync registers it again, and then it may leave.
    factory.sync().expect(0);
    factory.run(&["unit", "ship", &label(1)]).expect(0);
    assert_eq!(factory.standing(1).0, "shipped");
    assert_eq!(factory.statuses(1), [Some(CloudStatus::Active)]);
    factory.assert_it_verifies();
}

#[test]
fn openssl_verifies_the_list_of_what_is_not_to_be_used_any_more() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    let file = factory.path("ca.crl");
    let out = file.to_str().unwrap();
    factory.prove(1..=3);
    let first = factory.run(&["authority", "crl", "--out", out]).expect(0);
    assert_eq!(first.lines[0]["certificates"], 0);
    factory.run(&["unit", "void", &label(1), "--reason", "lost"]).expect(0);
    factory.run(&["unit", "rework", &label(2), "--reason", "repair"]).expect(0);
    factory.prove(2..=2);
    let second = factory.run(&["authority", "crl", "--out", out]).expect(0);
    assert_eq!(second.lines[0]["certificates"], 2);
    assert!(second.lines[0]["number"].as_u64() > first.lines[0]["number"].as_u64());

    let ca = factory.path("ca.pem");
    let line = ["crl", "-in", out, "-CAfile", ca.to_str().unwrap(), "-noout", "-text"];
    let checked = Command::new("openssl").args(line).output().unwrap();
    let text = String::from_utf8_lossy(&checked.stdout).into_owned();
    let errors = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && errors.contains("verify OK"), "{text}{errors}");
    assert!(text.contains("Superseded") && text.contains("Cessation Of Operation"), "{text}");
    let key_id = |text: &str, name: &str| {
        let mut lines = text.lines().skip_while(|line| !line.contains(name)).skip(1);
        lines.next().unwrap().trim().trim_start_matches("keyid:").to_owned()
    };
    let line = ["x509", "-in", ca.to_str().unwrap(), "-noout", "-text"];
    let shown = Command::new("openssl").args(line).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let own = key_id(&shown, "Subject Key Identifier");
    assert_eq!(key_id(&text, "Authority Key Identifier"), own);
    let story = factory.reader().unit_story(&label(1).parse().unwrap()).unwrap().unwrap();
    let void = story.certificates[0].certificate_sn.to_string().to_uppercase();
    assert!(text.contains(&void), "{void} in {text}");
}

#[test]
fn closing_a_work_order_names_what_is_not_active() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.run(&["work-order", "create", "WO-1", "--quantity", "5"]).expect(0);
    factory.work_order = Some("WO-1");
    factory.prove(1..=2);
    factory.run(&["sync", "--limit", "1"]).expect(0);
    let ran = factory.run(&["work-order", "close", "WO-1"]).expect(0);
    let named: Vec<_> = ran.events("unit");
    assert_eq!(named.len(), 1, "{:?}", ran.lines);
    assert_eq!(
        (&named[0]["serial"], &named[0]["code"]),
        (&label(2).into(), &"E-SHIP-NOT-ACTIVE".into())
    );
}

#[test]
fn what_was_revoked_by_hand_before_it_was_registered_is_rejected() {
    let cloud = start(emulated()).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=2);
    let rows = factory.reader().outbox(0, 9).unwrap();
    let pem = provisioning_station::pki::certificate_pem(&rows[0].der).unwrap();
    cloud.plant(&pem, rows[0].client_id.as_str(), false).unwrap();
    factory.revoke_by_hand(1);
    let ran = factory.sync().expect(1);
    let rejected: Vec<_> =
        ran.events("registration").into_iter().filter(|l| l["outcome"] == "rejected").collect();
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["code"], "E-CLOUD-REVOKED");
    assert_eq!(ran.summary()["registered"], 1);
}
