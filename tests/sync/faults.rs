//! Whatever fails on the way: each certificate stands in the cloud once, and the ledger knows.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};

use provisioning_station::domain::registration::CloudStatus;
use provisioning_station::sim::cloud::{CloudFaults, SerialForm, start};

use crate::factory::{Factory, emulated, label};

/// A third of all calls meet one of these.
const A_THIRD: &str = "throttle@1%,5xx@6%,5xx-after@6%,reset@6%,reset-after@6%,\
    wrong-body@4%,html-body@2%,internal-error@2%,slow=40@1%";

#[test]
fn five_hundred_with_a_third_of_the_calls_failing_and_five_kills() {
    let options = provisioning_station::sim::cloud::Options { seed: 11, ..emulated() };
    let cloud = start(options).unwrap();
    let mut factory = Factory::enrolled(&cloud);
    factory.prove(1..=500);
    factory.run(&["unit", "void", &label(7), "--reason", "lost"]).expect(0);
    cloud.change_faults(CloudFaults::parse(A_THIRD).unwrap());
    let mut kills = 0;
    while kills < 5 {
        let mut sync = factory.start(&["sync"]);
        let lines = BufReader::new(sync.stdout.take().unwrap()).lines();
        // In the middle of it: some are done, many are under way. One that met nothing but
        // faults at its beginning has ended by itself.
        if lines.take(40).count() == 40 {
            sync.kill().unwrap();
            kills += 1;
        }
        sync.wait().unwrap();
    }
    // One that was voided while nobody knows of it.
    factory.run(&["unit", "void", &label(499), "--reason", "lost"]).expect(0);
    // What failed too often is left for the next run.
    let mut exits = Vec::new();
    while exits.last() != Some(&0) && exits.len() < 8 {
        exits.push(factory.sync().exit);
    }
    assert_eq!(exits.last(), Some(&0), "{exits:?}");
    cloud.change_faults(CloudFaults::none());
    let full = factory.run(&["sync", "--full"]).expect(0);
    assert_eq!(full.events("difference").len(), 0, "{:?}", full.lines);

    let there = factory.in_cloud();
    let usable: Vec<_> =
        there.iter().filter(|found| found.status == Some(CloudStatus::Active)).collect();
    assert_eq!(usable.len(), 498);
    let clients: HashSet<_> = usable.iter().map(|found| found.client_id.clone()).collect();
    assert_eq!(clients.len(), 498, "one twice");
    let wanted = (1..=500).filter(|unit| ![7, 499].contains(unit)).map(label);
    assert_eq!(clients, wanted.collect::<HashSet<_>>());
    assert!(there.len() <= 499, "the void ones were never there, or are revoked");
    let stats = factory.run(&["ledger", "stats"]).expect(0);
    assert_eq!(stats.lines[0]["units"]["registered"], 498);
    factory.assert_it_verifies();
}

#[test]
fn serial_numbers_are_taken_as_the_cloud_spells_them() {
    for form in [SerialForm::Padded, SerialForm::Plain] {
        let options = provisioning_station::sim::cloud::Options { serial_form: form, ..emulated() };
        let cloud = start(options).unwrap();
        let mut factory = Factory::enrolled(&cloud);
        factory.prove(1..=5);
        factory.sync().expect(0);
        factory.run(&["unit", "void", &label(2), "--reason", "lost"]).expect(0);
        factory.secret("revoker-id", "AKIDemulatedcloud");
        factory.secret("revoker-key", "for-the-emulated-cloud-alone");
        factory.more = "revoker_secret_id_file = \"revoker-id\"\n\
            revoker_secret_key_file = \"revoker-key\""
            .to_owned();
        factory.configure();
        let ran = factory.run(&["sync", "--full"]).expect(0);
        assert_eq!(ran.summary()["revoked"], 1, "{form:?}");
        assert_eq!(factory.statuses(2), [Some(CloudStatus::Revoked)], "{form:?}");
        assert_eq!(ran.events("difference").len(), 0, "{form:?}");
    }
}
