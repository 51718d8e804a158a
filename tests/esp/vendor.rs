//! Espressif's own tools against simulated chips, and against what the station wrote.

use std::fs;
use std::path::Path;

use super::bench::{NVS, TLV, chips, factory, factory_with, flashes};
use super::support::openssl::openssl;
use super::support::{Factory, label, labels};
use super::tools::{Tools, done};

fn written(factory: &Factory) -> Vec<u8> {
    flashes(factory).into_values().next().unwrap()
}

/// One chip, found, written, verified and read by `esptool`; nothing beside what was written
/// changes.
fn judged(chip: &str, name: &str, compression: &str) {
    let Some(tools) = Tools::find() else { return };
    let factory = factory(1);
    let _chips = chips(&factory, "A", &["--chip", chip]);
    let (port, before) = (factory.port("A"), written(&factory));
    let at = |name: &str| factory.path(name).to_str().unwrap().to_owned();
    // Longer than a sector and no multiple of a block; full of what SLIP escapes.
    let image: Vec<u8> = (0..5003_u32).map(|n| (n * 7 % 251) as u8 ^ 0xc0).collect();
    fs::write(factory.path("image"), &image).unwrap();
    let write = ["write-flash", compression, "0x12000", &at("image")];
    let said = done(tools.esptool(&port, &write));
    let is_it = |line: &str| line.starts_with("Chip type:") && line.contains(name);
    assert!(said.lines().any(is_it), "{said}");
    assert!(said.contains("Hash of data verified"), "{said}");
    done(tools.esptool(&port, &["verify-flash", "0x12000", &at("image")]));
    done(tools.esptool(&port, &["read-flash", "0x11f00", "0x500", &at("read")]));
    let after = written(&factory);
    assert_eq!(fs::read(factory.path("read")).unwrap(), after[0x11f00..0x12400]);
    assert_eq!(after[0x12000..0x12000 + image.len()], image);
    // What the loader erased beyond the image, to the end of its sector, is ones.
    assert!(after[0x12000 + image.len()..0x14000].iter().all(|byte| *byte == 0xff));
    assert!(after[..0x12000] == before[..0x12000] && after[0x14000..] == before[0x14000..]);
    // An image of ones is how a loader without a stub erases.
    fs::write(factory.path("image"), vec![0xff; 0x2000]).unwrap();
    done(tools.esptool(&port, &write));
    assert!(written(&factory)[0x12000..0x14000].iter().all(|byte| *byte == 0xff));
}

#[test]
fn esptool_works_on_an_esp32() {
    judged("esp32", "ESP32", "--compress");
}

#[test]
fn esptool_works_on_an_s2() {
    judged("esp32s2", "ESP32-S2", "--no-compress");
}

#[test]
fn esptool_works_on_an_s3() {
    judged("esp32s3", "ESP32-S3", "--compress");
}

#[test]
fn esptool_works_on_a_c2() {
    judged("esp32c2", "ESP32-C2", "--no-compress");
}

#[test]
fn esptool_works_on_a_c3() {
    judged("esp32c3", "ESP32-C3", "--compress");
}

#[test]
fn esptool_works_on_a_c6() {
    judged("esp32c6", "ESP32-C6", "--no-compress");
}

#[test]
fn esptool_works_on_an_h2() {
    judged("esp32h2", "ESP32-H2", "--compress");
}

/// The certificate of a unit, as the station shows it, and the public key of it.
fn certificate(factory: &Factory, serial: &str) -> (String, String) {
    let shown = factory.show(serial);
    let newest = shown["certificates"].as_array().unwrap().last().unwrap();
    let pem = newest["pem"].as_str().unwrap().replace("\r\n", "\n");
    fs::write(factory.path("shown.pem"), &pem).unwrap();
    let file = factory.path("shown.pem");
    let key = openssl(&["x509", "-in", file.to_str().unwrap(), "-noout", "-pubkey"]);
    (pem, key)
}

fn public_key(der: &Path) -> String {
    openssl(&["pkey", "-inform", "DER", "-in", der.to_str().unwrap(), "-pubout"])
}

#[test]
fn the_makers_reader_finds_key_and_certificate_and_its_writer_writes_the_same_bytes() {
    let Some(tools) = Tools::find() else { return };
    let factory = factory(1);
    let simulated = chips(&factory, "A", &["--units", "1"]);
    factory.batch(&labels(1)).expect(0);
    drop(simulated);
    let (pem, key) = certificate(&factory, &label(1));
    let partition = written(&factory)[TLV].to_vec();
    fs::write(factory.path("partition.bin"), &partition).unwrap();
    let folder = factory.path("");
    tools.secure_cert(&folder, &["--parse_bin", "partition.bin"]);
    let found = factory.path("esp_secure_cert_parsed_data/contents");
    let read = |name: &str| fs::read_to_string(found.join(name)).unwrap();
    assert!(read("devcert_1_0.pem").starts_with(&pem), "another certificate");
    let root = fs::read_to_string(factory.path("server-root.pem")).unwrap();
    assert_eq!(read("cacert_0_0.pem").trim(), root.replace("\r\n", "\n").trim());
    assert_eq!(public_key(&found.join("privkey_2_0.der")), key);
    // The other way round: its own writer, of the same parts.
    let own = [
        "--skip_flash",
        "--secure_cert_type",
        "cust_flash_tlv",
        "--target_chip",
        "esp32c3",
        "--private-key",
        "esp_secure_cert_parsed_data/contents/privkey_2_0.der",
        "--device-cert",
        "esp_secure_cert_parsed_data/contents/devcert_1_0.pem",
        "--ca-cert",
        "esp_secure_cert_parsed_data/contents/cacert_0_0.pem",
    ];
    tools.secure_cert(&folder, &own);
    let theirs = fs::read(factory.path("esp_secure_cert_data/esp_secure_cert.bin")).unwrap();
    let mut compared = 0;
    for entry in entries(&theirs).into_iter().filter(|entry| entry[8] <= 2) {
        // Its writer takes one certificate of a file; the station's has what stands above it too.
        let same = match entry[8] {
            1 => &entry[12..12 + pem.len()],
            _ => entry,
        };
        assert!(partition.windows(same.len()).any(|window| window == same), "{:?}", &entry[..12]);
        compared += 1;
    }
    assert_eq!(compared, 3);
}

/// The TLV entries of an image, whole, by the lengths in their headers.
fn entries(image: &[u8]) -> Vec<&[u8]> {
    let (mut at, mut entries) = (0, Vec::new());
    while image.get(at..at + 4) == Some(&[0x11, 0xba, 0x5e, 0xba]) {
        let length = usize::from(u16::from_le_bytes([image[at + 10], image[at + 11]]));
        let end = at + 12 + length.next_multiple_of(16) + 4;
        entries.push(&image[at..end]);
        at = end;
    }
    entries
}

#[test]
fn the_makers_generator_makes_the_same_nvs_entries() {
    let Some(tools) = Tools::find() else { return };
    let esp = "format = \"nvs\"\nnamespace = \"cloud\"\n[esp.keys]\nuri = \"broker_uri\"\n";
    let factory = factory_with(1, esp);
    let refused = factory.run(&["config", "check"]).expect(0);
    drop(refused);
    // Its application looks under the usual names, so this one proves nothing.
    factory.change("uri = \"broker_uri\"\n", "");
    let simulated = chips(&factory, "A", &[]);
    factory.batch(&labels(1)).expect(0);
    drop(simulated);
    let partition = written(&factory)[NVS].to_vec();
    let page = |number: usize| &partition[number * 4096..(number + 1) * 4096];
    let der = page(1).windows(7).position(|part| part == [0x30, 0x77, 2, 1, 1, 4, 0x20]).unwrap();
    fs::write(factory.path("key.der"), &page(1)[der..der + 121]).unwrap();
    let (pem, key) = certificate(&factory, &label(1));
    assert_eq!(public_key(&factory.path("key.der")), key);
    let at = partition.windows(pem.len()).position(|part| part == pem.as_bytes()).unwrap();
    let whole = partition[at..].iter().position(|byte| *byte == 0).unwrap();
    fs::write(factory.path("cert.pem"), &partition[at..at + whole]).unwrap();
    let csv = "key,type,encoding,value\ncloud,namespace,,\nclient_cert,file,string,cert.pem\n\
               client_id,data,string,TH200-00000001\n\
               mqtt_uri,data,string,mqtts://mqtt.example.com:8883\nclient_key,file,binary,key.der\n";
    fs::write(factory.path("values.csv"), csv).unwrap();
    tools.nvs(&factory.path(""), &["generate", "values.csv", "theirs.bin", "0x6000"]);
    let theirs = fs::read(factory.path("theirs.bin")).unwrap();
    let mut compared = 0;
    for entry in nvs_entries(&theirs[..4096]) {
        let found = partition.windows(entry.len()).any(|window| window == entry);
        assert!(found, "{:?}", String::from_utf8_lossy(&entry[8..24]));
        compared += 1;
    }
    // The namespace, three texts, the key and its index.
    assert_eq!(compared, 6);
    // The heads of a page that is in use differ in state and number alone.
    assert_eq!(page(0)[8..28], theirs[8..28]);
}

/// The written entries of a page, each with its data.
fn nvs_entries(page: &[u8]) -> Vec<&[u8]> {
    let (mut number, mut entries) = (0, Vec::new());
    while number < 126 && page[32 + number / 4] >> (number % 4 * 2) & 3 == 2 {
        let at = 64 + number * 32;
        let span = usize::from(page[at + 2]);
        entries.push(&page[at..at + span * 32]);
        number += span;
    }
    entries
}

#[test]
fn esptool_reads_and_verifies_what_the_station_wrote() {
    let Some(tools) = Tools::find() else { return };
    let factory = factory(1);
    let simulated = chips(&factory, "A", &[]);
    factory.batch(&labels(1)).expect(0);
    drop(simulated);
    let progress = factory.devices_dir().join("slot-A.slot.json");
    let text = fs::read_to_string(&progress).unwrap();
    fs::write(progress, text.replace("\"unit\":2", "\"unit\":1")).unwrap();
    let _again = chips(&factory, "A", &[]);
    fs::write(factory.path("partition.bin"), &written(&factory)[TLV]).unwrap();
    let file = factory.path("partition.bin");
    let said = done(
        tools.esptool(&factory.port("A"), &["verify-flash", "0xd000", file.to_str().unwrap()]),
    );
    assert!(said.contains("Verification successful"), "{said}");
}
