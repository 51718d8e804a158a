//! Section 9 under power cuts: the identity is the old or the new one, never a part.
//!
//! Only somebody beside the device can cut its power. The run burns one identity after the
//! other until the device falls silent, waits until it is back, and looks at what it holds.

use std::time::{Duration, Instant};

use firmware_interface::ids::{Capabilities, ErrorCode, Lifecycle};
use firmware_interface::message::IdentifyReply;

use super::bench::{Bench, expect_equal};
use super::check::{Check, check};
use super::sample::Image;
use super::verdict::{Checked, Notice, Wrong};
use crate::domain::say::Phrase;
use crate::error::LinkError;
use crate::say;

/// The name of the check.
pub(super) const NAME: &str = "power-cut";

pub(super) const CHECKS: &[Check] = &[check(
    NAME,
    "9 Storage and the commit",
    ("after a cut the identity is the old or the new one", "断电之后是旧身份或新身份"),
    cuts,
)];

/// How long somebody has to cut the power.
const UNTIL_CUT: Duration = Duration::from_secs(120);

/// How long the power may be away.
const UNTIL_BACK: Duration = Duration::from_secs(180);

const INSTRUCTION: Phrase = Phrase {
    english: "cut the device's power now, at any moment within two minutes, and give it back; \
              identities are being burned meanwhile",
    chinese: "现在请在两分钟内的任意时刻给设备断电，再恢复供电；其间不断写入身份",
};

fn cuts(bench: &mut Bench<'_>) -> Checked {
    let rounds = bench.options.power_cuts;
    let mut new = 0;
    for round in 1..=rounds {
        new += u32::from(one_cut(bench, round, rounds)?);
    }
    let old = rounds - new;
    bench.note = Some(say!(
        "{old} times the old identity, {new} times the new one",
        "旧身份 {old} 次，新身份 {new} 次"
    ));
    Ok(())
}

/// What the device may hold when the power goes.
struct Burning {
    /// What it holds for certain, unless the other's COMMIT was sent.
    active: Image,
    /// Whose COMMIT was sent and not answered.
    asked: Option<Image>,
}

/// One cut; true if it was the new identity that was found.
fn one_cut(bench: &mut Bench<'_>, round: u32, rounds: u32) -> Checked<bool> {
    let first = bench.first.clone();
    bench.hold(&first)?;
    (bench.tell)(Notice::Instruction { round, rounds, text: INSTRUCTION });
    let mut burning = Burning { active: first, asked: None };
    burn_until_cut(bench, &mut burning)?;
    let seen = identify_when_back(bench)?;
    expect_equal(
        ("the replaced session after a power cut", "断电之后被替换的会话"),
        seen.replaced,
        0,
    )?;
    let Burning { active, asked } = burning;
    let held = [asked.as_ref(), Some(&active)].into_iter().flatten();
    let held = held.into_iter().find(|image| image.digest == seen.image).cloned();
    let Some(held) = held else {
        return Err(Wrong::device((
            "after a power cut it holds neither the old nor the new identity",
            "断电之后它持有的既不是旧身份也不是新身份",
        )));
    };
    expect_equal(
        ("the lifecycle after a power cut", "断电之后的状态"),
        seen.lifecycle,
        Lifecycle::Provisioned,
    )?;
    bench.expect_active(Some(&held))?;
    if bench.offers(Capabilities::PROVE) {
        bench.expect_proof(&held)?;
    }
    Ok(asked.is_some_and(|asked| asked.digest == held.digest))
}

/// Burns one identity after the other, until the device no longer takes part.
fn burn_until_cut(bench: &mut Bench<'_>, burning: &mut Burning) -> Checked {
    let until = Instant::now() + UNTIL_CUT;
    while Instant::now() < until {
        match burn_other(bench, burning) {
            Ok(()) => {}
            Err(wrong) if is_cut(&wrong) => return Ok(()),
            Err(wrong) => return Err(wrong),
        }
    }
    Err(Wrong::device(("its power was not cut in time", "没有及时断电")))
}

fn burn_other(bench: &mut Bench<'_>, burning: &mut Burning) -> Checked {
    let other = match burning.active.digest == bench.first.digest {
        true => bench.second.clone(),
        false => bench.first.clone(),
    };
    bench.stage(&other)?;
    burning.asked = Some(other.clone());
    bench.commit(&other)?;
    // Answered: from here on only this one may come back.
    *burning = Burning { active: other, asked: None };
    Ok(())
}

/// Silence, a port that went away, or a session that a boot forgot.
fn is_cut(wrong: &Wrong) -> bool {
    match wrong {
        Wrong::Silent(_) | Wrong::Link(LinkError::Unplugged { .. }) => true,
        Wrong::Refused { error, .. } => error.known() == Some(ErrorCode::NoSession),
        Wrong::Device(_) | Wrong::Link(_) | Wrong::Samples(_) => false,
    }
}

fn identify_when_back(bench: &mut Bench<'_>) -> Checked<IdentifyReply> {
    let until = Instant::now() + UNTIL_BACK;
    bench.renew()?;
    loop {
        match bench.identify_booting() {
            Err(Wrong::Link(LinkError::Unplugged { .. })) => bench.wire.reopen(until)?,
            Err(Wrong::Silent(_)) if Instant::now() < until => {}
            outcome => return outcome,
        }
    }
}
