//! Devices that speak MCUmgr's SMP: Zephyr's own servers, which nobody here wrote.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::support::meddler::{Change, Meddler, Way};
use super::support::openssl::openssl;
use super::support::zephyr::{Zephyr, program};
use super::support::{Factory, label, labels, named};

/// A factory whose devices speak SMP and whose product is content with a read-back.
fn factory() -> Factory {
    let factory = Factory::usual();
    factory.change("port = \"slot-A\"", "port = \"slot-A\"\ndriver = \"smp\"");
    content_with_a_read_back(&factory);
    factory
}

fn content_with_a_read_back(factory: &Factory) {
    factory.change(
        "client_id = \"{serial}\"",
        "client_id = \"{serial}\"\nrequired_proof = \"read-back\"",
    );
}

fn device(factory: &Factory, configuration: &str) -> Option<Zephyr> {
    let program = program(configuration)?;
    Some(Zephyr::boot(&program, &factory.path("flash.bin"), &factory.port("A")))
}

/// The outcome and the code of the first unit.
fn outcome(factory: &Factory, labels: &str) -> (String, String) {
    let unit = factory.batch(labels).units().remove(0);
    let text = |key: &str| unit[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("code"))
}

/// Demands that the device's flash holds the key of the certificate that was issued last.
fn assert_flash_holds_the_identity(factory: &Factory, serial: &str) {
    let flash = fs::read(factory.path("flash.bin")).unwrap();
    let pem = certificate_of(factory, serial);
    fs::write(factory.path("shown.pem"), &pem).unwrap();
    let at = |name: &str| factory.path(name).to_str().unwrap().to_owned();
    let whole = openssl(&["x509", "-in", &at("shown.pem"), "-noout", "-pubkey"]);
    // A littlefs writes a file anew in another block, so an old one may still be there.
    let head = [0x30, 0x31, 0x02, 0x01, 0x01, 0x04, 0x20];
    let keys = flash.windows(51).filter(|window| window.starts_with(&head));
    let fits = keys.into_iter().any(|key| {
        fs::write(factory.path("found.key"), key).unwrap();
        openssl(&["pkey", "-inform", "DER", "-in", &at("found.key"), "-pubout"]) == whole
    });
    assert!(fits, "no key of {serial}'s certificate is in the flash");
    let is_there = |text: &[u8]| flash.windows(text.len()).any(|window| window == text);
    assert!(is_there(pem.replace("\r\n", "\n").as_bytes()), "its certificate is not");
    assert!(is_there(b"mqtt.example.com:8883 TLS 1.2-1.3\n"), "where to connect is not");
}

fn provisioned(configuration: &str) {
    let factory = factory();
    let Some(device) = device(&factory, configuration) else { return };
    let finished = factory.batch(&labels(1)).expect(0);
    let unit = finished.unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"read-back".into()));
    assert_eq!(device.boots(), 2, "it was restarted once");
    let shown = factory.show(&label(1));
    assert_eq!(shown["attempts"][0]["proof"], "read-back");
    assert_flash_holds_the_identity(&factory, &label(1));
    // It keeps what it holds, and is known by it: it has no id of its own.
    device.kill();
    let again = factory.batch(&labels(1)).expect(0);
    assert_eq!(again.summary()["already_proven"], 1);
    let (outcome, code) = outcome(&factory, &named("A", 2));
    assert_eq!((outcome.as_str(), code.as_str()), ("refused", "E-DEV-OTHER-LABEL"));
    factory.verify();
}

#[test]
fn a_device_of_zephyr_is_provisioned() {
    provisioned("serial_fs");
}

#[test]
fn one_that_loses_what_comes_too_fast_is_provisioned() {
    provisioned("serial");
}

#[test]
fn one_with_large_line_buffers_is_provisioned() {
    provisioned("serial_bigrx");
}

#[test]
fn the_keys_file_has_the_name_that_the_product_gives_it() {
    let factory = factory();
    let name = "client_id = \"{serial}\"\nkey_file = \"device.key\"";
    factory.change("client_id = \"{serial}\"", name);
    let Some(_device) = device(&factory, "serial_fs") else { return };
    factory.batch(&labels(1)).expect(0);
    let flash = fs::read(factory.path("flash.bin")).unwrap();
    let is_there = |text: &[u8]| flash.windows(text.len()).any(|window| window == text);
    assert!(is_there(b"device.key") && !is_there(b"client.key"));
    assert_flash_holds_the_identity(&factory, &label(1));
    factory.verify();
}

/// Zephyr's sample has room for two files that take a block. A key as PKCS#8 takes a third: it is
/// written and compared by the device's own hash, and then the certificate finds no room.
#[test]
fn a_key_is_written_in_the_form_that_the_product_asks_for_and_takes_a_block_more() {
    let factory = factory();
    let form = "client_id = \"{serial}\"\nkey_format = \"pkcs8\"\nkey_encoding = \"pem\"";
    factory.change("client_id = \"{serial}\"", form);
    let Some(_device) = device(&factory, "serial_fs") else { return };
    let unit = factory.batch(&labels(1)).units().remove(0);
    assert_eq!((&unit["step"], &unit["code"]), (&"commit".into(), &"E-DEV-NOT-STORED".into()));
    // What is written over in a littlefs is still there.
    let flash = fs::read(factory.path("flash.bin")).unwrap();
    let (begin, end) = (b"-----BEGIN PRIVATE KEY-----\n", b"-----END PRIVATE KEY-----\n");
    let from = flash.windows(begin.len()).position(|window| window == begin).unwrap();
    let to = flash.windows(end.len()).position(|window| window == end).unwrap() + end.len();
    fs::write(factory.path("found.pem"), &flash[from..to]).unwrap();
    fs::write(factory.path("shown.pem"), certificate_of(&factory, &label(1))).unwrap();
    let at = |name: &str| factory.path(name).to_str().unwrap().to_owned();
    // The public key stands in the document, under the tag 1.
    let text = openssl(&["asn1parse", "-in", &at("found.pem"), "-strparse", "27"]);
    assert!(text.contains("cont [ 1 ]") && text.contains("BIT STRING"), "{text}");
    let whole = openssl(&["x509", "-in", &at("shown.pem"), "-noout", "-pubkey"]);
    assert_eq!(openssl(&["pkey", "-in", &at("found.pem"), "-pubout"]), whole);
    factory.verify();
}

/// The certificate that was issued last to a unit, PEM.
fn certificate_of(factory: &Factory, serial: &str) -> String {
    let shown = factory.show(serial);
    let newest = shown["certificates"].as_array().unwrap().last().unwrap();
    newest["pem"].as_str().unwrap().to_owned()
}

#[test]
fn a_station_that_was_killed_behind_the_commit_finds_out_what_the_device_holds() {
    let factory = factory();
    let Some(device) = device(&factory, "serial_fs") else { return };
    let batch = factory.start_batch(&labels(1));
    // The restart comes after the commit.
    while device.boots() < 2 {
        std::thread::yield_now();
    }
    batch.kill();
    let resumed = factory.batch(&labels(1)).expect(0);
    assert_eq!(resumed.unit(&label(1))["proof"].as_str().unwrap_or("read-back"), "read-back");
    assert_eq!(factory.ledger().in_state("proven").len(), 1);
    assert_eq!(factory.ledger().certificates().len(), 1, "it was not burned again");
    assert_flash_holds_the_identity(&factory, &label(1));
    factory.verify();
}

#[test]
fn rework_comes_back_to_the_device_that_holds_the_unit_and_to_no_other() {
    let factory = factory();
    let Some(first) = device(&factory, "serial_fs") else { return };
    factory.batch(&labels(1)).expect(0);
    let rework = ["unit", "rework", &label(1), "--reason", "returned", "--by", "s04"];
    factory.run(&rework).expect(0);
    drop(first);
    let other = Zephyr::boot(
        &program("serial_fs").unwrap(),
        &factory.path("other.bin"),
        &factory.port("A"),
    );
    let (refused, _) = outcome(&factory, &named("A", 1));
    assert_eq!(refused, "refused");
    drop(other);
    let _first = device(&factory, "serial_fs").unwrap();
    let reworked = factory.batch(&named("A", 1)).expect(0);
    let unit = reworked.unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["attempt"]), (&"pass".into(), &2.into()));
    let hardware: Vec<_> = factory.show(&label(1))["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["hardware_id"].clone())
        .collect();
    assert_eq!(hardware[0], hardware[1]);
    factory.verify();
}

#[test]
fn a_read_back_is_no_pass_where_the_product_wants_possession() {
    let factory = Factory::usual();
    factory.change("port = \"slot-A\"", "port = \"slot-A\"\ndriver = \"smp\"");
    let Some(_device) = device(&factory, "serial_fs") else { return };
    assert_eq!(outcome(&factory, &labels(1)), ("fail".to_owned(), "E-PROOF-TOO-WEAK".to_owned()));
    assert!(factory.ledger().certificates().is_empty());
}

#[test]
fn a_full_file_system_is_never_a_pass() {
    let factory = factory();
    let Some(_device) = device(&factory, "serial_fs") else { return };
    let root = fs::read_to_string(factory.path("server-root.pem")).unwrap();
    fs::write(factory.path("server-root.pem"), root.repeat(30)).unwrap();
    assert_eq!(outcome(&factory, &labels(1)), ("fail".to_owned(), "E-DEV-NOT-STORED".to_owned()));
    assert!(factory.ledger().in_state("proven").is_empty());
}

#[test]
fn a_write_that_is_refused_is_never_a_pass() {
    let factory = factory();
    factory.change("driver = \"smp\"", "driver = \"smp\"\ndirectory = \"/nowhere\"");
    let Some(_device) = device(&factory, "serial_fs") else { return };
    assert_eq!(outcome(&factory, &labels(1)), ("fail".to_owned(), "E-DEV-NOT-STORED".to_owned()));
    assert!(factory.ledger().in_state("proven").is_empty());
}

/// A device behind someone who changes messages.
fn meddled_with(factory: &Factory, change: Change) -> Option<(Zephyr, Meddler)> {
    let port = factory.path("device-port");
    let program = program("serial_fs")?;
    let device = Zephyr::boot(&program, &factory.path("flash.bin"), &port);
    Some((device, Meddler::between(&factory.port("A"), port, change)))
}

fn holds(message: &[u8], text: &[u8]) -> Option<usize> {
    message.windows(text.len()).position(|window| window == text)
}

#[test]
fn a_file_that_arrives_changed_is_never_a_pass() {
    let factory = factory();
    let change = |way, message: &mut Vec<u8>| {
        // Its key alone, so that nothing else can tell.
        let is_key = way == Way::ToDevice && holds(message, b"client.key").is_some();
        let Some(at) = holds(message, b"ddata").filter(|_| is_key) else { return };
        // Not the one byte by which a key is dropped.
        if let Some(byte) = message.get_mut(at + 30) {
            *byte ^= 1;
        }
    };
    let Some(_device) = meddled_with(&factory, Box::new(change)) else { return };
    assert_eq!(outcome(&factory, &labels(1)), ("fail".to_owned(), "E-DEV-NOT-STORED".to_owned()));
    assert!(factory.ledger().in_state("proven").is_empty());
}

#[test]
fn hashes_that_are_wrong_after_the_restart_are_never_a_pass() {
    let factory = factory();
    let was_reset = Arc::new(AtomicBool::new(false));
    let change = move |way, message: &mut Vec<u8>| match way {
        // Group 0, command 5.
        Way::ToDevice if message[4..6] == [0, 0] && message[7] == 5 => {
            was_reset.store(true, Ordering::Release);
        }
        Way::ToStation if was_reset.load(Ordering::Acquire) => {
            if let Some(at) = holds(message, b"foutput") {
                message[at + 12] ^= 1;
            }
        }
        _ => {}
    };
    let Some(_device) = meddled_with(&factory, Box::new(change)) else { return };
    let (outcome, code) = outcome(&factory, &labels(1));
    assert_eq!((outcome.as_str(), code.as_str()), ("fail", "E-DEV-NOT-STORED"));
    assert!(factory.ledger().in_state("proven").is_empty());
}

#[test]
fn a_slot_of_any_family_takes_zephyrs_devices_and_framed_ones() {
    let factory = Factory::usual();
    factory.change("port = \"slot-A\"", "port = \"slot-A\"\ndriver = \"auto\"");
    content_with_a_read_back(&factory);
    let Some(zephyr) = device(&factory, "serial") else { return };
    let unit = factory.batch(&named("A", 1)).expect(0).unit(&label(1));
    assert_eq!(unit["proof"], "read-back");
    drop(zephyr);
    let _framed = factory.devices("A", 1);
    let unit = factory.batch(&named("A", 2)).expect(0).unit(&label(2));
    assert_eq!(unit["proof"], "possession");
}

#[test]
fn a_rework_that_failed_leaves_a_device_that_a_person_must_let_in_again() {
    let factory = factory();
    let Some(_device) = device(&factory, "serial_fs") else { return };
    factory.batch(&labels(1)).expect(0);
    let serial = label(1);
    let rework = ["unit", "rework", &serial, "--reason", "returned", "--by", "s04"];
    factory.run(&rework).expect(0);
    let root = fs::read_to_string(factory.path("server-root.pem")).unwrap();
    fs::write(factory.path("server-root.pem"), root.repeat(30)).unwrap();
    assert_eq!(outcome(&factory, &labels(1)).1, "E-DEV-NOT-STORED");
    fs::write(factory.path("server-root.pem"), root).unwrap();
    // It holds nothing now, so nobody can say that it is the same one.
    assert_eq!(outcome(&factory, &labels(1)).0, "refused");
    factory.run(&[&rework[..], &["--new-device"]].concat()).expect(0);
    let unit = factory.batch(&labels(1)).expect(0).unit(&serial);
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"read-back".into()));
    assert_flash_holds_the_identity(&factory, &serial);
    factory.verify();
}
