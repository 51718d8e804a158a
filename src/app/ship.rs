//! The gate through which units leave: what is inactive is activated at once where the
//! cloud can be reached, and what is not active stays.

use std::sync::Arc;

use super::{parts, sync};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::outbox::{ActivationAsked, Shipped};
use crate::domain::record::{Person, Record};
use crate::ledger::outbox::Gate;
use crate::ledger::{Ledger, Reader};
use crate::report::Failure;

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

/// Sends units out of the house; each is judged by itself.
pub fn run(
    config: &Config,
    clock: &Arc<dyn Clock>,
    serials: Vec<Serial>,
    by: &Person,
) -> Result<Vec<(Serial, Passed)>, Failure> {
    let ledger = parts::open_existing_ledger(config, clock)?;
    let reader = ledger.reader()?;
    let trouble = activate(config, clock, &ledger, &inactive(&reader, &serials)?, by)?;
    serials
        .into_iter()
        .map(|serial| {
            let passed = pass(&ledger, &reader, &serial, by, trouble.as_ref())?;
            Ok((serial, passed))
        })
        .collect()
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
        Err(failure) => Ok(Some(Fault::new(failure.code, failure.what))),
    }
}

fn pass(
    ledger: &Ledger,
    reader: &Reader,
    serial: &Serial,
    by: &Person,
    trouble: Option<&Fault>,
) -> Result<Passed, Failure> {
    let shut = |what: String| Ok(Passed::Refused(Fault::new(Code::ShipNotActive, what)));
    let cert = match reader.gate(serial)? {
        None => {
            let what = format!("the ledger knows no unit {serial}");
            return Ok(Passed::Refused(Fault::new(Code::UnitUnknown, what)));
        }
        Some(Gate::Gone(cert)) => return Ok(Passed::Before(cert)),
        Some(Gate::Shut(why)) => return shut(why),
        Some(Gate::Inactive(_)) => {
            let why = match trouble {
                Some(fault) => format!(": {} ({})", fault.detail, fault.code),
                None => own_trouble(reader, serial)?,
            };
            return shut(format!("{serial} is not active in the cloud{why}"));
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
fn own_trouble(reader: &Reader, serial: &Serial) -> Result<String, Failure> {
    let trouble = reader.outbox_of_unit(serial)?.and_then(|row| row.trouble);
    Ok(trouble.map_or_else(String::new, |(code, what)| format!(": {what} ({code})")))
}
