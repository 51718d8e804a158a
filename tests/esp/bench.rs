//! A factory whose slots take simulated chips, and what lies in their flash.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::support::factory::station;
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
    let (port, devices) = (factory.port(slot), factory.devices_dir());
    let mut command = station();
    command.args(["--json", "sim", "esp", "--link"]).arg(&port).arg("--state").arg(&devices);
    command.args(["--flash-kib", "1024", "--erase-ms", "1", "--page-us", "10"]);
    command.args(["--boot-ms", "20", "--prove-ms", "1", "--unpaced", "--seed", "7"]);
    command.args(options);
    let mut process = Process::start(command);
    let ready = process.event(LONG).unwrap_or_else(|| panic!("{}", process.errors()));
    assert_eq!(ready["event"], "ready");
    process
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
