//! `station export` and `station import-registered`: out to the console and back.

use std::fs;

use serde_json::Value;

use crate::line::{batch, plug, ready};
use crate::station::{Station, openssl};

const FIRST: &str = "TH200-00000001";
const SECOND: &str = "TH200-00000002";

const CLOUD: &str = "\n[cloud]\nendpoint = \"https://mqtt.example.com\"\n\
    region = \"ap-guangzhou\"\ninstance_id = \"mqtt-console\"\n";

/// A station with two proven units, one that was voided, and one that failed.
fn station() -> Station {
    let station = ready();
    let config = fs::read_to_string(station.path("station.toml")).unwrap();
    station.write("station.toml", &(config + CLOUD));
    {
        let _device = plug(&station, "slot-a", "--units 4 --fault lie-key@4");
        let labels = format!("{FIRST}\n{SECOND}\nTH200-00000003\nTH200-00000004\n");
        let batch = batch(&station, &labels, "");
        assert_eq!(batch.summary["passed"], 3, "{:?}", batch.run);
    }
    station.ok("unit void TH200-00000003 --reason lost --by p117");
    station
}

fn state(station: &Station, serial: &str) -> String {
    let shown = station.ok(&format!("unit show {serial} --json")).json_line();
    shown["state"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_proven_goes_out_and_comes_back_as_registered_by_hand() {
    let station = station();
    let exported = station.ok("export --format csv --out out.csv --json").json_line();
    assert_eq!(exported["certificates"], 2);
    assert_eq!(exported["by_proof"]["possession"], 2);
    let table = fs::read_to_string(station.path("out.csv")).unwrap();
    assert!(table.contains(FIRST) && table.contains(SECOND), "{table}");
    for never in ["TH200-00000003", "TH200-00000004"] {
        assert!(!table.contains(never), "{table}");
    }
    let imported = station.ok("import-registered out.csv.manifest.json --by p117 --json").json();
    assert_eq!(imported.last().unwrap()["registered_by_hand"], 2);
    assert_eq!(
        (state(&station, FIRST), state(&station, SECOND)),
        ("registered".to_owned(), "registered".to_owned())
    );
    let acts = station.ok(&format!("unit show {FIRST}")).stdout;
    assert!(acts.contains("registered-by-hand") && acts.contains("p117"), "{acts}");
    station.ok("ledger verify");

    // Again: nothing is registered twice, and nothing is left to be handed off.
    let again = station.ok("import-registered out.csv --by p117 --json").json();
    assert_eq!(again.last().unwrap()["already_registered"], 2);
    let rest = station.ok("export --format ndjson --out rest --json").json_line();
    assert_eq!(rest["certificates"], 0);
    let all = station.ok("export --format ndjson --out all --all --json").json_line();
    assert_eq!(all["certificates"], 2);

    // What was registered in one instance says nothing about another.
    station.change("mqtt-console", "mqtt-other");
    station.fails("import-registered all --by p117", "E-CLOUD-INSTANCE-CHANGED", 6);
}

#[test]
fn the_same_export_is_the_same_bytes_and_never_written_over() {
    let station = station();
    for format in ["pem-zip", "csv", "ndjson"] {
        station.ok(&format!("export --format {format} --out one-{format}"));
        station.ok(&format!("export --format {format} --out two-{format}"));
        let bytes = |name: &str| fs::read(station.path(&format!("{name}-{format}"))).unwrap();
        assert_eq!(bytes("one"), bytes("two"), "{format}");
        let again = format!("export --format {format} --out one-{format}");
        station.fails(&again, "E-OUTPUT", 1);
    }
    station.fails("export --format csv --out x --work-order WO-9", "E-WORK-ORDER-UNKNOWN", 1);
}

#[test]
fn openssl_takes_every_certificate_of_a_zip_and_the_manifest_has_its_digest() {
    use sha2::{Digest, Sha256};
    let station = station();
    station.ok("export --format pem-zip --out out.zip");
    let mut zip = zip::ZipArchive::new(fs::File::open(station.path("out.zip")).unwrap()).unwrap();
    let mut text = |name: &str| std::io::read_to_string(zip.by_name(name).unwrap()).unwrap();
    let manifest: Value = serde_json::from_str(&text("manifest.json")).unwrap();
    let entries = manifest["certificates"].as_array().unwrap();
    assert_eq!(entries.len(), 2);
    for entry in entries {
        let pem = text(entry["file"].as_str().unwrap());
        let digest = Sha256::digest(pem.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(entry["sha256"], digest);
        station.write("one.pem", &pem);
        let verified = openssl(&station.path(""), "verify -CAfile ca.pem one.pem");
        assert_eq!(verified.status, 0, "{verified:?}");
    }
}

#[test]
fn a_row_that_differs_is_refused_alone() {
    let station = station();
    let sns: Vec<(String, String)> = [FIRST, SECOND, "TH200-00000003"]
        .iter()
        .map(|serial| {
            let shown = station.ok(&format!("unit show {serial} --json")).json_line();
            let certificate = &shown["certificates"][0];
            let text = |name: &str| certificate[name].as_str().unwrap().to_owned();
            (text("certificate_sn"), text("fingerprint_sha256"))
        })
        .collect();
    let [(first, one), (second, _), (void, three)] = &sns[..] else { panic!("{sns:?}") };
    let unknown = "7f".repeat(16);
    let table = format!(
        "certificate_sn,fingerprint_sha256,serial\n\
         {second},{one},{SECOND}\n{void},{three},TH200-00000003\n{unknown},{one},\n,nonsense,\n\
         {first},{one},{FIRST}\n"
    );
    station.write("table.csv", &table);
    let run = station.run("import-registered table.csv --by p117 --json");
    assert_eq!(run.status, 1, "{run:?}");
    let lines = run.json();
    let codes: Vec<_> = lines.iter().map(|line| line["code"].as_str().unwrap_or("")).collect();
    assert_eq!(codes, ["E-HANDOFF-MISMATCH", "E-UNIT-STATE", "E-UNIT-UNKNOWN", "E-INPUT", "", ""]);
    assert_eq!(lines.last().unwrap()["refused"], 4);
    assert_eq!(lines.last().unwrap()["registered_by_hand"], 1);
    assert_eq!(
        (state(&station, FIRST), state(&station, SECOND)),
        ("registered".to_owned(), "proven".to_owned())
    );
}

#[test]
fn what_can_t_be_imported_at_all_is_said() {
    let station = ready();
    station.write("table.csv", "serial\nx\n");
    station.fails("import-registered table.csv --by p117", "E-CONFIG-VALUE", 3);
    let config = fs::read_to_string(station.path("station.toml")).unwrap();
    station.write("station.toml", &(config + CLOUD));
    station.fails("import-registered table.csv --by p117", "E-INPUT", 2).says("fingerprint");
    station.fails("import-registered nothing.csv --by p117", "E-INPUT", 2);
    station.fails("import-registered table.csv", "E-USAGE", 2);
}
