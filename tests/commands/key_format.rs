//! The private key as PKCS#8 (`key_format = "pkcs8"`), with a simulated device.

use std::fs;

use provisioning_station::sim::{Held, held_identity};

use crate::line::{batch, plug, ready};
use crate::station::{Station, openssl};

const SERIAL: &str = "TH200-00000001";

fn ready_for_pkcs8() -> Station {
    let station = ready();
    station.change("name = \"TH200\"", "name = \"TH200\"\nkey_format = \"pkcs8\"");
    station
}

/// What the one device of this station holds.
fn held(station: &Station) -> Held {
    let files = fs::read_dir(station.path("devices")).unwrap().map(|file| file.unwrap().path());
    let flash: Vec<_> =
        files.filter(|file| file.extension().is_some_and(|x| x == "flash")).collect();
    assert_eq!(flash.len(), 1);
    held_identity(&flash[0]).unwrap().unwrap()
}

#[test]
fn the_image_begins_with_a_key_that_openssl_reads_and_the_device_proves_it() {
    let station = ready_for_pkcs8();
    let _device = plug(&station, "slot-a", "--seed 1 --state devices");
    let batch = batch(&station, &format!("{SERIAL}\n"), "");
    assert_eq!(batch.summary["passed"], 1, "{:?}", batch.run);
    assert_eq!(batch.unit(SERIAL)["proof"], "possession");
    let held = held(&station);
    fs::write(station.path("key.der"), &held.image[..138]).unwrap();
    fs::write(station.path("device.der"), &held.certificate).unwrap();
    let dir = station.path("");
    let key = openssl(&dir, "pkey -inform der -in key.der -pubout");
    let certified = openssl(&dir, "x509 -inform der -in device.der -noout -pubkey");
    assert_eq!((key.status, key.stdout), (0, certified.stdout));
    station.ok("ledger verify");
}

#[test]
fn a_device_that_takes_no_such_key_is_refused_before_anything_is_written() {
    let station = ready_for_pkcs8();
    // Its largest chunk does not hold the key, so it does not offer to take it.
    let _device = plug(&station, "slot-a", "--max-chunk 100");
    let batch = batch(&station, &format!("{SERIAL}\n"), "");
    batch.ended("fail", "E-DEV-KEY-FORMAT");
}

#[test]
fn with_nothing_set_the_image_begins_with_the_bare_scalar() {
    let station = ready();
    let _device = plug(&station, "slot-a", "--seed 1 --state devices");
    batch(&station, &format!("{SERIAL}\n"), "");
    let held = held(&station);
    assert_eq!(held.image[..32], held.key);
}
