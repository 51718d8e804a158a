//! Devices that make their own keys (`key_origin = "device"`).

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use provisioning_station::sim::{Held, held_identity};
use serde_json::Value;

use crate::line::{Batch, batch, plug, ready};
use crate::station::{PASSPHRASE, Station, openssl};

const FIRST: &str = "TH200-00000001";
const SECOND: &str = "TH200-00000002";

/// A station whose devices make their keys.
fn ready_for_device_keys() -> Station {
    let station = ready();
    station.change("name = \"TH200\"", "name = \"TH200\"\nkey_origin = \"device\"");
    station
}

/// Works on one unit with a device that makes keys and has these options.
fn work(station: &Station, serial: &str, options: &str) -> Batch {
    let _device = plug(station, "slot-a", &format!("--keygen {options}"));
    batch(station, &format!("{serial}\n"), "")
}

fn story(station: &Station) -> Value {
    station.ok(&format!("unit show {FIRST} --json")).json_line()
}

/// State and fingerprint of each certificate of the first unit, oldest first.
fn certificates(station: &Station) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let story = story(station);
    let found = story["certificates"].as_array().unwrap().iter();
    found.map(|one| (text(&one["state"]), text(&one["fingerprint"]))).collect()
}

fn held(station: &Station) -> Held {
    let files = fs::read_dir(station.path("devices")).unwrap().map(|file| file.unwrap().path());
    let flash: Vec<PathBuf> =
        files.filter(|file| file.extension().is_some_and(|name| name == "flash")).collect();
    assert_eq!(flash.len(), 1);
    held_identity(&flash[0]).unwrap().unwrap()
}

#[test]
fn a_device_proves_the_key_that_it_made_and_the_station_never_had() {
    let station = ready_for_device_keys();
    let batch = work(&station, FIRST, "--seed 1 --state devices");
    assert_eq!(batch.summary["passed"], 1, "{:?}", batch.run);
    assert_eq!(batch.unit(FIRST)["proof"], "possession");
    let held = held(&station);
    assert_eq!(held.image[0], 0x04, "the image begins with a public key");
    assert!(!held.image.windows(32).any(|part| part == held.key), "the image has the private key");
    fs::write(station.path("device.der"), &held.certificate).unwrap();
    let dir = station.path("");
    let text = openssl(&dir, "x509 -inform der -in device.der -out device.pem");
    assert_eq!(text.status, 0, "{text:?}");
    let verified = openssl(&dir, "verify -CAfile ca.pem -purpose sslclient device.pem");
    assert_eq!(verified.stdout, "device.pem: OK\n", "{verified:?}");
    assert!(held.certificate.windows(65).any(|part| part == &held.image[..65]), "another key");
    station.ok("ledger verify");
}

#[test]
fn a_device_that_makes_no_keys_fails() {
    let station = ready_for_device_keys();
    let _device = plug(&station, "slot-a", "");
    batch(&station, &format!("{FIRST}\n"), "").ended("fail", "E-DEV-NO-KEYGEN");
}

#[test]
fn a_signing_request_that_is_signed_wrongly_or_is_another_device_s_is_refused() {
    for lie in ["lie-key", "lie-csr"] {
        let station = ready_for_device_keys();
        work(&station, FIRST, &format!("--fault {lie}")).ended("fail", "E-DEV-CSR");
        assert!(certificates(&station).is_empty(), "{lie}");
    }
}

#[test]
fn one_key_of_two_devices_is_certified_once() {
    let station = ready_for_device_keys();
    let first = work(&station, FIRST, "--seed 1 --fault shared-key=pair");
    assert_eq!(first.summary["passed"], 1, "{:?}", first.run);
    work(&station, SECOND, "--seed 2 --fault shared-key=pair").ended("fail", "E-KEY-DUPLICATE");
    station.ok("ledger verify");
}

/// Kills the station once the first unit has a certificate and its device still erases.
fn kill_after_issue(station: &Station) -> Vec<(String, String)> {
    station.write("labels", &format!("{FIRST}\n"));
    let mut command = station.command("batch --serials labels --json");
    command.env("STATION_AUTHORITY_PASSPHRASE", PASSPHRASE);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(30);
    while station.run(&format!("unit show {FIRST} --json")).stdout.find("\"issued\"").is_none() {
        assert!(Instant::now() < until, "no certificate was issued");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    certificates(station)
}

#[test]
fn a_device_that_comes_with_its_key_again_gets_the_same_certificate_again() {
    let station = ready_for_device_keys();
    let slow = plug(&station, "slot-a", "--keygen --keep-key --seed 1 --erase-ms 4000");
    let cut = kill_after_issue(&station);
    assert_eq!(cut.len(), 1, "{cut:?}");
    drop(slow);
    let again = work(&station, FIRST, "--keep-key --seed 1");
    assert_eq!(again.summary["passed"], 1, "{:?}", again.run);
    assert_eq!(certificates(&station), [("proven".to_owned(), cut[0].1.clone())]);
    assert_eq!(story(&station)["attempts"][0]["outcome"], "interrupted");
    station.ok("ledger verify");
}

#[test]
fn a_device_that_comes_with_a_new_key_gets_a_new_certificate_and_the_old_one_is_void() {
    let station = ready_for_device_keys();
    let slow = plug(&station, "slot-a", "--keygen --seed 1 --erase-ms 4000");
    let cut = kill_after_issue(&station);
    drop(slow);
    let again = work(&station, FIRST, "--seed 1");
    assert_eq!(again.summary["passed"], 1, "{:?}", again.run);
    let states: Vec<_> = certificates(&station).into_iter().map(|(state, _)| state).collect();
    assert_eq!(states, ["void", "proven"]);
    assert_eq!(certificates(&station)[0].1, cut[0].1);
    station.ok("ledger verify");
}
