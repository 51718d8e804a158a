//! Chips that are reset by DTR and RTS: by the station, and by `esptool` as it comes.
//!
//! A pseudo-terminal lacks the two lines. A library before the program tells the simulated chip
//! what the program does with them; station and `esptool` are unchanged.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use provisioning_station::broker::Identity;
use provisioning_station::pki::{pkcs8_of, read_certificates};

use super::bench::{chips, factory, factory_with, flashes, outcome};
use super::support::connecting::{Application, give_broker};
use super::support::keys::files_under;
use super::support::{Factory, label, labels};
use super::tools::{Tools, done};

/// The library, built once.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lines.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(&built);
        let outcome = compiler.arg(root.join("tests/esp/lines.c")).arg("-ldl").output().unwrap();
        assert!(outcome.status.success(), "{}", String::from_utf8_lossy(&outcome.stderr));
        built
    })
}

fn with_lines(factory: &mut Factory) {
    factory.change("driver = \"esp\"", "driver = \"esp\"\nrestart = \"rts\"");
    factory.set("LD_PRELOAD", library());
    factory.set("SIM_LINKS", factory.port("A"));
}

#[test]
fn a_chip_is_brought_into_its_loader_and_back_by_its_lines() {
    for chip in ["esp32", "esp32c3"] {
        let mut factory = factory(1);
        with_lines(&mut factory);
        let _chips = chips(&factory, "A", &["--chip", chip]);
        let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
        assert_eq!(unit["proof"], "possession");
        let shown = factory.show(&label(1));
        assert_eq!(shown["attempts"][0]["outcome"], "pass");
        factory.verify();
    }
}

#[test]
fn a_loader_that_an_efuse_forbids_is_said_to_be_one() {
    let mut factory = factory(1);
    with_lines(&mut factory);
    let _chips = chips(&factory, "A", &["--fault", "no-download"]);
    let before = flashes(&factory);
    let (outcome, code) = outcome(&factory.batch(&labels(1)));
    assert_eq!((outcome.as_str(), code.as_str()), ("fail", "E-ESP-LOADER"));
    assert!(flashes(&factory) == before);
}

#[test]
fn an_application_that_is_silent_is_a_read_back_and_is_called_one() {
    let mut factory = factory_with(1, "application = \"silent\"\n");
    with_lines(&mut factory);
    let _chips = chips(&factory, "A", &["--fault", "silent-app", "--units", "2"]);
    // A product that wants possession does not get it.
    assert_eq!(outcome(&factory.batch(&labels(1))).1, "E-PROOF-TOO-WEAK");
    factory.change(
        "client_id = \"{serial}\"",
        "client_id = \"{serial}\"\nrequired_proof = \"read-back\"",
    );
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"read-back".into()));
    let shown = factory.show(&label(1));
    assert_eq!(shown["attempts"].as_array().unwrap().last().unwrap()["proof"], "read-back");
    factory.verify();
}

/// What the chips below that folder hold, as an application takes it out of its partition.
fn in_chip(devices: &Path) -> Option<Identity> {
    const KEY: [u8; 7] = [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let flashes = files_under(devices, &[]);
    let flash = flashes.iter().find(|path| path.extension().is_some_and(|end| end == "flash"))?;
    let bytes = fs::read(flash).ok()?;
    let find = |text: &[u8]| bytes.windows(text.len()).position(|window| window == text);
    let scalar = bytes.get(find(&KEY)? + KEY.len()..)?.first_chunk::<32>()?;
    // The roots stand there too: the client's is the one that has its client id.
    let texts = String::from_utf8_lossy(&bytes);
    let certificates = texts.split_inclusive(END).find_map(|text| {
        let file = tempfile::NamedTempFile::new().ok()?;
        fs::write(file.path(), &text[text.find(BEGIN)?..]).ok()?;
        let found = read_certificates(file.path()).ok()?;
        found[0].windows(14).any(|window| window == b"TH200-00000001").then_some(found)
    })?;
    Some(Identity { certificates, key: pkcs8_of(scalar)? })
}

#[test]
fn a_silent_application_is_proven_by_its_connection() {
    let mut factory = factory_with(1, "application = \"silent\"\n");
    with_lines(&mut factory);
    let address = give_broker(&mut factory, "60s");
    let _chips = chips(&factory, "A", &["--fault", "silent-app"]);
    let devices = factory.devices_dir();
    let _application =
        Application::start(&factory, address, "TH200-00000001", move || in_chip(&devices));
    let unit = factory.batch(&labels(1)).expect(0).unit(&label(1));
    assert_eq!((&unit["outcome"], &unit["proof"]), (&"pass".into(), &"connect".into()));
    factory.verify();
}

#[test]
fn a_silent_application_that_does_not_connect_is_no_pass() {
    let mut factory = factory_with(1, "application = \"silent\"\n");
    with_lines(&mut factory);
    give_broker(&mut factory, "1s");
    let _chips = chips(&factory, "A", &["--fault", "silent-app"]);
    let (outcome, code) = outcome(&factory.batch(&labels(1)));
    assert_eq!((outcome.as_str(), code.as_str()), ("fail", "E-DEV-CONNECT"));
    assert!(factory.ledger().in_state("proven").is_empty());
}

#[test]
fn a_silent_application_without_lines_is_refused_by_the_file() {
    let factory = factory_with(1, "application = \"silent\"\n");
    let refused = factory.run(&["config", "check"]).expect(3);
    assert!(refused.errors.contains("restart = \"command\""), "{}", refused.errors);
}

#[test]
fn esptool_resets_a_chip_by_its_own_trains() {
    let Some(tools) = Tools::find() else { return };
    let factory = factory(1);
    let _chips = chips(&factory, "A", &[]);
    let shim = [
        ("LD_PRELOAD".to_owned(), library().to_str().unwrap().to_owned()),
        ("SIM_LINKS".to_owned(), factory.port("A").to_str().unwrap().to_owned()),
    ];
    // Leaves the chip in its application, from which only its lines bring it back.
    let run = || done(tools.esptool_with_lines(&factory.port("A"), &shim, &["flash-id"]));
    assert!(run().contains("Detected flash size: 1MB"));
    assert!(run().contains("Hard resetting via RTS"));
}
