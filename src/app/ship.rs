//! The gate through which units leave: what is inactive is activated at once where the
//! cloud can be reached, the cloud is asked for each certificate that would leave, and what
//! is not active stays.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{cloud, from_config, sync};
use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::Fault;
use crate::domain::ids::{CertificateSn, Serial};
use crate::domain::long_work;
use crate::domain::outbox::{ActivationAsked, Shipped};
use crate::domain::person::Person;
use crate::domain::record::{Record, Refusal};
use crate::domain::registration::Registering;
use crate::domain::say::Say;
use crate::ledger::outbox::{Gate, Known};
use crate::ledger::{Ledger, Reader, Ticket};
use crate::say;
use crate::shell::Failure;
use crate::sync::{Stands, look};

/// Units whose records are handed in before the first of them is waited for.
const PAGE: usize = 256;

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
    let units = pass_all(&ledger, &reader, serials, by, trouble.as_ref())?;
    Ok(Shipment { units, unasked })
}

/// What becomes of each at the gate. A page's records are handed in together, since each commit
/// costs a sync of the disk.
fn pass_all(
    ledger: &Ledger,
    reader: &Reader,
    serials: Vec<Serial>,
    by: &Person,
    trouble: Option<&Fault>,
) -> Result<Vec<(Serial, Passed)>, Failure> {
    let all = serials.len() as u64;
    let mut passed = Vec::with_capacity(serials.len());
    for page in pages(serials) {
        let judge = |serial| judge(ledger, reader, serial, by, trouble);
        let judged: Vec<Judged> = page.iter().map(judge).collect::<Result<_, _>>()?;
        for (serial, judged) in page.into_iter().zip(judged) {
            passed.push((serial, judged.settle()?));
        }
        long_work::tell(passed.len() as u64, all);
    }
    Ok(passed)
}

/// The serials in their order, a page at a time. One that is named twice stands in two pages: the
/// second time it is judged by what became of it the first time.
fn pages(serials: Vec<Serial>) -> Vec<Vec<Serial>> {
    let (mut pages, mut page, mut known) = (Vec::new(), Vec::new(), BTreeSet::new());
    for serial in serials {
        if page.len() == PAGE || known.contains(&serial) {
            pages.push(std::mem::take(&mut page));
            known.clear();
        }
        known.insert(serial.clone());
        page.push(serial);
    }
    pages.push(page);
    pages
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
    let all = leaving.len() as u64;
    for (done, known) in (0..).zip(leaving) {
        long_work::tell(done, all);
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
    let ask = |(serial, certificate_sn): &(Serial, CertificateSn)| {
        let (serial, certificate_sn) = (serial.clone(), *certificate_sn);
        let asked = ActivationAsked { serial, certificate_sn, by: by.clone() };
        ledger.writer().submit(Record::ActivationAsked(asked))
    };
    for page in units.chunks(PAGE) {
        let asked: Vec<Ticket> = page.iter().map(ask).collect();
        for ticket in asked {
            ticket.wait().map_err(|refusal| Failure::from(refusal.fault()))?;
        }
    }
    let serials = units.iter().map(|(serial, _)| serial.clone()).collect();
    match sync::units(config, clock, ledger, serials) {
        Ok(trouble) => Ok(trouble),
        // No credentials, another sync at work: the units stay, and are told why.
        Err(failure) => Ok(Some(failure.into())),
    }
}

/// What is to become of a unit, as the ledger stands.
enum Judged {
    /// It leaves with this certificate, once that is recorded.
    Leaves(CertificateSn, Ticket),
    /// Nothing is recorded.
    Settled(Passed),
}

impl Judged {
    /// Waits for its record, where it has one.
    fn settle(self) -> Result<Passed, Failure> {
        let (cert, ticket) = match self {
            Judged::Settled(passed) => return Ok(passed),
            Judged::Leaves(cert, ticket) => (cert, ticket),
        };
        match ticket.wait() {
            Ok(_) => Ok(Passed::Now(cert)),
            Err(Refusal::Row(fault)) => Ok(Passed::Refused(fault)),
            Err(Refusal::Ledger(fault)) => Err(fault.into()),
        }
    }
}

fn judge(
    ledger: &Ledger,
    reader: &Reader,
    serial: &Serial,
    by: &Person,
    trouble: Option<&Fault>,
) -> Result<Judged, Failure> {
    let refused = |fault| Ok(Judged::Settled(Passed::Refused(fault)));
    let shut = |what: Say| refused(Fault::said(Code::ShipNotActive, what));
    let cert = match reader.gate(serial)? {
        None => {
            let what = say!("the ledger knows no unit {serial}", "账本里没有单元 {serial}");
            return refused(Fault::said(Code::UnitUnknown, what));
        }
        Some(Gate::Gone(cert)) => return Ok(Judged::Settled(Passed::Before(cert))),
        Some(Gate::Shut(why)) => return shut(why),
        Some(Gate::Unlabelled(why)) => return refused(Fault::said(Code::LabelOpen, why)),
        Some(Gate::Inactive(_)) => {
            let Say { english, chinese } = why_inactive(reader, serial, trouble)?;
            return shut(Say {
                english: format!("{serial} is not active in the cloud{english}"),
                chinese: format!("{serial} 在云端未启用{chinese}"),
            });
        }
        Some(Gate::Open(cert)) => cert,
    };
    let shipped = Shipped { serial: serial.clone(), certificate_sn: cert, by: by.clone() };
    Ok(Judged::Leaves(cert, ledger.writer().submit(Record::Shipped(shipped))))
}

/// What kept a unit from being activated, behind the sentence that says that it is not.
fn why_inactive(reader: &Reader, serial: &Serial, trouble: Option<&Fault>) -> Result<Say, Failure> {
    let Some(fault) = trouble else { return own_trouble(reader, serial) };
    let (Say { english, chinese }, code) = (fault.sentence(), fault.code);
    Ok(Say {
        english: format!(": {english} ({code})"), chinese: format!("：{chinese}（{code}）")
    })
}

/// What the cloud said of this unit alone, where it said anything.
fn own_trouble(reader: &Reader, serial: &Serial) -> Result<Say, Failure> {
    let trouble = reader.outbox_of_unit(serial)?.and_then(|row| row.trouble);
    Ok(trouble
        .map_or_else(Say::default, |(code, what)| say!(": {what} ({code})", "：{what}（{code}）")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serials(names: &[&str]) -> Vec<Serial> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_page_names_no_unit_twice_and_all_keep_their_order() {
        let asked = serials(&["U-1", "U-2", "U-1", "U-1", "U-3"]);
        let pages = pages(asked.clone());
        assert_eq!(pages, [serials(&["U-1", "U-2"]), serials(&["U-1"]), serials(&["U-1", "U-3"])]);
        assert_eq!(pages.concat(), asked);
    }

    #[test]
    fn a_page_has_no_more_than_its_units() {
        let asked: Vec<Serial> = (0..=PAGE).map(|n| format!("U-{n}").parse().unwrap()).collect();
        let lengths: Vec<usize> = pages(asked).iter().map(Vec::len).collect();
        assert_eq!(lengths, [PAGE, 1]);
    }
}
