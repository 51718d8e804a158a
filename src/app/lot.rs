//! A lot's sheet and its bundle, joined from the ledger and the CA's certificate.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::app::{from_config, report_of};
use crate::config::Config;
use crate::domain::certificate::Proof;
use crate::domain::clock::Timestamp;
use crate::domain::code::Code;
use crate::domain::ids::{Serial, WorkOrderId, to_hex};
use crate::domain::lot::{JournalLine, Lot};
use crate::domain::state::UnitState;
use crate::handoff::{Bundle, INSTRUCTIONS, UnitTable, certificate_file};
use crate::ledger::Reader;
use crate::ledger::views::{ExportRow, UnitFilter};
use crate::pki::{self, AuthorityInfo};
use crate::say;
use crate::shell::Failure;

/// Rows that are read at a time.
const PAGE: u32 = 500;

/// Units without a certificate that are named.
const NAMED: usize = 200;

/// A lot, and the table of its units.
pub struct Told {
    /// What its sheet says.
    pub lot: Lot,
    /// `units.csv`.
    pub units: Vec<u8>,
}

/// Tells of a lot; nothing is changed.
pub fn tell(
    config: &Config,
    reader: &Reader,
    id: &WorkOrderId,
    now: Timestamp,
) -> Result<Told, Failure> {
    let order = reader.work_order(id)?.ok_or_else(|| report_of::no_order(id.as_str()))?;
    let authority = AuthorityInfo::read(&from_config::authority_place(&config.authority))?;
    let mut table = UnitTable::begin().map_err(unwritable)?;
    let (mut count, mut registered, mut serials) = (0, 0, None);
    let mut proofs: BTreeMap<Proof, u64> = BTreeMap::new();
    each_unit(reader, id, |row| {
        let (serial, proof) = (&row.row.serial, row.proof.unwrap_or(Proof::None));
        count += 1;
        registered += u64::from(row.registered);
        *proofs.entry(proof).or_default() += 1;
        let first = serials.take().map_or_else(|| serial.clone(), |(first, _)| first);
        serials = Some((first, serial.clone()));
        table.add(row).map_err(unwritable)
    })?;
    let units = table.finish().map_err(unwritable)?;
    let (exceptions, exception_count) = exceptions(reader, id)?;
    // Read last, so that it covers all of the above.
    let head = reader.signed_head()?.ok_or_else(|| {
        Failure::said(
            Code::LedgerOpen,
            say!("the ledger has no signed head yet", "账本还没有签名的头"),
        )
    })?;
    let lot = Lot {
        order,
        count,
        serials,
        exceptions,
        exception_count,
        proofs,
        registered,
        authority: authority.subject,
        authority_fingerprint: authority.fingerprint,
        authority_valid: (authority.not_before, authority.not_after),
        units_sha256: to_hex(&Sha256::digest(&units)),
        head,
        made_at: now,
    };
    Ok(Told { lot, units })
}

fn unwritable(error: std::io::Error) -> Failure {
    Failure::said(Code::Output, say!("the table of units can't be written", "单元表无法写入"))
        .caused_by(&error)
}

fn each_unit(
    reader: &Reader,
    id: &WorkOrderId,
    mut with: impl FnMut(&ExportRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut last: Option<Serial> = None;
    loop {
        let page = reader.export_page(Some(id), true, last.as_ref(), PAGE)?;
        page.iter().try_for_each(&mut with)?;
        match page.into_iter().last() {
            Some(row) => last = Some(row.row.serial),
            None => return Ok(()),
        }
    }
}

/// Units of the work order that have no proven certificate.
fn exceptions(
    reader: &Reader,
    id: &WorkOrderId,
) -> Result<(Vec<(Serial, UnitState)>, u64), Failure> {
    let filter = UnitFilter { work_order: Some(id.clone()), ..UnitFilter::default() };
    let (mut named, mut count, mut last) = (Vec::new(), 0, None);
    loop {
        let page = reader.units(&filter, last.as_ref(), PAGE)?;
        for unit in &page {
            let is_good = matches!(
                unit.state,
                UnitState::Proven | UnitState::Registered | UnitState::Shipped | UnitState::Rework
            );
            if !is_good {
                count += 1;
                if named.len() < NAMED {
                    named.push((unit.serial.clone(), unit.state));
                }
            }
        }
        match page.into_iter().last() {
            Some(unit) => last = Some(unit.serial),
            None => return Ok((named, count)),
        }
    }
}

/// Writes everything that shows the lot.
pub fn write_bundle(
    told: &Told,
    sheet: &str,
    config: &Config,
    reader: &Reader,
    bundle: &mut Bundle<impl Write + std::io::Seek>,
    path: &Path,
) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let what = say!("{} can't be written", "{} 无法写入", path.display());
        Failure::said(Code::Output, what).caused_by(&error)
    };
    let id = &told.lot.order.work_order.id;
    let authority = AuthorityInfo::read(&from_config::authority_place(&config.authority))?;
    let head = serde_json::to_vec(&told.lot.head).map_err(|error| failed(error.into()))?;
    for (name, bytes) in [
        ("VERIFY.md", INSTRUCTIONS.as_bytes()),
        ("sheet.html", sheet.as_bytes()),
        ("units.csv", told.units.as_slice()),
        ("head.json", head.as_slice()),
        ("ca.pem", authority.path_pem().as_bytes()),
        ("journal-key.pem", journal_key(config, reader, &told.lot)?.as_bytes()),
    ] {
        bundle.put(name, bytes).map_err(failed)?;
    }
    each_unit(reader, id, |row| {
        let pem = pki::certificate_pem(&row.row.certificate.der)?;
        bundle.put(&certificate_file(row), pem.as_bytes()).map_err(failed)
    })?;
    bundle.begin("journal.txt").map_err(failed)?;
    let first = reader.lot_begins(id)?.unwrap_or(told.lot.head.seq);
    let before = match first {
        0 | 1 => "0".repeat(64),
        first => {
            let line = reader.journal_lines(first - 1, first - 1, 1)?.pop();
            line.map_or_else(String::new, |line| to_hex(&line.hash))
        }
    };
    writeln!(bundle, "{} - {before}", first.saturating_sub(1)).map_err(failed)?;
    let mut next = first;
    loop {
        let page = reader.journal_lines(next, told.lot.head.seq, PAGE)?;
        page.iter().try_for_each(|line| bundle.entry(line)).map_err(failed)?;
        match page.last() {
            Some(JournalLine { seq, .. }) => next = seq + 1,
            None => return Ok(()),
        }
    }
}

/// The CA's certificate for the key that signed the head.
fn journal_key(config: &Config, reader: &Reader, lot: &Lot) -> Result<String, Failure> {
    let authorities = pki::read_certificates(&config.authority.certificate)?;
    let wanted = &lot.head.public_key;
    for hex in reader.journal_certificates()? {
        let Some(der) = from_config::bytes_of(&hex) else { continue };
        let named = authorities.iter().find_map(|ca| pki::journal_key_of(&der, ca).ok());
        if named.is_some_and(|named| to_hex(named.public_key.as_bytes()) == *wanted) {
            return Ok(pki::certificate_pem(&der)?);
        }
    }
    let what = say!(
        "no certificate of the CA is known for the key that signed the journal's head",
        "签署日志头的密钥没有已知的 CA 证书"
    );
    Err(Failure::said(Code::LedgerUnvouched, what)
        .with_help(say!("station ledger vouch", "station ledger vouch")))
}
