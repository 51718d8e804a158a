//! Grants at a station: verified offline, taken into the ledger, given back.

use crate::config::Config;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::evidence::HeadSigner;
use crate::domain::grant::{
    GivenBack, GivenBackLine, GrantRow, GrantTaken, RawSignature, SignedGrant, Signer,
};
use crate::domain::ids::{WorkOrderId, to_hex};
use crate::domain::person::Person;
use crate::domain::record::{Record, WorkOrderCreated};
use crate::domain::work_order::WorkOrder;
use crate::handoff::grant::SignedGivenBack;
use crate::ledger::Reader;
use crate::pki::{self, JournalKey};
use crate::say;
use crate::shell::Failure;

use super::from_config::{self, bytes_of};

/// The certificates that may certify an order key, DER: of `[work_orders] root`, else the
/// station's own CA and what stands above it.
pub fn trusted(config: &Config) -> Result<Vec<Vec<u8>>, Failure> {
    if let Some(root) = &config.work_orders.root {
        return Ok(pki::read_certificates(root)?);
    }
    let mut all = pki::read_certificates(&config.authority.certificate)?;
    if let Some(chain) = &config.authority.chain {
        all.extend(pki::read_certificates(chain)?);
    }
    Ok(all)
}

/// Checks a grant as this station does before it takes it: who signed it, for whom, for which
/// product, until when.
pub fn check(config: &Config, signed: &SignedGrant, now: Timestamp) -> Result<Signer, Failure> {
    let signer = pki::check_grant(signed, &trusted(config)?, now)?;
    let grant = &signed.grant;
    let own = &config.station.id;
    if grant.station != *own {
        let what = say!(
            "the grant is for station {}, this is {own}",
            "授权是给站 {} 的，本站是 {own}",
            grant.station
        );
        return Err(Failure::said(Code::GrantForeign, what));
    }
    if grant.profile != config.profile_digest()? {
        let what = say!(
            "the grant is for another product profile, {}; `station config check` shows the \
             station's",
            "授权属于另一个产品配置 {}；`station config check` 显示本站的配置",
            grant.profile
        );
        return Err(Failure::said(Code::WorkOrderProfile, what));
    }
    if now >= grant.valid_until {
        let what = say!(
            "the grant ended at {}, and now it is {now}",
            "授权已于 {} 到期，现在是 {now}",
            grant.valid_until
        );
        return Err(Failure::said(Code::GrantExpired, what));
    }
    Ok(signer)
}

/// The records that take a grant: it, and before it its work order where the station has none.
pub fn records(
    config: &Config,
    reader: &Reader,
    signed: &SignedGrant,
    by: &Person,
) -> Result<Vec<Record>, Failure> {
    let id = &signed.grant.work_order;
    let taken = GrantTaken {
        grant: signed.grant.clone(),
        certificate: to_hex(&signed.certificate),
        signature: signed.signature,
        by: by.clone(),
    };
    let mut records = vec![Record::GrantTaken(Box::new(taken))];
    match reader.work_order(id)? {
        None => {
            let work_order = work_order(config, signed);
            let created = WorkOrderCreated { work_order, by: by.clone() };
            records.insert(0, Record::WorkOrderCreated(created));
        }
        Some(row) if row.work_order.profile != signed.grant.profile => {
            let what = say!(
                "work order {id} was made for another product profile than the grant",
                "工单 {id} 的产品配置与授权的不同"
            );
            return Err(Failure::said(Code::WorkOrderProfile, what));
        }
        Some(_) => {}
    }
    Ok(records)
}

fn work_order(config: &Config, signed: &SignedGrant) -> WorkOrder {
    WorkOrder {
        id: signed.grant.work_order.clone(),
        product: config.product.name.clone(),
        quantity: signed.grant.order_quantity,
        serial_pattern: None,
        serial_range: None,
        check_character: config.product.check_character,
        hardware_ids: Vec::new(),
        profile: signed.grant.profile,
    }
}

/// What the ledger says of a work order's grants, signed with the journal key.
pub fn given_back(
    config: &Config,
    reader: &Reader,
    key: &JournalKey,
    work_order: &WorkOrderId,
    now: Timestamp,
) -> Result<SignedGivenBack, Failure> {
    let head = reader.signed_head()?;
    let head = head.ok_or_else(|| {
        Failure::said(Code::LedgerJournal, say!("the journal has no head", "日志没有签名的头"))
    })?;
    let given_back = GivenBack {
        work_order: work_order.clone(),
        station: config.station.id.clone(),
        instance: head.instance,
        seq: head.seq,
        made_at: Timestamp(now.0.div_euclid(1_000) * 1_000),
        grants: reader.grants(work_order)?.iter().map(line).collect(),
    };
    let signature = RawSignature(key.sign(&given_back.signed_bytes())?);
    let journal_certificate = own_certificate(config, reader, key)?;
    Ok(SignedGivenBack { given_back, journal_certificate, signature })
}

fn line(row: &GrantRow) -> GivenBackLine {
    let GrantRow { grant, given_back, used, under_way } = row;
    GivenBackLine {
        number: grant.number,
        quantity: grant.quantity,
        given_back: *given_back,
        used: *used,
        under_way: *under_way,
    }
}

/// The newest certificate of the key that signs, where a line ran under this CA already.
fn own_certificate(
    config: &Config,
    reader: &Reader,
    key: &JournalKey,
) -> Result<Option<Vec<u8>>, Failure> {
    let Ok(authorities) = pki::read_certificates(&config.authority.certificate) else {
        return Ok(None);
    };
    let certificates = reader.journal_certificates()?;
    Ok(certificates.iter().filter_map(|hex| bytes_of(hex)).find(|der| {
        let keys = authorities.iter().filter_map(|ca| pki::journal_key_of(der, ca).ok());
        keys.into_iter().any(|found| found.public_key == key.public_key())
    }))
}

/// The order key's place, in the pki's words.
pub fn order_place(config: &Config) -> pki::OrderPlace {
    pki::OrderPlace {
        key: config.work_orders.key.clone(),
        certificate: config.work_orders.certificate.clone(),
    }
}

/// The secret that opens the order key.
pub fn order_secret(config: &Config) -> crate::secret::Wanted<'_> {
    crate::secret::orders_passphrase(config.work_orders.passphrase_file.as_deref())
}

/// Opens the order key.
pub fn order_key(config: &Config, now: Timestamp) -> Result<pki::OrderKey, Failure> {
    let secret = order_secret(config).read(&crate::secret::Process)?;
    let secret = from_config::passphrase(&secret)?;
    Ok(pki::OrderKey::open(&order_place(config), &secret, now)?)
}
