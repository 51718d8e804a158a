//! Grants as files: signed where orders are made, verified offline where units are made.

use std::fs;
use std::process::Command;

use crate::station::{Run, Station, openssl};

const SIGN: &str = "work-order sign WO-1 --station line-1 --quantity 3 --order-quantity 5";

/// A station whose product profile is complete, and whose CA certified an order key.
fn station() -> Station {
    let station = Station::new();
    station.make_authority();
    fs::copy(station.path("ca.pem"), station.path("server-root.pem")).unwrap();
    station.write("orders.passphrase", "a passphrase for tests");
    station
        .change("[[slots]]", "[work_orders]\npassphrase_file = \"orders.passphrase\"\n\n[[slots]]");
    station
}

fn with_key() -> Station {
    let station = station();
    station.ok("work-order key make --name planning");
    station
}

/// Replaces a piece of a signed file.
fn change(station: &Station, from: &str, to: &str) {
    let path = station.path("a.grant");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_grant_is_signed_verified_and_taken_and_makes_its_work_order() {
    let station = with_key();
    let made = station
        .ok(&format!(
            "{SIGN} --serials TH200-00000001..TH200-00000003 \
        --valid-for 7d --number 12 --out a.grant --json"
        ))
        .json_line();
    assert_eq!((&made["grant"]["number"], &made["grant"]["quantity"]), (&12.into(), &3.into()));
    let verified = station.ok("work-order verify a.grant --json").json_line();
    assert_eq!(verified["signer"], "planning");
    assert_eq!(verified["grant"], made["grant"]);
    assert!(!station.path("data").exists(), "verifying made a ledger");
    let taken = station.ok("work-order take a.grant --by s04 --json").json_line();
    assert_eq!((&taken["quantity"], &taken["grant_left"]), (&5.into(), &3.into()));
    assert_eq!(taken["grants"][0]["serials"], "TH200-00000001..TH200-00000003");
    assert_eq!(station.ok("work-order show WO-1 --json").json_line(), taken);
    assert_eq!(station.ok("work-order list --json").json_line()["grant_left"], 3);
    station.ok("work-order show WO-1").says_out("0 of 3 used up");
    station.ok("ledger verify");
}

#[test]
fn a_changed_grant_is_refused() {
    let station = with_key();
    station.ok(&format!("{SIGN} --number 12 --out a.grant"));
    for (from, to) in [
        ("\"quantity\": 3", "\"quantity\": 4"),
        ("\"number\": 12", "\"number\": 13"),
        ("\"order_quantity\": 5", "\"order_quantity\": 6"),
        ("WO-1", "WO-2"),
        ("\"serials\": null", "\"serials\": \"1..9\""),
        ("\"valid_until\": \"20", "\"valid_until\": \"21"),
        ("\"made_at\": \"20", "\"made_at\": \"19"),
        ("\"signature\": \"", "\"signature\": \"00"),
        ("\"form\"", "\"more\": 1, \"form\""),
        ("{", ""),
    ] {
        let whole = fs::read_to_string(station.path("a.grant")).unwrap();
        change(&station, from, to);
        station.fails("work-order take a.grant", "E-GRANT-CHANGED", 1);
        fs::write(station.path("a.grant"), whole).unwrap();
    }
    station.ok("work-order take a.grant");
}

#[test]
fn a_grant_for_another_station_product_or_time_is_refused() {
    let station = with_key();
    let sign = "work-order sign WO-1 --quantity 3";
    station.ok(&format!("{sign} --station line-2 --out a.grant"));
    station.fails("work-order take a.grant", "E-GRANT-FOREIGN", 1).says("line-2");
    let other = "ab".repeat(32);
    station.ok(&format!("{sign} --station line-1 --profile {other} --out b.grant"));
    station.fails("work-order take b.grant", "E-WORK-ORDER-PROFILE", 1);
    station.ok(&format!("{sign} --station line-1 --valid-for 1s --out c.grant"));
    let until = fs::read_to_string(station.path("c.grant")).unwrap();
    let until: serde_json::Value = serde_json::from_str(&until).unwrap();
    let until = until["valid_until"].as_str().unwrap().to_owned();
    // Its second is over when the wall clock says so.
    let until: jiff::Timestamp = until.parse().unwrap();
    while jiff::Timestamp::now() <= until {
        std::thread::yield_now();
    }
    station.fails("work-order take c.grant", "E-GRANT-EXPIRED", 1);
    let past = format!("{sign} --station line-1 --valid-until 2020-01-01T00:00:00Z --out d.grant");
    station.fails(&past, "E-USAGE", 2);
    assert!(!station.path("d.grant").exists());
}

#[test]
fn a_grant_is_taken_once() {
    let station = with_key();
    station.ok(&format!("{SIGN} --number 1 --out a.grant"));
    station.ok(&format!("{SIGN} --number 1 --out b.grant"));
    station.ok(&format!("{SIGN} --number 2 --out c.grant"));
    station.ok("work-order take a.grant");
    station.fails("work-order take a.grant", "E-GRANT-TAKEN", 1);
    station.fails("work-order take b.grant", "E-GRANT-TAKEN", 1);
    let both = station.ok("work-order take c.grant --json").json_line();
    assert_eq!(both["grant_left"], 6);
}

/// A root of OpenSSL's in the station's directory, and the order key's certificate of it.
fn certify_by_root(station: &Station) {
    let dir = station.path("");
    fs::create_dir(station.path("root")).unwrap();
    let run = |line: &str| assert_eq!(openssl(&dir, line).status, 0, "{line}");
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root/root.key \
         -out root.pem -subj '/CN=Orders root' -days 30");
    station.ok("work-order key request --name planning --out orders.csr");
    run("x509 -req -in orders.csr -CA root.pem -CAkey root/root.key -copy_extensions copy \
         -days 10 -out order.crt");
}

#[test]
fn an_offline_root_certifies_the_order_key_and_nobody_else_grants() {
    let station = station();
    certify_by_root(&station);
    station.fails(&format!("{SIGN} --out a.grant"), "E-ORDER-KEY", 7);
    station.ok("work-order key import order.crt");
    let shown = station.ok("work-order key show --json").json_line();
    assert_eq!(shown["name"], "planning");
    station.ok(&format!("{SIGN} --out a.grant"));
    // The station trusts its own CA alone until it is told of the root.
    station.fails("work-order take a.grant", "E-GRANT-FOREIGN", 1);
    station.ok("work-order verify a.grant --ca root.pem");
    station.fails("work-order verify a.grant --ca nosuch.pem", "E-INPUT", 2).says("nosuch.pem");
    station.change("[work_orders]", "[work_orders]\nroot = \"root.pem\"");
    station.ok("work-order take a.grant");
    // From then on whoever opens the station's own CA can't grant.
    fs::rename(station.path("orders.key"), station.path("old.key")).unwrap();
    fs::rename(station.path("orders.pem"), station.path("old.pem")).unwrap();
    station.ok("work-order key make --name rogue");
    station.ok(&format!("{SIGN} --out b.grant"));
    station.fails("work-order take b.grant", "E-GRANT-FOREIGN", 1).says("does not trust");
}

/// The station's CA below the root certifies an order key: a chain to the root all the same.
#[test]
fn a_ca_between_the_root_and_the_order_key_is_not_taken() {
    let station = Station::new();
    let dir = station.path("");
    fs::create_dir(station.path("root")).unwrap();
    let run = |line: &str| assert_eq!(openssl(&dir, line).status, 0, "{line}");
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout root/root.key \
         -out root.pem -subj '/CN=Root' -days 20000");
    station.ok("authority request --out ca.csr");
    run("x509 -req -in ca.csr -CA root.pem -CAkey root/root.key -copy_extensions copy \
         -days 15000 -out ca.crt");
    let both = fs::read_to_string(station.path("ca.crt")).unwrap()
        + &fs::read_to_string(station.path("root.pem")).unwrap();
    fs::write(station.path("chain.crt"), both).unwrap();
    station.ok("authority import chain.crt");
    fs::copy(station.path("root.pem"), station.path("server-root.pem")).unwrap();
    station.write("orders.passphrase", "a passphrase for tests");
    station.change(
        "[[slots]]",
        "[work_orders]\nroot = \"root.pem\"\npassphrase_file = \"orders.passphrase\"\n\n[[slots]]",
    );
    station.ok("work-order key make --name rogue");
    station.ok(&format!("{SIGN} --out a.grant"));
    station.fails("work-order take a.grant", "E-GRANT-FOREIGN", 1);
}

#[test]
fn certificates_for_something_else_are_no_order_keys() {
    let station = station();
    certify_by_root(&station);
    let dir = station.path("");
    let run = |line: &str| assert_eq!(openssl(&dir, line).status, 0, "{line}");
    // The root left the extensions out.
    run("x509 -req -in orders.csr -CA root.pem -CAkey root/root.key -days 10 -out bare.crt");
    station.fails("work-order key import bare.crt", "E-ORDER-KEY", 7);
    station.fails("work-order key import root.pem", "E-ORDER-KEY", 7).says("CA");
    station.fails("work-order key import orders.csr", "E-ORDER-KEY", 7);
    // Another key's.
    fs::rename(station.path("orders.key"), station.path("old.key")).unwrap();
    station.ok("work-order key request --name planning --out again.csr");
    station.fails("work-order key import order.crt", "E-ORDER-KEY", 7).says("does not belong");
    assert!(!station.path("orders.pem").exists());
}

#[test]
fn the_order_key_is_encrypted_and_never_overwritten() {
    let station = with_key();
    let key = fs::read_to_string(station.path("orders.key")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"), "{key}");
    station.fails("work-order key make --name planning", "E-CA-EXISTS", 7);
    station.write("orders.passphrase", "another one");
    let refused = station.fails(&format!("{SIGN} --out a.grant"), "E-ORDER-KEY", 7);
    assert!(!refused.stderr.contains("another one"), "{refused:?}");
    assert!(!station.path("a.grant").exists());
    fs::remove_file(station.path("orders.passphrase")).unwrap();
    station.fails(&format!("{SIGN} --out a.grant"), "E-SECRET-MISSING", 7);
}

#[test]
fn doctor_and_config_check_say_what_grants_are_wanted() {
    let station = with_key();
    station.change("[work_orders]", "[work_orders]\nrequire_grant = true");
    let checked = station.ok("config check --json");
    assert_eq!(checked.json_line()["require_grant"], true);
    let checked = station.ok("config check");
    checked.says("whoever can open the station's own CA can grant").says_out("only under a grant");
    let doctor = |station: &Station| {
        let all = station.run("doctor --json").json();
        let check = all.iter().find(|check| check["check"] == "work-order").cloned().unwrap();
        (check["status"].as_str().unwrap().to_owned(), check.to_string())
    };
    station.ok("work-order create WO-1 --quantity 5");
    let (status, detail) = doctor(&station);
    assert!(status == "fail" && detail.contains("E-GRANT-NEEDED"), "{status} {detail}");
    station.ok(&format!("{SIGN} --out a.grant"));
    station.ok("work-order take a.grant");
    let (status, detail) = doctor(&station);
    assert!(status == "ok" && detail.contains("3 of 3 granted units"), "{status} {detail}");
    station.ok("work-order give-back WO-1 --out a.back");
    let (status, detail) = doctor(&station);
    assert!(status == "warn" && detail.contains("E-GRANT-USED-UP"), "{status} {detail}");
}

#[test]
fn a_refusal_is_told_in_chinese_too() {
    let station = with_key();
    station.change("data_dir", "language = \"zh-CN\"\ndata_dir");
    station.change("[work_orders]", "[work_orders]\nrequire_grant = true");
    station.change("slot-a", "/dev/null");
    let refused = Run::of(
        station
            .command("batch --serials -")
            .env("STATION_AUTHORITY_PASSPHRASE", crate::station::PASSPHRASE),
    );
    assert!(refused.stderr.contains("error[E-GRANT-NEEDED]"), "{refused:?}");
    assert!(refused.stderr.contains("需要生产授权"), "{refused:?}");
}

#[test]
fn taking_and_giving_back_need_a_supervisor_from_the_first_one_on() {
    let station = with_key();
    station.write("pin", "864209");
    station.ok("operator add s04 --role supervisor --pin-file pin");
    station.ok(&format!("{SIGN} --out a.grant"));
    station.fails("work-order take a.grant", "E-SUPERVISOR-NEEDED", 1);
    let with_pin = |line: &str| {
        let mut command: Command = station.command(line);
        command.env("STATION_AUTHORITY_PASSPHRASE", crate::station::PASSPHRASE);
        Run::of(command.env("STATION_OPERATOR_PIN", "864209"))
    };
    assert_eq!(with_pin("work-order take a.grant --by s04").status, 0);
    station.fails("work-order give-back WO-1 --out a.back", "E-SUPERVISOR-NEEDED", 1);
    assert_eq!(with_pin("work-order give-back WO-1 --out a.back --by s04").status, 0);
}
