//! What a device may not change while it is worked on: a unit is one device from its first
//! answer to its last.
//!
//! Its firmware's version is not among it: a restart may bring another one.

use crate::domain::code::Code;
use crate::domain::device::{Fault, Security, Seen};

/// What a device says otherwise than before; nothing where it is as it was.
pub(super) fn changed(before: &Seen, now: &Seen) -> Option<Fault> {
    if before.hardware != now.hardware {
        let detail = format!("device {} answers in the place of {}", now.hardware, before.hardware);
        return Some(Fault::new(Code::DevSwapped, detail));
    }
    let what = model(before, now).or_else(|| serial(before, now)).or_else(|| lost(before, now))?;
    Some(Fault::new(Code::DevContradiction, what))
}

fn model(before: &Seen, now: &Seen) -> Option<String> {
    let said =
        || format!("the device was a {}, and says now that it is a {}", before.model, now.model);
    (before.model != now.model).then(said)
}

fn serial(before: &Seen, now: &Seen) -> Option<String> {
    let name = |seen: &Seen| seen.factory_serial.clone().unwrap_or_else(|| "none".to_owned());
    let said =
        || format!("the device's factory serial was {}, and is now {}", name(before), name(now));
    (before.factory_serial != now.factory_serial).then(said)
}

fn lost(before: &Seen, now: &Seen) -> Option<String> {
    let Security { secure_boot, readout_protection, flash_encryption } = before.security;
    let lost = [
        (secure_boot && !now.security.secure_boot, "secure boot"),
        (readout_protection && !now.security.readout_protection, "read-out protection"),
        (flash_encryption && !now.security.flash_encryption, "flash encryption"),
    ];
    let gone = lost.into_iter().find_map(|(gone, name)| gone.then_some(name));
    let unlocked = (before.locked && !now.locked).then_some("its lock");
    let what = gone.or(unlocked)?;
    Some(format!("the device reported {what}, and says now that it is off"))
}
