//! Tries a device's implementation against `docs/protocol.md`, rule by rule.
//!
//! The run speaks raw frames, right and wrong ones, over a real port. Each check has a name
//! that stays, the section of the page that it comes from, and a verdict; one that fails
//! stops no other, unless the device falls silent. Start with [`run`] and `CHECKS`; the
//! checks stand in files by topic, `bench` is what they do with the device again and again,
//! `wire` asks and waits, `frame` makes bytes, `sample` what is burned.
//!
//! Nothing here knows a CA or a ledger: [`Samples`] brings identities that are thrown away.

mod answering;
mod begin;
mod bench;
mod check;
mod chunks;
mod commit;
mod ending;
mod frame;
mod framing;
mod keygen;
mod lock;
mod power;
mod prove;
mod read;
mod restart;
mod sample;
mod sessions;
mod timing;
mod verdict;
mod wire;

use std::time::{Duration, Instant};

use firmware_interface::ids::{Capabilities, Lifecycle};
use firmware_interface::message::IdentifyReply;

use super::session::{Policy, Session, random_number};
use crate::domain::cause::Told;
use crate::domain::say::{Phrase, Say};
use crate::error::LinkError;
use crate::port::Port;
use crate::settings::SlotLink;
use bench::Bench;
use sample::Image;
use wire::Wire;

pub use sample::{SampleIdentity, Samples};
pub use verdict::{ConformanceError, Finding, Notice, Options, Summary, Verdict};

use check::{Check, check};
use verdict::{Checked, Wrong};

/// Every check, in the order in which they run: what ends an attempt comes after what needs
/// an attempt, and what can't be undone comes last.
const CHECKS: &[&[Check]] = &[
    framing::CHECKS,
    answering::CHECKS,
    sessions::CHECKS,
    begin::CHECKS,
    chunks::CHECKS,
    commit::CHECKS,
    restart::CHECKS,
    prove::CHECKS,
    read::CHECKS,
    keygen::CHECKS,
    power::CHECKS,
    ending::CHECKS,
    timing::CHECKS,
    answering::LAST,
    lock::CHECKS,
];

/// Whether a run with these options makes this check.
fn is_asked_for(check: &Check, options: &Options) -> bool {
    match check.name {
        power::NAME => options.power_cuts > 0,
        name if name.starts_with(lock::PREFIX) => options.lock,
        _ => true,
    }
}

/// Those that these options ask for.
fn asked_for(options: Options) -> impl Iterator<Item = &'static Check> {
    CHECKS.iter().copied().flatten().filter(move |check| is_asked_for(check, &options))
}

/// The first check: what the device says about itself.
const IDENTIFY: Check = check(
    "identify",
    "5 IDENTIFY",
    ("IDENTIFY is answered by its layout", "IDENTIFY 按规定的格式应答"),
    |_| Ok(()),
);

/// Tries a device at an open port against every rule, telling each verdict as it is found.
///
/// A device that holds an identity is refused unless it may be lost, a locked one always.
pub fn run(
    port: Port,
    samples: &dyn Samples,
    options: Options,
    tell: &mut dyn FnMut(Notice<'_>),
) -> Result<Summary, ConformanceError> {
    let mut run = Run { summary: Summary::default(), options };
    let mut session = Session::new(port)?;
    let begun = Instant::now();
    let arriving = Policy::arriving(begun + SlotLink::ARRIVAL);
    let facts = match session.identify(&arriving) {
        Ok(facts) => facts,
        Err(error) => return run.ended_at_once(error.into(), begun.elapsed(), tell),
    };
    admit(&facts, &options)?;
    match Sampled::new(samples, facts.capacity) {
        Ok(sampled) => run.all(&mut on_bench(session, sampled, facts, options, tell)?),
        Err(wrong) => run.ended_at_once(wrong, begun.elapsed(), tell),
    }
}

/// Refuses a device on which a run would do harm, or could do nothing.
fn admit(facts: &IdentifyReply, options: &Options) -> Result<(), ConformanceError> {
    if facts.lifecycle == Lifecycle::Locked {
        return Err(LinkError::Locked { request: "a conformance run" }.into());
    }
    match facts.holds_identity() && !options.overwrite {
        true => Err(ConformanceError::HoldsIdentity),
        false => Ok(()),
    }
}

/// What is burned.
struct Sampled<'a> {
    samples: &'a dyn Samples,
    first: Image,
    second: Image,
}

impl<'a> Sampled<'a> {
    /// Two identities for a device of that capacity; wrong if it has no room for one.
    fn new(samples: &'a dyn Samples, capacity: u32) -> Checked<Self> {
        let image = || Image::of_identity(samples, &samples.identity()?, capacity);
        Ok(Self { samples, first: image()?, second: image()? })
    }
}

fn on_bench<'a>(
    session: Session,
    sampled: Sampled<'a>,
    facts: IdentifyReply,
    options: Options,
    tell: &'a mut dyn FnMut(Notice<'_>),
) -> Result<Bench<'a>, LinkError> {
    let Sampled { samples, first, second } = sampled;
    let (wire, session) = (Wire::new(session)?, random_number()?);
    let (note, times, restart_took) = (None, None, Duration::ZERO);
    Ok(Bench {
        wire,
        samples,
        options,
        tell,
        facts,
        session,
        first,
        second,
        restart_took,
        note,
        times,
    })
}

struct Run {
    summary: Summary,
    options: Options,
}

impl Run {
    fn all(&mut self, bench: &mut Bench<'_>) -> Result<Summary, ConformanceError> {
        let mut alive = self.one(&IDENTIFY, bench)?;
        for check in asked_for(self.options) {
            match alive {
                true => alive = self.one(check, bench)?,
                false => self.summary.not_run += 1,
            }
        }
        if alive && !self.options.lock {
            // Nothing of the run stays; a device that can't be erased was told of above.
            ignore_device(bench.blank())?;
        }
        Ok(self.summary)
    }

    /// Runs one check; false where the device answers nothing any more.
    fn one(&mut self, check: &Check, bench: &mut Bench<'_>) -> Result<bool, ConformanceError> {
        let begun = Instant::now();
        let verdict = match bench.offers(check.needs) {
            false => Verdict::Skipped(not_offered(check.needs)),
            true => match (check.try_it)(bench) {
                Ok(()) => Verdict::Pass(bench.note.take()),
                Err(wrong) => Verdict::Fail(how(wrong)?),
            },
        };
        let failed = matches!(verdict, Verdict::Fail(_));
        self.tell(check, verdict, begun.elapsed(), bench.tell);
        (bench.note, bench.times) = (None, None);
        match failed {
            true => still_answers(bench),
            false => Ok(true),
        }
    }

    fn tell(
        &mut self,
        check: &Check,
        verdict: Verdict,
        took: Duration,
        tell: &mut dyn FnMut(Notice<'_>),
    ) {
        let counted = match &verdict {
            Verdict::Pass(_) => &mut self.summary.passed,
            Verdict::Fail(_) => &mut self.summary.failed,
            Verdict::Skipped(_) => &mut self.summary.skipped,
        };
        *counted += 1;
        let Check { name, section, rule, .. } = *check;
        tell(Notice::Finding(&Finding { check: name, section, rule, verdict, took }));
    }

    /// A device that can't even say who it is: one verdict, and nothing else is tried.
    fn ended_at_once(
        &mut self,
        wrong: Wrong,
        took: Duration,
        tell: &mut dyn FnMut(Notice<'_>),
    ) -> Result<Summary, ConformanceError> {
        let how = how(wrong)?;
        self.tell(&IDENTIFY, Verdict::Fail(how), took, tell);
        let others = asked_for(self.options).count();
        self.summary.not_run = u32::try_from(others).unwrap_or(u32::MAX);
        Ok(self.summary)
    }
}

/// What is wrong with the device; an error where something else is wrong.
fn how(wrong: Wrong) -> Result<Say, ConformanceError> {
    match wrong {
        Wrong::Device(how) | Wrong::Refused { how, .. } | Wrong::Silent(how) => Ok(how),
        Wrong::Samples(fault) => Err(ConformanceError::Samples(fault)),
        Wrong::Link(error) => match error {
            LinkError::Timeout { .. }
            | LinkError::Noise { .. }
            | LinkError::Unasked { .. }
            | LinkError::Echo { .. }
            | LinkError::Refused { .. }
            | LinkError::Malformed { .. }
            | LinkError::Version { .. }
            | LinkError::HardwareId(_) => Ok(said(&error)),
            other => Err(other.into()),
        },
    }
}

/// What the line says of an answer; in Chinese less, where it has no sentence of its own.
fn said(error: &LinkError) -> Say {
    let chinese = match error {
        LinkError::Malformed { request, .. } => Some(format!("{request} 的应答不符合协议")),
        LinkError::HardwareId(_) => Some("硬件 ID 不成立".to_owned()),
        error => error.chinese(),
    };
    Say { english: error.to_string(), chinese: chinese.unwrap_or_else(|| error.to_string()) }
}

fn ignore_device(outcome: Checked) -> Result<(), ConformanceError> {
    match outcome {
        Err(wrong) => how(wrong).map(|_| ()),
        Ok(()) => Ok(()),
    }
}

fn still_answers(bench: &mut Bench<'_>) -> Result<bool, ConformanceError> {
    bench.renew().or_else(|wrong| how(wrong).map(|_| ()))?;
    let (header, body) = bench.harmless();
    match bench.ask_as(header, &body) {
        Ok(_) => Ok(true),
        Err(wrong) => how(wrong).map(|_| false),
    }
}

/// What a proof with a key as PKCS #8 takes.
const PKCS8_PROVES: Capabilities = Capabilities::PROVE.with(Capabilities::PKCS8);

fn not_offered(needs: Capabilities) -> Phrase {
    Phrase::of(match needs {
        Capabilities::PROVE => ("the device does not claim PROVE", "设备没有声明 PROVE"),
        Capabilities::READ => ("the device does not claim READ", "设备没有声明 READ"),
        Capabilities::LOCK => {
            ("the device does not claim that it can lock", "设备没有声明可以锁定")
        }
        PKCS8_PROVES => (
            "the device does not claim to take a pkcs8 key, and PROVE",
            "设备没有声明接受 pkcs8 密钥和 PROVE",
        ),
        _ => ("the device does not claim KEYGEN and CSR", "设备没有声明 KEYGEN 和 CSR"),
    })
}
