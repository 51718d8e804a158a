//! A real broker: the self-test of the way into one, and devices with what they hold.

use std::fs;

use super::support::broker::Broker;
use super::support::keys::held_under;
use super::support::{Factory, label, labels};

/// The verdicts of a self-test, by check.
fn verdicts(factory: &Factory, options: &[&str]) -> Vec<(String, String)> {
    let finished = factory.run(&[&["selftest", "--broker"], options].concat()).expect(0);
    let checks = finished.events();
    let checks = checks.iter().filter(|event| event["event"] == "check");
    let text = |event: &serde_json::Value, key: &str| event[key].as_str().unwrap().to_owned();
    checks.map(|event| (text(event, "check"), text(event, "detail"))).collect()
}

const ALL: [(&str, &str); 5] = [
    ("issued", "the broker knows it as selftest-00000001, by its certificate too"),
    ("void", "the broker says CertificateRevoked"),
    ("other-ca", "the broker says UnknownCA"),
    ("expired", "the broker says CertificateExpired"),
    ("no-certificate", ""),
];

/// What a version's checks must say.
fn assert_whole(found: &[(String, String)], version: &str) {
    for (check, detail) in ALL {
        let name = format!("{check}-{version}");
        let (_, said) = found.iter().find(|(found, _)| *found == name).expect("the check");
        assert!(said.contains(detail), "{name}: {said}");
    }
}

#[test]
fn the_self_test_sends_everybody_to_a_broker_with_both_versions_of_tls() {
    let factory = Factory::usual();
    let found = verdicts(&factory, &[]);
    assert_eq!(found.len(), 11, "{found:?}");
    assert_eq!(found[0].0, "path");
    assert_whole(&found, "1.2");
    assert_whole(&found, "1.3");
}

#[test]
fn the_self_test_keeps_to_the_range_of_tls_that_is_configured() {
    for (range, inside, outside) in
        [("tls_min = \"1.3\"", "1.3", "1.2"), ("tls_max = \"1.2\"", "1.2", "1.3")]
    {
        let factory = Factory::usual();
        factory.change("port = 8883", &format!("port = 8883\n{range}"));
        let found = verdicts(&factory, &[]);
        assert_eq!(found.len(), 7, "{found:?}");
        assert_whole(&found, inside);
        let name = format!("outside-{outside}");
        let said = found.iter().find(|(check, _)| *check == name).unwrap();
        assert_eq!(said.1, "the broker says ProtocolVersion");
    }
}

#[test]
fn the_self_test_takes_the_stations_own_list_and_no_other() {
    let factory = Factory::usual();
    let list = factory.path("ca.crl");
    let list = list.to_str().unwrap();
    factory.devices("A", 1);
    factory.batch("").expect(0);
    factory.run(&["authority", "crl", "--out", list]).expect(0);
    assert_eq!(verdicts(&factory, &["--crl", list]).len(), 11);
    let text = fs::read_to_string(list).unwrap();
    for wrong in ["", "nothing", &text.replace("CRL", "CERTIFICATE"), &text.repeat(2)] {
        fs::write(list, wrong).unwrap();
        factory.run(&["selftest", "--broker", "--crl", list]).expect_error(2, "E-INPUT");
    }
}

#[test]
fn a_mosquitto_that_is_not_there_or_does_not_start_is_told() {
    let factory = Factory::usual();
    let test = |program: &str| factory.run(&["selftest", "--broker", "--mosquitto", program]);
    test("/nowhere/mosquitto").expect_error(1, "E-BROKER-MISSING");
    test("/bin/false").expect_error(1, "E-BROKER-START");
}

#[test]
fn a_device_connects_with_what_it_holds_until_its_unit_is_void() {
    let factory = Factory::usual();
    let _devices = factory.devices("A", 2);
    factory.batch(&labels(2)).expect(0);
    let list = factory.path("ca.crl");
    let held = |number: usize| {
        let name = label(number);
        let is_its = |held: &provisioning_station::sim::Held| {
            held.certificate.windows(name.len()).any(|window| window == name.as_bytes())
        };
        held_under(&factory.devices_dir()).into_iter().find(|(_, held)| is_its(held)).unwrap().1
    };
    let (first, second) = (held(1), held(2));
    let start = || {
        factory.run(&["authority", "crl", "--out", list.to_str().unwrap()]).expect(0);
        Broker::start(&[&factory.path("ca.pem")], &[&list])
    };
    let broker = start();
    broker.assert_takes(&first, &label(1));
    broker.assert_takes(&second, &label(2));
    drop(broker);
    let void = ["unit", "void", &label(2), "--reason", "test", "--by", "s04"];
    factory.run(&void).expect(0);
    let broker = start();
    broker.assert_takes(&first, &label(1));
    broker.assert_refuses(&second, &label(2), "CertificateRevoked");
}
