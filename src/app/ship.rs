//! The gate through which units leave: what is inactive is activated at once where the
//! cloud can be reached, the cloud is asked for each certificate that would leave, and what
//! is not active stays.

use std::sync::Arc;

use super::{cloud, from_config, sync};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::outbox::{ActivationAsked, Shipped};
use crate::domain::person::Person;
use crate::domain::record::Record;
use crate::domain::registration::Registering;
use crate::domain::say::Say;
use crate::ledger::outbox::{Gate, Known};
use crate::ledger::{Ledger, Reader};
use crate::say;
use crate::shell::Failure;
use crate::sync::{Stands, look};

/// What became of one unit at the gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Passed {
    /// It left, with this certificate.
    Now(CertificateSn),
    /// It had left already, with this certificate.
    Before(CertificateSn),
    /// It stays.
    Refused(Fault),
}

/// Whether the cloud is asked for what leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// It is, where it can be.
    Cloud,
    /// A person wants it by what the ledger knows.
    Offline,
}

/// What became of units at the gate.
#[derive(Debug)]
pub struct Shipment {
    /// Each by itself.
    pub units: Vec<(Serial, Passed)>,
    /// Why the cloud was not asked, where it was not.
    pub unasked: Option<Fault>,
}

/// Sends units out of the house; each is judged by itself.
pub fn run(
    config: &Config,
    clock: &Arc<dyn Clock>,
    serials: Vec<Serial>,
    asking: Asking,
    by: &Person,
) -> Result<Shipment, Failure> {
    let ledger = from_config::open_existing_ledger(config, clock)?;
    let reader = ledger.reader()?;
    let inactive = inactive(&reader, &serials)?;
    let trouble = match asking {
        Asking::Cloud => activate(config, clock, &ledger, &inactive, by)?,
        Asking::Offline => Some(not_asked(as_wanted())),
    };
    let leaving = registered_by_call(&reader, &serials)?;
    let unasked = match (asking, leaving.is_empty()) {
        (Asking::Cloud, true) => None,
        (Asking::Offline, true) if inactive.is_empty() => None,
        (Asking::Offline, _) => Some(not_asked(as_wanted())),
        (Asking::Cloud, _) => ask_cloud(config, &ledger, &leaving)?,
    };
    let units = serials.into_iter().map(|serial| {
        let passed = pass(&ledger, &reader, &serial, by, trouble.as_ref())?;
        Ok((serial, passed))
    });
    Ok(Shipment { units: units.collect::<Result<_, Failure>>()?, unasked })
}

fn as_wanted() -> Say {
    say!("as was wanted", "按要求")
}

fn not_asked(Say { english, chinese }: Say) -> Fault {
    let what = say!("the cloud was not asked, {english}", "没有询问云端，{chinese}");
    Fault::said(Code::CloudCredentials, what)
}

/// Those that would leave by what the ledger knows, but what was registered by hand: where
/// that is done no call may be possible.
fn registered_by_call(reader: &Reader, serials: &[Serial]) -> Result<Vec<Known>, Failure> {
    let mut leaving = Vec::new();
    for serial in serials {
        let Some(Gate::Open(cert)) = reader.gate(serial)? else { continue };
        leaving.extend(reader.known(&cert)?.filter(|known| known.status.is_some()));
    }
    Ok(leaving)
}

/// Asks the cloud for each, and records what it says otherwise, so that the gate is shut.
/// Says why it was not asked where no credentials are given here.
fn ask_cloud(
    config: &Config,
    ledger: &Ledger,
    leaving: &[Known],
) -> Result<Option<Fault>, Failure> {
    let Some(registrar) = cloud::client_if_given(config)? else {
        return Ok(Some(not_asked(say!(
            "because no credentials for it are given here",
            "这里没有它的凭据"
        ))));
    };
    let runtime = cloud::runtime()?;
    let registering = config.cloud.as_ref().map_or(Registering::Manual, cloud::registering);
    for known in leaving {
        let stands = runtime.block_on(look(&registrar, known, registering)).map_err(|error| {
            let what = say!(
                "the cloud could not be asked for {} of {}",
                "无法向云端询问 {}（{}）",
                known.sn,
                known.serial
            );
            Failure::said(error.code, what).caused_by(&error.sentence()).with_help(say!(
                "nothing left; run it again, or with --offline to ship by what the ledger knows",
                "没有出厂任何单元；请再运行一次，或用 --offline 按账本出厂"
            ))
        })?;
        if let Stands::Otherwise(record) = stands {
            let done = ledger.writer().record(*record);
            done.map_err(|refusal| Failure::from(refusal.fault()))?;
        }
    }
    Ok(None)
}

/// Those that only have to be activated.
fn inactive(reader: &Reader, serials: &[Serial]) -> Result<Vec<(Serial, CertificateSn)>, Failure> {
    let mut found = Vec::new();
    for serial in serials {
        if let Some(Gate::Inactive(cert)) = reader.gate(serial)? {
            found.push((serial.clone(), cert));
        }
    }
    Ok(found)
}

/// Asks the cloud to activate them; says what kept it from that as a whole.
fn activate(
    config: &Config,
    clock: &Arc<dyn Clock>,
    ledger: &Ledger,
    units: &[(Serial, CertificateSn)],
    by: &Person,
) -> Result<Option<Fault>, Failure> {
    if units.is_empty() {
        return Ok(None);
    }
    for (serial, certificate_sn) in units {
        let (serial, certificate_sn) = (serial.clone(), *certificate_sn);
        let asked = ActivationAsked { serial, certificate_sn, by: by.clone() };
        let done = ledger.writer().record(Record::ActivationAsked(asked));
        done.map_err(|refusal| Failure::from(refusal.fault()))?;
    }
    let serials = units.iter().map(|(serial, _)| serial.clone()).collect();
    match sync::units(config, clock, ledger, serials) {
        Ok(trouble) => Ok(trouble),
        // No credentials, another sync at work: the units stay, and are told why.
        Err(failure) => Ok(Some(failure.into())),
    }
}

fn pass(
    ledger: &Ledger,
    reader: &Reader,
    serial: &Serial,
    by: &Person,
    trouble: Option<&Fault>,
) -> Result<Passed, Failure> {
    let shut = |what: Say| Ok(Passed::Refused(Fault::said(Code::ShipNotActive, what)));
    let cert = match reader.gate(serial)? {
        None => {
            let what = say!("the ledger knows no unit {serial}", "账本里没有单元 {serial}");
            return Ok(Passed::Refused(Fault::said(Code::UnitUnknown, what)));
        }
        Some(Gate::Gone(cert)) => return Ok(Passed::Before(cert)),
        Some(Gate::Shut(why)) => return shut(why),
        Some(Gate::Unlabelled(why)) => {
            return Ok(Passed::Refused(Fault::said(Code::LabelOpen, why)));
        }
        Some(Gate::Inactive(_)) => {
            let why = match trouble {
                Some(fault) => {
                    let Say { english, chinese } = fault.sentence();
                    let code = fault.code;
                    Say {
                        english: format!(": {english} ({code})"),
                        chinese: format!("：{chinese}（{code}）"),
                    }
                }
                None => own_trouble(reader, serial)?,
            };
            let Say { english, chinese } = why;
            return shut(Say {
                english: format!("{serial} is not active in the cloud{english}"),
                chinese: format!("{serial} 在云端未启用{chinese}"),
            });
        }
        Some(Gate::Open(cert)) => cert,
    };
    let shipped = Shipped { serial: serial.clone(), certificate_sn: cert, by: by.clone() };
    match ledger.writer().record(Record::Shipped(shipped)) {
        Ok(_) => Ok(Passed::Now(cert)),
        Err(crate::domain::record::Refusal::Row(fault)) => Ok(Passed::Refused(fault)),
        Err(crate::domain::record::Refusal::Ledger(fault)) => Err(fault.into()),
    }
}

/// What the cloud said of this unit alone, where it said anything.
fn own_trouble(reader: &Reader, serial: &Serial) -> Result<Say, Failure> {
    let trouble = reader.outbox_of_unit(serial)?.and_then(|row| row.trouble);
    Ok(trouble
        .map_or_else(Say::default, |(code, what)| say!(": {what} ({code})", "：{what}（{code}）")))
}
