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

/// In what a device that passed and still stands in its slot denies that; nothing where what it
/// says otherwise is no matter of its proof.
///
/// Its protections are not among it: who asks a chip's application alone, as is done now, hears
/// of fewer than who asked its loader too.
pub fn denial_of_a_pass(passed: &Seen, now: &Seen) -> Option<Fault> {
    if let Some(what) = model(passed, now).or_else(|| serial(passed, now)) {
        return Some(Fault::said(Code::DevContradiction, what));
    }
    let says = match (passed.holds, now.holds) {
        (Some(_), None) => say!("it holds nothing", "它什么都没有"),
        (then, Some(held)) if then != now.holds => match then {
            Some(then) if then.certificate == held.certificate => {
                say!("it holds its certificate within another image", "它的证书在另一个映像中")
            }
            _ => say!("it holds certificate {}", "它持有证书 {}", held.certificate),
        },
        _ if now.locked && !passed.locked => say!("it is locked", "它已锁定"),
        _ => return None,
    };
    let Say { english, chinese } = says;
    let what = Say {
        english: format!("the device passed, still stands there, and says now that {english}"),
        chinese: format!("设备已合格，仍在原处，现在却说{chinese}"),
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::certificate::Proof;
    use crate::domain::device::{Held, ToldBy};
    use crate::domain::ids::{Fingerprint, HardwareId, ImageDigest};

    fn passed() -> Seen {
        Seen {
            hardware: HardwareId::from_bytes(&[0xd0, 0, 0, 1]).unwrap(),
            told_by: ToldBy::HardwareId,
            model: "TH200".to_owned(),
            firmware: "1".to_owned(),
            factory_serial: None,
            holds: Some(holding(1, 2)),
            locked: false,
            security: Security { secure_boot: true, ..Security::default() },
            best_proof: Proof::Possession,
            makes_keys: false,
            can_lock: true,
        }
    }

    fn holding(certificate: u8, image: u8) -> Held {
        let certificate = Fingerprint::new([certificate; 32]);
        Held { certificate, image: ImageDigest::new([image; 32]) }
    }

    fn denial(change: impl FnOnce(&mut Seen)) -> Option<String> {
        let mut now = passed();
        change(&mut now);
        denial_of_a_pass(&passed(), &now).map(|fault| {
            assert_eq!(fault.code, Code::DevContradiction);
            fault.detail
        })
    }

    #[test]
    fn what_a_device_says_after_its_pass_is_held_against_what_it_said_then() {
        assert_eq!(denial(|_| ()), None);
        assert_eq!(denial(|now| now.firmware = "2".to_owned()), None);
        assert_eq!(denial(|now| now.security = Security::default()), None, "its loader knows more");
        let says = |what: &str| {
            Some(format!("the device passed, still stands there, and says now that it {what}"))
        };
        assert_eq!(denial(|now| now.holds = None), says("holds nothing"));
        let image = says("holds its certificate within another image");
        assert_eq!(denial(|now| now.holds = Some(holding(1, 3))), image);
        let other = says(&format!("holds certificate {}", Fingerprint::new([9; 32])));
        assert_eq!(denial(|now| now.holds = Some(holding(9, 2))), other);
        assert_eq!(denial(|now| now.locked = true), says("is locked"));
        let model = "the device was a TH200, and says now that it is a TH201";
        assert_eq!(denial(|now| now.model = "TH201".to_owned()).as_deref(), Some(model));
        let serial = "the device's factory serial was none, and is now 7";
        assert_eq!(
            denial(|now| now.factory_serial = Some("7".to_owned())).as_deref(),
            Some(serial)
        );
    }
}
