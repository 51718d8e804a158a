//! What two stations say to be their own, and who decides.

use crate::database::Database;
use crate::program::{at, run};
use crate::server::Server;
use crate::stations::Yard;

#[test]
fn a_serial_that_two_stations_proved_is_a_conflict_until_a_person_settles_it() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &["--partitions", "16"]);
    let url = database.url();
    let (first, second) = (yard.station("line-1"), yard.station("line-2"));
    first.make(&["TH200-00000001", "TH200-00000002"]);
    second.make(&["TH200-00000002", "TH200-00000003"]);
    for station in [&first, &second] {
        station.enrol(&database, &server);
        station.push().well();
    }
    let told = second.push().well().last();
    assert_eq!(told["segments"], 0, "it was sent before: {told}");
    assert_eq!(told["conflicts"], 1, "{told}");
    assert_eq!(told["claimed"][0]["client_id"], "TH200-00000002", "{told}");
    assert_eq!(first.push().well().last()["claimed"], serde_json::json!([]));
    let found = run(&["fleet", "find", "TH200-00000002", "--database", &url]).well().json();
    let at_stations: Vec<_> = found.iter().map(|unit| unit["station"].as_str().unwrap()).collect();
    assert_eq!(at_stations.len(), 2, "{found:?}");
    for by in ["certificate_sn", "fingerprint_sha256", "public_key", "hardware_id", "client_id"] {
        let value = found[0][by].as_str().unwrap();
        let again = run(&["fleet", "find", value, "--database", &url]).well().json();
        assert!(again.iter().any(|unit| unit["serial"] == "TH200-00000002"), "{by}: {again:?}");
    }
    run(&["fleet", "find", "TH200-99999999", "--database", &url]).refused("E-UNIT-UNKNOWN", 1);
    // A station reads of another's unit where it is, and no more.
    let seen = at(&first.dir, &["fleet", "find", "TH200-00000003"]).well().last();
    assert_eq!((seen["station"].as_str(), seen.get("story")), (Some("line-2"), None), "{seen}");
    let conflict = told["claimed"][0]["conflict"].as_str().unwrap();
    let settle = |station: &str| {
        let about = ["--for", station, "--reason", "the devices were compared", "--by", "s04"];
        let args = [&["fleet", "settle", conflict, "--database", &url][..], &about].concat();
        run(&args)
    };
    settle("line-9").refused("E-USAGE", 2);
    settle("line-2").well();
    settle("line-2").refused("E-USAGE", 2);
    let (lost, won) = (first.push().well().last(), second.push().well().last());
    assert_eq!(won["claimed"], serde_json::json!([]), "{won}");
    assert_eq!(lost["claimed"][0]["client_id"], "TH200-00000002", "{lost}");
    let verified = run(&["fleet", "verify", "--database", &url]).well().last();
    assert_eq!(verified["units"], 4, "{verified}");
    let report = run(&["fleet", "report", "--database", &url]).well().last();
    assert_eq!((report["passed"].as_u64(), report["failed"].as_u64()), (Some(4), Some(0)));
}

#[test]
fn two_machines_that_went_on_from_one_ledger_are_found() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let url = database.url();
    let one = yard.station("line-1");
    one.make(&["TH200-00000001"]);
    one.enrol(&database, &server);
    one.push().well();
    let other = one.copied(yard.path().join("copy"));
    one.make(&["TH200-00000002"]);
    one.push().well();
    other.make(&["TH200-00000003"]);
    let told = other.push().refused("E-FLEET-FORK", 4);
    assert!(told.err.contains("TH200-00000003"), "the other history is named: {told:?}");
    other.push().refused("E-FLEET-FORK", 4);
    let status = run(&["fleet", "status", "--database", &url]).well().json();
    let conflicts: Vec<_> = status.iter().filter(|line| line["event"] == "conflict").collect();
    assert_eq!(conflicts.len(), 1, "told once: {status:?}");
    assert_eq!(conflicts[0]["kind"], "fork");
    run(&["fleet", "verify", "--database", &url]).well();
    // The copy is the one that goes on: what the fleet had stays, the copy's history is taken.
    let id = conflicts[0]["id"].as_str().unwrap();
    let about = ["--for", "line-1", "--reason", "the first machine burned", "--by", "s04"];
    run(&[&["fleet", "settle", id, "--database", &url][..], &about].concat()).well();
    let pushed = other.push().well().last();
    assert_eq!(pushed["segments"], 1, "{pushed}");
    let verified = run(&["fleet", "verify", "--database", &url]).well().last();
    assert_eq!(verified["units"], 3, "{verified}");
    one.push().refused("E-FLEET-FORK", 4);
}
