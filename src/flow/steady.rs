//! What a device may not change while it is worked on: a unit is one device from its first
//! answer to its last.
//!
//! Its firmware's version is not among it: a restart may bring another one.

use crate::domain::code::Code;
use crate::domain::device::{Fault, Security, Seen};
use crate::domain::say::Say;
use crate::say;

/// What a device says otherwise than before; nothing where it is as it was.
pub(super) fn changed(before: &Seen, now: &Seen) -> Option<Fault> {
    if before.hardware != now.hardware {
        let (now, before) = (&now.hardware, &before.hardware);
        let detail = say!(
            "device {now} answers in the place of {before}",
            "应答的是设备 {now}，原来是 {before}"
        );
        return Some(Fault::said(Code::DevSwapped, detail));
    }
    let what = model(before, now).or_else(|| serial(before, now)).or_else(|| lost(before, now))?;
    Some(Fault::said(Code::DevContradiction, what))
}

fn model(before: &Seen, now: &Seen) -> Option<Say> {
    let (was, is) = (&before.model, &now.model);
    let said = || {
        say!(
            "the device was a {was}, and says now that it is a {is}",
            "设备型号原来是 {was}，现在说是 {is}"
        )
    };
    (was != is).then(said)
}

fn serial(before: &Seen, now: &Seen) -> Option<Say> {
    let name = |seen: &Seen| seen.factory_serial.clone().unwrap_or_else(|| "none".to_owned());
    let said = || {
        let (was, is) = (name(before), name(now));
        say!(
            "the device's factory serial was {was}, and is now {is}",
            "设备的出厂序列号原来是 {was}，现在是 {is}"
        )
    };
    (before.factory_serial != now.factory_serial).then(said)
}

fn lost(before: &Seen, now: &Seen) -> Option<Say> {
    let Security { secure_boot, readout_protection, flash_encryption } = before.security;
    let lost = [
        (secure_boot && !now.security.secure_boot, say!("secure boot", "安全启动")),
        (
            readout_protection && !now.security.readout_protection,
            say!("read-out protection", "读保护"),
        ),
        (flash_encryption && !now.security.flash_encryption, say!("flash encryption", "闪存加密")),
    ];
    let gone = lost.into_iter().find_map(|(gone, name)| gone.then_some(name));
    let unlocked = (before.locked && !now.locked).then(|| say!("its lock", "锁定"));
    let Say { english, chinese } = gone.or(unlocked)?;
    Some(Say {
        english: format!("the device reported {english}, and says now that it is off"),
        chinese: format!("设备曾报告“{chinese}”，现在说没有"),
    })
}
