//! A factory whose slots take simulated chips, and what lies in their flash.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::support::factory::station;
use super::support::openssl::openssl;
use super::support::{Factory, Finished, LONG, Plan, Process};

/// Where the identity's partition lies in a simulated chip, and the one for NVS.
pub(crate) const TLV: std::ops::Range<usize> = 0xd000..0xf000;
pub(crate) const NVS: std::ops::Range<usize> = 0x12000..0x18000;

/// What makes a slot of a factory one for chips.
const DRIVER: &str = "driver = \"esp\"\n";

/// A factory of that many slots for chips.
pub(crate) fn factory(slots: usize) -> Factory {
    factory_with(slots, "")
}

/// The same with further lines in `[esp]`.
pub(crate) fn factory_with(slots: usize, esp: &str) -> Factory {
    let factory = Factory::with(&Plan { slots, ..Plan::default() });
    let text = fs::read_to_string(factory.config()).unwrap();
    let text = text.replace("baud = 115200\n", &format!("baud = 115200\n{DRIVER}"));
    fs::write(factory.config(), format!("{text}\n[esp]\nbaud = 921600\n{esp}")).unwrap();
    factory
}

/// `station sim esp` for a slot, once it is ready: 1 MiB of flash that needs little time.
pub(crate) fn chips(factory: &Factory, slot: &str, options: &[&str]) -> Process {
    chips_in(&factory.port(slot), &factory.devices_dir(), options)
}

fn chips_in(port: &Path, devices: &Path, options: &[&str]) -> Process {
    let mut command = station();
    command.args(["--json", "sim", "esp", "--link"]).arg(port).arg("--state").arg(devices);
    let usual = [
        ["--flash-kib", "1024"],
        ["--erase-ms", "1"],
        ["--page-us", "10"],
        ["--boot-ms", "20"],
        ["--prove-ms", "1"],
        ["--seed", "7"],
    ];
    command.arg("--unpaced");
    command.args(usual.iter().filter(|[name, _]| !options.contains(name)).flatten());
    command.args(options);
    let mut process = Process::start(command);
    let ready = process.event(LONG).unwrap_or_else(|| panic!("{}", process.errors()));
    assert_eq!(ready["event"], "ready");
    process
}

/// The flash of the first chips of these slots as they come out of their box.
pub(crate) fn pristine(factory: &Factory, slots: &[&str], units: u32) -> Vec<Vec<u8>> {
    let (folder, devices) = (factory.path("box"), factory.path("box/devices"));
    fs::create_dir(&folder).unwrap();
    for slot in slots {
        let port = folder.join(format!("slot-{slot}"));
        let simulated = chips_in(&port, &devices, &["--units", &units.to_string()]);
        for _ in 1..units {
            for act in ["pull", "next"] {
                let told = station().args(["sim", act]).arg(&port).output().unwrap();
                assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
            }
        }
        drop(simulated);
    }
    let files = fs::read_dir(&devices).unwrap().map(|entry| entry.unwrap().path());
    let flashes = files.filter(|path| path.extension().is_some_and(|end| end == "flash"));
    flashes.map(|path| fs::read(path).unwrap()).collect()
}

/// The flash of every chip that was in a slot, by the chip's id.
pub(crate) fn flashes(factory: &Factory) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(factory.devices_dir()) else { return BTreeMap::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let flashes = paths.filter(|path| path.extension().is_some_and(|end| end == "flash"));
    flashes.map(|path| (stem(&path), fs::read(&path).unwrap())).collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The outcome and the code of a batch's only unit.
#[track_caller]
pub(crate) fn outcome(finished: &Finished) -> (String, String) {
    let unit = finished.units().remove(0);
    let text = |key: &str| unit[key].as_str().unwrap_or_default().to_owned();
    (text("outcome"), text("code"))
}

/// Whether a flash holds the newest certificate of a unit and the key that belongs to it.
pub(crate) fn holds_what_was_issued(factory: &Factory, serial: &str, flash: &[u8]) -> bool {
    let shown = factory.show(serial);
    let newest = shown["certificates"].as_array().unwrap().last().unwrap();
    let pem = newest["pem"].as_str().unwrap().replace("\r\n", "\n");
    fs::write(factory.path("shown.pem"), &pem).unwrap();
    let file = |name: &str| factory.path(name).to_str().unwrap().to_owned();
    let wanted = openssl(&["x509", "-in", &file("shown.pem"), "-noout", "-pubkey"]);
    let begins = [0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
    let keys: Vec<_> = flash.windows(121).filter(|part| part.starts_with(&begins)).collect();
    // One key, and it is the certificate's: nothing of an earlier one is left.
    let [key] = keys[..] else { return false };
    fs::write(factory.path("found.key"), key).unwrap();
    let found = openssl(&["pkey", "-inform", "DER", "-in", &file("found.key"), "-pubout"]);
    found == wanted && flash.windows(pem.len()).any(|part| part == pem.as_bytes())
}

/// Puts the slot's first chip back, in its loader, with what it holds.
pub(crate) fn again(factory: &Factory, slot: &str, options: &[&str]) -> Process {
    let progress = factory.devices_dir().join(format!("slot-{slot}.slot.json"));
    let text = fs::read_to_string(&progress).unwrap();
    fs::write(progress, text.replace("\"unit\":2", "\"unit\":1")).unwrap();
    chips(factory, slot, options)
}
