//! The promises, each as a function of what the journal says and what the devices hold.

use std::collections::BTreeMap;

use super::flash::Device;
use super::model::{Certificate, Model, Position};
use super::{Moment, Scene, hex};

/// Says which promises do not hold.
pub(crate) fn hold(
    model: &Model,
    devices: &[Device],
    scene: &Scene<'_>,
    moment: Moment,
    findings: &mut Vec<String>,
) {
    for device in devices {
        whole(device, findings);
        known(model, device, scene, findings);
    }
    different(model, devices, findings);
    for (sn, certificate) in &model.certificates {
        if certificate.state == "proven" {
            in_one_device(model, sn, certificate, devices, findings);
        }
    }
    ended(model, moment, findings);
    if moment >= Moment::Started && !scene.device_keys {
        never_asked(model, findings);
    }
    passed(model, scene, findings);
}

/// A device's key, certificate and settings belong together.
fn whole(device: &Device, findings: &mut Vec<String>) {
    if device.public_key != device.certified_key {
        findings.push(format!("{}: key and certificate differ", device.file.display()));
    }
    if device.client_id != device.common_name || device.client_id.is_none() {
        let (found, cn) = (&device.client_id, &device.common_name);
        findings.push(format!("{}: client id {found:?}, CN {cn:?}", device.file.display()));
    }
}

/// What a device holds is known, and proven or uncertain.
fn known(model: &Model, device: &Device, scene: &Scene<'_>, findings: &mut Vec<String>) {
    let file = device.file.display();
    let Some(certificate) = model.certificates.get(&device.sn) else {
        if !scene.gap {
            findings.push(format!("{file} holds {}, which the ledger lacks", device.sn));
        }
        return;
    };
    if certificate.der != device.certificate || certificate.image != device.image {
        findings.push(format!("{file} holds another {} than the ledger has", device.sn));
    }
    let unit = model.units.get(&certificate.serial);
    let right = match certificate.state {
        "proven" | "uncertain" => true,
        "superseded" => unit.is_some_and(|unit| unit.moved),
        "void" => certificate.by_person || (scene.liars && certificate.disproved),
        _ => false,
    };
    if !right {
        findings.push(format!("{file} holds {}, which is {}", device.sn, certificate.state));
    }
    if unit.map(|unit| &unit.client_id) != device.common_name.as_ref() {
        findings.push(format!("{file} is {:?} to itself", device.common_name));
    }
}

/// No two devices share a key, a certificate serial number or, where their certificate counts,
/// a client id: one whose certificate was given up may keep it beside the unit's new device.
fn different(model: &Model, devices: &[Device], findings: &mut Vec<String>) {
    let mut seen: BTreeMap<(&str, String), &Device> = BTreeMap::new();
    for device in devices {
        let state = model.certificates.get(&device.sn).map(|certificate| certificate.state);
        let counts = matches!(state, Some("proven" | "uncertain"));
        let client_id = device.client_id.clone().filter(|_| counts);
        let always = [("key", hex(&device.public_key)), ("serial number", device.sn.clone())];
        let named = always.into_iter().chain(client_id.map(|id| ("client id", id)));
        for (what, value) in named {
            if let Some(other) = seen.insert((what, value), device) {
                let (one, two) = (other.file.display(), device.file.display());
                findings.push(format!("{one} and {two} share a {what}"));
            }
        }
    }
}

/// A proven certificate sits in exactly one device, unless a newer one may have replaced it.
fn in_one_device(
    model: &Model,
    sn: &str,
    certificate: &Certificate,
    devices: &[Device],
    findings: &mut Vec<String>,
) {
    let holders = devices.iter().filter(|device| device.certificate == certificate.der).count();
    let replaced = model.units.get(&certificate.serial).is_some_and(|unit| {
        let asked = unit.open.as_ref().is_some_and(|open| open.position == Position::Asked);
        asked || unit.given_up
    });
    if holders != 1 && !(replaced && holders == 0) {
        findings.push(format!("{sn} is proven and sits in {holders} devices"));
    }
}

/// Attempts have ends: after start-up all but those whose commit was asked, at last all.
fn ended(model: &Model, moment: Moment, findings: &mut Vec<String>) {
    for (serial, unit) in &model.units {
        let open = unit.open.as_ref().map(|open| open.position);
        let right = match (moment, open) {
            (Moment::AsLeft, _) | (_, None) => true,
            (Moment::Started, Some(position)) => position == Position::Asked,
            (Moment::Completed, Some(_)) => false,
        };
        if !right {
            findings.push(format!("{serial} is open at {open:?} at {moment:?}"));
        }
        let unended = unit.attempts.values().filter(|end| end.is_none()).count();
        if unended != usize::from(open.is_some()) {
            findings.push(format!("{serial}: {unended} attempts without an end, open: {open:?}"));
        }
    }
}

/// After start-up a certificate whose commit was never asked is void: no device can hold it.
fn never_asked(model: &Model, findings: &mut Vec<String>) {
    for (sn, certificate) in &model.certificates {
        let open = model.units.get(&certificate.serial).and_then(|unit| unit.open.as_ref());
        if certificate.state == "issued" && open.is_none_or(|open| open.sn != *sn) {
            findings.push(format!("{sn} was never asked to be committed, and is not void"));
        }
    }
}

/// What the station said passed, passed.
fn passed(model: &Model, scene: &Scene<'_>, findings: &mut Vec<String>) {
    for serial in scene.passed {
        let passed = model.units.get(serial).is_some_and(|unit| unit.passed);
        if !passed {
            findings.push(format!("{serial} was said to pass, and the journal does not say so"));
        }
    }
}
