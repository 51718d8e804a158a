//! The ports of the slots and of the scanner: can they be opened?

use super::finding::Finding;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::SlotName;
use crate::domain::say::Say;
use crate::link::port::Port;
use crate::link::settings::PortSettings;
use crate::link::{LinkError, Stop, discovery};
use crate::say;

/// A slot's port and what its absence means.
#[derive(Debug, Clone)]
pub struct PortCheck {
    /// The slot.
    pub slot: SlotName,
    /// Its port.
    pub settings: PortSettings,
    /// The port itself comes and goes with the device, so that an absent one is an empty slot.
    pub comes_with_device: bool,
}

enum Found {
    Opens,
    Empty,
    Bad(Fault),
}

fn look(check: &PortCheck) -> Found {
    let bad = |error: LinkError| {
        let fault = Fault::from(error);
        Found::Bad(Fault::said(
            fault.code,
            say!("slot {}", "工位 {}", check.slot).then(&fault.sentence()),
        ))
    };
    match Port::open(check.settings.clone(), Stop::new()) {
        Ok(_) => Found::Opens,
        Err(LinkError::PortMissing { path }) if check.comes_with_device => {
            discovery::can_come(&path).map_or_else(bad, |()| Found::Empty)
        }
        Err(error) => bad(error),
    }
}

/// Opens the port of each slot once. One that can't be used is a warning, since its units
/// go elsewhere; that none can be used is not.
pub fn ports(slots: &[PortCheck]) -> Finding {
    const NAME: &str = "ports";
    let found: Vec<Found> = slots.iter().map(look).collect();
    let count = |wanted: fn(&Found) -> bool| found.iter().filter(|found| wanted(found)).count();
    let opens = count(|found| matches!(found, Found::Opens));
    let empty = count(|found| matches!(found, Found::Empty));
    let bad: Vec<&Fault> = found
        .iter()
        .filter_map(|found| match found {
            Found::Bad(fault) => Some(fault),
            _ => None,
        })
        .collect();
    let Some(first) = bad.first() else {
        let all = slots.len();
        return Finding::ok(
            NAME,
            say!(
                "{opens} of {all} ports open, {empty} wait for a device",
                "{all} 个串口中 {opens} 个可打开，{empty} 个等待设备"
            ),
        );
    };
    let details: Vec<Say> = bad.iter().map(|fault| fault.sentence()).collect();
    let joined =
        |of: fn(&Say) -> &str, between| details.iter().map(of).collect::<Vec<_>>().join(between);
    let english = joined(|said| &said.english, "; ");
    let fault =
        Fault::said(first.code, Say { english, chinese: joined(|said| &said.chinese, "；") });
    match bad.len() == slots.len() {
        true => Finding::fail(NAME, fault),
        false => Finding::warn(NAME, fault),
    }
}

/// Opens the scanner's port once; a scanner without a port is a keyboard.
pub fn scanner(port: Option<PortSettings>) -> Finding {
    const NAME: &str = "scanner";
    let Some(settings) = port else {
        return Finding::ok(NAME, say!("types like a keyboard", "键盘式扫码枪"));
    };
    let path = settings.path.clone();
    match Port::open(settings, Stop::new()) {
        Ok(_) => Finding::ok(NAME, say!("{path} opens", "{path} 可打开")),
        Err(error) => {
            let said = Fault::from(error).sentence();
            Finding::fail(NAME, Fault::said(Code::ScannerOpen, said))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Status;

    fn slot(name: &str, path: &str, comes_with_device: bool) -> PortCheck {
        let settings = PortSettings::new(path, 115_200);
        PortCheck { slot: name.parse().unwrap(), settings, comes_with_device }
    }

    #[test]
    fn ports_that_are_all_missing_are_red() {
        let finding = ports(&[slot("A", "/nowhere/a", false), slot("B", "/nowhere/b", false)]);
        assert_eq!((finding.status, finding.code), (Status::Fail, Some(Code::PortMissing)));
        assert!(["slot A", "slot B"].iter().all(|slot| finding.detail.english.contains(slot)));
    }

    #[test]
    fn a_bad_port_among_others_is_a_warning() {
        let finding = ports(&[slot("A", "/dev/no-such-a", true), slot("B", "/nowhere/b", false)]);
        assert_eq!(finding.status, Status::Warn);
    }

    #[test]
    fn a_port_that_comes_with_its_device_may_be_absent() {
        let finding = ports(&[slot("A", "/dev/no-such-a", true)]);
        assert_eq!(finding.detail.english, "0 of 1 ports open, 1 wait for a device");
        assert_eq!(finding.status, Status::Ok);
    }

    #[test]
    fn a_place_at_which_no_port_can_ever_come_is_red_though_it_would_come_with_its_device() {
        let finding = ports(&[slot("A", "/nowhere/a", true)]);
        assert_eq!((finding.status, finding.code), (Status::Fail, Some(Code::PortMissing)));
        assert!(finding.detail.english.contains("no directory /nowhere"), "{finding:?}");
    }

    #[test]
    fn what_is_no_port_is_red() {
        let finding = ports(&[slot("A", "/dev/null", true)]);
        assert_eq!((finding.status, finding.code), (Status::Fail, Some(Code::PortOpen)));
    }

    #[test]
    fn a_scanner_that_is_not_there_is_red() {
        assert_eq!(scanner(None).status, Status::Ok);
        let finding = scanner(Some(PortSettings::new("/nowhere/s", 9_600)));
        assert_eq!((finding.status, finding.code), (Status::Fail, Some(Code::ScannerOpen)));
    }
}
