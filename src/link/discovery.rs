//! Which serial ports there are, and where they are plugged in.
//!
//! A place is written `usb:BUS-CHAIN` or, where one USB device has several ports,
//! `usb:BUS-CHAIN:INTERFACE`, as the kernel names it: `usb:1-2.3`, `usb:1-2.3:1.2`. It
//! names the socket of a fixture whatever is plugged in there. Everything else is a path.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::LinkError;

const CLASS: &str = "/sys/class/tty";
const USB_DEVICES: &str = "/sys/bus/usb/devices";
const DEVICES: &str = "/dev";
const USB: &str = "usb:";

/// A serial port of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundPort {
    /// Its path under `/dev`.
    pub path: PathBuf,
    /// Its place, as `[[slots]] port` takes it; none where it is not on USB.
    pub place: Option<String>,
    /// What its adapter calls itself, printable ASCII.
    pub product: Option<String>,
}

/// Every serial port, by path.
pub fn list() -> Vec<FoundPort> {
    list_in(Path::new(CLASS))
}

fn list_in(class: &Path) -> Vec<FoundPort> {
    let entries = fs::read_dir(class).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.filter_map(|entry| describe(&entry.path())).collect();
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn describe(entry: &Path) -> Option<FoundPort> {
    let device = entry.join("device").canonicalize().ok()?;
    // The type of a UART that the kernel reserved and did not find.
    if fs::read_to_string(entry.join("type")).is_ok_and(|kind| kind.trim() == "0") {
        return None;
    }
    let interface = usb_interface(&device);
    let place = interface.as_ref().and_then(|dir| Some(format!("{USB}{}", name(dir)?)));
    let product = interface.as_ref().and_then(|dir| product(dir.parent()?));
    Some(FoundPort { path: Path::new(DEVICES).join(name(entry)?), place, product })
}

/// The sysfs directory of the USB interface above a tty: its name has a dash and a colon.
fn usb_interface(device: &Path) -> Option<PathBuf> {
    let is_interface = |dir: &&Path| {
        let parts = name(dir).and_then(|n| n.split_once(':'));
        parts.is_some_and(|(chain, _)| is_chain(chain))
    };
    device.ancestors().find(is_interface).map(Path::to_owned)
}

fn is_chain(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_digit() || c == '.';
    text.split_once('-').is_some_and(|(bus, ports)| {
        !bus.is_empty()
            && bus.chars().all(|c| c.is_ascii_digit())
            && !ports.is_empty()
            && ports.chars().all(allowed)
    })
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn product(usb_device: &Path) -> Option<String> {
    let text = fs::read_to_string(usb_device.join("product")).ok()?;
    // A descriptor is whatever the adapter's maker, or an attacker, put there.
    let clean = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
    Some(text.trim().chars().map(clean).take(64).collect())
}

/// The path of a configured port.
pub fn resolve(port: &str) -> Result<PathBuf, LinkError> {
    resolve_in(Path::new(CLASS), port)
}

fn resolve_in(class: &Path, port: &str) -> Result<PathBuf, LinkError> {
    let Some(place) = port.strip_prefix(USB) else { return Ok(PathBuf::from(port)) };
    let missing = || LinkError::PortMissing { path: port.to_owned() };
    let is_here = |found: &FoundPort| {
        let here = found.place.as_deref().and_then(|p| p.strip_prefix(USB)).unwrap_or_default();
        here == place || here.split_once(':').is_some_and(|(chain, _)| chain == place)
    };
    // Several ports at one place: the first interface, which list_in puts first.
    let mut here: Vec<_> = list_in(class).into_iter().filter(is_here).collect();
    here.sort_by(|a, b| a.place.cmp(&b.place));
    here.into_iter().next().map(|found| found.path).ok_or_else(missing)
}

/// Whether a port that is not there may still come: a socket of this machine may be empty for
/// now, and so may a name in a directory.
pub fn can_come(port: &str) -> Result<(), LinkError> {
    can_come_in(Path::new(USB_DEVICES), port)
}

fn can_come_in(usb_devices: &Path, port: &str) -> Result<(), LinkError> {
    let reason = match port.strip_prefix(USB) {
        Some(place) => no_such_socket(usb_devices, place),
        None => no_such_directory(Path::new(port)),
    };
    match reason {
        None => Ok(()),
        Some(why) => Err(LinkError::PortImpossible { path: port.to_owned(), why }),
    }
}

/// Sockets of the machine itself are known; those of a hub only while it is plugged in.
fn no_such_socket(usb_devices: &Path, place: &str) -> Option<String> {
    let (bus, chain) = place.split_once('-')?;
    let root_hub = usb_devices.join(format!("usb{bus}"));
    if !root_hub.exists() {
        return Some(format!("this machine has no USB bus {bus}"));
    }
    let first: u32 = chain.split(['.', ':']).next()?.parse().ok()?;
    let sockets: u32 = fs::read_to_string(root_hub.join("maxchild")).ok()?.trim().parse().ok()?;
    (first == 0 || first > sockets)
        .then(|| format!("USB bus {bus} has sockets 1 to {sockets} and no {first}"))
}

/// Below `/dev` directories come and go with what is plugged in.
fn no_such_directory(path: &Path) -> Option<String> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty())?;
    let is_there = parent.is_dir() || path.starts_with(DEVICES);
    (!is_there).then(|| format!("there is no directory {}", parent.display()))
}

/// Has a USB adapter pass on what it received without collecting it first, where it can
/// and we may.
pub(super) fn shorten_latency(path: &Path) {
    let Ok(real) = path.canonicalize() else { return };
    let Some(tty) = name(&real) else { return };
    let timer = Path::new(CLASS).join(tty).join("device/latency_timer");
    let Ok(before) = fs::read_to_string(&timer) else { return };
    if before.trim() != "1" && fs::write(&timer, "1").is_err() {
        tracing::debug!(tty, milliseconds = before.trim(), "the latency timer can't be shortened");
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::domain::code::Code;

    /// A class directory with a CDC port, a two-port adapter and a UART that is not there.
    fn machine() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let class = root.path().join("class");
        let put = |tty: &str, device: &str| {
            let device = root.path().join("devices").join(device);
            fs::create_dir_all(&device).unwrap();
            fs::create_dir_all(class.join(tty)).unwrap();
            symlink(device, class.join(tty).join("device")).unwrap();
        };
        put("ttyACM0", "usb1/1-2/1-2.3/1-2.3:1.0");
        put("ttyUSB0", "usb1/1-4/1-4:1.1/ttyUSB0");
        put("ttyUSB1", "usb1/1-4/1-4:1.0/ttyUSB1");
        put("ttyS0", "platform/serial8250");
        fs::write(class.join("ttyS0/type"), "0\n").unwrap();
        fs::create_dir_all(class.join("console")).unwrap();
        let product = root.path().join("devices/usb1/1-2/1-2.3/product");
        fs::write(product, "Probe\u{1b}[2J\n").unwrap();
        root
    }

    fn resolved(port: &str) -> Option<PathBuf> {
        resolve_in(&machine().path().join("class"), port).ok()
    }

    #[test]
    fn ports_are_listed_with_their_places_and_absent_uarts_are_not() {
        let root = machine();
        let found = list_in(&root.path().join("class"));
        let places: Vec<_> = found.iter().map(|p| p.place.as_deref().unwrap_or("-")).collect();
        assert_eq!(places, ["usb:1-2.3:1.0", "usb:1-4:1.1", "usb:1-4:1.0"]);
        assert_eq!(found[0].path, Path::new("/dev/ttyACM0"));
    }

    #[test]
    fn an_adapters_own_words_never_carry_control_characters() {
        let root = machine();
        let found = list_in(&root.path().join("class"));
        assert_eq!(found[0].product.as_deref(), Some("Probe?[2J"));
    }

    #[test]
    fn a_place_is_found_with_and_without_its_interface() {
        assert_eq!(resolved("usb:1-2.3"), Some("/dev/ttyACM0".into()));
        assert_eq!(resolved("usb:1-4:1.1"), Some("/dev/ttyUSB0".into()));
        assert_eq!(resolved("usb:1-4"), Some("/dev/ttyUSB1".into()), "the first interface");
    }

    #[test]
    fn a_place_with_nothing_in_it_is_a_missing_port() {
        assert_eq!(resolved("usb:1-2"), None);
        assert_eq!(resolved("usb:9-9"), None);
    }

    #[test]
    fn a_socket_that_the_machine_has_may_be_empty_and_another_one_can_never_be_filled() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("usb1")).unwrap();
        fs::write(root.path().join("usb1/maxchild"), "4\n").unwrap();
        let refused = |port: &str| can_come_in(root.path(), port).err().map(|e| e.to_string());
        assert_eq!(refused("usb:1-4"), None);
        assert_eq!(refused("usb:1-2.7.1:1.0"), None, "a hub that may be plugged in");
        let no_bus = "there can't be a port usb:9-1: this machine has no USB bus 9";
        assert_eq!(refused("usb:9-1").as_deref(), Some(no_bus));
        let socket = "there can't be a port usb:1-5.1: USB bus 1 has sockets 1 to 4 and no 5";
        assert_eq!(refused("usb:1-5.1").as_deref(), Some(socket));
    }

    #[test]
    fn a_name_may_come_into_a_directory_that_is_there_and_anywhere_below_dev() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name).display().to_string();
        let refused = |port: &str| can_come(port).err().map(|e| e.code());
        assert_eq!(refused(&path("slot-a")), None);
        assert_eq!(refused("/dev/serial/by-path/no-such"), None);
        assert_eq!(refused(&path("nowhere/slot-a")), Some(Code::PortMissing));
    }

    #[test]
    fn anything_else_is_a_path() {
        assert_eq!(resolved("/dev/serial/by-path/x"), Some("/dev/serial/by-path/x".into()));
    }
}
