//! Enters a device whose identity the ledger lost: opens its slot, has the identity found and
//! proven, records it, and finishes the device.

use std::sync::Arc;
use std::time::Instant;

use crate::config::Config;
use crate::domain::clock::Clock;
use crate::domain::code::Code;
use crate::domain::device::{Fault, Held};
use crate::domain::ids::{ClientId, OperatorId, Serial, SlotName, to_hex};
use crate::domain::operators::Pin;
use crate::domain::person::Person;
use crate::domain::record::{Adopted, AuthoritySeen, Finished, Record};
use crate::engine::{self, FoundIdentity};
use crate::ledger::{Ledger, Work, WorkLock};
use crate::link::driver::{self, Driver};
use crate::link::port::Port;
use crate::link::settings::SlotLink;
use crate::link::{LinkError, Stop};
use crate::pki::{self, IssuedHere};
use crate::say;
use crate::shell::Failure;

use super::clock::SystemClock;
use super::from_config;
use super::people::{self, Desk};

/// Reads the identity of the device in a slot, has it proven and enters it; gives the unit.
pub fn run(
    config: &Config,
    slot: &SlotName,
    reason: String,
    by: Person,
    pin: impl FnOnce(&OperatorId) -> Result<Pin, Failure>,
) -> Result<Serial, Failure> {
    let link = link_of(config, slot)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::start());
    let (ledger, _) = from_config::open_ledger(config, &clock)?;
    let _lock = WorkLock::take(&config.station.data_dir, Work::Line)?;
    let now = clock.now().wall;
    let (reader, persons, writer) = (ledger.reader()?, ledger.persons()?, ledger.writer());
    let desk = Desk { reader: &reader, persons: &persons, writer: &writer };
    people::approve_act(&desk, by.operator.as_ref(), pin, now)?;
    let mut driver = open(config, &link)?;
    let policy = from_config::policy(config);
    let authorities = authorities(config, &ledger)?;
    let found = engine::find_identity(driver.as_mut(), &policy, &authorities, now)?;
    let serial = serial_of(config, &found)?;
    know_issuer(&ledger, &found.issued)?;
    let (certificate_sn, held) = (found.issued.certificate.sn, found.held);
    let adopted = adopted(found, serial.clone(), slot.clone(), reason, by);
    record(&ledger, Record::Adopted(adopted))?;
    // Durable before the device is touched: a lock can't be taken back.
    finish(driver.as_mut(), config.product.lock, held).map_err(not_finished)?;
    record(&ledger, Record::Finished(Finished { serial: serial.clone(), certificate_sn }))?;
    Ok(serial)
}

/// Finishes the device, which must still say that it holds what it proved.
fn finish(driver: &mut dyn Driver, lock: bool, held: Held) -> Result<(), LinkError> {
    let seen = driver.finish(lock)?;
    match seen.holds == Some(held) {
        true => Ok(()),
        false => Err(LinkError::Contradiction {
            request: "the end",
            said: "that it holds something else".to_owned(),
            expected: "what it proved".to_owned(),
        }),
    }
}

fn link_of(config: &Config, name: &SlotName) -> Result<SlotLink, Failure> {
    let mut slots = from_config::slots(config).into_iter();
    let found = slots.find(|slot| slot.name == *name).map(|slot| slot.link);
    found.ok_or_else(|| {
        Failure::said(
            Code::Usage,
            say!("station.toml has no slot {name}", "station.toml 中没有工位 {name}"),
        )
    })
}

fn open(config: &Config, link: &SlotLink) -> Result<Box<dyn Driver>, LinkError> {
    let port = Port::open(link.port.clone(), Stop::new())?;
    let mut driver = driver::over(port, link)?;
    driver.set_deadline(Instant::now().checked_add(config.station.unit_deadline));
    Ok(driver)
}

/// Every CA that the ledger knows, and the one in use: the gap may have seen its first unit.
fn authorities(config: &Config, ledger: &Ledger) -> Result<Vec<Vec<u8>>, Failure> {
    let mut authorities = ledger.reader()?.authority_certificates()?;
    authorities.extend(pki::read_certificates(&config.authority.certificate)?);
    Ok(authorities)
}

/// The unit by the client id that the certificate names and the product's rule.
fn serial_of(config: &Config, found: &FoundIdentity) -> Result<Serial, Failure> {
    let client_id = &found.issued.client_id;
    let named = config.product.client_id.serial_of(client_id).ok_or_else(|| no_serial(client_id));
    let (serial, _) =
        from_config::label_rule(config, None)?.accept(named?.as_str()).map_err(Fault::from)?;
    match &found.seen.factory_serial {
        Some(factory) if factory != serial.as_str() => {
            let what = say!(
                "the device calls itself {factory}, its certificate says {serial}",
                "设备自称 {factory}，它的证书写的是 {serial}"
            );
            Err(Failure::said(Code::DevFactorySerial, what))
        }
        _ => Ok(serial),
    }
}

fn no_serial(client_id: &ClientId) -> Failure {
    let what = say!(
        "the certificate's client id {client_id} is none of this product's",
        "证书的客户端 ID {client_id} 不是本产品的"
    );
    Failure::said(Code::ScanClientId, what)
}

fn know_issuer(ledger: &Ledger, issued: &IssuedHere) -> Result<(), Failure> {
    if ledger.reader()?.authority_certificates()?.contains(&issued.authority) {
        return Ok(());
    }
    let fingerprint = issued.certificate.issuer;
    let seen = AuthoritySeen { fingerprint, der: to_hex(&issued.authority) };
    record(ledger, Record::AuthoritySeen(seen))
}

fn adopted(
    found: FoundIdentity,
    serial: Serial,
    slot: SlotName,
    reason: String,
    by: Person,
) -> Adopted {
    let FoundIdentity { seen, held, issued, proof, restart } = found;
    Adopted {
        serial,
        client_id: issued.client_id,
        hardware: seen.hardware,
        model: seen.model,
        firmware: seen.firmware,
        slot,
        certificate: Arc::new(issued.certificate),
        image: held.image,
        proof,
        restart: restart.to_owned(),
        reason,
        by,
    }
}

fn record(ledger: &Ledger, record: Record) -> Result<(), Failure> {
    let done = ledger.writer().record(record);
    done.map(|_| ()).map_err(|refusal| Failure::from(refusal.fault()))
}

fn not_finished(error: LinkError) -> Failure {
    Failure::told(error.code(), &error).with_help(say!(
        "the unit is entered as proven; put it to the line once more, which finishes its device",
        "该单元已登记为已验证；请再上线一次，完成它的设备"
    ))
}
