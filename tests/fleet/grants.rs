//! Grants by way of the fleet: never more than was ordered, taken by whom they are for, and used
//! twice only until it is known.

use std::fs;
use std::path::PathBuf;

use crate::database::Database;
use crate::program::{Run, at, run};
use crate::server::Server;
use crate::stations::{Station, Yard};

#[test]
fn a_fleet_hands_grants_on_and_never_more_than_was_ordered() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let url = database.url();
    let station = yard.station("line-1");
    station.make(&["TH200-00000001"]);
    station.enrol(&database, &server);
    at(&station.dir, &["work-order", "key", "make", "--name", "planning"]).well();
    let give = |to: &str, quantity: &str, number: &str| -> Run {
        let file = yard.path().join(format!("{to}-{number}.grant"));
        let file = file.to_str().unwrap();
        let sign = ["work-order", "sign", "WO-1", "--station", to, "--quantity", quantity];
        let further = ["--order-quantity", "5", "--number", number, "--out", file];
        at(&station.dir, &[&sign[..], &further].concat()).well();
        run(&["fleet", "grant", file, "--station", to, "--work-order", "WO-1", "--database", &url])
    };
    give("line-1", "3", "1").well();
    give("line-2", "3", "2").refused("E-WORK-ORDER-FULL", 1);
    give("line-2", "2", "3").well();
    let other = yard.path().join("line-1-1.grant");
    let foreign = ["--station", "line-2", "--work-order", "WO-1", "--database", &url];
    run(&[&["fleet", "grant", other.to_str().unwrap()][..], &foreign].concat())
        .refused("E-USAGE", 2);
    let taken = at(&station.dir, &["work-order", "take", "--fleet"]).well().last();
    assert_eq!((&taken["id"], &taken["grant_left"]), (&"WO-1".into(), &3.into()), "{taken}");
    let again = at(&station.dir, &["work-order", "take", "--fleet"]).well();
    assert_eq!(again.out, "", "it was taken before: {again:?}");
}

/// A grant of `quantity` of the ten that WO-1 wants, in a file, signed at the first station.
fn signed(planning: &Station, to: &Station, quantity: &str, number: &str) -> PathBuf {
    let file = planning.dir.join(format!("{}-{number}.grant", to.name));
    let path = file.to_str().unwrap();
    let sign = ["work-order", "sign", "WO-1", "--station", &to.name, "--quantity", quantity];
    // Each station's profile has its own CA in it.
    let profile = to.config.profile_digest().unwrap().to_string();
    let further = ["--order-quantity", "10", "--number", number, "--profile", &profile];
    at(&planning.dir, &[&sign[..], &further, &["--out", path]].concat()).well();
    file
}

fn take(station: &Station, file: &std::path::Path) {
    at(&station.dir, &["work-order", "take", file.to_str().unwrap()]).well();
}

#[test]
fn a_grant_that_was_used_twice_is_a_conflict_that_names_the_units() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let url = database.url();
    let all = ["line-1", "line-2", "line-3"].map(|name| yard.station(name));
    let [anew, restored, offline] = &all;
    at(&anew.dir, &["work-order", "key", "make", "--name", "planning"]).well();
    for station in [restored, offline] {
        let config = station.dir.join("station.toml");
        let (text, root) = (fs::read_to_string(&config).unwrap(), anew.dir.join("ca.pem"));
        let more = format!("\n[work_orders]\nroot = \"{}\"\n", root.display());
        fs::write(&config, text + &more).unwrap();
    }
    let grants = [(anew, "4", "1"), (restored, "3", "2"), (offline, "3", "3")];
    let files = grants.map(|(station, quantity, number)| {
        let file = signed(anew, station, quantity, number);
        take(station, &file);
        file
    });
    let conflicts = || -> Vec<serde_json::Value> {
        let status = run(&["fleet", "status", "--database", &url]).well().json();
        status.into_iter().filter(|line| line["event"] == "conflict").collect()
    };
    let make = |station: &Station, serials: &[&str]| station.make_for(Some("WO-1"), serials);

    // One is brought back from a backup in the middle: its second history is named whole, also
    // what it began later.
    make(restored, &["TH200-00000021"]);
    restored.enrol(&database, &server);
    restored.push().well();
    let back = restored.copied(yard.path().join("back"));
    make(restored, &["TH200-00000022", "TH200-00000023"]);
    restored.push().well();
    make(&back, &["TH200-00000024"]);
    back.push().refused("E-FLEET-FORK", 4);
    make(&back, &["TH200-00000025"]);
    back.push().refused("E-FLEET-FORK", 4);
    let found = conflicts();
    assert_eq!((found.len(), &found[0]["kind"]), (1, &"fork".into()), "{found:?}");
    let detail = found[0]["detail"].as_str().unwrap();
    assert!(detail.contains("TH200-00000024, TH200-00000025"), "{detail}");

    // The copy is the one that goes on: now it counts, and its units are more than was granted.
    let id = found[0]["id"].as_str().unwrap();
    let about = ["--for", "line-2", "--reason", "the first machine burned", "--by", "s04"];
    run(&[&["fleet", "settle", id, "--database", &url][..], &about].concat()).well();
    back.push().well();
    let found = conflicts();
    assert_eq!((found.len(), &found[0]["kind"]), (1, &"grant".into()), "{found:?}");
    let detail = found[0]["detail"].as_str().unwrap();
    assert!(detail.ends_with("used for 2 more: TH200-00000024, TH200-00000025"), "{detail}");

    // One begins a new ledger and takes its grant from the same file.
    let serials = ["TH200-00000011", "TH200-00000012", "TH200-00000013", "TH200-00000014"];
    make(anew, &serials);
    anew.enrol(&database, &server);
    anew.push().well();
    fs::remove_dir_all(anew.dir.join("data")).unwrap();
    take(anew, &files[0]);
    anew.enrol(&database, &server);
    anew.push().well();
    assert_eq!(conflicts().len(), 1, "nothing was made twice yet");
    make(anew, &["TH200-00000015"]);
    anew.push().well();
    make(anew, &["TH200-00000016"]);
    assert_eq!(anew.push().well().last()["conflicts"], 1);
    let found = conflicts();
    let own = found.iter().find(|one| one["value"] == "WO-1/line-1/1").unwrap();
    let detail = own["detail"].as_str().unwrap();
    assert!(detail.ends_with("used for 2 more: TH200-00000015, TH200-00000016"), "{detail}");
    assert_eq!(found.len(), 2, "{found:?}");

    // One was offline for all of it, and made what it may.
    make(offline, &["TH200-00000031", "TH200-00000032", "TH200-00000033"]);
    offline.enrol(&database, &server);
    offline.push().well();
    assert_eq!(conflicts().len(), 2);
    run(&["fleet", "verify", "--database", &url]).well();

    // Who looks at it says so, and the same is not told again.
    let id = own["id"].as_str().unwrap();
    let about = ["--for", "line-1", "--reason", "two were scrapped by hand", "--by", "s04"];
    run(&[&["fleet", "settle", id, "--database", &url][..], &about].concat()).well();
    anew.note(7);
    anew.push().well();
    assert_eq!(conflicts().len(), 1);
    database.sql("DELETE FROM conflicts WHERE kind = 'grant'");
    run(&["fleet", "verify", "--database", &url]).refused("E-FLEET-VERIFY", 4);
}

#[test]
fn what_a_station_gave_back_can_be_granted_again() {
    let (database, yard) = (Database::start(), Yard::new());
    let server = Server::start(&database, &[]);
    let url = database.url();
    let (one, two) = (yard.station("line-1"), yard.station("line-2"));
    at(&one.dir, &["work-order", "key", "make", "--name", "planning"]).well();
    let keep = |file: &std::path::Path, station: &Station| {
        let about = ["--station", &station.name, "--work-order", "WO-1", "--database", &url];
        run(&[&["fleet", "grant", file.to_str().unwrap()][..], &about].concat())
    };
    let (first, second) = (signed(&one, &one, "8", "1"), signed(&one, &two, "5", "2"));
    keep(&first, &one).well();
    keep(&second, &two).refused("E-WORK-ORDER-FULL", 1);
    take(&one, &first);
    one.make_for(Some("WO-1"), &["TH200-00000011"]);
    let back = yard.path().join("back");
    let give = ["work-order", "give-back", "WO-1", "--number", "1", "--quantity", "3", "--out"];
    at(&one.dir, &[&give[..], &[back.to_str().unwrap()]].concat()).well();
    one.enrol(&database, &server);
    one.push().well();
    keep(&second, &two).well();
    keep(&second, &two).well();
    keep(&signed(&one, &two, "1", "3"), &two).refused("E-WORK-ORDER-FULL", 1);
    run(&["fleet", "verify", "--database", &url]).well();
}
